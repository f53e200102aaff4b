import {existsSync, readFileSync} from 'node:fs';
import {userInfo} from 'node:os';
import path from 'node:path';
import {readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {call, makeDummyQueue, makeTemporaryDirectory, pollStates, submit} from '../helpers/dummy-queue.js';

describe('qdel', () => {
	test('removes pending and running queue-jobs, many in one call', async () => {
		const queue = makeDummyQueue();
		for (const name of ['a', 'b', 'c', 'd']) {
			await submit(queue, name);
		}

		await pollStates(queue);
		const {username} = userInfo();
		expect(await call(queue.qdelPath, ['1,2', '3'])).toEqual({
			stdout: `${username} has registered the job 1 for deletion\n${username} has deleted job 2\n${username} has deleted job 3\n`,
			stderr: '',
			exitCode: 0,
		});
		expect(await call(queue.qdelPath, ['d'])).toMatchObject({stdout: `${username} has deleted job 4\n`, exitCode: 0});
		expect(readQueueState(queue.directory)).toMatchObject({jobs: [], ended: [{JB_job_number: 1, failed: 100, exitStatus: 137}]});
	});

	test('denies what does not exist, and removes the others', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'a');
		expect(await call(queue.qdelPath, ['925', '1'])).toEqual({
			stdout: `denied: job "925" does not exist\n${userInfo().username} has deleted job 1\n`,
			stderr: '',
			exitCode: 1,
		});
		expect((await call(queue.qdelPath, ['abc'])).stdout).toBe(`The job abc of user(s) ${userInfo().username} does not exist\n`);
		expect(await call(queue.qdelPath)).toMatchObject({exitCode: 1, stdout: 'ERROR! no option argument\n'});
	});

	test('kills a queue-job that another call executes, with all its processes', async () => {
		const queue = makeDummyQueue();
		const directory = makeTemporaryDirectory();
		await submit(queue, 'slow', '-wd', directory, '-b', 'y', 'sleep 1000 & echo $! >child.tmp; mv child.tmp child; wait');
		await pollStates(queue);
		const executing = pollStates(queue);
		await expect.poll(() => existsSync(path.join(directory, 'child')), {timeout: 90_000}).toBe(true);
		expect((await call(queue.qdelPath, ['1'])).exitCode).toBe(0);
		expect(await executing).toEqual({});
		const child = readFileSync(path.join(directory, 'child'), 'utf8').trim();
		await expect.poll(() => isRunning(child), {timeout: 90_000}).toBe(false);
		expect(readQueueState(queue.directory).ended).toMatchObject([{failed: 100, signal: 'SIGKILL'}]);
	});
});

describe('qacct', () => {
	test('knows no queue-job that is not ended, nor any where the site keeps no accounting', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'ended');
		await pollStates(queue);
		await pollStates(queue);
		expect(await call(queue.qacctPath, ['-j', '2'])).toEqual({stdout: '', stderr: 'error: job id 2 not found\n', exitCode: 1});
		expect((await call(queue.qacctPath, ['-j', '1'])).exitCode).toBe(0);
		updateQueueState(queue.directory, state => {
			state.accounting = false;
		});
		expect(await call(queue.qacctPath, ['-j', '1'])).toMatchObject({stderr: 'error: job id 1 not found\n', exitCode: 1});
		expect((await call(queue.qacctPath, [])).exitCode).toBe(1);
	});

	test('prints the fields of the real one in their order', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'ended');
		await pollStates(queue);
		await pollStates(queue);
		const keys = (text: string): string[] =>
			text
				.trim()
				.split('\n')
				.map(line => line.split(' ')[0]!);
		const real = keys(readFileSync(new URL('../fixtures/qacct/ended.txt', import.meta.url), 'utf8'));
		const ours = keys((await call(queue.qacctPath, ['-j', '1'])).stdout);
		expect(ours).toEqual(real.filter(key => ours.includes(key)));
		expect(ours.length).toBeGreaterThan(12);
	});
});

const isRunning = (pid: string): boolean => {
	try {
		return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
	} catch {
		return false;
	}
};
