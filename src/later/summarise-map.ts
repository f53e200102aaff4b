/** What the journal of a map comes to, chunk by chunk and as a whole, without a look at any task. Pure. */
import type {JobState} from '../engines/engine.js';
import type {TaskErrorKind} from '../errors.js';
import type {JournalLine} from '../journal.js';
import {createRateMeter, remainingMs} from '../rate.js';
import type {KnownChunk, OpenWorkDir} from '../read/open-work-dir.js';
import type {TaskCounts} from '../task-counts.js';

export type ChunkSummary = {
	readonly ichunk: number;
	readonly firstTask: number;
	readonly numTasks: number;
	/** Of some tasks of another map, computed again: which ones these are there. */
	readonly itasks?: readonly number[];
	readonly state: ChunkSummaryState;
	/** The scheduler's own letters, as `Eqw`; undefined when it is not in the queue. */
	readonly rawState: string | undefined;
	/** Of a chunk that is decided: how many of its tasks have failed, and how many were only not computed, for the map was ended before. */
	readonly numFailed: number;
	readonly numCancelled: number;
	readonly numAttempts: number;
	readonly jobId: string | undefined;
	readonly host: string | undefined;
	/** Of its last attempt, by the clock of the process that works in the work_dir. */
	readonly submittedAt: Date | undefined;
	/** When its last attempt was first seen running. */
	readonly startedAt: Date | undefined;
	/** When it was decided. */
	readonly endedAt: Date | undefined;
	/** Why it failed, or what was said last of why it waits or was submitted again. */
	readonly reason: string | undefined;
};

/** `done`: its result is there, in which tasks may have failed. `failed`: it was given up. `to-submit`: its next queue-job is not submitted yet. Else what the queue said last. */
export type ChunkSummaryState = 'done' | 'failed' | 'to-submit' | JobState;

export type MapSummary = {
	readonly counts: TaskCounts;
	readonly chunks: readonly ChunkSummary[];
	/** How many of the queue-jobs that are not over are in each state. */
	readonly jobs: Readonly<Partial<Record<ChunkSummaryState, number>>>;
	/** How often a queue-job was given up, by why. */
	readonly givenUp: Readonly<Partial<Record<TaskErrorKind, number>>>;
	readonly numResubmissions: number;
	readonly hosts: readonly HostSummary[];
	/** Tasks a second that get their outcome; undefined as long as none has, and when nothing is under way. */
	readonly rate: number | undefined;
	/** How long the rest will take at that rate. */
	readonly remainingMs: number | undefined;
	readonly lastEvent: JournalLine | undefined;
	/** How the process that worked in it last has ended that; undefined when it has not, or could not say so. */
	readonly end: 'ended' | 'detached' | undefined;
};

export type HostSummary = {readonly host: string; readonly running: number; readonly done: number; readonly givenUp: number};

export const summariseMap = ({journal, chunks: known}: Pick<OpenWorkDir, 'journal' | 'chunks'>, nowMs: number): MapSummary => {
	const chunks = known.map(summariseChunk);
	const counts = sumCounts(chunks);
	const lastEvent = journal.at(-1);
	const end = lastEvent?.event === 'ended' || lastEvent?.event === 'detached' ? lastEvent.event : undefined;
	const isOver = end !== undefined || counts.running + counts.pending === 0;
	const rate = isOver ? undefined : measureRate(journal, chunks, nowMs);
	return {
		counts,
		chunks,
		jobs: countBy(chunks, ({state}) => (state === 'done' || state === 'failed' ? undefined : state)),
		givenUp: countBy(journal, ({event, kind}) => (GIVEN_UP.has(event) ? (kind ?? 'lost') : undefined)),
		numResubmissions: journal.filter(({event}) => event === 'resubmitted').length,
		hosts: summariseHosts(journal, chunks),
		rate,
		remainingMs: isOver ? undefined : remainingMs(counts.running + counts.pending, rate),
		lastEvent,
		end,
	};
};

const GIVEN_UP: ReadonlySet<JournalLine['event']> = new Set(['lost', 'error-state', 'start-failed']);

const summariseChunk = ({chunk: {ichunk, firstTask, numTasks, itasks}, events}: KnownChunk): ChunkSummary => {
	const decided = events.findLast(({event}) => event === 'result' || event === 'chunk-failed' || event === 'submitting');
	const isDecided = decided !== undefined && decided.event !== 'submitting';
	const numAttempts = events.reduce((most, {event, attempt = 0}) => (event === 'resubmitted' ? most : Math.max(most, attempt)), 0);
	const isBegun = events.some(({event, attempt}) => attempt === numAttempts && event !== 'resubmitted' && event !== 'not-submitted');
	const meant = decided?.event === 'result' ? (decided.attempt ?? numAttempts) : numAttempts;
	const last = isBegun ? events.filter(({attempt, event}) => attempt === meant && event !== 'resubmitted') : [];
	const {state, rawState} = isDecided
		? {state: decided.event === 'result' ? ('done' as const) : ('failed' as const), rawState: undefined}
		: findState(last);
	const timeOf = (name: JournalLine['event']): Date | undefined => toDate(last.find(({event}) => event === name)?.time);
	const numCancelled = isDecided ? (decided.numCancelled ?? 0) : 0;
	return {
		ichunk,
		firstTask,
		numTasks,
		...(itasks === undefined ? {} : {itasks}),
		state,
		rawState,
		numFailed: isDecided ? (decided.numFailed ?? (decided.event === 'result' ? 0 : numTasks)) - numCancelled : 0,
		numCancelled,
		numAttempts,
		jobId: last.findLast(({jobId}) => jobId !== undefined)?.jobId,
		host: last.findLast(({host}) => host !== undefined)?.host,
		submittedAt: timeOf('submitted'),
		startedAt: timeOf('running') ?? timeOf('claimed'),
		endedAt: isDecided ? toDate(decided.time) : undefined,
		reason: decided?.event === 'result' ? undefined : events.findLast(({reason}) => reason !== undefined)?.reason,
	};
};

const toDate = (time: string | undefined): Date | undefined => {
	const date = new Date(time ?? Number.NaN);
	return Number.isNaN(date.getTime()) ? undefined : date;
};

/** @param events - Of the last attempt. */
const findState = (events: readonly JournalLine[]): {state: ChunkSummaryState; rawState: string | undefined} => {
	for (const {event, state, rawState} of events.toReversed()) {
		switch (event) {
			case 'running':
			case 'claimed':
				return {state: 'running', rawState};
			case 'queue-state':
				return {state: state ?? 'pending', rawState};
			case 'submitting':
			case 'submitted':
				return {state: 'pending', rawState: undefined};
			case 'lost':
			case 'error-state':
			case 'start-failed':
			case 'deleted':
			case 'not-submitted':
				return {state: 'to-submit', rawState: undefined};
		}
	}
	return {state: 'to-submit', rawState: undefined};
};

const sumCounts = (chunks: readonly ChunkSummary[]): TaskCounts => {
	let [total, done, failed, cancelled, running] = [0, 0, 0, 0, 0];
	for (const {numTasks, numFailed, numCancelled, state} of chunks) {
		total += numTasks;
		failed += numFailed;
		cancelled += numCancelled;
		if (state === 'done' || state === 'failed') done += numTasks - numFailed - numCancelled;
		else if (state === 'running') running += numTasks;
	}
	return {total, done, failed, cancelled, running, pending: total - done - failed - cancelled - running};
};

const countBy = <Item, Key extends string>(
	items: readonly Item[],
	keyOf: (item: Item) => Key | undefined,
): Partial<Record<Key, number>> => {
	const counts: Partial<Record<Key, number>> = {};
	for (const item of items) {
		const key = keyOf(item);
		if (key !== undefined) counts[key] = (counts[key] ?? 0) + 1;
	}
	return counts;
};

const summariseHosts = (journal: readonly JournalLine[], chunks: readonly ChunkSummary[]): HostSummary[] => {
	const hosts = new Map<string, {running: number; done: number; givenUp: number}>();
	const add = (host: string | undefined, what: 'running' | 'done' | 'givenUp'): void => {
		if (host === undefined) return;
		const counts = hosts.get(host) ?? {running: 0, done: 0, givenUp: 0};
		counts[what]++;
		hosts.set(host, counts);
	};
	for (const {host, state} of chunks) if (state === 'running' || state === 'done') add(host, state);
	for (const {event, host} of journal) if (GIVEN_UP.has(event)) add(host, 'givenUp');
	return [...hosts].map(([host, counts]) => ({host, ...counts})).sort((a, b) => (a.host < b.host ? -1 : 1));
};

/** As `onProgress` has it: of the recent past, and of a longer one when tasks are long. */
const measureRate = (journal: readonly JournalLine[], chunks: readonly ChunkSummary[], nowMs: number): number | undefined => {
	// What was decided before the map was left and come back to tells nothing of now.
	const sinceMs = Date.parse(journal.findLast(({event}) => event === 'resumed')?.time ?? journal[0]?.time ?? '');
	const decided = chunks.flatMap(({endedAt, numTasks}) =>
		endedAt === undefined || endedAt.getTime() < sinceMs ? [] : [{atMs: endedAt.getTime(), numTasks}],
	);
	const meter = createRateMeter();
	let numEnded = 0;
	meter.note(sinceMs, numEnded);
	for (const {atMs, numTasks} of decided.sort((a, b) => a.atMs - b.atMs)) {
		numEnded += numTasks;
		meter.note(atMs, numEnded);
	}
	return meter.rate(nowMs);
};
