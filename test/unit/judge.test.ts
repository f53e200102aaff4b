import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {JobEnd, JobState} from '../../src/engines/engine.js';
import {
	type AttemptFacts,
	type ChunkFacts,
	type JobFacts,
	judge,
	type Limits,
	MAX_AVOIDING_MS,
	MISSED_ANSWERS,
	type ProgressFacts,
	type ResultFacts,
	type Verdict,
} from '../../src/judge.js';

const LIMITS = {maxNumResubmissions: 2, graceMs: 1000, unreachableAfterMs: 5000, pendingLimitMs: 7000};
const NOW_MS = 1_000_000;
const ALIVE: readonly JobState[] = ['pending', 'running', 'held', 'suspended', 'deleting', 'unreachable'];

const listed = (state: JobState, rawState: string = state, forMs = 0): JobFacts => ({
	kind: 'listed',
	state,
	rawState,
	sinceMs: NOW_MS - forMs,
});
const absent = (answers: number, forMs: number): JobFacts => ({kind: 'absent', answers, sinceMs: NOW_MS - forMs});
const damaged = (forMs: number): ResultFacts => ({kind: 'damaged', reason: 'cut off', sinceMs: NOW_MS - forMs});
const startFailed: ResultFacts = {kind: 'start-failed', cause: 'start-failed', reason: 'on node1: no such module'};
const failedEnd: JobEnd = {failed: true, reason: 'killed by SIGKILL'};
const cleanEnd: JobEnd = {failed: false, reason: 'exit status 0'};

const attempts = (...facts: readonly Partial<AttemptFacts>[]): AttemptFacts[] =>
	facts.map((fact, i) => ({
		attempt: i + 1,
		jobId: `${i + 1}`,
		host: undefined,
		numExplanations: 1,
		job: {kind: 'unknown'},
		seenStates: new Set<JobState>(),
		result: {kind: 'none'},
		hasFiles: true,
		progress: undefined,
		isRemoved: false,
		isAvoiding: false,
		isVoid: false,
		end: undefined,
		...fact,
	}));

const chunk = (facts: readonly AttemptFacts[], others: Partial<ChunkFacts> = {}): ChunkFacts => ({
	numTasks: 3,
	attempts: facts,
	isNextDue: false,
	nowMs: NOW_MS,
	answeredMs: NOW_MS,
	anyWorkerStarted: true,
	...others,
});

const judged = (facts: readonly AttemptFacts[], others?: Partial<ChunkFacts>): Verdict => judge(chunk(facts, others), LIMITS);

const WAIT: Verdict = {kind: 'wait'};
type Cause = Extract<Verdict, {kind: 'resubmit'}>['cause'];
const resubmit = (cause: Cause, reason: string, isLeft = false): Verdict => ({kind: 'resubmit', cause, reason, isLeft});
const lost = (reason: string): Verdict => resubmit('lost', reason);
const killed = (reason: string): Verdict => resubmit('killed', reason);
const failed = (cause: Cause, reason: string): Verdict => ({kind: 'fail', cause, reason, endsMap: false});
const DELETED = failed('deleted', 'the queue-job was deleted, and not by this map');
const VANISHED = absent(MISSED_ANSWERS, LIMITS.graceMs);

describe('one attempt', () => {
	test.each<[history: string, attempt: Partial<AttemptFacts>, verdict: Verdict]>([
		['nothing is known yet', {}, WAIT],
		['in an error state whose reason was not asked for yet', {job: listed('error', 'Eqw'), numExplanations: 0}, WAIT],
		[
			'its submission not answered, and not listed, within the grace time',
			{jobId: undefined, job: absent(MISSED_ANSWERS, LIMITS.graceMs - 1)},
			WAIT,
		],
		[
			'its submission not answered, and not listed for the grace time',
			{jobId: undefined, job: VANISHED},
			lost('its submission was never answered, and the queue does not list it'),
		],
		...ALIVE.map((state): [string, Partial<AttemptFacts>, Verdict] => [`listed as ${state}`, {job: listed(state)}, WAIT]),
		['listed, its result not readable for an hour', {job: listed('running'), result: damaged(3_600_000)}, WAIT],
		['listed, and said to have failed', {job: listed('running'), end: failedEnd}, WAIT],
		['missing from one answer less than it takes', {job: absent(MISSED_ANSWERS - 1, 3_600_000)}, WAIT],
		[
			'missing from few answers, known to have failed',
			{job: absent(1, 0), end: failedEnd},
			lost('the queue-job ended without a result: killed by SIGKILL'),
		],
		['missing for less than the grace time', {job: absent(50, LIMITS.graceMs - 1)}, WAIT],
		['missing for the grace time', {job: VANISHED}, killed('the queue-job ended without a result')],
		[
			'missing for the grace time, listed by nobody, without a file',
			{job: VANISHED, hasFiles: false},
			lost('the queue-job ended without a result'),
		],
		['a clean end within the grace time', {job: absent(50, LIMITS.graceMs - 1), end: cleanEnd}, WAIT],
		['a clean end after the grace time', {job: VANISHED, end: cleanEnd}, lost('the queue-job ended without a result: exit status 0')],
		[
			'a failed end whose kind is known',
			{job: absent(1, 0), end: {...failedEnd, kind: 'out-of-memory'}},
			resubmit('out-of-memory', 'the queue-job ended without a result: killed by SIGKILL'),
		],
		['a failed end with a result that may become readable', {job: absent(50, 10), result: damaged(10), end: failedEnd}, WAIT],
		['gone for long, its result unreadable since a moment', {job: absent(50, 3_600_000), result: damaged(999)}, WAIT],
		['unreadable for long, gone since a moment', {job: absent(50, 999), result: damaged(3_600_000)}, WAIT],
		[
			'gone and unreadable for the grace time',
			{job: VANISHED, result: damaged(1000)},
			resubmit('result-unreadable', "its result can't be read: cut off"),
		],
		['an error state', {job: listed('error', 'Eqw')}, resubmit('error-state', 'the queue-job went into the error state Eqw')],
		[
			'an error state that is explained',
			{job: listed('error', 'Eqw'), end: {failed: true, reason: 'no shell'}},
			resubmit('error-state', 'the queue-job went into the error state Eqw: no shell'),
		],
		['an error state, but the result is there', {job: listed('error', 'Eqw'), result: {kind: 'whole'}}, {kind: 'done', attempt: 1}],
		['listed, and the result is there', {job: listed('running'), result: {kind: 'whole'}}, {kind: 'done', attempt: 1}],
		[
			'it could not begin where others could',
			{job: listed('running'), result: startFailed},
			resubmit('start-failed', 'on node1: no such module'),
		],
		[
			'its module has changed',
			{job: listed('running'), result: {kind: 'start-failed', cause: 'code-changed', reason: 'changed'}},
			failed('code-changed', 'changed'),
		],
		['waiting for a day, within the limit', {job: listed('pending', 'qw', LIMITS.pendingLimitMs - 1)}, WAIT],
		[
			'waiting for longer than the limit',
			{job: listed('pending', 'qw', LIMITS.pendingLimitMs)},
			failed('pending-limit', 'the queue-job has waited in the queue for 7 s (`pendingLimitMs`)'),
		],
		['held for longer than the limit: that is somebody’s wish', {job: listed('held', 'hqw', 3_600_000)}, WAIT],
		['on a node that is silent since a moment', {job: listed('unreachable', 'r', LIMITS.unreachableAfterMs - 1)}, WAIT],
		[
			'on a node that is silent for too long: it is left where it is',
			{job: listed('unreachable', 'r', LIMITS.unreachableAfterMs), host: 'node1'},
			resubmit('node-lost', 'the worker-node node1 could not be reached for 5 s', true),
		],
		['being deleted by somebody since a moment', {job: listed('deleting', 'dr', LIMITS.graceMs - 1)}, WAIT],
		['being deleted by somebody, on a node that does not answer', {job: listed('deleting', 'dr', LIMITS.graceMs)}, DELETED],
		['being deleted by us', {job: listed('deleting', 'dr', 3_600_000), isRemoved: true}, WAIT],
		['deleted by somebody while it ran', {job: VANISHED, seenStates: new Set(['running', 'deleting'])}, DELETED],
		[
			'deleted by somebody while it ran, as accounting says',
			{job: absent(1, 0), seenStates: new Set(['running', 'deleting']), end: failedEnd},
			DELETED,
		],
		[
			'deleted by somebody, as the scheduler says, whoever it was',
			{job: VANISHED, seenStates: new Set(['running']), end: {failed: true, kind: 'deleted', reason: 'it was cancelled'}},
			DELETED,
		],
		[
			'deleted by somebody before it was ever seen',
			{job: absent(1, 0), hasFiles: false, end: {failed: true, kind: 'deleted', reason: 'it was cancelled'}},
			DELETED,
		],
		[
			'deleted by the queue itself, for its time was over',
			{job: absent(1, 0), seenStates: new Set(['running', 'deleting']), end: {...failedEnd, kind: 'wall-time'}},
			resubmit('wall-time', 'the queue-job ended without a result: killed by SIGKILL'),
		],
		[
			'gone without ever having run',
			{job: VANISHED, seenStates: new Set(['pending']), hasFiles: false, numExplanations: 3},
			failed('deleted', 'the queue-job was deleted before it ran, and not by this map'),
		],
		[
			'gone without ever having run, though the accounting may only be late',
			{job: VANISHED, seenStates: new Set(['pending']), hasFiles: false, numExplanations: 2},
			WAIT,
		],
		[
			'gone without having been seen to run, though accounting knows it',
			{job: VANISHED, seenStates: new Set(['pending']), hasFiles: false, end: cleanEnd},
			lost('the queue-job ended without a result: exit status 0'),
		],
		[
			'vanished while it ran, and nobody says why',
			{job: VANISHED, seenStates: new Set(['running']), hasFiles: false},
			killed('the queue-job ended without a result'),
		],
		[
			'waiting in vain for a host that it does not avoid',
			{job: listed('pending', 'qw', MAX_AVOIDING_MS), isAvoiding: true},
			{kind: 'relax', reason: 'no host but those that it avoids has taken it'},
		],
		['waiting for a host that it does not avoid', {job: listed('pending', 'qw', 6999), isAvoiding: true}, WAIT],
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

const at = (numFinished: number, begunUpTo?: number, over?: number): {progress: ProgressFacts; job: JobFacts; end: JobEnd} => ({
	progress: {numFinished, mark: begunUpTo === undefined ? undefined : {finished: numFinished, begunUpTo}, over},
	job: absent(1, 0),
	end: failedEnd,
});

describe('with maxNumResubmissions 2, of a chunk of three tasks', () => {
	test.each<[history: string, facts: readonly Partial<AttemptFacts>[], kind: Verdict['kind']]>([
		['one death in the first task', [at(0, 1)], 'resubmit'],
		['three deaths in the first task: the next attempt fails it and goes on', [at(0, 1), at(0, 1), at(0, 1)], 'resubmit'],
		['four deaths in the first task: it was begun too often', [at(0, 1), at(0, 1), at(0, 1), at(0, 1)], 'fail'],
		['three deaths in the last task: there is nothing to go on with', [at(2, 3), at(2, 3), at(2, 3)], 'fail'],
		['two deaths in the last task', [at(2, 3), at(2, 3)], 'resubmit'],
		['three starts without a task', [at(0), at(0), at(0)], 'fail'],
		['two starts without a task', [at(0), at(0)], 'resubmit'],
		['three starts without a task, after one that finished a task', [at(1, 2), at(1), at(1), at(1)], 'fail'],
		['two starts without a task, after one that finished a task', [at(0), at(0), at(1, 2), at(1), at(1)], 'resubmit'],
		['a task that took too long', [at(0, 1, 0)], 'resubmit'],
		['the last task took too long', [at(2, 3, 2)], 'fail'],
		['starts that count for nothing', Array.from({length: 9}, () => ({...at(0), isVoid: true})), 'resubmit'],
		['all tasks finished, but not told', [at(3), at(3)], 'resubmit'],
	])('%s', (_, facts, kind) => {
		expect(judged(attempts(...facts))).toMatchObject({kind});
	});

	test('with maxNumResubmissions 0 nothing is submitted again but for a task that took too long', () => {
		const limits = {...LIMITS, maxNumResubmissions: 0};
		expect(judge(chunk(attempts(at(1, 2))), limits)).toMatchObject({kind: 'fail', cause: 'lost'});
		expect(judge(chunk(attempts(at(1, 2, 1))), limits)).toMatchObject({kind: 'resubmit', cause: 'task-limit'});
	});

	test('a permanent error that two hosts have shown ends the tries', () => {
		const error = (host: string | undefined): Partial<AttemptFacts> => ({
			job: listed('error', 'Eqw'),
			host,
			end: {failed: true, reason: 'no shell', isPermanent: true},
		});
		const limits = {...LIMITS, maxNumResubmissions: 10};
		expect(judge(chunk(attempts(error('node1'), error('node1'))), limits).kind).toBe('resubmit');
		expect(judge(chunk(attempts(error('node1'), error(undefined))), limits).kind).toBe('resubmit');
		expect(judge(chunk(attempts(error('node1'), error('node2'))), limits)).toMatchObject({kind: 'fail', cause: 'error-state'});
	});

	test('an unreachable node is waited for without end when `unreachableAfterMs` is false', () => {
		const facts = chunk(attempts({job: listed('unreachable', 'r', NOW_MS)}));
		expect(judge(facts, {...LIMITS, unreachableAfterMs: false})).toEqual(WAIT);
	});
});

const jobFacts = fc.oneof(
	fc.constant<JobFacts>({kind: 'unknown'}),
	fc.tuple(fc.constantFrom<JobState>(...ALIVE, 'error'), fc.nat(2 * MAX_AVOIDING_MS)).map(([state, forMs]) => listed(state, state, forMs)),
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
			.array(
				fc.record({
					job: jobFacts,
					result: resultFacts,
					end: fc.constantFrom(undefined, failedEnd, cleanEnd),
					seenStates: fc.uniqueArray(fc.constantFrom<JobState>(...ALIVE)).map(states => new Set(states)),
					hasFiles: fc.boolean(),
					isRemoved: fc.boolean(),
					isAvoiding: fc.boolean(),
					isVoid: fc.boolean(),
					progress: fc.option(
						fc.record({
							numFinished: fc.nat(3),
							mark: fc.option(
								fc.tuple(fc.nat(2), fc.integer({min: 1, max: 3})).map(([finished, more]) => ({finished, begunUpTo: finished + more})),
								{nil: undefined},
							),
							over: fc.option(fc.nat(2), {nil: undefined}),
						}),
						{nil: undefined},
					),
				}),
				{maxLength: 6},
			)
			.map(made => attempts(...made)),
		numTasks: fc.integer({min: 1, max: 4}),
		isNextDue: fc.boolean(),
		nowMs: fc.constant(NOW_MS),
		answeredMs: fc.constant(NOW_MS),
		anyWorkerStarted: fc.boolean(),
	}),
	limits: fc.record<Limits>({
		maxNumResubmissions: fc.nat(4),
		graceMs: fc.nat(NOW_MS),
		unreachableAfterMs: fc.oneof(fc.constant(false as const), fc.nat(NOW_MS)),
		pendingLimitMs: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(NOW_MS)),
	}),
});

const check = (hold: (facts: ChunkFacts, limits: Limits, verdict: Verdict) => void): void => {
	fc.assert(
		fc.property(histories, ({facts, limits}) => hold(facts, limits, judge(facts, limits))),
		{numRuns: 5000},
	);
};

describe('for any history', () => {
	test('Q19, X2: a chunk is done exactly when an attempt has a whole result, and names the first of them', () => {
		check((facts, _, verdict) => {
			const whole = facts.attempts.find(({result}) => result.kind === 'whole');
			if (whole === undefined) expect(verdict.kind).not.toBe('done');
			else expect(verdict).toEqual({kind: 'done', attempt: whole.attempt});
		});
	});

	test('a task that was begun `1 + maxNumResubmissions` times is the reason for one more attempt at most: the one that fails it', () => {
		check((facts, {maxNumResubmissions}, verdict) => {
			if (verdict.kind !== 'resubmit' || verdict.cause === 'task-limit' || facts.attempts.at(-1)?.jobId === undefined) return;
			const counted = facts.attempts.filter(({isVoid, progress}) => !isVoid || progress?.mark !== undefined);
			const numFinished = Math.max(0, ...counted.map(({progress}) => progress?.numFinished ?? 0));
			const begun = counted.filter(({progress}) => {
				const mark = progress?.mark;
				return mark !== undefined && mark.finished <= numFinished && numFinished < mark.begunUpTo;
			});
			expect(begun.length).toBeLessThanOrEqual(1 + maxNumResubmissions);
			if (begun.length === 1 + maxNumResubmissions) expect(numFinished + 1).toBeLessThan(facts.numTasks);
		});
	});

	test('P7, P8: a queue-job that is running, held or suspended is waited for, unless its worker said that it could not begin', () => {
		check((facts, _, verdict) => {
			const current = facts.attempts.at(-1);
			if (verdict.kind === 'done' || current?.job.kind !== 'listed' || current.result.kind === 'start-failed') return;
			if (['running', 'held', 'suspended'].includes(current.job.state)) expect(verdict).toEqual(WAIT);
		});
	});

	test('a queue-job of which the queue has never told is not given up', () => {
		check((facts, _, verdict) => {
			const current = facts.attempts.at(-1);
			if (current?.job.kind !== 'unknown' || current.result.kind === 'start-failed') return;
			expect(['wait', 'done']).toContain(verdict.kind);
		});
	});

	test('nothing is lost before it was missed often enough and for the grace time, unless it is known to have failed', () => {
		check((facts, limits, verdict) => {
			const current = facts.attempts.at(-1);
			if ((verdict.kind !== 'resubmit' && verdict.kind !== 'fail') || current?.job.kind !== 'absent') return;
			const {job, result, end} = current;
			if (result.kind === 'start-failed' || (end?.failed === true && result.kind === 'none')) return;
			expect(job.answers).toBeGreaterThanOrEqual(MISSED_ANSWERS);
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
	const unanswered: Partial<AttemptFacts> = {jobId: undefined, job: VANISHED};
	const many = Array.from({length: 20}, () => unanswered);
	expect(judged(attempts(...many))).toMatchObject({kind: 'resubmit'});
	expect(judged(attempts(...many, {job: VANISHED}, {job: VANISHED}, {job: VANISHED}))).toMatchObject({kind: 'fail'});
});
