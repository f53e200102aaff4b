/** Waits for files that are there, but that this host does not see yet, or sees a stale piece of: a network file system may be that late. */
import {readdirSync} from 'node:fs';
import {readdir} from 'node:fs/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import {BlockFileError} from '../v8-serialize-helpers.js';
import {systemCodeOf, WorkerError} from './worker-error.js';

/** Together a minute, as the launcher waits for the same files to be there at all. */
const WAITS_MS = [1000, 1000, 2000, 3000, 5000, 8000, 13_000, 27_000];

/**
 * Reads a file of the work_dir, again and again as long as that fails for what lateness may explain.
 *
 * @throws WorkerError `filesMissing` after a minute.
 */
export const readLate = async <T>(workDir: string, path: string, read: () => T | Promise<T>): Promise<T> => {
	for (let look = 0; ; look++) {
		try {
			return await read();
		} catch (error) {
			await sleep(waitAfter(error, look, path));
			// To list a directory refreshes what this host knows of it.
			await readdir(workDir).catch(() => undefined);
		}
	}
};

/** The same for a caller that can't wait otherwise: nothing else goes on in this thread meanwhile. */
export const readLateSync = <T>(workDir: string, path: string, read: () => T): T => {
	for (let look = 0; ; look++) {
		try {
			return read();
		} catch (error) {
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitAfter(error, look, path));
			try {
				readdirSync(workDir);
			} catch {
				// The next look tells.
			}
		}
	}
};

const waitAfter = (error: unknown, look: number, path: string): number => {
	if (!mayBeLate(error)) throw error;
	const waitMs = WAITS_MS[look];
	if (waitMs === undefined) throw new WorkerError('filesMissing', `can't read ${path}: ${(error as Error).message}`, {cause: error});
	return waitMs;
};

/** A file that is missing, cut off, or filled with zeros where its bytes have not come yet. */
const mayBeLate = (error: unknown): boolean =>
	error instanceof SyntaxError || systemCodeOf(error) !== undefined || (error instanceof BlockFileError && error.reason !== 'format');
