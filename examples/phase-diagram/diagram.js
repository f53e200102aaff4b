/** What both pictures draw, and what they share about its axes. */

/**
 * @typedef {object} Diagram
 * @property {readonly number[]} deltas - At least two, in even steps.
 * @property {readonly number[]} rhos - At least two, in even steps.
 * @property {readonly (readonly number[])[]} rates - The success rates: one row per rho, in it one number per delta.
 * @property {number} size - Unknowns per problem.
 * @property {number} trials - Problems per point.
 */

/** Both axes leave out the ends: at 0 there is nothing to measure or to recover, and 1 is trivial or hopeless. */
const FIRST = 0.05;
const LAST = 0.95;

/**
 * The values along one axis.
 *
 * @type {(count: number) => number[]}
 */
export const gridValues = count => Array.from({length: count}, (_, i) => FIRST + ((LAST - FIRST) * i) / (count - 1));

/**
 * Which of the evenly spaced `values` is nearest; -1 when `value` is more than half a step outside of them.
 *
 * @type {(values: readonly number[], value: number) => number}
 */
export const nearestIndex = (values, value) => {
	const index = Math.round(positionOf(values, value));
	return index >= 0 && index < values.length ? index : -1;
};

/**
 * Where `value` lies among the evenly spaced `values`, as a broken index.
 *
 * @type {(values: readonly number[], value: number) => number}
 */
export const positionOf = ([first = 0, second = 1], value) => (value - first) / (second - first);

/** @type {(value: number) => string} */
export const shortNumber = value => String(Number(value.toFixed(3)));
