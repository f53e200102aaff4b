import {describe, expect, test} from 'vitest';
import {parseClaim} from '../../src/claim-file.js';
import type {JobState, JobStatus} from '../../src/engines/engine.js';
import {claimPath, jobName} from '../../src/layout.js';
import {type AttemptState, createAttempt} from '../../src/map-state.js';
import type {PoolOptions} from '../../src/options.js';
import {createRefill, type Refill} from '../../src/refill.js';
import {createMapInMemory, type MapInMemory, SESSION, WORK_DIR} from '../helpers/map-in-memory.js';

const NUM_JOBS = 2;

type Setting = {readonly map: MapInMemory; readonly refill: Refill; readonly answer: (...states: JobState[]) => Promise<void>};

/** Both chunks that queue-jobs were submitted for are done; chunks 2 to 5 are unclaimed. */
const createSetting = (options: PoolOptions = {}): Setting => {
	const map = createMapInMemory({numChunks: 6, options: {schedule: 'dynamic', numJobs: NUM_JOBS, ...options}, engine: {}});
	for (const chunk of map.state.toSubmit) {
		const {ichunk} = chunk.chunk;
		chunk.attempts.push({...createAttempt(1, jobName(SESSION, ichunk, 1), false), jobId: String(900 + ichunk)});
		chunk.decision = {kind: 'done', attempt: 1};
	}
	map.state.toSubmit.clear();
	const refill = createRefill(map.state, map.ports, map.reducer);
	const answer = async (...states: JobState[]): Promise<void> => {
		refill.answered(states.map((state, i): JobStatus => ({id: String(900 + i), name: jobName(SESSION, i, 1), state, rawState: state})));
		await refill.fill();
	};
	return {map, refill, answer};
};

const toSubmit = ({state}: MapInMemory): number[] => [...state.toSubmit].map(({chunk}) => chunk.ichunk);
const attemptAt = ({state}: MapInMemory, ichunk: number): AttemptState => state.chunks[ichunk]?.attempts[0] as AttemptState;

describe('queue-jobs that are missing', () => {
	test('in three answers, one after the other, are replaced by as many chunks, claimed for them', async () => {
		const {map, answer} = createSetting();
		await answer();
		await answer('running');
		await answer();
		// One was there a moment ago.
		expect(toSubmit(map)).toEqual([2]);
		expect(parseClaim(map.contents.get(claimPath(WORK_DIR, 2))?.toString() ?? '')?.home).toMatchObject({ichunk: 2, attempt: 1});
		for (let i = 0; i < 2; i++) await answer();
		expect(toSubmit(map)).toEqual([2]);
		// The one that is to be submitted counts.
		await answer();
		expect(toSubmit(map)).toEqual([2, 3]);
		for (let i = 0; i < 9; i++) await answer();
		expect(toSubmit(map)).toEqual([2, 3]);
	});

	test.each(['pending', 'running', 'held', 'suspended', 'unreachable'] as const)('are not those that are %s', async state => {
		const {map, answer} = createSetting();
		for (let i = 0; i < 9; i++) await answer(state, state);
		expect(toSubmit(map)).toEqual([]);
	});

	test.each(['deleting', 'error'] as const)('are those that are listed as %s', async state => {
		const {map, answer} = createSetting();
		for (let i = 0; i < 3; i++) await answer('running', state);
		expect(toSubmit(map)).toEqual([2]);
	});

	test('are those that can not be reached for `unreachableAfterMs`', async () => {
		const {map, answer} = createSetting({unreachableAfterMs: 60_000});
		await answer('running', 'unreachable');
		map.clock.advance(59_000);
		for (let i = 0; i < 3; i++) await answer('running', 'unreachable');
		expect(toSubmit(map)).toEqual([]);
		map.clock.advance(1000);
		for (let i = 0; i < 3; i++) await answer('running', 'unreachable');
		expect(toSubmit(map)).toEqual([2]);
	});

	test('are those that were given up, though the queue goes on listing them', async () => {
		const {map, answer} = createSetting();
		attemptAt(map, 1).isRemoved = true;
		for (let i = 0; i < 3; i++) await answer('running', 'running');
		expect(toSubmit(map)).toEqual([2]);
	});

	test('are not those that have died under a chunk: their chunk is submitted again', async () => {
		const {map, answer} = createSetting();
		for (const ichunk of [0, 1]) (map.state.chunks[ichunk] as {decision: unknown}).decision = {kind: 'open'};
		for (let i = 0; i < 9; i++) await answer();
		expect(toSubmit(map)).toEqual([]);
	});

	test('are of no use when nothing is left', async () => {
		const {map, answer} = createSetting();
		for (const chunk of map.state.chunks) chunk.decision = {kind: 'done', attempt: 1};
		for (let i = 0; i < 9; i++) await answer();
		expect(toSubmit(map)).toEqual([]);
	});
});

test('a chunk that somebody else has claimed meanwhile is passed over', async () => {
	const {map, answer} = createSetting();
	map.contents.set(claimPath(WORK_DIR, 2), Buffer.alloc(0));
	for (let i = 0; i < 3; i++) await answer('running');
	expect(toSubmit(map)).toEqual([3]);
});

describe('queue-jobs that somebody has deleted under a chunk', () => {
	const remove = (map: MapInMemory, ichunk: number): void => {
		attemptAt(map, ichunk).failure = {kind: 'deleted', reason: 'the queue-job was deleted'};
		(map.state.chunks[ichunk] as {decision: unknown}).decision = {kind: 'failed', attempt: 1};
	};

	test('are not replaced', async () => {
		const {map, answer} = createSetting();
		remove(map, 1);
		for (let i = 0; i < 9; i++) await answer('running');
		expect(toSubmit(map)).toEqual([]);
	});

	test('take with them what is left, when they were all', async () => {
		const {map, answer} = createSetting();
		for (const ichunk of [0, 1]) remove(map, ichunk);
		for (let i = 0; i < 2; i++) await answer();
		expect(map.state.chunks.map(({decision}) => decision.kind)).toEqual(['failed', 'failed', 'open', 'open', 'open', 'open']);
		await answer();
		expect(map.state.chunks.map(({decision}) => decision.kind)).toEqual(Array(6).fill('failed'));
		expect(map.reducer.failures().map(({itask, kind}) => [itask, kind])).toEqual([4, 5, 6, 7, 8, 9, 10, 11].map(i => [i, 'deleted']));
		await map.state.journal.flush({durable: false});
		expect(map.journal().filter(({event}) => event === 'chunk-failed')).toHaveLength(4);
	});

	test('in an earlier run of the map are no reason to leave out some now', async () => {
		const {map} = createSetting();
		for (const ichunk of [0, 1]) remove(map, ichunk);
		const refill = createRefill(map.state, map.ports, map.reducer);
		for (let i = 0; i < 3; i++) {
			refill.answered([]);
			await refill.fill();
		}
		expect(toSubmit(map)).toEqual([2, 3]);
	});
});

test('without dynamic chunks nothing is claimed', async () => {
	const map = createMapInMemory({numChunks: 3, engine: {}});
	const refill = createRefill(map.state, map.ports, map.reducer);
	for (let i = 0; i < 9; i++) {
		refill.answered([]);
		await refill.fill();
	}
	expect([...map.contents.keys()].filter(name => name.endsWith('.claim'))).toEqual([]);
});
