/** A work_dir in memory, with a clock that moves when it is told to or when somebody sleeps. */
import type {GrowingFile, WorkerFiles, WorkerPorts} from '../../src/worker/worker-files.js';

export const WORK_DIR = '/work_dir';

/** Called before an operation; throws what is to go wrong. For a write it may return how many bytes are written at most. */
export type Fault = (operation: 'list' | 'open' | 'create' | 'write' | 'sync' | 'rename', path: string) => number | undefined;

export type MemoryFiles = {
	readonly ports: WorkerPorts;
	/** What every file holds, by its name. */
	readonly contents: Map<string, Buffer>;
	/** How many bytes of every file are on the disk. */
	readonly synced: Map<string, number>;
	readonly counts: {writes: number; syncs: number};
	/** All sleeps, in milliseconds. */
	readonly sleeps: number[];
	fault: Fault;
	readonly advance: (ms: number) => void;
};

export const systemError = (code: string): Error => Object.assign(new Error(`${code}: made by a test`), {code});

export const createMemoryFiles = (): MemoryFiles => {
	let nowMs = 0;
	const contents = new Map<string, Buffer>();
	const synced = new Map<string, number>();
	const nameOf = (path: string): string => path.slice(WORK_DIR.length + 1);

	/** With room behind its end: a file grows by many small pieces. */
	let room = Buffer.alloc(0);
	const grow = (name: string): GrowingFile => ({
		write: async (bytes, position) => {
			memory.counts.writes++;
			const length = Math.min(memory.fault('write', name) ?? bytes.length, bytes.length);
			const before = contents.get(name) ?? Buffer.alloc(0);
			const size = Math.max(before.length, position + length);
			if (before.buffer !== room.buffer || size > room.length) {
				room = Buffer.alloc(2 * size);
				before.copy(room);
			}
			bytes.copy(room, position, 0, length);
			contents.set(name, room.subarray(0, size));
			return length;
		},
		sync: async () => {
			memory.counts.syncs++;
			memory.fault('sync', name);
			synced.set(name, contents.get(name)?.length ?? 0);
		},
		close: async () => undefined,
	});

	const files: WorkerFiles = {
		list: async () => {
			memory.fault('list', '');
			return [...contents.keys()];
		},
		openSource: async path => {
			memory.fault('open', nameOf(path));
			const bytes = contents.get(nameOf(path));
			if (bytes === undefined) throw systemError('ENOENT');
			return {
				size: bytes.length,
				read: async (position, length) => Buffer.from(bytes.subarray(position, position + length)),
				close: async () => undefined,
			};
		},
		create: async path => {
			const name = nameOf(path);
			memory.fault('create', name);
			if (contents.has(name)) throw systemError('EEXIST');
			contents.set(name, Buffer.alloc(0));
			return grow(name);
		},
		rename: async (from, to) => {
			memory.fault('rename', nameOf(from));
			contents.set(nameOf(to), contents.get(nameOf(from)) as Buffer);
			contents.delete(nameOf(from));
		},
	};

	const memory: MemoryFiles = {
		ports: {
			files,
			clock: {
				elapsedMs: () => nowMs,
				sleep: async ms => {
					memory.sleeps.push(ms);
					nowMs += ms;
				},
			},
		},
		contents,
		synced,
		counts: {writes: 0, syncs: 0},
		sleeps: [],
		fault: () => undefined,
		advance: ms => {
			nowMs += ms;
		},
	};
	return memory;
};
