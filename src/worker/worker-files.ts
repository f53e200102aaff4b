/** All that writing and taking over outcomes may touch. The real ones are made here; a simulation brings its own. */
import {closeSync, fchmodSync, fdatasyncSync, openSync, renameSync, writeSync} from 'node:fs';
import {open, readdir} from 'node:fs/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import {readFully} from '../read/read-fully.js';
import type {ByteSource} from '../v8-serialize-helpers.js';

export type WorkerPorts = {readonly files: WorkerFiles; readonly clock: WorkerClock};

export type WorkerClock = {
	/** Milliseconds that never go back. */
	readonly elapsedMs: () => number;
	readonly sleep: (ms: number) => Promise<void>;
};

/** What fails rejects with an error that has the `code` of the system call, as `ENOSPC`. */
export type WorkerFiles = {
	/** The names in a directory, asked of the file system anew. */
	readonly list: (directory: string) => Promise<readonly string[]>;
	/** Opens a file to read parts of it. */
	readonly openSource: (path: string) => Promise<ByteSource & {readonly close: () => Promise<void>}>;
	/** Makes a file of mode 0600, which must not exist. */
	readonly create: (path: string) => Promise<GrowingFile>;
	readonly rename: (from: string, to: string) => Promise<void>;
};

export type GrowingFile = {
	/** Writes bytes at a position, maybe only the first of them: resolves to how many, at least one. */
	readonly write: (bytes: Buffer, position: number) => Promise<number>;
	/** All that was written is on the disk when the promise resolves. When it rejects, any of it may be lost. */
	readonly sync: () => Promise<void>;
	readonly close: () => Promise<void>;
};

export const realWorkerPorts: WorkerPorts = {
	clock: {
		elapsedMs: () => performance.now(),
		sleep: async ms => {
			await sleep(ms);
		},
	},
	files: {
		list: directory => readdir(directory),
		openSource: async path => {
			const handle = await open(path, 'r');
			return {
				size: (await handle.stat()).size,
				read: (position, length) => readFully(handle, position, length),
				close: () => handle.close(),
			};
		},
		create: async path => createFile(path),
		rename: async (from, to) => renameSync(from, to),
	},
};

/** A single write call takes at most 2 GiB - 1. */
const MAX_WRITE = 2 ** 30;

// The blocking calls: nothing else is to be done meanwhile, and the way through Node's threads takes longer than most of them.
const createFile = (path: string): GrowingFile => {
	const fd = openSync(path, 'wx', 0o600);
	fchmodSync(fd, 0o600);
	return {
		write: async (bytes, position) => writeSync(fd, bytes, 0, Math.min(bytes.length, MAX_WRITE), position),
		sync: async () => fdatasyncSync(fd),
		close: async () => closeSync(fd),
	};
};
