import {describe, expect, test} from 'vitest';
import type {JournalEvent, JournalLine} from '../../src/journal.js';
import {summariseMap} from '../../src/later/summarise-map.js';

const T0 = Date.UTC(2026, 10, 21);

type Noted = JournalEvent & {readonly atMs?: number};

/** Of chunks of two tasks each. */
const summarise = (numChunks: number, events: readonly Noted[], nowMs = 100_000) => {
	const journal = events.map(({atMs = 0, ...event}): JournalLine => ({time: new Date(T0 + atMs).toISOString(), ...event}));
	const chunks = Array.from({length: numChunks}, (_, ichunk) => ({
		chunk: {ichunk, firstTask: 2 * ichunk, numTasks: 2},
		events: journal.filter(line => line.ichunk === ichunk),
		files: [],
	}));
	return summariseMap({journal, chunks}, T0 + nowMs);
};

const submitted = (ichunk: number, attempt = 1, atMs = 0): Noted[] => [
	{event: 'submitting', ichunk, attempt, jobName: `q#${ichunk}.${attempt}`, atMs},
	{event: 'submitted', ichunk, attempt, jobId: `${ichunk}${attempt}`, atMs},
];
const running = (ichunk: number, attempt = 1, atMs = 0): Noted => ({
	event: 'running',
	ichunk,
	attempt,
	host: 'node1',
	rawState: 'r',
	state: 'running',
	atMs,
});
const result = (ichunk: number, more: Partial<Noted> = {}): Noted => ({event: 'result', ichunk, attempt: 1, host: 'node1', ...more});

const states = (numChunks: number, events: readonly Noted[]) =>
	summarise(numChunks, events).chunks.map(({state, rawState}) => (rawState === undefined ? state : `${state} (${rawState})`));

describe('a chunk is what the journal said of it last', () => {
	test.each<[string, readonly Noted[], string]>([
		['to be submitted', [], 'to-submit'],
		[
			'refused by the queue',
			[
				{event: 'submitting', ichunk: 0, attempt: 1},
				{event: 'not-submitted', ichunk: 0, attempt: 1},
			],
			'to-submit',
		],
		['submitted', submitted(0), 'pending'],
		['waiting, and asked why', [...submitted(0), {event: 'waiting', ichunk: 0, attempt: 1, reason: 'full'}], 'pending'],
		['held', [...submitted(0), {event: 'queue-state', ichunk: 0, attempt: 1, state: 'held', rawState: 'hqw'}], 'held (hqw)'],
		['in an error state', [...submitted(0), {event: 'queue-state', ichunk: 0, attempt: 1, state: 'error', rawState: 'Eqw'}], 'error (Eqw)'],
		['running', [...submitted(0), running(0)], 'running (r)'],
		['claimed', [{event: 'claimed', ichunk: 0, attempt: 1, host: 'node1'}], 'running'],
		[
			'back in the queue',
			[...submitted(0), running(0), {event: 'queue-state', ichunk: 0, attempt: 1, state: 'pending', rawState: 'Rq'}],
			'pending (Rq)',
		],
		['lost', [...submitted(0), running(0), {event: 'lost', ichunk: 0, attempt: 1, kind: 'killed'}], 'to-submit'],
		[
			'announced again',
			[...submitted(0), {event: 'lost', ichunk: 0, attempt: 1}, {event: 'resubmitted', ichunk: 0, attempt: 2}],
			'to-submit',
		],
		[
			'submitted again',
			[...submitted(0), {event: 'lost', ichunk: 0, attempt: 1}, {event: 'resubmitted', ichunk: 0, attempt: 2}, ...submitted(0, 2)],
			'pending',
		],
		['done', [...submitted(0), running(0), result(0)], 'done'],
		['done by the first of two attempts', [...submitted(0), ...submitted(0, 2), result(0)], 'done'],
		['given up', [...submitted(0), {event: 'chunk-failed', ichunk: 0, attempt: 1, kind: 'lost'}], 'failed'],
		[
			'given up, and submitted again when the map was resumed',
			[{event: 'chunk-failed', ichunk: 0, kind: 'cancelled'}, ...submitted(0, 2)],
			'pending',
		],
		['damaged later', [...submitted(0), result(0), {event: 'submitting', ichunk: 0, attempt: 2}], 'pending'],
	])('%s', (_, events, expected) => {
		expect(states(1, events)).toEqual([expected]);
	});
});

test('of a chunk that is done it is told of the attempt that brought the result, not of the last', () => {
	const {chunks} = summarise(1, [...submitted(0, 1, 1000), ...submitted(0, 2, 2000), result(0)]);
	expect(chunks[0]).toMatchObject({state: 'done', jobId: '01', numAttempts: 2, submittedAt: new Date(T0 + 1000)});
});

test('tasks are counted by their chunks, those that failed as the journal has them', () => {
	const {counts} = summarise(6, [
		...submitted(0),
		result(0),
		...submitted(1),
		result(1, {numFailed: 1}),
		...submitted(2),
		{event: 'chunk-failed', ichunk: 2, kind: 'lost', numFailed: 2},
		...submitted(3),
		running(3),
		...submitted(4),
	]);
	expect(counts).toEqual({total: 12, done: 3, failed: 3, cancelled: 0, running: 2, pending: 4});
});

test('a task that was only not computed, for the map was ended, is cancelled and has not failed', () => {
	const {counts, chunks} = summarise(3, [
		...submitted(0),
		result(0),
		...submitted(1),
		{event: 'chunk-failed', ichunk: 1, kind: 'cancelled', numFailed: 2, numCancelled: 1},
		{event: 'chunk-failed', ichunk: 2, kind: 'cancelled', numFailed: 2, numCancelled: 2},
	]);
	expect(counts).toEqual({total: 6, done: 2, failed: 1, cancelled: 3, running: 0, pending: 0});
	expect(chunks.map(({numFailed, numCancelled}) => [numFailed, numCancelled])).toEqual([
		[0, 0],
		[1, 1],
		[0, 2],
	]);
});

test('C8: of each chunk it is known which attempt it is from, where it was, and when', () => {
	const {chunks, numResubmissions, givenUp, hosts, jobs} = summarise(2, [
		...submitted(0, 1, 1000),
		running(0, 1, 2000),
		{event: 'lost', ichunk: 0, attempt: 1, kind: 'out-of-memory', reason: 'killed', host: 'node9', atMs: 3000},
		{event: 'resubmitted', ichunk: 0, attempt: 2, message: 'Resubmitting 1 of 10', atMs: 3000},
		...submitted(0, 2, 4000),
		running(0, 2, 5000),
		...submitted(1, 1, 4000),
		{...running(1, 1, 6000), host: 'node2'},
		{...result(1), host: 'node2', atMs: 9000},
	]);
	expect(chunks[0]).toMatchObject({
		numAttempts: 2,
		jobId: '02',
		host: 'node1',
		submittedAt: new Date(T0 + 4000),
		startedAt: new Date(T0 + 5000),
		endedAt: undefined,
		reason: 'killed',
	});
	expect(chunks[1]).toMatchObject({numAttempts: 1, jobId: '11', host: 'node2', endedAt: new Date(T0 + 9000), reason: undefined});
	expect({numResubmissions, givenUp, jobs}).toEqual({numResubmissions: 1, givenUp: {'out-of-memory': 1}, jobs: {running: 1}});
	expect(hosts).toEqual([
		{host: 'node1', running: 1, done: 0, givenUp: 0},
		{host: 'node2', running: 0, done: 1, givenUp: 0},
		{host: 'node9', running: 0, done: 0, givenUp: 1},
	]);
});

describe('how fast it goes', () => {
	const begin = [0, 1, 2, 3].flatMap(ichunk => submitted(ichunk));

	test('is told from what was decided since the map was begun, and how long the rest will take', () => {
		const {rate, remainingMs} = summarise(4, [...begin, {...result(0), atMs: 1000}, {...result(1), atMs: 2000}], 4000);
		expect([rate, remainingMs]).toEqual([1, 4000]);
	});

	test('begins anew when a map is come back to days later', () => {
		const day = 86_400_000;
		const {rate} = summarise(
			4,
			[...begin, {...result(0), atMs: 1000}, {event: 'resumed', atMs: day}, {...result(1), atMs: day + 1000}],
			day + 2000,
		);
		expect(rate).toBe(1);
	});

	test('is not known before anything is decided, and when nothing is under way', () => {
		expect(summarise(4, begin).rate).toBe(undefined);
		const over = summarise(1, [...submitted(0), {...result(0), atMs: 1000}]);
		expect([over.rate, over.remainingMs]).toEqual([undefined, undefined]);
		expect(summarise(4, [...begin, {...result(0), atMs: 1000}, {event: 'ended', atMs: 2000}])).toMatchObject({
			rate: undefined,
			end: 'ended',
		});
	});
});
