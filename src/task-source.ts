/** Whatever was given as tasks: a collection, whose tasks are all there, or a stream that makes them one after the other. */
import {inspect, types} from 'node:util';
import {PoolError} from './errors.js';
import {unlessAborted} from './unless-aborted.js';

export type TaskSource = {readonly kind: 'at-hand'; readonly tasks: readonly unknown[]} | TaskStream;

export type TaskStream = {
	readonly kind: 'stream';
	/** @throws PoolError `ERR_POOL_TASKS` when the iterator throws: after that the stream is at its end. */
	readonly next: () => NextTask | Promise<NextTask>;
	/** No more is wanted. */
	readonly close: () => void;
};

export type NextTask = {readonly done: true} | {readonly done: false; readonly task: unknown};

/**
 * Of a collection the tasks are taken at once: the caller may change it as soon as this returns. Of any other iterable nothing is.
 *
 * @throws PoolError `ERR_POOL_TASKS` when it is no iterable, or when a collection can't be iterated over.
 */
export const takeTasks = (tasks: unknown): TaskSource => {
	if (!isIterable(tasks)) {
		throw new PoolError('ERR_POOL_TASKS', `Expected \`tasks\` to be an iterable or an async iterable, got ${describe(tasks)}`);
	}
	// Not an async iterator for both: it is slow, and would replace tasks that are promises by their values.
	if (!(Symbol.iterator in Object(tasks))) return createStream(true, () => (tasks as AsyncIterable<unknown>)[Symbol.asyncIterator]());
	const iterable = tasks as Iterable<unknown>;
	if (!isCollection(tasks)) return createStream(false, () => iterable[Symbol.iterator]());
	const taken: unknown[] = [];
	try {
		for (const task of iterable) taken.push(task);
	} catch (error) {
		throw iteratorError(taken.length, error);
	}
	return {kind: 'at-hand', tasks: taken};
};

const describe = (value: unknown): string => {
	if (types.isPromise(value)) return 'a Promise. Await it first.';
	if (typeof value === 'function') return 'a function. The function comes first, then the tasks.';
	if (typeof value === 'object' && value !== null) return 'an object. Pass an array, as Object.values(…) or Object.entries(…) gives.';
	return `${value === null ? 'null' : typeof value}. Pass an array.`;
};

/** All tasks of a source: to be told how many there are. @throws PoolError `ERR_POOL_TASKS`; the reason of the signal. */
export const collectTasks = async (source: TaskSource, signal?: AbortSignal): Promise<readonly unknown[]> => {
	if (source.kind === 'at-hand') return source.tasks;
	const tasks: unknown[] = [];
	for (;;) {
		const next = await takeNext(source, signal);
		if (next.done) return tasks;
		tasks.push(next.task);
	}
};

/** The same stream, when there is any task in it. @throws PoolError `ERR_POOL_TASKS`; the reason of the signal. */
export const beginStream = async (stream: TaskStream, signal?: AbortSignal): Promise<TaskStream | undefined> => {
	const first = await takeNext(stream, signal);
	if (first.done) return undefined;
	let held: NextTask | undefined = first;
	return {
		...stream,
		next: () => {
			const next = held ?? stream.next();
			held = undefined;
			return next;
		},
	};
};

/** What is at hand, as a stream. */
export const streamOf = (tasks: readonly unknown[]): TaskStream => {
	let itask = 0;
	return {
		kind: 'stream',
		next: () => (itask < tasks.length ? {done: false, task: tasks[itask++]} : {done: true}),
		close: () => undefined,
	};
};

/** @throws PoolError `ERR_POOL_TASKS`; the reason of the signal. */
export const takeNext = async (stream: TaskStream, signal?: AbortSignal): Promise<NextTask> => {
	const next = stream.next();
	return next instanceof Promise && signal !== undefined ? unlessAborted(next, signal) : next;
};

const isIterable = (tasks: unknown): tasks is Iterable<unknown> | AsyncIterable<unknown> =>
	tasks !== null && tasks !== undefined && (Symbol.asyncIterator in Object(tasks) || Symbol.iterator in Object(tasks));

/** What knows its own length holds its tasks. */
const isCollection = (tasks: unknown): boolean =>
	Array.isArray(tasks) ||
	typeof tasks === 'string' ||
	ArrayBuffer.isView(tasks) ||
	tasks instanceof Set ||
	tasks instanceof Map ||
	tasks instanceof String;

const createStream = (isAsync: boolean, begin: () => Iterator<unknown> | AsyncIterator<unknown>): TaskStream => {
	let iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined;
	let numTaken = 0;
	// As for a `for` loop: what has ended by itself is not told to, and nothing is told twice.
	let isClosed = false;
	const take = (result: IteratorResult<unknown>): NextTask => {
		if (result.done === true) {
			isClosed = true;
			return {done: true};
		}
		numTaken++;
		return {done: false, task: result.value};
	};
	return {
		kind: 'stream',
		next: () => {
			try {
				iterator ??= begin();
				const result = iterator.next();
				if (!isAsync) return take(result as IteratorResult<unknown>);
				return Promise.resolve(result).then(take, (error: unknown) => {
					isClosed = true;
					throw iteratorError(numTaken, error);
				});
			} catch (error) {
				isClosed = true;
				throw iteratorError(numTaken, error);
			}
		},
		close: () => {
			if (isClosed) return;
			isClosed = true;
			try {
				// A generator that is waiting for something never hears of it: it is not waited for.
				Promise.resolve(iterator?.return?.()).catch(() => undefined);
			} catch {
				// What the caller's own cleaning up throws changes nothing for the map.
			}
		},
	};
};

const iteratorError = (itask: number, error: unknown): PoolError =>
	new PoolError(
		'ERR_POOL_TASKS',
		`The iterator of \`tasks\` threw at task ${itask}: ${error instanceof Error ? error.message : inspect(error)}`,
		{cause: error},
	);
