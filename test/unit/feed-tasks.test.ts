/** A stream of tasks that is written while a map runs: how far, in what pieces, and what stops it. */
import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {type StreamChunking, streamChunkSize} from '../../src/chunks.js';
import {type Feed, type FeedEnd, feedTasks} from '../../src/feed-tasks.js';
import {openJournal} from '../../src/journal.js';
import {newTasksPath} from '../../src/layout.js';
import {type Files, realFiles} from '../../src/ports.js';
import {openTasks} from '../../src/read/read-tasks.js';
import {type TaskStream, takeTasks} from '../../src/task-source.js';
import {createHandClock} from '../helpers/hand-clock.js';

const SESSION = '2026-11-21T00-20-07_a10cda';

type Parts = {
	readonly tasks: Iterable<unknown> | AsyncIterable<unknown>;
	readonly chunking?: StreamChunking;
	readonly files?: Partial<Files>;
	readonly outageLimitMs?: number;
};

const makeFeed = ({tasks, chunking = {kind: 'chunk-size', chunkSize: 2}, files, outageLimitMs = 60_000}: Parts) => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-feed-'));
	onTestFinished(() => rmSync(workDir, {recursive: true, force: true}));
	const told: string[] = [];
	const clock = createHandClock();
	const feed = feedTasks({
		stream: takeTasks(tasks) as TaskStream,
		chunking,
		chunks: [],
		journal: openJournal(join(workDir, 'log.jsonl'), realFiles, clock),
		isResumed: false,
		workDir,
		manifest: {session: SESSION, node: process.version, createdAt: '2026-11-21T00:20:07.000Z', call: 'map'},
		outageLimitMs,
		checkOwner: async () => undefined,
		files: {...realFiles, ...files},
		clock,
		tell: line => void told.push(line),
	});
	return {feed, workDir, told};
};

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** What has become of the stream, and all chunks that came before that. */
const untilEnd = async (feed: Feed): Promise<{end: FeedEnd; sizes: number[]}> => {
	const sizes: number[] = [];
	for (;;) {
		const end = feed.end();
		sizes.push(...feed.take().map(({numTasks}) => numTasks));
		if (end !== undefined) return {end, sizes};
		await turn();
	}
};

const diskIsFull = (): never => {
	throw Object.assign(new Error('ENOSPC: no space left on device, write'), {code: 'ENOSPC', syscall: 'write'});
};

const numbers = function* (count: number, made: number[] = []): Generator<number> {
	for (let i = 0; i < count; i++) {
		made.push(i);
		yield i;
	}
};

describe('a stream', () => {
	test('is read no further than it is allowed to', async () => {
		const made: number[] = [];
		const {feed, workDir} = makeFeed({tasks: numbers(100, made)});
		for (let i = 0; i < 20; i++) await turn();
		expect(made).toEqual([]);
		feed.allow(2);
		const chunks = [];
		while (chunks.length < 2) {
			chunks.push(...feed.take());
			await turn();
		}
		for (let i = 0; i < 20; i++) await turn();
		expect(chunks).toEqual([
			{ichunk: 0, firstTask: 0, numTasks: 2},
			{ichunk: 1, firstTask: 2, numTasks: 2},
		]);
		expect(made).toEqual([0, 1, 2, 3]);
		expect(readdirSync(workDir)).toEqual(['000000000.tasks', '000000001.tasks']);
		const file = await openTasks(workDir, SESSION, {ichunk: 1, numTasks: 2}, realFiles);
		expect((await file.readBlock(0)).values).toEqual([2, 3]);
		await file.close();
		await feed.close();
	});

	test('that ends with a whole chunk, or with a shorter one, is complete', async () => {
		for (const [count, sizes] of [
			[4, [2, 2]],
			[5, [2, 2, 1]],
		] as const) {
			const {feed} = makeFeed({tasks: numbers(count)});
			feed.allow(100);
			expect(await untilEnd(feed)).toEqual({end: {kind: 'complete'}, sizes});
		}
	});

	test('wakes the loop that sleeps when a chunk is written, and when its signal is aborted', async () => {
		let give: () => void = () => undefined;
		const tasks = async function* () {
			yield 0;
			yield 1;
			await new Promise<void>(resolve => {
				give = resolve;
			});
			yield 2;
			yield 3;
		};
		const {feed} = makeFeed({tasks: tasks()});
		feed.allow(100);
		const stop = new AbortController();
		while (feed.take().length === 0) await turn();
		const slept = feed.sleep(1_000_000_000, stop.signal);
		give();
		await slept;
		while (feed.take().length === 0) await turn();
		stop.abort();
		await feed.sleep(1_000_000_000, stop.signal);
		await feed.close();
	});

	test('that can’t be written for a full disk is tried again, and told once', async () => {
		let numFailures = 0;
		const {feed, told, workDir} = makeFeed({
			tasks: numbers(2),
			files: {create: async (...args) => (numFailures++ < 3 ? diskIsFull() : realFiles.create(...args))},
		});
		feed.allow(100);
		expect(await untilEnd(feed)).toEqual({end: {kind: 'complete'}, sizes: [2]});
		expect(numFailures).toBe(4);
		expect(told).toEqual([
			"queue-map-reduce: task 0 and those after it can't be written, trying again: ENOSPC: no space left on device, write",
		]);
		expect(readdirSync(workDir)).toEqual(['000000000.tasks']);
	});

	test('is written also where a process that has ended left a chunk half-written', async () => {
		const {feed, workDir, told} = makeFeed({tasks: numbers(2)});
		writeFileSync(newTasksPath(workDir, 0), 'half');
		feed.allow(9);
		expect(await untilEnd(feed)).toEqual({end: {kind: 'complete'}, sizes: [2]});
		expect(told).toEqual([]);
		expect(readdirSync(workDir)).toEqual(['000000000.tasks']);
	});

	test('that can’t be written for longer than `outageLimitMs` fails, and names the first task that is missing', async () => {
		const {feed} = makeFeed({tasks: numbers(2), files: {create: async () => diskIsFull()}, outageLimitMs: 60_000});
		feed.allow(100);
		const {end} = await untilEnd(feed);
		expect(end).toMatchObject({kind: 'failed', error: {code: 'ERR_POOL_WORK_DIR'}});
		expect(end).toMatchObject({error: {message: expect.stringContaining("Task 0 and those after it can't be written: ENOSPC")}});
	});

	test('with a task that can’t be serialised fails, and leaves no half-written file', async () => {
		const {feed, workDir} = makeFeed({tasks: [0, 1, 2, () => 3].values()});
		feed.allow(100);
		const {end, sizes} = await untilEnd(feed);
		expect(end).toMatchObject({kind: 'failed', error: {code: 'ERR_POOL_TASKS', message: expect.stringContaining('Task 3 ')}});
		expect(sizes).toEqual([2]);
		expect(readdirSync(workDir)).toEqual(['000000000.tasks']);
	});

	test('that never gives its next task does not hold up the end', async () => {
		const never = {[Symbol.asyncIterator]: () => ({next: () => new Promise<never>(() => undefined)})};
		const {feed} = makeFeed({tasks: never});
		feed.allow(100);
		await turn();
		await feed.close();
		expect(feed.take()).toEqual([]);
	});
});

describe('chunks of a stream grow with it', () => {
	test('so that none holds more than its share of what came before', () => {
		const chunking: StreamChunking = {kind: 'growing', share: 250};
		const sizes: number[] = [];
		for (let firstTask = 0; firstTask < 10_000_000; firstTask += sizes.at(-1) as number) sizes.push(streamChunkSize(firstTask, chunking));
		expect(sizes.slice(0, 500).every(size => size === 1)).toBe(true);
		expect(sizes.length).toBeLessThan(3100);
		expect(Math.max(...sizes)).toBeLessThanOrEqual(10_000_000 / 250);
		expect(streamChunkSize(10 ** 12, chunking)).toBe(65_536);
	});
});
