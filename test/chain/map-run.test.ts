/** What the caller has in hand while a map runs. */
import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type MapError, Pool, type PoolOptions} from 'queue-map-reduce';
import {type DummyQueue, initQueueState, type QueueState, readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import * as work from '../fixtures/work.mjs';
import {catchStderr} from '../helpers/caught-stderr.js';
import {createTestDirectory} from '../helpers/engines.js';

let directory: ReturnType<typeof createTestDirectory>;
let queue: DummyQueue;
let options: PoolOptions;
const said = catchStderr();

beforeEach(() => {
	directory = createTestDirectory();
	queue = initQueueState(join(directory.path, 'queue'));
	// One at a time: what comes first, and what a fault hits, is then what the tests say.
	options = {...queue, workDir: join(directory.path, 'run'), pollingIntervalMs: 50, graceMs: 300, submitConcurrency: 1};
});
afterEach(() => {
	directory.remove();
});

const thrownBy = async (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => undefined,
		(error: unknown) => error,
	);
const setState = (change: (state: QueueState) => void): void => updateQueueState(queue.directory, change);
/** So many queue-jobs run and never end; the others wait. */
const letNoneEnd = (maxRunning: number): void =>
	setState(state => {
		state.maxRunning = maxRunning;
		state.faults = [{kind: 'state', rawState: 'r', polls: 100_000, times: maxRunning}];
	});
const letAllEnd = (): void =>
	setState(state => {
		state.faults = [];
		for (const job of state.jobs) delete job.shown;
	});
const numJobs = (): number => readQueueState(queue.directory).jobs.length;

describe('a submitted map', () => {
	test('B4, Y4: is in the queue as a whole before anything is waited for, and gives its results in the end, as often as they are asked for', async () => {
		letNoneEnd(2);
		const run = await new Pool(options).submit(work.identity, [1, 2, 3, 4, 5]);
		expect([numJobs(), readQueueState(queue.directory).calls.qsub]).toEqual([5, 5]);
		expect(run.status()).toMatchObject({total: 5, done: 0, failed: 0, isOver: false});
		expect(run.settledSoFar()).toEqual([]);
		expect([run.workDir, existsSync(run.workDir)]).toEqual([options.workDir, true]);
		letAllEnd();
		expect(await run.results()).toEqual([1, 2, 3, 4, 5]);
		expect(await run.results()).toEqual([1, 2, 3, 4, 5]);
		expect((await run.outcomes()).map(({status, itask}) => [status, itask])).toEqual([0, 1, 2, 3, 4].map(i => ['fulfilled', i]));
		expect(run.status()).toMatchObject({total: 5, done: 5, failed: 0, running: 0, pending: 0, remainingMs: 0, isOver: true});
		expect(run.settledSoFar()).toHaveLength(5);
	});

	test('B4: gives outcomes as they arrive, to everybody who asks, each once', async () => {
		setState(state => {
			state.maxRunning = 1;
		});
		const run = await new Pool(options).submit(work.identity, [1, 2, 3, 4], {numChunks: 2});
		const seen: number[] = [];
		const numSettled: number[] = [];
		const other: number[] = [];
		const first = (async () => {
			for await (const outcome of run) {
				seen.push(outcome.itask);
				numSettled.push(run.settledSoFar().length);
			}
		})();
		for await (const {itask} of run) other.push(itask);
		await first;
		expect(seen).toEqual([0, 1, 2, 3]);
		expect(other).toEqual([0, 1, 2, 3]);
		// The first chunk was told before the second one was there.
		expect(numSettled[0]).toBe(2);
		// When all is over they are still there.
		const late: number[] = [];
		for await (const {itask} of run) late.push(itask);
		expect(late).toEqual([0, 1, 2, 3]);
	});

	test('whose tasks fail tells so by `results`, and not before it is asked', async () => {
		const unhandled = vi.fn();
		process.on('unhandledRejection', unhandled);
		try {
			const run = await new Pool(options).submit(work.sum as (task: unknown) => number, [[1, 2], 'no array']);
			const statuses: string[] = [];
			for await (const {status} of run) statuses.push(status);
			expect(statuses.sort()).toEqual(['fulfilled', 'rejected']);
			await new Promise(resolve => setImmediate(resolve));
			expect(unhandled).not.toHaveBeenCalled();
			expect(((await thrownBy(run.results())) as MapError).failures.map(({itask}) => itask)).toEqual([1]);
		} finally {
			process.off('unhandledRejection', unhandled);
		}
	});

	test('that ends while it is submitted says why by `results`', async () => {
		setState(state => {
			state.faults = [
				{kind: 'fail', program: 'qsub', after: 2, times: 1, exitCode: 1, stderr: 'Unable to run job: unknown resource "x".\nExiting.\n'},
			];
		});
		const run = await new Pool(options).submit(work.identity, [1, 2, 3]);
		expect(run.status().isOver).toBe(true);
		expect(await thrownBy(run.results())).toMatchObject({code: 'ERR_POOL_SUBMIT_REJECTED'});
		expect(await thrownBy(run.outcomes())).toMatchObject({code: 'ERR_POOL_SUBMIT_REJECTED'});
		expect(readQueueState(queue.directory).faults.map(({seen}) => seen)).toEqual([1]);
		expect(numJobs()).toBe(0);
	});

	test('without tasks is over at once, and nothing is written', async () => {
		const run = await new Pool(options).submit(work.identity, []);
		expect(run.status()).toEqual({
			total: 0,
			done: 0,
			failed: 0,
			cancelled: 0,
			running: 0,
			pending: 0,
			rate: undefined,
			remainingMs: 0,
			isOver: true,
		});
		expect([await run.results(), await run.outcomes(), run.settledSoFar()]).toEqual([[], [], []]);
		for await (const outcome of run) expect(outcome).toBeUndefined();
		await run.cancel();
		await run.detach();
		expect(existsSync(options.workDir as string)).toBe(false);
	});
});

describe('a map that is cancelled', () => {
	test('N16: by its signal, while 2 queue-jobs run and 3 wait, rejects with the AbortError; 5 are deleted, and the queue is empty', async () => {
		letNoneEnd(2);
		const controller = new AbortController();
		const abortOnceRunning = ({running}: {running: number}): void => {
			if (running === 2) controller.abort();
		};
		const error = await thrownBy(
			new Pool(options).map(work.identity, [1, 2, 3, 4, 5], {signal: controller.signal, onProgress: abortOnceRunning}),
		);
		expect(error).toBe(controller.signal.reason);
		expect((error as Error).name).toBe('AbortError');
		expect(numJobs()).toBe(0);
		const {journal, tasks} = await (await import('queue-map-reduce')).readWorkDir(options.workDir as string);
		expect(journal.filter(({event}) => event === 'deleted')).toHaveLength(5);
		expect(tasks.map(({outcome}) => outcome)).toEqual(Array(5).fill(expect.objectContaining({kind: 'cancelled'})));
	});

	test('keeps what is finished, for itself and for a resume', async () => {
		setState(state => {
			state.maxRunning = 1;
			state.faults = [{kind: 'state', jobName: '#000000002.', rawState: 'r', polls: 100_000, times: 1}];
		});
		const run = await new Pool(options).submit(work.identity, [1, 2, 3, 4]);
		const arrived: string[] = [];
		const reading = (async () => {
			for await (const outcome of run) {
				arrived.push(`${outcome.itask} ${outcome.status === 'fulfilled' ? 'value' : outcome.reason.kind}`);
				if (arrived.length === 2) run.cancel(new Error('enough'));
			}
		})();
		expect(await thrownBy(reading)).toMatchObject({message: 'enough'});
		expect(arrived).toEqual(['0 value', '1 value', '2 cancelled', '3 cancelled']);
		expect(await thrownBy(run.results())).toMatchObject({message: 'enough'});
		expect(run.status()).toMatchObject({done: 2, failed: 0, cancelled: 2, isOver: true});
		expect([numJobs(), said().includes(`await Pool.resume(${JSON.stringify(run.workDir)})`)]).toEqual([0, true]);
		letAllEnd();
		const again = await Pool.resume<number>(run.workDir);
		expect(again.status()).toMatchObject({done: 2, failed: 0});
		expect(await again.results()).toEqual([1, 2, 3, 4]);
		expect(readQueueState(queue.directory).calls.qsub).toBe(6);
	});

	test('Y5: resolves `cancel` when all is removed, and rejects with an AbortError when no reason is given', async () => {
		letNoneEnd(1);
		const run = await new Pool(options).submit(work.identity, [1, 2, 3]);
		await Promise.all([run.cancel(), run.cancel(new Error('too late'))]);
		expect(numJobs()).toBe(0);
		expect(await thrownBy(run.results())).toMatchObject({name: 'AbortError'});
	});

	test('whose queue-jobs could not be removed, and went on, is resumed with their results', async () => {
		letNoneEnd(3);
		const run = await new Pool(options).submit(work.identity, [1, 2, 3]);
		setState(
			state => void state.faults.push({kind: 'fail', program: 'qdel', exitCode: 1, stdout: 'error: Connection refused\n', times: 10_000}),
		);
		await run.cancel();
		expect([numJobs(), said().includes('may be left in the queue')]).toEqual([3, true]);
		letAllEnd();
		while (numJobs() > 0) spawnSync(queue.qstatPath, ['-xml']);
		const again = await Pool.resume(run.workDir);
		expect(again.status()).toMatchObject({done: 3});
		expect([await again.results(), readQueueState(queue.directory).calls.qsub]).toEqual([[1, 2, 3], 3]);
	});

	test('before it is begun leaves nothing behind', async () => {
		const tasks = [
			1,
			{
				get slow() {
					return controller.abort(new Error('stopped while writing')) ?? 1;
				},
			},
			...Array(100).keys(),
		];
		const controller = new AbortController();
		expect(await thrownBy(new Pool(options).map(work.identity, tasks, {signal: controller.signal, chunkSize: 1}))).toMatchObject({
			message: 'stopped while writing',
		});
		expect([existsSync(options.workDir as string), readQueueState(queue.directory).calls.qsub]).toEqual([false, 0]);
	});
});

test('a process whose work_dir was taken over submits and removes nothing more, and writes nothing there', async () => {
	setState(state => {
		state.maxRunning = 1;
		state.faults = [
			{kind: 'state', rawState: 'r', polls: 100_000, times: 1},
			{kind: 'fail', program: 'qsub', after: 1, times: 3, exitCode: 25, stderr: 'Only 1 jobs are allowed per user\n'},
		];
	});
	const outcome = thrownBy(new Pool(options).map(work.identity, [1, 2, 3]));
	const seen = (): number => readQueueState(queue.directory).faults.at(-1)?.seen ?? 0;
	await vi.waitUntil(() => seen() > 0, {interval: 10, timeout: 90_000});
	writeFileSync(join(options.workDir as string, 'owner.2'), '{"host":"login2","pid":5}\n');
	expect(await outcome).toMatchObject({code: 'ERR_POOL_OWNED', message: expect.stringContaining('The process 5 on login2')});
	const {calls} = readQueueState(queue.directory);
	expect([numJobs(), calls.qdel, calls.qsub]).toEqual([1, 0, 1 + seen()]);
	const log = readFileSync(join(options.workDir as string, 'log.jsonl'), 'utf8');
	expect(log).not.toMatch(/"ended"|"deleted"|"cancelled"/);
});

test('a process whose work_dir was taken over removes no queue-job that it would have given up', async () => {
	letNoneEnd(1);
	const run = await new Pool(options).submit(work.identity, [1, 2]);
	writeFileSync(join(options.workDir as string, 'owner.2'), '{"host":"login2","pid":5}\n');
	setState(state => {
		state.maxRunning = 2;
		state.faults = [{kind: 'error-state', jobName: '#000000001.', times: 1, reason: 'no shell'}];
	});
	expect(await thrownBy(run.results())).toMatchObject({code: 'ERR_POOL_OWNED'});
	const {calls, faults} = readQueueState(queue.directory);
	expect([faults.map(({seen}) => seen), calls.qdel, numJobs()]).toEqual([[1], 0, 2]);
});

describe('a map that is detached', () => {
	test('leaves its queue-jobs running, and another comes back to them', async () => {
		letNoneEnd(2);
		const run = await new Pool(options).submit(work.identity, [1, 2, 3]);
		await run.detach();
		expect(await thrownBy(run.results())).toMatchObject({code: 'ERR_POOL_DETACHED', message: expect.stringContaining('Pool.resume')});
		expect(
			await thrownBy(
				(async () => {
					for await (const _ of run);
				})(),
			),
		).toMatchObject({code: 'ERR_POOL_DETACHED'});
		expect([numJobs(), run.status().isOver]).toEqual([3, true]);
		letAllEnd();
		expect(await (await Pool.resume(run.workDir)).results()).toEqual([1, 2, 3]);
		expect(readQueueState(queue.directory).calls).toMatchObject({qsub: 3, qdel: 0});
	});

	test('is refused to a second process of the same machine as long as it is not', async () => {
		letNoneEnd(2);
		const run = await new Pool(options).submit(work.identity, [1, 2, 3]);
		expect(await thrownBy(Pool.resume(run.workDir))).toMatchObject({
			code: 'ERR_POOL_OWNED',
			message: expect.stringContaining(String(process.pid)),
		});
		await run.cancel();
	});

	test('on local ends its child processes, for nobody would read their results; they are computed when it is resumed', async () => {
		const local = {engine: 'local', slots: 1, pollingIntervalMs: 50, workDir: join(directory.path, 'local')} as const;
		const run = await new Pool(local).submit(work.identity, [1, 2, 3]);
		await run.detach();
		expect(await (await Pool.resume(run.workDir)).results()).toEqual([1, 2, 3]);
	});
});
