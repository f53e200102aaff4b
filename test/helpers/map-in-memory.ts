/** One map over a work_dir in memory, a queue that answers as a test says, and a clock that moves when the map sleeps. */
import type {Engine} from '../../src/engines/engine.js';
import type {JournalLine} from '../../src/journal.js';
import {openJournal, parseJournal} from '../../src/journal.js';
import {JOURNAL} from '../../src/layout.js';
import {createMapState, type MapState, submitFirst, toMapOptions} from '../../src/map-state.js';
import type {PoolOptions} from '../../src/options.js';
import type {Owner} from '../../src/owner.js';
import type {Files, Ports} from '../../src/ports.js';
import {createReducer, type Reducer} from '../../src/reduce.js';
import {createHandClock, type HandClock} from './hand-clock.js';

export const SESSION = '2026-11-21T00-20-07_a10cda';
export const WORK_DIR = '/w/s';

export type FileFault = (operation: 'list' | 'open' | 'create' | 'append' | 'rename' | 'remove', path: string) => void;

export type MapInMemory = {
	readonly state: MapState;
	readonly ports: Ports;
	readonly reducer: Reducer;
	readonly clock: HandClock;
	/** What every file holds, by its path. */
	readonly contents: Map<string, Buffer>;
	/** What the person at the terminal was told. */
	readonly told: string[];
	readonly journal: () => JournalLine[];
};

export type MapParts = {
	readonly numChunks: number;
	readonly options?: PoolOptions;
	readonly engine: Partial<Engine>;
	/** Throws what is to go wrong. */
	readonly fault?: FileFault;
	readonly owner?: Partial<Owner>;
};

export const diskError = (code: string, syscall: string): Error => Object.assign(new Error(`${code}: made by a test`), {code, syscall});

/** Chunks of two tasks each. */
export const createMapInMemory = ({numChunks, options = {}, engine, fault = () => undefined, owner}: MapParts): MapInMemory => {
	const clock = createHandClock();
	const contents = new Map<string, Buffer>();
	const told: string[] = [];
	const files: Files = {
		list: async directory => {
			fault('list', directory);
			return [...contents.keys()].flatMap(path => (path.startsWith(`${directory}/`) ? [path.slice(directory.length + 1)] : []));
		},
		openSource: async path => {
			fault('open', path);
			const bytes = contents.get(path);
			if (bytes === undefined) throw diskError('ENOENT', 'open');
			return {
				size: bytes.length,
				read: async (position, length) => Buffer.from(bytes.subarray(position, position + length)),
				close: async () => undefined,
			};
		},
		create: async (path, pieces) => {
			fault('create', path);
			if (contents.has(path)) throw diskError('EEXIST', 'open');
			const buffers: Buffer[] = [];
			for await (const piece of pieces) buffers.push(...piece);
			contents.set(path, Buffer.concat(buffers));
		},
		append: async (path, text) => {
			fault('append', path);
			contents.set(path, Buffer.concat([contents.get(path) ?? Buffer.alloc(0), Buffer.from(text)]));
		},
		rename: async (from, to) => {
			fault('rename', from);
			contents.set(to, contents.get(from) as Buffer);
			contents.delete(from);
		},
		removeTree: async directory => {
			fault('remove', directory);
			for (const path of contents.keys()) if (path === directory || path.startsWith(`${directory}/`)) contents.delete(path);
		},
		removeIfEmpty: async () => undefined,
	};
	const ports: Ports = {
		clock,
		files,
		random: {bytes: length => new Uint8Array(length)},
		tell: line => void told.push(line),
		engine: {
			name: 'made-up',
			statusCost: 'call',
			outlivesProcess: true,
			maxDefaultChunks: 1000,
			submit: async requests => requests.map(({name}) => ({kind: 'submitted', id: `id of ${name}`})),
			status: async () => [],
			remove: async () => undefined,
			explain: async () => undefined,
			...engine,
		},
	};
	const chunks = Array.from({length: numChunks}, (_, ichunk) => ({ichunk, firstTask: 2 * ichunk, numTasks: 2}));
	const state = createMapState({
		session: SESSION,
		workDir: WORK_DIR,
		options: toMapOptions(options),
		owner: {
			number: 1,
			deposed: new AbortController().signal,
			check: async () => undefined,
			rest: async () => undefined,
			release: async () => undefined,
			...owner,
		},
		journal: openJournal(`${WORK_DIR}/${JOURNAL}`, files, clock),
		chunks,
	});
	submitFirst(state, state.chunks);
	const reducer = createReducer({session: SESSION, workDir: WORK_DIR, keep: 'outcomes', taskAt: async itask => itask, files});
	const journal = (): JournalLine[] => parseJournal(contents.get(`${WORK_DIR}/${JOURNAL}`)?.toString() ?? '');
	return {state, ports, reducer, clock, contents, told, journal};
};
