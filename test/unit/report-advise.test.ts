import {describe, expect, test} from 'vitest';
import {type Advice, advise} from '../../src/report/advise.js';
import {collectReport} from '../../src/report/collect-report.js';
import type {AskFacts, FailureGroup, HostFacts, JobRow, ReportData} from '../../src/report/report-data.js';
import {at, attempt, doneTask, line, record} from '../helpers/made-records.js';
import {BEGAN_AT_MS} from '../helpers/made-work-dir.js';

const MINUTE = 60_000;
const GIBIBYTE = 2 ** 30;

/** A map of which nothing is to be said: a hundred queue-jobs that computed ten tasks of a minute each. */
const calm = (): ReportData => {
	const tasks = Array.from({length: 100}, (_, i) =>
		doneTask(i, {
			attempts: [attempt({startedAt: at(1000), endedAt: at(11 * MINUTE), host: `node${i % 4}`})],
			elapsedMs: 10 * MINUTE,
			host: `node${i % 4}`,
		}),
	);
	const journal = tasks.flatMap(({ichunk}) => [
		line(500, {event: 'submitted', ichunk, attempt: 1}),
		line(11 * MINUTE, {event: 'result', ichunk, attempt: 1}),
	]);
	return collectReport(record(tasks, [...journal, line(11 * MINUTE, {event: 'ended'})]), BEGAN_AT_MS + 12 * MINUTE);
};

type Change = {
	readonly [Key in keyof ReportData]?: ReportData[Key] extends readonly unknown[] | number ? ReportData[Key] : Partial<ReportData[Key]>;
};

const changed = (change: Change): ReportData => {
	const base = calm();
	const merged = Object.entries(change).map(([key, value]) => [
		key,
		typeof value === 'object' && !Array.isArray(value) ? {...(base[key as keyof ReportData] as object), ...value} : value,
	]);
	return {...base, ...Object.fromEntries(merged)};
};

const idsOf = (data: ReportData): string[] => advise(data).map(({id}) => id);
const find = (data: ReportData, id: string): Advice => advise(data).find(advice => advice.id === id) as Advice;

const ask = (fields: Partial<AskFacts>): AskFacts => ({
	memoryBytes: null,
	timeSeconds: null,
	slots: 1,
	numJobs: 100,
	medianMemoryBytes: null,
	maxMemoryBytes: null,
	medianHeldMs: 10 * MINUTE,
	maxHeldMs: 10 * MINUTE,
	busyProcessors: 0.9,
	...fields,
});

const group = (fields: Partial<FailureGroup>): FailureGroup => ({
	kind: 'exception',
	message: 'RangeError: boom',
	stack: null,
	numTasks: 3,
	itasks: '3, 7, 9',
	samples: [],
	...fields,
});

const host = (name: string, fields: Partial<HostFacts>): HostFacts => ({
	name,
	clockAheadMs: 0,
	numJobs: 20,
	numFailedJobs: 0,
	numTasks: 20,
	heldMs: 1000,
	computingMs: 1000,
	memoryBytes: null,
	atMost: 4,
	...fields,
});

test('of a map that used what it asked for nothing is said', () => {
	expect(advise(calm())).toEqual([]);
});

test('failed tasks come first, with how many were alike and how to compute one here', () => {
	const data = changed({
		counts: {total: 100, done: 96, failed: 4},
		failures: [group({}), group({message: 'other', numTasks: 1})],
		asks: [ask({memoryBytes: 64 * GIBIBYTE, maxMemoryBytes: GIBIBYTE})],
	});
	const [first, second] = advise(data);
	expect(first).toMatchObject({
		id: 'failed-tasks',
		weight: 'important',
		figure: '4 of 100 tasks failed, 3 of them alike: exception, RangeError: boom.',
	});
	expect(first?.action).toContain('qmr rerun /w/s');
	expect(second?.weight).toBe('useful');
});

test('a map that was left says how to go on with it, in words that a shell takes as they are', () => {
	const data = changed({map: {isLeft: true, workDir: "/w/it's here"}, counts: {total: 100, done: 60, failed: 10, pending: 30}});
	expect(find(data, 'left').figure).toContain('30 tasks have no outcome');
	expect(find(data, 'left').action).toContain("`qmr resume '/w/it'\\''s here'`");
});

describe('chunks that are too small', () => {
	const slots = {heldMs: 100_000, lostMs: 0, computingMs: 2000, medianHeldMs: 1000, atMost: 8};
	const durations = {count: 100, totalMs: 2000, medianMs: 20, maxMs: 30};

	test('are told with the share of the time that was computed, and with a size that leaves every slot something', () => {
		const data = changed({slots, durations, counts: {total: 100, done: 100}, map: {numChunks: 100}});
		expect(find(data, 'chunks-too-small').figure).toContain('only 2.0 % of the time was spent in tasks, of 20 ms each');
		// 15,000 would be 5 minutes; 100 tasks for 8 slots are 13 each.
		expect(find(data, 'chunks-too-small').action).toContain('`chunkSize: 13` in place of about 1');
	});

	test.each([
		['the tasks fill the time', {computingMs: 60_000}, {}],
		['a queue-job is long enough as it is', {medianHeldMs: 6 * MINUTE}, {}],
		['there is one chunk for each slot already', {}, {numChunks: 8}],
	])('are none when %s', (_, otherSlots, map) => {
		const data = changed({slots: {...slots, ...otherSlots}, durations, counts: {total: 100, done: 100}, map: {numChunks: 100, ...map}});
		expect(idsOf(data)).not.toContain('chunks-too-small');
	});

	test('on this machine may be much smaller', () => {
		const data = changed({slots: {...slots, medianHeldMs: 11_000}, durations, map: {engine: 'local', numChunks: 100}});
		expect(idsOf(data)).not.toContain('chunks-too-small');
	});
});

describe('a long tail', () => {
	const slots = {atMost: 20, tailMs: 5 * MINUTE};

	test('asks for dynamic chunks, or for the longest tasks first where each has a chunk of its own', () => {
		expect(find(changed({slots, map: {numChunks: 10}}), 'long-tail').action).toContain("`schedule: 'dynamic'` with `numJobs: 20`");
		expect(find(changed({slots}), 'long-tail').action).toContain('longest first');
	});

	test('is none while the map runs, nor of a short map', () => {
		expect(idsOf(changed({slots, map: {state: 'running'}}))).toEqual([]);
		expect(idsOf(changed({slots, wallMs: 30_000}))).toEqual([]);
	});
});

test('long waits are told against what was computed, but not on this machine', () => {
	const slots = {medianWaitMs: 60 * MINUTE, medianHeldMs: 5 * MINUTE};
	expect(find(changed({slots}), 'long-waits').figure).toContain('waited for 1 h and ran for 5 min');
	expect(idsOf(changed({slots, map: {engine: 'local'}}))).toEqual([]);
});

test('a slow submission asks for arrays, unless the user held it back', () => {
	const slots = {submittingMs: 5 * MINUTE};
	expect(find(changed({slots}), 'slow-submission').action).toContain('arrayJobs: true');
	expect(idsOf(changed({slots, map: {options: '{ maxQueuedJobs: 10 }'}}))).toEqual([]);
});

test('lost queue-jobs are told with their most frequent reason', () => {
	const {jobs} = calm();
	const lost = (reason: string): JobRow => ({...(jobs[0] as JobRow), state: 'failed', reason});
	const data = changed({
		jobs: [...jobs, ...Array.from({length: 8}, (_, i) => lost(i < 2 ? 'rare' : 'killed by SIGKILL'))],
		slots: {lostMs: MINUTE},
	});
	expect(find(data, 'lost-work').figure).toBe(
		'8 of 108 queue-jobs ended without their result, and 1 min of slots with them. 6 times: killed by SIGKILL.',
	);
	expect(idsOf(changed({jobs: [...jobs, lost('once')]}))).toEqual([]);
});

test('a host that fails where others do not is named; where all fail it is not the host', () => {
	const bad = host('node7', {numJobs: 4, numFailedJobs: 4});
	expect(find(changed({hosts: [bad, host('node1', {})]}), 'bad-hosts').figure).toBe(
		'4 of 4 queue-jobs on node7 failed; on all others 0 of 20.',
	);
	expect(idsOf(changed({hosts: [bad, host('node1', {numFailedJobs: 20})]}))).toEqual([]);
	expect(idsOf(changed({hosts: [bad]}))).toEqual([]);
});

test('a clock that is wrong is told with its direction', () => {
	const data = changed({hosts: [host('node1', {clockAheadMs: -90_000}), host('node2', {clockAheadMs: 1000})]});
	expect(find(data, 'bad-clocks').figure).toBe('Against the process-node at least: node1 1.5 min behind.');
});

test('files that could not be read are told', () => {
	expect(find(changed({problems: ['/w/s/000000001.1.out: it is missing']}), 'problems').figure).toBe(
		'1 problem, the first: /w/s/000000001.1.out: it is missing',
	);
});

describe('memory', () => {
	test('of five times what was used is too much; what is advised is enough for Node’s address space where that is limited', () => {
		const asks = [ask({memoryBytes: 16 * GIBIBYTE, maxMemoryBytes: GIBIBYTE / 4})];
		expect(find(changed({asks}), 'too-much-memory').figure).toBe(
			'100 queue-jobs asked for 16 GiB each; the most that one used was 256 MiB, 64 times less.',
		);
		expect(find(changed({asks}), 'too-much-memory').action).toContain("`memory: '2G'`");
		expect(find(changed({asks, map: {engine: 'slurm'}}), 'too-much-memory').action).toContain("`memory: '512M'`");
	});

	test('of four times what was used is not worth a word, nor is what nobody would miss', () => {
		expect(idsOf(changed({asks: [ask({memoryBytes: 4.9 * GIBIBYTE, maxMemoryBytes: GIBIBYTE})], map: {engine: 'slurm'}}))).toEqual([]);
		expect(idsOf(changed({asks: [ask({memoryBytes: GIBIBYTE, maxMemoryBytes: GIBIBYTE / 16})], map: {engine: 'slurm'}}))).toEqual([]);
		expect(idsOf(changed({asks: [ask({maxMemoryBytes: GIBIBYTE})]}))).toEqual([]);
	});

	test('that was not enough is important, that is hardly enough is useful to know', () => {
		const near = changed({asks: [ask({memoryBytes: GIBIBYTE, maxMemoryBytes: 0.9 * GIBIBYTE})]});
		expect(find(near, 'too-little-memory')).toMatchObject({weight: 'useful', title: 'The memory is hardly enough'});
		const killed = changed({asks: [ask({memoryBytes: 4 * GIBIBYTE})], failures: [group({kind: 'out-of-memory'})]});
		expect(find(killed, 'too-little-memory')).toMatchObject({weight: 'important', title: 'Tasks ran out of memory'});
		expect(find(killed, 'too-little-memory').action).toContain("`memory: '8G'`");
	});

	test('is judged by what most queue-jobs asked for', () => {
		const asks = [
			ask({numJobs: 2, memoryBytes: 64 * GIBIBYTE, maxMemoryBytes: GIBIBYTE}),
			ask({memoryBytes: 2 * GIBIBYTE, maxMemoryBytes: GIBIBYTE}),
		];
		expect(idsOf(changed({asks}))).toEqual([]);
	});
});

describe('time', () => {
	test('of five times what was used is too much, but not of an hour', () => {
		const asks = [ask({timeSeconds: 36 * 3600, maxHeldMs: 20 * MINUTE})];
		expect(find(changed({asks}), 'too-much-time').action).toContain("`time: '40m'`");
		expect(idsOf(changed({asks: [ask({timeSeconds: 3600, maxHeldMs: MINUTE})]}))).toEqual([]);
	});

	test('that was not enough is important, that is hardly enough is useful to know', () => {
		expect(find(changed({asks: [ask({timeSeconds: 660, maxHeldMs: 10 * MINUTE})]}), 'too-little-time').weight).toBe('useful');
		const killed = changed({failures: [group({kind: 'wall-time'})], asks: [ask({})]});
		expect(find(killed, 'too-little-time')).toMatchObject({weight: 'important'});
	});
});

test('slots that were not busy are told, with what JavaScript can use', () => {
	expect(find(changed({asks: [ask({slots: 8, busyProcessors: 1.1})]}), 'idle-slots').action).toContain('`slots: 2`');
	expect(idsOf(changed({asks: [ask({slots: 8, busyProcessors: 6})]}))).toEqual([]);
	expect(idsOf(changed({asks: [ask({busyProcessors: 0.1})]}))).toEqual([]);
});
