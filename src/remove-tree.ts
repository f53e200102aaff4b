/** Removes a directory with all that is in it, on a file system that may not be ready for it. */
import {rm} from 'node:fs/promises';
import {setTimeout as sleep} from 'node:timers/promises';

/**
 * What passes, as a rule within a moment: a handle that went stale is looked up anew; a file that somebody still has open is kept by NFS under the name `.nfs…` until it is closed;
 * a listing was older than the directory; too many files are open.
 */
const PASSING: ReadonlySet<string | undefined> = new Set(['ESTALE', 'ENOTEMPTY', 'EBUSY', 'EMFILE', 'ENFILE']);

/** The third time is 0.6 s after the first: who must wait longer is told what is left instead. */
const WAITS_MS: readonly number[] = [200, 400];

/** Fine when it is gone. */
export const removeTree = async (
	directory: string,
	remove: (directory: string) => Promise<void> = path => rm(path, {recursive: true, force: true}),
): Promise<void> => {
	for (const waitMs of WAITS_MS) {
		try {
			return await remove(directory);
		} catch (error) {
			if (!PASSING.has((error as NodeJS.ErrnoException).code)) throw error;
			await sleep(waitMs);
		}
	}
	await remove(directory);
};
