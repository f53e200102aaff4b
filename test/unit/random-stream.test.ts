import {createHash} from 'node:crypto';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {randomStream} from '../../src/experiments/random-stream.js';

const WORD = 64n;
const rotateLeft = (value: bigint, numBits: bigint): bigint => BigInt.asUintN(64, value << numBits) | (value >> (WORD - numBits));

/** xoroshiro128+ as its authors write it, with words of 64 bits; of each sum the lower half is an output. */
const reference = (text: string): (() => number) => {
	const digest = createHash('sha256').update(text).digest();
	let s0 = digest.readBigUInt64BE(0);
	let s1 = digest.readBigUInt64BE(8);
	const next = (): bigint => {
		const sum = BigInt.asUintN(32, s0 + s1);
		s1 ^= s0;
		s0 = BigInt.asUintN(64, rotateLeft(s0, 24n) ^ s1 ^ (s1 << 16n));
		s1 = rotateLeft(s1, 37n);
		return sum;
	};
	return () => Number((next() >> 5n) * 2n ** 26n + (next() >> 6n)) / 2 ** 53;
};

const take = (random: () => number, count: number): number[] => Array.from({length: count}, random);

describe('C7: a stream of random numbers', () => {
	test('is what xoroshiro128+ makes of the digest of its seed', () => {
		fc.assert(
			fc.property(fc.oneof(fc.maxSafeInteger(), fc.string()), seed => {
				expect(take(randomStream(seed), 20)).toEqual(take(reference(`randomStream:${seed}`), 20));
			}),
		);
	});

	test('never changes: results of last year must come out again', () => {
		expect(take(randomStream(0), 3)).toEqual([0.4745720082328415, 0.8000160512239053, 0.9028673698019608]);
		expect(take(randomStream('pilot'), 3)).toEqual([0.7289862807819204, 0.3544382185440498, 0.5240376777941539]);
		expect(take(randomStream(2 ** 48 - 1), 3)).toEqual([0.8111741864050176, 0.46175898738366417, 0.2067622465881832]);
	});

	test('X9: is the same for the same seed, as a number or as text, and another for any other', () => {
		expect(take(randomStream('7'), 10)).toEqual(take(randomStream(7), 10));
		const firsts = Array.from({length: 10_000}, (_, seed) => randomStream(seed)());
		expect(new Set(firsts).size).toBe(10_000);
	});

	test('does not depend on what another stream gives', () => {
		const alone = take(randomStream(1), 10);
		const [one, other] = [randomStream(1), randomStream(2)];
		expect(
			Array.from({length: 10}, () => {
				other();
				return one();
			}),
		).toEqual(alone);
	});

	test('is uniform in [0, 1), to the last of its 53 bits', () => {
		const numbers = take(randomStream('uniform'), 100_000);
		expect(numbers.every(x => x >= 0 && x < 1)).toBe(true);
		const ones = Array.from({length: 53}, (_, bit) => numbers.filter(x => Math.floor(x * 2 ** (bit + 1)) % 2 === 1).length);
		// Five standard deviations of a fair coin thrown 100,000 times.
		for (const count of ones) expect(Math.abs(count - 50_000)).toBeLessThan(5 * Math.sqrt(25_000));
	});

	test('of neighbouring seeds has nothing to do with the one before', () => {
		// The first numbers of 20,001 neighbours: pairs of them fill the square evenly.
		const firsts = Array.from({length: 20_001}, (_, seed) => randomStream(seed)());
		const counts = new Uint32Array(100);
		for (const [i, first] of firsts.entries()) {
			if (i === 0) continue;
			const cell = Math.floor((firsts[i - 1] as number) * 10) * 10 + Math.floor(first * 10);
			counts[cell] = (counts[cell] as number) + 1;
		}
		const chiSquare = [...counts].reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
		// 99 degrees of freedom: their mean is 99, their standard deviation 14.
		expect(Math.abs(chiSquare - 99)).toBeLessThan(5 * 14);
	});

	test.each([
		[undefined, 'undefined'],
		[null, 'null'],
		[Number.NaN, 'NaN'],
		[0.5, '0.5'],
		[2 ** 53, '9007199254740992'],
		[7n, '7n'],
	])('refuses %s as its seed with a sentence', (seed, got) => {
		const make = (): unknown => randomStream(seed as unknown as number);
		expect(make).toThrow(expect.objectContaining({code: 'ERR_POOL_OPTION'}));
		expect(make).toThrow(`Expected \`seed\` to be a safe integer or a string, got ${got}. In a task it may be \`taskContext().seed\`.`);
	});
});
