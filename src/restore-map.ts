/** Brings a map back to where another process left it: what it has noted, what is finished, and what is to be done. Over ports alone. */
import {actOn} from './act.js';
import {PoolError} from './errors.js';
import {type JournalLine, parseJournal} from './journal.js';
import {attemptPath, type ChunkFile, JOURNAL, parseChunkFile} from './layout.js';
import type {LeftJob} from './left-jobs.js';
import {lookForResults} from './look-for-results.js';
import {type ChunkState, isUnclaimed, type MapState, openChunks} from './map-state.js';
import type {Ports} from './ports.js';
import {readWhole} from './read/read-whole.js';
import type {Reducer} from './reduce.js';
import {removeJobs} from './remove-jobs.js';
import {attemptOf, type Replay, replayJournal} from './replay-journal.js';
import {shareRemovals, takeClaims} from './take-claims.js';

/**
 * @param state - Of a map of which nothing is known but its chunks.
 * @param left - Queue-jobs besides which none can bring anything any more; undefined when that can't be known.
 * @throws PoolError `ERR_POOL_RESUME` when the journal can't be read: without it queue-jobs that are there would be submitted again.
 */
export const restoreMap = async (state: MapState, ports: Ports, reducer: Reducer, left?: readonly LeftJob[]): Promise<void> => {
	const names = await ports.files.list(state.workDir);
	const {failures, due} = replayJournal(await readJournal(state, names, ports), state);
	const found = names.flatMap(name => parseChunkFile(name) ?? []);
	await takeClaims(state, found, ports);
	shareRemovals(state);
	takeNumbers(state, found);
	for (const chunk of state.chunks) {
		if (chunk.decision.kind === 'done') await readAgain(state, chunk, ports, reducer);
		else if (chunk.decision.kind === 'failed') await failAgain(chunk, failures, reducer);
	}
	await takeFinished(state, ports, reducer);
	if (left !== undefined) noteGone(state, left);
	for (const chunk of openChunks(state)) if (isToBeSubmitted(state, chunk, due)) state.toSubmit.add(chunk);
	// Whatever was under way when the other process ended may have come to the queue.
	state.needsSweep = true;
	const numDecided = state.chunks.length - openChunks(state).length;
	const message = `${numDecided} of ${state.chunks.length} chunks are decided, ${state.toSubmit.size} are to be submitted`;
	state.journal.note({event: 'resumed', message});
};

const readJournal = async ({workDir}: MapState, names: readonly string[], {files}: Pick<Ports, 'files'>): Promise<JournalLine[]> => {
	const text = await readWhole(files, `${workDir}/${JOURNAL}`);
	// Its owner ended before it noted anything.
	if (text === undefined && !names.includes(JOURNAL)) return [];
	if (text === undefined) throw new PoolError('ERR_POOL_RESUME', `${workDir}/${JOURNAL} can't be read. Try again when it can.`, {workDir});
	return parseJournal(text.toString());
};

/** An attempt is known by its files, too: one that somebody began by hand, or whose line was lost. Its number is taken. */
const takeNumbers = (state: MapState, found: readonly ChunkFile[]): void => {
	for (const file of found) {
		const chunk = state.chunks[file.ichunk];
		// Of a claim it was seen already whether there is an attempt.
		if (file.kind !== 'tasks' && file.kind !== 'claim' && chunk !== undefined) attemptOf(file.attempt, chunk, state);
	}
};

const readAgain = async (state: MapState, chunk: ChunkState, ports: Ports, reducer: Reducer): Promise<void> => {
	const {ichunk} = chunk.chunk;
	const counted = attemptOf((chunk.decision as {attempt: number}).attempt, chunk, state);
	const collected = await reducer.collect(
		chunk.chunk,
		chunk.attempts,
		counted.attempt,
		attemptPath(state.workDir, ichunk, counted.attempt, 'out'),
	);
	if (collected.kind === 'whole') {
		counted.result = {kind: 'whole'};
		counted.host = collected.host;
		state.anyWorkerStarted = true;
		return;
	}
	// It may be a stale view of a network file system: the loop looks at it again before it counts as lost.
	const {reason} = collected;
	chunk.decision = {kind: 'open'};
	counted.result = {kind: 'damaged', reason, sinceMs: ports.clock.elapsedMs()};
	state.journal.note({event: 'result-damaged', ichunk, attempt: counted.attempt, reason: `it had counted: ${reason}`});
	ports.tell(`queue-map-reduce: a result that was there can't be read any more: ${reason}`);
};

const failAgain = async (chunk: ChunkState, failures: Replay['failures'], reducer: Reducer): Promise<void> => {
	const failure = failures.get(chunk);
	if (failure !== undefined) await reducer.fail(chunk.chunk, chunk.attempts, failure);
};

/** What came while nobody watched. */
const takeFinished = async (state: MapState, ports: Ports, reducer: Reducer): Promise<void> => {
	await lookForResults(state, ports, reducer);
	const toRemove: string[] = [];
	for (const chunk of openChunks(state)) {
		const whole = chunk.attempts.find(({result}) => result.kind === 'whole');
		if (whole !== undefined) toRemove.push(...(await actOn(state, chunk, {kind: 'done', attempt: whole.attempt}, ports, reducer)));
	}
	await removeJobs(state, ports, toRemove);
};

/** Nobody need wait for what has ended with its process. */
const noteGone = (state: MapState, left: readonly LeftJob[]): void => {
	const keys = new Set(left.map(({ichunk, attempt}) => `${ichunk}.${attempt}`));
	for (const {chunk, attempts} of openChunks(state)) {
		const last = attempts.at(-1);
		if (last === undefined || last.isRemoved || last.failure !== undefined || last.result.kind !== 'none') continue;
		const submitted = last.home ?? {ichunk: chunk.ichunk, attempt: last.attempt};
		if (keys.has(`${submitted.ichunk}.${submitted.attempt}`)) continue;
		last.isRemoved = true;
		const job = last.jobId === undefined ? {} : {jobId: last.jobId};
		state.journal.note({event: 'deleted', ichunk: chunk.ichunk, attempt: last.attempt, ...job, reason: 'it has ended with its process'});
	}
};

/** None of its queue-jobs was submitted, or the last one was given up or removed. A result that can't be read, and was not given up for that, may be a stale view: it is looked at again first. */
const isToBeSubmitted = (state: MapState, chunk: ChunkState, due: Replay['due']): boolean => {
	// It is for whoever claims it: queue-jobs that are missing for that are replaced by the loop.
	if (isUnclaimed(state, chunk)) return false;
	if (chunk.attempts.some(({result, failure}) => result.kind === 'damaged' && failure === undefined)) return false;
	return due.has(chunk) || (chunk.attempts.at(-1)?.isRemoved ?? true);
};
