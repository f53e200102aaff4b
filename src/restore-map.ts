/** Brings a map back to where another process left it: what it has noted, what is finished, and what is to be done. Over ports alone. */
import {actOn} from './act.js';
import {PoolError} from './errors.js';
import {type JournalLine, parseJournal} from './journal.js';
import {attemptPath, JOURNAL, parseChunkFile} from './layout.js';
import {lookForResults} from './look-for-results.js';
import {type ChunkState, type MapState, openChunks} from './map-state.js';
import type {Ports} from './ports.js';
import {readWhole} from './read-whole.js';
import type {Reducer} from './reduce.js';
import {attemptOf, type Replay, replayJournal} from './replay-journal.js';

/**
 * @param state - Of a map of which nothing is known but its chunks.
 * @throws PoolError `ERR_POOL_RESUME` when the journal can't be read: without it queue-jobs that are there would be submitted again.
 */
export const restoreMap = async (state: MapState, ports: Ports, reducer: Reducer): Promise<void> => {
	const names = await ports.files.list(state.workDir);
	const {failures, due} = replayJournal(await readJournal(state, names, ports), state);
	takeNumbers(state, names);
	for (const chunk of state.chunks) {
		if (chunk.decision.kind === 'done') await readAgain(state, chunk, ports, reducer);
		else if (chunk.decision.kind === 'failed') await failAgain(chunk, failures, reducer);
	}
	await takeFinished(state, ports, reducer);
	for (const chunk of openChunks(state)) if (isToBeSubmitted(chunk, due)) state.toSubmit.add(chunk);
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
const takeNumbers = (state: MapState, names: readonly string[]): void => {
	for (const name of names) {
		const file = parseChunkFile(name);
		const chunk = file === undefined ? undefined : state.chunks[file.ichunk];
		if (file !== undefined && file.kind !== 'tasks' && chunk !== undefined) attemptOf(file.attempt, chunk, state);
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
	// Whether it worked is seen at the end, when the queue is asked for what is left.
	if (toRemove.length > 0) await ports.engine.remove(toRemove).catch(() => undefined);
};

/** None of its queue-jobs was submitted, or the last one was given up or removed. A result that can't be read may be a stale view: it is looked at again first. */
const isToBeSubmitted = (chunk: ChunkState, due: Replay['due']): boolean => {
	// When the last one could not start nothing is waited for: it would end the map again and again.
	const last = chunk.attempts.at(-1);
	if (last?.result.kind !== 'start-failed' && chunk.attempts.some(({result}) => result.kind === 'damaged')) return false;
	return due.has(chunk) || (last?.isRemoved ?? true);
};
