/** Asks the queue about all our queue-jobs in one call, and writes what it says into the state. */
import type {JobStatus} from './engines/engine.js';
import {PoolError} from './errors.js';
import {type AttemptState, type ChunkState, type MapState, openChunks} from './map-state.js';
import type {Ports} from './ports.js';

export type Answer = {readonly kind: 'changed' | 'same'} | {readonly kind: 'silent'; readonly reason: string};

/** @throws PoolError `ERR_POOL_PROGRAM_MISSING`. */
export const askQueue = async (state: MapState, ports: Pick<Ports, 'engine' | 'clock'>): Promise<Answer> => {
	let listing: readonly JobStatus[];
	try {
		listing = await ports.engine.status();
	} catch (error) {
		if (error instanceof PoolError) throw error;
		return {kind: 'silent', reason: error instanceof Error ? error.message : String(error)};
	}
	const byId = new Map(listing.map(job => [job.id, job]));
	const byName = new Map(listing.map(job => [job.name, job]));
	let hasChanged = false;
	for (const chunk of openChunks(state)) {
		const current = chunk.attempts.at(-1);
		if (current === undefined) continue;
		// Another number under our name is not the queue-job that we submitted, nor is another name under our number.
		const {jobName, jobId} = current;
		const job = jobId === undefined ? byName.get(jobName) : byId.get(jobId);
		hasChanged = observe(state, chunk, current, job?.name === jobName ? job : undefined, ports.clock.elapsedMs()) || hasChanged;
	}
	return {kind: hasChanged ? 'changed' : 'same'};
};

/**
 * After so many answers without it a queue-job is asked for in the accounting. Not at the first: most jobs that leave the queue have written
 * their result, and show it a moment later.
 */
const EXPLAIN_AFTER_ANSWERS = 2;
/** Accounting is written seconds after the end of a job, if at all. */
const MAX_EXPLANATIONS = 3;
/** So long at the most between two looks at the queue: accounting files can be gigabytes, and a thousand queue-jobs in an error state are as many questions. */
const EXPLAIN_FOR_MS = 5000;

/** Asks the scheduler why queue-jobs are in an error state, or why they ended without a result; those that it does not come to are asked about next time. */
export const explainJobs = async (state: MapState, {engine, clock}: Pick<Ports, 'engine' | 'clock'>): Promise<void> => {
	const untilMs = clock.elapsedMs() + EXPLAIN_FOR_MS;
	for (const chunk of openChunks(state)) {
		const current = chunk.attempts.at(-1);
		if (current?.jobId === undefined || current.end !== undefined || state.toSubmit.has(chunk)) continue;
		const question = toQuestion(current);
		if (question === undefined || current.numExplanations >= MAX_EXPLANATIONS) continue;
		if (clock.elapsedMs() >= untilMs) return;
		current.numExplanations++;
		current.end = await engine.explain({id: current.jobId, name: current.jobName, state: question, resources: {}});
		current.host ??= current.end?.host;
	}
};

const toQuestion = ({job, result}: AttemptState): 'error' | 'ended' | undefined => {
	if (job.kind === 'listed') return job.state === 'error' ? 'error' : undefined;
	return job.kind === 'absent' && result.kind === 'none' && job.answers >= EXPLAIN_AFTER_ANSWERS ? 'ended' : undefined;
};

const observe = (state: MapState, chunk: ChunkState, current: AttemptState, job: JobStatus | undefined, nowMs: number): boolean => {
	const who = {ichunk: chunk.chunk.ichunk, attempt: current.attempt};
	if (job === undefined) {
		const before = current.job;
		current.job = before.kind === 'absent' ? {...before, answers: before.answers + 1} : {kind: 'absent', answers: 1, sinceMs: nowMs};
		return before.kind !== 'absent';
	}
	if (current.jobId === undefined) {
		current.jobId = job.id;
		state.journal.note({event: 'submitted', ...who, jobId: job.id, reason: 'found by its name, its qsub gave no answer'});
	}
	const before = current.job;
	current.job = {kind: 'listed', state: job.state, rawState: job.rawState};
	current.host = job.host ?? current.host;
	if (before.kind === 'listed' && before.rawState === job.rawState) return false;
	state.journal.note({
		event: job.state === 'running' ? 'running' : 'queue-state',
		...who,
		jobId: job.id,
		rawState: job.rawState,
		...(job.host === undefined ? {} : {host: job.host}),
	});
	return true;
};
