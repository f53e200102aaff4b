/** How far the clocks of two machines are apart, and how long each part of the round trip took; pure. */
import type {Timings} from './finding.js';
import type {WorkerFacts} from './visit-worker-node.js';

/** What the process-node has seen, in epoch milliseconds of its own clock; undefined for what it has not. */
export type Sightings = {
	readonly begunMs: number;
	readonly submittingMs: number | undefined;
	readonly submittedMs: number | undefined;
	readonly greetingSeenMs: number | undefined;
	/** When its answer was there. */
	readonly answeredMs: number | undefined;
	readonly resultSeenMs: number | undefined;
	readonly endedMs: number;
};

/** What has to be added to the worker-node's clock to get that of the process-node: at least `lowMs`, at most `highMs`. */
export type ClockOffset = {readonly lowMs: number; readonly highMs: number};

type WorkerMoments = Pick<
	WorkerFacts,
	'launcherStartedMs' | 'nodeStartedMs' | 'nodeReadyMs' | 'taskStartedMs' | 'greetedMs' | 'answerSeenMs' | 'taskEndedMs'
>;

/** Nothing is seen before it was there: each file that one machine has made and the other has seen bounds the difference on one side. */
export const boundOffset = (worker: WorkerMoments, seen: Sightings): ClockOffset => {
	const lows = [
		difference(seen.submittingMs ?? seen.begunMs, worker.launcherStartedMs ?? worker.nodeStartedMs),
		difference(seen.answeredMs, worker.answerSeenMs),
	];
	const highs = [
		difference(seen.greetingSeenMs, worker.greetedMs),
		difference(seen.resultSeenMs, worker.taskEndedMs),
		difference(seen.endedMs, worker.taskEndedMs),
	];
	const lowMs = Math.max(...lows.filter(isKnown));
	const highMs = Math.min(...highs.filter(isKnown));
	// A clock that was set meanwhile tells nothing for sure.
	return lowMs <= highMs ? {lowMs, highMs} : {lowMs: highMs, highMs: lowMs};
};

export const middleOf = ({lowMs, highMs}: ClockOffset): number => (lowMs + highMs) / 2;
export const uncertaintyOf = ({lowMs, highMs}: ClockOffset): number => (highMs - lowMs) / 2;

/** How long two files took together, one to the process-node and one back; undefined when one of them was not seen. */
export const exchangeTime = ({greetedMs, answerSeenMs}: WorkerMoments, {greetingSeenMs, answeredMs}: Sightings): number | undefined => {
	const there = difference(answerSeenMs, greetedMs);
	const between = difference(answeredMs, greetingSeenMs);
	return there === undefined || between === undefined ? undefined : Math.max(0, there - between);
};

export const measureTrip = (worker: WorkerMoments, seen: Sightings): Timings => {
	const offset = boundOffset(worker, seen);
	const hereMs = (atMs: number | undefined): number | undefined => (atMs === undefined ? undefined : atMs + middleOf(offset));
	const startedMs = worker.launcherStartedMs ?? worker.nodeStartedMs;
	return {
		submitMs: toTiming(difference(seen.submittedMs, seen.submittingMs)),
		waitingMs: toTiming(difference(hereMs(startedMs), seen.submittedMs)),
		launcherMs: toTiming(difference(worker.nodeStartedMs, worker.launcherStartedMs)),
		nodeStartMs: toTiming(worker.nodeReadyMs - worker.nodeStartedMs),
		importMs: toTiming(worker.taskStartedMs - worker.nodeReadyMs),
		taskMs: toTiming(worker.taskEndedMs - worker.taskStartedMs),
		resultMs: toTiming(difference(seen.resultSeenMs, hereMs(worker.taskEndedMs))),
		totalMs: toTiming(seen.endedMs - seen.begunMs),
		clockUncertaintyMs: toTiming(uncertaintyOf(offset)),
	};
};

const difference = (a: number | undefined, b: number | undefined): number | undefined =>
	a === undefined || b === undefined ? undefined : a - b;

const isKnown = (value: number | undefined): value is number => value !== undefined;

const toTiming = (ms: number | undefined): number | null => (ms === undefined ? null : Math.max(0, Math.round(ms)));
