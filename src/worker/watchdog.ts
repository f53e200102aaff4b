/**
 * The watchdog: a thread that ends the process when a task blocks the event loop for longer than it may, for nothing on the main thread can. Its last words in
 * the growing file name the task, so that the next attempt does not begin it.
 */
import {fdatasyncSync, openSync, writeSync} from 'node:fs';
import {Worker} from 'node:worker_threads';
import {encodeOver} from '../block-file/block-frames.js';
import {attemptPath} from '../layout.js';
import type {ChunkId} from './chunk-id.js';

export type Watchdog = {
	readonly begin: (id: ChunkId, index: number) => void;
	/** From when it returns the file is the main thread's again. It does not return when the watchdog has begun to end the process. */
	readonly end: () => void;
	/** For how many milliseconds the process has stood still by now, as a queue-job that was suspended does; of the last time that is known only once the thread has looked. */
	readonly stillMs: () => number;
	/** Returns when the thread has looked. */
	readonly look: () => void;
};

/** What the thread is given. */
export type WatchdogData = {
	readonly kind: 'queue-map-reduce-watchdog';
	readonly workDir: string;
	readonly taskLimitMs: number;
	/** What runs: how many tasks were begun, or one of the numbers below. */
	readonly running: Int32Array;
	/** The task that runs: its chunk, the attempt, and its index in the chunk. */
	readonly task: Int32Array;
	/** When it began, in microseconds of the machine's steady clock. */
	readonly beganUs: BigInt64Array;
	/** For how long the process has stood still, in microseconds: what the clock says less this is what counts. */
	readonly stillUs: BigInt64Array;
	/** When the thread was begun, which takes it a while: the process may stand still already then. */
	readonly createdUs: bigint;
	/** Changed, it wakes the thread. */
	readonly bell: Int32Array;
	/** How often the thread has looked. */
	readonly numLooks: Int32Array;
};

const NOTHING = 0;
/** The watchdog has it, and the process ends. */
const TAKEN = -1;

const MAX_INT32 = 2 ** 31 - 1;

/** The timer of the main thread, which ends only the task, comes first if it can. */
const MARGIN_MS = 1000;

/** When the thread looks so much later than it wanted to, nothing of the process has run meanwhile. */
const MIN_STILL_MS = 1000;

/** How often the thread looks. */
const MIN_LOOK_MS = 20;
const MAX_LOOK_MS = 1000;

/** It needs next to nothing, and what it reserves counts where the address space is limited. */
const RESOURCE_LIMITS = {maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, codeRangeSizeMb: 8, stackSizeMb: 1};

const nowUs = (): bigint => process.hrtime.bigint() / 1000n;

export const startWatchdog = (taskLimitMs: number, workDir: string, warn: (message: string) => void): Watchdog => {
	const running = new Int32Array(new SharedArrayBuffer(4));
	const task = new Int32Array(new SharedArrayBuffer(12));
	const beganUs = new BigInt64Array(new SharedArrayBuffer(8));
	const stillUs = new BigInt64Array(new SharedArrayBuffer(8));
	const bell = new Int32Array(new SharedArrayBuffer(4));
	const numLooks = new Int32Array(new SharedArrayBuffer(4));
	const shared = {running, task, beganUs, stillUs, bell, numLooks};
	const data: WatchdogData = {kind: 'queue-map-reduce-watchdog', workDir, taskLimitMs, createdUs: nowUs(), ...shared};
	let numBegun = NOTHING;
	let isThere = true;
	// The same file, which tells by the data what it is to be. Nothing that the user preloads is loaded there.
	const thread = new Worker(import.meta.filename, {workerData: data, execArgv: [], env: {}, resourceLimits: RESOURCE_LIMITS});
	thread.unref();
	thread.on('error', error => {
		isThere = false;
		warn(`taskLimitMs can't end a task that blocks the event loop: ${error.message}`);
	});
	return {
		begin: ({ichunk, attempt}, index) => {
			for (const [i, number] of [ichunk, attempt, index].entries()) Atomics.store(task, i, number);
			Atomics.store(beganUs, 0, nowUs() - Atomics.load(stillUs, 0));
			// Another number for every task, also of another chunk: the thread must not take one for the other. Of those that fit, none is used again within hours.
			numBegun = (numBegun % MAX_INT32) + 1;
			Atomics.store(running, 0, numBegun);
		},
		end: () => {
			if (Atomics.compareExchange(running, 0, numBegun, NOTHING) === TAKEN) Atomics.wait(running, 0, TAKEN);
		},
		stillMs: () => Number(Atomics.load(stillUs, 0)) / 1000,
		look: () => {
			// The first one may have been under way.
			for (let i = 0; isThere && i < 2; i++) {
				const before = Atomics.load(numLooks, 0);
				Atomics.add(bell, 0, 1);
				Atomics.notify(bell, 0);
				Atomics.wait(numLooks, 0, before, MAX_WAIT_MS);
			}
		},
	};
};

/** On a busy node the thread may have to wait for a processor. */
const MAX_WAIT_MS = 5000;

export const isWatchdogData = (data: unknown): data is WatchdogData =>
	(data as WatchdogData | null | undefined)?.kind === 'queue-map-reduce-watchdog';

/** What the thread does. */
export const runWatchdog = (data: WatchdogData): never => {
	const {workDir, taskLimitMs, running, task, beganUs, stillUs, bell, numLooks} = data;
	const lookMs = Math.min(Math.max(taskLimitMs / 10, MIN_LOOK_MS), MAX_LOOK_MS);
	let lookedUs = data.createdUs;
	for (;;) {
		// Read once: the process may stand still between any two of these lines.
		const nowIsUs = nowUs();
		const lateUs = nowIsUs - lookedUs - BigInt(Math.round(1000 * lookMs));
		if (lateUs >= 1000 * MIN_STILL_MS) Atomics.add(stillUs, 0, lateUs);
		lookedUs = nowIsUs;
		Atomics.add(numLooks, 0, 1);
		Atomics.notify(numLooks, 0);
		const number = Atomics.load(running, 0);
		const elapsedMs = Number(lookedUs - Atomics.load(stillUs, 0) - Atomics.load(beganUs, 0)) / 1000;
		if (number === NOTHING || elapsedMs < taskLimitMs + MARGIN_MS) {
			Atomics.wait(bell, 0, Atomics.load(bell, 0), lookMs);
			continue;
		}
		// Fails when the task has ended since: then the time may have been another one's.
		if (Atomics.compareExchange(running, 0, number, TAKEN) !== number) continue;
		try {
			const [ichunk = 0, attempt = 0, index = 0] = [0, 1, 2].map(i => Atomics.load(task, i));
			const fd = openSync(attemptPath(workDir, ichunk, attempt, 'part'), 'a');
			writeSync(fd, Buffer.concat(encodeOver({index, elapsedMs})));
			fdatasyncSync(fd);
		} finally {
			process.kill(process.pid, 'SIGKILL');
		}
	}
};
