import {describe, expect, test} from 'vitest';
import {isHeldBack} from '../../src/capacity.js';
import type {ArrayRequest, Engine, JobRequest, SubmitOutcome} from '../../src/engines/engine.js';
import {PoolError} from '../../src/errors.js';
import type {JournalEvent} from '../../src/journal.js';
import {arrayName} from '../../src/layout.js';
import {type AttemptState, type ChunkState, createAttempt, createChunkStates, type MapState, toMapOptions} from '../../src/map-state.js';
import {submitNext} from '../../src/submit.js';
import {createHandClock} from '../helpers/hand-clock.js';

const SESSION = '2026-11-21T00-20-07_a10cda';

/** Of one array. */
const MAX_ELEMENTS = 40;

type Answer = (request: JobRequest, i: number) => SubmitOutcome;

/** A map of so many chunks over a scheduler that answers like this. What happens is told in order. */
const createMap = (numChunks: number, answer: Answer, options: Partial<MapState['options']> = {}) => {
	const happened: string[] = [];
	const requests: JobRequest[] = [];
	const noted: JournalEvent[] = [];
	const arrays: ArrayRequest[] = [];
	const chunks = createChunkStates(Array.from({length: numChunks}, (_, ichunk) => ({ichunk, firstTask: ichunk, numTasks: 1})));
	const owner = {check: async () => void happened.push('owner'), isDeposed: false};
	const state = {
		session: SESSION,
		workDir: '/w',
		options: {...toMapOptions({}), ...options},
		maxElements: Number.POSITIVE_INFINITY,
		unremoved: new Set(),
		leaving: new Map(),
		owner,
		chunks,
		toSubmit: new Set(chunks),
		journal: {
			note: (...events: readonly JournalEvent[]) => void noted.push(...events),
			flush: async ({durable}: {durable: boolean}) => void happened.push(`flush ${durable}`),
		},
	} as unknown as MapState;
	const engine = {
		submit: async (asked: readonly JobRequest[]) => {
			happened.push(`submit ${asked.length}`);
			requests.push(...asked);
			const outcomes: SubmitOutcome[] = [];
			for (const [i, request] of asked.entries()) {
				outcomes.push(answer(request, i));
				if (outcomes.at(-1)?.kind !== 'submitted') break;
			}
			return outcomes;
		},
		arrays: {
			elementVariable: 'ELEMENT',
			maxElements: async () => MAX_ELEMENTS,
			elementId: (id: string, element: number) => `${id}.${element}`,
			submit: async (request: ArrayRequest) => {
				happened.push(`array of ${request.numElements}`);
				arrays.push(request);
				return answer(request, arrays.length - 1);
			},
		},
	} as unknown as Engine;
	return {state, happened, requests, arrays, noted, submit: () => submitNext(state, {engine, clock: createHandClock()})};
};

const taken: Answer = (_, i) => ({kind: 'submitted', id: `${i + 1}`});

const failedOn = (attempt: number, host: string | undefined, others: Partial<AttemptState> = {}): AttemptState => ({
	...createAttempt(attempt, 'name', false),
	jobId: '1',
	host,
	failure: {kind: 'out-of-memory', reason: 'why'},
	...others,
});

describe('submitting', () => {
	test('notes who is who, on the disk, before the scheduler is called, and asks whether the work_dir is still ours', async () => {
		const {submit, happened, noted} = createMap(2, taken);
		expect(await submit()).toEqual({numTaken: 2, refusal: undefined});
		expect(happened.slice(0, 4)).toEqual(['owner', 'flush true', 'owner', 'submit 2']);
		expect(noted.map(({event}) => event)).toEqual(['submitting', 'submitting', 'submitted', 'submitted']);
	});

	test('takes 32 chunks at a time', async () => {
		const {submit, happened, state} = createMap(33, taken);
		await submit();
		expect(happened).toContain('submit 32');
		expect(state.toSubmit.size).toBe(1);
	});

	test.each(['temporary', 'full'] as const)('leaves what was refused as %s for later, under the same attempt', async kind => {
		const {submit, state} = createMap(3, (request, i) => (i === 1 ? {kind, reason: 'no'} : taken(request, i)));
		expect(await submit()).toEqual({numTaken: 1, refusal: {kind, reason: 'no'}});
		expect(state.toSubmit.size).toBe(2);
		expect(state.chunks.map(({attempts}) => attempts.length)).toEqual([1, 0, 0]);
	});

	test('remembers a submission without an answer as an attempt without a number', async () => {
		const {submit, state} = createMap(1, () => ({kind: 'unanswered', reason: 'no answer'}));
		await submit();
		expect(state.chunks[0]?.attempts).toMatchObject([{attempt: 1, jobId: undefined}]);
		expect(state.needsSweep).toBe(true);
	});

	test('C6: holds back what is more than `maxQueuedJobs`, until a chunk is decided', async () => {
		const {submit, state, happened} = createMap(4, taken, {maxQueuedJobs: 3});
		expect(await submit()).toEqual({numTaken: 3, refusal: undefined});
		expect(isHeldBack(state)).toBe(false);
		expect(await submit()).toEqual({numTaken: 0, refusal: undefined});
		expect(isHeldBack(state)).toBe(true);
		expect(happened.filter(what => what.startsWith('submit'))).toEqual(['submit 3']);
		(state.chunks[1] as ChunkState).decision = {kind: 'done', attempt: 1};
		expect(isHeldBack(state)).toBe(false);
		expect(await submit()).toEqual({numTaken: 1, refusal: undefined});
	});

	test('takes what was submitted beside a queue-job that was refused for good: it is in the queue', async () => {
		const {state, noted} = createMap(3, taken);
		const engine = {
			submit: async (): Promise<SubmitOutcome[]> => [
				{kind: 'permanent', reason: 'unknown queue'},
				{kind: 'submitted', id: '7'},
				{kind: 'untried'},
			],
		} as unknown as Engine;
		await expect(submitNext(state, {engine, clock: createHandClock()})).rejects.toMatchObject({code: 'ERR_POOL_SUBMIT_REJECTED'});
		expect(state.chunks.map(({attempts}) => attempts.map(({jobId}) => jobId))).toEqual([[], ['7'], []]);
		expect(noted.slice(3).map(({event}) => event)).toEqual(['not-submitted', 'submitted', 'not-submitted']);
	});

	test('ends the map when the scheduler refuses for good', async () => {
		const {submit} = createMap(1, () => ({kind: 'permanent', reason: 'unknown queue'}));
		await expect(submit()).rejects.toMatchObject({code: 'ERR_POOL_SUBMIT_REJECTED', message: expect.stringContaining('unknown queue')});
		await expect(submit()).rejects.toBeInstanceOf(PoolError);
	});
});

describe('submitting arrays', () => {
	const arrayOf: Answer = (_, i) => ({kind: 'submitted', id: `${i + 1}`});

	test('Q29: is one submission, of which every chunk knows its element', async () => {
		const {submit, state, arrays, noted, happened} = createMap(3, arrayOf, {arrayJobs: true});
		expect(await submit()).toEqual({numTaken: 3, refusal: undefined});
		expect(happened).toEqual(['owner', 'flush true', 'owner', 'array of 3']);
		const name = arrayName(SESSION, 0, 2, 1);
		expect(arrays).toEqual([
			{
				name,
				script: '/w/launch.sh',
				scriptArguments: ['0', '1', 'ELEMENT'],
				avoidHosts: [],
				resources: {},
				numElements: 3,
				maxRunning: undefined,
			},
		]);
		expect(state.chunks.map(({attempts}) => attempts.map(({jobName, element, jobId}) => [jobName, element, jobId]))).toEqual([
			[[name, 1, '1.1']],
			[[name, 2, '1.2']],
			[[name, 3, '1.3']],
		]);
		expect(noted.map(({event, ichunk, jobName}) => [event, ichunk, jobName])).toEqual([
			['submitting', 0, name],
			['submitting', 1, name],
			['submitting', 2, name],
			['submitted', 0, name],
			['submitted', 1, name],
			['submitted', 2, name],
		]);
		expect(state.toSubmit.size).toBe(0);
	});

	test('begins each at the chunk of its first element, whatever came in between, and none is larger than the site allows', async () => {
		const {submit, arrays, state} = createMap(90, arrayOf, {arrayJobs: true});
		for (let i = 0; i < 3; i++) await submit();
		expect(arrays.map(({scriptArguments: [first], numElements}) => [first, numElements])).toEqual([
			['0', 40],
			['40', 40],
			['80', 10],
		]);
		expect(state.chunks[80]?.attempts).toMatchObject([{jobId: '3.1', element: 1}]);
	});

	test('is left to engines that have them', async () => {
		const {state} = createMap(3, taken, {arrayJobs: true});
		const sizes: number[] = [];
		const engine = {
			submit: async (requests: readonly JobRequest[]): Promise<SubmitOutcome[]> => {
				sizes.push(requests.length);
				return requests.map((_, i) => ({kind: 'submitted', id: `${i}`}));
			},
		} as unknown as Engine;
		await submitNext(state, {engine, clock: createHandClock()});
		expect(sizes).toEqual([3]);
	});

	test('tells a chunk that is submitted again alone from its element', async () => {
		const {submit, state, requests, arrays} = createMap(5, arrayOf, {arrayJobs: true});
		await submit();
		state.toSubmit.add(state.chunks[3] as ChunkState);
		await submit();
		expect([arrays.length, requests.map(({scriptArguments}) => scriptArguments)]).toEqual([1, [['3', '2']]]);
		expect(state.chunks[3]?.attempts.map(({element}) => element)).toEqual([4, undefined]);
	});

	test('makes an array of chunks that are due again together, in whatever order they became so', async () => {
		const {submit, state, arrays} = createMap(5, arrayOf, {arrayJobs: true});
		await submit();
		for (const ichunk of [3, 1, 2]) state.toSubmit.add(state.chunks[ichunk] as ChunkState);
		await submit();
		expect(arrays[1]).toMatchObject({name: arrayName(SESSION, 1, 3, 2), scriptArguments: ['1', '2', 'ELEMENT'], numElements: 3});
	});

	test('remembers an array without an answer as attempts without a number, each with its element', async () => {
		const {submit, state} = createMap(2, () => ({kind: 'unanswered', reason: 'no answer'}), {arrayJobs: true});
		expect(await submit()).toMatchObject({numTaken: 0, refusal: {kind: 'unanswered'}});
		expect(state.chunks.map(({attempts}) => attempts)).toMatchObject([[{jobId: undefined, element: 1}], [{jobId: undefined, element: 2}]]);
		expect([state.needsSweep, state.toSubmit.size]).toEqual([true, 0]);
	});

	test('leaves an array that was refused for now for later', async () => {
		const {submit, state} = createMap(2, () => ({kind: 'temporary', reason: 'no master'}), {arrayJobs: true});
		expect(await submit()).toEqual({numTaken: 0, refusal: {kind: 'temporary', reason: 'no master'}});
		expect([state.toSubmit.size, state.maxElements]).toEqual([2, Number.POSITIVE_INFINITY]);
	});

	test('halves an array for which the queue is too full, down to single queue-jobs, and doubles again what has gone in', async () => {
		// It counts elements, and has room for five more.
		let numFree = 5;
		const {submit, state, happened} = createMap(
			20,
			(request, i) => {
				const size = 'numElements' in request ? (request.numElements as number) : 1;
				if (size > numFree) return {kind: 'full', reason: 'QOSMaxSubmitJobPerUserLimit'};
				numFree -= size;
				return {kind: 'submitted', id: `${i}`};
			},
			{arrayJobs: true},
		);
		const refusals: unknown[] = [];
		do refusals.push((await submit()).refusal?.kind);
		while (refusals.at(-1) === undefined);
		const sizes = happened.filter(what => /^(?:array|submit)/.test(what));
		// A single one tells whether the queue is full.
		expect(sizes).toEqual(['array of 20', 'array of 10', 'array of 5', 'array of 10', 'array of 5', 'array of 2', 'submit 15']);
		expect([refusals.at(-1), numFree, state.toSubmit.size]).toEqual(['full', 0, 15]);
		numFree = 15;
		while (state.toSubmit.size > 0) await submit();
		expect(numFree).toBe(0);
	});
});

describe('the next attempt at a chunk', () => {
	test.each<[what: string, attempts: readonly AttemptState[], hosts: readonly string[]]>([
		['is free to go anywhere at first', [], []],
		[
			'stays away from the hosts where attempts have failed',
			[failedOn(1, 'node1'), failedOn(2, 'node2'), failedOn(3, 'node1')],
			['node1', 'node2'],
		],
		['can’t stay away from a host that nobody knows', [failedOn(1, undefined)], []],
		['goes anywhere again when the last one found no other host', [failedOn(1, 'node1'), failedOn(2, undefined, {isVoid: true})], []],
	])('%s', async (_, attempts, hosts) => {
		const {submit, state, requests} = createMap(1, taken);
		state.chunks[0]?.attempts.push(...attempts);
		await submit();
		expect(requests[0]?.avoidHosts).toEqual(hosts);
		expect(state.chunks[0]?.attempts.at(-1)?.isAvoiding).toBe(hosts.length > 0);
	});

	test('goes anywhere when `avoidHosts` is false', async () => {
		const {submit, state, requests} = createMap(1, taken, {avoidHosts: false});
		state.chunks[0]?.attempts.push(failedOn(1, 'node1'));
		await submit();
		expect(requests[0]?.avoidHosts).toEqual([]);
	});

	test('is given what the function `resources` says for its number and for how the last one failed', async () => {
		const asked: unknown[] = [];
		const {submit, state, requests} = createMap(1, taken, {
			resources: info => {
				asked.push(info);
				return {memory: info.lastFailure === 'out-of-memory' ? '2G' : '1G'};
			},
		});
		state.chunks[0]?.attempts.push(failedOn(1, 'node1'));
		await submit();
		expect(asked).toEqual([{attempt: 2, lastFailure: 'out-of-memory'}]);
		expect(requests[0]?.resources).toEqual({memoryBytes: 2 * 2 ** 30});
	});
});
