/**
 * The three errors of this library. PoolError: the map could not be begun or carried on. MapError: the map ran to its end and some
 * task has no result. TaskError: why one task has no result.
 */
import {andCancelled, groupFailures} from './group-failures.js';

/**
 * Why a map could not be begun or carried on.
 *
 * - `ERR_POOL_OPTION`: an option is unknown, or its value is not what it must be.
 * - `ERR_POOL_TASKS`: `tasks` is not iterable, its iterator threw, or a task can't be serialised.
 * - `ERR_POOL_FN_TYPE`: `fn` is neither a function nor `{module, name}`.
 * - `ERR_POOL_FN_BOUND`: `fn` is bound, native or proxied, so a worker can't find it again.
 * - `ERR_POOL_FN_CLOSURE`: `fn` is not exported and uses names that a worker does not have.
 * - `ERR_POOL_MAIN_UNGUARDED`: `fn` is exported by a main script that maps while it loads.
 * - `ERR_POOL_IN_WORKER_IMPORT`: `map` was called while a worker was importing the module of `fn`.
 * - `ERR_POOL_FN_MISSING`: the module has no such export.
 * - `ERR_POOL_ENVIRONMENT`: the environment is too large for a process to be started with it.
 * - `ERR_POOL_WORK_DIR`: the work_dir can't be made, is not empty, or is gone.
 * - `ERR_POOL_RESUME`: the work_dir can't be gone on with: its tasks were never all written, or are others, or it is of another format.
 * - `ERR_POOL_OWNED`: another process works in the work_dir, or has taken it over.
 * - `ERR_POOL_INTERRUPTED`: the process was told to end by a signal.
 * - `ERR_POOL_CANCELLED`: somebody has cancelled the map by `qmr cancel`.
 * - `ERR_POOL_DETACHED`: the program has left the map (`run.detach()`); its queue-jobs go on.
 * - `ERR_POOL_INCOMPLETE`: a stream of tasks was never read to its end, as its process ended before; all tasks that were written are computed.
 * - `ERR_POOL_PROGRAM_MISSING`: a program of the scheduler does not exist or can't be executed.
 * - `ERR_POOL_SUBMIT_REJECTED`: the scheduler refused a queue-job for good.
 * - `ERR_POOL_OUTAGE`: the scheduler, or the file system of the work_dir, was out of order for longer than `outageLimitMs`.
 * - `ERR_POOL_START_FAILED`: no worker can start: it can't import the module of `fn`, or runs another Node major.
 */
export type PoolErrorCode =
	| 'ERR_POOL_OPTION'
	| 'ERR_POOL_TASKS'
	| 'ERR_POOL_FN_TYPE'
	| 'ERR_POOL_FN_BOUND'
	| 'ERR_POOL_FN_CLOSURE'
	| 'ERR_POOL_MAIN_UNGUARDED'
	| 'ERR_POOL_IN_WORKER_IMPORT'
	| 'ERR_POOL_FN_MISSING'
	| 'ERR_POOL_ENVIRONMENT'
	| 'ERR_POOL_WORK_DIR'
	| 'ERR_POOL_RESUME'
	| 'ERR_POOL_OWNED'
	| 'ERR_POOL_INTERRUPTED'
	| 'ERR_POOL_CANCELLED'
	| 'ERR_POOL_DETACHED'
	| 'ERR_POOL_INCOMPLETE'
	| 'ERR_POOL_PROGRAM_MISSING'
	| 'ERR_POOL_SUBMIT_REJECTED'
	| 'ERR_POOL_OUTAGE'
	| 'ERR_POOL_START_FAILED';

/**
 * Why a task has no result.
 *
 * - `exception`: `fn` threw, or its promise was rejected.
 * - `exit`: `fn` called `process.exit`.
 * - `unhandled-rejection`, `uncaught-exception`: something that `fn` had begun failed with nobody waiting for it.
 * - `never-settled`: the promise of `fn` was pending when nothing was left that could settle it.
 * - `result-unserialisable`: `fn` returned what can't be written to a file; the message names the path inside it.
 * - `task-limit`: the task took longer than `taskLimitMs`.
 * - `start-failed`: the worker could not begin (import of the module, Node version, files).
 * - `code-changed`: the module of `fn` was changed after the submission.
 * - `out-of-memory`: the worker needed more memory than it was given.
 * - `wall-time`: the queue-job was killed for running longer than it was given.
 * - `killed`: the worker was killed by a signal, and nobody said that it was for memory or time.
 * - `node-lost`: the worker-node crashed, or could not be reached for `unreachableAfterMs`.
 * - `error-state`: the queue-jobs of its chunk went into an error state.
 * - `deleted`: somebody else has deleted the queue-job.
 * - `pending-limit`: the queue-job waited in the queue for longer than `pendingLimitMs`.
 * - `result-unreadable`: the result file is damaged, and was again at every attempt.
 * - `lost`: the queue-jobs of its chunk ended without a result, and nothing says why.
 * - `cancelled`: the map was ended (`signal`, `stopOnError`, a PoolError) before the task had an outcome.
 */
export type TaskErrorKind =
	| 'exception'
	| 'exit'
	| 'unhandled-rejection'
	| 'uncaught-exception'
	| 'never-settled'
	| 'result-unserialisable'
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
	| 'cancelled';

/** What was thrown on the worker, as plain data: v8 loses names, codes and causes, and an Error with a cause is unreadable across Node majors. */
export type RemoteError = {
	/** `TypeError`, or the type of what was thrown when it was no Error, as `null` or `string`. */
	readonly name: string;
	/** The message, or the printed value when it was no Error. */
	readonly message: string;
	readonly stack?: string;
	readonly code?: string | number;
	readonly cause?: RemoteError;
	/** Of an AggregateError. */
	readonly errors?: readonly RemoteError[];
	/** Further own properties that are primitives, as `errno`, `syscall`, `path`. */
	readonly properties?: Readonly<Record<string, unknown>>;
};

export class PoolError extends Error {
	readonly code: PoolErrorCode;
	/** The work_dir, when there is one. Nothing that was finished in it is lost. */
	readonly workDir: string | undefined;

	constructor(code: PoolErrorCode, message: string, options: {workDir?: string; cause?: unknown} = {}) {
		super(message, 'cause' in options ? {cause: options.cause} : {});
		this.code = code;
		this.workDir = options.workDir;
	}
}

export type TaskErrorFields = {
	readonly kind: TaskErrorKind;
	readonly itask: number;
	readonly ichunk: number;
	readonly attempt: number;
	readonly jobId: string | undefined;
	readonly host: string | undefined;
	/** The task, printed and shortened. */
	readonly input: string;
	readonly remote: RemoteError | undefined;
	/** The last lines that the attempt wrote to stderr. */
	readonly stderrTail: string;
};

export class TaskError extends Error implements TaskErrorFields {
	declare readonly kind: TaskErrorKind;
	declare readonly itask: number;
	declare readonly ichunk: number;
	declare readonly attempt: number;
	declare readonly jobId: string | undefined;
	declare readonly host: string | undefined;
	declare readonly input: string;
	declare readonly remote: RemoteError | undefined;
	declare readonly stderrTail: string;

	/** @param reason - One sentence, without the task's number: it is the message by which equal failures are grouped. */
	constructor(reason: string, fields: TaskErrorFields, cause?: unknown) {
		super(`task ${fields.itask}: ${reason}`, cause === undefined ? {} : {cause});
		Object.assign(this, fields);
		// It was thrown on the worker: where the process-node read of it is no news. The stack there is that of the cause.
		Object.defineProperty(this, 'stack', {value: `TaskError: ${this.message}`, configurable: true, writable: true});
		Object.defineProperty(this, 'reason', {value: reason});
		// Printed, the cause shows it already.
		Object.defineProperty(this, 'remote', {enumerable: false});
	}

	/** The message without the task's number. */
	declare readonly reason: string;
}

export class MapError<R = unknown> extends Error {
	/** Every task that has no result, in task order; also those of the kind `cancelled`. */
	readonly failures: readonly TaskError[];
	/** In task order; a hole (`itask in results` is false) where the task has no result. */
	readonly results: readonly R[];
	readonly workDir: string;
	readonly session: string;

	constructor(fields: {failures: readonly TaskError[]; results: readonly R[]; workDir: string; session: string}) {
		super(mapErrorMessage(fields.failures, fields.results.length, fields.workDir));
		this.failures = fields.failures;
		this.results = fields.results;
		this.workDir = fields.workDir;
		this.session = fields.session;
		// Printing an error prints its enumerable properties: a million results are not wanted there.
		for (const key of ['failures', 'results'] as const) Object.defineProperty(this, key, {enumerable: false});
	}
}

for (const ErrorClass of [PoolError, TaskError, MapError]) {
	Object.defineProperty(ErrorClass.prototype, 'name', {value: ErrorClass.name, configurable: true, writable: true});
}

const mapErrorMessage = (failures: readonly TaskError[], numTasks: number, workDir: string): string => {
	const failed = failures.filter(({kind}) => kind !== 'cancelled');
	const cancelled = failures.filter(({kind}) => kind === 'cancelled');
	const title = `${failed.length} of ${numTasks} tasks failed${andCancelled(cancelled.length)}.`;
	// What has ended the map first, however many were cancelled for it.
	return [title, ...groupFailures(failed), ...groupFailures(cancelled), `The work_dir is kept: ${workDir}`].join('\n');
};
