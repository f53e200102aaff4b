/** The promises of this library in so many simulated worlds. `npm run simulate` runs more, and replays one. */
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Bundle, bundleSimulation, replaySeed, runSeeds} from './run-seeds.js';
import {VARIANTS} from './variants.js';

const NUM_SEEDS = Number(process.env.QMR_SEEDS ?? 20_000);

describe('the library as it is', () => {
	let bundle: Bundle;
	beforeAll(async () => {
		bundle = await bundleSimulation();
	});
	afterAll(() => bundle.remove());

	test(`keeps every promise in ${NUM_SEEDS} worlds, in which every kind of fault happens`, async () => {
		const {numSeeds, broken, faults} = await runSeeds({bundle, firstSeed: 1, numSeeds: NUM_SEEDS, maxBroken: 5});
		// Without its trace: `npm run simulate -- --seed` tells that of the seed named here.
		expect(broken.map(({seed, offences}) => ({seed, offences}))).toEqual([]);
		expect(numSeeds).toBe(NUM_SEEDS);
		expect(Object.entries(faults).filter(([, times]) => times === 0)).toEqual([]);
	});

	test.each([1, 7, 4711])('seed %d replays exactly', async seed => {
		const [first, second] = [await replaySeed(bundle, seed), await replaySeed(bundle, seed)];
		expect(first.trace.length).toBeGreaterThan(10);
		expect(second.trace).toEqual(first.trace);
	});
});

/** A broken library that keeps its promises in so many worlds is not caught. */
const MAX_SEEDS = 6000;

test('a library can be broken on purpose in every way that is written down', async () => {
	for (const {edits} of VARIANTS) await (await bundleSimulation(edits)).remove();
});

describe('a library that is broken on purpose is caught', () => {
	test.each(VARIANTS)('$name', async ({edits, breaks}) => {
		const bundle = await bundleSimulation(edits);
		try {
			const {broken} = await runSeeds({bundle, firstSeed: 1, numSeeds: MAX_SEEDS, maxBroken: 1});
			const promises = broken.flatMap(({offences}) => offences.map(({promise}) => promise));
			expect(promises.filter(promise => breaks.includes(promise))).not.toEqual([]);
		} finally {
			await bundle.remove();
		}
	});

	test('a change that does not fit the source is refused', async () => {
		const edits = [{path: 'src/judge.ts', from: 'this is nowhere in it', to: ''}];
		await expect(bundleSimulation(edits)).rejects.toThrow('got it 0 times');
	});
});
