import {linkSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {isAlive} from './processes.js';

const LOCK_NAME = 'queue_state.lock';
const LONGEST_DELAY_MS = 40;
// Holders only read and write one small file: whoever waits this long has met a defect.
const LONGEST_WAIT_MS = 60_000;

/** Calls `action` while no other process holds the lock of this directory. A lock whose owner is dead is taken over. */
export const withLock = <T>(directory: string, action: () => T): T => {
	const lock = path.join(directory, LOCK_NAME);
	acquire(lock);
	try {
		return action();
	} finally {
		rmSync(lock, {force: true});
	}
};

const acquire = (lock: string): void => {
	const token = `${process.pid} ${process.hrtime.bigint()}`;
	const mine = `${lock}.${token.replace(' ', '.')}`;
	writeFileSync(mine, token);
	try {
		const startedAt = Date.now();
		for (let delayMs = 1; !createLink(mine, lock); delayMs = Math.min(2 * delayMs, LONGEST_DELAY_MS)) {
			if (Date.now() - startedAt > LONGEST_WAIT_MS) {
				throw new Error(
					`The lock ${lock} was not released for ${LONGEST_WAIT_MS / 1000} s. Remove it if no program of the queue is running.`,
				);
			}

			breakDeadLock(mine, lock);
			// Some jitter, or twenty waiting programs would go on meeting each other.
			sleepSync(delayMs * (0.5 + Math.random()));
		}
	} finally {
		rmSync(mine, {force: true});
	}
};

/** A link appears with its content: unlike a new file it is never seen empty. */
const createLink = (existing: string, link: string): boolean => {
	try {
		linkSync(existing, link);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
			return false;
		}

		throw error;
	}
};

/** Of all who find the same dead owner only one gets the mark named after it, so nobody removes the lock of a successor. */
const breakDeadLock = (mine: string, lock: string): void => {
	const owner = readIfExists(lock);
	if (owner === undefined || isAlive(Number.parseInt(owner, 10))) {
		return;
	}

	const mark = `${lock}.broken.${owner.replace(' ', '.')}`;
	if (!createLink(mine, mark)) {
		return;
	}

	if (readIfExists(lock) === owner) {
		rmSync(lock);
	}

	rmSync(mark);
};

const readIfExists = (file: string): string | undefined => {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
			return undefined;
		}

		throw error;
	}
};

const sleepSync = (durationMs: number): void => {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
};
