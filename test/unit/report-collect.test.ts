import {describe, expect, test} from 'vitest';
import type {JournalEvent, JournalLine} from '../../src/journal.js';
import type {AttemptRecord} from '../../src/read-work-dir.js';
import {collectReport, type ReportInput, tasksToShow, withInputs} from '../../src/report/collect-report.js';
import type {JobRow, ReportData} from '../../src/report/report-data.js';
import {at, attempt, doneTask, failedTask, line, record, waitingTask} from '../helpers/made-records.js';
import {BEGAN_AT_MS} from '../helpers/made-work-dir.js';

const NOW_MS = 100_000;

const collect = (made: ReportInput): ReportData => collectReport(made, BEGAN_AT_MS + NOW_MS);

const firstJob = (made: ReportInput): JobRow => collect(made).jobs[0] as JobRow;

const who = {ichunk: 0, attempt: 1, jobId: '937'};
const submitted = (ms: number, fields: Partial<JournalEvent> = {}): JournalLine[] => [
	line(ms - 10, {event: 'submitting', ...who, ...fields}),
	line(ms, {event: 'submitted', ...who}),
];
const running = (ms: number): JournalLine => line(ms, {event: 'running', ...who, host: 'node1'});
const result = (ms: number): JournalLine => line(ms, {event: 'result', ...who});

describe('a queue-job', () => {
	test('H10: tells where it ran, how long it waited and computed, and what it used, by what its worker says', () => {
		const usage = {maxRssBytes: 5e7, userMs: 800, systemMs: 50};
		const ran = attempt({startedAt: at(3000), endedAt: at(4000), usage});
		const tasks = [
			doneTask(0, {ichunk: 0, attempts: [ran], elapsedMs: 300}),
			failedTask(1, 'boom', {ichunk: 0, attempts: [ran], elapsedMs: 400}),
		];
		const made = record(tasks, [...submitted(1000, {resources: {memoryBytes: 2 ** 30, slots: 2}}), running(3500), result(4500)]);
		expect(firstJob(made)).toEqual({
			ichunk: 0,
			attempt: 1,
			jobId: '937',
			host: 0,
			state: 'done',
			submittedMs: 1000,
			beganMs: 3000,
			endedMs: 4000,
			numTasks: 2,
			numFailed: 1,
			computingMs: 700,
			cpuMs: 850,
			memoryBytes: 5e7,
			ask: 0,
			reason: null,
		});
		const {hosts, slots, asks} = collect(made);
		expect(hosts).toMatchObject([
			{name: 'node1', numJobs: 1, numFailedJobs: 0, numTasks: 2, heldMs: 1000, computingMs: 700, memoryBytes: 5e7, atMost: 1},
		]);
		// Two slots were held.
		expect(slots).toMatchObject({
			heldMs: 2000,
			lostMs: 0,
			computingMs: 700,
			cpuMs: 850,
			cpuHeldMs: 2000,
			waitingMs: 2000,
			medianWaitMs: 2000,
			atMost: 1,
		});
		expect(asks).toMatchObject([
			{memoryBytes: 2 ** 30, timeSeconds: null, slots: 2, numJobs: 1, maxMemoryBytes: 5e7, maxHeldMs: 1000, busyProcessors: 0.85},
		]);
	});

	test('of which no worker says anything is placed by what the process-node saw', () => {
		const made = record([doneTask(0)], [...submitted(1000), running(3500), result(4500)]);
		expect(firstJob(made)).toMatchObject({state: 'done', beganMs: 3500, endedMs: 4500, cpuMs: null, memoryBytes: null});
	});

	test.each([
		['behind', -60_000],
		['ahead', 60_000],
	])('on a host whose clock is %s never waits less than nothing, nor ends after its result was seen', (_, aheadMs) => {
		const ran = attempt({startedAt: at(3000 + aheadMs), endedAt: at(4000 + aheadMs)});
		const made = record([doneTask(0, {attempts: [ran], startedAt: at(3100 + aheadMs)})], [...submitted(1000), result(4500)]);
		const {jobs, hosts, slowest} = collect(made);
		const {submittedMs, beganMs, endedMs} = jobs[0] as JobRow;
		expect(submittedMs).toBeGreaterThanOrEqual(990);
		expect(beganMs).toBeGreaterThanOrEqual(submittedMs ?? Number.NaN);
		expect(endedMs).toBeLessThanOrEqual(4500);
		expect((endedMs ?? 0) - (beganMs ?? 0)).toBe(1000);
		expect(Math.abs((hosts[0]?.clockAheadMs ?? 0) - aheadMs)).toBeLessThanOrEqual(2500);
		// What is told of the tasks is corrected, too.
		expect(slowest[0]?.startedMs).toBe((beganMs ?? 0) + 100);
	});

	test('of many that were submitted together was handed over in its turn, and may have begun before that was noted of any', () => {
		const jobs = [0, 1, 2, 3].map(ichunk => ({ichunk, attempt: 1, jobName: `q#${ichunk}.1`}));
		const began = [1500, 9000, 9000, 9000];
		const tasks = jobs.map(({ichunk}) =>
			doneTask(ichunk, {attempts: [attempt({startedAt: at(began[ichunk] as number), endedAt: at(9500)})]}),
		);
		const lines = (['submitting', 'submitted', 'result'] as const).flatMap((event, i) =>
			jobs.map(job => line([1000, 5000, 9900][i] as number, {event, ...job})),
		);
		const made = collect(record(tasks, lines));
		expect(made.jobs.map(({submittedMs, beganMs}) => [submittedMs, beganMs])).toEqual([
			[1500, 1500],
			[3000, 9000],
			[4000, 9000],
			[5000, 9000],
		]);
		expect(made.hosts[0]?.clockAheadMs).toBe(0);
		// An array is handed over at once.
		const array = collect(
			record(
				tasks.slice(1),
				lines.map(each => ({...each, jobName: 'q#0-3.1'})),
			),
		);
		expect(array.jobs.map(({submittedMs}) => submittedMs)).toEqual([5000, 5000, 5000]);
	});

	test('on a host whose clock was set meanwhile fits between its submission and its result all the same', () => {
		const [early, late] = [-20_000, 20_000].map(aheadMs => attempt({startedAt: at(3000 + aheadMs), endedAt: at(4000 + aheadMs)}));
		const other = {ichunk: 1, attempt: 1, jobId: '938'};
		const made = record(
			[doneTask(0, {attempts: [early as AttemptRecord]}), doneTask(1, {attempts: [late as AttemptRecord]})],
			[...submitted(2900), result(4100), line(2900, {event: 'submitted', ...other}), line(4100, {event: 'result', ...other})],
		);
		for (const {submittedMs, beganMs, endedMs} of collect(made).jobs) {
			expect(submittedMs).toBeGreaterThanOrEqual(2890);
			expect(beganMs).toBeGreaterThanOrEqual(submittedMs ?? Number.NaN);
			expect(endedMs).toBeGreaterThanOrEqual(beganMs ?? Number.NaN);
		}
		expect(collect(made).slots.waitingMs).toBeGreaterThanOrEqual(0);
	});

	test('that runs or waits while the map runs has no end', () => {
		const attempts = [attempt({lastEvent: 'running'})];
		const waiting = [attempt({lastEvent: 'submitted', host: undefined})];
		const made = record(
			[waitingTask(0, {attempts, state: 'running'}), waitingTask(1, {attempts: waiting})],
			[...submitted(1000), running(2000), line(1000, {event: 'submitted', ichunk: 1, attempt: 1, jobId: '938'})],
		);
		const data = collect(made);
		expect(data.jobs).toMatchObject([
			{state: 'running', beganMs: 2000, endedMs: null, host: 0},
			{state: 'waiting', submittedMs: 1000, beganMs: null, endedMs: null, host: null},
		]);
		expect(data.map).toMatchObject({state: 'running', lastNoteMs: 1000});
		expect(data).toMatchObject({wallMs: NOW_MS, counts: {total: 2, done: 0, failed: 0, running: 1, pending: 1}});
		expect(data.slots).toMatchObject({heldMs: 0, computingMs: 0, atMost: 1});
	});

	test('whose worker has ended, and whose result nobody has seen yet, is done', () => {
		const ran = attempt({startedAt: at(2000), endedAt: at(3000), lastEvent: 'running'});
		expect(firstJob(record([doneTask(0, {attempts: [ran]})], [...submitted(1000), running(2000)]))).toMatchObject({
			state: 'done',
			endedMs: 3000,
		});
	});

	test('that was lost tells why, and the one after it stands beside it', () => {
		const reason = 'killed by SIGKILL';
		const attempts = [attempt({lastEvent: 'lost', reason}), attempt({attempt: 2, jobId: '938'})];
		const made = record(
			[doneTask(0, {attempts, attempt: 2})],
			[
				...submitted(1000),
				running(2000),
				line(9000, {event: 'lost', ...who, kind: 'killed', reason}),
				line(9000, {event: 'resubmitted', ichunk: 0, attempt: 2}),
				line(9500, {event: 'submitted', ...who, attempt: 2}),
				line(12_000, {event: 'result', ...who, attempt: 2}),
				line(13_000, {event: 'ended'}),
			],
		);
		const data = collect(made);
		expect(data.jobs.map(({attempt: number, state, endedMs, reason: why, numTasks}) => [number, state, endedMs, why, numTasks])).toEqual([
			[1, 'failed', 9000, reason, 0],
			[2, 'done', 12_000, null, 1],
		]);
		expect(data.slots).toMatchObject({heldMs: 7000, lostMs: 7000});
		expect(data.hosts[0]).toMatchObject({numJobs: 2, numFailedJobs: 1});
	});

	test('that never ran because the map was ended is cancelled, and so is one that was removed', () => {
		const cancelled = {event: 'chunk-failed', kind: 'cancelled', reason: 'the map was ended'} as const;
		const made = record(
			[waitingTask(0, {attempts: [attempt({host: undefined})]}), waitingTask(1, {attempts: [attempt()]})],
			[
				...submitted(1000),
				line(2000, {...cancelled, ...who}),
				line(1000, {event: 'submitted', ichunk: 1, attempt: 1}),
				line(1500, {event: 'running', ichunk: 1, attempt: 1, host: 'node1'}),
				line(2000, {event: 'deleted', ichunk: 1, attempt: 1}),
				line(2500, {event: 'ended'}),
			],
		);
		const {jobs, map} = collect(made);
		expect(jobs.map(({state, beganMs, endedMs}) => [state, beganMs, endedMs])).toEqual([
			['cancelled', null, 2500],
			['cancelled', 1500, 2000],
		]);
		expect(map.state).toBe('ended');
	});

	test('that could not be submitted is none', () => {
		const attempts = [attempt({lastEvent: 'not-submitted', jobId: undefined, host: undefined})];
		const lines = [line(1000, {event: 'submitting', ichunk: 0, attempt: 1}), line(1100, {event: 'not-submitted', ichunk: 0, attempt: 1})];
		expect(collect(record([waitingTask(0, {attempts})], lines)).jobs).toEqual([]);
	});

	test('that claimed a chunk waited for nothing', () => {
		const made = record([doneTask(0)], [line(5000, {event: 'claimed', ...who, host: 'node1'}), result(7000)]);
		expect(firstJob(made)).toMatchObject({submittedMs: null, beganMs: 5000, endedMs: 7000});
		expect(collect(made).slots).toMatchObject({waitingMs: 0, medianWaitMs: null});
	});
});

test('queue-jobs that take one chunk after the other are counted and measured as what they are', () => {
	const home = {ichunk: 0, attempt: 1, stdoutFrom: 0, stderrFrom: 0};
	const ran = (fromMs: number, toMs: number) => [
		attempt({startedAt: at(fromMs), endedAt: at(toMs), usage: {maxRssBytes: 5, userMs: 1, systemMs: 0}}),
	];
	const made = record(
		[doneTask(0, {attempts: ran(2000, 3000)}), doneTask(1, {attempts: ran(3000, 7000)})],
		[
			...submitted(1000, {resources: {memoryBytes: 2 ** 30, slots: 4}}),
			line(3100, {event: 'claimed', ...who, ichunk: 1, home}),
			result(8000),
			line(8000, {event: 'result', ...who, ichunk: 1}),
		],
	);
	const {asks, slots, hosts, jobs} = collect(made);
	expect(asks).toMatchObject([{memoryBytes: 2 ** 30, slots: 4, numJobs: 1, medianHeldMs: 5000, maxHeldMs: 5000}]);
	expect(slots).toMatchObject({numJobs: 1, heldMs: 20_000, medianHeldMs: 5000, atMost: 1});
	expect([hosts[0]?.numJobs, jobs.length]).toEqual([1, 2]);
});

test('a map that was resumed goes on, whatever its first process said at its end', () => {
	const made = record([waitingTask(0)], [line(1000, {event: 'ended'}), line(2000, {event: 'resumed'})]);
	expect(collect(made).map.state).toBe('running');
	expect(collect({...made, journal: [...made.journal, line(3000, {event: 'ended'})]})).toMatchObject({wallMs: 3000, map: {state: 'ended'}});
});

test('that its process has left a map is told until it has ended', () => {
	const left = {...record([waitingTask(0)]), isLeft: true};
	expect(collect(left).map).toMatchObject({state: 'running', isLeft: true});
	expect(collect({...left, journal: [line(5, {event: 'ended'})]}).map).toMatchObject({state: 'ended', isLeft: false});
});

test('what a rerun has computed counts, but is no work of the queue-jobs of the map itself', () => {
	const made = record([doneTask(0, {ichunk: 7, rerun: 1, elapsedMs: 9000}), doneTask(1, {ichunk: 0})], [...submitted(1000), result(4500)]);
	const data = collect({...made, chunks: [{ichunk: 0, attempts: [attempt()]}]});
	expect(data).toMatchObject({numRerun: 1, counts: {done: 2}, jobs: [{ichunk: 0, numTasks: 1, computingMs: 500}]});
	expect(data.slowest.map(({itask, ichunk, rerun}) => [itask, ichunk, rerun])).toEqual([
		[0, 7, 1],
		[1, 0, null],
	]);
});

test('Q23: tasks that failed alike are one group with all their numbers, the largest first, and with words of those that wrote any', () => {
	const made = record([
		...[0, 2].map(itask => failedTask(itask, 'rare')),
		...[3, 7, 9, 10, 11].map(itask => failedTask(itask, 'often', {stderr: itask < 9 ? '' : `\u001b[31mred\u001b[0m ${itask}`})),
		doneTask(12),
	]);
	const {failures, numOtherFailures} = collect(made);
	expect(failures.map(({message, numTasks, itasks}) => [message, numTasks, itasks])).toEqual([
		['often', 5, '3, 7, 9-11'],
		['rare', 2, '0, 2'],
	]);
	expect(failures[0]?.samples.map(({itask, stderr}) => [itask, stderr])).toEqual([9, 10, 11].map(itask => [itask, `red ${itask}`]));
	expect(failures[1]?.samples.map(({itask}) => itask)).toEqual([0, 2]);
	expect(numOtherFailures).toBe(0);
});

test('of more kinds of failure than anybody reads the rest is counted, and long words are cut where it matters least', () => {
	const made = record(
		Array.from({length: 130}, (_, i) => failedTask(i, `kind ${i} ${'m'.repeat(9000)}`, {stderr: `${'e'.repeat(9000)}the end`})),
	);
	const {failures, numOtherFailures} = collect(made);
	expect([failures.length, numOtherFailures]).toEqual([100, 30]);
	expect(failures[0]?.message).toMatch(/^kind 0 m{3990,}…$/);
	expect(failures[0]?.samples[0]?.stderr).toMatch(/^…e{3990,}the end$/);
});

test('the slowest tasks are told in their order, of however many', () => {
	const elapsed = (i: number): number => (i * 7919) % 10_007;
	const tasks = Array.from({length: 5000}, (_, i) => doneTask(i, {elapsedMs: elapsed(i)}));
	const wanted = tasks.map((_, i) => elapsed(i)).sort((a, b) => b - a);
	const {slowest, durations} = collect(record([...tasks, waitingTask(5000)]));
	expect(slowest.map(({elapsedMs}) => elapsedMs)).toEqual(wanted.slice(0, 50));
	expect(durations).toMatchObject({count: 5000, maxMs: wanted[0]});
});

test('inputs are added to the tasks that are shown, and asked for of no others', () => {
	const data = collect(record([failedTask(0, 'boom', {elapsedMs: undefined}), doneTask(1), waitingTask(2)]));
	expect([...tasksToShow(data)].sort()).toEqual([0, 1]);
	const shown = withInputs(data, new Map([[0, '{a: 0}']]));
	expect(shown.failures[0]?.samples[0]?.input).toBe('{a: 0}');
	expect(shown.slowest[0]?.input).toBeNull();
});
