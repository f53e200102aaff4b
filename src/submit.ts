/** Hands chunks to the engine, and writes down who is who before and after. */
import type {JobRequest, JobResources, SubmitOutcome} from './engines/engine.js';
import {PoolError} from './errors.js';
import {jobName, LAUNCHER} from './layout.js';
import {type AttemptState, type ChunkState, createAttempt, type MapState} from './map-state.js';
import type {Ports} from './ports.js';
import {toJobResources} from './resources.js';

/**
 * So many queue-jobs are submitted between two looks at the queue and the files: one qsub takes about 0.1 s, so results that are there
 * already are seen about every second.
 */
const SLICE = 10;

/** Why the scheduler has not taken all that it was given. */
export type Refusal = {readonly kind: 'temporary' | 'full' | 'unanswered'; readonly reason: string};

export type Submission = {readonly numTaken: number; readonly refusal: Refusal | undefined};

/**
 * Submits the next attempts of the first chunks in `state.toSubmit`; what could not be submitted stays there.
 *
 * @throws PoolError `ERR_POOL_SUBMIT_REJECTED` when the scheduler refused for good; `ERR_POOL_OWNED` when the work_dir is another process's now.
 */
export const submitNext = async (state: MapState, ports: Pick<Ports, 'engine'>): Promise<Submission> => {
	const slice = [...state.toSubmit].slice(0, SLICE).map(chunk => ({chunk, attempt: nextAttempt(state, chunk)}));
	// First of all: the user's function for resources may throw.
	const requests = slice.map(({chunk, attempt}) => toRequest(state, chunk, attempt));
	await state.owner.check();
	for (const {chunk, attempt} of slice) {
		state.journal.note({event: 'submitting', ichunk: chunk.chunk.ichunk, attempt: attempt.attempt, jobName: attempt.jobName});
	}
	// On the disk before qsub runs: whoever comes after a crash then knows which names to look for.
	await state.journal.flush({durable: true});
	// The disk may have kept us waiting for so long that somebody else has taken over.
	await state.owner.check();
	const outcomes = await ports.engine.submit(requests);
	let numTaken = 0;
	let refusal: Refusal | undefined;
	for (const [i, outcome] of outcomes.entries()) {
		const {chunk, attempt} = slice[i] as (typeof slice)[number];
		const refused = take(state, chunk, attempt, outcome);
		if (refused === undefined) numTaken++;
		else if (refused.kind !== 'untried') refusal = refused;
	}
	return {numTaken, refusal};
};

/** The attempt that follows those of a chunk. */
export const nextAttempt = (state: MapState, chunk: ChunkState): AttemptState => {
	const attempt = chunk.attempts.length + 1;
	return createAttempt(attempt, jobName(state.session, chunk.chunk.ichunk, attempt), hostsToAvoid(state, chunk).length > 0);
};

/** The hosts where attempts at this chunk have failed. A node that fails whatever it gets is always free, and would eat all tries. */
const hostsToAvoid = (state: MapState, {attempts}: ChunkState): string[] => {
	if (!state.options.avoidHosts || attempts.at(-1)?.isVoid === true) return [];
	return [...new Set(attempts.flatMap(({failure, host}) => (failure === undefined || host === undefined ? [] : [host])))];
};

const toRequest = (state: MapState, chunk: ChunkState, attempt: AttemptState): JobRequest => ({
	name: attempt.jobName,
	script: `${state.workDir}/${LAUNCHER}`,
	scriptArguments: [String(chunk.chunk.ichunk), String(attempt.attempt)],
	avoidHosts: hostsToAvoid(state, chunk),
	resources: resourcesOf(state, chunk, attempt.attempt),
});

/**
 * What an attempt is given, or was.
 *
 * @throws PoolError `ERR_POOL_OPTION` when the function given as `resources` throws, or returns what is no resources.
 */
export const resourcesOf = (state: MapState, {attempts}: ChunkState, attempt: number): JobResources =>
	toJobResources(state.options.resources, {attempt, lastFailure: attempts[attempt - 2]?.failure?.kind});

const take = (
	state: MapState,
	chunk: ChunkState,
	attempt: AttemptState,
	outcome: SubmitOutcome,
): Refusal | {readonly kind: 'untried'} | undefined => {
	const who = {ichunk: chunk.chunk.ichunk, attempt: attempt.attempt, jobName: attempt.jobName};
	switch (outcome.kind) {
		case 'submitted': {
			attempt.jobId = outcome.id;
			accept(state, chunk, attempt);
			state.journal.note({event: 'submitted', ...who, jobId: outcome.id});
			return undefined;
		}
		case 'unanswered': {
			// It may be in the queue, whose listing tells it by its name.
			state.needsSweep = true;
			accept(state, chunk, attempt);
			state.journal.note({event: 'warning', ...who, reason: `no answer to the submission: ${outcome.reason}`});
			return outcome;
		}
		case 'temporary':
		case 'full': {
			state.journal.note({event: 'not-submitted', ...who, reason: outcome.reason});
			return outcome;
		}
		case 'untried': {
			state.journal.note({event: 'not-submitted', ...who, reason: 'not tried after the one before'});
			return outcome;
		}
		case 'permanent': {
			state.journal.note({event: 'not-submitted', ...who, reason: outcome.reason});
			throw new PoolError('ERR_POOL_SUBMIT_REJECTED', `The scheduler refused the queue-job ${attempt.jobName}: ${outcome.reason}`, {
				workDir: state.workDir,
			});
		}
	}
};

const accept = (state: MapState, chunk: ChunkState, attempt: AttemptState): void => {
	chunk.attempts.push(attempt);
	state.toSubmit.delete(chunk);
};
