/** Which work_dir is meant: by its path, by its session or the beginning of that, or the newest one. */
import {existsSync, readdirSync, statSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {DEFAULT_WORK_ROOT, MANIFEST} from '../layout.js';
import {UsageError} from './command-error.js';

/**
 * @param argument - A path; or a session, or its beginning, of a work_dir in `root`; undefined for the newest one there.
 * @param root - Where work_dirs are made.
 * @throws UsageError when there is none, or more than one.
 */
export const findWorkDir = (argument: string | undefined, root: string = DEFAULT_WORK_ROOT): string => {
	if (argument !== undefined && existsSync(join(argument, MANIFEST))) return resolve(argument);
	const sessions = listWorkDirs(root);
	if (argument === undefined) {
		const newest = sessions.at(-1);
		if (newest === undefined)
			throw new UsageError(`Expected a work_dir, and there is none in ${resolve(root)}. Name one, or its parent by --root.`);
		return join(resolve(root), newest);
	}
	const meant = sessions.filter(session => session.startsWith(argument));
	if (meant.length > 1)
		throw new UsageError(
			`${JSON.stringify(argument)} is the beginning of ${meant.length} sessions in ${resolve(root)}: ${meant.join(', ')}. Type more of it.`,
		);
	if (meant[0] !== undefined) return join(resolve(root), meant[0]);
	throw new UsageError(`Expected a work_dir, got ${JSON.stringify(argument)}, ${whyNot(argument, root)}`);
};

/** The names of the work_dirs in a directory, oldest first: sessions begin with their time. */
export const listWorkDirs = (root: string): string[] => {
	try {
		return readdirSync(root)
			.filter(name => !name.startsWith('.') && existsSync(join(root, name, MANIFEST)))
			.sort();
	} catch {
		return [];
	}
};

const whyNot = (argument: string, root: string): string => {
	const stats = statSync(argument, {throwIfNoEntry: false});
	if (stats?.isDirectory()) return `which has no ${MANIFEST}.`;
	if (stats !== undefined) return 'which is a file. Name the directory of the map.';
	return `which is neither a directory nor the beginning of a session in ${resolve(root)}. A work_dir is removed when every task has succeeded, unless it is to be kept.`;
};
