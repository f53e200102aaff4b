/** Workers that die on a real Slurm: of signals, with what watches them, for time, for memory. */
import {writeFileSync} from 'node:fs';
import {type Outcome, readWorkDir} from 'queue-map-reduce';
import {expect, test} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {
	type Begin,
	countBegins,
	isAlive,
	killProcess,
	linesOf,
	readBegins,
	untilBegun,
	untilDead,
	untilFinished,
} from '../helpers/faults.js';
import {prepareQueueTests} from '../helpers/queue-test.js';
import {deleteJobs, fieldOf} from '../helpers/slurm.js';

// A grace time of an hour: whatever is waited out here would take longer than the test may.
const t = prepareQueueTests('slurm', {graceMs: 3_600_000, numChunks: 1});

/** Six tasks in one chunk, the fourth of which waits: three are finished when it is killed. */
const mapUntilTheFourth = async (): Promise<{running: Promise<Outcome<number>[]>; begin: Begin}> => {
	const {begun, until} = t;
	const tasks = [0, 1, 2, 3, 4, 5].map(i => (i === 3 ? {begun, until, attempts: 1} : {begun, takesMs: 300}));
	const running = t.ending.watch(t.pool.mapSettled(faulty.compute, tasks));
	const begin = await untilBegun(begun, ({itask}) => itask === 3);
	await untilFinished(t.workDir, {numFinished: 3});
	return {running, begin};
};

test('a worker that is killed costs only the task it was at: what it has finished is not begun again, and another host goes on', async () => {
	const {running, begin} = await mapUntilTheFourth();
	await killProcess(begin.pid, 'node');
	const outcomes = await running;
	expect(outcomes).toMatchObject([0, 1, 2, 3, 4, 5].map(value => ({status: 'fulfilled', value})));
	expect(countBegins(t.begun, 6)).toEqual([1, 1, 1, 2, 1, 1]);
	expect(readBegins(t.begun).find(({attempt}) => attempt === 2)?.host).not.toBe(begin.host);
	const ids = [await t.jobIdOf(0), await t.jobIdOf(0, 2)];
	expect(await fieldOf(ids[0] as string, 'ExitCode')).toBe('0:9');
	const lost = await linesOf(t.workDir, 'lost');
	expect(lost).toMatchObject([{attempt: 1, kind: 'killed', host: begin.host, reason: expect.stringContaining('SIGKILL')}]);
	for (const told of [outcomes, (await readWorkDir(t.workDir)).tasks]) {
		expect(told.map(({attempt}) => attempt)).toEqual([1, 1, 1, 2, 2, 2]);
		expect(told.map(({jobId}) => jobId)).toEqual([0, 0, 0, 1, 1, 1].map(i => ids[i]));
	}
	await t.untilNothingIsLeft();
});

test('the end of what watches a worker is no end of the worker: its result counts although Slurm still takes it for running', async () => {
	const {running, begin} = await mapUntilTheFourth();
	await killProcess(begin.ppid, 'slurmstepd');
	expect(isAlive(begin.pid)).toBe(true);
	writeFileSync(t.until, '');
	expect(await running).toMatchObject([0, 1, 2, 3, 4, 5].map(value => ({status: 'fulfilled', value, attempt: 1})));
	await untilDead(begin.pid);
	await deleteJobs([await t.jobIdOf(0)]);
	await t.untilNothingIsLeft();
});

test('a task that kills its worker every time fails alone, with what has killed it and where; the rest of its chunk is computed once', async () => {
	const {begun} = t;
	const tasks = [0, 1, 2, 3, 4].map(i => ({begun, takesMs: 300, deaths: i === 2 ? 99 : 0}));
	const outcomes = await t.pool.mapSettled(faulty.compute, tasks, {maxNumResubmissions: 2});
	expect(outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.kind))).toEqual([0, 1, 'killed', 3, 4]);
	expect(countBegins(begun, 5)).toEqual([1, 1, 3, 1, 1]);
	const deaths = readBegins(begun).filter(({itask}) => itask === 2);
	expect(outcomes[2]).toMatchObject({attempt: 3, host: deaths[2]?.host, reason: {message: expect.stringContaining('SIGKILL')}});
	await t.untilNothingIsLeft();
});

test('a worker that takes longer than it may fails for its wall time, and what it has finished before is there', async () => {
	const {begun} = t;
	const tasks = [{begun}, {begun, takesMs: 600_000}];
	// Slurm counts whole minutes, and looks twice a minute.
	const outcomes = await t.pool.mapSettled(faulty.compute, tasks, {resources: {time: 1}, maxNumResubmissions: 0});
	expect(outcomes).toMatchObject([
		{status: 'fulfilled', value: 0},
		{status: 'rejected', attempt: 1, reason: {kind: 'wall-time', message: expect.stringContaining('it ran longer than it may (00:01:00)')}},
	]);
	expect(countBegins(begun, 2)).toEqual([1, 1]);
	await t.untilNothingIsLeft();
});

test('a worker that needs more than its memory is killed, and gets more when `resources` says so', async () => {
	const {begun} = t;
	const tasks = [
		{begun, megabytes: 1},
		// It is looked at once a second, if the machine comes to it.
		{begun, megabytes: 600, holdsMs: 60_000},
	];
	const seen: unknown[] = [];
	const results = await t.pool.map(faulty.fillHeap, tasks, {
		resources: info => {
			seen.push(info.lastFailure);
			// Where a control group enforces it Slurm says what it was.
			return {memory: info.lastFailure === 'killed' || info.lastFailure === 'out-of-memory' ? '4G' : '200M'};
		},
	});
	expect(results).toEqual([1, 600]);
	expect(await linesOf(t.workDir, 'lost')).toMatchObject([{attempt: 1, kind: expect.stringMatching(/^(?:killed|out-of-memory)$/)}]);
	expect(new Set(seen).size).toBe(2);
	await t.untilNothingIsLeft();
});
