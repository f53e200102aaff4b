/** All combinations of values: a grid of parameters as tasks. */
import {PoolError} from '../errors.js';
import {createTaskList, type TaskList, takeLists} from './task-list.js';

/** The values along one axis of a grid: an array, or a typed array. */
export type GridAxis = readonly unknown[] | NumberArray;

type NumberArray =
	| Int8Array
	| Uint8Array
	| Uint8ClampedArray
	| Int16Array
	| Uint16Array
	| Int32Array
	| Uint32Array
	| Float32Array
	| Float64Array
	| BigInt64Array
	| BigUint64Array;

/** A point of a grid: one value of each axis, by the axis's name. */
export type GridPoint<Axes> = {-readonly [Name in keyof Axes]: Axes[Name] extends {readonly [i: number]: infer Value} ? Value : never};

/**
 * All combinations of the values along the axes, each an object, in the order of nested loops: the first axis is the outermost loop and changes slowest, the
 * last one changes fastest. `grid({i: [1, 2, 3], j: [1, 2]})` gives (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), as `{i, j}`.
 *
 * Combinations are made when they are asked for: a grid of any size takes no memory. Without an axis there is one combination, `{}`; with an empty one there is none.
 *
 * @example
 * ```ts
 * const results = await pool.map(measure, grid({delta: [0.1, 0.2, 0.3], epsilon: [1e-3, 1e-6]}));
 * ```
 *
 * @throws PoolError `ERR_POOL_OPTION` unless `axes` is an object of arrays with at most 2^53 - 1 combinations. Names can't be whole numbers: an object does not keep their order.
 */
export const grid = <Axes extends Readonly<Record<string, GridAxis>>>(axes: Axes): TaskList<GridPoint<Axes>> => {
	const lists = takeLists('axes', axes);
	const length = lists.reduce((product, [, list]) => product * list.length, 1);
	if (!Number.isSafeInteger(length)) {
		throw new PoolError(
			'ERR_POOL_OPTION',
			`Expected \`axes\` to have at most 2^53 - 1 combinations, got ${lists.map(([name, list]) => `${list.length} of \`${name}\``).join(' by ')}.`,
		);
	}
	return createTaskList(length, itask => pointAt(lists, itask) as GridPoint<Axes>);
};

/** The digits of a number whose last digit changes fastest, each with a base of its own. */
const pointAt = (lists: ReturnType<typeof takeLists>, itask: number): object => {
	let rest = itask;
	const values = lists
		.toReversed()
		.map(([name, list]) => {
			const value = list[rest % list.length];
			rest = Math.floor(rest / list.length);
			return [name, value] as const;
		})
		.toReversed();
	return Object.fromEntries(values);
};
