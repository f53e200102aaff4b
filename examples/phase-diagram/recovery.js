/**
 * The mapped function: how often basis pursuit recovers a sparse vector at one point of the phase diagram. It is in a module of its own,
 * which a worker imports, apart from the program that maps.
 */
import {taskContext} from 'queue-map-reduce';
import {createRandom} from './random.js';
import {basisPursuit} from './solver.js';
import {addScaled, dot} from './vectors.js';

/** A vector counts as recovered when the error is this small, relative to the vector. */
const MAX_RELATIVE_ERROR = 1e-3;

/**
 * @typedef {object} RecoveryTask
 * @property {number} delta - Undersampling: measurements per unknown, n / N.
 * @property {number} rho - Sparsity: nonzero unknowns per measurement, k / n.
 * @property {number} size - The number of unknowns, N.
 * @property {number} trials - How many random problems to solve.
 */

/**
 * @typedef {object} Recovery
 * @property {number} successRate - The share of the problems whose vector was recovered, from 0 to 1.
 * @property {number} meanBends - How long the solver's path was, on average.
 */

/** @type {(task: RecoveryTask) => Recovery} */
export const measureRecovery = task => measureRecoveryWithSeed(task, taskContext().seed);

/** @type {(task: RecoveryTask, seed: number) => Recovery} */
export const measureRecoveryWithSeed = ({delta, rho, size, trials}, seed) => {
	const random = createRandom(seed);
	const numMeasurements = Math.max(1, Math.round(delta * size));
	const numNonzero = Math.max(1, Math.round(rho * numMeasurements));
	let numRecovered = 0;
	let totalBends = 0;
	for (let trial = 0; trial < trials; trial++) {
		const {columns, vector, measurements} = randomProblem(random, {numMeasurements, numUnknowns: size, numNonzero});
		const {solution, numBends} = basisPursuit(columns, measurements);
		if (relativeError(solution, vector) < MAX_RELATIVE_ERROR) numRecovered++;
		totalBends += numBends;
	}
	return {successRate: numRecovered / trials, meanBends: totalBends / trials};
};

/**
 * A matrix of independent normal entries whose columns are then given length 1, and a vector of normal entries at random places.
 *
 * @param {import('./random.js').Random} random
 * @param {{numMeasurements: number, numUnknowns: number, numNonzero: number}} shape
 */
export const randomProblem = (random, {numMeasurements, numUnknowns, numNonzero}) => {
	const columns = Array.from({length: numUnknowns}, () => {
		const column = new Float64Array(numMeasurements).map(random.normal);
		const length = Math.sqrt(dot(column, column));
		return column.map(value => value / length);
	});
	const vector = new Float64Array(numUnknowns);
	const measurements = new Float64Array(numMeasurements);
	for (const [place, column] of draw(random, [...columns.entries()], numNonzero)) {
		const value = random.normal();
		vector[place] = value;
		addScaled(measurements, value, column);
	}
	return {columns, vector, measurements};
};

/**
 * Takes so many of the items, each at most once.
 *
 * @template T
 * @param {import('./random.js').Random} random
 * @param {T[]} items
 * @param {number} count
 */
const draw = (random, items, count) => Array.from({length: count}, () => items.splice(random.below(items.length), 1)).flat();

/** @type {(found: Float64Array, wanted: Float64Array) => number} */
const relativeError = (found, wanted) => {
	const error = found.slice();
	addScaled(error, -1, wanted);
	return Math.sqrt(dot(error, error) / dot(wanted, wanted));
};
