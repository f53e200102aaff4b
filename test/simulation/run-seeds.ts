/** Bundles the simulation once, and runs many seeds in several threads. */
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {availableParallelism, tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Worker} from 'node:worker_threads';
import {build, type Plugin} from 'esbuild';
import {type FaultKind, noFaults} from './faults.js';
import type {ShardRequest, ShardSummary} from './shard.js';

const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

/** A text of a source file, which is in it exactly once, and what is put in its place. */
export type Edit = {readonly path: string; readonly from: string; readonly to: string};

export type Bundle = {readonly path: string; readonly remove: () => Promise<void>};

/** @param edits - Changes to the source, which stays as it is on the disk. */
export const bundleSimulation = async (edits: readonly Edit[] = []): Promise<Bundle> => {
	const directory = await mkdtemp(join(tmpdir(), 'qmr-simulation-'));
	const path = join(directory, 'shard.mjs');
	const remove = (): Promise<void> => rm(directory, {recursive: true, force: true});
	try {
		await build({
			entryPoints: [join(ROOT, 'test/simulation/shard.ts')],
			outfile: path,
			bundle: true,
			platform: 'node',
			format: 'esm',
			// They are loaded when they are used, and nothing here uses them.
			packages: 'external',
			logLevel: 'silent',
			plugins: edits.length === 0 ? [] : [applyEdits(edits)],
		});
		return {path, remove};
	} catch (error) {
		await remove();
		throw error;
	}
};

const applyEdits = (edits: readonly Edit[]): Plugin => ({
	name: 'edits',
	setup: ({onLoad, onEnd}) => {
		const left = new Set(edits);
		onLoad({filter: /\/src\/.*\.ts$/}, async ({path}) => {
			let contents = await readFile(path, 'utf8');
			for (const edit of edits) {
				if (path !== join(ROOT, edit.path)) continue;
				const numFound = contents.split(edit.from).length - 1;
				if (numFound !== 1) throw new Error(`Expected ${JSON.stringify(edit.from)} once in ${edit.path}, got it ${numFound} times.`);
				contents = contents.replace(edit.from, () => edit.to);
				left.delete(edit);
			}
			return {contents, loader: 'ts'};
		});
		onEnd(() => {
			for (const {path} of left) throw new Error(`Expected the simulation to use ${path}.`);
		});
	},
});

export type RunRequest = {
	readonly bundle: Bundle;
	readonly firstSeed: number;
	readonly numSeeds: number;
	/** So many seeds that break a promise are enough. */
	readonly maxBroken: number;
	readonly numThreads?: number;
	readonly onProgress?: (summary: ShardSummary) => void;
};

/** Small enough that all threads end at about the same time. */
const SEEDS_A_SHARD = 100;

/** Node keeps some kilobytes of every abort signal that was made of others: a new thread begins without them. */
const SHARDS_A_THREAD = 50;

export const runSeeds = async ({bundle, firstSeed, numSeeds, maxBroken, numThreads, onProgress}: RunRequest): Promise<ShardSummary> => {
	const total: ShardSummary = {numSeeds: 0, numEvents: 0, virtualMs: 0, faults: noFaults(), outcomes: {}, broken: [], trace: []};
	let next = firstSeed;
	const end = firstSeed + numSeeds;
	const isLeft = (): boolean => next < end && total.broken.length < maxBroken;
	const work = async (): Promise<void> => {
		while (isLeft()) {
			const thread = new Worker(bundle.path);
			try {
				for (let shard = 0; shard < SHARDS_A_THREAD && isLeft(); shard++) {
					const count = Math.min(SEEDS_A_SHARD, end - next);
					const request: ShardRequest = {firstSeed: next, numSeeds: count, isTraced: false, maxBroken};
					next += count;
					addTo(total, await ask(thread, request));
					onProgress?.(total);
				}
			} finally {
				await thread.terminate();
			}
		}
	};
	const threads = Math.min(numThreads ?? availableParallelism(), Math.ceil(numSeeds / SEEDS_A_SHARD));
	await Promise.all(Array.from({length: threads}, work));
	total.broken.sort((a, b) => a.seed - b.seed);
	return total;
};

/** Runs one seed again, and writes down all that happens in it. */
export const replaySeed = async (bundle: Bundle, seed: number): Promise<ShardSummary> => {
	const thread = new Worker(bundle.path);
	try {
		return await ask(thread, {firstSeed: seed, numSeeds: 1, isTraced: true, maxBroken: 1});
	} finally {
		await thread.terminate();
	}
};

const ask = (thread: Worker, request: ShardRequest): Promise<ShardSummary> =>
	new Promise((resolve, reject) => {
		const onMessage = (summary: ShardSummary): void => {
			thread.off('error', onError);
			resolve(summary);
		};
		const onError = (error: Error): void => {
			thread.off('message', onMessage);
			reject(new Error(`Some seed from ${request.firstSeed} on has ended its thread: ${error.stack}`));
		};
		thread.once('message', onMessage);
		thread.once('error', onError);
		thread.postMessage(request);
	});

const addTo = (total: ShardSummary, shard: ShardSummary): void => {
	total.numSeeds += shard.numSeeds;
	total.numEvents += shard.numEvents;
	total.virtualMs += shard.virtualMs;
	for (const [kind, times] of Object.entries(shard.faults)) total.faults[kind as FaultKind] += times;
	for (const [kind, times] of Object.entries(shard.outcomes)) total.outcomes[kind] = (total.outcomes[kind] ?? 0) + times;
	total.broken.push(...shard.broken);
};
