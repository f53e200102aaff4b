import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {PoolError} from '../../src/errors.js';
import {grid} from '../../src/experiments/grid.js';

type Axes = Readonly<Record<string, readonly unknown[]>>;

const axesArbitrary: fc.Arbitrary<Axes> = fc.dictionary(
	// An object has whole numbers first, whatever the order they came in: they are refused.
	fc.string({maxLength: 3}).filter(name => !/^(?:0|[1-9]\d*)$/.test(name)),
	fc.array(fc.anything(), {maxLength: 4}),
	{maxKeys: 5},
);

/** What nested loops over the axes do, written down as nested loops. */
const nestedLoops = (axes: readonly (readonly [string, readonly unknown[]])[]): object[] => {
	const [first, ...others] = axes;
	if (first === undefined) return [{}];
	return first[1].flatMap(value => nestedLoops(others).map(rest => ({...Object.fromEntries([[first[0], value]]), ...rest})));
};

const codeOf = (call: () => unknown): readonly [code: string, message: string] => {
	try {
		call();
	} catch (error) {
		if (error instanceof PoolError) return [error.code, error.message];
		throw error;
	}
	throw new Error('Nothing was thrown.');
};

describe('C1, D7: the grid', () => {
	test('D7: has its combinations in the order of nested loops, the last axis fastest', () => {
		expect([...grid({i: [1, 2, 3], j: [1, 2]})]).toEqual([
			{i: 1, j: 1},
			{i: 1, j: 2},
			{i: 2, j: 1},
			{i: 2, j: 2},
			{i: 3, j: 1},
			{i: 3, j: 2},
		]);
	});

	test('D7: without an axis is one empty object', () => {
		expect([...grid({})]).toEqual([{}]);
		expect(grid({})).toHaveLength(1);
	});

	test('X5, X7, D7: keeps negative, fractional and all other values', () => {
		// ClusterJob made [0, 1, 2] of range(-3, 3), and 0, 0, 2 of these (X5, X7).
		expect([...grid({i: [-3, -2, -1, 0, 1, 2]})].map(({i}) => i)).toEqual([-3, -2, -1, 0, 1, 2]);
		const values = [0.5, 1e-3, 2, -0, Number.NaN, 10n, undefined, null, 'text'];
		expect([...grid({v: values})].map(({v}) => v)).toEqual(values);
	});

	test('X6, C1: is what nested loops over its axes are, whatever they hold', () => {
		fc.assert(
			fc.property(axesArbitrary, axes => {
				const expected = nestedLoops(Object.entries(axes));
				const points = grid(axes);
				expect(points).toHaveLength(expected.length);
				const made = [...points];
				expect(made).toEqual(expected);
				expect(made.map(point => Object.keys(point))).toEqual(made.map(() => Object.keys(axes)));
				expect(expected.map((_, i) => points.at(i))).toEqual(expected);
				expect(expected.map((_, i) => points.at(i - expected.length))).toEqual(expected);
			}),
		);
	});

	test('with an axis that has no values is empty', () => {
		expect([...grid({i: [1, 2], j: []})]).toEqual([]);
		expect(grid({i: [1, 2], j: []})).toHaveLength(0);
		expect(grid({i: [1, 2], j: []}).at(0)).toBeUndefined();
	});

	test('has no point beyond its ends', () => {
		const points = grid({i: [1, 2]});
		expect([2, -3, 0.5, Number.NaN].map(i => points.at(i))).toEqual([undefined, undefined, undefined, undefined]);
	});

	test('can be iterated over again, also while it is, and gives objects of their own', () => {
		const points = grid({i: [1, 2], j: [1, 2]});
		const pairs = [...points].flatMap(left => [...points].map(right => [left, right] as const));
		expect(pairs).toHaveLength(16);
		expect([...points][0]).not.toBe([...points][0]);
	});

	test('keeps its values when the caller changes the lists', () => {
		const delta = [1, 2];
		const typed = new Float64Array([1, 2]);
		const points = grid({delta, typed});
		delta.push(3);
		typed[0] = 9;
		expect([...points]).toEqual([
			{delta: 1, typed: 1},
			{delta: 1, typed: 2},
			{delta: 2, typed: 1},
			{delta: 2, typed: 2},
		]);
	});

	test('of 10^15 points is there at once, and has its last one', () => {
		const thousand = Array.from({length: 1000}, (_, i) => i);
		const points = grid({a: thousand, b: thousand, c: thousand, d: thousand, e: thousand});
		expect(points.length).toBe(1e15);
		expect(points.at(-1)).toEqual({a: 999, b: 999, c: 999, d: 999, e: 999});
		expect(points.at(123_456_789_012_345)).toEqual({a: 123, b: 456, c: 789, d: 12, e: 345});
		const [first] = points;
		expect(first).toEqual({a: 0, b: 0, c: 0, d: 0, e: 0});
	});

	test('with an axis called __proto__ has it as a property', () => {
		const [point] = grid(JSON.parse('{"__proto__": [1]}') as Axes);
		expect(Object.entries(point ?? {})).toEqual([['__proto__', 1]]);
		expect(Object.getPrototypeOf(point)).toBe(Object.prototype);
	});

	test.each([
		[undefined, 'Expected `axes` to be an object of lists by name, got undefined.'],
		[null, 'Expected `axes` to be an object of lists by name, got null.'],
		[[1, 2], 'Expected `axes` to be an object of lists by name, got an array.'],
		[new Map([['a', [1]]]), 'Expected `axes` to be an object of lists by name, got an object (Map).'],
		[{delta: 3}, 'Expected `axes.delta` to be an array or a typed array, got 3. Put a single value into brackets.'],
		[{mode: 'fast'}, 'Expected `axes.mode` to be an array or a typed array, got "fast". Put a single value into brackets.'],
		[{delta: new DataView(new ArrayBuffer(8))}, 'Expected `axes.delta` to be an array or a typed array, got an object (DataView).'],
		[{b: [1], 10: [1]}, 'Expected the names in `axes` not to be whole numbers, got `10`'],
		[
			{a: new Uint8Array(2 ** 18), b: new Uint8Array(2 ** 18), c: new Uint8Array(2 ** 18)},
			'at most 2^53 - 1 combinations, got 262144 of `a` by',
		],
	])('refuses %o with a sentence', (axes, sentence) => {
		const [code, message] = codeOf(() => grid(axes as unknown as Axes));
		expect(code).toBe('ERR_POOL_OPTION');
		expect(message).toContain(sentence);
	});
});
