import {spawn} from 'node:child_process';
import {existsSync, rmSync} from 'node:fs';
import path from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {createForeignJob, type DummyQueue, type Fault, readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {call, makeDummyQueue, makeTemporaryDirectory, pollStates, submit} from '../helpers/dummy-queue.js';

const faultsOf = (queue: DummyQueue): Fault[] => readQueueState(queue.directory).faults;

/** The states of all queue-jobs in so many calls of qstat. */
const pollTimes = async (queue: DummyQueue, numPolls: number): Promise<Record<string, string>[]> => {
	const answers: Record<string, string>[] = [];
	for (let poll = 0; poll < numPolls; poll += 1) {
		answers.push(await pollStates(queue));
	}

	return answers;
};

describe('a fault of a queue-job', () => {
	test('is an error state with a reason, as often as asked', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'error-state', jobName: 'evil', times: 1, reason: 'unable to find shell "/x"'}]});
		await submit(queue, 'good');
		await submit(queue, 'evil');
		expect(await pollTimes(queue, 3)).toEqual([{good: 'r', evil: 'qw'}, {good: 'r', evil: 'Eqw'}, {evil: 'Eqw'}]);
		expect((await call(queue.qstatPath, ['-j', 'evil'])).stdout).toMatch(/^error reason {10}1: .*\]: unable to find shell "\/x"$/m);
		await call(queue.qdelPath, ['2']);
		await submit(queue, 'evil');
		expect(await pollTimes(queue, 2)).toEqual([{evil: 'r'}, {}]);
		expect(faultsOf(queue)).toMatchObject([{times: 0, seen: 1}]);
	});

	test('meets the names that a pattern matches', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'error-state', jobPattern: '^a\\d$', times: 9, reason: 'x'}]});
		for (const name of ['a1', 'a12', 'ba1']) {
			await submit(queue, name);
		}

		expect((await pollTimes(queue, 3)).at(-1)).toEqual({a1: 'Eqw', a12: 'r', ba1: 'r'});
		expect(faultsOf(queue)).toMatchObject([{times: 8, seen: 1}]);
	});

	test('lets it vanish without a trace, before it ran', async () => {
		const directory = makeTemporaryDirectory();
		const queue = makeDummyQueue({faults: [{kind: 'vanish', times: 1}]});
		await submit(queue, 'a', '-wd', directory, '-b', 'y', 'touch ran');
		expect(await pollTimes(queue, 2)).toEqual([{a: 'r'}, {}]);
		expect(existsSync(path.join(directory, 'ran'))).toBe(false);
		expect(readQueueState(queue.directory)).toMatchObject({jobs: [], ended: [], faults: [{seen: 1}]});
	});

	test('kills it at once, or when it has come so far', async () => {
		const directory = makeTemporaryDirectory();
		const onceExists = path.join(directory, 'half');
		const queue = makeDummyQueue({
			faults: [
				{kind: 'kill', jobName: 'early', times: 1},
				{kind: 'kill', jobName: 'late', times: 1, signal: 'SIGTERM', onceExists},
			],
		});
		await submit(queue, 'early', '-wd', directory, '-b', 'y', 'sleep 1000; touch early');
		await submit(queue, 'late', '-wd', directory, '-b', 'y', 'touch half; sleep 1000; touch whole');
		expect(await pollTimes(queue, 4)).toEqual([{early: 'r', late: 'qw'}, {early: 'r', late: 'r'}, {late: 'r'}, {}]);
		expect(['early', 'half', 'whole'].map(name => existsSync(path.join(directory, name)))).toEqual([false, true, false]);
		expect(readQueueState(queue.directory)).toMatchObject({
			ended: [
				{failed: 100, exitStatus: 137, signal: 'SIGKILL'},
				{failed: 100, exitStatus: 143, signal: 'SIGTERM'},
			],
			faults: [{seen: 1}, {seen: 1}],
		});
	});

	test('shows any letters for a while, and the queue-job carries on', async () => {
		const queue = makeDummyQueue({
			faults: [
				{kind: 'state', rawState: 'Zq', polls: 2, times: 1},
				{kind: 'state', rawState: 'S', polls: 1, times: 1},
				{kind: 'state', rawState: 'Er', polls: 1, times: 1},
			],
		});
		await submit(queue, 'a');
		expect(await pollTimes(queue, 6)).toEqual([{a: 'Zq'}, {a: 'Zq'}, {a: 'r'}, {a: 'S'}, {a: 'Er'}, {}]);
		expect(faultsOf(queue)).toMatchObject([{seen: 1}, {seen: 1}, {seen: 1}]);
	});

	test('lets it linger as deleted, in whatever state it was', async () => {
		const queue = makeDummyQueue({
			faults: [
				{kind: 'linger', polls: 2, times: 3},
				{kind: 'error-state', jobName: 'broken', reason: 'x', times: 1},
			],
		});
		for (const name of ['running', 'broken', 'pending']) {
			await submit(queue, name);
		}

		await pollTimes(queue, 2);
		expect((await call(queue.qdelPath, ['1', '2', '3'])).exitCode).toBe(0);
		expect(await call(queue.qdelPath, ['1'])).toMatchObject({stdout: 'job 1 is already in deletion\n', exitCode: 0});
		const lingering = {running: 'dr', broken: 'dEqw', pending: 'dqw'};
		expect(await pollTimes(queue, 3)).toEqual([lingering, lingering, {}]);
		expect(faultsOf(queue)).toMatchObject([{seen: 3}, {seen: 1}]);
	});

	test('lets it linger although it was being executed', async () => {
		const directory = makeTemporaryDirectory();
		const queue = makeDummyQueue({faults: [{kind: 'linger', polls: 1, times: 1}]});
		await submit(queue, 'a', '-wd', directory, '-b', 'y', 'touch begun; sleep 1000');
		await pollStates(queue);
		const executing = pollStates(queue);
		await expect.poll(() => existsSync(path.join(directory, 'begun')), {timeout: 90_000}).toBe(true);
		await call(queue.qdelPath, ['1']);
		expect(await executing).toEqual({a: 'dr'});
		expect(await pollTimes(queue, 2)).toEqual([{a: 'dr'}, {}]);
		expect(readQueueState(queue.directory).ended).toMatchObject([{failed: 100}]);
	});

	test('makes its files come late: it has left the list before it runs', async () => {
		const directory = makeTemporaryDirectory();
		const queue = makeDummyQueue({faults: [{kind: 'late-files', polls: 3, times: 1}]});
		await submit(queue, 'a', '-wd', directory, '-b', 'y', 'touch ran');
		const seen: [number, boolean][] = [];
		for (let poll = 0; poll < 5; poll += 1) {
			const numListed = Object.keys(await pollStates(queue)).length;
			seen.push([numListed, existsSync(path.join(directory, 'ran'))]);
		}

		expect(seen).toEqual([
			[1, false],
			[0, false],
			[0, false],
			[0, false],
			[0, true],
		]);
		expect(readQueueState(queue.directory)).toMatchObject({jobs: [], faults: [{seen: 1}], ended: [{failed: 0}]});
	});

	test.each([
		[99, 'Rq'],
		[100, 'Eqw'],
	])('that is late is listed again when it exits with %i', async (exitCode, state) => {
		const queue = makeDummyQueue({faults: [{kind: 'late-files', polls: 1, times: 1}]});
		await submit(queue, 'a', '-b', 'y', 'exit', String(exitCode));
		expect(await pollTimes(queue, 2)).toEqual([{a: 'r'}, {}]);
		expect(await pollStates(queue)).toEqual({a: state});
	});

	test('that is late does not exist for qdel and qstat -j', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'late-files', polls: 9, times: 1}]});
		await submit(queue, 'a');
		await pollTimes(queue, 2);
		expect((await call(queue.qdelPath, ['1'])).stdout).toBe('denied: job "1" does not exist\n');
		expect((await call(queue.qstatPath, ['-j', '1'])).exitCode).toBe(1);
	});
});

describe('foreign queue-jobs', () => {
	test('are listed, take no slot, never run, and cannot be deleted; tries are counted', async () => {
		const queue = makeDummyQueue({maxRunning: 1, nextJobId: 10});
		const {JB_owner} = await ownJob(queue);
		updateQueueState(queue.directory, state => {
			state.jobs = [
				createForeignJob({JB_job_number: 1, JB_name: 'theirs'}),
				createForeignJob({JB_job_number: 2, JB_name: 'other-program', JB_owner, phase: 'pending'}),
			];
		});
		await submit(queue, 'mine');
		expect(await pollTimes(queue, 2)).toEqual([{'other-program': 'qw', mine: 'r'}, {'other-program': 'qw'}]);
		expect(await call(queue.qdelPath, ['1', '2'])).toEqual({
			stdout: [1, 2].map(id => `${JB_owner} - you do not have the necessary privileges to delete the job "${id}"\n`).join(''),
			stderr: '',
			exitCode: 1,
		});
		expect(readQueueState(queue.directory).jobs.map(job => job.numDeleteAttempts)).toEqual([1, 1]);
	});
});

describe('a qstat that is killed while it executes a queue-job', () => {
	test('does not kill the job; it leaves the queue when it has ended', async () => {
		const directory = makeTemporaryDirectory();
		const queue = makeDummyQueue();
		await submit(queue, 'slow', '-wd', directory, '-b', 'y', 'touch begun; until [ -e go ]; do sleep 0.05; done; touch ended');
		await pollStates(queue);
		const child = spawn(queue.qstatPath, ['-xml'], {stdio: 'ignore'});
		const isOver = new Promise(resolve => {
			child.once('exit', resolve);
		});
		await expect.poll(() => existsSync(path.join(directory, 'begun')), {timeout: 90_000}).toBe(true);
		await expect.poll(() => readQueueState(queue.directory).jobs[0]?.execution?.pid, {timeout: 90_000}).toBeGreaterThan(0);
		child.kill('SIGKILL');
		await isOver;
		expect(await pollTimes(queue, 2)).toEqual([{slow: 'r'}, {slow: 'r'}]);
		await call('/bin/sh', ['-c', 'touch go'], {cwd: directory});
		for (let states = await pollStates(queue); Object.keys(states).length > 0; states = await pollStates(queue)) {
			await delay(10);
		}

		expect(existsSync(path.join(directory, 'ended'))).toBe(true);
		expect(readQueueState(queue.directory).ended).toHaveLength(1);
	});
});

describe('a queue that is removed', () => {
	test('takes the queue-job with it that is being executed', async () => {
		const directory = makeTemporaryDirectory();
		const queue = makeDummyQueue();
		await submit(queue, 'endless', '-wd', directory, '-b', 'y', 'touch begun; sleep 1000');
		await pollStates(queue);
		const executing = call(queue.qstatPath, ['-xml']);
		await expect.poll(() => existsSync(path.join(directory, 'begun')), {timeout: 90_000}).toBe(true);
		rmSync(queue.directory, {recursive: true});
		expect((await executing).exitCode).not.toBe(0);
	});
});

const ownJob = async (queue: DummyQueue): Promise<{JB_owner: string}> => {
	await submit(queue, 'own', '-h', '-b', 'y', 'true');
	return readQueueState(queue.directory).jobs[0]!;
};
