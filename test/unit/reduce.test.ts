import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {inspect} from 'node:util';
import {describe, expect, onTestFinished, test} from 'vitest';
import type {Chunk} from '../../src/chunks.js';
import {TaskError} from '../../src/errors.js';
import {attemptPath} from '../../src/layout.js';
import type {ReducedAttempt} from '../../src/outcome.js';
import {type Files, realFiles} from '../../src/ports.js';
import {type OutcomeFile, readOutcomeFile} from '../../src/read/read-outcomes.js';
import {type Collected, createReducer, type Keep} from '../../src/reduce.js';
import type {FileHeader, TaskFailure} from '../../src/v8-serialize-helpers.js';
import {type Entry, encodeOutcomes, encodeTasks, exception, SESSION, startedAtMs} from '../helpers/chunk-files.js';

const EXPECTED = {session: SESSION, ichunk: 0, attempt: 1, numTasks: 3};
const THREE: readonly Entry[] = [{value: 'a'}, {failure: exception('boom')}, {value: {deep: [1n]}}];

/** Files that hold these bytes, and how many of them are open. */
const holding = (bytes: Buffer) => {
	let numOpen = 0;
	const files: Pick<Files, 'openSource'> = {
		openSource: async () => {
			numOpen++;
			return {
				size: bytes.length,
				read: async (position, length) => bytes.subarray(position, position + length),
				close: async () => void numOpen--,
			};
		},
	};
	return {files, numOpen: () => numOpen};
};

const readBytes = async (bytes: Buffer, expected = EXPECTED): Promise<OutcomeFile> => {
	const {files, numOpen} = holding(bytes);
	const file = await readOutcomeFile(files, '/w/x.out', expected);
	expect(numOpen()).toBe(0);
	return file;
};

describe('a result file', () => {
	test('that is whole and belongs here is read', async () => {
		const file = await readBytes(encodeOutcomes(THREE, {trailer: {stderrBytes: 7, warnings: ['w'], notices: ['n']}}));
		expect(file).toMatchObject({kind: 'whole', host: 'node1', jobId: '937', stderrBytes: 7, notices: ['n']});
		if (file.kind === 'whole')
			expect(file.blocks.map(({first, count}) => [first, count])).toEqual([
				[0, 2],
				[2, 1],
			]);
	});

	test('of a worker that could not begin tells where and why, however many tasks there are', async () => {
		const bytes = encodeOutcomes([], {header: {numTasks: 3}, trailer: {startFailed: exception('no such module')}});
		expect(await readBytes(bytes)).toEqual({
			kind: 'start-failed',
			cause: 'start-failed',
			host: 'node1',
			reason: 'on node1: RangeError: no such module',
		});
	});

	test.each<[what: string, header: Partial<FileHeader>, reason: string]>([
		['another session', {session: '2026-11-21T00-20-07_a10cdb'}, 'it belongs to the session 2026-11-21T00-20-07_a10cdb'],
		['another chunk', {ichunk: 7}, 'it belongs to attempt 1 at chunk 7'],
		['another attempt', {attempt: 2}, 'it belongs to attempt 2 at chunk 0'],
	])('of %s does not belong here', async (_, header, reason) => {
		expect(await readBytes(encodeOutcomes(THREE, {header}))).toEqual({kind: 'damaged', reason: `/w/x.out: ${reason}`});
	});

	test('of tasks holds no outcomes', async () => {
		expect(await readBytes(encodeTasks([1, 2, 3]))).toEqual({kind: 'damaged', reason: '/w/x.out: it holds tasks, not outcomes'});
	});

	test('of another format is told to be one', async () => {
		const file = await readBytes(encodeOutcomes(THREE, {header: {format: 2 as never}}));
		expect(file).toMatchObject({kind: 'damaged', reason: expect.stringContaining('format 2')});
	});

	test.each([0, 2, 4])('with %d outcomes for 3 tasks is damaged', async numEntries => {
		const entries = [...THREE, {value: 1}].slice(0, numEntries);
		expect(await readBytes(encodeOutcomes(entries))).toEqual({kind: 'damaged', reason: `/w/x.out: it holds ${numEntries} of 3 outcomes`});
	});

	test('N10: that is cut off is damaged, wherever it is cut', async () => {
		const bytes = encodeOutcomes(THREE);
		for (let length = 0; length < bytes.length; length++) expect((await readBytes(bytes.subarray(0, length))).kind).toBe('damaged');
	});

	test('with a flipped bit is damaged, whichever it is', async () => {
		const bytes = encodeOutcomes(THREE);
		for (let i = 0; i < bytes.length; i++) {
			const flipped = Buffer.from(bytes);
			flipped[i] = (flipped[i] as number) ^ (1 << (i % 8));
			expect((await readBytes(flipped)).kind, `byte ${i}`).toBe('damaged');
		}
	});

	test('with something behind its end is damaged', async () => {
		expect((await readBytes(Buffer.concat([encodeOutcomes(THREE), Buffer.from('x')]))).kind).toBe('damaged');
		expect((await readBytes(Buffer.concat([encodeOutcomes(THREE), encodeOutcomes(THREE)]))).kind).toBe('damaged');
	});

	test('that can’t be opened or read is damaged for now', async () => {
		const unreadable = {
			size: 100,
			read: async () => Promise.reject(Object.assign(new Error('ESTALE: stale file handle'), {code: 'ESTALE'})),
			close: async () => undefined,
		};
		const files = {openSource: async () => unreadable};
		expect(await readOutcomeFile(files, '/w/x.out', EXPECTED)).toEqual({kind: 'damaged', reason: 'ESTALE: stale file handle'});
		expect(await readOutcomeFile(realFiles, '/nonexistent/x.out', EXPECTED)).toMatchObject({
			kind: 'damaged',
			reason: expect.stringContaining('ENOENT'),
		});
	});

	test('an error of our own is not taken for damage', async () => {
		const files = {openSource: async () => Promise.reject(new TypeError('a mistake'))};
		await expect(readOutcomeFile(files, '/w/x.out', EXPECTED)).rejects.toThrow('a mistake');
	});
});

const CHUNKS: readonly [Chunk, Chunk] = [
	{ichunk: 0, firstTask: 0, numTasks: 3},
	{ichunk: 1, firstTask: 3, numTasks: 2},
];
const FIRST: ReducedAttempt = {attempt: 1, jobId: '937', host: 'listed-host', failure: undefined};
const SECOND: ReducedAttempt = {attempt: 2, jobId: '938', host: undefined, failure: undefined};

/** A reducer of the tasks in CHUNKS over a work_dir of its own. */
const makeReducer = (tasks: readonly unknown[] = [10, 11, 12, 13, 14], keep: Keep = 'outcomes') => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-reduce-'));
	onTestFinished(() => rmSync(workDir, {recursive: true, force: true}));
	const reducer = createReducer({session: SESSION, workDir, keep, taskAt: async itask => tasks[itask], files: realFiles});
	const write = (ichunk: number, attempt: number, kind: 'out' | 'part' | 'e', bytes: Buffer | string): string => {
		const path = attemptPath(workDir, ichunk, attempt, kind);
		writeFileSync(path, bytes);
		return path;
	};
	const collect = async (
		ichunk: 0 | 1,
		entries: readonly Entry[],
		options: Parameters<typeof encodeOutcomes>[1] = {},
	): Promise<Collected> => {
		const chunk = CHUNKS[ichunk];
		const bytes = encodeOutcomes(entries, {...options, header: {ichunk, firstTask: chunk.firstTask, ...options.header}});
		return reducer.collect(chunk, [FIRST], 1, write(ichunk, 1, 'out', bytes));
	};
	return {reducer, write, collect, workDir};
};

describe('reducing', () => {
	test('values come in task order, whichever chunk comes first, with where and when', async () => {
		const {reducer, collect} = makeReducer();
		expect(await collect(1, [{value: undefined}, {value: null}])).toEqual({kind: 'whole', host: 'node1'});
		await collect(0, [{value: 'a'}, {value: 'b'}, {value: 'c'}]);
		expect(reducer.values()).toEqual(['a', 'b', 'c', undefined, null]);
		expect(3 in reducer.values()).toBe(true);
		expect(reducer.counts()).toEqual({done: 5, failed: 0, cancelled: 0});
		expect(reducer.failures()).toEqual([]);
		expect(reducer.outcomes()[4]).toEqual({
			status: 'fulfilled',
			value: null,
			itask: 4,
			ichunk: 1,
			attempt: 1,
			jobId: '937',
			// What the worker says of itself.
			host: 'node1',
			startedAt: new Date(startedAtMs(1)),
			elapsedMs: 1.5,
		});
	});

	test('a failed task is a hole, and a TaskError with all that is known', async () => {
		const {reducer, collect, write} = makeReducer([10, {long: 'x'.repeat(1000)}, 12, 13, 14]);
		write(0, 1, 'e', 'of task 0\nof task 1\nof task 2\n');
		const output = {stdout: [0, 0], stderr: [10, 20]} as const;
		await collect(0, [{value: 'a'}, {failure: exception('boom'), output}, {value: 'c'}]);
		expect([0, 1, 2].map(itask => itask in reducer.values())).toEqual([true, false, true]);
		const [failure] = reducer.failures() as [TaskError];
		expect(failure).toBeInstanceOf(TaskError);
		expect(failure).toMatchObject({
			message: 'task 1: RangeError: boom',
			reason: 'RangeError: boom',
			kind: 'exception',
			itask: 1,
			ichunk: 0,
			attempt: 1,
			jobId: '937',
			host: 'node1',
			remote: {name: 'RangeError', code: 'E_BOOM'},
			stderrTail: 'of task 1',
			cause: {name: 'RangeError', message: 'boom', code: 'E_BOOM', stack: expect.stringContaining('work.mjs:3:7')},
		});
		expect(failure.input).toHaveLength(201);
		expect(reducer.outcomes()[1]).toMatchObject({status: 'rejected', reason: failure, itask: 1, startedAt: new Date(startedAtMs(1))});
		expect(reducer.counts()).toEqual({done: 2, failed: 1, cancelled: 0});
	});

	test('a result that was not kept and is gone when it is asked for is an error of the work_dir', async () => {
		const {reducer, collect, workDir} = makeReducer([10, 11, 12, 13, 14], 'nothing');
		await collect(0, THREE);
		rmSync(attemptPath(workDir, 0, 1, 'out'));
		await expect(reducer.piecesOf(0).next()).rejects.toMatchObject({code: 'ERR_POOL_WORK_DIR', workDir});
	});

	test('a file that is not whole is not taken at all', async () => {
		const {reducer, write, collect} = makeReducer();
		const bytes = encodeOutcomes([{value: 1}, {failure: exception('x')}, {value: 3}]);
		// The last block is cut out: the first could still be read.
		const damaged = Buffer.from(bytes);
		damaged.fill(0, bytes.lastIndexOf('BLCK'), bytes.lastIndexOf('BLCK') + 20);
		const path = write(0, 1, 'out', damaged);
		expect(await reducer.collect(CHUNKS[0], [FIRST], 1, path)).toMatchObject({kind: 'damaged', reason: expect.stringContaining(path)});
		expect(await collect(1, [], {header: {numTasks: 2}, trailer: {startFailed: exception('no')}})).toMatchObject({kind: 'start-failed'});
		expect(reducer.counts()).toEqual({done: 0, failed: 0, cancelled: 0});
		expect(Object.keys(reducer.values())).toEqual([]);
		expect(Object.keys(reducer.outcomes())).toEqual([]);
	});

	test('a chunk that fails as a whole gives each of its tasks the same failure, with what it said last', async () => {
		const {reducer, write} = makeReducer();
		write(1, 2, 'e', 'warning: much memory\nKilled\n');
		await reducer.fail(CHUNKS[1], [FIRST, SECOND], {kind: 'lost', reason: 'the queue-job ended without a result'});
		expect(
			reducer.failures().map(({itask, kind, reason, stderrTail, jobId, attempt}) => ({itask, kind, reason, stderrTail, jobId, attempt})),
		).toEqual(
			[3, 4].map(itask => ({
				itask,
				kind: 'lost',
				reason: 'the queue-job ended without a result',
				stderrTail: 'warning: much memory\nKilled',
				jobId: '938',
				attempt: 2,
			})),
		);
		expect(reducer.outcomes()[0]).toMatchObject({status: 'rejected', startedAt: undefined, elapsedMs: undefined, host: undefined});
	});

	test('of a chunk that is cancelled only what nobody has computed counts as cancelled', async () => {
		const {reducer, write} = makeReducer();
		const whole = encodeOutcomes([{value: 'a'}, {failure: exception('boom')}, {value: 'c'}], {maxEntries: 1});
		write(0, 1, 'part', whole.subarray(0, whole.lastIndexOf('BLCK') + 20));
		expect(await reducer.fail(CHUNKS[0], [FIRST], {kind: 'cancelled', reason: 'the map was ended'})).toBe(1);
		expect(reducer.counts()).toEqual({done: 1, failed: 1, cancelled: 1});
		expect(reducer.numFailedIn(0)).toBe(2);
	});

	test('of a chunk that fails what any attempt has finished is kept, with who did it', async () => {
		const {reducer, write} = makeReducer();
		const whole = encodeOutcomes([{value: 'a'}, {value: 'b'}, {value: 'c'}], {maxEntries: 1});
		const lastBlock = whole.lastIndexOf('BLCK');
		// Attempt 1 has finished two tasks; of attempt 2 nothing can be read.
		write(0, 1, 'part', whole.subarray(0, lastBlock + 20));
		write(0, 2, 'part', whole.subarray(0, 10));
		await reducer.fail(CHUNKS[0], [FIRST, SECOND], {kind: 'error-state', reason: 'no shell'});
		expect(reducer.values().slice(0, 2)).toEqual(['a', 'b']);
		expect(reducer.counts()).toEqual({done: 2, failed: 1, cancelled: 0});
		expect(reducer.outcomes()[1]).toMatchObject({status: 'fulfilled', value: 'b', attempt: 1, jobId: '937', host: 'node1'});
		expect(reducer.outcomes()[2]).toMatchObject({status: 'rejected', attempt: 2, jobId: '938', reason: {kind: 'error-state', itask: 2}});
	});

	test('a task in which workers died fails with what killed the last of them', async () => {
		const {reducer, write} = makeReducer();
		write(0, 2, 'e', 'the last words\n');
		const failure: TaskFailure = {kind: 'killed', message: 'its worker died in it', deadAttempts: [1, 2]};
		const bytes = encodeOutcomes([{value: 'a'}, {failure}, {value: 'c'}], {header: {attempt: 3}});
		const died: ReducedAttempt = {...SECOND, host: 'node2', failure: {kind: 'out-of-memory', reason: 'maxvmem 8G'}};
		const attempts = [FIRST, died, {...FIRST, attempt: 3, jobId: '939'}];
		expect(await reducer.collect(CHUNKS[0], attempts, 3, write(0, 3, 'out', bytes))).toMatchObject({kind: 'whole'});
		expect(reducer.failures()).toMatchObject([
			{
				kind: 'out-of-memory',
				reason: 'its worker died while it computed this task, as did 1 before it: maxvmem 8G',
				attempt: 2,
				jobId: '938',
				host: 'node2',
				stderrTail: 'the last words',
			},
		]);
		expect(reducer.outcomes()[1]).toMatchObject({attempt: 2, jobId: '938', host: 'node2'});
	});

	test('a task that took too long and blocked its worker is laid to that worker, not to the one that says so', async () => {
		const {reducer, write} = makeReducer();
		write(0, 1, 'e', 'its words\n');
		const failure: TaskFailure = {kind: 'task-limit', message: 'it took longer', deadAttempts: [1]};
		const bytes = encodeOutcomes([{value: 'a'}, {failure}, {value: 'c'}], {header: {attempt: 2}});
		const died: ReducedAttempt = {...FIRST, failure: {kind: 'task-limit', reason: 'a task took longer'}};
		await reducer.collect(CHUNKS[0], [died, SECOND], 2, write(0, 2, 'out', bytes));
		expect(reducer.failures()).toMatchObject([
			{kind: 'task-limit', reason: 'it took longer', attempt: 1, jobId: '937', host: 'listed-host', stderrTail: 'its words'},
		]);
	});

	test('of outcomes that were taken over it is known where they were computed, also when the queue never told', async () => {
		const {reducer, write} = makeReducer();
		const sources = [{attempt: 1, host: 'node8'}];
		const encoded = encodeOutcomes([{value: 'a'}, {value: 'b'}, {value: 'c'}], {header: {attempt: 2}, trailer: {sources}, by: 1});
		await reducer.collect(CHUNKS[0], [{...FIRST, host: undefined}, SECOND], 2, write(0, 2, 'out', encoded));
		expect(reducer.outcomes()[0]).toMatchObject({value: 'a', attempt: 1, jobId: '937', host: 'node8'});
		const part = encodeOutcomes([{value: 'd'}, {value: 'e'}], {header: {ichunk: 1, firstTask: 3, attempt: 2, sources}, by: 1});
		write(1, 2, 'part', part.subarray(0, -20));
		await reducer.fail(CHUNKS[1], [{...FIRST, host: undefined}, SECOND], {kind: 'error-state', reason: 'no shell'});
		expect(reducer.outcomes()[3]).toMatchObject({value: 'd', attempt: 1, jobId: '937', host: 'node8'});
	});

	test('a chunk of which nothing was begun has no stderr', async () => {
		const {reducer, write} = makeReducer();
		write(0, 0, 'e', 'somebody else\n');
		await reducer.fail(CHUNKS[0], [], {kind: 'cancelled', reason: 'cancelled'});
		expect(reducer.failures().map(({attempt, stderrTail}) => [attempt, stderrTail])).toEqual([
			[0, ''],
			[0, ''],
			[0, ''],
		]);
	});

	test('failures are in task order, whichever chunk came first', async () => {
		const {reducer, collect} = makeReducer();
		await collect(1, [{failure: exception('b')}, {failure: exception('c')}]);
		await collect(0, [{value: 1}, {value: 1}, {failure: exception('a')}]);
		expect(reducer.failures().map(({itask}) => itask)).toEqual([2, 3, 4]);
	});

	test('stderr of any attempt that counts is remembered', async () => {
		const {reducer, collect} = makeReducer();
		await collect(0, [{value: 1}, {value: 2}, {value: 3}]);
		expect(reducer.hasStderr()).toBe(false);
		await collect(1, [{value: 1}, {value: 2}], {trailer: {stderrBytes: 1}});
		expect(reducer.hasStderr()).toBe(true);
		const silentLast = makeReducer();
		await silentLast.collect(1, [{value: 1}, {value: 2}], {trailer: {stderrBytes: 1}});
		await silentLast.collect(0, [{value: 1}, {value: 2}, {value: 3}]);
		expect(silentLast.reducer.hasStderr()).toBe(true);
	});

	test('what workers say that the user should know is gathered, each sentence once', async () => {
		const {reducer, collect} = makeReducer();
		await collect(0, [{value: 1}, {value: 2}, {value: 3}], {trailer: {notices: ['a', 'b'], warnings: ['of Node']}});
		await collect(1, [{value: 1}, {value: 2}], {trailer: {notices: ['b', 'c']}});
		expect(reducer.notices()).toEqual(['a', 'b', 'c']);
	});

	test('a task whose own printer throws is printed without it', async () => {
		class Grumpy {
			readonly n = 7;
			[inspect.custom](): string {
				throw new Error('no');
			}
		}
		const {reducer, collect} = makeReducer([new Grumpy()]);
		await collect(0, [{failure: exception('x')}, {value: 1}, {value: 2}]);
		expect(reducer.failures()[0]?.input).toBe('Grumpy { n: 7 }');
	});
});
