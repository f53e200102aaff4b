/** Tasks that come one after the other, and results that are taken while queue-jobs still run; the same on every engine. */
import {existsSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {type Outcome, Pool, PoolError, type PoolOptions, readWorkDir, TaskError} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import * as work from '../fixtures/work.mjs';
import {catchStderr} from '../helpers/caught-stderr.js';
import {createTestDirectory, ENGINES, keptWorkDirs, poolOptions} from '../helpers/engines.js';

const thrownBy = async (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => undefined,
		(error: unknown) => error,
	);

const collect = async <T>(results: AsyncIterable<T>): Promise<T[]> => {
	const collected: T[] = [];
	for await (const result of results) collected.push(result);
	return collected;
};

const until = async (condition: () => boolean): Promise<void> => {
	while (!condition()) await sleep(20);
};

const numbers = function* (count: number): Generator<number> {
	for (let i = 0; i < count; i++) yield i;
};

const upTo = (count: number): number[] => [...numbers(count)];

describe.each(ENGINES)('on %s', engine => {
	let directory: ReturnType<typeof createTestDirectory>;
	let options: PoolOptions;
	let pool: Pool;
	let workRoot: string;
	const said = catchStderr();

	beforeEach(() => {
		directory = createTestDirectory();
		options = poolOptions(engine, directory.path);
		workRoot = options.workRoot as string;
		pool = new Pool(options);
	});
	afterEach(() => {
		directory.remove();
	});

	const file = (name: string): string => join(directory.path, name);
	/** The dummy queue computes a whole queue-job while qstat runs: nothing can be seen of it before its end. */
	const testWhileItRuns = (title: string, body: () => Promise<void>): void => {
		if (!engine.startsWith('dummy')) test(title, body);
	};

	describe('a stream of tasks', () => {
		test('gives what an array gives, and leaves nothing behind', async () => {
			expect(await pool.map(work.identity, numbers(10))).toEqual(upTo(10));
			expect(existsSync(workRoot)).toBe(false);
		});

		test('is cut into chunks of `chunkSize`, the last one shorter', async () => {
			const outcomes = await pool.mapSettled(work.identity, numbers(7), {chunkSize: 3});
			expect(outcomes.map(({itask, ichunk}) => [itask, ichunk])).toEqual([
				[0, 0],
				[1, 0],
				[2, 0],
				[3, 1],
				[4, 1],
				[5, 1],
				[6, 2],
			]);
		});

		test('is computed while its later tasks do not exist yet', async () => {
			const tasks = async function* () {
				yield {touch: file('first'), value: 1};
				// Only a queue-job that has begun makes this file.
				await until(() => existsSync(file('first')));
				yield {value: 2};
			};
			expect(await pool.map(work.touchAndAwait, tasks())).toEqual([1, 2]);
		});

		test('is closed when its map can’t be begun', async () => {
			let wasClosed = false;
			const tasks = function* () {
				try {
					yield* numbers(3);
				} finally {
					wasClosed = true;
				}
			};
			// This directory is not empty.
			writeFileSync(file('something'), '');
			await expect(pool.map(work.identity, tasks(), {workDir: directory.path})).rejects.toMatchObject({code: 'ERR_POOL_WORK_DIR'});
			expect(wasClosed).toBe(true);
		});

		test('without tasks is a map of nothing: nothing is written, nothing submitted', async () => {
			expect(await pool.map(work.identity, numbers(0))).toEqual([]);
			expect(existsSync(workRoot)).toBe(false);
		});

		test('may be starmapped; what is no list of arguments ends the map, by its number', async () => {
			const lists = function* (): Generator<[number, number]> {
				yield [1, 1];
				yield [1, 2];
			};
			expect(await pool.starmap(work.equal, lists())).toEqual([true, false]);
			const wrong = function* () {
				yield [1, 1];
				yield 5;
			};
			const error = await thrownBy(pool.starmap(work.equal, wrong() as Iterable<[number, number]>));
			expect(error).toMatchObject({code: 'ERR_POOL_TASKS'});
			expect((error as Error).message).toBe('Expected every task of `starmap` to be an array of arguments, got number as task 1.');
		});

		test('that throws ends the map; the error names the task, and what is finished stays', async () => {
			const tasks = async function* () {
				yield {touch: file('first'), value: 1};
				await until(() => existsSync(file('first')));
				throw new Error('the sensor is broken');
			};
			const error = await thrownBy(pool.map(work.touchAndAwait, tasks()));
			expect(error).toBeInstanceOf(PoolError);
			expect(error).toMatchObject({code: 'ERR_POOL_TASKS', message: 'The iterator of `tasks` threw at task 1: the sensor is broken'});
			const [workDir] = keptWorkDirs(workRoot) as [string];
			expect(said()).toContain(workDir);
			const {tasks: records, problems} = await readWorkDir(workDir);
			expect(records.map(({input}) => input)).toEqual([{touch: file('first'), value: 1}]);
			expect(problems).toContain('task 1 and those after it are not written (yet)');
		});

		test('with a task that can’t be written ends the map; the error names the task and the place in it', async () => {
			const tasks = function* () {
				yield {value: 1};
				yield {value: () => 2};
			};
			const error = await thrownBy(pool.map(work.identity as (task: unknown) => unknown, tasks()));
			expect(error).toMatchObject({code: 'ERR_POOL_TASKS'});
			expect((error as Error).message).toMatch(/^Task 1 can't be written to a file for the worker: .*value/);
		});

		test('whose process has left it halfway: what was written is computed, the first missing task is named, and the same tasks go on', async () => {
			const workDir = join(directory.path, 'left');
			const left = async function* () {
				for (let i = 0; i < 5; i++) yield i;
				writeFileSync(file('five'), '');
				await new Promise(() => undefined);
			};
			const run = await pool.submit(work.identity, left(), {workDir});
			await until(() => existsSync(file('five')) && readdirSync(workDir).filter(name => name.endsWith('.tasks')).length === 5);
			await run.detach();
			const resumed = await Pool.resume<number>(workDir, {});
			const settled = await collect(resumed).catch((error: unknown) => error);
			expect(settled).toMatchObject({code: 'ERR_POOL_INCOMPLETE'});
			expect((settled as Error).message).toContain('task 5 is the first that is missing');
			expect(resumed.settledSoFar().map(({itask, status}) => [itask, status])).toEqual(upTo(5).map(i => [i, 'fulfilled']));
			await expect(resumed.results()).rejects.toMatchObject({code: 'ERR_POOL_INCOMPLETE'});
			expect(said()).toContain('task 5 is the first that is missing');
			expect(await pool.map(work.identity, numbers(8), {resume: workDir})).toEqual(upTo(8));
			expect(existsSync(workDir)).toBe(false);
		});

		test('that has no end and was left goes on, and is read no further than its results are wanted', async () => {
			const workDir = join(directory.path, 'left');
			const left = async function* () {
				for (let i = 0; i < 5; i++) yield i;
				writeFileSync(file('five'), '');
				await new Promise(() => undefined);
			};
			const run = await pool.submit(work.identity, left(), {workDir, chunkSize: 1});
			await until(() => existsSync(file('five')) && readdirSync(workDir).filter(name => name.endsWith('.tasks')).length === 5);
			await run.detach();
			let numMade = 0;
			const endless = function* () {
				for (;;) yield numMade++;
			};
			const taken: number[] = [];
			for await (const value of pool.imap(work.identity, endless(), {resume: workDir})) {
				taken.push(value);
				if (taken.length === 10) break;
			}
			expect(taken).toEqual(upTo(10));
			// A thousand chunks are written ahead, each of one task.
			expect(numMade).toBeGreaterThanOrEqual(10);
			expect(numMade).toBeLessThan(1100);
		});
	});

	describe('a stream that gives a task when the one before it has its result', () => {
		const oneByOne = async function* (count: number, taken: readonly unknown[]): AsyncGenerator<number> {
			for (let i = 0; i < count; i++) {
				await until(() => taken.length === i);
				yield i;
			}
		};

		test.each<[what: string, options: PoolOptions]>([
			['one queue-job a chunk', {}],
			['arrays', {arrayJobs: true}],
			['dynamic chunks', {schedule: 'dynamic', numJobs: 2}],
			['one queue-job at a time', {maxQueuedJobs: 1}],
		])('goes on, though no chunk of it is ever full: %s', async (_, more) => {
			const taken: number[] = [];
			for await (const value of pool.imap(work.identity, oneByOne(4, taken), {chunkSize: 3, ...more})) taken.push(value);
			expect(taken).toEqual(upTo(4));
			expect(existsSync(workRoot)).toBe(false);
		});

		test('and is left by its process is gone on with: every task has the chunk in which it was written', async () => {
			const workDir = join(directory.path, 'left');
			const isWritten = (ichunk: number): boolean => existsSync(join(workDir, `00000000${ichunk}.tasks`));
			const left = async function* () {
				yield 0;
				await until(() => isWritten(0));
				yield* [1, 2];
				await until(() => isWritten(1));
				yield* [3, 4, 5, 6];
				await new Promise(() => undefined);
			};
			const run = await pool.submit(work.identity, left(), {workDir, chunkSize: 3});
			await until(() => isWritten(2));
			await run.detach();
			const {tasks, problems} = await readWorkDir(workDir);
			const inputs = tasks.map(({itask, ichunk, input}) => [itask, ichunk, input]);
			expect(inputs.slice(0, 6)).toEqual([
				[0, 0, 0],
				[1, 1, 1],
				[2, 1, 2],
				[3, 2, 3],
				[4, 2, 4],
				[5, 2, 5],
			]);
			expect(problems).toEqual([`task ${inputs.length} and those after it are not written (yet)`]);
			const outcomes = await pool.mapSettled(work.identity, numbers(9), {resume: workDir});
			expect(outcomes.map(outcome => outcome.status === 'fulfilled' && outcome.value)).toEqual(upTo(9));
			expect(outcomes.slice(0, 6).map(({ichunk}) => ichunk)).toEqual([0, 1, 1, 2, 2, 2]);
		});
	});

	describe('imap', () => {
		test('gives the results in task order, and leaves nothing behind', async () => {
			expect(await collect(pool.imap(work.identity, numbers(20)))).toEqual(upTo(20));
			expect(await collect(pool.imap(work.identity, upTo(20), {numChunks: 3}))).toEqual(upTo(20));
			expect(existsSync(workRoot)).toBe(false);
		});

		testWhileItRuns('gives a result while its own chunk is still being computed', async () => {
			const tasks = [{value: 1}, {value: 2, awaited: file('taken')}, {value: 3}];
			const taken: unknown[] = [];
			for await (const value of pool.imap(work.touchAndAwait, tasks, {numChunks: 1})) {
				taken.push(value);
				// Without this file the second task never ends.
				writeFileSync(file('taken'), '');
			}
			expect(taken).toEqual([1, 2, 3]);
		});

		test('reads a stream without end no further than its results are wanted, and ends the map when its caller leaves the loop', async () => {
			let numMade = 0;
			let wasClosed = false;
			const endless = function* () {
				try {
					for (;;) yield numMade++;
				} finally {
					wasClosed = true;
				}
			};
			const taken: number[] = [];
			for await (const value of pool.imap(work.identity, endless(), {chunkSize: 2})) {
				taken.push(value);
				if (taken.length === 10) break;
			}
			expect(taken).toEqual(upTo(10));
			expect(wasClosed).toBe(true);
			// At most a thousand chunks, and those that were taken.
			expect(numMade).toBeLessThan(2 * 1010);
			const numMadeThen = numMade;
			expect(keptWorkDirs(workRoot)).toHaveLength(1);
			await new Promise(resolve => setImmediate(resolve));
			expect(numMade).toBe(numMadeThen);
		});

		test('throws the TaskError at its place', async () => {
			const taken: number[] = [];
			const error = await thrownBy(
				(async () => {
					for await (const value of pool.imap(work.failOn3, numbers(6))) taken.push(value);
				})(),
			);
			expect(error).toBeInstanceOf(TaskError);
			expect(error).toMatchObject({itask: 3, kind: 'exception', input: '3'});
			expect(taken).toEqual([0, 1, 2]);
		});

		test('with `settled` gives outcomes, and throws for no task', async () => {
			const outcomes = await collect(pool.imap(work.failOn3, numbers(6), {settled: true}));
			expect(outcomes.map(({itask, status}) => `${itask} ${status}`)).toEqual([
				'0 fulfilled',
				'1 fulfilled',
				'2 fulfilled',
				'3 rejected',
				'4 fulfilled',
				'5 fulfilled',
			]);
			expect(keptWorkDirs(workRoot)).toHaveLength(1);
		});

		testWhileItRuns('with `stopOnError` tells of the tasks that are cancelled, too', async () => {
			// The first never ends by itself; the second fails, for there is no such directory.
			const tasks = [{awaited: file('never')}, {touch: file('missing/directory')}];
			const stopOnError = {numChunks: 2, stopOnError: true};
			const kinds = async (outcomes: AsyncIterable<Outcome<unknown>>): Promise<unknown[]> =>
				(await collect(outcomes)).map(outcome => [outcome.itask, outcome.status === 'rejected' && outcome.reason.kind]);
			expect(await thrownBy(collect(pool.imap(work.touchAndAwait, tasks, stopOnError)))).toMatchObject({itask: 1, kind: 'exception'});
			const settled = {...stopOnError, settled: true} as const;
			expect(await kinds(pool.imap(work.touchAndAwait, tasks, settled))).toEqual([
				[0, 'cancelled'],
				[1, 'exception'],
			]);
			expect((await kinds(pool.imapUnordered(work.touchAndAwait, tasks, settled))).toSorted()).toEqual([
				[0, 'cancelled'],
				[1, 'exception'],
			]);
		});

		test('gives each result once, also when a worker dies in the middle of a chunk', async () => {
			const tasks = [0, 1, 2, 3].map(itask => ({itask: 2, times: 1, is: itask}));
			const taken = await collect(pool.imapUnordered(work.killOnAttempt, tasks, {numChunks: 1}));
			expect(taken.toSorted((a, b) => a[0] - b[0])).toEqual([
				[0, 0],
				[1, 1],
				[2, 2],
				[3, 3],
			]);
		});

		test('of nothing gives nothing', async () => {
			expect(await collect(pool.imap(work.identity, []))).toEqual([]);
		});

		testWhileItRuns('rejects with the reason when it is aborted, and removes its queue-jobs', async () => {
			const stop = new AbortController();
			const tasks = [{value: 1}, {touch: file('begun'), awaited: file('never')}];
			const error = await thrownBy(
				(async () => {
					for await (const _ of pool.imap(work.touchAndAwait, tasks, {signal: stop.signal})) {
						await until(() => existsSync(file('begun')));
						stop.abort(new Error('enough'));
					}
				})(),
			);
			expect((error as Error).message).toBe('enough');
		});

		test('holds the work_dir until the last result is taken', async () => {
			const results = pool.imap(work.identity, upTo(4), {numChunks: 4})[Symbol.asyncIterator]();
			expect(await results.next()).toEqual({done: false, value: 0});
			const [workDir] = keptWorkDirs(workRoot) as [string];
			await until(() => readdirSync(workDir).filter(name => name.endsWith('.out')).length === 4);
			for (const value of [1, 2, 3]) expect(await results.next()).toEqual({done: false, value});
			expect(existsSync(workDir)).toBe(true);
			expect(await results.next()).toEqual({done: true, value: undefined});
			expect(existsSync(workDir)).toBe(false);
		});
	});

	describe('a run that is iterated over', () => {
		test('gives every outcome once, and its results all the same', async () => {
			const run = await pool.submit(work.identity, numbers(7), {chunkSize: 2});
			const taken: number[] = [];
			for await (const {itask} of run) taken.push(itask);
			expect(taken.toSorted((a, b) => a - b)).toEqual(upTo(7));
			expect(await run.results()).toEqual(upTo(7));
		});

		testWhileItRuns('gives outcomes of a chunk that is still being computed, each once', async () => {
			const tasks = [{value: 1}, {value: 2, awaited: file('taken')}, {value: 3}];
			const run = await pool.submit(work.touchAndAwait, tasks, {numChunks: 1});
			const taken: unknown[] = [];
			for await (const {itask} of run) {
				taken.push(itask);
				writeFileSync(file('taken'), '');
			}
			expect(taken).toEqual([0, 1, 2]);
			expect(await run.results()).toEqual([1, 2, 3]);
		});
	});
});

test("`schedule: 'dynamic'` needs `numJobs`, as for `map`", () => {
	expect(() => new Pool({engine: 'local'}).imap(work.identity, [1], {schedule: 'dynamic'})).toThrow('Expected `numJobs`');
});

test('`settled` must be true or false', () => {
	expect(() => new Pool().imap(work.identity, [1], {settled: 1 as unknown as true})).toThrow('Expected `settled` to be true or false');
});
