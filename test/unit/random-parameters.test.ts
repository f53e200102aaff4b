import {createHash} from 'node:crypto';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {type ParameterBounds, randomParameters} from '../../src/experiments/random-parameters.js';
import {randomStream} from '../../src/experiments/random-stream.js';

const BOUNDS = {alpha: [0, 1], beta: [0.9, 0.99], N: [1000]} as const;

/** The eight parameters of the post that these rows are for. */
const MODEL = {
	theta: [0.5, 0.9],
	rho: [0.15, 0.95],
	sigma_v: [0.01, 0.6],
	a: [0.001, 0.4],
	gamma: [0.001, 0.05],
	s: [0.0001, 0.01],
	lambda_1: [0.01, 0.5],
	lambda_2: [0.0001, 0.01],
};

const finite = fc.double({noNaN: true, noDefaultInfinity: true});
const boundsArbitrary: fc.Arbitrary<ParameterBounds> = fc.dictionary(
	fc.string({maxLength: 3}).filter(name => !/^(?:0|[1-9]\d*)$/.test(name)),
	fc.oneof(
		fc.tuple(finite),
		fc
			.tuple(finite, finite)
			.filter(([a, b]) => a !== b)
			.map(([a, b]) => (a < b ? [a, b] : [b, a])),
	),
	{maxKeys: 5},
);

describe('V1, D6: random parameters', () => {
	test('D6: are the same 20 rows for the same seed, with alpha in [0, 1) and N = 1000', () => {
		const rows = [...randomParameters(BOUNDS, 20, 'a seed')];
		expect(rows).toHaveLength(20);
		for (const row of rows) {
			expect(Object.keys(row)).toEqual(['alpha', 'beta', 'N']);
			expect(row.alpha).toBeGreaterThanOrEqual(0);
			expect(row.alpha).toBeLessThan(1);
			expect(row.beta).toBeGreaterThanOrEqual(0.9);
			expect(row.beta).toBeLessThan(0.99);
			expect(row.N).toBe(1000);
		}
		expect([...randomParameters(BOUNDS, 20, 'a seed')]).toEqual(rows);
		const others = [...randomParameters(BOUNDS, 20, 'another')];
		expect(others.filter(({alpha}, i) => alpha === rows[i]?.alpha)).toEqual([]);
	});

	test('V1: are the 10,000 rows of the post, each with all eight names, filling their bounds', () => {
		const rows = [...randomParameters(MODEL, 10_000, 1)];
		expect(rows).toHaveLength(10_000);
		for (const [name, [low, high]] of Object.entries(MODEL) as [keyof typeof MODEL, [number, number]][]) {
			const shares = rows.map(row => (row[name] - low) / (high - low));
			expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
			expect(Math.max(...shares)).toBeLessThan(1);
			const counts = Array.from({length: 10}, (_, tenth) => shares.filter(share => Math.floor(share * 10) === tenth).length);
			// Five standard deviations: 10,000 throws, of which each tenth gets 1000.
			for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
		}
	});

	test('V1: are within any bounds, also the narrowest and the widest there are', () => {
		fc.assert(
			fc.property(boundsArbitrary, fc.integer(), fc.nat(20), (bounds, seed, n) => {
				for (const row of randomParameters(bounds, n, seed)) {
					for (const [name, [low = 0, high]] of Object.entries(bounds)) {
						if (high === undefined) expect(row[name]).toBe(low);
						else expect((row[name] as number) >= low && (row[name] as number) < high).toBe(true);
					}
				}
			}),
		);
		const narrow = randomParameters({x: [1, 1 + Number.EPSILON]}, 100, 1);
		expect(new Set([...narrow].map(({x}) => x))).toEqual(new Set([1]));
		const wide = randomParameters({x: [-Number.MAX_VALUE, Number.MAX_VALUE]}, 100, 1);
		expect(new Set([...wide].map(({x}) => x)).size).toBe(100);
	});

	test('a row depends neither on how many there are nor on the order in which they are read', () => {
		fc.assert(
			fc.property(boundsArbitrary, fc.string(), fc.integer({min: 1, max: 30}), fc.nat(30), (bounds, seed, n, more) => {
				const few = randomParameters(bounds, n, seed);
				const many = randomParameters(bounds, n + more, seed);
				const backwards = Array.from({length: n}, (_, i) => many.at(n - 1 - i)).reverse();
				expect([...few]).toEqual([...many].slice(0, n));
				expect(backwards).toEqual([...few]);
			}),
		);
	});

	test('a parameter that is made constant, or added at the end, leaves the others as they are', () => {
		const before = [...randomParameters({alpha: [0, 1], beta: [0, 1], gamma: [0, 1]}, 10, 1)];
		const after = [...randomParameters({alpha: [0, 1], beta: [0.5], gamma: [0, 1], delta: [0, 1]}, 10, 1)];
		expect(after.map(({alpha, gamma}) => ({alpha, gamma}))).toEqual(before.map(({alpha, gamma}) => ({alpha, gamma})));
	});

	test('are others than the random numbers of the tasks of a map with the same seed', () => {
		const rows = [...randomParameters({x: [0, 1]}, 100, 'same')].map(({x}) => x);
		const taskSeeds = rows.map((_, itask) => createHash('sha256').update(`same:${itask}`).digest().readUIntBE(0, 6));
		expect(rows.filter((x, itask) => x === randomStream(taskSeeds[itask] as number)())).toEqual([]);
		expect(rows).not.toContain(randomStream('same')());
	});

	test('never change: an experiment of last year must come out again', () => {
		expect([...randomParameters(BOUNDS, 2, 2026)]).toEqual([
			{alpha: 0.6297113667179237, beta: 0.9383251871091658, N: 1000},
			{alpha: 0.8981946696892044, beta: 0.9169199471057552, N: 1000},
		]);
	});

	test('may be none, and 2^53 - 1', () => {
		expect([...randomParameters(BOUNDS, 0, 1)]).toEqual([]);
		expect(randomParameters(BOUNDS, Number.MAX_SAFE_INTEGER, 1).at(-1)).toMatchObject({N: 1000});
		expect([...randomParameters({}, 2, 1)]).toEqual([{}, {}]);
	});

	test.each([
		[{alpha: [1, 0]}, 1, 1, 'Expected `bounds.alpha` to be [low, high] with finite numbers and low < high, or [constant], got [1, 0].'],
		[{alpha: [1, 1]}, 1, 1, 'got [1, 1].'],
		[{alpha: []}, 1, 1, 'got [].'],
		[{alpha: [0, 1, 2]}, 1, 1, 'got [0, 1, 2].'],
		[{alpha: [0, Number.POSITIVE_INFINITY]}, 1, 1, 'got [0, Infinity].'],
		[{alpha: ['0', '1']}, 1, 1, 'Expected `bounds.alpha` to be [low, high]'],
		[{N: 1000}, 1, 1, 'Expected `bounds.N` to be an array or a typed array, got 1000. Put a single value into brackets.'],
		['bounds', 1, 1, 'Expected `bounds` to be an object of lists by name, got "bounds".'],
		[{2: [0, 1]}, 1, 1, 'Expected the names in `bounds` not to be whole numbers, got `2`'],
		[{}, -1, 1, 'Expected `n` to be an integer from 0 to 2^53 - 1, got -1.'],
		[{}, 1.5, 1, 'Expected `n` to be an integer from 0 to 2^53 - 1, got 1.5.'],
		[{}, '3', 1, 'Expected `n` to be an integer from 0 to 2^53 - 1, got "3".'],
		[{}, 1, undefined, 'Expected `seed` to be a safe integer or a string, got undefined.'],
	])('refuse %j, %j and the seed %j with a sentence', (bounds, n, seed, sentence) => {
		const make = (): unknown => randomParameters(bounds as unknown as ParameterBounds, n as number, seed as number);
		expect(make).toThrow(expect.objectContaining({code: 'ERR_POOL_OPTION'}));
		expect(make).toThrow(sentence);
	});
});
