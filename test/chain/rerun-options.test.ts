/** What a map that is run again has from the first one, and what it refuses. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {createEngineCache} from '../../src/engine-cache.js';
import {cancelMap} from '../../src/later/cancel-map.js';
import * as work from '../fixtures/work.mjs';
import {catchStderr} from '../helpers/caught-stderr.js';
import {createTestDirectory} from '../helpers/engines.js';
import {functionOf, makeKeptMap} from '../helpers/kept-map.js';
import {makeMappingProgram, until} from '../helpers/mapping-programs.js';

let directory: ReturnType<typeof createTestDirectory>;
let options: PoolOptions;
let workDir: string;
const said = catchStderr();
beforeEach(() => {
	directory = createTestDirectory();
	workDir = join(directory.path, 'run');
	options = {engine: 'local', slots: 2, pollingIntervalMs: 50, workDir, keepWorkDir: true};
});
afterEach(() => {
	directory.remove();
});

const outcomes = async (path: string): Promise<unknown[]> => (await readWorkDir(path)).tasks.map(({outcome}) => outcome);

describe('the whole map again', () => {
	test('is a stream when it was one, calls with lists of arguments when it did, and takes a function by its text', async () => {
		const lists = function* (): Generator<[number, number]> {
			for (let i = 0; i < 5; i++) yield [i, 10];
		};
		expect(await new Pool(options).starmap((a: number, b: number) => a * b, lists())).toEqual([0, 10, 20, 30, 40]);
		const run = await Pool.rerun<number>(workDir, {all: true, message: 'once more'});
		expect(await run.results()).toEqual([0, 10, 20, 30, 40]);
		expect(run.workDir).toMatch(new RegExp(`^${directory.path}/\\d{4}-`));
		expect(said()).not.toContain('rerun.');
	});

	test('with schedule dynamic has its chunks claimed as then', async () => {
		await new Pool(options).map(work.identity, [1, 2, 3, 4, 5, 6], {schedule: 'dynamic', numJobs: 2, numChunks: 6});
		const run = await Pool.rerun(workDir, {all: true, keepWorkDir: true});
		expect(await run.results()).toEqual([1, 2, 3, 4, 5, 6]);
		expect((await readWorkDir(run.workDir)).manifest).toMatchObject({numChunks: 6, worker: {numJobs: 2}});
		expect(await outcomes(run.workDir)).toEqual(await outcomes(workDir));
	});
});

describe('some tasks again', () => {
	test('in chunks of several, iterated over, with errors that name them by their index in the first map', async () => {
		const kept = await makeKeptMap('local');
		const run = await Pool.rerun(kept.workDir, {itasks: [7, 2, 3, 9], chunkSize: 2});
		const arrived: number[] = [];
		for await (const {itask, ichunk} of run) arrived.push(10 * ichunk + itask);
		expect(arrived.sort((a, b) => a - b)).toEqual([2, 3, 17, 19]);
		const error = (await run.results().catch((thrown: unknown) => thrown)) as {failures: readonly {itask: number; message: string}[]};
		expect(error.failures.map(({itask, message}) => [itask, message])).toEqual([
			[3, expect.stringContaining('task 3: ')],
			[7, expect.stringContaining('task 7: ')],
		]);
		expect(said()).toContain('tasks failed');
		// Iterated over again, by who comes back to it.
		const again = await (await Pool.resume(run.workDir)).outcomes();
		expect(again.map(({itask, status}) => `${itask} ${status}`)).toEqual(['2 fulfilled', '3 rejected', '7 rejected', '9 fulfilled']);
	});

	test('of two reruns at once one is refused', async () => {
		const kept = await makeKeptMap('local');
		kept.touch('mended');
		const both = await Promise.allSettled([Pool.rerun(kept.workDir), Pool.rerun(kept.workDir)]);
		expect(both.map(({status}) => status).sort()).toEqual(['fulfilled', 'rejected']);
		expect(both.find(({status}) => status === 'rejected')).toMatchObject({reason: {code: 'ERR_POOL_OWNED'}});
		for (const each of both) if (each.status === 'fulfilled') expect(await each.value.results()).toHaveLength(2);
		expect((await readWorkDir(kept.workDir)).tasks.every(({state}) => state === 'done')).toBe(true);
	});

	test('a function among the options is to be given again', async () => {
		const kept = await makeKeptMap('local', {resources: () => ({})});
		await expect(Pool.rerun(kept.workDir)).rejects.toMatchObject({
			code: 'ERR_POOL_RESUME',
			message: expect.stringContaining('Pass `resources` again'),
		});
		expect(await (await Pool.rerun(kept.workDir, {resources: {}, itasks: [1]})).results()).toHaveLength(1);
	});

	test.each<[object, string]>([
		[{seed: 1}, 'Expected no `seed`'],
		[{shared: 1}, 'Expected no `shared`'],
		[{workDir: 'x'}, 'Expected no `workDir`'],
		[{itasks: [-1]}, 'Expected `itasks`'],
		[{itasks: 3}, 'Expected `itasks`'],
		[{itasks: [1], all: true}, 'got both'],
		[{all: 'yes'}, 'Expected `all`'],
		[{chunks: 3}, 'Did you mean'],
		[{itasks: [10]}, 'from 0 to 9, got 10'],
	])('%j is refused', async (given, words) => {
		const kept = await makeKeptMap('local');
		await expect(Pool.rerun(kept.workDir, given)).rejects.toMatchObject({code: 'ERR_POOL_OPTION', message: expect.stringContaining(words)});
		// Nobody is kept out by that.
		await (await Pool.rerun(kept.workDir, {itasks: [1]})).results();
	});

	test('a run.json that does not tell all is refused', async () => {
		const kept = await makeKeptMap('local');
		const path = join(kept.workDir, 'run.json');
		const {launch: _launch, ...rest} = JSON.parse(readFileSync(path, 'utf8'));
		writeFileSync(path, JSON.stringify(rest));
		await expect(Pool.rerun(kept.workDir)).rejects.toMatchObject({
			code: 'ERR_POOL_RESUME',
			message: expect.stringContaining('how its Node was started'),
		});
	});

	test('a task that can not be read is named, and nothing is begun', async () => {
		const kept = await makeKeptMap('local', {numChunks: 10});
		writeFileSync(join(kept.workDir, '000000003.tasks'), readFileSync(join(kept.workDir, '000000003.tasks')).subarray(0, 40));
		await expect(Pool.rerun(kept.workDir)).rejects.toMatchObject({code: 'ERR_POOL_TASKS', message: expect.stringContaining('Task 3 can')});
		expect((await (await Pool.rerun(kept.workDir, {itasks: [7]})).outcomes()).map(({itask}) => itask)).toEqual([7]);
		expect(functionOf(kept).name).toBe('tell');
	});
});

test('a process that does not hear that its map is to end is named; once it goes on it ends it', async () => {
	const program = makeMappingProgram({
		state: {maxRunning: 2, faults: [{kind: 'state', rawState: 'r', polls: 100_000, times: 2}]},
		program: "await new Pool(options).map(double, tasks, {workDir: 'run'}).catch(error => console.log(error.code));",
	});
	const mapping = program.start();
	await until(() => program.jobsLeft() === 6);
	mapping.child.kill('SIGSTOP');
	const told: string[] = [];
	const request = {workDir: program.workDir, options: {}, chooseEngine: createEngineCache(), tell: (line: string) => void told.push(line)};
	await expect(cancelMap({...request, waitMs: 300})).rejects.toMatchObject({
		code: 'ERR_POOL_OWNED',
		message: expect.stringContaining(`kill ${mapping.child.pid}`),
	});
	expect(program.jobsLeft()).toBe(6);
	mapping.child.kill('SIGCONT');
	expect([await mapping.ended, mapping.stdout()]).toEqual([{code: 0, signal: null}, 'ERR_POOL_CANCELLED\n']);
	expect(await cancelMap(request)).toMatchObject([{how: 'had-ended'}]);
	expect([program.jobsLeft(), told.length]).toEqual([0, 1]);
});
