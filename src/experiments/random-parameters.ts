/** Random parameters within bounds, as tasks. */
import {describe} from '../check-options.js';
import {PoolError} from '../errors.js';
import {seedText, streamOf} from './random-stream.js';
import {createTaskList, type NamedLists, type TaskList, takeLists} from './task-list.js';

/** By name of the parameter: `[low, high]`, or `[constant]`. */
export type ParameterBounds = Readonly<Record<string, readonly number[]>>;

/** One number for each parameter. */
export type ParameterRow<Bounds> = {-readonly [Name in keyof Bounds]: number};

/**
 * `n` rows of random parameters, each an object: a parameter with bounds `[low, high]` is uniform from `low` up to, but not including, `high`; one with a single
 * number `[constant]` is that number in every row.
 *
 * The same seed gives the same rows. Row `i` depends on the seed, on `i` and on `bounds` alone: it is the same for every `n`, and whatever was read before it. A
 * parameter that is made constant leaves the others as they are, and so does one that is added at the end. Rows are made when they are asked for.
 *
 * @example
 * ```ts
 * const results = await pool.mapSettled(runModel, randomParameters({alpha: [0, 1], beta: [0.9, 0.99], N: [1000]}, 10_000, 'pilot'));
 * ```
 *
 * @param n - How many rows, from 0 to 2^53 - 1.
 * @param seed - A safe integer or a text. A map may have the same one: its tasks get other random numbers than these.
 * @throws PoolError `ERR_POOL_OPTION` for bounds that are not one finite number, or two of which the first is lower; for a wrong `n` or `seed`.
 */
export const randomParameters = <Bounds extends ParameterBounds>(
	bounds: Bounds,
	n: number,
	seed: number | string,
): TaskList<ParameterRow<Bounds>> => {
	const lists = takeLists('bounds', bounds);
	for (const [name, list] of lists) checkBounds(name, list);
	if (!Number.isSafeInteger(n) || n < 0) {
		throw new PoolError('ERR_POOL_OPTION', `Expected \`n\` to be an integer from 0 to 2^53 - 1, got ${describe(n)}.`);
	}
	const text = seedText(seed);
	return createTaskList(n, row => drawRow(lists, streamOf(`randomParameters:${text}:${row}`)) as ParameterRow<Bounds>);
};

const checkBounds = (name: string, list: ArrayLike<unknown>): void => {
	const numbers = Array.from(list);
	const [low, high] = numbers as number[];
	const isRight = numbers.every(Number.isFinite) && (numbers.length === 1 || (numbers.length === 2 && (low as number) < (high as number)));
	if (isRight) return;
	throw new PoolError(
		'ERR_POOL_OPTION',
		`Expected \`bounds.${name}\` to be [low, high] with finite numbers and low < high, or [constant], got [${numbers.map(String).join(', ')}].`,
	);
};

const drawRow = (lists: NamedLists, random: () => number): object =>
	Object.fromEntries(
		(lists as readonly (readonly [string, readonly [number, number?]])[]).map(([name, [low, high]]) => {
			// Also drawn for a constant: what follows stays the same then.
			const share = random();
			return [name, high === undefined ? low : between(low, high, share)];
		}),
	);

const between = (low: number, high: number, share: number): number => {
	// Not low + share * (high - low): the difference of large numbers may be infinite.
	const value = low * (1 - share) + high * share;
	// Rounding may lead to the bounds, and beyond.
	return value >= high || value < low ? low : value;
};
