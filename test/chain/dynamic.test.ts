/** Queue-jobs that claim one chunk after the other: whole maps on real processes. Every test sees that what it is about has happened. */
import {copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type MapError, Pool, type PoolOptions, readWorkDir, type TaskError} from 'queue-map-reduce';
import {updateQueueState} from 'queue-map-reduce/dummy-queue';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {attemptPath} from '../../src/layout.js';
import {realFiles} from '../../src/ports.js';
import {openBlockFile} from '../../src/v8-serialize-helpers.js';
import type {OutcomesTrailer} from '../../src/worker/outcomes-trailer.js';
import * as claims from '../fixtures/claims.mjs';
import {createTestDirectory, ENGINES, keptWorkDirs, poolOptions} from '../helpers/engines.js';
import {createProcessNode, startProcessNode} from '../helpers/process-node.js';

const trailerOf = async (path: string): Promise<OutcomesTrailer> => {
	const source = await realFiles.openSource(path);
	try {
		return (await openBlockFile(source)).trailer as OutcomesTrailer;
	} finally {
		await source.close();
	}
};

type Begin = {readonly itask: number; readonly ichunk: number; readonly attempt: number; readonly pid: number};

describe.each(ENGINES)('dynamic chunks on %s', engine => {
	let directory: ReturnType<typeof createTestDirectory>;
	let options: PoolOptions;
	let begun: string;
	let workDir: string;

	beforeEach(() => {
		// On a real cluster it must be a directory that all nodes share.
		directory = createTestDirectory();
		begun = join(directory.path, 'begun');
		workDir = join(directory.path, 'map');
		options = {...poolOptions(engine, directory.path), schedule: 'dynamic', numJobs: 2, chunkSize: 1, workDir};
		vi.spyOn(process.stderr, 'write').mockReturnValue(true);
	});
	afterEach(() => {
		vi.restoreAllMocks();
		directory.remove();
	});

	const tasksOf = (numTasks: number, special: Readonly<Record<number, object>> = {}): object[] =>
		Array.from({length: numTasks}, (_, itask) => ({begun, ...special[itask]}));
	const begins = (): Begin[] =>
		readFileSync(begun, 'utf8')
			.trimEnd()
			.split('\n')
			.map(line => JSON.parse(line) as Begin);
	const range = (length: number): number[] => Array.from({length}, (_, i) => i);
	const begunTasks = (): number[] =>
		begins()
			.map(({itask}) => itask)
			.sort((a, b) => a - b);
	/** So many queue-jobs may run on the dummy queue. */
	const setRoom = (maxRunning: number): void => {
		if (engine === 'dummy') updateQueueState(join(directory.path, 'queue'), state => Object.assign(state, {maxRunning}));
	};
	const pidOf = (itask: number): number | undefined => begins().find(each => each.itask === itask)?.pid;

	test('V4: results are in order, every task is computed once, by no more queue-jobs than asked for', async () => {
		expect(await new Pool(options).map(claims.compute, tasksOf(20))).toEqual(range(20));
		expect(begunTasks()).toEqual(range(20));
		expect(new Set(begins().map(({pid}) => pid)).size).toBe(2);
		expect(existsSync(workDir)).toBe(false);
	});

	// Of the dummy queue one queue-job runs at a time.
	const areConcurrent = engine !== 'dummy';

	test.runIf(areConcurrent)('V4: a long task holds up no other: its queue-job’s share is taken by the rest', async () => {
		const tasks = tasksOf(12, {0: {untilBegun: 12}});
		expect(await new Pool(options).map(claims.compute, tasks, {keepWorkDir: true})).toEqual(range(12));
		expect(begunTasks()).toEqual(range(12));
		const {journal} = await readWorkDir(workDir);
		expect(journal.filter(({event}) => event === 'submitted')).toHaveLength(2);
		expect(journal.filter(({event, home}) => event === 'claimed' && home !== undefined)).toHaveLength(10);
		expect(begins().filter(({pid}) => pid === pidOf(0))).toHaveLength(1);
	});

	test('without a second chunk for anybody it is as with static chunks', async () => {
		expect(await new Pool(options).map(claims.compute, tasksOf(2), {numJobs: 50})).toEqual([0, 1]);
		expect(
			begins()
				.map(({ichunk}) => ichunk)
				.sort(),
		).toEqual([0, 1]);
	});

	test('a task knows its own chunk, also of a queue-job’s third', async () => {
		const found = await new Pool(options).map(claims.contextLater, tasksOf(8));
		expect(found).toEqual(range(8).map(itask => ({itask, ichunk: itask, attempt: 1, taskDir: join(workDir, 'tasks', `${itask}.1`)})));
	});

	test('each task has its own stdout and stderr, whichever queue-job has computed it', async () => {
		const says = Object.fromEntries(range(10).map(i => [i, {says: i % 3 !== 1, fails: i === 8}]));
		const error = await new Pool(options).map(claims.compute, tasksOf(10, says)).catch((reason: unknown) => reason);
		expect((error as MapError).failures.map(({itask, stderrTail}) => [itask, stderrTail])).toEqual([[8, 'stderr of 8']]);
		const {tasks, problems} = await readWorkDir(workDir);
		expect(problems).toEqual([]);
		expect(tasks.map(({stdout, stderr}) => [stdout, stderr])).toEqual(
			range(10).map(i => (i % 3 === 1 ? ['', ''] : [`stdout of ${i}\n`, `stderr of ${i}\n`])),
		);
		expect(tasks.map(({attempts}) => attempts.length)).toEqual(range(10).map(() => 1));
		expect(tasks.every(({host, jobId}) => host !== undefined && jobId !== undefined)).toBe(true);
		// Only the two that queue-jobs were submitted for have files of their own.
		expect(readdirSync(workDir).filter(name => name.endsWith('.e'))).toHaveLength(2);
	});

	test('what a result file tells of output and warnings is of its own chunk', async () => {
		const special = {0: {says: true, warns: 'once'}, 1: {warns: 'once'}, 2: {says: true, warns: 'twice'}};
		await new Pool({...options, numJobs: 1, keepWorkDir: true}).map(claims.compute, tasksOf(4, special));
		const trailers = await Promise.all(range(4).map(i => trailerOf(attemptPath(workDir, i, 1, 'out'))));
		const length = 'stderr of 0\n'.length;
		expect(trailers.map(({stdoutBytes, stderrBytes}) => [stdoutBytes, stderrBytes])).toEqual([
			[length, length],
			[0, 0],
			[length, length],
			[0, 0],
		]);
		expect(trailers.map(({warnings}) => warnings)).toEqual([['Warning: once'], [], ['Warning: twice'], []]);
	});

	test('the first queue-jobs may be an array, whose elements go on with the rest', async () => {
		const tasks = tasksOf(9, {4: {deaths: 1}});
		expect(await new Pool(options).map(claims.compute, tasks, {arrayJobs: true, numJobs: 3, keepWorkDir: true})).toEqual(range(9));
		const {tasks: records, journal} = await readWorkDir(workDir);
		expect(records.filter(({attempts}) => attempts.length > 1).map(({itask}) => itask)).toEqual([4]);
		const claimed = journal.filter(({event, home}) => event === 'claimed' && home !== undefined);
		const nameOfHome = (ichunk: number | undefined): string | undefined =>
			journal.find(({event, ichunk: other, attempt}) => event === 'submitted' && other === ichunk && attempt === 1)?.jobName;
		expect(new Set(range(3).map(nameOfHome)).size).toBe(engine === 'local' ? 3 : 1);
		for (const {home, jobName, jobId} of claimed) {
			const submitted = journal.find(line => line.event === 'submitted' && line.ichunk === home?.ichunk && line.attempt === home?.attempt);
			expect([jobName, jobId]).toEqual([submitted?.jobName, submitted?.jobId]);
		}
	});

	test('the chunks of a stream are claimed as they come', async () => {
		const stream = function* (): Generator<object> {
			yield* tasksOf(20);
		};
		const results: unknown[] = [];
		for await (const result of new Pool(options).imap(claims.compute, stream())) results.push(result);
		expect(results).toEqual(range(20));
		expect(begunTasks()).toEqual(range(20));
		// Each has computed several.
		expect(new Set(begins().map(({pid}) => pid)).size).toBeLessThan(20);
	});

	test('after the death of the process-node another one goes on; what is finished is not computed again', async () => {
		createProcessNode(directory.path);
		const tasks = tasksOf(16).map(() => ({begun, takesMs: 50}));
		const node = startProcessNode(directory.path, {tasks, options, diesAtDone: 5});
		expect((await node.ended).signal).toBe('SIGKILL');
		const numFinished = readdirSync(workDir).filter(name => name.endsWith('.out')).length;
		expect(numFinished).toBeGreaterThanOrEqual(5);
		const run = await Pool.resume<number>(workDir);
		expect(await run.results()).toEqual(range(16));
		const counts = range(16).map(itask => begins().filter(each => each.itask === itask).length);
		// Those of `local` die with it, each with what it is at.
		expect(counts.filter(count => count > 1).length).toBeLessThanOrEqual(engine === 'local' ? 2 : 0);
		expect(existsSync(workDir)).toBe(false);
	});

	test('a worker that is killed in its third chunk loses only that one, which is submitted again and goes on with the rest', async () => {
		const tasks = tasksOf(8, {2: {deaths: 1}});
		expect(await new Pool(options).map(claims.compute, tasks, {numJobs: 1})).toEqual(range(8));
		expect(begins().map(({itask, attempt}) => [itask, attempt])).toEqual([
			[0, 1],
			[1, 1],
			[2, 1],
			[2, 2],
			...range(8)
				.slice(3)
				.map(i => [i, 1]),
		]);
		const pids = begins().map(({pid}) => pid);
		expect([new Set(pids.slice(0, 3)).size, new Set(pids.slice(3)).size, new Set(pids).size]).toEqual([1, 1, 2]);
	});

	test('of a task in which its worker dies the error tells what that worker said in its chunk, and not what it said before', async () => {
		const tasks = tasksOf(6, {1: {says: true}, 2: {deaths: 9, says: true}});
		const failing = new Pool({...options, numJobs: 1, maxNumResubmissions: 0}).map(claims.compute, tasks);
		const error = await failing.catch((reason: unknown) => reason);
		const [failure] = (error as MapError).failures;
		expect([(error as MapError).failures.length, failure?.itask, failure?.attempt]).toEqual([1, 2, 1]);
		expect(failure?.stderrTail).toBe('stderr of 2');
		// Its queue-job was not replaced by a resubmission, and what was left was computed all the same.
		expect(begunTasks()).toEqual(range(6));
	});

	test('a task that blocks the event loop in a later chunk is ended alone', async () => {
		const tasks = tasksOf(8, {4: {blocks: true}});
		const error = await new Pool(options).map(claims.compute, tasks, {taskLimitMs: 3000}).catch((reason: unknown) => reason);
		expect((error as MapError).failures.map(({itask, kind}) => [itask, kind])).toEqual([[4, 'task-limit']]);
		expect(begunTasks()).toEqual(range(8));
	});

	test('what a task leaves behind is not laid to a task of a later chunk', async () => {
		const tasks = tasksOf(4).map((task, i) => ({...task, isLate: i === 0}));
		expect(await new Pool(options).map(claims.failLate, tasks, {numJobs: 1})).toEqual(range(4));
		const [kept] = [(await readWorkDir(workDir)).tasks[1]];
		// Nobody could say it in time; it is in the output of the queue-job.
		expect(readFileSync(join(workDir, '000000000.1.e'), 'utf8')).toContain('task 0 fails late');
		expect(kept?.state).toBe('done');
	});

	test('a chunk whose tasks can’t be read fails, and no other', async () => {
		mkdirSync(join(directory.path, 'flags'));
		const flag = join(directory.path, 'flags', 'go');
		// A call of its qstat lasts as long as the queue-job that it runs.
		setRoom(0);
		const run = await new Pool({...options, maxNumResubmissions: 1}).submit(
			claims.compute,
			tasksOf(8, {0: {until: flag}, 1: {until: flag}}),
		);
		// Neither has claimed anything yet.
		copyFileSync(join(workDir, '000000003.tasks'), join(workDir, '000000005.tasks'));
		writeFileSync(flag, '');
		setRoom(10);
		const error = await run.results().catch((reason: unknown) => reason);
		expect((error as MapError).failures.map(({itask, kind}) => [itask, kind])).toEqual([[5, expect.any(String)]]);
		expect((error as MapError).failures[0]?.stderrTail).toContain('Expected');
		expect(begunTasks()).toEqual(range(8).filter(i => i !== 5));
	});

	test.runIf(areConcurrent)('stopOnError ends all queue-jobs: nothing is claimed any more', async () => {
		const flag = join(directory.path, 'never');
		const tasks = tasksOf(40, {1: {until: flag}, 2: {fails: true}, 4: {until: flag}});
		const error = await new Pool(options).map(claims.compute, tasks, {stopOnError: true}).catch((reason: unknown) => reason);
		const kinds = (error as MapError).failures.map(({kind}: TaskError) => kind);
		expect(kinds.filter(kind => kind === 'exception')).toHaveLength(1);
		const numBegun = begins().length;
		expect(numBegun).toBeLessThan(8);
		const {tasks: records} = await readWorkDir(workDir);
		expect(records.filter(({outcome}) => outcome?.status === 'rejected' && outcome.kind === 'cancelled').length).toBeGreaterThan(30);
	});

	test.runIf(areConcurrent)('a cancelled map is gone on with: what was finished is not computed again', async () => {
		const flag = join(directory.path, 'go');
		const run = await new Pool(options).submit(claims.compute, tasksOf(16, {6: {until: flag}, 7: {until: flag}}));
		await vi.waitFor(() => expect(begunTasks()).toEqual(expect.arrayContaining([6, 7])), {timeout: 90_000});
		await run.cancel();
		const before = begunTasks();
		expect(before).toHaveLength(8);
		writeFileSync(flag, '');
		expect(await (await Pool.resume(workDir)).results()).toEqual(range(16));
		expect(begunTasks()).toEqual([...range(16), 6, 7].sort((a, b) => a - b));
		expect(keptWorkDirs(directory.path)).not.toContain(workDir);
	});
});
