/** Random numbers that are the same on every machine for the same seed. */
import {createHash} from 'node:crypto';
import {createRequire} from 'node:module';
import {describe} from '../check-options.js';
import {PoolError} from '../errors.js';

/**
 * A stream of random numbers: each call gives the next one, uniform from 0 up to, but not including, 1, with 53 random bits. The same seed gives the same stream,
 * on every machine; seeds that are next to each other give streams that have nothing to do with each other.
 *
 * With `taskContext().seed` every task has a stream of its own, which depends on the option `seed` and the task's index alone, not on chunks, resubmission
 * and engine. The generator is xoroshiro128+ of Blackman and Vigna (period 2^128 - 1), from the package pure-rand, of whose outputs the weak lowest bits are left out;
 * its state is made of the SHA-256 digest of the seed as text. It is not for secrets.
 *
 * @example
 * ```ts
 * export const estimatePi = ({numPoints}) => {
 * 	const random = randomStream(taskContext().seed);
 * 	let numInside = 0;
 * 	for (let i = 0; i < numPoints; i++) if (random() ** 2 + random() ** 2 < 1) numInside++;
 * 	return (4 * numInside) / numPoints;
 * };
 * ```
 *
 * @param seed - A safe integer or a text; `1` and `'1'` are the same.
 * @throws PoolError `ERR_POOL_OPTION` for any other seed.
 */
export const randomStream = (seed: number | string): (() => number) => streamOf(`randomStream:${seedText(seed)}`);

/** @throws PoolError `ERR_POOL_OPTION` unless it is a safe integer or a text. */
export const seedText = (seed: unknown): string => {
	if (typeof seed === 'string' || (typeof seed === 'number' && Number.isSafeInteger(seed))) return String(seed);
	throw new PoolError(
		'ERR_POOL_OPTION',
		`Expected \`seed\` to be a safe integer or a string, got ${describe(seed)}. In a task it may be \`taskContext().seed\`.`,
	);
};

/** The stream that a text gives. Texts of one use begin with its name, so that no two uses of one seed give the same numbers. */
export const streamOf = (text: string): (() => number) => {
	const digest = createHash('sha256').update(text).digest();
	const generator = loadGenerators().xoroshiro128plusFromState([0, 4, 8, 12].map(offset => digest.readInt32BE(offset)));
	// The sum that the generator gives is linear in its lowest bits, so these are left out.
	return () => ((generator.next() >>> 5) * 2 ** 26 + (generator.next() >>> 6)) / 2 ** 53;
};

type Generators = typeof import('pure-rand/generator/xoroshiro128plus');

let generators: Generators | undefined;

/** Not by `import()`: a task has its first number at once. Not with this file: every queue-job whose module imports the library would pay for it. */
const loadGenerators = (): Generators => {
	generators ??= createRequire(import.meta.url)('pure-rand/generator/xoroshiro128plus') as Generators;
	return generators;
};
