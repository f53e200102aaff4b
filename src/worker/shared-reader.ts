/** What all tasks share, read when a task first asks for it. */
import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {join} from 'node:path';
import {SHARED_VALUE} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {decodeShared} from '../shared-value.js';
import {readLateSync} from './late-files.js';

/**
 * Gives the same object to every task of this queue-job.
 *
 * @param abandon - Ends this process: without the file no task of this queue-job can go on, and another host may see it.
 */
export const createSharedReader = (
	workDir: string,
	{session, sharedBytes}: Pick<Manifest, 'session' | 'sharedBytes'>,
	abandon: (error: unknown) => never,
): (() => unknown) => {
	if (sharedBytes === undefined) return () => undefined;
	let known: {readonly value: unknown} | undefined;
	return () => {
		const path = join(workDir, SHARED_VALUE);
		try {
			known ??= {value: readLateSync(workDir, path, () => decodeShared(readWholeSync(path), session))};
		} catch (error) {
			abandon(error);
		}
		return known.value;
	};
};

/** A single read call gives at most 2 GiB - 1. */
const MAX_READ = 2 ** 30;

const readWholeSync = (path: string): Buffer => {
	const fd = openSync(path, 'r');
	try {
		const bytes = Buffer.allocUnsafeSlow(fstatSync(fd).size);
		let done = 0;
		while (done < bytes.length) {
			const numRead = readSync(fd, bytes, done, Math.min(bytes.length - done, MAX_READ), done);
			if (numRead === 0) break;
			done += numRead;
		}
		return bytes.subarray(0, done);
	} finally {
		closeSync(fd);
	}
};
