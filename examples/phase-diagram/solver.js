/**
 * Basis pursuit: among all x with A x = y, the one with the smallest sum of absolute values.
 *
 * It is found by the homotopy method (Osborne, Presnell and Turlach, 2000; known from statistics as LARS). The minimiser of
 * |A x - y|^2 / 2 + lambda |x|_1 is a piecewise linear function of lambda. The method begins at the smallest lambda for which x is all
 * zero and follows the pieces down to lambda = 0, which is basis pursuit. At each bend one unknown becomes nonzero, or zero again.
 * Nothing is to be tuned, and the end is exact up to rounding.
 */
import {createSupport} from './support.js';
import {addScaled, at, dot} from './vectors.js';

/** About 2 bends a row are usual. A path with this many has been led astray by rounding. */
const MAX_BENDS_PER_ROW = 20;
/** Rounding makes of lambda = 0 a very small lambda, relative to the one at the beginning. */
const LAMBDA_END = 1e-11;

/**
 * @param {readonly Float64Array[]} columns - The columns of A, all of the same length and in general position, as random ones are.
 * @param {Float64Array} measurements - y
 * @returns {{solution: Float64Array, numBends: number}} - `solution` is x; `numBends` tells how long the path was.
 */
export const basisPursuit = (columns, measurements) => {
	const solution = new Float64Array(columns.length);
	const support = createSupport(columns);
	// The columns that may come into use.
	const unused = new Set(columns.keys());
	// The inner product of each column with what x does not explain yet. On the path none is above lambda, and those in use are at it.
	const correlations = innerProducts(columns, measurements);
	const start = largest(correlations);
	let lambda = start.size;
	/** @type {Bend} */
	let bend = {kind: 'enter', index: start.index, distance: 0};
	let numBends = 0;

	while (lambda > LAMBDA_END * start.size && numBends < MAX_BENDS_PER_ROW * measurements.length) {
		if (bend.kind === 'enter') {
			unused.delete(bend.index);
			// One that is a combination of those in use is not taken: it could explain nothing more.
			support.add(bend.index);
		} else if (bend.kind === 'leave') {
			const index = /** @type {number} */ (support.indices[bend.position]);
			solution[index] = 0;
			support.remove(bend.position);
			unused.add(index);
		}
		const direction = support.solve(Float64Array.from(support.indices, index => Math.sign(at(correlations, index))));
		// How fast each correlation falls as lambda falls. Those in use stay at lambda.
		const slopes = innerProducts(columns, support.combine(direction));

		bend = nextToEnter({kind: 'end', distance: lambda}, {unused, correlations, slopes, lambda});
		bend = nextToLeave(bend, {indices: support.indices, solution, direction});

		for (const [i, index] of support.indices.entries()) solution[index] = at(solution, index) + bend.distance * at(direction, i);
		addScaled(correlations, -bend.distance, slopes);
		lambda -= bend.distance;
		numBends++;
	}
	return {solution, numBends};
};

/**
 * What happens next on the path, and how far lambda is to fall until then.
 *
 * @typedef {{kind: 'enter', index: number, distance: number}
 *   | {kind: 'leave', position: number, distance: number}
 *   | {kind: 'end', distance: number}} Bend
 */

/**
 * The first unused column whose correlation comes up to lambda, from above or from below.
 *
 * @param {Bend} otherwise
 * @param {{unused: Iterable<number>, correlations: Float64Array, slopes: Float64Array, lambda: number}} path
 * @returns {Bend}
 */
const nextToEnter = (otherwise, {unused, correlations, slopes, lambda}) => {
	let bend = otherwise;
	for (const index of unused) {
		const correlation = at(correlations, index);
		const slope = at(slopes, index);
		const distance = Math.min(distanceToZero(lambda - correlation, 1 - slope), distanceToZero(lambda + correlation, 1 + slope));
		if (distance < bend.distance) bend = {kind: 'enter', index, distance};
	}
	return bend;
};

/**
 * When a gap closes. One that widens does not, also when it is still nothing: so the column that has just left stays out.
 *
 * @type {(gap: number, rate: number) => number}
 */
const distanceToZero = (gap, rate) => (rate > 0 ? Math.max(gap, 0) / rate : Infinity);

/**
 * The first unknown in use that comes to zero.
 *
 * @param {Bend} otherwise
 * @param {{indices: readonly number[], solution: Float64Array, direction: Float64Array}} path
 * @returns {Bend}
 */
const nextToLeave = (otherwise, {indices, solution, direction}) => {
	let bend = otherwise;
	for (const [position, index] of indices.entries()) {
		const distance = -at(solution, index) / at(direction, position);
		if (distance > 0 && distance < bend.distance) bend = {kind: 'leave', position, distance};
	}
	return bend;
};

/** @type {(columns: readonly Float64Array[], vector: Float64Array) => Float64Array} */
const innerProducts = (columns, vector) => {
	const products = new Float64Array(columns.length);
	for (const [i, column] of columns.entries()) products[i] = dot(column, vector);
	return products;
};

/** @type {(vector: Float64Array) => {index: number, size: number}} */
const largest = vector => {
	let found = {index: -1, size: 0};
	for (const [index, value] of vector.entries()) {
		if (Math.abs(value) > found.size) found = {index, size: Math.abs(value)};
	}
	return found;
};
