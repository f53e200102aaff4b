/** Maps that may not have all their queue-jobs at once, over a queue in memory. */
import {describe, expect, test} from 'vitest';
import type {JobStatus} from '../../src/engines/engine.js';
import {poll} from '../../src/poll.js';
import {encodeOutcomes} from '../helpers/chunk-files.js';
import {createMapInMemory, type MapInMemory, WORK_DIR} from '../helpers/map-in-memory.js';

const TAKES_MS = 10_000;

/** Grid Engine's. */
const LISTED_AFTER_END_MS = 1000;

type Job = {readonly name: string; readonly ichunk: number; readonly submittedMs: number};

type Watched = {
	readonly map: MapInMemory;
	readonly most: number;
	readonly numAsked: number;
	readonly numRounds: number;
	/** When the last result came into the listing. */
	readonly seenAtMs: number;
};

/** Every queue-job runs at once, and brings its result after ten seconds. */
const runAll = async (numChunks: number, options: object, outlives = LISTED_AFTER_END_MS): Promise<Watched> => {
	const jobs: Job[] = [];
	let numAsked = 0;
	let numRounds = 0;
	let most = 0;
	let seenAtMs = 0;
	const listed = (): Job[] => jobs.filter(({submittedMs}) => map.clock.elapsedMs() < submittedMs + TAKES_MS + outlives);
	const map = createMapInMemory({
		numChunks,
		options,
		engine: {
			submit: async requests =>
				requests.map(({name, scriptArguments: [ichunk]}) => {
					jobs.push({name, ichunk: Number(ichunk), submittedMs: map.clock.elapsedMs()});
					most = Math.max(most, listed().length);
					return {kind: 'submitted', id: name};
				}),
			status: async () => {
				numAsked++;
				return listed().map(({name}): JobStatus => ({id: name, name, state: 'running', rawState: 'r'}));
			},
		},
		fault: operation => {
			if (operation !== 'list') return;
			for (const {ichunk, submittedMs} of jobs) {
				const path = `${WORK_DIR}/00000000${ichunk}.1.out`;
				if (map.clock.elapsedMs() < submittedMs + TAKES_MS || map.contents.has(path)) continue;
				map.contents.set(path, encodeOutcomes([{value: 1}, {value: 2}], {header: {ichunk, numTasks: 2}}));
				seenAtMs = map.clock.elapsedMs();
			}
		},
	});
	const stop = new AbortController();
	const onRound = (): void => {
		if (++numRounds > 10_000) stop.abort(new Error('too many rounds'));
	};
	await poll(map.state, map.ports, map.reducer, {onRound, signal: stop.signal, feed: undefined, chunksWanted: () => numChunks});
	return {map, most, numAsked, numRounds, seenAtMs};
};

describe('a map with a limit', () => {
	test.each([{maxQueuedJobs: 2}, {maxConcurrentJobs: 2}, {maxConcurrentJobs: 2, maxQueuedJobs: 7}])(
		'%j never has more queue-jobs in the queue, goes on as they end, and does not spin meanwhile',
		async options => {
			const {map, most, numAsked, numRounds} = await runAll(6, options);
			expect(map.reducer.counts()).toEqual({done: 12, failed: 0, cancelled: 0});
			expect(most).toBe(2);
			// Three rows of ten seconds, each followed by the next as soon as the queue has forgotten it.
			expect(map.clock.elapsedMs()).toBeLessThan(3 * (TAKES_MS + 5000));
			expect(numRounds).toBeLessThan(150);
			expect(numAsked).toBeLessThan(30);
		},
	);

	test('does not wait for ever for what the queue never forgets', async () => {
		const {map} = await runAll(4, {maxQueuedJobs: 2, graceMs: 60_000}, Number.POSITIVE_INFINITY);
		expect(map.reducer.counts()).toEqual({done: 8, failed: 0, cancelled: 0});
		expect(map.clock.elapsedMs()).toBeGreaterThan(60_000);
	});

	test('that is not reached asks no more often than one without', async () => {
		const free = await runAll(6, {});
		const limited = await runAll(6, {maxQueuedJobs: 100});
		expect([limited.numAsked, limited.numRounds, limited.most]).toEqual([free.numAsked, free.numRounds, 6]);
	});
});

test('W22: a map ends as soon as its last result is seen: nothing is waited for behind it', async () => {
	const {map, seenAtMs} = await runAll(1, {pollingIntervalMs: 5000});
	expect(map.reducer.counts()).toEqual({done: 2, failed: 0, cancelled: 0});
	expect(seenAtMs).toBeGreaterThan(TAKES_MS);
	expect(map.clock.elapsedMs()).toBe(seenAtMs);
});

describe('a question to the queue', () => {
	test('is answered by nothing older than the last submission, the last answer, and half an interval', async () => {
		const asked: {readonly nowMs: number; readonly notBeforeMs: number | undefined}[] = [];
		const map = createMapInMemory({
			numChunks: 1,
			engine: {
				submit: async requests => {
					map.clock.advance(300);
					return requests.map(({name}) => ({kind: 'submitted', id: name}));
				},
				status: async notBeforeMs => {
					asked.push({nowMs: map.clock.elapsedMs(), notBeforeMs});
					map.clock.advance(100);
					return [{id: 'q', name: 'another', state: 'running', rawState: 'r'}];
				},
			},
		});
		const enough = new Error('the test has seen enough');
		const onRound = (): void => {
			if (asked.length >= 4) throw enough;
		};
		const watching = poll(map.state, map.ports, map.reducer, {
			onRound,
			signal: new AbortController().signal,
			feed: undefined,
			chunksWanted: () => 1,
		});
		await expect(watching).rejects.toBe(enough);
		// The clock begins at one second.
		expect(asked[0]?.notBeforeMs).toBe(1300);
		for (const [i, {nowMs, notBeforeMs}] of asked.entries()) {
			const before = asked[i - 1];
			if (before !== undefined) expect(notBeforeMs).toBe(Math.max(before.nowMs + 100, nowMs - 2500));
		}
	});
});

test('a removal that the queue has not heard of is tried again with the next question', async () => {
	const heard: string[][] = [];
	let isDeaf = true;
	const map = createMapInMemory({
		numChunks: 1,
		engine: {
			status: async () => [{id: '7', name: 'another', state: 'running', rawState: 'r'}],
			remove: async ids => {
				if (isDeaf) throw new Error('no master');
				heard.push([...ids]);
			},
		},
	});
	map.state.unremoved.add('7');
	const enough = new Error('the test has seen enough');
	const onRound = (): void => {
		if (map.clock.elapsedMs() > 10_000) isDeaf = false;
		if (map.state.unremoved.size === 0) throw enough;
	};
	const watching = poll(map.state, map.ports, map.reducer, {
		onRound,
		signal: new AbortController().signal,
		feed: undefined,
		chunksWanted: () => 1,
	});
	await expect(watching).rejects.toBe(enough);
	expect(heard).toEqual([['7']]);
});
