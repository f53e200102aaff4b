import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {createRandom} from '../../examples/phase-diagram/random.js';
import {measureRecoveryWithSeed, randomProblem} from '../../examples/phase-diagram/recovery.js';
import {basisPursuit} from '../../examples/phase-diagram/solver.js';
import {createSupport} from '../../examples/phase-diagram/support.js';
import {transitionRho} from '../../examples/phase-diagram/theory.js';

const seeds = fc.integer({min: 0, max: 2 ** 48 - 1});

describe('solver.js', () => {
	test('takes one long column rather than two that add up to it', () => {
		const columns = [Float64Array.of(1, 0), Float64Array.of(0, 1), Float64Array.of(Math.SQRT1_2, Math.SQRT1_2)];
		const {solution} = basisPursuit(columns, Float64Array.of(1, 1));
		expect(solution[0]).toBeCloseTo(0, 12);
		expect(solution[1]).toBeCloseTo(0, 12);
		expect(solution[2]).toBeCloseTo(Math.SQRT2, 12);
	});

	test('takes both of two columns that come into use at the same time', () => {
		const {solution} = basisPursuit([Float64Array.of(1, 0), Float64Array.of(0, 1)], Float64Array.of(1, 1));
		expect(solution).toEqual(Float64Array.of(1, 1));
	});

	test('finds the smallest sum of absolute values that a search of all bases finds', () => {
		fc.assert(
			fc.property(seeds, fc.integer({min: 1, max: 4}), fc.integer({min: 1, max: 5}), (seed, numMeasurements, numMore) => {
				const random = createRandom(seed);
				const {columns} = randomProblem(random, {numMeasurements, numUnknowns: numMeasurements + numMore, numNonzero: 1});
				const measurements = new Float64Array(numMeasurements).map(random.normal);
				const {solution} = basisPursuit(columns, measurements);
				expectClose(combine(columns, solution), measurements, 1e-8);
				expect(solution.filter(value => value !== 0).length).toBeLessThanOrEqual(numMeasurements);
				const best = smallestSum(columns, measurements);
				expect(Math.abs(sumOfSizes(solution) - best)).toBeLessThan(1e-7 * Math.max(1, best));
			}),
			{numRuns: 300},
		);
	});

	test('explains the measurements also where the sparse vector is not recovered', () => {
		const shape = {numMeasurements: 60, numUnknowns: 100, numNonzero: 50};
		const {columns, vector, measurements} = randomProblem(createRandom(3), shape);
		const {solution} = basisPursuit(columns, measurements);
		expectClose(combine(columns, solution), measurements, 1e-9);
		expect(sumOfSizes(solution)).toBeLessThan(sumOfSizes(vector));
	});

	test('answers zero for zero', () => {
		const {columns} = randomProblem(createRandom(3), {numMeasurements: 4, numUnknowns: 8, numNonzero: 1});
		expect(basisPursuit(columns, new Float64Array(4))).toEqual({solution: new Float64Array(8), numBends: 0});
	});

	test('is not led astray by columns that occur twice', () => {
		fc.assert(
			fc.property(seeds, seed => {
				const random = createRandom(seed);
				const {columns} = randomProblem(random, {numMeasurements: 4, numUnknowns: 6, numNonzero: 1});
				const measurements = new Float64Array(4).map(random.normal);
				const {solution} = basisPursuit([...columns, ...columns], measurements);
				expectClose(combine([...columns, ...columns], solution), measurements, 1e-7);
				expect(sumOfSizes(solution)).toBeCloseTo(smallestSum(columns, measurements), 6);
			}),
		);
	});

	test.each([0.1, 0.3, 0.5, 0.7, 0.9])('recovers well inside of the theoretical transition and fails well outside, at delta %s', delta => {
		const rateAt = (factor: number): number =>
			measureRecoveryWithSeed({delta, rho: factor * transitionRho(delta), size: 200, trials: 5}, 11).successRate;
		expect(rateAt(0.5)).toBe(1);
		// A share of 1.6 is above 1 near delta 0.9: there, between the curve and 1.
		expect(rateAt(Math.min(1.8, 0.97 / transitionRho(delta)))).toBe(0);
	});
});

describe('support.js', () => {
	test('solves the normal equations of the columns in use, whatever came and went before', () => {
		const steps = fc.array(fc.record({kind: fc.constantFrom('add', 'add', 'remove'), choice: fc.nat()}), {maxLength: 30});
		fc.assert(
			fc.property(seeds, steps, (seed, chosen) => {
				const random = createRandom(seed);
				const {columns} = randomProblem(random, {numMeasurements: 12, numUnknowns: 9, numNonzero: 1});
				const support = createSupport(columns);
				for (const {kind, choice} of chosen) {
					const unused = [...columns.keys()].filter(index => !support.indices.includes(index));
					if (kind === 'add' && unused.length > 0) expect(support.add(unused[choice % unused.length]!)).toBe(true);
					if (kind === 'remove' && support.indices.length > 0) support.remove(choice % support.indices.length);
				}
				const right = new Float64Array(support.indices.length).map(random.normal);
				const combined = support.combine(support.solve(right));
				expectClose(
					Float64Array.from(support.indices, index => innerProduct(columns[index]!, combined)),
					right,
					1e-6,
				);
			}),
		);
	});

	test('refuses a column that is a combination of those in use', () => {
		const support = createSupport([Float64Array.of(1, 0, 0), Float64Array.of(0, 1, 0), Float64Array.of(0.6, 0.8, 0)]);
		expect([0, 1, 2].map(support.add)).toEqual([true, true, false]);
		expect(support.indices).toEqual([0, 1]);
	});
});

describe('theory.js', () => {
	test.each([
		[0.1, 0.19],
		[0.5, 0.385],
	])('has the published value at delta %s', (delta, rho) => {
		expect(transitionRho(delta)).toBeCloseTo(rho, 2);
	});

	test.each([0.01, 0.05, 0.275, 0.5, 0.725, 0.95, 0.99])(
		'is the maximum over the threshold that state evolution gives, at delta %s',
		delta => {
			expect(transitionRho(delta)).toBeCloseTo(maximumOverThresholds(delta), 5);
		},
	);
});

describe('recovery.js', () => {
	const task = {delta: 0.5, rho: 0.38, size: 40, trials: 10};

	test('depends on the task and the seed alone', () => {
		expect(measureRecoveryWithSeed(task, 1)).toEqual(measureRecoveryWithSeed(task, 1));
		expect(measureRecoveryWithSeed(task, 1)).not.toEqual(measureRecoveryWithSeed(task, 2));
	});

	test('makes columns of length 1 and a vector with the wanted number of nonzero entries', () => {
		const {columns, vector, measurements} = randomProblem(createRandom(5), {numMeasurements: 10, numUnknowns: 30, numNonzero: 7});
		for (const column of columns) expect(innerProduct(column, column)).toBeCloseTo(1, 12);
		expect(vector.filter(value => value !== 0)).toHaveLength(7);
		expectClose(combine(columns, vector), measurements, 1e-12);
	});

	test('has at least one measurement and one nonzero unknown, however small the problem', () => {
		expect(measureRecoveryWithSeed({delta: 0.05, rho: 0.05, size: 2, trials: 3}, 1).meanBends).toBeGreaterThan(0);
	});
});

const sumOfSizes = (vector: Float64Array): number => vector.reduce((sum, value) => sum + Math.abs(value), 0);

const innerProduct = (left: Float64Array, right: Float64Array): number => left.reduce((sum, value, i) => sum + value * right[i]!, 0);

const combine = (columns: readonly Float64Array[], weights: Float64Array): Float64Array =>
	columns[0]!.map((_, row) => columns.reduce((sum, column, i) => sum + column[row]! * weights[i]!, 0));

const expectClose = (found: Float64Array, wanted: Float64Array, tolerance: number): void => {
	expect(found).toHaveLength(wanted.length);
	for (const [i, value] of found.entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(tolerance);
};

/** A linear program has its optimum at a basis: as many columns as rows, the other unknowns zero. */
const smallestSum = (columns: readonly Float64Array[], measurements: Float64Array): number =>
	Math.min(...subsets(columns, measurements.length).map(basis => sumOfSizes(solveSquare(basis, measurements))));

const subsets = <T>(items: readonly T[], size: number): T[][] =>
	size === 0 ? [[]] : items.flatMap((item, i) => subsets(items.slice(i + 1), size - 1).map(rest => [item, ...rest]));

/** Cramer's rule: slow, and unlike anything the solver does. */
const solveSquare = (basis: readonly Float64Array[], right: Float64Array): Float64Array =>
	Float64Array.from(
		basis,
		(_, i) => determinant(basis.with(i, right).map(column => [...column])) / determinant(basis.map(column => [...column])),
	);

const determinant = (columns: readonly number[][]): number =>
	columns.length === 0
		? 1
		: columns.reduce(
				(sum, [first = 0], i) => sum + (i % 2 === 0 ? 1 : -1) * first * determinant(columns.toSpliced(i, 1).map(column => column.slice(1))),
				0,
			);

/** The same curve as a maximum over z, with the normal tail by the trapezoidal rule. */
const maximumOverThresholds = (delta: number): number => {
	const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
	const step = 1e-3;
	const thresholds = Array.from({length: 6000}, (_, i) => i * step);
	let tail = 0.5;
	const values = thresholds.map(z => {
		const loss = 2 * ((1 + z * z) * tail - z * density(z));
		tail -= (step * (density(z) + 4 * density(z + step / 2) + density(z + step))) / 6;
		return (1 - loss / delta) / (1 + z * z - loss);
	});
	return Math.max(...values.slice(1));
};
