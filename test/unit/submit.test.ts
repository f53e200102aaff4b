import {describe, expect, test} from 'vitest';
import type {Engine, JobRequest, SubmitOutcome} from '../../src/engines/engine.js';
import {PoolError} from '../../src/errors.js';
import type {JournalEvent} from '../../src/journal.js';
import {type AttemptState, createAttempt, createChunkStates, type MapState} from '../../src/map-state.js';
import {submitNext} from '../../src/submit.js';

const SESSION = '2026-11-21T00-20-07_a10cda';

type Answer = (request: JobRequest, i: number) => SubmitOutcome;

/** A map of so many chunks over a scheduler that answers like this. What happens is told in order. */
const createMap = (numChunks: number, answer: Answer, options: Partial<MapState['options']> = {}) => {
	const happened: string[] = [];
	const requests: JobRequest[] = [];
	const noted: JournalEvent[] = [];
	const chunks = createChunkStates(Array.from({length: numChunks}, (_, ichunk) => ({ichunk, firstTask: ichunk, numTasks: 1})));
	const owner = {check: async () => void happened.push('owner'), isDeposed: false};
	const state = {
		session: SESSION,
		workDir: '/w',
		options: {avoidHosts: true, resources: undefined, ...options},
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
	} as unknown as Engine;
	return {state, happened, requests, noted, submit: () => submitNext(state, {engine})};
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

	test('takes ten chunks at a time', async () => {
		const {submit, happened, state} = createMap(11, taken);
		await submit();
		expect(happened).toContain('submit 10');
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

	test('ends the map when the scheduler refuses for good', async () => {
		const {submit} = createMap(1, () => ({kind: 'permanent', reason: 'unknown queue'}));
		await expect(submit()).rejects.toMatchObject({code: 'ERR_POOL_SUBMIT_REJECTED', message: expect.stringContaining('unknown queue')});
		await expect(submit()).rejects.toBeInstanceOf(PoolError);
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
