/** Workers that die on a real cluster: of signals, with their shepherd, for time, for memory. */
import {MapError, type Outcome, type Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {beforeEach, expect, test} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {
	type Begin,
	commandOf,
	countBegins,
	isAlive,
	killProcess,
	linesOf,
	readBegins,
	untilBegun,
	untilFinished,
	untilInAccounting,
} from '../helpers/faults.js';
import type {Ending} from '../helpers/grid-engine.js';
import {prepareQueueTests} from '../helpers/queue-test.js';

// A grace time of an hour: whatever is waited out here would take longer than the test may.
const t = prepareQueueTests('grid-engine', {graceMs: 3_600_000, numChunks: 1});
const {untilNothingIsLeft} = t;
let workDir: string;
let begun: string;
let until: string;
let pool: Pool;
let ending: Ending;

beforeEach(() => {
	({workDir, begun, until, pool, ending} = t);
});

const jobIdOf = (attempt: number): Promise<string> => t.jobIdOf(0, attempt);

/** Six tasks in one chunk, the fourth of which waits: three are finished when it is killed. */
const mapUntilTheFourth = async (): Promise<{running: Promise<Outcome<number>[]>; begin: Begin}> => {
	const tasks = [0, 1, 2, 3, 4, 5].map(i => (i === 3 ? {begun, until, attempts: 1} : {begun, takesMs: 300}));
	const running = ending.watch(pool.mapSettled(faulty.compute, tasks));
	const begin = await untilBegun(begun, ({itask}) => itask === 3);
	await untilFinished(workDir, {numFinished: 3});
	return {running, begin};
};

test('a worker that is killed costs only the task it was at: what it has finished is not begun again, and another host goes on', async () => {
	const {running, begin} = await mapUntilTheFourth();
	await killProcess(begin.pid, 'node');
	const outcomes = await running;
	expect(outcomes).toMatchObject([0, 1, 2, 3, 4, 5].map(value => ({status: 'fulfilled', value})));
	expect(countBegins(begun, 6)).toEqual([1, 1, 1, 2, 1, 1]);
	expect(readBegins(begun).find(({attempt}) => attempt === 2)?.host).not.toBe(begin.host);
	const record = await untilInAccounting(await jobIdOf(1));
	expect(record.get('exit_status')).toMatch(/^137/);
	const lost = await linesOf(workDir, 'lost');
	expect(lost).toMatchObject([{attempt: 1, kind: 'killed', host: begin.host, reason: expect.stringContaining('SIGKILL')}]);
	const ids = [await jobIdOf(1), await jobIdOf(2)];
	for (const told of [outcomes, (await readWorkDir(workDir)).tasks]) {
		expect(told.map(({attempt}) => attempt)).toEqual([1, 1, 1, 2, 2, 2]);
		expect(told.map(({jobId}) => jobId)).toEqual([0, 0, 0, 1, 1, 1].map(i => ids[i]));
		expect(told.slice(0, 3).map(({host}) => host)).toEqual(new Array(3).fill(begin.host));
	}
	await untilNothingIsLeft();
});

test('a shepherd that is killed costs no more than its worker does, which may even live on', async () => {
	const {running, begin} = await mapUntilTheFourth();
	await killProcess(begin.ppid, 'sge_shepherd');
	expect(await running).toMatchObject([0, 1, 2, 3, 4, 5].map(value => ({status: 'fulfilled', value})));
	expect(countBegins(begun, 6)).toEqual([1, 1, 1, 2, 1, 1]);
	const record = await untilInAccounting(await jobIdOf(1));
	expect(record.get('failed')).toMatch(/^(?!0)/);
	expect(await linesOf(workDir, 'lost')).toMatchObject([{attempt: 1, kind: 'node-lost'}]);
	// An orphan's parent is not the shepherd any more.
	if (isAlive(begin.pid)) expect(commandOf(begin.pid)).toBe('node');
	await untilNothingIsLeft();
});

test('a task that kills its worker every time fails alone, with what has killed it and where; the rest of its chunk is computed once', async () => {
	const tasks = [0, 1, 2, 3, 4].map(i => ({begun, takesMs: 300, deaths: i === 2 ? 99 : 0}));
	const outcomes = await pool.mapSettled(faulty.compute, tasks, {maxNumResubmissions: 2});
	expect(outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.kind))).toEqual([0, 1, 'killed', 3, 4]);
	expect(countBegins(begun, 5)).toEqual([1, 1, 3, 1, 1]);
	const deaths = readBegins(begun).filter(({itask}) => itask === 2);
	expect(deaths.map(({attempt}) => attempt)).toEqual([1, 2, 3]);
	for (const {pid} of deaths) expect(isAlive(pid)).toBe(false);
	const [, , failed] = outcomes;
	expect(failed).toMatchObject({attempt: 3, host: deaths[2]?.host, reason: {message: expect.stringContaining('SIGKILL')}});
	await untilNothingIsLeft();
});

test('a worker that takes longer than h_rt allows fails for its wall time, and what it has finished before is there', async () => {
	const tasks = [{begun}, {begun, takesMs: 3_600_000}];
	// Time enough for the first task on a busy machine, too.
	const options: PoolOptions = {resources: {time: 15}, maxNumResubmissions: 0};
	const outcomes = await pool.mapSettled(faulty.compute, tasks, options);
	expect(outcomes).toMatchObject([
		{status: 'fulfilled', value: 0},
		{status: 'rejected', attempt: 1, reason: {kind: 'wall-time', message: expect.stringContaining('h_rt')}},
	]);
	const record = await untilInAccounting(await jobIdOf(1));
	expect(record.get('failed')).toMatch(/^37 /);
	expect(countBegins(begun, 2)).toEqual([1, 1]);
	await untilNothingIsLeft();
});

/** Node that runs out of memory aborts: without this its core would be left in the working directory. */
const NO_CORE = {qsubArgs: ['-l', 'h_core=0']};

test('a worker that needs more than its h_vmem fails for its memory, and gets more when `resources` says so', async () => {
	const tasks = [
		{begun, megabytes: 1},
		{begun, megabytes: 300},
	];
	const tooLittle = 1.2 * 2 ** 30;
	const error = await pool
		.map(faulty.fillHeap, tasks, {workDir: `${workDir} 1`, ...NO_CORE, resources: {memory: tooLittle}, maxNumResubmissions: 0})
		.catch((thrown: unknown) => thrown);
	expect(error).toBeInstanceOf(MapError);
	expect((error as MapError).failures).toMatchObject([{itask: 1, kind: 'out-of-memory', attempt: 1}]);
	expect((error as MapError).results[0]).toBe(1);

	const seen: unknown[] = [];
	const results = await pool.map(faulty.fillHeap, tasks, {
		...NO_CORE,
		resources: info => {
			seen.push(info);
			return {memory: info.lastFailure === 'out-of-memory' ? 6 * 2 ** 30 : tooLittle};
		},
	});
	expect(results).toEqual([1, 300]);
	expect(seen).toContainEqual({attempt: 2, lastFailure: 'out-of-memory'});
	expect(await linesOf(workDir, 'lost')).toMatchObject([{attempt: 1, kind: 'out-of-memory'}]);
	expect((await untilInAccounting(await jobIdOf(1))).get('exit_status')).toMatch(/^(?!0)/);
	await untilNothingIsLeft();
});

test('an h_vmem in which Node can’t even begin is told as such, with what Node needs', async () => {
	const outcomes = await pool.mapSettled(faulty.compute, [{begun}], {
		qsubArgs: [...NO_CORE.qsubArgs, '-l', 'h_vmem=300M'],
		maxNumResubmissions: 0,
	});
	expect(outcomes).toMatchObject([
		{status: 'rejected', attempt: 1, reason: {kind: 'out-of-memory', message: expect.stringMatching(/h_vmem.*724 MB/)}},
	]);
	expect(readBegins(begun)).toEqual([]);
	expect((await untilInAccounting(await jobIdOf(1))).get('exit_status')).toMatch(/^13[34]/);
	await untilNothingIsLeft();
});
