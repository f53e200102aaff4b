/**
 * `npm run simulate -- --seeds 1000000` runs so many seeds, `--seed 4711` replays one with all that happens in it. Exits with 1 when a promise was broken,
 * or when a kind of fault never happened.
 */
import {parseArgs} from 'node:util';
import {bundleSimulation, replaySeed, runSeeds} from './run-seeds.js';
import type {BrokenSeed, ShardSummary} from './shard.js';

/** So many broken seeds are enough to begin with. */
const MAX_BROKEN = 20;

const main = async (): Promise<boolean> => {
	const {values} = parseArgs({
		options: {
			seed: {type: 'string'},
			seeds: {type: 'string', default: '20000'},
			first: {type: 'string', default: '1'},
			threads: {type: 'string'},
		},
	});
	const bundle = await bundleSimulation();
	try {
		if (values.seed !== undefined) return print(await replaySeed(bundle, toCount('seed', values.seed)));
		const beganMs = performance.now();
		const summary = await runSeeds({
			bundle,
			firstSeed: toCount('first', values.first),
			numSeeds: toCount('seeds', values.seeds),
			maxBroken: MAX_BROKEN,
			...(values.threads === undefined ? {} : {numThreads: toCount('threads', values.threads)}),
			onProgress: ({numSeeds, broken}) => {
				if (process.stderr.isTTY) process.stderr.write(`\r${numSeeds} seeds, ${broken.length} broken`);
			},
		});
		if (process.stderr.isTTY) process.stderr.write('\n');
		return report(summary, performance.now() - beganMs);
	} finally {
		await bundle.remove();
	}
};

const toCount = (name: string, text: string): number => {
	const count = Number(text);
	if (Number.isInteger(count) && count >= 0) return count;
	throw new Error(`Expected --${name} to be an integer from 0 and up, got ${text}`);
};

const print = ({trace, broken}: ShardSummary): boolean => {
	console.log(trace.join('\n'));
	for (const seed of broken) console.log(describe(seed));
	return broken.length === 0;
};

const report = ({numSeeds, numEvents, virtualMs, faults, outcomes, broken}: ShardSummary, tookMs: number): boolean => {
	const seconds = (tookMs / 1000).toFixed(1);
	const days = (virtualMs / 86_400_000).toFixed(0);
	console.log(
		`${numSeeds} seeds in ${seconds} s (${(tookMs / numSeeds).toFixed(2)} ms each): ${numEvents} events in ${days} simulated days`,
	);
	console.log('\nfaults that happened:');
	for (const [kind, times] of Object.entries(faults)) console.log(`${String(times).padStart(10)} ${kind}`);
	console.log('\ntasks, by what became of them:');
	for (const [kind, times] of Object.entries(outcomes).sort(([, a], [, b]) => b - a)) console.log(`${String(times).padStart(10)} ${kind}`);
	const never = Object.entries(faults).flatMap(([kind, times]) => (times === 0 ? [kind] : []));
	if (never.length > 0) console.log(`\nnever happened, so nothing is known of it: ${never.join(', ')}`);
	if (broken.length > 0) console.log(`\n${broken.map(describe).join('\n')}`);
	return never.length === 0 && broken.length === 0;
};

const describe = ({seed, offences}: BrokenSeed): string =>
	[
		`seed ${seed} (npm run simulate -- --seed ${seed}):`,
		...offences.map(({promise, what, atMs}) => `  broken after ${(atMs / 1000).toFixed(3)} s: ${promise}: ${what}`),
	].join('\n');

process.exitCode = (await main()) ? 0 : 1;
