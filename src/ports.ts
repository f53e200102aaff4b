/**
 * All that a step of a map may touch: the clock, files, random numbers, the person at the terminal, and an engine. The real ones are
 * made here; a simulation brings its own.
 */
import {randomBytes} from 'node:crypto';
import {constants} from 'node:fs';
import {type FileHandle, open, readdir, rename, rmdir} from 'node:fs/promises';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Engine} from './engines/engine.js';
import {sayBeside} from './live-lines.js';
import {readFully} from './read/read-fully.js';
import {removeTree} from './remove-tree.js';
import type {ByteSource} from './v8-serialize-helpers.js';

export type Ports = {
	readonly clock: Clock;
	readonly files: Files;
	readonly random: Random;
	readonly engine: Engine;
	/** One line for the person at the terminal. */
	readonly tell: (line: string) => void;
};

export type Clock = {
	/** Epoch milliseconds: for what people read. */
	readonly nowMs: () => number;
	/** Milliseconds that never go back: for waiting. */
	readonly elapsedMs: () => number;
	/** Resolves after that many milliseconds, or at once when the signal is aborted. */
	readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

export type Random = {readonly bytes: (length: number) => Uint8Array};

/** Every file is made with mode 0600, whatever the umask; none is reached through a symbolic link. */
export type Files = {
	/** The names in a directory, asked of the file system anew. */
	readonly list: (directory: string) => Promise<readonly string[]>;
	/** Opens a file to read parts of it; rejects when it can't. */
	readonly openSource: (path: string) => Promise<ClosableSource>;
	/** Makes a file, which must not exist, from pieces; it is on the disk when the promise resolves. */
	readonly create: (path: string, pieces: AsyncIterable<readonly Buffer[]> | Iterable<readonly Buffer[]>) => Promise<void>;
	/** Appends text to a file, making it if need be; with `durable` it is on the disk when the promise resolves. Of text for which there is no space nothing stays. */
	readonly append: (path: string, text: string, options: {readonly durable: boolean}) => Promise<void>;
	readonly rename: (from: string, to: string) => Promise<void>;
	/** Removes a directory with all in it; fine when it is gone. */
	readonly removeTree: (directory: string) => Promise<void>;
	/** Removes a directory if it is there and empty. */
	readonly removeIfEmpty: (directory: string) => Promise<void>;
};

export type ClosableSource = ByteSource & {readonly close: () => Promise<void>};

export const createPorts = (engine: Engine, tell: Ports['tell'] = realPorts.tell): Ports => ({...realPorts, engine, tell});

const realClock: Clock = {
	nowMs: () => Date.now(),
	elapsedMs: () => performance.now(),
	sleep: async (ms, signal) => {
		// An abort ends the sleep; what it means is the caller's business.
		await sleep(ms, undefined, {signal}).catch(() => undefined);
	},
};

const PRIVATE = 0o600;

// What a symbolic link in a work_dir points to is no file of the map. (`wx` follows none anyway.)
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

export const realFiles: Files = {
	list: directory => readdir(directory),
	openSource: async path => {
		const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
		const {size} = await handle.stat();
		return {
			size,
			read: (position, length) => readFully(handle, position, length),
			close: () => handle.close(),
		};
	},
	create: async (path, pieces) => {
		const handle = await open(path, 'wx', PRIVATE);
		try {
			await handle.chmod(PRIVATE);
			for await (const piece of pieces) await writeAll(handle, piece);
			await handle.sync();
		} finally {
			await handle.close();
		}
	},
	append: async (path, text, {durable}) => {
		const handle = await open(path, APPEND, PRIVATE);
		try {
			await appendWhole(handle, Buffer.from(text));
			if (durable) await handle.datasync();
		} finally {
			await handle.close();
		}
	},
	rename,
	removeTree: directory => removeTree(directory),
	removeIfEmpty: async directory => {
		await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
		});
	},
};

/** Without an engine. */
export const realPorts: Omit<Ports, 'engine'> = {
	clock: realClock,
	files: realFiles,
	random: {bytes: length => randomBytes(length)},
	tell: line => sayBeside(line),
};

// A single write call takes at most 2 GiB - 1.
const MAX_WRITE = 2 ** 30;

/** On a disk that is full a part would stay: the text that is tried again later would go on in the middle of a line. */
const appendWhole = async (handle: FileHandle, bytes: Buffer): Promise<void> => {
	const {size} = await handle.stat();
	try {
		await writeAll(handle, [bytes]);
	} catch (error) {
		const now = await handle.stat();
		// If it is larger than that, somebody else has written, too.
		if (now.size > size && now.size < size + bytes.length) await handle.truncate(size);
		throw error;
	}
};

const writeAll = async (handle: FileHandle, buffers: readonly Buffer[]): Promise<void> => {
	for (const buffer of buffers) {
		let done = 0;
		while (done < buffer.length) {
			const {bytesWritten} = await handle.write(buffer, done, Math.min(buffer.length - done, MAX_WRITE));
			done += bytesWritten;
		}
	}
};
