/**
 * Whether a directory is its owner's alone, on a machine with many users. Somebody who may write a work_dir, or put another one in its place, decides what
 * the queue-jobs of its owner run.
 */
import {constants, type Stats} from 'node:fs';
import {access, lstat, realpath} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {PoolError} from './errors.js';

/** `work`: to submit queue-jobs from what is in it. `read`: to look at it. */
export type TrustUse = 'work' | 'read';

/**
 * Root may `read` the work_dirs of others, as it may read all else, and nothing of what is read is run; but it may not `work` in one, or the owner would
 * decide what root's queue-jobs run.
 *
 * @throws PoolError `ERR_POOL_WORK_DIR` unless it is a directory, no symbolic link, that belongs to this process's user, that nobody else may write, and that
 * nobody else could have put there.
 */
export const trustWorkDir = async (workDir: string, use: TrustUse = 'work'): Promise<void> => {
	// Without a slash at its end: that would follow a link.
	const directory = resolve(workDir);
	const stats = await look(directory);
	if (stats.isSymbolicLink()) {
		throw refusal(directory, 'to be a directory', `a symbolic link to ${await targetOf(directory)}`, 'Name the directory itself.');
	}
	if (!stats.isDirectory()) throw refusal(directory, 'to be a directory', 'a file', 'Name the directory that has the run.json.');
	if (use === 'read' && userId() === ROOT) return;
	if (!(await isOurs(directory, stats))) {
		throw refusal(
			directory,
			`to belong to the user of this process (uid ${userId()})`,
			`uid ${stats.uid}`,
			'Go on as that user; to look at it, copy it to a directory of your own.',
		);
	}
	if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) {
		throw refusal(
			directory,
			'to be writable by nobody but its owner',
			`mode ${octal(stats.mode)}`,
			'If nobody else has written there, take the rights away: chmod go-w. On a file system that keeps no permissions there can be no work_dir.',
		);
	}
	await trustPath(directory);
};

/**
 * Some network file systems show other numbers than ours (NFS 4 without its name service, sshfs without idmap). A directory that is closed to everybody but its owner and
 * open to us is ours all the same; only for root that says nothing.
 */
export const isOurs = async (directory: string, {uid, mode}: Stats): Promise<boolean> => {
	if (uid === userId()) return true;
	if (userId() === ROOT || (mode & OPEN_TO_OTHERS) !== 0) return false;
	return access(directory, constants.R_OK | constants.W_OK | constants.X_OK).then(
		() => true,
		() => false,
	);
};

/**
 * Looks along a path for what others could have put there, or could put there later: in a directory that everybody may write only what is ours or root's is trusted, and
 * only if nobody else may rename it (the sticky bit). `/scratch` with mode 1777 is fine, and so is a project's directory that a group may write: those were let in.
 *
 * @param path - Absolute. What does not exist of it is left out.
 * @throws PoolError `ERR_POOL_WORK_DIR`
 */
export const trustPath = async (path: string): Promise<void> => {
	let current = '/';
	let parent = await lstat(current);
	for (const name of path.split('/').filter(part => part !== '')) {
		const entry = join(current, name);
		const stats = await lstat(entry).catch(() => undefined);
		// What is missing we make ourselves; where we may not look, we can't be led to either.
		if (stats === undefined) break;
		if (isOpen(parent) && !isTrusted(stats)) {
			throw refusal(
				path,
				'to be where nobody else could have put it',
				`${entry}, ${stats.isSymbolicLink() ? 'a symbolic link' : 'a directory'} of uid ${stats.uid} in ${current}, which everybody may write`,
				ADVICE,
			);
		}
		if (stats.isSymbolicLink()) {
			current = await realpath(entry).catch(() => entry);
			// A link to nowhere, or into itself: whoever makes the directory is told.
			if (current === entry) return;
			await trustPath(current);
			parent = await lstat(current);
		} else {
			current = entry;
			parent = stats;
		}
		if (isOpen(parent) && (parent.mode & STICKY) === 0) {
			throw refusal(
				path,
				'to be where nobody else can put another one in its place',
				`${current}, where everybody may rename everything (mode ${octal(parent.mode)})`,
				ADVICE,
			);
		}
	}
};

const ADVICE = 'Choose a directory of your own by `workRoot` or `workDir`. A directory for everybody needs the sticky bit: chmod 1777.';

const ROOT = 0;
const STICKY = 0o1000;
const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_OTHERS = 0o077;

const userId = (): number | undefined => process.geteuid?.();
const isOpen = ({mode}: Stats): boolean => (mode & 0o002) !== 0;
const isTrusted = ({uid}: Stats): boolean => uid === ROOT || uid === userId();
const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
const targetOf = (path: string): Promise<string> => realpath(path).catch(() => 'nowhere');

const look = async (directory: string): Promise<Stats> => {
	try {
		return await lstat(directory);
	} catch (error) {
		const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'nothing there' : (error as Error).message;
		throw refusal(directory, 'to be a directory', reason, 'Look at the path, and whether its file system is mounted here.', error);
	}
};

const refusal = (directory: string, expected: string, got: string, advice: string, cause?: unknown): PoolError =>
	new PoolError('ERR_POOL_WORK_DIR', `Expected the work_dir ${directory} ${expected}, got ${got}. ${advice}`, {
		workDir: directory,
		...(cause === undefined ? {} : {cause}),
	});
