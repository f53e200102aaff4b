/** All policy: what is known of one chunk in, what to do with it out. No clock, no file, no process, so any history can be tried. */
import type {JobEnd, JobState} from './engines/engine.js';
import type {TaskErrorKind} from './errors.js';

/** What is known of one attempt at a chunk. Times are of one clock that never goes back. */
export type AttemptFacts = {
	readonly attempt: number;
	/** Undefined for a submission without an answer that the queue has never listed: there may have been no queue-job. */
	readonly jobId: string | undefined;
	readonly host: string | undefined;
	readonly job: JobFacts;
	/** The states in which the queue has listed it. */
	readonly seenStates: ReadonlySet<JobState>;
	readonly result: ResultFacts;
	/** Whether there is any file that it has made. */
	readonly hasFiles: boolean;
	/** What its `.part` says; undefined when there is none, or when nobody has asked. */
	readonly progress: ProgressFacts | undefined;
	/** Whether we have removed its queue-job. */
	readonly isRemoved: boolean;
	/** Whether it was submitted to stay away from some hosts. */
	readonly isAvoiding: boolean;
	/** It was taken back while it waited, and counts for nothing. */
	readonly isVoid: boolean;
	/** How often the scheduler was asked why it is as it is. */
	readonly numExplanations: number;
	/** What the scheduler says of why the queue-job ended or is in an error state; undefined when it says nothing. */
	readonly end: JobEnd | undefined;
};

export type JobFacts =
	| {readonly kind: 'listed'; readonly state: JobState; readonly rawState: string; readonly sinceMs: number}
	/** Missing from so many successful answers of the queue in a row, the first of them at `sinceMs`. */
	| {readonly kind: 'absent'; readonly answers: number; readonly sinceMs: number}
	/** The queue has not been asked successfully since it was submitted. */
	| {readonly kind: 'unknown'};

export type ResultFacts =
	| {readonly kind: 'none'}
	| {readonly kind: 'whole'}
	/** There, but it can't be read (yet: a network file system may show a stale piece of it). */
	| {readonly kind: 'damaged'; readonly reason: string; readonly sinceMs: number}
	/** The worker could not begin: the module of `fn` can't be imported there or has changed, or Node is another major. */
	| {readonly kind: 'start-failed'; readonly cause: 'start-failed' | 'code-changed'; readonly reason: string};

/** Tasks of a chunk are computed in order: what is finished is the first `numFinished` of them. */
export type ProgressFacts = {
	readonly numFinished: number;
	/** The last thing the worker has said: tasks from `finished` on, and below `begunUpTo`, may have been begun. */
	readonly mark: {readonly finished: number; readonly begunUpTo: number} | undefined;
	/** The index of the task that took longer than `taskLimitMs`, for which the worker has ended itself. */
	readonly over: number | undefined;
};

export type ChunkFacts = {
	readonly numTasks: number;
	/** In order of submission; the last is the current one. */
	readonly attempts: readonly AttemptFacts[];
	/** Whether the next attempt is waiting to be submitted already: then only a result is news. */
	readonly isNextDue: boolean;
	/** When the work_dir was last listed: what came later is not known. */
	readonly nowMs: number;
	/** When the queue last answered: since then a queue-job may have left the state in which it was listed. */
	readonly answeredMs: number;
	/** Whether any worker of this map could begin: then a failed start is its node's fault, not the module's. */
	readonly anyWorkerStarted: boolean;
};

/** The options of the same names. */
export type Limits = {
	readonly maxNumResubmissions: number;
	readonly graceMs: number;
	readonly unreachableAfterMs: number | false;
	/** Infinity for none. */
	readonly pendingLimitMs: number;
};

export type Verdict =
	| {readonly kind: 'wait'}
	/** This attempt's result counts. */
	| {readonly kind: 'done'; readonly attempt: number}
	/** Submit the next attempt. `isLeft`: the current queue-job is not removed, it may still bring the result. */
	| {readonly kind: 'resubmit'; readonly cause: FailureCause; readonly reason: string; readonly isLeft: boolean}
	/** Take the waiting queue-job back, and submit it again without hosts to avoid: it may wait for what never comes. */
	| {readonly kind: 'relax'; readonly reason: string}
	/** The tasks of the chunk that are not finished fail. `endsMap`: every other chunk would fail in the same way. */
	| {readonly kind: 'fail'; readonly cause: FailureCause; readonly reason: string; readonly endsMap: boolean};

export type FailureCause = Extract<
	TaskErrorKind,
	| 'task-limit'
	| 'start-failed'
	| 'code-changed'
	| 'out-of-memory'
	| 'wall-time'
	| 'killed'
	| 'node-lost'
	| 'error-state'
	| 'deleted'
	| 'pending-limit'
	| 'result-unreadable'
	| 'lost'
>;

/** In so many successful answers a queue-job must be missing before that means anything: a busy or restarted master may leave it out for a moment. */
export const MISSED_ANSWERS = 3;

/** So long a queue-job waits for a host other than those that it avoids: by then those that it may use are full for good, or down. */
export const MAX_AVOIDING_MS = 600_000;

/** So often the accounting must have known nothing of a queue-job before it is believed that it never ran: it may be written late. */
const EXPLANATIONS_FOR_DELETED = 3;

/** On so many hosts an error that would come on any host must be seen before it is believed: one host may have lost its file system. */
const HOSTS_FOR_PERMANENT = 2;

export const judge = (chunk: ChunkFacts, limits: Limits): Verdict => {
	// Any attempt may bring the result, also one that was given up: whichever is whole first counts.
	const whole = chunk.attempts.find(({result}) => result.kind === 'whole');
	if (whole !== undefined) return {kind: 'done', attempt: whole.attempt};
	const current = chunk.attempts.at(-1);
	if (current === undefined || chunk.isNextDue) return WAIT;
	if (waitsInVain(current, chunk.answeredMs)) return {kind: 'relax', reason: 'no host but those that it avoids has taken it'};
	const failure = findFailure(current, chunk, limits);
	return failure === undefined ? WAIT : answer(failure, current, chunk, limits);
};

const WAIT: Verdict = {kind: 'wait'};

const waitsInVain = ({job, isAvoiding}: AttemptFacts, nowMs: number): boolean =>
	isAvoiding && job.kind === 'listed' && job.state === 'pending' && nowMs - job.sinceMs >= MAX_AVOIDING_MS;

type Failure = {readonly cause: FailureCause; readonly reason: string};

const findFailure = (current: AttemptFacts, chunk: ChunkFacts, limits: Limits): Failure | undefined => {
	const {job, result} = current;
	if (result.kind === 'start-failed') return {cause: result.cause, reason: result.reason};
	if (job.kind === 'listed') return findStandstill(current, job, Math.min(chunk.nowMs, chunk.answeredMs), limits);
	return job.kind === 'absent' ? findLoss(current, job, chunk.nowMs, limits.graceMs) : undefined;
};

/** A queue-job that is in the queue, and will not bring its result. */
const findStandstill = (
	current: AttemptFacts,
	{state, rawState, sinceMs}: Extract<JobFacts, {kind: 'listed'}>,
	nowMs: number,
	limits: Limits,
): Failure | undefined => {
	const forMs = nowMs - sinceMs;
	switch (state) {
		case 'error':
			// The reason first: when the queue-job is removed nobody can tell it any more.
			return current.numExplanations > 0
				? {cause: 'error-state', reason: `the queue-job went into the error state ${rawState}${because(current.end)}`}
				: undefined;
		case 'pending':
			return forMs >= limits.pendingLimitMs
				? {
						cause: 'pending-limit',
						reason: `the queue-job has waited in the queue for ${limits.pendingLimitMs / 1000} s (\`pendingLimitMs\`)`,
					}
				: undefined;
		case 'unreachable':
			return limits.unreachableAfterMs !== false && forMs >= limits.unreachableAfterMs
				? {
						cause: 'node-lost',
						reason: `the worker-node ${current.host ?? ''} could not be reached for ${limits.unreachableAfterMs / 1000} s`,
					}
				: undefined;
		case 'deleting':
			// On a silent node it may stay so for ever.
			return !current.isRemoved && forMs >= limits.graceMs ? DELETED : undefined;
		case 'running':
		case 'held':
		case 'suspended':
			return undefined;
	}
};

const DELETED: Failure = {cause: 'deleted', reason: 'the queue-job was deleted, and not by this map'};

/** A queue-job that has left the queue without its result. */
const findLoss = (current: AttemptFacts, job: Extract<JobFacts, {kind: 'absent'}>, nowMs: number, graceMs: number): Failure | undefined => {
	const {result, end, seenStates} = current;
	// A queue-job that is known to have failed will bring no result. One that ended well has written one, which may only be late to see.
	const isCertain = end?.failed === true && result.kind === 'none';
	const sinceMs = result.kind === 'damaged' ? Math.max(job.sinceMs, result.sinceMs) : job.sinceMs;
	if (!isCertain && (job.answers < MISSED_ANSWERS || nowMs - sinceMs < graceMs)) return undefined;
	if (current.jobId === undefined) return {cause: 'lost', reason: 'its submission was never answered, and the queue does not list it'};
	if (result.kind === 'damaged') return {cause: 'result-unreadable', reason: `its result can't be read: ${result.reason}`};
	// A queue that enforces a limit deletes, too.
	const isLimit = end?.kind === 'wall-time' || end?.kind === 'out-of-memory';
	if ((seenStates.has('deleting') || end?.kind === 'deleted') && !current.isRemoved && !isLimit) return DELETED;
	if (current.progress?.over !== undefined) return {cause: 'task-limit', reason: 'a task took longer than `taskLimitMs`'};
	const hasRun = current.hasFiles || seenStates.has('running') || seenStates.has('unreachable') || seenStates.has('suspended');
	// What has run is in the accounting, or has left a file at least.
	if (!hasRun && end === undefined && seenStates.size > 0) {
		if (current.numExplanations < EXPLANATIONS_FOR_DELETED) return undefined;
		return {cause: 'deleted', reason: 'the queue-job was deleted before it ran, and not by this map'};
	}
	const cause = end === undefined ? (hasRun ? 'killed' : 'lost') : end.failed ? (end.kind ?? 'lost') : 'lost';
	return {cause, reason: `the queue-job ended without a result${because(end)}`};
};

const because = (end: JobEnd | undefined): string => (end === undefined ? '' : `: ${end.reason}`);

const answer = (failure: Failure, current: AttemptFacts, chunk: ChunkFacts, limits: Limits): Verdict => {
	const fail: Verdict = {kind: 'fail', ...failure, endsMap: false};
	if (current.result.kind === 'start-failed' && failure.cause === 'start-failed' && !chunk.anyWorkerStarted)
		return {...fail, endsMap: true};
	switch (failure.cause) {
		// What somebody or the user's own limit wants is not gone against; what was changed stays changed.
		case 'deleted':
		case 'pending-limit':
		case 'code-changed':
			return fail;
		default:
			if (isPermanent(chunk) || !hasTriesLeft(failure, current, chunk, limits)) return fail;
			return {kind: 'resubmit', ...failure, isLeft: failure.cause === 'node-lost'};
	}
};

const isPermanent = ({attempts}: ChunkFacts): boolean =>
	new Set(attempts.flatMap(({end, host}) => (end?.isPermanent === true && host !== undefined ? [host] : []))).size >= HOSTS_FOR_PERMANENT;

/**
 * No task is begun more than `1 + maxNumResubmissions` times. An attempt that begins none counts for its chunk, and one that finishes a task begins
 * that count anew. When the tries of a task are spent the next attempt fails it and goes on with the rest, so it is worth its while only when there is a rest.
 */
const hasTriesLeft = ({cause}: Failure, current: AttemptFacts, chunk: ChunkFacts, {maxNumResubmissions: max}: Limits): boolean => {
	if (current.jobId === undefined) return true;
	// Whatever has begun a task was an attempt, also one that was never answered or was taken back.
	const counted = chunk.attempts.filter(({jobId, isVoid, progress}) => progress?.mark !== undefined || (jobId !== undefined && !isVoid));
	const {numFinished, lastProgress} = findProgress(counted);
	const hasRest = numFinished + 1 < chunk.numTasks;
	const numOver = counted.filter(({progress}) => progress?.over === numFinished).length;
	if (cause === 'task-limit') return hasRest && numOver <= 1 + max;
	if (max === 0) return false;
	const numBegins = counted.filter(attempt => hasBegun(attempt, numFinished)).length;
	const numIdle = counted.slice(lastProgress + 1).filter(attempt => !hasBegun(attempt, numFinished)).length;
	if (numIdle > max) return false;
	return numBegins <= max || (numBegins === 1 + max && hasRest);
};

/** How many tasks are finished, and the index of the attempt that finished the last of them. */
const findProgress = (attempts: readonly AttemptFacts[]): {numFinished: number; lastProgress: number} => {
	let numFinished = 0;
	let lastProgress = -1;
	for (const [i, {progress}] of attempts.entries()) {
		if (progress === undefined || progress.numFinished <= numFinished) continue;
		numFinished = progress.numFinished;
		lastProgress = i;
	}
	return {numFinished, lastProgress};
};

const hasBegun = ({progress}: AttemptFacts, task: number): boolean =>
	progress?.mark !== undefined && progress.mark.finished <= task && task < progress.mark.begunUpTo;
