/** What is other now than when a map was begun: who runs it again should know. */
import {fileURLToPath} from 'node:url';
import {hashAgain} from '../function-reference.js';
import {findGitCommit} from '../git-commit.js';
import type {Manifest} from '../manifest.js';
import {VERSION} from '../version.js';

export type Changes = {
	/** As it is now. */
	readonly reference: Manifest['function'];
	/** A sentence each. */
	readonly sentences: readonly string[];
};

export const findChanges = async ({
	function: before,
	node,
	library,
	gitCommit,
	processNode,
}: Pick<Manifest, 'function' | 'node' | 'library' | 'gitCommit' | 'processNode'>): Promise<Changes> => {
	const reference = await hashAgain(before);
	const sentences: string[] = [];
	const note = (what: string, now: string | undefined, then: string | undefined): void => {
		if (now !== then) sentences.push(`${what} is ${now ?? 'none'} now, and was ${then ?? 'none'}`);
	};
	if (reference.kind === 'module' && before.kind === 'module' && reference.sha256 !== before.sha256)
		sentences.push(`${fileURLToPath(before.url)} is not what it was`);
	note('Node', process.version, node);
	note('the version of queue-map-reduce', VERSION, library.version);
	note(`the git commit in ${processNode.cwd}`, findGitCommit(processNode.cwd), gitCommit);
	return {reference, sentences};
};
