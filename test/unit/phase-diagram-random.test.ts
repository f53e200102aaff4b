import {describe, expect, test} from 'vitest';
import {createRandom, stateFromSeed, xoshiro128} from '../../examples/phase-diagram/random.js';

describe('random.js', () => {
	test('gives the published numbers of xoshiro128** 1.1', () => {
		const next = xoshiro128(Uint32Array.of(1, 2, 3, 4));
		const published = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
		expect(Array.from(published, next)).toEqual(published);
	});

	test('fills its state with the published numbers of SplitMix64', () => {
		const [first, second] = [6457827717110365317n, 3203168211198807973n];
		expect(stateFromSeed(1234567)).toEqual(
			Uint32Array.from([first & 0xffffffffn, first >> 32n, second & 0xffffffffn, second >> 32n].map(Number)),
		);
	});

	test('gives the same numbers for the same seed, and others for the next seed', () => {
		const draws = (seed: number): number[] => Array.from({length: 20}, createRandom(seed).uint32);
		expect(draws(2 ** 48 - 1)).toEqual(draws(2 ** 48 - 1));
		expect(draws(2 ** 48 - 1)).not.toEqual(draws(2 ** 48 - 2));
	});

	test.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses the seed %s', seed => {
		expect(() => createRandom(seed)).toThrow(`Expected \`seed\` to be an integer from 0 to 2^53 - 1, got ${seed}`);
	});

	test('uniform numbers lie in [0, 1), with the moments of the uniform distribution', () => {
		const numbers = Array.from({length: 100_000}, createRandom(7).uniform);
		expect(Math.min(...numbers.slice(0, 50_000))).toBeGreaterThanOrEqual(0);
		expect(numbers.every(number => number < 1)).toBe(true);
		expect(moment(numbers, 1)).toBeCloseTo(1 / 2, 2);
		expect(moment(numbers, 2)).toBeCloseTo(1 / 3, 2);
	});

	test('normal deviates have the first four moments of the normal distribution, and neighbours are not correlated', () => {
		const numbers = Array.from({length: 200_000}, createRandom(7).normal);
		expect(Math.abs(moment(numbers, 1))).toBeLessThan(0.01);
		expect(Math.abs(moment(numbers, 2) - 1)).toBeLessThan(0.02);
		expect(Math.abs(moment(numbers, 3))).toBeLessThan(0.04);
		expect(Math.abs(moment(numbers, 4) - 3)).toBeLessThan(0.1);
		expect(
			Math.abs(
				moment(
					numbers.slice(1).map((number, i) => number * numbers[i]!),
					1,
				),
			),
		).toBeLessThan(0.01);
	});

	test('integers below a limit are all drawn about equally often', () => {
		const random = createRandom(7);
		const counts = new Array<number>(7).fill(0);
		for (let i = 0; i < 70_000; i++) counts[random.below(7)]!++;
		for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
	});

	test('a limit that does not divide 2^32 leaves no remainder to the small integers', () => {
		// Without drawing again, those below 2^30 would come up twice as often: 1/2 of all instead of 1/3.
		const random = createRandom(7);
		const drawn = Array.from({length: 30_000}, () => random.below(3 * 2 ** 30));
		expect(drawn.filter(number => number < 2 ** 30).length / drawn.length).toBeCloseTo(1 / 3, 1);
	});
});

const moment = (numbers: readonly number[], power: number): number =>
	numbers.reduce((sum, number) => sum + number ** power, 0) / numbers.length;
