import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {JobEnd, JobState} from '../../src/engines/engine.js';
import {type AttemptFacts, type ChunkFacts, type JobFacts, judge, MISSED_ANSWERS, type ResultFacts, type Verdict} from '../../src/judge.js';

const LIMITS = {maxNumResubmissions: 2, graceMs: 1000};
const NOW_MS = 100_000;
const ALIVE: readonly JobState[] = ['pending', 'running', 'held', 'suspended', 'deleting', 'unreachable'];

const listed = (state: JobState, rawState: string = state): JobFacts => ({kind: 'listed', state, rawState});
const absent = (answers: number, forMs: number): JobFacts => ({kind: 'absent', answers, sinceMs: NOW_MS - forMs});
const damaged = (forMs: number): ResultFacts => ({kind: 'damaged', reason: 'cut off', sinceMs: NOW_MS - forMs});
const startFailed: ResultFacts = {kind: 'start-failed', reason: 'on node1: no such module'};
const failedEnd: JobEnd = {failed: true, reason: 'killed by SIGKILL'};
const cleanEnd: JobEnd = {failed: false, reason: 'exit status 0'};

const attempts = (...facts: readonly Partial<AttemptFacts>[]): AttemptFacts[] =>
	facts.map((fact, i) => ({
		attempt: i + 1,
		isKnown: true,
		numExplanations: 1,
		job: {kind: 'unknown'},
		result: {kind: 'none'},
		end: undefined,
		...fact,
	}));

const chunk = (facts: readonly AttemptFacts[], others: Partial<ChunkFacts> = {}): ChunkFacts => ({
	attempts: facts,
	isNextDue: false,
	nowMs: NOW_MS,
	anyWorkerStarted: true,
	...others,
});

const judged = (facts: readonly AttemptFacts[], others?: Partial<ChunkFacts>): Verdict => judge(chunk(facts, others), LIMITS);

const WAIT: Verdict = {kind: 'wait'};
const lost = (reason: string): Verdict => ({kind: 'resubmit', cause: 'lost', reason});
const VANISHED = absent(MISSED_ANSWERS, LIMITS.graceMs);

describe('one attempt', () => {
	test.each<[history: string, attempt: Partial<AttemptFacts>, verdict: Verdict]>([
		['nothing is known yet', {}, WAIT],
		['in an error state whose reason was not asked for yet', {job: listed('error', 'Eqw'), numExplanations: 0}, WAIT],
		[
			'its submission not answered, and not listed, within the grace time',
			{isKnown: false, job: absent(MISSED_ANSWERS, LIMITS.graceMs - 1)},
			WAIT,
		],
		[
			'its submission not answered, and not listed for the grace time',
			{isKnown: false, job: VANISHED},
			lost('its submission was never answered, and the queue does not list it'),
		],
		...ALIVE.map((state): [string, Partial<AttemptFacts>, Verdict] => [`listed as ${state}`, {job: listed(state)}, WAIT]),
		['listed, its result not readable for an hour', {job: listed('running'), result: damaged(3_600_000)}, WAIT],
		['listed, and said to have failed', {job: listed('running'), end: failedEnd}, WAIT],
		['missing from one answer less than it takes', {job: absent(MISSED_ANSWERS - 1, 3_600_000)}, WAIT],
		['missing from too few answers, known to have failed', {job: absent(MISSED_ANSWERS - 1, 3_600_000), end: failedEnd}, WAIT],
		['missing for less than the grace time', {job: absent(50, LIMITS.graceMs - 1)}, WAIT],
		['missing for the grace time', {job: VANISHED}, lost('the queue-job ended without a result')],
		['a clean end within the grace time', {job: absent(50, LIMITS.graceMs - 1), end: cleanEnd}, WAIT],
		['a clean end after the grace time', {job: VANISHED, end: cleanEnd}, lost('the queue-job ended without a result: exit status 0')],
		['a failed end', {job: absent(MISSED_ANSWERS, 0), end: failedEnd}, lost('the queue-job ended without a result: killed by SIGKILL')],
		['a failed end with a result that may become readable', {job: absent(50, 10), result: damaged(10), end: failedEnd}, WAIT],
		['gone for long, its result unreadable since a moment', {job: absent(50, 3_600_000), result: damaged(999)}, WAIT],
		['unreadable for long, gone since a moment', {job: absent(50, 999), result: damaged(3_600_000)}, WAIT],
		['gone and unreadable for the grace time', {job: VANISHED, result: damaged(1000)}, lost("its result can't be read: cut off")],
		[
			'an error state',
			{job: listed('error', 'Eqw')},
			{kind: 'resubmit', cause: 'error-state', reason: 'the queue-job went into the error state Eqw'},
		],
		[
			'an error state that is explained',
			{job: listed('error', 'Eqw'), end: {failed: true, reason: 'no shell'}},
			{kind: 'resubmit', cause: 'error-state', reason: 'the queue-job went into the error state Eqw: no shell'},
		],
		['an error state, but the result is there', {job: listed('error', 'Eqw'), result: {kind: 'whole'}}, {kind: 'done', attempt: 1}],
		['listed, and the result is there', {job: listed('running'), result: {kind: 'whole'}}, {kind: 'done', attempt: 1}],
		[
			'it could not begin where others could',
			{job: listed('running'), result: startFailed},
			{kind: 'resubmit', cause: 'start-failed', reason: 'on node1: no such module'},
		],
	])('%s', (_, attempt, verdict) => {
		expect(judged(attempts(attempt))).toEqual(verdict);
	});
});

describe('several attempts', () => {
	test('without any the chunk waits for its first', () => {
		expect(judged([])).toEqual(WAIT);
	});

	test('while the next is due only a result is news', () => {
		const gone = attempts({job: VANISHED, end: failedEnd});
		expect(judged(gone, {isNextDue: true})).toEqual(WAIT);
		expect(judged(attempts({result: startFailed}), {isNextDue: true, anyWorkerStarted: false})).toEqual(WAIT);
		expect(judged(attempts({job: VANISHED, result: {kind: 'whole'}}), {isNextDue: true})).toEqual({kind: 'done', attempt: 1});
	});

	test('an attempt that was given up may still bring the result', () => {
		expect(judged(attempts({result: {kind: 'whole'}}, {job: listed('running')}))).toEqual({kind: 'done', attempt: 1});
	});

	test('of two whole results the first counts', () => {
		expect(judged(attempts({}, {result: {kind: 'whole'}}, {result: {kind: 'whole'}}))).toEqual({kind: 'done', attempt: 2});
	});

	test('only the current attempt is judged', () => {
		expect(judged(attempts({job: listed('error', 'Eqw')}, {job: listed('pending')}))).toEqual(WAIT);
		expect(judged(attempts({result: startFailed}, {}), {anyWorkerStarted: false})).toEqual(WAIT);
	});

	test('a first start that failed ends the map when no worker could begin, whatever may still be resubmitted', () => {
		const verdict = judged(attempts({result: startFailed}), {anyWorkerStarted: false});
		expect(verdict).toEqual({kind: 'fail', cause: 'start-failed', reason: 'on node1: no such module', endsMap: true});
	});

	test.each<[numAttempts: number, maxNumResubmissions: number, kind: Verdict['kind']]>([
		[1, 0, 'fail'],
		[1, 1, 'resubmit'],
		[2, 1, 'fail'],
		// A16: counts of resubmissions so far, against the greatest allowed.
		[9, 9, 'resubmit'],
		[10, 9, 'fail'],
		[1, 9, 'resubmit'],
		[1001, Number.MAX_SAFE_INTEGER, 'resubmit'],
	])('A16: after %d attempts with maxNumResubmissions %d the verdict is %s', (numAttempts, maxNumResubmissions, kind) => {
		const failed = attempts(...Array.from({length: numAttempts}, () => ({job: listed('error', 'Eqw')})));
		const verdict = judge(chunk(failed), {...LIMITS, maxNumResubmissions});
		expect(verdict).toMatchObject({kind, cause: 'error-state', ...(kind === 'fail' ? {endsMap: false} : {})});
	});
});

const jobFacts = fc.oneof(
	fc.constant<JobFacts>({kind: 'unknown'}),
	fc.constantFrom<JobState>(...ALIVE, 'error').map(state => listed(state)),
	fc.record({kind: fc.constant('absent' as const), answers: fc.integer({min: 1, max: 8}), sinceMs: fc.nat(NOW_MS)}),
);
const resultFacts = fc.oneof(
	{weight: 4, arbitrary: fc.constant<ResultFacts>({kind: 'none'})},
	{weight: 1, arbitrary: fc.constant<ResultFacts>({kind: 'whole'})},
	{weight: 1, arbitrary: fc.constant<ResultFacts>(startFailed)},
	{weight: 2, arbitrary: fc.nat(NOW_MS).map((forMs): ResultFacts => damaged(forMs))},
);
const histories = fc.record({
	facts: fc.record({
		attempts: fc
			.array(fc.record({job: jobFacts, result: resultFacts, end: fc.constantFrom(undefined, failedEnd, cleanEnd)}), {maxLength: 6})
			.map(made => attempts(...made)),
		isNextDue: fc.boolean(),
		nowMs: fc.constant(NOW_MS),
		anyWorkerStarted: fc.boolean(),
	}),
	limits: fc.record({maxNumResubmissions: fc.nat(6), graceMs: fc.nat(NOW_MS)}),
});

const check = (hold: (facts: ChunkFacts, limits: typeof LIMITS, verdict: Verdict) => void): void => {
	fc.assert(
		fc.property(histories, ({facts, limits}) => hold(facts, limits, judge(facts, limits))),
		{numRuns: 5000},
	);
};

describe('for any history', () => {
	test('a chunk is done exactly when an attempt has a whole result, and names the first of them', () => {
		check((facts, _, verdict) => {
			const whole = facts.attempts.find(({result}) => result.kind === 'whole');
			if (whole === undefined) expect(verdict.kind).not.toBe('done');
			else expect(verdict).toEqual({kind: 'done', attempt: whole.attempt});
		});
	});

	test('no more is submitted than 1 + maxNumResubmissions attempts', () => {
		check((facts, limits, verdict) => {
			if (verdict.kind === 'resubmit') expect(facts.attempts.length + 1).toBeLessThanOrEqual(1 + limits.maxNumResubmissions);
			if (verdict.kind === 'fail' && !verdict.endsMap) expect(facts.attempts.length).toBeGreaterThan(limits.maxNumResubmissions);
		});
	});

	test('a queue-job that is listed, but not in an error state, is waited for, unless its worker said that it could not begin', () => {
		check((facts, _, verdict) => {
			const current = facts.attempts.at(-1);
			if (verdict.kind === 'done' || current?.job.kind !== 'listed' || current.result.kind === 'start-failed') return;
			if (current.job.state !== 'error') expect(verdict).toEqual(WAIT);
		});
	});

	test('a queue-job of which the queue has never told is not given up', () => {
		check((facts, _, verdict) => {
			const current = facts.attempts.at(-1);
			if (current?.job.kind !== 'unknown' || current.result.kind === 'start-failed') return;
			expect(['wait', 'done']).toContain(verdict.kind);
		});
	});

	test('nothing is lost before it was missed often enough, nor within the grace time unless it is known to have failed', () => {
		check((facts, limits, verdict) => {
			if ((verdict.kind !== 'resubmit' && verdict.kind !== 'fail') || verdict.cause !== 'lost') return;
			const {job, result, end} = facts.attempts.at(-1) as AttemptFacts;
			if (job.kind !== 'absent') throw new Error('lost although it is not absent');
			expect(job.answers).toBeGreaterThanOrEqual(MISSED_ANSWERS);
			if (end?.failed === true && result.kind === 'none') return;
			expect(facts.nowMs - job.sinceMs).toBeGreaterThanOrEqual(limits.graceMs);
			if (result.kind === 'damaged') expect(facts.nowMs - result.sinceMs).toBeGreaterThanOrEqual(limits.graceMs);
		});
	});

	test('a verdict of loss stays one as time goes on and answers go by without the queue-job', () => {
		check((facts, limits, verdict) => {
			const current = facts.attempts.at(-1);
			if (current?.job.kind !== 'absent') return;
			const later: AttemptFacts = {...current, job: {...current.job, answers: current.job.answers + 1}};
			const verdictLater = judge({...facts, attempts: [...facts.attempts.slice(0, -1), later], nowMs: facts.nowMs + 1}, limits);
			if (verdict.kind !== 'wait') expect(verdictLater).toEqual(verdict);
		});
	});

	test('the map ends only for a start that failed while no worker could begin', () => {
		check((facts, _, verdict) => {
			if (verdict.kind !== 'fail' || !verdict.endsMap) return;
			expect([verdict.cause, facts.anyWorkerStarted]).toEqual(['start-failed', false]);
		});
	});
});

test('submissions without an answer do not count as attempts: there may never have been a queue-job', () => {
	const unanswered: Partial<AttemptFacts> = {isKnown: false, job: VANISHED};
	const many = Array.from({length: 20}, () => unanswered);
	expect(judged(attempts(...many))).toMatchObject({kind: 'resubmit'});
	expect(judged(attempts(...many, {job: VANISHED}, {job: VANISHED}, {job: VANISHED}))).toMatchObject({kind: 'fail'});
});
