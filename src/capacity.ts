/** How many queue-jobs of a map there are, as far as `maxQueuedJobs` and `maxConcurrentJobs` ask, whether there is room for one more, and how large an array may be. */
import {MISSED_ANSWERS} from './judge.js';
import type {AttemptState, ChunkState, MapState} from './map-state.js';

/**
 * The queue-jobs that wait or run, elements of arrays included. One that has brought its result, or was removed, counts as long as the queue lists it: whoever has set
 * the limit sees it there. One that is missing from the queue's answers counts until that means anything.
 */
export const countLiving = (state: Pick<MapState, 'chunks' | 'toSubmit' | 'unremoved' | 'leaving'>): number => {
	// A queue-job that computes one chunk after the other is one, whatever chunk it is at.
	const ids = new Set([...state.unremoved, ...state.leaving.keys()]);
	let numUnanswered = 0;
	for (const chunk of state.chunks) {
		const current = livingAttempt(chunk, state);
		if (current === undefined) continue;
		if (current.jobId === undefined) numUnanswered++;
		else ids.add(current.jobId);
	}
	return ids.size + numUnanswered;
};

const livingAttempt = (chunk: ChunkState, {toSubmit}: Pick<MapState, 'toSubmit'>): AttemptState | undefined => {
	if (chunk.decision.kind !== 'open' || toSubmit.has(chunk)) return undefined;
	const current = chunk.attempts.at(-1);
	return current?.job.kind === 'absent' && current.job.answers >= MISSED_ANSWERS ? undefined : current;
};

/**
 * Whether a further chunk would be begun soon, as far as is known: none waits to be submitted, the one before it has been begun, and no limit of our own stands against it.
 * One that nobody begins says that the queue is full, or holds what we submit.
 */
export const hasRoom = (state: MapState): boolean => {
	const {toSubmit, chunks, options} = state;
	const last = chunks.at(-1);
	if (toSubmit.size > 0 || (last !== undefined && !isBegun(last))) return false;
	const limit = Math.min(options.maxQueuedJobs, options.maxConcurrentJobs);
	// With dynamic chunks those that there are claim it. Without a limit nobody need count.
	return options.numJobs !== undefined || limit === Number.POSITIVE_INFINITY || countLiving(state) < limit;
};

const isBegun = ({attempts, decision}: ChunkState): boolean => {
	if (decision.kind !== 'open') return true;
	const current = attempts.at(-1);
	return current !== undefined && (current.hasFiles || (current.job.kind === 'listed' && current.job.state === 'running'));
};

/** A queue-job that is done or removed will leave the queue in a moment. */
export const noteLeaving = ({options, leaving}: Pick<MapState, 'options' | 'leaving'>, jobId: string): void => {
	// Without a limit nobody wants to know when.
	if (Math.min(options.maxQueuedJobs, options.maxConcurrentJobs) < Number.POSITIVE_INFINITY) leaving.set(jobId, undefined);
};

/** The queue has answered. What it still lists after the grace time is on a node that is silent, and is not waited for. */
export const forgetLeft = (
	{options, leaving}: Pick<MapState, 'options' | 'leaving'>,
	listed: ReadonlyMap<string, unknown>,
	nowMs: number,
): void => {
	for (const [jobId, sinceMs = nowMs] of leaving) {
		if (!listed.has(jobId) || nowMs - sinceMs >= options.graceMs) leaving.delete(jobId);
		else leaving.set(jobId, sinceMs);
	}
};

/** Whether the queue is to be asked soon, for what is about to leave it makes room. */
export const isRoomNear = (state: MapState): boolean => state.leaving.size > 0 && isHeldBack(state);

/** Nothing more can be submitted, until there is more to be submitted or fewer queue-jobs live. */
export const holdBack = (state: MapState, numLiving: number): void => {
	state.heldBack = {numLiving, numToSubmit: state.toSubmit.size};
};

/** Whether what is to be submitted waits for queue-jobs of this map to end, for `maxQueuedJobs` or `maxConcurrentJobs`. */
export const isHeldBack = (state: MapState): boolean =>
	state.heldBack?.numToSubmit === state.toSubmit.size && state.heldBack.numLiving === countLiving(state);

/**
 * A scheduler that counts elements (Slurm, Univa's Grid Engine) may have room for half of an array that it has refused as too many, so that is tried next, down to
 * single queue-jobs. One that counts an array as one job (Son of Grid Engine) has no room for them either: that costs some calls, once, for the size is remembered.
 */
export const shrinkArrays = (state: MapState, numElements: number): void => {
	state.maxElements = Math.max(1, Math.floor(numElements / 2));
};

/** There may be room for more by now. */
export const growArrays = (state: MapState, numElements: number): void => {
	state.maxElements = Math.max(state.maxElements, 2 * numElements);
};
