import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {JournalEvent, JournalLine} from '../../src/journal.js';
import {arrayName, jobName} from '../../src/layout.js';
import {createMapState, type MapState, toMapOptions} from '../../src/map-state.js';
import type {Owner} from '../../src/owner.js';
import {replayJournal} from '../../src/replay-journal.js';

const SESSION = '2026-11-21T00-20-07_a10cda';
const NUM_CHUNKS = 3;

const makeState = (): MapState =>
	createMapState({
		session: SESSION,
		workDir: '/w',
		options: toMapOptions({}),
		owner: {number: 1} as Owner,
		journal: {note: () => undefined, flush: async () => undefined},
		chunks: Array.from({length: NUM_CHUNKS}, (_, ichunk) => ({ichunk, firstTask: ichunk, numTasks: 1})),
	});

const line = (event: JournalEvent['event'], fields: Partial<JournalLine> = {}): JournalLine => ({
	time: '2026-11-21T00:20:07.000Z',
	event,
	...fields,
});
/** Of chunk 0. */
const at = (event: JournalEvent['event'], attempt: number, fields: Partial<JournalLine> = {}): JournalLine =>
	line(event, {ichunk: 0, attempt, ...fields});

const replay = (...lines: readonly JournalLine[]) => {
	const state = makeState();
	const {failures, due} = replayJournal(lines, state);
	const chunk = state.chunks[0] as (typeof state.chunks)[number];
	return {chunk, isDue: due.has(chunk), failure: failures.get(chunk), attempts: chunk.attempts, decision: chunk.decision, state};
};

describe('an attempt', () => {
	test('that was submitted has its number, name and host', () => {
		const {attempts, isDue, decision} = replay(
			line('tasks-complete'),
			at('submitting', 1),
			at('submitted', 1, {jobId: '7'}),
			at('queue-state', 1, {jobId: '7', state: 'pending', rawState: 'qw'}),
			at('running', 1, {jobId: '7', state: 'running', rawState: 'r', host: 'node1'}),
		);
		expect(attempts).toMatchObject([{attempt: 1, jobId: '7', jobName: jobName(SESSION, 0, 1), host: 'node1', isRemoved: false}]);
		expect([...(attempts[0]?.seenStates ?? [])]).toEqual(['pending', 'running']);
		expect([isDue, decision]).toEqual([false, {kind: 'open'}]);
	});

	test('whose submission was never answered may be in the queue: its number is not known', () => {
		expect(replay(at('submitting', 1)).attempts).toMatchObject([{attempt: 1, jobId: undefined}]);
	});

	test('that the scheduler did not take has never been', () => {
		expect(replay(at('submitting', 1), at('not-submitted', 1)).attempts).toEqual([]);
		const again = replay(at('submitting', 1), at('not-submitted', 1), at('submitting', 1), at('submitted', 1, {jobId: '8'}));
		expect(again.attempts).toMatchObject([{attempt: 1, jobId: '8'}]);
	});

	test('that was given up says why, and is followed by the next', () => {
		const lost = [
			at('submitting', 1),
			at('submitted', 1, {jobId: '7'}),
			at('lost', 1, {kind: 'killed', reason: 'killed by SIGKILL'}),
			at('deleted', 1, {jobId: '7'}),
			at('resubmitted', 2),
		];
		const {attempts, isDue} = replay(...lost);
		expect(attempts).toMatchObject([{failure: {kind: 'killed', reason: 'killed by SIGKILL'}, isRemoved: true, isVoid: false}]);
		expect(isDue).toBe(true);
		expect(replay(...lost, at('submitting', 2))).toMatchObject({isDue: false, attempts: [{attempt: 1}, {attempt: 2}]});
		expect(replay(...lost, at('submitting', 2), at('not-submitted', 2))).toMatchObject({isDue: true, attempts: [{attempt: 1}]});
	});

	test('that was taken back while it waited counts for nothing', () => {
		expect(replay(at('submitting', 1), at('submitted', 1, {jobId: '7'}), at('resubmitted', 2)).attempts).toMatchObject([{isVoid: true}]);
	});

	test('that was swept from the queue by its name was removed', () => {
		const {attempts} = replay(at('submitting', 1), at('deleted', 1, {jobId: '9', jobName: jobName(SESSION, 0, 1)}));
		expect(attempts).toMatchObject([{isRemoved: true, jobId: '9'}]);
	});
});

describe('an element of an array', () => {
	const ARRAY = arrayName(SESSION, 1, 2, 1);
	const of = (event: JournalEvent['event'], ichunk: number, fields: Partial<JournalLine> = {}): JournalLine =>
		line(event, {ichunk, attempt: 1, ...fields});

	test('has the name of its array, its own number there, and the id that was noted', () => {
		const {state} = replay(
			of('submitting', 1, {jobName: ARRAY}),
			of('submitting', 2, {jobName: ARRAY}),
			of('submitted', 2, {jobId: '7.2'}),
		);
		expect(state.chunks.map(({attempts}) => attempts.map(({jobName, element, jobId}) => ({jobName, element, jobId})))).toEqual([
			[],
			[{jobName: ARRAY, element: 1, jobId: undefined}],
			[{jobName: ARRAY, element: 2, jobId: '7.2'}],
		]);
	});

	test('that was refused may become a queue-job of its own', () => {
		const {state} = replay(
			of('submitting', 1, {jobName: ARRAY}),
			of('not-submitted', 1, {jobName: ARRAY}),
			of('submitting', 1, {jobName: jobName(SESSION, 1, 1)}),
		);
		expect(state.chunks[1]?.attempts).toMatchObject([{jobName: jobName(SESSION, 1, 1), element: undefined}]);
	});
});

describe('a chunk', () => {
	const submitted = [at('submitting', 1), at('submitted', 1, {jobId: '7'})];

	test('that has its result is done', () => {
		expect(replay(...submitted, at('result', 1)).decision).toEqual({kind: 'done', attempt: 1});
	});

	test('that failed stays failed, for the same reason', () => {
		const {decision, failure, isDue} = replay(...submitted, at('chunk-failed', 1, {kind: 'killed', reason: 'by the kernel (11 attempts)'}));
		expect([decision, failure, isDue]).toEqual([
			{kind: 'failed', attempt: 1},
			{kind: 'killed', reason: 'by the kernel (11 attempts)'},
			false,
		]);
	});

	test.each(['cancelled', 'code-changed'] as const)('that was %s is to be computed', kind => {
		const lines = [...submitted, at('deleted', 1), line('chunk-failed', {ichunk: 0, kind, reason: 'ended'})];
		expect(replay(...lines)).toMatchObject({decision: {kind: 'open'}, failure: undefined, isDue: true});
		// When that has begun, it is not to be begun again.
		expect(replay(...lines, line('resumed', {owner: 2}), at('submitting', 2, {owner: 2}))).toMatchObject({isDue: false});
	});
});

describe('what one noted who had lost the work_dir', () => {
	test('does no harm', () => {
		const lines = [
			at('submitting', 1),
			at('submitted', 1, {jobId: '7'}),
			line('resumed', {owner: 2}),
			at('resubmitted', 2, {owner: 2}),
			at('submitting', 2, {owner: 2}),
			at('submitting', 2),
			at('submitted', 2, {owner: 2, jobId: '8'}),
			at('not-submitted', 2),
			at('submitted', 2, {jobId: '666'}),
			at('chunk-failed', 1, {kind: 'lost', reason: 'by the one before'}),
		];
		expect(replay(...lines)).toMatchObject({
			attempts: [{jobId: '7'}, {jobId: '8'}],
			decision: {kind: 'open'},
			failure: undefined,
		});
	});
});

test('of any lines, in any order, nothing is made that was not there, and no attempt has a hole before it', () => {
	const events = fc.constantFrom<JournalEvent['event']>(
		'submitting',
		'submitted',
		'not-submitted',
		'deleted',
		'lost',
		'resubmitted',
		'result',
		'chunk-failed',
		'running',
		'resumed',
		'warning',
	);
	const lines = fc.array(
		fc.record(
			{
				time: fc.constant(''),
				event: events,
				ichunk: fc.integer({min: 0, max: NUM_CHUNKS}),
				attempt: fc.integer({min: 1, max: 4}),
				jobId: fc.constantFrom('1', '2'),
				owner: fc.integer({min: 1, max: 3}),
			},
			{requiredKeys: ['time', 'event']},
		),
	);
	fc.assert(
		fc.property(lines, made => {
			const state = makeState();
			replayJournal(made as JournalLine[], state);
			for (const {chunk, attempts} of state.chunks) {
				expect(attempts.map(({attempt}) => attempt)).toEqual(attempts.map((_, i) => i + 1));
				const highest = Math.max(0, ...made.map(({ichunk, attempt}) => (ichunk === chunk.ichunk ? (attempt ?? 0) : 0)));
				expect(attempts.length).toBeLessThanOrEqual(highest);
			}
		}),
	);
});
