import {describe, expect, test} from 'vitest';
import type {Engine, JobEnd, JobQuestion, JobState} from '../../src/engines/engine.js';
import {explainJobs} from '../../src/explain-jobs.js';
import type {JournalEvent} from '../../src/journal.js';
import {type AttemptState, createAttempt, type MapState} from '../../src/map-state.js';
import {createHandClock} from '../helpers/hand-clock.js';

type MadeUp = Partial<AttemptState>;

const listed = (state: JobState, sinceMs = 0): AttemptState['job'] => ({kind: 'listed', state, rawState: state, sinceMs});
const absent = (answers: number): AttemptState['job'] => ({kind: 'absent', answers, sinceMs: 0});

/** Asks about these queue-jobs, numbered from 1, of a scheduler that gives these answers one after the other. */
const createMap = (jobs: readonly MadeUp[], answers: readonly (JobEnd | undefined)[], tookMs = 0) => {
	const clock = createHandClock();
	const asked: JobQuestion[] = [];
	const noted: JournalEvent[] = [];
	const told: string[] = [];
	const chunks = jobs.map((job, ichunk) => ({
		chunk: {ichunk, firstTask: ichunk, numTasks: 1},
		attempts: [{...createAttempt(1, `name${ichunk + 1}`, false), jobId: `${ichunk + 1}`, ...job}],
		decision: {kind: 'open'},
	}));
	const state = {
		chunks,
		toSubmit: new Set(),
		toldWaits: new Set(),
		options: {pendingWarnMs: 1000, resources: undefined},
		journal: {note: (...events: readonly JournalEvent[]) => void noted.push(...events)},
	} as unknown as MapState;
	const engine = {
		explain: async (question: JobQuestion) => {
			asked.push(question);
			clock.advance(tookMs);
			return answers[asked.length - 1];
		},
	} as unknown as Engine;
	const round = (): Promise<void> => explainJobs(state, {engine, clock, tell: line => void told.push(line)});
	return {round, clock, asked, noted, told, attempt: (i: number) => state.chunks[i]?.attempts[0] as AttemptState, state};
};

const KILLED: JobEnd = {failed: true, kind: 'killed', reason: 'killed by SIGKILL', host: 'node1'};

describe('the scheduler is asked', () => {
	test('why a queue-job is in an error state, until it says so', async () => {
		const map = createMap([{job: listed('error')}], [undefined, {failed: true, reason: 'no shell'}]);
		for (let i = 0; i < 4; i++) await map.round();
		expect(map.asked.map(({id, name, state}) => [id, name, state])).toEqual(Array(2).fill(['1', 'name1', 'error']));
		expect(map.attempt(0).end?.reason).toBe('no shell');
	});

	test('why a queue-job ended, after two answers without it, and after twice as many each time, six times at the most', async () => {
		const map = createMap([{job: absent(1)}], []);
		const askedAt: number[] = [];
		for (let answers = 1; answers <= 300; answers++) {
			map.attempt(0).job = absent(answers);
			await map.round();
			if (map.asked.length > askedAt.length) askedAt.push(answers);
		}
		expect(askedAt).toEqual([2, 4, 8, 16, 32, 64]);
		expect(new Set(map.asked.map(({state}) => state))).toEqual(new Set(['ended']));
	});

	test('where it ended, too', async () => {
		const map = createMap([{job: absent(2)}], [KILLED]);
		await map.round();
		expect(map.attempt(0).host).toBe('node1');
	});

	test.each<[what: string, job: MadeUp]>([
		['runs', {job: listed('running')}],
		['has brought its result', {job: absent(9), result: {kind: 'whole'}}],
		['was never answered', {job: absent(9), jobId: undefined}],
	])('nothing about a queue-job that %s', async (_, job) => {
		const map = createMap([job], []);
		await map.round();
		expect(map.asked).toEqual([]);
	});

	test('for five seconds at a time: the rest is asked about later', async () => {
		const map = createMap(Array(4).fill({job: absent(2)}), [KILLED, KILLED, KILLED, KILLED], 3000);
		await map.round();
		expect(map.asked.map(({id}) => id)).toEqual(['1', '2']);
		await map.round();
		expect(map.asked.map(({id}) => id)).toEqual(['1', '2', '3', '4']);
	});
});

describe('a queue-job that waits', () => {
	const WORDS: JobEnd = {failed: false, reason: 'no suitable queues'};

	test('is asked about once, when it has waited for `pendingWarnMs`, and the answer is told', async () => {
		const map = createMap([{job: listed('pending', 500)}], [WORDS]);
		await map.round();
		expect(map.asked).toEqual([]);
		map.clock.advance(500);
		for (let i = 0; i < 3; i++) await map.round();
		expect(map.asked.map(({id, state}) => [id, state])).toEqual([['1', 'pending']]);
		expect(map.told).toEqual(['queue-map-reduce: the queue-job 1 of chunk 0 has waited for 1.0 s: no suitable queues']);
		expect(map.noted).toEqual([{event: 'waiting', ichunk: 0, attempt: 1, jobId: '1', reason: 'no suitable queues'}]);
	});

	test('with the same reason as another is noted, but not told again', async () => {
		const map = createMap(
			[{job: listed('pending')}, {job: listed('held')}, {job: listed('pending')}],
			[WORDS, WORDS, {...WORDS, reason: 'held'}],
		);
		map.clock.advance(1000);
		for (let i = 0; i < 4; i++) await map.round();
		expect(map.asked).toHaveLength(3);
		expect(map.noted).toHaveLength(3);
		expect(map.told.map(line => line.split(': ').at(-1))).toEqual(['no suitable queues', 'held']);
	});

	test('is told to wait, too, when the queue does not say why', async () => {
		const map = createMap([{job: listed('pending')}], [undefined]);
		map.clock.advance(1000);
		await map.round();
		expect(map.told[0]).toMatch(/the queue does not say why$/);
	});

	test('is not asked about when `pendingWarnMs` is false', async () => {
		const map = createMap([{job: listed('pending')}], []);
		Object.assign(map.state.options, {pendingWarnMs: false});
		map.clock.advance(1e9);
		await map.round();
		expect(map.asked).toEqual([]);
	});
});
