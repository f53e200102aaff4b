/** Pool: `map` and its relatives. */
import {checkPath, checkSchedule, mergeOptions} from './check-options.js';
import {type Config, withConfig} from './config.js';
import {createEngineCache} from './engine-cache.js';
import {PoolError} from './errors.js';
import {type FunctionMark, referenceFunction} from './function-reference.js';
import {iterateMap} from './iterate-map.js';
import type {RerunOptions} from './later/rerun-map.js';
import {type LaunchedMap, type MapRun, runOfNothing} from './map-run.js';
import type {PoolOptions} from './options.js';
import type {Outcome} from './outcome.js';
import type {Keep} from './reduce.js';
import {type MapRequest, returnToMap, runAgain, startMap} from './run-map.js';
import {workerState} from './task-context.js';
import {type TaskSource, takeTasks} from './task-source.js';

/** What may be given as tasks. */
export type Tasks<T> = Iterable<T> | AsyncIterable<T>;

/** Options of a call of `imap` or `imapUnordered`. */
export type IterateOptions = PoolOptions & {
	/** Give outcomes, as `mapSettled` does, and throw for no task. @default false */
	readonly settled?: boolean;
};

/**
 * A pool of worker-nodes behind a cluster's batch queue, or of processes of this machine when there is no queue. It holds nothing: no slot, connection or process outlives a `map`.
 *
 * @example
 * ```js
 * const pool = new Pool({queueName: 'short.q', numChunks: 100});
 * const results = await pool.map(fn, tasks);
 * ```
 */
export class Pool {
	readonly #options: PoolOptions;
	/** Maps of one pool share its engine, and so the slots of this machine. */
	readonly #chooseEngine = createEngineCache();

	/**
	 * @param options - What holds for every call; each call may override it.
	 * @throws PoolError `ERR_POOL_OPTION` when an option is unknown or not what it must be.
	 */
	constructor(options: PoolOptions = {}) {
		this.#options = mergeOptions(options);
	}

	/**
	 * Runs `fn` once for each task in queue-jobs and returns the results in task order. Unlike `Promise.all` it runs everything to its end before it
	 * rejects (see the option `stopOnError`).
	 *
	 * @param fn - Gets exactly one argument, the task; the rest is in `taskContext()`. A worker must be able to get it: exported from a module, built-in, or
	 * self-contained; or tell where it is by `{module, name}`.
	 * @param tasks - Any iterable or async iterable of values that `node:v8` can serialise. They are written to files a moment later: leave what is inside them
	 * as it is until then. An iterable that does not know its length, as a generator, is read while the first queue-jobs compute already (with `numChunks` it is
	 * read to its end before).
	 * @throws MapError when any task has no result; the results that there are are in it.
	 * @throws PoolError when the map could not be begun or carried on.
	 */
	map<T, R>(fn: (task: T) => R, tasks: Tasks<T>, options?: PoolOptions): Promise<Awaited<R>[]>;
	map<R = unknown>(fn: FunctionMark, tasks: Tasks<unknown>, options?: PoolOptions): Promise<R[]>;
	async map(fn: unknown, tasks: unknown, options?: PoolOptions): Promise<unknown[]> {
		return (await this.#run('map', fn, tasks, 'values', options)).results();
	}

	/** As `map`, with `fn(...task)`: every task is a list of arguments. */
	starmap<A extends readonly unknown[], R>(
		fn: (...task: A) => R,
		argumentLists: Tasks<Readonly<A>>,
		options?: PoolOptions,
	): Promise<Awaited<R>[]>;
	starmap<R = unknown>(fn: FunctionMark, argumentLists: Tasks<readonly unknown[]>, options?: PoolOptions): Promise<R[]>;
	async starmap(fn: unknown, argumentLists: unknown, options?: PoolOptions): Promise<unknown[]> {
		return (await this.#run('starmap', fn, argumentLists, 'values', options)).results();
	}

	/**
	 * As `map`, but resolves to what became of every task, as `Promise.allSettled` does, with where and when it was computed. Never rejects for a task.
	 *
	 * @throws PoolError when the map could not be begun or carried on.
	 */
	mapSettled<T, R>(fn: (task: T) => R, tasks: Tasks<T>, options?: PoolOptions): Promise<Outcome<Awaited<R>>[]>;
	mapSettled<R = unknown>(fn: FunctionMark, tasks: Tasks<unknown>, options?: PoolOptions): Promise<Outcome<R>[]>;
	async mapSettled(fn: unknown, tasks: unknown, options?: PoolOptions): Promise<Outcome<unknown>[]> {
		return (await this.#run('map', fn, tasks, 'outcomes', options)).outcomes();
	}

	/**
	 * As `map`, but gives the results one after the other, in task order, while queue-jobs still run; also those of chunks that are being computed. It begins when the first one is asked for, and holds
	 * none that was given: ten million tasks need no more memory than a thousand. A caller that leaves its loop ends the map.
	 *
	 * @throws TaskError in the place of the result of a task that has failed, which ends the map, unless `settled` is set; PoolError when the map could not be begun or carried on.
	 */
	imap<T, R>(fn: (task: T) => R, tasks: Tasks<T>, options: IterateOptions & {readonly settled: true}): AsyncIterable<Outcome<Awaited<R>>>;
	imap<T, R>(fn: (task: T) => R, tasks: Tasks<T>, options?: PoolOptions): AsyncIterable<Awaited<R>>;
	imap<R = unknown>(fn: FunctionMark, tasks: Tasks<unknown>, options: IterateOptions & {readonly settled: true}): AsyncIterable<Outcome<R>>;
	imap<R = unknown>(fn: FunctionMark, tasks: Tasks<unknown>, options?: PoolOptions): AsyncIterable<R>;
	imap(fn: unknown, tasks: unknown, options?: IterateOptions): AsyncIterable<unknown> {
		return this.#iterate(true, fn, tasks, options);
	}

	/** As `imap`, but in the order in which they come, as `[itask, result]`. */
	imapUnordered<T, R>(
		fn: (task: T) => R,
		tasks: Tasks<T>,
		options: IterateOptions & {readonly settled: true},
	): AsyncIterable<Outcome<Awaited<R>>>;
	imapUnordered<T, R>(fn: (task: T) => R, tasks: Tasks<T>, options?: PoolOptions): AsyncIterable<[itask: number, result: Awaited<R>]>;
	imapUnordered<R = unknown>(
		fn: FunctionMark,
		tasks: Tasks<unknown>,
		options: IterateOptions & {readonly settled: true},
	): AsyncIterable<Outcome<R>>;
	imapUnordered<R = unknown>(fn: FunctionMark, tasks: Tasks<unknown>, options?: PoolOptions): AsyncIterable<[itask: number, result: R]>;
	imapUnordered(fn: unknown, tasks: unknown, options?: IterateOptions): AsyncIterable<unknown> {
		return this.#iterate(false, fn, tasks, options);
	}

	/**
	 * As `map`, but resolves as soon as every task is submitted (or the map has ended before) to what one needs to watch the map, to take outcomes as they arrive, to cancel it, or to leave it and come back.
	 * Of an iterable that does not know its length it resolves as soon as it is begun.
	 *
	 * @throws PoolError when the map could not be begun. What happens later is told by `run.results()`.
	 */
	submit<T, R>(fn: (task: T) => R, tasks: Tasks<T>, options?: PoolOptions): Promise<MapRun<Awaited<R>>>;
	submit<R = unknown>(fn: FunctionMark, tasks: Tasks<unknown>, options?: PoolOptions): Promise<MapRun<R>>;
	submit(fn: unknown, tasks: unknown, options?: PoolOptions): Promise<MapRun<unknown>> {
		return this.#run('map', fn, tasks, 'outcomes', options);
	}

	/**
	 * Goes on with a map whose process has ended (it was killed, its machine was rebooted) or has left it by `detach`. What is finished is read, queue-jobs that live are waited for, and only the rest
	 * is submitted.
	 *
	 * @param workDir - The directory of the map.
	 * @param options - What is to be other than it was; what defines the map (function, tasks, chunks, `seed`, `env`, `engine`, `nodePath`) stays.
	 * @throws PoolError `ERR_POOL_RESUME` when there is nothing to go on with, `ERR_POOL_OWNED` when another process works in the work_dir.
	 */
	static async resume<R = unknown>(workDir: string, options?: PoolOptions): Promise<MapRun<R>> {
		checkPath('workDir', workDir);
		const pool = new Pool(options);
		refuseDuringImport();
		const {run, untilSubmitted} = await returnToMap(workDir, mergeOptions(options ?? {}), pool.#chooseEngine);
		await untilSubmitted();
		return run as MapRun<R>;
	}

	/**
	 * Computes tasks of a map again, those without a result or the given ones, as they were: the same function (as its module is now), tasks, `seed`, `shared`, options, directory and environment. It is a map of its own within
	 * the work_dir of the first, `rerun.1`, which is kept with it: `readWorkDir(workDir)` then gives of each task what succeeded last. `itask` is everywhere the index in the first map.
	 *
	 * @param workDir - The directory of the map, whose process has ended.
	 * @param options - `itasks`: which tasks; `all`: the whole map again, as a new one in a work_dir beside the first; and pool options that are to be other than they were.
	 * @returns A run of these tasks alone; one of nothing when every task has a result.
	 * @throws PoolError `ERR_POOL_RESUME` when there is nothing to run again, or it may still be being computed; `ERR_POOL_OWNED` when another process works in the work_dir.
	 */
	static async rerun<R = unknown>(workDir: string, options: RerunOptions = {}): Promise<MapRun<R>> {
		checkPath('workDir', workDir);
		refuseDuringImport();
		const launched = await runAgain(workDir, options, new Pool().#chooseEngine);
		if (launched === undefined) return runOfNothing() as MapRun<R>;
		await launched.untilSubmitted();
		return launched.run as MapRun<R>;
	}

	async #run(call: 'map' | 'starmap', fn: unknown, tasks: unknown, keep: Keep, callOptions?: PoolOptions): Promise<MapRun<unknown>> {
		refuseDuringImport();
		const {options, configFiles} = this.#settle(callOptions);
		options.signal?.throwIfAborted();
		// Before anything is awaited: a caller may use the array again, as after `Promise.all(tasks.map(fn))`.
		const source = takeTasks(tasks);
		const request = await prepare(call, fn, source, keep, {options, configFiles});
		const launched = await startMap(request, options, this.#chooseEngine);
		if (launched === undefined) return runOfNothing();
		await launched.untilSubmitted();
		return launched.run;
	}

	#iterate(isOrdered: boolean, fn: unknown, tasks: unknown, {settled, ...callOptions}: IterateOptions = {}): AsyncIterable<unknown> {
		refuseDuringImport();
		const {options, configFiles} = this.#settle(callOptions);
		if (settled !== undefined && typeof settled !== 'boolean')
			throw new PoolError('ERR_POOL_OPTION', `Expected \`settled\` to be true or false, got ${typeof settled}.`);
		const source = takeTasks(tasks);
		return iterateMap({
			isOrdered,
			isSettled: settled ?? false,
			begin: async (taker): Promise<LaunchedMap | undefined> => {
				options.signal?.throwIfAborted();
				const request = await prepare('map', fn, source, 'nothing', {options, configFiles});
				return startMap(request, options, this.#chooseEngine, taker);
			},
		});
	}

	/** What holds for a call: its own word, then that of its pool, then that of the files. */
	#settle(callOptions?: PoolOptions): Config {
		const config = withConfig(mergeOptions(this.#options, callOptions));
		checkSchedule(config.options);
		return config;
	}
}

/** A worker that imports a main script must not run it. */
const refuseDuringImport = (): void => {
	const url = workerState()?.importing();
	if (url === undefined) return;
	throw new PoolError(
		'ERR_POOL_IN_WORKER_IMPORT',
		`pool.map was called while a worker was importing ${url} to get its function. Move the function to a module of its own, or guard the start: if (!isWorker) await main().`,
	);
};

const prepare = async (
	call: 'map' | 'starmap',
	fn: unknown,
	tasks: TaskSource,
	keep: Keep,
	{options, configFiles}: Config,
): Promise<MapRequest> => {
	const reference = await referenceFunction(fn);
	options.signal?.throwIfAborted();
	if (call === 'starmap' && tasks.kind === 'at-hand') checkArgumentLists(tasks.tasks);
	return {call, reference, tasks, keep, configFiles};
};

const checkArgumentLists = (lists: readonly unknown[]): void => {
	const itask = lists.findIndex(list => !Array.isArray(list));
	if (itask === -1) return;
	throw new PoolError(
		'ERR_POOL_TASKS',
		`Expected every task of \`starmap\` to be an array of arguments, got ${typeof lists[itask]} as task ${itask}.`,
	);
};
