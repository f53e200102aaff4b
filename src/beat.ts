/** When something that is done again and again is due: soon at first, later while nothing changes. */
import type {Ports} from './ports.js';

export type Beat = {
	readonly isDue: () => boolean;
	/** 0 when it is due. */
	readonly untilDueMs: () => number;
	/** It was done just now. After `changed` it comes again after the steady delay, after `same` ever later. */
	readonly done: (outcome: 'changed' | 'same') => void;
};

export type BeatDelays = {
	/** The delays before the first times; after them the steady one. */
	readonly firstMs: readonly number[];
	readonly steadyMs: number;
	/** While nothing changes the delay is at least this, … */
	readonly slowMs: number;
	/** … grows by this factor, … */
	readonly growth: number;
	/** … up to this. */
	readonly maxMs: number;
	/** The delay is at least this many times what the doing took: a slow service is asked less. */
	readonly restFactor: number;
};

/** A delay is up to this part longer, at random: programs that were all held up by the same outage must not come back all at once. */
const JITTER = 0.2;

export const createBeat = ({clock, random}: Pick<Ports, 'clock' | 'random'>, delays: BeatDelays): Beat => {
	let numDone = 0;
	let delayMs = delays.firstMs[0] ?? delays.steadyMs;
	let dueMs = clock.elapsedMs() + delayMs;
	let askedMs = clock.elapsedMs();
	return {
		isDue: () => {
			// Whoever asks and hears yes begins now: the time until `done` is what it took.
			askedMs = clock.elapsedMs();
			return askedMs >= dueMs;
		},
		untilDueMs: () => Math.max(0, dueMs - clock.elapsedMs()),
		done: outcome => {
			numDone++;
			const nowMs = clock.elapsedMs();
			delayMs =
				delays.firstMs[numDone] ??
				(outcome === 'changed' ? delays.steadyMs : Math.min(delays.maxMs, Math.max(delayMs * delays.growth, delays.slowMs)));
			const jittered = delayMs * (1 + (JITTER * (random.bytes(1)[0] as number)) / 256);
			dueMs = nowMs + Math.max(jittered, (nowMs - askedMs) * delays.restFactor);
		},
	};
};

export type MapBeats = {
	/** Asking the queue for its listing. */
	readonly status: Beat;
	/** The same, while queue-jobs that are about to leave the queue make room for others. */
	readonly room: Beat;
	/** Listing the work_dir. */
	readonly listing: Beat;
	/** Submitting, once it was refused. */
	readonly submission: Beat;
};

/** The interval with which all others scale. */
const DEFAULT_POLLING_INTERVAL_MS = 5000;

/**
 * With the default of 5 s: the queue is asked after 1, 2, 4 s, then every 5 s, up to every 30 s while nothing changes; the work_dir is listed every
 * 0.2 s, up to every 2 s; while room is waited for the queue is asked every 1.5 s; a refused submission is tried again after 5, 10, 20, … up to 60 s.
 */
export const createMapBeats = (
	ports: Pick<Ports, 'clock' | 'random'>,
	pollingIntervalMs: number,
	statusCost: 'call' | 'none',
): MapBeats => {
	const scale = Math.min(1, pollingIntervalMs / DEFAULT_POLLING_INTERVAL_MS);
	const listing: BeatDelays = {
		firstMs: [],
		steadyMs: 200 * scale,
		slowMs: 0,
		growth: 1.1,
		maxMs: 0.4 * pollingIntervalMs,
		restFactor: 10,
	};
	const status: BeatDelays = {
		firstMs: [1000 * scale, 2000 * scale, 4000 * scale],
		steadyMs: pollingIntervalMs,
		slowMs: pollingIntervalMs,
		growth: 1.5,
		maxMs: 6 * pollingIntervalMs,
		restFactor: 1,
	};
	return {
		listing: createBeat(ports, listing),
		status: createBeat(ports, statusCost === 'none' ? listing : status),
		room: createBeat(
			ports,
			statusCost === 'none'
				? listing
				: {
						firstMs: [],
						steadyMs: 0.3 * pollingIntervalMs,
						slowMs: pollingIntervalMs,
						growth: 1.5,
						maxMs: 6 * pollingIntervalMs,
						restFactor: 0,
					},
		),
		submission: createBeat(ports, {
			firstMs: [0],
			steadyMs: 0,
			slowMs: pollingIntervalMs,
			growth: 2,
			maxMs: 12 * pollingIntervalMs,
			restFactor: 0,
		}),
	};
};
