import {appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {PoolError} from '../../src/errors.js';
import type {JournalEvent} from '../../src/journal.js';
import {readWorkDir, type TaskRecord} from '../../src/read/read-work-dir.js';
import {type Entry, encodeOutcomes, encodeTasks, exception, SESSION, startedAtMs} from '../helpers/chunk-files.js';

const TIME = '2026-11-21T00:20:07.000Z';

/** A work_dir of 5 tasks in 2 chunks, of which nothing is computed yet. */
const makeWorkDir = (manifest: object = {}) => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-read-'));
	onTestFinished(() => rmSync(workDir, {recursive: true, force: true}));
	const write = (name: string, content: Buffer | string): void => writeFileSync(join(workDir, name), content);
	write('run.json', JSON.stringify({format: 1, session: SESSION, numTasks: 5, numChunks: 2, options: {}, ...manifest}));
	write('000000000.tasks', encodeTasks(['t0', 't1', 't2']));
	write('000000001.tasks', encodeTasks(['t3', 't4'], {ichunk: 1, firstTask: 3}));
	const note = (...events: readonly JournalEvent[]): void => {
		for (const event of events) appendFileSync(join(workDir, 'log.jsonl'), `${JSON.stringify({time: TIME, ...event})}\n`);
	};
	const submitted = (ichunk: number, attempt: number): JournalEvent[] => [
		{event: 'submitting', ichunk, attempt, jobName: `q${SESSION}#00000000${ichunk}.${attempt}`},
		{event: 'submitted', ichunk, attempt, jobId: `93${ichunk}${attempt}`},
	];
	const finish = (ichunk: number, entries: readonly Entry[], {attempt = 1, result = true} = {}): void => {
		write(`00000000${ichunk}.${attempt}.out`, encodeOutcomes(entries, {header: {ichunk, attempt, firstTask: 3 * ichunk}}));
		if (result) note({event: 'result', ichunk, attempt, jobId: `93${ichunk}${attempt}`});
	};
	return {workDir, write, note, submitted, finish};
};

const refusal = async (workDir: string): Promise<PoolError> => {
	const error = await readWorkDir(workDir).then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(PoolError);
	expect(error).toMatchObject({code: 'ERR_POOL_WORK_DIR', workDir});
	return error as PoolError;
};

const states = async (workDir: string): Promise<string[]> => (await readWorkDir(workDir)).tasks.map(({state}) => state);

test.each([
	[undefined, 'undefined'],
	['', '""'],
])('a work_dir that is no path is refused, and is not the current directory: %j', async (workDir, got) => {
	await expect(readWorkDir(workDir as string)).rejects.toMatchObject({
		code: 'ERR_POOL_OPTION',
		message: `Expected \`workDir\` to be a path (a string that is not empty), got ${got}.`,
	});
});

describe('a whole work_dir', () => {
	test('tells of every task what ran where, when, how long, how often, with what and to what end', async () => {
		const {workDir, write, note, submitted, finish} = makeWorkDir();
		note(...submitted(0, 1), {event: 'running', ichunk: 0, attempt: 1, host: 'node1', rawState: 'r'});
		note({event: 'lost', ichunk: 0, attempt: 1, reason: 'the queue-job ended without a result'});
		note({event: 'resubmitted', ichunk: 0, attempt: 2, message: 'Resubmitting 1 of 10'}, ...submitted(0, 2), ...submitted(1, 1));
		write('000000000.2.o', 'first\nsecond\n');
		write('000000000.2.e', 'oh\n');
		const output = {stdout: [6, 13], stderr: [0, 3]} as const;
		finish(0, [{value: 1}, {failure: exception('boom'), output}, {value: [3n]}], {attempt: 2});
		finish(1, [{value: undefined}, {value: 5}]);
		const {tasks, problems, journal, manifest, ...rest} = await readWorkDir(workDir);
		expect([problems, rest, manifest.session, journal.length]).toEqual([[], {workDir}, SESSION, 11]);
		expect(tasks.map(({itask, ichunk, state, input}) => [itask, ichunk, state, input])).toEqual([
			[0, 0, 'done', 't0'],
			[1, 0, 'failed', 't1'],
			[2, 0, 'done', 't2'],
			[3, 1, 'done', 't3'],
			[4, 1, 'done', 't4'],
		]);
		expect(tasks[1]).toEqual({
			itask: 1,
			ichunk: 0,
			state: 'failed',
			attempts: [
				{
					attempt: 1,
					jobName: `q${SESSION}#000000000.1`,
					jobId: '9301',
					host: 'node1',
					submittedAt: TIME,
					lastEvent: 'lost',
					reason: 'the queue-job ended without a result',
				},
				{
					attempt: 2,
					jobName: `q${SESSION}#000000000.2`,
					jobId: '9302',
					host: 'node1',
					submittedAt: TIME,
					lastEvent: 'result',
					reason: undefined,
					startedAt: new Date('2026-11-21T00:20:07.000Z'),
					endedAt: new Date('2026-11-21T00:21:00.000Z'),
				},
			],
			input: 't1',
			outcome: {status: 'rejected', ...exception('boom')},
			attempt: 2,
			jobId: '9302',
			host: 'node1',
			startedAt: new Date(startedAtMs(1)),
			elapsedMs: 1.5,
			stdout: 'second\n',
			stderr: 'oh\n',
		});
		expect(tasks[3]?.outcome).toEqual({status: 'fulfilled', value: undefined});
	});

	test('every attempt tells what its worker used, and when it began and ended, as far as it came to say so', async () => {
		const {workDir, write, note, submitted, finish} = makeWorkDir();
		const usage = {maxRssBytes: 2 ** 27, userMs: 900, systemMs: 80};
		const beganAt = '2026-11-21T00:20:05.000Z';
		note(...submitted(0, 1), {event: 'lost', ichunk: 0, attempt: 1}, ...submitted(0, 2), ...submitted(1, 1), ...submitted(1, 2));
		const cut = encodeOutcomes([{value: 0}, {value: 0}, {value: 0}], {header: {attempt: 1, host: 'node7'}});
		write('000000000.1.part', cut.subarray(0, -20));
		write('000000000.2.out', encodeOutcomes([{value: 0}, {value: 0}, {value: 0}], {header: {attempt: 2}, trailer: {usage, beganAt}}));
		write('000000001.1.part', 'no file of a worker');
		const {tasks} = await readWorkDir(workDir);
		expect(tasks[0]?.attempts).toMatchObject([
			{host: 'node7', startedAt: new Date('2026-11-21T00:20:07.000Z')},
			{host: 'node1', startedAt: new Date(beganAt), endedAt: new Date('2026-11-21T00:21:00.000Z'), usage},
		]);
		expect(tasks[0]?.attempts[0]).not.toHaveProperty('endedAt');
		expect(tasks[3]?.attempts.map(attempt => 'startedAt' in attempt)).toEqual([false, false]);
		finish(1, [{value: 1}, {value: 1}], {attempt: 2});
		expect((await readWorkDir(workDir)).tasks[3]?.attempts[1]?.endedAt).toEqual(new Date('2026-11-21T00:21:00.000Z'));
	});

	test('without values it tells all but them, the inputs, and what was written by those that have a value', async () => {
		const {workDir, write, note, submitted, finish} = makeWorkDir();
		note(...submitted(0, 1), ...submitted(1, 1));
		write('000000000.1.o', 'first\nsecond\n');
		const [first, second] = [
			[0, 6],
			[6, 13],
		] as const;
		finish(0, [
			{value: 1, output: {stdout: first, stderr: [0, 0]}},
			{failure: exception('boom'), output: {stdout: second, stderr: [0, 0]}},
			{value: 3},
		]);
		const whole = await readWorkDir(workDir);
		const light = await readWorkDir(workDir, {values: false});
		expect(light.tasks.map(({state, input, stdout}) => [state, input, stdout])).toEqual([
			['done', undefined, ''],
			['failed', undefined, 'second\n'],
			['done', undefined, ''],
			['pending', undefined, ''],
			['pending', undefined, ''],
		]);
		expect(light.tasks[0]?.outcome).toEqual({status: 'fulfilled', value: undefined});
		expect(light.tasks[1]?.outcome).toEqual(whole.tasks[1]?.outcome);
		const bare = ({itask, attempts, startedAt, elapsedMs, jobId, host}: TaskRecord) => [itask, attempts, startedAt, elapsedMs, jobId, host];
		expect(light.tasks.map(bare)).toEqual(whole.tasks.map(bare));
	});

	test('of two whole results the one that the journal names counts', async () => {
		const {workDir, finish} = makeWorkDir();
		finish(1, [{value: 'first'}, {value: 'first'}], {attempt: 1, result: false});
		finish(1, [{value: 'second'}, {value: 'second'}], {attempt: 2});
		expect((await readWorkDir(workDir)).tasks[3]).toMatchObject({attempt: 2, outcome: {value: 'second'}});
	});

	test('a chunk that failed as a whole tells why for each of its tasks', async () => {
		const {workDir, note, submitted} = makeWorkDir();
		const reason = 'the queue-job went into the error state Eqw (3 attempts)';
		note(...submitted(1, 1), {event: 'chunk-failed', ichunk: 1, attempt: 1, kind: 'error-state', reason});
		const {tasks} = await readWorkDir(workDir);
		expect(tasks.slice(3).map(({state, outcome, attempt, startedAt}) => ({state, outcome, attempt, startedAt}))).toEqual(
			Array(2).fill({
				state: 'failed',
				outcome: {status: 'rejected', kind: 'error-state', message: reason},
				attempt: 1,
				startedAt: undefined,
			}),
		);
	});

	test('a task without an outcome of its own tells the last lines of the last attempt, which may say why', async () => {
		const {workDir, write, note, submitted} = makeWorkDir();
		note(...submitted(1, 1), {event: 'lost', ichunk: 1, attempt: 1}, ...submitted(1, 2), {event: 'chunk-failed', ichunk: 1, attempt: 2});
		write('000000001.1.e', 'of the first attempt\n');
		write('000000001.2.o', `${Array.from({length: 30}, (_, i) => `line ${i}`).join('\n')}\n`);
		write('000000001.2.e', 'Segmentation fault\n');
		const {tasks} = await readWorkDir(workDir);
		const stdout = Array.from({length: 10}, (_, i) => `line ${20 + i}`).join('\n');
		expect(tasks.map(task => [task.stdout, task.stderr])).toEqual([
			...Array(3).fill(['', '']),
			...Array(2).fill([stdout, 'Segmentation fault']),
		]);
	});

	test('with chunkSize is cut as the map was', async () => {
		const {workDir, write} = makeWorkDir({numTasks: 7, numChunks: 3, options: {chunkSize: 3}});
		write('000000001.tasks', encodeTasks(['t3', 't4', 't5'], {ichunk: 1, firstTask: 3}));
		write('000000002.tasks', encodeTasks(['t6'], {ichunk: 2, firstTask: 6}));
		const {tasks, problems} = await readWorkDir(workDir);
		expect(problems).toEqual([]);
		expect(tasks.map(({itask, ichunk, input}) => [itask, ichunk, input])).toEqual(
			[0, 0, 0, 1, 1, 1, 2].map((ichunk, itask) => [itask, ichunk, `t${itask}`]),
		);
	});
});

describe('a running work_dir', () => {
	test('without a journal has pending tasks', async () => {
		const {workDir} = makeWorkDir();
		expect(await states(workDir)).toEqual(Array(5).fill('pending'));
		expect((await readWorkDir(workDir)).tasks[0]).toMatchObject({attempts: [], attempt: undefined, startedAt: undefined, stdout: ''});
	});

	test('tells which queue-jobs run; a result that the process-node has not seen yet is told, too', async () => {
		const {workDir, note, submitted, finish} = makeWorkDir();
		note(...submitted(0, 1), {event: 'running', ichunk: 0, attempt: 1, host: 'node2'}, ...submitted(1, 1));
		expect(await states(workDir)).toEqual(['running', 'running', 'running', 'pending', 'pending']);
		expect((await readWorkDir(workDir)).tasks[0]).toMatchObject({jobId: '9301', host: 'node2', outcome: undefined});
		finish(1, [{value: 1}, {value: 2}], {result: false});
		expect(await states(workDir)).toEqual(['running', 'running', 'running', 'done', 'done']);
	});

	test('a task in which workers died tells what killed the last of them, and where', async () => {
		const {workDir, write, note, submitted} = makeWorkDir();
		note(...submitted(0, 1), {event: 'lost', ichunk: 0, attempt: 1, kind: 'killed', reason: 'SIGKILL'});
		note(...submitted(0, 2), {event: 'lost', ichunk: 0, attempt: 2, kind: 'out-of-memory', reason: 'maxvmem 8G'});
		const entries: Entry[] = [
			{value: 1},
			{failure: {kind: 'killed', message: 'its worker died in it', deadAttempts: [1, 2]}, isUntimed: true},
			{failure: {kind: 'task-limit', message: 'it took longer', deadAttempts: [2]}, isUntimed: true},
		];
		const sources = [2, 1].map(attempt => ({attempt, host: `node${attempt}`}));
		write('000000000.3.out', encodeOutcomes(entries, {header: {attempt: 3, host: 'node3'}, trailer: {sources}}));
		note(...submitted(0, 3), {event: 'result', ichunk: 0, attempt: 3, jobId: '9303'});
		const {tasks} = await readWorkDir(workDir);
		const message = 'its worker died while it computed this task: maxvmem 8G';
		const died = {attempt: 2, jobId: '9302', host: 'node2', startedAt: undefined, elapsedMs: undefined};
		expect(tasks[0]).toMatchObject({attempt: 3, host: 'node3'});
		expect(tasks[1]).toMatchObject({...died, outcome: {status: 'rejected', kind: 'out-of-memory', message}});
		expect(tasks[2]).toMatchObject({...died, outcome: {status: 'rejected', kind: 'task-limit', message: 'it took longer'}});
		expect(tasks[1]?.outcome).not.toHaveProperty('deadAttempts');
	});

	test('an attempt that is only announced is none yet', async () => {
		const {workDir, note, submitted} = makeWorkDir();
		note(...submitted(0, 1), {event: 'lost', ichunk: 0, attempt: 1}, {event: 'resubmitted', ichunk: 0, attempt: 2});
		expect((await readWorkDir(workDir)).tasks[0]?.attempts.map(({attempt, lastEvent}) => [attempt, lastEvent])).toEqual([[1, 'lost']]);
	});

	test('of a growing result what is finished is told, a journal that ends within a line is read up to there', async () => {
		const {workDir, write, note, submitted} = makeWorkDir();
		const whole = encodeOutcomes([{value: 1}, {value: 2}, {value: 3}]);
		// It ends within its second block.
		write('000000000.1.part', whole.subarray(0, whole.indexOf('BLCK', whole.indexOf('BLCK') + 4) + 20));
		note(...submitted(0, 1), {event: 'running', ichunk: 0, attempt: 1});
		appendFileSync(join(workDir, 'log.jsonl'), '{"time":"2026-11-');
		const {tasks, problems, journal} = await readWorkDir(workDir);
		expect([tasks.slice(0, 3).map(({state}) => state), problems, journal.length]).toEqual([['done', 'done', 'running'], [], 3]);
	});
});

describe('a damaged work_dir', () => {
	test('a tasks file that is gone, foreign or cut off costs only the inputs of its chunk', async () => {
		for (const damage of [
			(workDir: string) => rmSync(join(workDir, '000000000.tasks')),
			(workDir: string) => truncateSync(join(workDir, '000000000.tasks'), 40),
			(workDir: string) => writeFileSync(join(workDir, '000000000.tasks'), 'hello'),
			(workDir: string) => writeFileSync(join(workDir, '000000000.tasks'), encodeTasks([1, 2, 3], {session: 'other'})),
			(workDir: string) => writeFileSync(join(workDir, '000000000.tasks'), encodeTasks([1, 2, 3], {ichunk: 1})),
			(workDir: string) => writeFileSync(join(workDir, '000000000.tasks'), encodeTasks([1, 2])),
		]) {
			const {workDir, finish} = makeWorkDir();
			finish(0, [{value: 1}, {value: 2}, {value: 3}]);
			damage(workDir);
			const {tasks, problems} = await readWorkDir(workDir);
			expect(problems).toEqual([expect.stringContaining('000000000.tasks')]);
			expect(tasks.map(({itask, input, state}) => [itask, input, state])).toEqual([
				[0, undefined, 'done'],
				[1, undefined, 'done'],
				[2, undefined, 'done'],
				[3, 't3', 'pending'],
				[4, 't4', 'pending'],
			]);
		}
	});

	test('of a tasks file with a damaged block the other blocks are read', async () => {
		const {workDir, write} = makeWorkDir();
		const bytes = encodeTasks(['t0', 't1', 't2']);
		bytes[bytes.indexOf('BLCK') + 20] = 0xff;
		write('000000000.tasks', bytes);
		const {tasks, problems} = await readWorkDir(workDir);
		expect(tasks.map(({input}) => input)).toEqual([undefined, undefined, 't2', 't3', 't4']);
		expect(problems).toHaveLength(1);
	});

	test('a result that is damaged is a problem, and no outcome', async () => {
		const {workDir, finish} = makeWorkDir();
		finish(0, [{value: 1}, {value: 2}, {value: 3}]);
		truncateSync(join(workDir, '000000000.1.out'), 100);
		const {tasks, problems} = await readWorkDir(workDir);
		expect(problems).toEqual([expect.stringContaining('000000000.1.out')]);
		expect(tasks[0]).toMatchObject({state: 'pending', outcome: undefined});
	});

	test('a result that counted and is gone is a problem', async () => {
		const {workDir, finish} = makeWorkDir();
		finish(0, [{value: 1}, {value: 2}, {value: 3}]);
		rmSync(join(workDir, '000000000.1.out'));
		expect((await readWorkDir(workDir)).problems).toEqual([`${join(workDir, '000000000.1.out')}: it is missing`]);
	});

	test('while none counts, the first that is whole is told', async () => {
		const {workDir, write, finish} = makeWorkDir();
		write('000000001.1.out', '');
		finish(1, [{value: 'a'}, {value: 'b'}], {attempt: 2, result: false});
		finish(1, [{value: 'c'}, {value: 'd'}], {attempt: 10, result: false});
		const {tasks, problems} = await readWorkDir(workDir);
		expect(tasks[3]).toMatchObject({state: 'done', attempt: 2, outcome: {value: 'a'}});
		expect(problems).toHaveLength(1);
	});

	test('a journal of anything is read', async () => {
		const {workDir, write} = makeWorkDir();
		write('log.jsonl', 'null\n5\n[]\n{}\n\0\n\n{"event":"result","ichunk":77,"attempt":1}\n{"event":"running"}\n{"ev');
		const {tasks, problems} = await readWorkDir(workDir);
		expect(tasks.map(({state}) => state)).toEqual(Array(5).fill('pending'));
		expect(problems).toEqual([`${join(workDir, 'log.jsonl')}: 5 of its lines can't be read`]);
	});

	test('a result that was set aside, and a journal that is no file, are problems', async () => {
		const {workDir, write, note, submitted, finish} = makeWorkDir();
		note(...submitted(0, 1), {event: 'set-aside', ichunk: 0, attempt: 1}, ...submitted(0, 2));
		finish(0, [{value: 1}, {value: 2}, {value: 3}], {attempt: 2});
		write('000000000.1.damaged', 'x');
		const {tasks, problems} = await readWorkDir(workDir);
		expect(problems).toEqual([`${join(workDir, '000000000.1.damaged')}: it was set aside, for it could not be read`]);
		expect(tasks[0]).toMatchObject({state: 'done', attempt: 2});
		rmSync(join(workDir, 'log.jsonl'));
		symlinkSync('run.json', join(workDir, 'log.jsonl'));
		expect((await readWorkDir(workDir)).problems).toContain(`${join(workDir, 'log.jsonl')}: it can't be read`);
	});

	test('W23: output that can’t be read costs nothing but itself', async () => {
		const {workDir, write, finish} = makeWorkDir();
		const output = {stdout: [0, 5], stderr: [0, 5]} as const;
		finish(0, [{value: 1, output}, {value: 2}, {value: 3}]);
		finish(1, [{value: 4, output}, {value: 5}]);
		write('000000000.1.o', 'first');
		// A directory in the place of the file can't be read by anybody.
		for (const name of ['000000000.1.e', '000000001.1.o']) mkdirSync(join(workDir, name));
		write('000000001.1.e', 'other');
		const {tasks} = await readWorkDir(workDir);
		expect([tasks[0], tasks[3]].map(task => [task?.state, task?.stdout, task?.stderr])).toEqual([
			['done', 'first', ''],
			['done', '', 'other'],
		]);
	});

	test('output that is gone is empty', async () => {
		const {workDir, finish} = makeWorkDir();
		const output = {stdout: [0, 5], stderr: [0, 5]} as const;
		finish(1, [{value: 1, output}, {value: 2}]);
		expect((await readWorkDir(workDir)).tasks[3]).toMatchObject({stdout: '', stderr: ''});
	});

	test('files of nobody’s are left alone', async () => {
		const {workDir, write} = makeWorkDir();
		for (const name of ['notes.txt', '000000000.1.out~', '000000099.1.out', '.nfs0001']) write(name, 'x');
		expect((await readWorkDir(workDir)).problems).toEqual([]);
	});
});

describe('what is no work_dir is refused', () => {
	test('a directory without run.json, or that is not there', async () => {
		const {workDir} = makeWorkDir();
		rmSync(join(workDir, 'run.json'));
		expect((await refusal(workDir)).message).toBe(`Expected a work_dir, got ${workDir}, which has no run.json.`);
		await refusal('/nonexistent/work_dir');
	});

	test.each(['', '{"format":', 'hello'])('a run.json that is damaged: %j', async text => {
		const {workDir, write} = makeWorkDir();
		write('run.json', text);
		expect((await refusal(workDir)).message).toContain(`${join(workDir, 'run.json')} is damaged: `);
	});

	test.each<[text: string, format: string]>([
		['{"format":2}', '2'],
		['{"format":"1"}', '1'],
		['{}', 'undefined'],
		['null', 'undefined'],
		['[]', 'undefined'],
	])('a run.json of another format: %s', async (text, format) => {
		const {workDir, write} = makeWorkDir();
		write('run.json', text);
		expect((await refusal(workDir)).message).toBe(
			`Expected ${join(workDir, 'run.json')} to be of format 1, got ${format}. It was written by another version.`,
		);
	});
});
