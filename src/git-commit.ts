import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

/** The commit that is checked out in a directory or above it, read from git's own files; undefined outside a checkout. */
export const findGitCommit = (directory: string): string | undefined => {
	for (let current = directory; ; current = dirname(current)) {
		const commit = readCommit(join(current, '.git'));
		if (commit !== undefined) return commit;
		if (current === dirname(current)) return undefined;
	}
};

const readCommit = (gitDir: string): string | undefined => {
	const head = readText(join(gitDir, 'HEAD'))?.trim();
	if (head === undefined) return undefined;
	if (!head.startsWith('ref: ')) return head;
	const ref = head.slice('ref: '.length);
	const packed = readText(join(gitDir, 'packed-refs'))
		?.split('\n')
		.find(line => line.endsWith(` ${ref}`));
	return readText(join(gitDir, ref))?.trim() ?? packed?.split(' ')[0];
};

const readText = (path: string): string | undefined => {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
};
