/** File names with a task's index in them. */
import {extname} from 'node:path';
import {describe} from '../check-options.js';
import {PoolError} from '../errors.js';

/**
 * The name of a task's own file, as HTCondor's scripts name indexed files: the index goes before the extension. `indexed('data/inputA.npy', 3)` is
 * `'data/inputA3.npy'`. The extension begins at the last dot of the file's name (`a.tar.gz` -> `a.tar3.gz`); a name without one, and one whose only dot is its first
 * character, gets the index at its end (`output` -> `output3`, `.hidden` -> `.hidden3`).
 *
 * Where names may end in a digit choose one that does not: `run1` with index 1 and `run` with index 11 are both `run11`.
 *
 * @param path - The path of a file; its directories stay as they are.
 * @param itask - The index, an integer from 0.
 * @throws PoolError `ERR_POOL_OPTION` for a path that names no file (`''`, `'data/'`, `'..'`) and for any other index.
 */
export const indexed = (path: string, itask: number): string => {
	if (typeof path !== 'string' || /(?:^|\/)\.{0,2}$/.test(path)) {
		throw new PoolError('ERR_POOL_OPTION', `Expected \`path\` to be the path of a file, got ${describe(path)}.`);
	}
	if (!Number.isSafeInteger(itask) || itask < 0) {
		throw new PoolError(
			'ERR_POOL_OPTION',
			`Expected \`itask\` to be an integer from 0, got ${describe(itask)}. In a task it may be \`taskContext().itask\`.`,
		);
	}
	const extension = extname(path);
	return `${path.slice(0, path.length - extension.length)}${itask}${extension}`;
};
