/** Whole maps, the same on every engine: test/chain/map*.test.ts run them at the same time. The ids are those of the acceptance cases. */
import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {MapError, type Outcome, Pool, type PoolOptions, type Progress, readWorkDir, TaskError} from 'queue-map-reduce';
import {afterEach, beforeEach, expect, test} from 'vitest';
import * as work from '../fixtures/work.mjs';
import {catchStderr} from './caught-stderr.js';
import {type Column, createTestDirectory, keptWorkDirs, poolOptions} from './engines.js';

export const describeMaps = ({engine, arrayJobs}: Column): void => {
	let directory: ReturnType<typeof createTestDirectory>;
	let options: PoolOptions;
	let pool: Pool;
	let workRoot: string;
	const said = catchStderr();

	beforeEach(() => {
		directory = createTestDirectory();
		options = {...poolOptions(engine, directory.path), arrayJobs};
		workRoot = options.workRoot as string;
		pool = new Pool(options);
	});
	afterEach(() => {
		directory.remove();
	});

	test('Q1, A1: results come in task order', async () => {
		expect(
			await pool.map(work.sum, [
				[1, 2],
				[2, 3],
				[4, 5],
			]),
		).toEqual([3, 5, 9]);
	});

	test('Q1, Q21, A2, A3: ten sums, equal to those of Array.map; the work_dir is gone afterwards and nothing was said', async () => {
		const tasks = range(0, 10).map(i => range(i, 100));
		const results = await pool.map(work.sum, tasks);
		expect(results).toEqual([4950, 5050, 5150, 5250, 5350, 5450, 5550, 5650, 5750, 5850]);
		expect(results).toEqual(tasks.map(task => work.sum(task)));
		expect(existsSync(workRoot)).toBe(false);
		expect(said()).not.toContain('work_dir');
	});

	test('Q8, Q21, W10, P4, A4, N20: with keepWorkDir the work_dir stays, private, with the files of every chunk, and is named', async () => {
		const tasks = range(0, 10).map(i => range(i, 100));
		await pool.map(work.sum, tasks, {keepWorkDir: true, numChunks: 10});
		const [workDir] = keptWorkDirs(workRoot) as [string];
		const names = readdirSync(workDir);
		for (const kind of ['tasks', '1.out', '1.o', '1.e']) expect(names.filter(name => name.endsWith(`.${kind}`))).toHaveLength(10);
		expect(statSync(workDir).mode & 0o777).toBe(0o700);
		for (const name of names) expect([name, statSync(join(workDir, name)).mode & 0o777]).toEqual([name, 0o600]);
		expect(said()).toContain(workDir);
	});

	test('A5: when every task fails each failure is told, and the work_dir is kept', async () => {
		const error = await failureOf(pool.map(work.sum as (task: unknown) => number, range(0, 10)));
		expect(error.failures.map(({itask}) => itask)).toEqual(range(0, 10));
		for (const failure of error.failures) {
			expect(failure).toBeInstanceOf(TaskError);
			expect(failure.kind).toBe('exception');
			expect(failure.remote).toMatchObject({
				name: 'TypeError',
				message: expect.stringContaining('sum takes an array'),
				stack: expect.stringContaining('work.mjs'),
			});
			expect(failure.host).toBeTruthy();
			expect(failure.jobId).toBeTruthy();
		}
		expect(keptWorkDirs(workRoot)).toEqual([error.workDir]);
	});

	test('A6: one bad task costs one task', async () => {
		const tasks: unknown[] = [...range(0, 10).map(i => range(i, 100)), 'np.sum will not work for me.'];
		const error = await failureOf(pool.map(work.sum as (task: unknown) => number, tasks));
		expect(error.failures.map(({itask}) => itask)).toEqual([10]);
		expect(error.failures[0]?.input).toBe("'np.sum will not work for me.'");
		expect(error.results.slice(0, 10)).toEqual([4950, 5050, 5150, 5250, 5350, 5450, 5550, 5650, 5750, 5850]);
		expect(10 in error.results).toBe(false);
		expect(error.message).toContain('1 of 11 tasks failed');
		const outcomes = await pool.mapSettled(work.sum as (task: unknown) => number, tasks, {numChunks: 3});
		expect(outcomes.map(({status}) => status)).toEqual([...Array(10).fill('fulfilled'), 'rejected']);
	});

	test('Q9, A7: 120 tasks in 7 chunks are 120 results of exactly 7 queue-jobs', async () => {
		const tasks = range(0, 120).map(i => range(i, 3));
		expect(await pool.map(work.sum, tasks, {numChunks: 7, keepWorkDir: true})).toEqual(range(0, 120).map(i => 3 * i + 3));
		const {journal} = await readWorkDir(keptWorkDirs(workRoot)[0] as string);
		expect(journal.filter(({event}) => event === 'submitted')).toHaveLength(7);
	});

	test('Q26, A9, A10: starmap spreads its arguments', async () => {
		const lists: [unknown, unknown][] = [
			[1, 1],
			[1, 0],
			[1, 1],
			[2, 'nope'],
			[3, 3],
		];
		expect(await pool.starmap(work.equal, lists)).toEqual([true, false, true, false, true]);
	});

	test('no tasks are no results, and no file is made', async () => {
		expect(await pool.map(work.sum, [])).toEqual([]);
		expect(await pool.mapSettled(work.sum, [])).toEqual([]);
		expect(existsSync(workRoot)).toBe(false);
	});

	test('tasks may come from a generator or an async generator, and functions may return promises', async () => {
		function* some(): Generator<number[]> {
			for (let i = 0; i < 4; i++) yield [i, 1];
		}
		async function* later(): AsyncGenerator<number[]> {
			yield* some();
		}
		expect(await pool.map(work.sumLater, some(), {numChunks: 2})).toEqual([1, 2, 3, 4]);
		expect(await pool.map(work.sumLater, later(), {numChunks: 2})).toEqual([1, 2, 3, 4]);
	});

	test('the function gets one argument', async () => {
		expect(await pool.map(work.countArguments, [7, 8], {numChunks: 1})).toEqual([1, 1]);
		expect(await pool.map(Number.parseInt, ['10', '11', '12'], {numChunks: 1})).toEqual([10, 11, 12]);
	});

	test('taskContext tells who a task is; its seed depends on the session seed and the task alone', async () => {
		const one = await pool.map(work.context, range(0, 4), {seed: 'a seed', numChunks: 1});
		const two = await pool.map(work.context, range(0, 4), {seed: 'a seed', numChunks: 4});
		expect(one.map(({itask}) => itask)).toEqual([0, 1, 2, 3]);
		expect(two.map(({ichunk}) => ichunk)).toEqual([0, 1, 2, 3]);
		expect(one.every(({attempt, isWorker}) => attempt === 1 && isWorker)).toBe(true);
		expect(one.map(({seed}) => seed)).toEqual(two.map(({seed}) => seed));
		// The first 6 bytes of SHA-256 of `a seed:0`, by another program: printf 'a seed:0' | sha256sum
		expect(one[0]?.seed.toString(16).padStart(12, '0')).toBe(SEED_OF_TASK_0);
		expect(new Set(one.map(({seed}) => seed)).size).toBe(4);
	});

	test('each attempt at a task can have a directory of its own, which is kept with the work_dir', async () => {
		const [taskDir] = await pool.map(work.writeIntoTaskDir, [1], {keepWorkDir: true});
		expect(readFileSync(join(taskDir as string, 'made.txt'), 'utf8')).toBe('by the task');
		expect(keptWorkDirs(workRoot)[0]).toBe(join(taskDir as string, '..', '..'));
	});

	test('results do not depend on chunks: a function that returns one array every time, tasks that share an object', async () => {
		const object = {};
		for (const numChunks of [1, 3]) {
			const grown = await pool.map(work.growSharedArray, [1, 2, 3], {numChunks});
			expect(grown.map(array => array.at(-1))).toEqual([1, 2, 3]);
			if (numChunks === 1) expect(grown.map(array => array.length)).toEqual([1, 2, 3]);
			expect(await pool.map(work.markShared, [object, object, object], {numChunks})).toEqual([1, 1, 1]);
		}
	});

	test('Q4, A17: values of every kind go there and back, small and large', async () => {
		const tasks = [
			'0'.repeat(2000),
			...range(0, 10).map(() => '0'.repeat(2000)),
			...range(0, 100).map(i => `Hello ${i}`),
			undefined,
			null,
			Number.NaN,
			-0,
			10n ** 30n,
			new Date(0),
			new Map([[{a: 1}, new Set([1])]]),
			new Float64Array([1, 2]),
			Buffer.from('bytes'),
			new Array(3),
		];
		expect(await pool.map(work.identity, tasks, {numChunks: 5})).toEqual(tasks);
		const [large] = await pool.map(work.arrayOfSize, [500_000]);
		expect(large).toBeInstanceOf(Float64Array);
		expect(large).toHaveLength(500_000);
	});

	test.each([
		['throwError', 'exception', 'TypeError: a bad thing'],
		['throwNull', 'exception', 'null'],
		['throwString', 'exception', 'only words'],
		['exit', 'exit', 'process.exit(3)'],
		['importedExit', 'exit', 'process.exit(4)'],
		['exitInTimer', 'exit', 'process.exit(5)'],
		['exit99', 'exit', 'process.exit(99)'],
		['returnFunction', 'result-unserialisable', '.nested.onDone'],
		['strayRejection', 'unhandled-rejection', 'nobody waits for me'],
		['strayRejectionSync', 'unhandled-rejection', 'nobody waits for me'],
		['uncaughtInTimer', 'uncaught-exception', 'thrown in a timer'],
		['uncaughtWithListener', 'uncaught-exception', 'thrown in a timer'],
		['neverSettled', 'never-settled', 'nothing was left'],
		['throwingThenable', 'exception', 'no promise'],
	])('Q18, N8: in one chunk only the task that does %s fails, and the message says what happened', async (bad, kind, text) => {
		const error = await failureOf(pool.map(work.behave, [0, bad, 2], {numChunks: 1}));
		expect(error.failures.map(({itask}) => itask)).toEqual([1]);
		expect(error.failures[0]).toMatchObject({kind, ichunk: 0, attempt: 1, message: expect.stringContaining(text)});
		expect([error.results[0], error.results[2]]).toEqual([0, 2]);
	});

	test('what is no promise of the language, but has a `then`, is awaited to its end', async () => {
		expect(await pool.map(work.giveThenable, [0, 1])).toEqual(await Promise.all([0, 1].map(work.giveThenable)));
	});

	test('X1, P1, N7: a task that kills its process once is computed again; one that always does fails as killed, the others do not', async () => {
		const tasks = range(0, 3).map(() => ({itask: 1, times: 1}));
		expect(await pool.map(work.killOnAttempt, tasks, {keepWorkDir: true, numChunks: 3})).toEqual([0, 1, 2]);
		const {journal} = await readWorkDir(keptWorkDirs(workRoot)[0] as string);
		expect(journal.filter(({event}) => event === 'resubmitted').map(({ichunk, message}) => ({ichunk, message}))).toEqual([
			{ichunk: 1, message: 'Resubmitting 1 of 10'},
		]);
		const always = tasks.map(task => ({...task, times: 9}));
		const error = await failureOf(pool.map(work.killOnAttempt, always, {maxNumResubmissions: 1, numChunks: 3}));
		expect(error.failures.map(({itask, kind, attempt}) => ({itask, kind, attempt}))).toEqual([{itask: 1, kind: 'killed', attempt: 2}]);
		expect([error.results[0], error.results[2]]).toEqual([0, 2]);
	});

	test('W9, N21: the variables of the queue-job are its own', async () => {
		process.env.JOB_ID = 'of the caller';
		process.env.NSLOTS = 'of the caller';
		try {
			const [job] = await pool.map(work.jobOf, [1]);
			expect(job?.jobId).not.toBe(engine === 'local' ? 'neither' : 'of the caller');
			expect(job?.nslots).not.toBe(engine === 'local' ? 'neither' : 'of the caller');
		} finally {
			delete process.env.JOB_ID;
			delete process.env.NSLOTS;
		}
	});

	test('Q10, W7, W12, P11, A14, N22: the environment arrives unchanged, and the working directory is the caller’s', async () => {
		const values = {
			QMR_1: 'a=b',
			QMR_2: "a'b=b",
			QMR_3: 'a"b=b',
			QMR_4: 'a"b=b\'c',
			QMR_5: 'line\nline\\',
			QMR_6: '$HOME `date` \\n',
			QMR_7: 'grüße 語',
			QMR_8: '',
			'BASH_FUNC_qmr%%': '() { eval "x"; }',
			'QMR.9': 'dotted',
		};
		Object.assign(process.env, values);
		try {
			expect(await pool.map(work.readVariables, [Object.keys(values)])).toEqual([values]);
			expect(await pool.map(work.currentDirectory, [1])).toEqual([process.cwd()]);
		} finally {
			for (const name of Object.keys(values)) delete process.env[name];
		}
	});

	test('Q20, H5, N24: what tasks print is kept per chunk, told per task, and does not matter for success; stderr keeps the work_dir', async () => {
		expect(await pool.map(work.speak, ['a', 'b'], {numChunks: 1})).toEqual(['a', 'b']);
		expect(keptWorkDirs(workRoot)).toEqual([]);
		expect(await pool.map(work.speak, ['a', 'loud', 'c'], {numChunks: 1})).toEqual(['a', 'loud', 'c']);
		const [workDir] = keptWorkDirs(workRoot) as [string];
		expect(said()).toContain('wrote to stderr');
		const {tasks} = await readWorkDir(workDir);
		expect(tasks.map(({stdout, stderr}) => [stdout, stderr])).toEqual([
			['out a\n', ''],
			['out loud\n', 'error output of loud\n'],
			['out c\n', ''],
		]);
	});

	test('what a child process prints is its task’s, too', async () => {
		await pool.map(work.speakThroughChild, ['a', 'b'], {numChunks: 1});
		const {tasks} = await readWorkDir(keptWorkDirs(workRoot)[0] as string);
		expect(tasks.map(({stdout, stderr}) => [stdout, stderr])).toEqual([
			['child a\n', 'child error a\n'],
			['child b\n', 'child error b\n'],
		]);
	});

	test('a warning of Node is no stderr', async () => {
		expect(await pool.map(work.warn, [1])).toEqual([1]);
		expect(keptWorkDirs(workRoot)).toEqual([]);
	});

	test('what a function leaves running is not waited for', async () => {
		expect(await pool.map(work.leaveTimerRunning, [1, 2], {numChunks: 1})).toEqual([1, 2]);
	});

	test('D12: of every task it is known where, when and how long it was computed', async () => {
		const outcomes = await pool.mapSettled(work.behave, [1, 'throwError', 3], {numChunks: 2});
		for (const [itask, outcome] of outcomes.entries()) {
			expect(outcome).toMatchObject({itask, attempt: 1, host: expect.any(String), jobId: expect.any(String), startedAt: expect.any(Date)});
			expect((outcome as Outcome<unknown>).elapsedMs).toBeGreaterThanOrEqual(0);
		}
		expect(outcomes.map(({ichunk}) => ichunk)).toEqual([0, 0, 1]);
	});

	test.each(['with blanks', "it's $HOME", 'a:b,c', 'hash#and"quote', '-dash', 'new\nline'])('a work_dir may be called %j', async name => {
		const workDir = join(directory.path, name);
		expect(await pool.map(work.sum, [[1, 2]], {workDir, keepWorkDir: true})).toEqual([3]);
		for (const line of readFileSync(join(workDir, 'log.jsonl'), 'utf8').trimEnd().split('\n')) expect(() => JSON.parse(line)).not.toThrow();
	});

	test('Q17, W19, N18: every line of log.jsonl is valid JSON, whatever stands in paths and messages', async () => {
		const workDir = join(directory.path, 'with "quotes"');
		await pool.map(work.sum, [[1, 2]], {workDir, keepWorkDir: true, message: 'a "note"\nin two lines'});
		const {manifest, journal} = await readWorkDir(workDir);
		expect(manifest.message).toBe('a "note"\nin two lines');
		expect(journal.map(({event}) => event)).toEqual(
			expect.arrayContaining(['tasks-complete', 'submitting', 'submitted', 'result', 'ended']),
		);
	});

	test('B9, W13: several maps at once do not disturb each other', async () => {
		const maps = await Promise.all([
			pool.map(work.sum, [[1], [2]]),
			pool.map(work.identity, ['a', 'b', 'c'], {numChunks: 2}),
			new Pool(options).map(work.sum, [[5, 5]]),
		]);
		expect(maps).toEqual([[1, 2], ['a', 'b', 'c'], [10]]);
		expect(existsSync(workRoot)).toBe(false);
	});

	test('Y5: an aborted map rejects with the reason of its signal and removes its queue-jobs', async () => {
		const controller = new AbortController();
		const note = join(directory.path, 'note');
		const running = pool.map(
			work.noteAndWait,
			range(0, 5).map(() => ({note, until: join(directory.path, 'never')})),
			{
				signal: controller.signal,
				numChunks: 5,
				onProgress: ({running}) => running > 0 && engine !== 'dummy' && controller.abort(new Error('enough')),
				...(engine === 'dummy' ? {programTimeoutMs: 6000} : {}),
			},
		);
		if (engine === 'dummy') {
			const looking = setInterval(() => {
				if (!existsSync(note)) return;
				clearInterval(looking);
				controller.abort(new Error('enough'));
			}, 20);
		}
		await expect(running).rejects.toThrow('enough');
		expect(said()).toContain('is kept');
		const {journal} = await readWorkDir(keptWorkDirs(workRoot)[0] as string);
		expect(journal.filter(({event}) => event === 'deleted').length).toBeGreaterThan(0);
	});

	test('with stopOnError the map ends at the first failure, and every task has an outcome', async () => {
		// One that is not done when the failure is seen; the dummy queue would wait for it.
		const last = engine === 'dummy' ? 30 : 'stay';
		const tasks = ['throwError', ...range(1, 29), last];
		const told: Progress[] = [];
		const onProgress = (numbers: Progress): void => void told.push(numbers);
		const error = await failureOf(pool.map(work.behave, tasks, {stopOnError: true, numChunks: 31, onProgress}));
		expect(error.failures[0]).toMatchObject({itask: 0, kind: 'exception'});
		const outcomes = range(0, 31).map(i => (i in error.results ? 'value' : error.failures.find(({itask}) => itask === i)?.kind));
		expect(outcomes.every(outcome => outcome !== undefined)).toBe(true);
		expect(outcomes).toContain('cancelled');
		const numOf = (isMeant: (outcome: string | undefined) => boolean): number => outcomes.filter(isMeant).length;
		expect(told.at(-1)).toMatchObject({
			...{total: 31, running: 0, pending: 0},
			done: numOf(outcome => outcome === 'value'),
			cancelled: numOf(outcome => outcome === 'cancelled'),
			failed: numOf(outcome => outcome !== 'value' && outcome !== 'cancelled'),
		});
	});
};

const SEED_OF_TASK_0 = 'c8ecb95686c4';

const range = (from: number, count: number): number[] => Array.from({length: count}, (_, i) => from + i);

const failureOf = async (promise: Promise<unknown>): Promise<MapError> => {
	const error = await promise.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(MapError);
	return error as MapError;
};
