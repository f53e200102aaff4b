/** Maps whose process ends before its time, and what comes back to them. Programs are killed for real; every test sees its fault happen. */
import {appendFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {MapError, Pool, PoolError, readWorkDir} from 'queue-map-reduce';
import {readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {DOUBLED, makeMappingProgram, TASKS, until} from '../helpers/mapping-programs.js';

let said: string;
beforeEach(() => {
	said = '';
	vi.spyOn(process.stderr, 'write').mockImplementation(text => {
		said += String(text);
		return true;
	});
});
afterEach(() => {
	vi.restoreAllMocks();
});

const thrownBy = async (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => undefined,
		(error: unknown) => error,
	);

const KILLED = {code: null, signal: 'SIGKILL'};

describe('after kill -9', () => {
	test('while polling, living queue-jobs are adopted and nothing is submitted or computed twice', async () => {
		const program = makeMappingProgram({whenProgress: 'if (running > 0) die();', state: {maxRunning: 2}});
		expect(await program.start().ended).toEqual(KILLED);
		expect(program.jobsLeft()).toBeGreaterThan(0);
		expect(await (await Pool.resume<number>(program.workDir)).results()).toEqual(DOUBLED);
		expect(program.calls().qsub).toBe(6);
		expect([...program.computed()].sort()).toEqual([0, 1, 2, 3, 4, 5]);
		expect(program.jobsLeft()).toBe(0);
		expect(existsSync(program.workDir)).toBe(false);
	});

	test('while reducing, finished work is read, not computed again', async () => {
		const program = makeMappingProgram({whenProgress: 'if (done >= 2) die();', state: {maxRunning: 2}});
		expect(await program.start().ended).toEqual(KILLED);
		const before = program.computed().length;
		expect(before).toBeGreaterThanOrEqual(2);
		const run = await Pool.resume<number>(program.workDir);
		expect(run.status().done).toBeGreaterThanOrEqual(2);
		expect(await run.results()).toEqual(DOUBLED);
		expect(program.computed()).toHaveLength(6);
		expect(program.calls().qsub).toBe(6);
	});

	test('when all was done but the end, the results are there and the queue is asked only for what may be left', async () => {
		const program = makeMappingProgram({whenProgress: 'if (done === total) die();'});
		expect(await program.start().ended).toEqual(KILLED);
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
	});

	test('between qsub and its answer, the queue-job is found by its name', async () => {
		const program = makeMappingProgram({insteadOfQsub: '"$QSUB" "$@"\nkill -9 $PPID'});
		expect(await program.start().ended).toEqual(KILLED);
		expect([program.calls().qsub, program.jobsLeft()]).toEqual([1, 1]);
		expect(program.journal()).not.toContain('"submitted"');
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length, program.jobsLeft()]).toEqual([6, 6, 0]);
	});

	test('before qsub had any effect, the chunk is submitted again after the grace time', async () => {
		const program = makeMappingProgram({insteadOfQsub: 'kill -9 $PPID'});
		expect(await program.start().ended).toEqual(KILLED);
		expect([program.calls().qsub, program.journal().includes('"submitting"')]).toEqual([0, true]);
		expect(await (await Pool.resume(program.workDir, {keepWorkDir: true})).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
	});

	test('while tasks were being written, the error says that nothing was submitted', async () => {
		const program = makeMappingProgram({
			program:
				"Object.defineProperty(tasks, 5, {get: die}); await new Pool(options).map(double, {*[Symbol.iterator]() { yield* [1, 2, {get x() { return die(); }}]; }}, {workDir: 'run'});",
		});
		expect(await program.start().ended).toEqual(KILLED);
		const scratch = readdirSync(program.directory).find(name => name.startsWith('.run-')) as string;
		for (const path of ['run', scratch]) {
			const error = await thrownBy(Pool.resume(join(program.directory, path)));
			expect(error).toMatchObject({code: 'ERR_POOL_RESUME', message: expect.stringContaining('nothing was submitted')});
		}
		expect(program.calls().qsub).toBe(0);
	});

	test('of the process that resumed it, a third one goes on', async () => {
		const program = makeMappingProgram({
			program: `if (process.env.TIME === '2') { const run = await Pool.resume('run', {onProgress: ({done}) => { if (done >= 4) die(); }}); await run.results(); }
else await new Pool(options).map(double, tasks, {workDir: 'run', onProgress});`,
			whenProgress: 'if (done >= 2) die();',
			state: {maxRunning: 1},
		});
		expect(await program.start().ended).toEqual(KILLED);
		process.env.TIME = '2';
		const second = program.start();
		delete process.env.TIME;
		expect(await second.ended).toEqual(KILLED);
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
	});
});

test('a rerun of the same program goes on by the option `resume`', async () => {
	const program = makeMappingProgram({
		program:
			"const resume = process.env.RESUME; console.log(JSON.stringify(await new Pool(options).map(double, tasks, resume ? {resume} : {workDir: 'run', onProgress})));",
		whenProgress: 'if (done >= 2) die();',
	});
	expect(await program.start().ended).toEqual(KILLED);
	process.env.RESUME = 'run';
	const second = program.start();
	delete process.env.RESUME;
	expect({...(await second.ended), stderr: second.stderr()}).toMatchObject({code: 0});
	expect(JSON.parse(second.stdout())).toEqual(DOUBLED);
	expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
});
