/** A file that grows, and that outlives a full disk: writing waits until there is space again. */
import {totalLength} from '../block-file/block-frames.js';
import {systemCodeOf, WorkerError} from './worker-error.js';
import type {GrowingFile, WorkerClock, WorkerPorts} from './worker-files.js';

export type DurableFile = {
	readonly append: (buffers: readonly Buffer[]) => Promise<void>;
	/** All that was appended is on the disk when the promise resolves. */
	readonly sync: () => Promise<void>;
	/** Gives it its last name, once all is on the disk. */
	readonly finish: () => Promise<void>;
};

/** Others may be making space by then; longer than that the slot of the queue-job is of more use to others. */
export const SPACE_LIMIT_MS = 300_000;

const FIRST_SPACE_WAIT_MS = 1000;
const MAX_SPACE_WAIT_MS = 30_000;

/** What is not known to be on the disk is kept in memory, but not more than this. */
const MAX_UNSYNCED_BYTES = 2 ** 26;

/** Many small buffers are written by one call; larger ones are not copied for that. */
const MAX_COPIED_BYTES = 2 ** 16;

/**
 * @param growsAs - Its name until it is finished; it must not exist.
 * @throws WorkerError `outputRefused` when it can't be made; `outputFailed`, also later, when it can't be written.
 */
export const createDurableFile = async (growsAs: string, finalPath: string, {files, clock}: WorkerPorts): Promise<DurableFile> => {
	const file = await makeFile(growsAs, {files, clock});
	let size = 0;
	let unsynced: Piece[] = [];
	let numUnsynced = 0;

	const sync = async (): Promise<void> => {
		if (numUnsynced === 0) return;
		let hasFailed = false;
		await whenThereIsSpace(clock, growsAs, async () => {
			// A network file system may tell only now that there is no space, and has thrown away by then what was written.
			if (hasFailed) for (const piece of unsynced) await writeFully(file, piece);
			hasFailed = true;
			await file.sync();
		});
		unsynced = [];
		numUnsynced = 0;
	};

	return {
		append: async buffers => {
			const pieces = totalLength(buffers) > MAX_COPIED_BYTES ? buffers : [Buffer.concat(buffers)];
			for (const bytes of pieces) {
				const piece: Piece = {bytes, position: size, done: 0};
				await whenThereIsSpace(clock, growsAs, () => writeFully(file, piece));
				size += bytes.length;
				numUnsynced += bytes.length;
				unsynced.push(piece);
			}
			if (numUnsynced > MAX_UNSYNCED_BYTES) await sync();
		},
		sync,
		finish: async () => {
			await sync();
			await file.close();
			await whenThereIsSpace(clock, finalPath, () => files.rename(growsAs, finalPath));
		},
	};
};

/** Of its bytes the first `done` are written; none when it has to be, or need not be, written from its beginning. */
type Piece = {readonly bytes: Buffer; readonly position: number; done: number};

const makeFile = async (path: string, {files, clock}: WorkerPorts): Promise<GrowingFile> => {
	try {
		return await whenThereIsSpace(clock, path, () => files.create(path));
	} catch (error) {
		if (error instanceof WorkerError && systemCodeOf(error.cause) !== undefined && !isFull(error.cause)) {
			throw new WorkerError('outputRefused', `this attempt was begun before, or ${path} can't be made`, {cause: error.cause});
		}
		throw error;
	}
};

const writeFully = async (file: GrowingFile, piece: Piece): Promise<void> => {
	while (piece.done < piece.bytes.length) {
		piece.done += await file.write(piece.bytes.subarray(piece.done), piece.position + piece.done);
	}
	piece.done = 0;
};

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(systemCodeOf(error) ?? '');

/** @throws WorkerError `outputFailed` when the space does not come, or something else is wrong, which is its cause. */
export const whenThereIsSpace = async <T>(clock: WorkerClock, path: string, body: () => Promise<T>): Promise<T> => {
	const beganMs = clock.elapsedMs();
	for (let waitMs = FIRST_SPACE_WAIT_MS; ; waitMs = Math.min(2 * waitMs, MAX_SPACE_WAIT_MS)) {
		try {
			return await body();
		} catch (error) {
			if (systemCodeOf(error) === undefined) throw error;
			const reason = (error as Error).message;
			if (!isFull(error)) throw new WorkerError('outputFailed', `${path} can't be written: ${reason}`, {cause: error});
			if (clock.elapsedMs() - beganMs >= SPACE_LIMIT_MS) {
				const minutes = Math.round(SPACE_LIMIT_MS / 60_000);
				throw new WorkerError('outputFailed', `${path} can't be written, and waiting for ${minutes} minutes did not help: ${reason}`, {
					cause: error,
				});
			}
			await clock.sleep(waitMs);
		}
	}
};
