import {describe, expect, test} from 'vitest';
import type {JobState, JobStatus} from '../../src/engines/engine.js';
import {createAttempt} from '../../src/map-state.js';
import {poll} from '../../src/poll.js';
import {encodeOutcomes} from '../helpers/chunk-files.js';
import {createMapInMemory, diskError, type MapInMemory, type MapParts, WORK_DIR} from '../helpers/map-in-memory.js';

/** A map that goes on for ever in spite of its limits would hang the test, too. */
const MAX_ROUNDS = 50_000;

const watch = async ({state, ports, reducer}: MapInMemory, onRound: () => void = () => undefined): Promise<unknown> => {
	const stop = new AbortController();
	let numRounds = 0;
	const count = (): void => {
		onRound();
		if (++numRounds === MAX_ROUNDS) stop.abort(new Error('too many rounds'));
	};
	return poll(state, ports, reducer, {
		onRound: count,
		signal: stop.signal,
		feed: undefined,
		chunksWanted: () => Number.POSITIVE_INFINITY,
	}).then(
		() => undefined,
		(error: unknown) => error,
	);
};

describe('a disk that is full while the work_dir can be read', () => {
	test('is one outage, told once, and ends the map at `outageLimitMs`', async () => {
		let numAppends = 0;
		const map = createMapInMemory({
			numChunks: 2,
			options: {outageLimitMs: 600_000},
			engine: {},
			fault: operation => {
				if (operation !== 'append') return;
				numAppends++;
				throw diskError('ENOSPC', 'write');
			},
		});
		expect(await watch(map)).toMatchObject({code: 'ERR_POOL_OUTAGE'});
		expect(numAppends).toBeGreaterThan(2);
		expect(map.told).toEqual([expect.stringContaining('ENOSPC')]);
	});
});

describe('a queue that does not answer', () => {
	test.each([
		['pending', {pendingLimitMs: 60_000}],
		['unreachable', {unreachableAfterMs: 60_000}],
	] as const)('is no evidence that a queue-job is still %s', async (state, options) => {
		const listed: JobStatus[] = [];
		let numSilent = 0;
		const list = (now: JobState): JobStatus[] => listed.map(job => ({...job, state: now, rawState: now}));
		const map = createMapInMemory({
			numChunks: 1,
			options: {...options, outageLimitMs: 7_200_000},
			engine: {
				submit: async requests =>
					requests.map(({name}) => {
						listed.push({id: '7', name, state, rawState: state});
						return {kind: 'submitted', id: '7'};
					}),
				status: async () => {
					// After its first answer it is silent for an hour; the queue-job runs by then.
					if (map.clock.elapsedMs() < 5000) return list(state);
					if (map.clock.elapsedMs() > 3_600_000) return list('running');
					numSilent++;
					throw new Error('no master');
				},
			},
		});
		const stop = new Error('the test has seen enough');
		const seen = await watch(map, () => {
			if (map.clock.elapsedMs() > 3_700_000) throw stop;
		});
		expect(seen).toBe(stop);
		expect(numSilent).toBeGreaterThan(10);
		expect(map.journal().map(({event}) => event)).not.toContain('lost');
	});
});

describe('a chunk that fails while the work_dir can’t be read', () => {
	test.each([
		['its parts', 'open'],
		['its listing', 'list'],
	] as const)('keeps what is finished, once %s can be read again', async (_, failing) => {
		let isBroken = true;
		let numFaults = 0;
		const map = createMapInMemory({
			numChunks: 1,
			options: {maxNumResubmissions: 0},
			engine: {explain: async () => ({failed: true, kind: 'killed', reason: 'killed by SIGKILL'})},
			fault: (operation, path) => {
				if (operation !== failing || !isBroken || (failing === 'open' && !path.endsWith('.part'))) return;
				numFaults++;
				throw diskError('EIO', 'open');
			},
		});
		map.contents.set(`${WORK_DIR}/000000000.1.part`, encodeOutcomes([{value: 5}], {header: {numTasks: 2}}));
		const error = await watch(map, () => {
			if (map.clock.elapsedMs() > 60_000) isBroken = false;
		});
		expect(error).toBeUndefined();
		expect(numFaults).toBeGreaterThan(1);
		expect(map.reducer.counts()).toEqual({done: 1, failed: 1, cancelled: 0});
		expect(map.told).toHaveLength(2);
	});

	test('does not wait for a file that is no file of a worker', async () => {
		const map = createMapInMemory({
			numChunks: 1,
			options: {maxNumResubmissions: 0},
			engine: {explain: async () => ({failed: true, reason: 'exit status 1'})},
			fault: (operation, path) => {
				if (operation === 'open' && path.endsWith('.part')) throw diskError('ELOOP', 'open');
			},
		});
		expect(await watch(map)).toBeUndefined();
		expect(map.reducer.counts()).toEqual({done: 0, failed: 2, cancelled: 0});
	});
});

describe('a queue-job that another process has submitted, and that the queue does not list', () => {
	/** One whose process was killed. */
	const inherit = (parts: Pick<MapParts, 'engine' | 'owner'>): MapInMemory => {
		const map = createMapInMemory({numChunks: 2, options: {maxNumResubmissions: 0}, ...parts});
		map.state.toSubmit.clear();
		for (const chunk of map.state.chunks) chunk.attempts.push(createAttempt(1, `q${chunk.chunk.ichunk}`, false));
		return map;
	};
	const LINE =
		'queue-map-reduce: the queue-jobs of 2 chunks are not in the queue any more, and left no result that can be seen: waiting up to 1.5 minutes (`graceMs`) for one';

	test('is waited for, and it is said once for how long', async () => {
		const map = inherit({engine: {}, owner: {number: 2}});
		expect(await watch(map)).toBeUndefined();
		expect(map.told.filter(line => line.includes('graceMs'))).toEqual([LINE]);
		expect(map.journal()).toContainEqual(expect.objectContaining({event: 'warning', reason: LINE.replace('queue-map-reduce: ', '')}));
	});

	test('is told of once the queue has said so, however long that was silent', async () => {
		let numAsked = 0;
		const map = inherit({
			engine: {
				status: async () => {
					if (numAsked++ < 3) throw new Error('no master');
					return [];
				},
			},
			owner: {number: 2},
		});
		await watch(map);
		expect(map.told.filter(line => line.includes('graceMs'))).toEqual([LINE]);
	});

	test('is not spoken of as long as the queue is silent, nor when it is there or was submitted by this process', async () => {
		let numSilent = 0;
		const silent = inherit({
			engine: {
				status: async () => {
					if (numSilent++ < 3) throw new Error('no master');
					return [0, 1].map(i => ({id: `${i}`, name: `q${i}`, state: 'error', rawState: 'Eqw'}));
				},
				explain: async () => ({failed: true, reason: 'no shell'}),
			},
			owner: {number: 2},
		});
		await watch(silent);
		expect([numSilent > 3, silent.told.join()]).toEqual([true, expect.not.stringContaining('graceMs')]);
		const first = inherit({engine: {}, owner: {number: 1}});
		await watch(first);
		expect(first.told.join()).not.toContain('graceMs');
		const again = createMapInMemory({numChunks: 1, options: {maxNumResubmissions: 0}, engine: {}, owner: {number: 2}});
		await watch(again);
		expect(again.told.join()).not.toContain('graceMs');
	});
});
