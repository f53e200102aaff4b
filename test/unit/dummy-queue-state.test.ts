import {execFileSync} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {initQueueState, readCalls, readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {call, makeDummyQueue, makeTemporaryDirectory, submit} from '../helpers/dummy-queue.js';

describe('a new dummy queue', () => {
	test('spreads the three paths and nothing else', () => {
		const queue = makeDummyQueue();
		expect(Object.keys({...queue})).toEqual(['qsubPath', 'qstatPath', 'qdelPath']);
		expect([queue.qacctPath, queue.qalterPath, queue.qconfPath, queue.directory].every(file => existsSync(file))).toBe(true);
	});

	test('takes settings, and is readable by people but not by others', () => {
		const {directory} = makeDummyQueue({maxRunning: 3});
		const file = path.join(directory, 'queue_state.json');
		expect(readFileSync(file, 'utf8')).toContain('\n  "maxRunning": 3,\n');
		expect(statSync(file).mode & 0o777).toBe(0o600);
	});

	test('empties one that was there', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'old');
		initQueueState(queue.directory);
		expect(readQueueState(queue.directory)).toMatchObject({nextJobId: 1, jobs: [], calls: {qsub: 0}});
		expect(readCalls(queue.directory)).toEqual([]);
	});

	test.each(['a b', "it's", 'a"b', '$HOME', 'a:b', 'a,b', '#1', 'ä', '`x`', 'a\\b', 'a\nb', '-x'])(
		'works in a directory called %j',
		async name => {
			const queue = initQueueState(path.join(makeTemporaryDirectory(), name));
			const written = path.join(queue.directory, '..', 'written');
			await submit(
				queue,
				'job',
				'-wd',
				path.dirname(queue.directory),
				'-b',
				'n',
				writeScript(queue.directory, 'echo "$1" > written'),
				'a  b',
			);
			await call(queue.qstatPath, ['-xml']);
			await call(queue.qstatPath, ['-xml']);
			expect(readFileSync(written, 'utf8')).toBe('a  b\n');
		},
	);

	test('hides NODE_OPTIONS from its own programs', async () => {
		const {qsubPath} = makeDummyQueue();
		const env = {...process.env, NODE_OPTIONS: '--require /nonexistent.js'};
		expect(await call(qsubPath, ['-terse', '-b', 'y', 'true'], {env})).toEqual({stdout: '1\n', stderr: '', exitCode: 0});
	});
});

describe('the state', () => {
	test('counts calls and keeps their arguments', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'job');
		await call(queue.qstatPath, ['-xml']);
		await call(queue.qstatPath, ['-j', '1']);
		await call(queue.qdelPath, ['1']);
		await call(queue.qacctPath, ['-j', '1']);
		expect(readQueueState(queue.directory).calls).toEqual({
			...{qsub: 1, qstat: 1, 'qstat -j': 1, 'qstat -F': 0, qdel: 1, qacct: 1, qalter: 0, qconf: 0},
		});
		const calls = readCalls(queue.directory).map(({program, arguments: words}) => [program, ...words].join(' '));
		expect(calls.slice(1)).toEqual(['qstat -xml', 'qstat -j -j 1', 'qdel 1', 'qacct -j 1']);
	});

	test('loses nothing when twenty programs write at once', async () => {
		const queue = makeDummyQueue();
		const ids = await Promise.all(Array.from({length: 20}, (_, index) => submit(queue, `job${index}`)));
		expect(new Set(ids).size).toBe(20);
		const {jobs, calls} = readQueueState(queue.directory);
		expect(jobs.map(job => job.JB_job_number)).toEqual(Array.from({length: 20}, (_, index) => index + 1));
		expect(calls.qsub).toBe(20);
		expect(readdirSync(queue.directory).filter(name => /lock|tmp$/.test(name) && name !== 'tmp')).toEqual([]);
	});

	test('is not changed by a change that throws, and is free afterwards', () => {
		const {directory} = makeDummyQueue();
		const change = (): void =>
			updateQueueState(directory, state => {
				state.nextJobId = 77;
				throw new Error('no');
			});
		expect(change).toThrow('no');
		expect(updateQueueState(directory, state => state.nextJobId)).toBe(1);
	});

	test('refuses a change that would go on after the lock is released', () => {
		const {directory} = makeDummyQueue();
		expect(() => updateQueueState(directory, async () => undefined)).toThrow('Expected `change` to be a synchronous function');
	});
});

describe('the lock', () => {
	test('of a dead process is taken over by one program after the other', async () => {
		const queue = makeDummyQueue();
		const lock = path.join(queue.directory, 'queue_state.lock');
		writeFileSync(lock, `${endedProcess()} 1`);
		const ids = await Promise.all(Array.from({length: 8}, (_, index) => submit(queue, `job${index}`)));
		expect(ids.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
		expect(existsSync(lock)).toBe(false);
	});

	test('of a living process is waited for', async () => {
		const queue = makeDummyQueue();
		let waiting: Promise<number> | undefined;
		updateQueueState(queue.directory, state => {
			waiting = submit(queue, 'job');
			waitForContender(queue.directory);
			state.nextJobId = 100;
		});
		// It would be 1 if the program had read the state meanwhile.
		expect(await waiting).toBe(100);
	});
});

const writeScript = (directory: string, text: string): string => {
	const file = path.join(directory, 'script.sh');
	writeFileSync(file, `${text}\n`);
	return file;
};

const endedProcess = (): number => Number(execFileSync('sh', ['-c', 'echo $$']));

/** Until another process has its own mark beside the lock: it tries to get it. */
const waitForContender = (directory: string): void => {
	const pause = new Int32Array(new SharedArrayBuffer(4));
	while (!readdirSync(directory).some(name => name.startsWith('queue_state.lock.'))) {
		Atomics.wait(pause, 0, 0, 5);
	}
};
