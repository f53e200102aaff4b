import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {createForeignJob, readQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, onTestFinished, test} from 'vitest';
import {executeJob} from '../../dist/dummy-queue/execute.js';
import {isAlive} from '../../dist/dummy-queue/processes.js';
import {makeDummyQueue} from '../helpers/dummy-queue.js';

describe('a process', () => {
	test('is alive until it has ended', () => {
		expect(isAlive(process.pid)).toBe(true);
		expect(isAlive(1)).toBe(true);
		expect(isAlive(Number(execFileSync('sh', ['-c', 'echo $$'])))).toBe(false);
	});

	test('that nobody has waited for yet is not alive', async () => {
		// `exec` leaves a parent that never waits.
		const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 1000'], {stdio: ['ignore', 'pipe', 'ignore']});
		onTestFinished(() => void parent.kill());
		const [line] = await once(parent.stdout, 'data');
		await expect.poll(() => readFileSync(`/proc/${Number(line)}/stat`, 'utf8'), {timeout: 90_000}).toContain(') Z ');
		expect(isAlive(Number(line))).toBe(false);
	});
});

test('a queue-job that qdel removed before it had a process ends with it', async () => {
	const queue = makeDummyQueue();
	const job = createForeignJob({
		JB_job_number: 1,
		JB_name: 'removed',
		outputPath: '/dev/null',
		errorPath: '/dev/null',
		command: {kind: 'binary', path: 'sleep', original: 'sleep', arguments: ['20'], usesShell: true},
	});
	await executeJob(queue.directory, {job});
	expect(readQueueState(queue.directory).ended).toMatchObject([{failed: 100, signal: 'SIGKILL'}]);
});
