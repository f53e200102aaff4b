/** Tasks that are made when they are asked for: a list that is never in memory as a whole. */
import {describe, isPlainObject} from '../check-options.js';
import {PoolError} from '../errors.js';

/**
 * What `grid` and `randomParameters` give: tasks that are made one by one when they are asked for, each time anew. It can be iterated over as often as wanted.
 * `pool.map` takes it as it takes a generator: task by task, while the first queue-jobs compute already. An array of all tasks is `[...list]`.
 */
export type TaskList<Task> = Iterable<Task> & {
	/** How many tasks there are. */
	readonly length: number;
	/** The task with this index, from 0, or counted from the end when it is negative; undefined when there is none. */
	readonly at: (itask: number) => Task | undefined;
};

/** Named lists, as the values that each parameter takes: in this order. */
export type NamedLists = readonly (readonly [name: string, list: ArrayLike<unknown>])[];

export const createTaskList = <Task>(length: number, makeTask: (itask: number) => Task): TaskList<Task> => ({
	length,
	at: itask => {
		const index = itask < 0 ? length + itask : itask;
		return Number.isInteger(index) && index >= 0 && index < length ? makeTask(index) : undefined;
	},
	*[Symbol.iterator]() {
		for (let itask = 0; itask < length; itask++) yield makeTask(itask);
	},
});

/**
 * Takes a copy of lists that are given by name: the caller may change his own afterwards.
 *
 * @throws PoolError `ERR_POOL_OPTION` unless they are arrays or typed arrays in a plain object.
 */
export const takeLists = (what: string, lists: unknown): NamedLists => {
	if (!isPlainObject(lists))
		throw new PoolError('ERR_POOL_OPTION', `Expected \`${what}\` to be an object of lists by name, got ${describe(lists)}.`);
	return Object.entries(lists).map(([name, list]) => {
		// An object has such names first and in ascending order, wherever they were written.
		if (/^(?:0|[1-9]\d*)$/.test(name)) {
			throw new PoolError(
				'ERR_POOL_OPTION',
				`Expected the names in \`${what}\` not to be whole numbers, got \`${name}\`: JavaScript would change their order. Put a letter before it.`,
			);
		}
		if (!isList(list)) {
			throw new PoolError(
				'ERR_POOL_OPTION',
				`Expected \`${what}.${name}\` to be an array or a typed array, got ${describe(list)}. Put a single value into brackets.`,
			);
		}
		return [name, Array.isArray(list) ? [...list] : list.slice()];
	});
};

type TypedArray = ArrayLike<unknown> & {readonly slice: () => ArrayLike<unknown>};

const isList = (value: unknown): value is unknown[] | TypedArray =>
	Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
