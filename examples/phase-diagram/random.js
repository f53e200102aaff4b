/**
 * Random numbers that are the same on every machine for the same seed.
 *
 * The generator is xoshiro128** 1.1 of Blackman and Vigna (https://prng.di.unimi.it): 128 bits of state, period 2^128 - 1. Its state is
 * filled by SplitMix64 from the seed, as its authors advise, so that neighbouring seeds give unrelated sequences.
 */

/**
 * @typedef {object} Random
 * @property {() => number} uint32 - An integer from 0 to 2^32 - 1.
 * @property {() => number} uniform - A number from 0 up to, but not including, 1, with 53 random bits.
 * @property {(limit: number) => number} below - An integer from 0 to `limit - 1`; `limit` is at most 2^32.
 * @property {() => number} normal - A standard normal deviate.
 */

/** @type {(seed: number) => Random} */
export const createRandom = seed => {
	if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`Expected \`seed\` to be an integer from 0 to 2^53 - 1, got ${seed}`);
	const uint32 = xoshiro128(stateFromSeed(seed));
	const uniform = () => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
	return {uint32, uniform, below: below(uint32), normal: normal(uniform)};
};

/**
 * The generator itself.
 *
 * @type {(state: Uint32Array) => () => number}
 */
export const xoshiro128 = state => {
	let [a = 0, b = 0, c = 0, d = 0] = state;
	return () => {
		const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
		const shifted = b << 9;
		c ^= a;
		d ^= b;
		b ^= c;
		a ^= d;
		c ^= shifted;
		d = rotateLeft(d, 11);
		return result;
	};
};

/** @type {(value: number, numBits: number) => number} */
const rotateLeft = (value, numBits) => (value << numBits) | (value >>> (32 - numBits));

/**
 * Two outputs of SplitMix64, each as its low and its high half.
 *
 * @type {(seed: number) => Uint32Array}
 */
export const stateFromSeed = seed => {
	let counter = BigInt(seed);
	const words = new BigUint64Array(2);
	for (let i = 0; i < words.length; i++) {
		counter = BigInt.asUintN(64, counter + 0x9e3779b97f4a7c15n);
		let z = counter;
		z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
		z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
		words[i] = z ^ (z >> 31n);
	}
	return Uint32Array.from([...words].flatMap(word => [Number(word & 0xffffffffn), Number(word >> 32n)]));
};

/**
 * What is left of 2^32 after the last whole multiple of `limit` is drawn again: otherwise small numbers would come up more often.
 *
 * @type {(uint32: () => number) => (limit: number) => number}
 */
const below = uint32 => limit => {
	const end = 2 ** 32 - (2 ** 32 % limit);
	let drawn = uint32();
	while (drawn >= end) drawn = uint32();
	return drawn % limit;
};

/**
 * Marsaglia's polar method. It makes two deviates at a time.
 *
 * @type {(uniform: () => number) => () => number}
 */
const normal = uniform => {
	/** @type {number | undefined} */
	let spare;
	return () => {
		if (spare !== undefined) {
			const deviate = spare;
			spare = undefined;
			return deviate;
		}
		let x = 0;
		let y = 0;
		let square = 0;
		do {
			x = 2 * uniform() - 1;
			y = 2 * uniform() - 1;
			square = x * x + y * y;
		} while (square >= 1 || square === 0);
		const scale = Math.sqrt((-2 * Math.log(square)) / square);
		spare = y * scale;
		return x * scale;
	};
};
