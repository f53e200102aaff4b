import {readFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';

/** The commit that is checked out in a directory or above it, read from git's own files; undefined outside a checkout, and before its first commit. */
export const findGitCommit = (directory: string): string | undefined => {
	for (let current = directory; ; current = dirname(current)) {
		const gitDir = findGitDir(current);
		const head = readText(join(gitDir, 'HEAD'))?.trim();
		// The innermost checkout counts: what is around it is another project.
		if (head !== undefined) return head.startsWith('ref: ') ? readRef(gitDir, head.slice('ref: '.length)) : head;
		if (current === dirname(current)) return undefined;
	}
};

/** In a submodule or a further worktree `.git` is a file that tells where git's own files are. */
const findGitDir = (directory: string): string => {
	const path = join(directory, '.git');
	const [, target] = /^gitdir: (.*)$/m.exec(readText(path) ?? '') ?? [];
	return target === undefined ? path : resolve(directory, target);
};

const readRef = (gitDir: string, ref: string): string | undefined => {
	// A further worktree has its own HEAD and shares the branches.
	const commonDir = resolve(gitDir, readText(join(gitDir, 'commondir'))?.trim() ?? '');
	const packed = readText(join(commonDir, 'packed-refs'))
		?.split('\n')
		.find(line => line.endsWith(` ${ref}`));
	return readText(join(commonDir, ref))?.trim() ?? packed?.split(' ')[0];
};

const readText = (path: string): string | undefined => {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
};
