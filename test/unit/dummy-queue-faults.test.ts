import {spawn} from 'node:child_process';
import {readFileSync, rmSync} from 'node:fs';
import {createForeignJob, type DummyQueue, type Fault, readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {call, makeDummyQueue, submit} from '../helpers/dummy-queue.js';

const faultsOf = (queue: DummyQueue): Fault[] => readQueueState(queue.directory).faults;

describe('a fault of a program', () => {
	test('fails it as often as asked, after so many spared calls', async () => {
		const queue = makeDummyQueue({
			faults: [{kind: 'fail', program: 'qsub', exitCode: 25, stdout: 'o', stderr: 'job limit\n', times: 2, after: 1}],
		});
		const exitCodes: (number | null)[] = [];
		for (let index = 0; index < 4; index += 1) {
			exitCodes.push((await call(queue.qsubPath, ['-b', 'y', 'true'])).exitCode);
		}

		expect(exitCodes).toEqual([0, 25, 25, 0]);
		expect(faultsOf(queue)).toMatchObject([{times: 0, seen: 2, after: 0}]);
		expect(readQueueState(queue.directory).jobs).toHaveLength(2);
		updateQueueState(queue.directory, state => {
			state.faults[0]!.times = 1;
		});
		expect(await call(queue.qsubPath, ['-b', 'y', 'true'])).toEqual({stdout: 'o', stderr: 'job limit\n', exitCode: 25});
	});

	test('can lose the answer of work that is done', async () => {
		const queue = makeDummyQueue({
			faults: [{kind: 'fail', program: 'qsub', exitCode: 1, stderr: 'got send timeout\n', times: 1, effect: 'done'}],
		});
		expect(await call(queue.qsubPath, ['-N', 'queued', '-b', 'y', 'true'])).toEqual({
			stdout: '',
			stderr: 'got send timeout\n',
			exitCode: 1,
		});
		expect(readQueueState(queue.directory).jobs).toMatchObject([{JB_name: 'queued'}]);
	});

	test('concerns one program, and lists apart from explanations', async () => {
		const queue = makeDummyQueue({
			faults: [
				{kind: 'fail', program: 'qstat -j', exitCode: 1, times: 1},
				{kind: 'fail', program: 'qdel', exitCode: 1, times: 1},
			],
		});
		await submit(queue, 'a');
		expect((await call(queue.qstatPath, ['-xml'])).exitCode).toBe(0);
		expect((await call(queue.qstatPath, ['-j', '1'])).exitCode).toBe(1);
		expect((await call(queue.qstatPath, ['-j', '1'])).exitCode).toBe(0);
		expect((await call(queue.qdelPath, ['1'])).exitCode).toBe(1);
		expect((await call(queue.qdelPath, ['1'])).exitCode).toBe(0);
		expect(faultsOf(queue)).toMatchObject([{seen: 1}, {seen: 1}]);
	});

	test.each([
		['nothing', 0],
		['done', 1],
	] as const)('hangs it until it is killed, with the effect %s', async (effect, numJobs) => {
		const queue = makeDummyQueue({faults: [{kind: 'hang', program: 'qsub', times: 1, effect}]});
		const child = spawn(queue.qsubPath, ['-b', 'y', 'true'], {stdio: 'ignore'});
		const ended = new Promise(resolve => {
			child.once('exit', (_, signal) => resolve(signal));
		});
		await expect.poll(() => readQueueState(queue.directory).jobs.length, {timeout: 90_000}).toBe(numJobs);
		await expect.poll(() => faultsOf(queue)[0]?.seen, {timeout: 90_000}).toBe(1);
		expect(child.exitCode).toBe(null);
		child.kill();
		expect(await ended).toBe('SIGTERM');
	});

	test('leaves no hanging program behind when the queue is removed', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'hang', program: 'qdel', times: 1}]});
		const called = call(queue.qdelPath, ['1']);
		await expect.poll(() => faultsOf(queue)[0]?.seen, {timeout: 90_000}).toBe(1);
		rmSync(queue.directory, {recursive: true});
		expect(await called).toMatchObject({stdout: '', exitCode: 0});
	});

	test('warns on stderr while the program works', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'warning', program: 'qsub', stderr: 'warning: no queue', times: 1}]});
		expect(await call(queue.qsubPath, ['-terse', '-b', 'y', 'true'])).toEqual({stdout: '1\n', stderr: 'warning: no queue\n', exitCode: 0});
	});

	test.each([[''], ['<?xml version="1.0"?><html>'], ['not xml']])('replaces the list by %j while the queue goes on', async stdout => {
		const queue = makeDummyQueue({faults: [{kind: 'output', program: 'qstat', stdout, times: 1}]});
		await submit(queue, 'a');
		expect(await call(queue.qstatPath, ['-xml'])).toEqual({stdout, stderr: '', exitCode: 0});
		expect(readQueueState(queue.directory).jobs).toMatchObject([{state: 'r'}]);
	});

	test('cuts the list off at any byte, from either end', async () => {
		const queue = makeDummyQueue({jobs: [createForeignJob({JB_job_number: 9, JB_name: 'x'})]});
		const list = async (): Promise<string> => (await call(queue.qstatPath, ['-xml', '-u', '*'])).stdout;
		const whole = await list();
		for (const bytes of [0, 1, 200, whole.length - 1, -1, -200]) {
			updateQueueState(queue.directory, state => {
				state.faults = [{kind: 'cut-output', program: 'qstat', bytes, times: 1}];
			});
			expect(await list()).toBe(whole.slice(0, bytes));
		}

		expect(await list()).toBe(whole);
	});

	test.each([[[]], [['-f']]])('lists nothing although there are queue-jobs, with the options %j', async options => {
		const queue = makeDummyQueue({faults: [{kind: 'stale-list', program: 'qstat', times: 1}]});
		await submit(queue, 'running');
		await submit(queue, 'pending', '-h', '-b', 'y', 'true');
		const list = async (): Promise<string> => (await call(queue.qstatPath, [...options, '-xml'])).stdout;
		expect(await list()).toBe(readFileSync(new URL('../fixtures/qstat/empty.xml', import.meta.url), 'utf8'));
		expect(faultsOf(queue)).toMatchObject([{times: 0, seen: 1}]);
		expect(readQueueState(queue.directory).jobs).toMatchObject([{state: 'r'}, {state: 'hqw'}]);
	});
});
