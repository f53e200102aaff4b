/** What the next attempt at a chunk is, and what it asks for. */
import type {JobResources} from './engines/engine.js';
import {jobName} from './layout.js';
import {type AttemptState, type ChunkState, createAttempt, type MapState} from './map-state.js';
import {toJobResources} from './resources.js';

/** The attempt that follows those of a chunk, as a queue-job of its own. */
export const nextAttempt = (state: MapState, chunk: ChunkState): AttemptState => {
	const attempt = chunk.attempts.length + 1;
	return createAttempt(attempt, jobName(state.session, chunk.chunk.ichunk, attempt), hostsToAvoid(state, chunk).length > 0);
};

/** The hosts where attempts at this chunk have failed. A node that fails whatever it gets is always free, and would eat all tries. */
export const hostsToAvoid = (state: MapState, {attempts}: ChunkState): string[] => {
	if (!state.options.avoidHosts || attempts.at(-1)?.isVoid === true) return [];
	return [...new Set(attempts.flatMap(({failure, host}) => (failure === undefined || host === undefined ? [] : [host])))];
};

/**
 * What an attempt is given, or was.
 *
 * @throws PoolError `ERR_POOL_OPTION` when the function given as `resources` throws, or returns what is no resources.
 */
export const resourcesOf = (state: MapState, {attempts}: ChunkState, attempt: number): JobResources =>
	toJobResources(state.options.resources, {attempt, lastFailure: attempts[attempt - 2]?.failure?.kind});
