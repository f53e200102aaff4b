/**
 * All policy: what is known of one chunk in, what to do with it out. No clock, no file, no process, so it can be run through any
 * history that can be thought of.
 */
import type {JobEnd, JobState} from './engines/engine.js';
import type {TaskErrorKind} from './errors.js';

/** What is known of one attempt at a chunk. Times are of one clock that never goes back. */
export type AttemptFacts = {
	readonly attempt: number;
	/** False for a submission without an answer that the queue has never listed: there may have been no queue-job. */
	readonly isKnown: boolean;
	readonly job: JobFacts;
	readonly result: ResultFacts;
	/** How often the scheduler was asked for that. */
	readonly numExplanations: number;
	/** What the scheduler says of why the queue-job ended or is in an error state; undefined when it says nothing. */
	readonly end: JobEnd | undefined;
};

export type JobFacts =
	| {readonly kind: 'listed'; readonly state: JobState; readonly rawState: string}
	/** Missing from so many successful answers of the queue in a row, the first of them at `sinceMs`. */
	| {readonly kind: 'absent'; readonly answers: number; readonly sinceMs: number}
	/** The queue has not been asked successfully since it was submitted. */
	| {readonly kind: 'unknown'};

export type ResultFacts =
	| {readonly kind: 'none'}
	| {readonly kind: 'whole'}
	/** There, but it can't be read (yet: a network file system may show a stale piece of it). */
	| {readonly kind: 'damaged'; readonly reason: string; readonly sinceMs: number}
	/** The worker could not begin: the module of `fn` can't be imported there, or Node is another major. */
	| {readonly kind: 'start-failed'; readonly reason: string};

export type ChunkFacts = {
	/** In order of submission; the last is the current one. */
	readonly attempts: readonly AttemptFacts[];
	/** Whether the next attempt is waiting to be submitted already: then only a result is news. */
	readonly isNextDue: boolean;
	/** When the work_dir was last listed: what came later is not known. */
	readonly nowMs: number;
	/** Whether any worker of this map could begin: then a failed start is its node's fault, not the module's. */
	readonly anyWorkerStarted: boolean;
};

export type Limits = {
	readonly maxNumResubmissions: number;
	readonly graceMs: number;
};

export type Verdict =
	| {readonly kind: 'wait'}
	/** This attempt's result counts. */
	| {readonly kind: 'done'; readonly attempt: number}
	/** Remove the current queue-job if it is still there, and submit the next attempt. */
	| {readonly kind: 'resubmit'; readonly cause: FailureCause; readonly reason: string}
	/** The chunk's tasks fail. `endsMap`: every other chunk would fail in the same way. */
	| {readonly kind: 'fail'; readonly cause: FailureCause; readonly reason: string; readonly endsMap: boolean};

export type FailureCause = Extract<TaskErrorKind, 'error-state' | 'lost' | 'start-failed'>;

/**
 * A queue-job must be missing from this many successful answers before its absence means anything: a master under load, or one that has just
 * been restarted, may leave jobs out for a moment.
 */
export const MISSED_ANSWERS = 3;

export const judge = (chunk: ChunkFacts, limits: Limits): Verdict => {
	// Any attempt may bring the result, also one that was given up: whichever is whole first counts.
	const whole = chunk.attempts.find(({result}) => result.kind === 'whole');
	if (whole !== undefined) return {kind: 'done', attempt: whole.attempt};
	const current = chunk.attempts.at(-1);
	if (current === undefined || chunk.isNextDue) return WAIT;
	const failure = findFailure(current, chunk, limits);
	if (failure === undefined) return WAIT;
	if (failure.cause === 'start-failed' && !chunk.anyWorkerStarted) return {kind: 'fail', ...failure, endsMap: true};
	const numKnown = chunk.attempts.filter(({isKnown}) => isKnown).length;
	return numKnown <= limits.maxNumResubmissions ? {kind: 'resubmit', ...failure} : {kind: 'fail', ...failure, endsMap: false};
};

const WAIT: Verdict = {kind: 'wait'};

type Failure = {readonly cause: FailureCause; readonly reason: string};

const findFailure = (current: AttemptFacts, chunk: ChunkFacts, limits: Limits): Failure | undefined => {
	if (current.result.kind === 'start-failed') return {cause: 'start-failed', reason: current.result.reason};
	if (current.job.kind === 'listed') return findErrorState(current, current.job);
	return current.job.kind === 'absent' ? findLoss(current, current.job, chunk.nowMs, limits.graceMs) : undefined;
};

const findErrorState = (current: AttemptFacts, job: Extract<JobFacts, {kind: 'listed'}>): Failure | undefined =>
	// The reason first: when the queue-job is removed nobody can tell it any more.
	job.state === 'error' && current.numExplanations > 0
		? {cause: 'error-state', reason: `the queue-job went into the error state ${job.rawState}${because(current.end)}`}
		: undefined;

const findLoss = (current: AttemptFacts, job: Extract<JobFacts, {kind: 'absent'}>, nowMs: number, graceMs: number): Failure | undefined => {
	if (job.answers < MISSED_ANSWERS) return undefined;
	const sinceMs = current.result.kind === 'damaged' ? Math.max(job.sinceMs, current.result.sinceMs) : job.sinceMs;
	// A queue-job that is known to have failed will bring no result. One that ended well has written one, which may only be late to see.
	const isCertain = current.end?.failed === true && current.result.kind === 'none';
	if (!isCertain && nowMs - sinceMs < graceMs) return undefined;
	if (!current.isKnown) return {cause: 'lost', reason: 'its submission was never answered, and the queue does not list it'};
	return current.result.kind === 'damaged'
		? {cause: 'lost', reason: `its result can't be read: ${current.result.reason}`}
		: {cause: 'lost', reason: `the queue-job ended without a result${because(current.end)}`};
};

const because = (end: JobEnd | undefined): string => (end === undefined ? '' : `: ${end.reason}`);
