/**
 * What a task can learn about itself. It lives on globalThis under a registered symbol: not in an environment variable, which child
 * processes would inherit, and not in this module, of which the user's module may load a second copy.
 */
const KEY = Symbol.for('queue-map-reduce.worker');

/** What `taskContext()` returns inside `fn`. */
export type TaskContext = {
	/** The task's index in the iterable given to `map`, from 0. */
	readonly itask: number;
	/** The index of its chunk, from 0. */
	readonly ichunk: number;
	/** Which queue-job of this chunk it is, from 1. */
	readonly attempt: number;
	readonly session: string;
	readonly workDir: string;
	/** A directory of this attempt at this task alone, made when this property is first read. A kept work_dir keeps it. */
	readonly taskDir: string;
	/**
	 * A number from 0 to 2^48 - 1 for this task's random numbers. It depends on the option `seed` and on `itask` alone, so chunking,
	 * resubmission and engine do not change it: the first 6 bytes, big-endian, of SHA-256 of the text `<seed>:<itask>`.
	 */
	readonly seed: number;
	/**
	 * The value of the option `shared`; undefined when it was not given. A queue-job reads it once, when a task first asks for it, and gives the same object to
	 * all its tasks: what one of them changes in it, the next ones of its queue-job see.
	 */
	readonly shared: unknown;
};

/** What the worker program puts on globalThis. */
export type WorkerState = {
	/** The context of the task that the calling code belongs to, also in its timers and promises. */
	readonly currentTask: () => TaskContext | undefined;
	/** The module that is being imported to get `fn`, when the calling code belongs to that import. */
	readonly importing: () => string | undefined;
};

export const installWorkerState = (state: WorkerState): void => {
	Object.defineProperty(globalThis, KEY, {value: state, configurable: true});
};

/** Undefined outside a queue-job. */
export const workerState = (): WorkerState | undefined => (globalThis as {[KEY]?: WorkerState})[KEY];

/** True inside a queue-job: `if (!isWorker) await main()`. */
export const isWorker: boolean = workerState() !== undefined;

/**
 * The context of the running task.
 *
 * @throws Error outside a task.
 */
export const taskContext = (): TaskContext => {
	const context = workerState()?.currentTask();
	if (context === undefined) {
		throw new Error(
			'taskContext() was called outside a task. It works inside the function given to pool.map, and in what that function calls.',
		);
	}
	return context;
};
