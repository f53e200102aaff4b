/** What a dead attempt leaves to the next: whole maps on `local` whose tasks kill, block or change their worker. */
import {spawn, spawnSync} from 'node:child_process';
import {copyFileSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {MapError, type Outcome, Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import {scanPart} from '../../src/block-file/scan-part.js';
import {EXIT_CODES} from '../../src/exit-codes.js';
import {attemptPath, tasksPath} from '../../src/layout.js';
import {realFiles} from '../../src/ports.js';
import {openBlockFile} from '../../src/v8-serialize-helpers.js';
import type {OutcomesTrailer} from '../../src/worker/outcomes-trailer.js';
import * as deadly from '../fixtures/deadly.mjs';
import * as work from '../fixtures/work.mjs';
import {createTestDirectory, keptWorkDirs} from '../helpers/engines.js';

let directory: ReturnType<typeof createTestDirectory>;
let options: PoolOptions;
let pool: Pool;
let note: string;

beforeEach(() => {
	directory = createTestDirectory();
	options = {engine: 'local', slots: 2, pollingIntervalMs: 100, workRoot: join(directory.path, 'work'), graceMs: 500, numChunks: 1};
	pool = new Pool(options);
	note = join(directory.path, 'note');
	vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
	vi.restoreAllMocks();
	directory.remove();
});

const range = (count: number): number[] => Array.from({length: count}, (_, i) => i);
const workDirOf = (): string => keptWorkDirs(options.workRoot as string)[0] as string;

/** How often each task was begun. */
const begins = (count: number): number[] => {
	const lines = readFileSync(note, 'utf8').trim().split('\n');
	return range(count).map(itask => lines.filter(line => line.startsWith(`${itask} `)).length);
};

const failureOf = async (promise: Promise<unknown>): Promise<MapError> => {
	const error = await promise.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(MapError);
	return error as MapError;
};

const trailerOf = async (path: string): Promise<OutcomesTrailer> => {
	const source = await realFiles.openSource(path);
	try {
		return (await openBlockFile(source)).trailer as OutcomesTrailer;
	} finally {
		await source.close();
	}
};

describe('a worker that dies', () => {
	test('costs the task it died in a second call, and finished tasks are not begun again', async () => {
		// Longer than a stretch may take: each task is on the disk before the next begins.
		const tasks = range(6).map(() => ({note, deadly: 4, times: 1, takesMs: 260}));
		const outcomes = (await pool.mapSettled(deadly.killIn, tasks, {keepWorkDir: true})) as Outcome<number>[];
		expect(outcomes.map(outcome => outcome.status === 'fulfilled' && outcome.value)).toEqual(range(6));
		expect(begins(6)).toEqual([1, 1, 1, 1, 2, 1]);
		expect(outcomes.map(({attempt}) => attempt)).toEqual([1, 1, 1, 1, 2, 2]);
		expect(new Set(outcomes.map(({jobId}) => jobId)).size).toBe(2);
		expect((await trailerOf(attemptPath(workDirOf(), 0, 2, 'out'))).sources.map(({attempt}) => attempt)).toEqual([1, 2]);
	});

	test('each time costs one task, and the rest of its chunk is computed', async () => {
		const tasks = range(8).map(() => ({note, deadly: 5, times: 99, takesMs: 0}));
		const error = await failureOf(pool.map(deadly.killIn, tasks, {maxNumResubmissions: 2}));
		expect(error.failures.map(({itask, kind, attempt}) => ({itask, kind, attempt}))).toEqual([{itask: 5, kind: 'killed', attempt: 3}]);
		expect(error.failures[0]?.message).toContain('SIGKILL');
		expect(range(8).filter(i => error.results[i] === i)).toEqual([0, 1, 2, 3, 4, 6, 7]);
		expect(begins(8)[5]).toBe(3);
		expect(Math.max(...begins(8))).toBe(3);
	});

	test('among thousands of tiny tasks is found, too; no task is begun more often than it may', async () => {
		const count = 3000;
		const killers = [700, 701, 2999];
		const tasks = range(count).map(() => ({note, deadly: killers}));
		const error = await failureOf(pool.map(deadly.killInTiny, tasks, {maxNumResubmissions: 1}));
		expect(error.failures.map(({itask, kind}) => ({itask, kind}))).toEqual(killers.map(itask => ({itask, kind: 'killed'})));
		expect(range(count).filter(i => error.results[i] !== i)).toEqual(killers);
		expect(Math.max(...begins(count))).toBe(2);
	});
});

/** A busy machine keeps a task that takes no time waiting, too: for less than this. */
const LIMIT_MS = 2000;

describe('taskLimitMs', () => {
	test('a task that waits too long fails, and its worker goes on', async () => {
		const tasks = ['a', 'wait', 'b'].map(how => ({note, how}));
		const error = await failureOf(pool.map(deadly.block, tasks, {taskLimitMs: LIMIT_MS}));
		expect(error.failures.map(({itask, kind, attempt}) => ({itask, kind, attempt}))).toEqual([{itask: 1, kind: 'task-limit', attempt: 1}]);
		expect(error.failures[0]?.message).toContain(`${LIMIT_MS} ms`);
		expect([error.results[0], error.results[2]]).toEqual(['a', 'b']);
		expect(begins(3)).toEqual([1, 1, 1]);
	});

	test('a task that takes too long but ends fails, and its worker goes on', async () => {
		const tasks = ['a', 'busy', 'b'].map(how => ({note, how}));
		const error = await failureOf(pool.map(deadly.block, tasks, {taskLimitMs: LIMIT_MS}));
		expect(error.failures.map(({itask, kind, attempt}) => ({itask, kind, attempt}))).toEqual([{itask: 1, kind: 'task-limit', attempt: 1}]);
		expect(begins(3)).toEqual([1, 1, 1]);
	});

	test.each(['loop', 'atomicsWait', 'execSync'])('a task that blocks its worker by %s fails, and the next attempt goes on', async how => {
		const tasks = ['a', how, 'b', how, 'c'].map(each => ({note, how: each}));
		// Also when no task may be begun again: it is known which one it was.
		const error = await failureOf(pool.map(deadly.block, tasks, {taskLimitMs: LIMIT_MS, maxNumResubmissions: 0}));
		expect(error.failures.map(({itask, kind}) => ({itask, kind}))).toEqual([1, 3].map(itask => ({itask, kind: 'task-limit'})));
		expect([error.results[0], error.results[2], error.results[4]]).toEqual(['a', 'b', 'c']);
		expect(begins(5)).toEqual([1, 1, 1, 1, 1]);
	});

	test.each(['wait', 'busy'])('a task whose queue-job is suspended meanwhile loses nothing by that (%s)', async how => {
		// A busy machine gives it its 0.8 s of a processor late: the limit has room for that, and none for the time it stands still.
		const tasks = ['a', how, 'b'].map(each => ({how: each, goesOn: each === how ? join(directory.path, 'goes-on') : undefined}));
		const outcomes = (await pool.mapSettled(deadly.standStill, tasks, {taskLimitMs: 8900})) as Outcome<string>[];
		expect(outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message))).toEqual(['a', how, 'b']);
		expect(outcomes.map(({attempt}) => attempt)).toEqual([1, 1, 1]);
		// It was seen to stand still.
		expect(outcomes[1]?.elapsedMs).toBeGreaterThan(9000);
	});

	test('a promise that nothing can settle is told from one that takes too long', async () => {
		const error = await failureOf(pool.map(work.behave, [0, 'neverSettled', 2], {taskLimitMs: 60_000}));
		expect(error.failures.map(({itask, kind}) => ({itask, kind}))).toEqual([{itask: 1, kind: 'never-settled'}]);
	});
});

describe('retries', () => {
	test.each(['throw', 'reject', 'exit', 'stray'])('a task that fails by %s is called again by the same worker', async how => {
		const tasks = [
			{how, call: 1},
			{how, call: 3},
			{how, call: 1},
		];
		expect(await pool.map(deadly.failUntil, tasks, {retries: 2})).toEqual([1, 3, 1]);
	});

	test('a task that fails more often fails', async () => {
		const error = await failureOf(pool.map(deadly.failUntil, [{how: 'throw', call: 9}], {retries: 2}));
		expect(error.failures[0]).toMatchObject({kind: 'exception', attempt: 1, message: expect.stringContaining('not yet')});
	});
});

test('a module that was changed after the submission is not mixed with what it was, unless the user wants that', async () => {
	const run = async (name: string, onCodeChange: 'fail' | 'warn'): Promise<{outcomes: Outcome<unknown>[]; workDir: string}> => {
		const module = join(directory.path, `${name}.mjs`);
		copyFileSync(new URL('../fixtures/on-node.mjs', import.meta.url), module);
		const text = (version: number): string =>
			`import {existsSync} from 'node:fs';
			export const version = async until => {
				while (until !== undefined && !existsSync(until)) await new Promise(resolve => setTimeout(resolve, 20));
				return ${version};
			};`;
		writeFileSync(module, text(1));
		const until = join(directory.path, `${name}.until`);
		const workDir = join(directory.path, `${name}.work_dir`);
		let numRunning = 0;
		const settled = new Pool(options).mapSettled({module, name: 'version'} as never, [until, undefined], {
			slots: 1,
			numChunks: 2,
			keepWorkDir: true,
			workDir,
			onCodeChange,
			onProgress: ({running}) => {
				numRunning = running;
			},
		});
		await vi.waitUntil(() => numRunning === 1, {interval: 10, timeout: 90_000});
		// The first worker has begun; the second waits for its slot.
		await vi.waitUntil(() => readIfThere(attemptPath(workDir, 0, 1, 'part')) !== undefined, {interval: 10, timeout: 90_000});
		writeFileSync(module, text(2));
		writeFileSync(until, '');
		return {outcomes: (await settled) as Outcome<unknown>[], workDir};
	};
	const [failed, warned] = await Promise.all([run('fail', 'fail'), run('warn', 'warn')]);
	expect(failed.outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.kind))).toEqual([
		1,
		'code-changed',
	]);
	expect(warned.outcomes.map(outcome => outcome.status === 'fulfilled' && outcome.value)).toEqual([1, 2]);
	expect((await trailerOf(attemptPath(warned.workDir, 1, 1, 'out'))).notices).toEqual([
		expect.stringMatching(/^code-changed: .*warn\.mjs/),
	]);
	const told = vi.mocked(process.stderr.write).mock.calls.filter(([text]) => String(text).includes('workers warn'));
	expect(told).toEqual([[expect.stringMatching(/^queue-map-reduce: workers warn: code-changed: .*warn\.mjs is not what it was.*\n$/)]]);
});

test('Node’s own warnings are kept with the result, not more than a hundred of a chunk, and are not shown', async () => {
	const warn = (count: number): void => {
		for (let i = 0; i < count; i++) process.emitWarning(`no. ${i}`);
	};
	await pool.map(warn, [1, 1, 200], {keepWorkDir: true});
	const {warnings, notices} = await trailerOf(attemptPath(workDirOf(), 0, 1, 'out'));
	expect(warnings).toHaveLength(100);
	expect(warnings.slice(0, 2)).toEqual(['Warning: no. 0', 'Warning: no. 1']);
	expect(notices).toBeUndefined();
	expect(String(vi.mocked(process.stderr.write).mock.calls)).not.toContain('no. 0');
});

const readIfThere = (path: string): Buffer | undefined => {
	try {
		return readFileSync(path);
	} catch {
		return undefined;
	}
};

describe('a worker started by hand', () => {
	const launch = (workDir: string, ...args: string[]): number | null =>
		spawnSync('sh', [join(workDir, 'launch.sh'), ...args], {cwd: '/', encoding: 'utf8'}).status;
	const keep = async (): Promise<string> => {
		await pool.map(
			deadly.killInTiny,
			[0, 1, 2].map(() => ({note, deadly: []})),
			{keepWorkDir: true},
		);
		return workDirOf();
	};

	test('goes on behind earlier attempts as a queue-job does, or computes all again', async () => {
		const workDir = await keep();
		expect(launch(workDir, '0', '2')).toBe(0);
		expect(begins(3)).toEqual([1, 1, 1]);
		expect(launch(workDir, '0')).toBe(0);
		expect(begins(3)).toEqual([2, 2, 2]);
		for (const attempt of [2, 3]) expect((await trailerOf(attemptPath(workDir, 0, attempt, 'out'))).sources.at(-1)?.attempt).toBe(attempt);
	});

	test('that was begun before, or can’t make its file, says so by its exit status', async () => {
		const workDir = await keep();
		writeFileSync(attemptPath(workDir, 0, 2, 'part'), 'of another');
		expect(launch(workDir, '0', '2')).toBe(EXIT_CODES.outputRefused);
		expect(readFileSync(attemptPath(workDir, 0, 2, 'part'), 'utf8')).toBe('of another');
		expect(readFileSync(attemptPath(workDir, 0, 2, 'e'), 'utf8')).toContain('was begun before');
	});

	test('whose tasks are those of another chunk computes none of them', async () => {
		const workDir = await keep();
		renameSync(tasksPath(workDir, 0), tasksPath(workDir, 7));
		expect(launch(workDir, '7', '1')).toBe(EXIT_CODES.internal);
		expect(readFileSync(attemptPath(workDir, 7, 1, 'e'), 'utf8')).toContain('to hold the tasks of chunk 7');
		expect(begins(3)).toEqual([1, 1, 1]);
	});

	test('has on the disk what it has finished, before it waits for tasks that can’t be read', async () => {
		// Each has a block to itself.
		const tasks = [0, 1].map(() => ({note, deadly: [], padding: 'x'.repeat(2 ** 20)}));
		await pool.map(deadly.killInTiny, tasks, {keepWorkDir: true});
		const workDir = workDirOf();
		const bytes = readFileSync(tasksPath(workDir, 0));
		bytes[bytes.lastIndexOf('BLCK') + 40]! ^= 1;
		writeFileSync(tasksPath(workDir, 0), bytes);
		const worker = spawn('sh', [join(workDir, 'launch.sh'), '0'], {stdio: 'ignore'});
		onTestFinished(() => void worker.kill('SIGKILL'));
		const numFinished = async (): Promise<number> => {
			const source = await realFiles.openSource(attemptPath(workDir, 0, 2, 'part'));
			const {session} = await readWorkDir(workDir).then(({manifest}) => manifest);
			return scanPart(source, {session, ichunk: 0})
				.then(scan => scan.numFinished)
				.finally(() => source.close());
		};
		await vi.waitUntil(() => numFinished().catch(() => 0), {interval: 50, timeout: 90_000});
		expect(worker.exitCode).toBeNull();
		expect(begins(2)).toEqual([2, 1]);
	});

	test('takes over what is whole of a damaged result', async () => {
		const workDir = await keep();
		const out = attemptPath(workDir, 0, 1, 'out');
		const bytes = readFileSync(out);
		rmSync(out);
		bytes[bytes.lastIndexOf('BLCK') + 40]! ^= 1;
		writeFileSync(attemptPath(workDir, 0, 1, 'damaged'), bytes);
		expect(launch(workDir, '0', '2')).toBe(0);
		expect(begins(3)).toEqual([1, 2, 2]);
		expect((await trailerOf(attemptPath(workDir, 0, 2, 'out'))).sources.map(({attempt}) => attempt)).toEqual([1, 2]);
	});
});
