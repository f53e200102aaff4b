import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {call} from '../helpers/dummy-queue.js';
import {addMap, type LookedAt, makeEndedMap, type QueuedMap, submitMap} from '../helpers/looked-at-map.js';
import {until} from '../helpers/mapping-programs.js';
import {withoutVitest} from '../helpers/programs.js';
import {QMR, runQmr} from '../helpers/qmr.js';

const SOURCE = `export const fn = n => {
	if (n % 10 === 3) throw new RangeError('boom \\x1b[31m' + (n === 13 ? 'once' : 'often'));
	return n;
};`;

describe('of a map that has ended', () => {
	let map: LookedAt;
	beforeAll(async () => {
		map = await makeEndedMap({
			source: SOURCE,
			tasks: Array.from({length: 40}, (_, n) => n),
			options: {numChunks: 10, message: 'C3: a reminder', tags: ['pilot']},
		});
	});
	afterAll(() => map.remove());
	const status = (...args: readonly string[]) => runQmr(['status', ...args], {cwd: map.directory});

	test('H9, C3, Q23: the newest one is told of: what it is, counts, hosts, failures by kind, and how to go on', async () => {
		const {stdout, stderr, exitCode} = await status();
		// It tells of failures; it is none itself.
		expect([exitCode, stderr]).toEqual([0, '']);
		expect(stdout).toMatch(/^\S+_\w{6} {2}C3: a reminder$/m);
		expect(stdout).toMatch(/^work_dir +\/.*\/\.qmr\/run$/m);
		expect(stdout).toMatch(/^function +fn of \/.*\/fn\.mjs \(map\)$/m);
		expect(stdout).toMatch(/^tags +pilot$/m);
		expect(stdout).toMatch(/^engine +local$/m);
		expect(stdout).toMatch(/^started +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, [\d.]+ s ago, by \S+ on \S+ \(pid \d+\)$/m);
		expect(stdout).toMatch(/^process +it has ended$/m);
		expect(stdout).toMatch(/^tasks +36 of 40 done, 4 failed, 0 running, 0 pending$/m);
		expect(stdout).toMatch(/^HOST +RUNNING +DONE +GIVEN UP$/m);
		expect(stdout).toMatch(/^\S+ +0 +10 +0$/m);
		expect(stdout).toMatch(/^ {2}tasks 3, 23, 33: RangeError: boom \\x1b\[31moften$/m);
		expect(stdout).toMatch(/^ {2}task 13: RangeError: boom \\x1b\[31monce$/m);
		expect(stdout).toContain(`Why: qmr errors ${map.workDir}\nTo compute them again: qmr rerun ${map.workDir}\n`);
		expect(stdout).not.toContain('\x1b');
	});

	test('a path with a blank can be copied from it into a shell', async () => {
		const workDir = join(map.directory, 'a b');
		await addMap(map.directory, {source: SOURCE, tasks: [3], options: {workDir}});
		const {stdout} = await status(workDir);
		expect(stdout).toContain(`Why: qmr errors '${workDir}'\nTo compute them again: qmr rerun '${workDir}'\n`);
	});

	test('C8: --chunks has a line for each chunk: index, queue-job, state, attempts, host, time', async () => {
		const {stdout} = await status('--chunks');
		const lines = stdout.slice(stdout.indexOf('CHUNK')).trimEnd().split('\n');
		expect(lines[0]).toMatch(/^CHUNK +TASKS +JOB +STATE +FAILED +ATTEMPTS +HOST +ELAPSED +WHY$/);
		expect(lines.length).toBe(11);
		expect(lines[1]).toMatch(/^ +0 +0-3 +local-\S+ +done +1 +1 +\S+ +\d+s$/);
		expect(lines[2]).toMatch(/^ +1 +4-7 +local-\S+ +done +1 +\S+ +\d+s$/);
	});

	test('--json has the same in numbers, and no more than that without --chunks', async () => {
		const found = JSON.parse((await status('--json')).stdout);
		expect(found).toMatchObject({
			workDir: map.workDir,
			message: 'C3: a reminder',
			tags: ['pilot'],
			engine: 'local',
			startedBy: {pid: process.pid},
			owner: {kind: 'released'},
			isComplete: true,
			tasks: {total: 40, done: 36, failed: 4, cancelled: 0, running: 0, pending: 0},
			numResubmissions: 0,
			failures: [
				{
					reason: 'RangeError: boom \x1b[31moften',
					kind: 'exception',
					itasks: [
						[3, 3],
						[23, 23],
						[33, 33],
					],
					numTasks: 3,
				},
				{reason: 'RangeError: boom \x1b[31monce', itasks: [[13, 13]]},
			],
			problems: [],
		});
		expect(found.chunks).toBe(undefined);
		const {chunks} = JSON.parse((await status('--json', '--chunks')).stdout);
		expect(chunks[0]).toMatchObject({ichunk: 0, firstTask: 0, numTasks: 4, state: 'done', numFailed: 1, numAttempts: 1});
	});

	test('H10: the journal and status agree on where each chunk ran, and for how long', async () => {
		const {chunks} = JSON.parse((await status('--json', '--chunks')).stdout) as {
			chunks: {host: string; jobId: string; startedAt: string; endedAt: string}[];
		};
		const log = readFileSync(join(map.workDir, 'log.jsonl'), 'utf8')
			.trimEnd()
			.split('\n')
			.map(line => JSON.parse(line));
		for (const [ichunk, chunk] of chunks.entries()) {
			const running = log.find(line => line.ichunk === ichunk && line.event === 'running');
			expect(chunk).toMatchObject({host: running.host, jobId: running.jobId, startedAt: running.time});
			expect(Date.parse(chunk.endedAt)).toBeGreaterThanOrEqual(Date.parse(chunk.startedAt));
		}
	});

	test('--watch shows it once and ends, for there is nothing to wait for', async () => {
		const {stdout, exitCode} = await status('--watch');
		expect(exitCode).toBe(0);
		expect(stdout).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC 36 of 40 done, 4 failed, 0 running, 0 pending\n$/);
	});

	test('colours are for terminals, or for who wants them', async () => {
		const {stdout} = await runQmr(['status'], {cwd: map.directory, env: {FORCE_COLOR: '1'}});
		expect(stdout).toContain('\x1b[31mRangeError: boom \\x1b[31moften\x1b[39m');
	});

	test('--help tells of every flag, with examples', async () => {
		const {stdout, exitCode} = await status('--help');
		expect(exitCode).toBe(0);
		for (const word of ['--chunks', '--queue', '--watch', '--json', '--root', 'Examples:', 'qmr status 2026-11-21 --watch'])
			expect(stdout).toContain(word);
	});

	test('what is wrong is said in a line or two', async () => {
		expect(await status('nothing')).toMatchObject({
			exitCode: 2,
			stdout: '',
			stderr: expect.stringMatching(/^qmr: Expected a work_dir, got "nothing", .*\n$/),
		});
		expect(await status('--wach')).toMatchObject({exitCode: 2, stderr: expect.stringContaining('--watch')});
	});
});

const json = async ({directory}: LookedAt, ...args: readonly string[]) =>
	JSON.parse((await runQmr(['status', '--json', ...args], {cwd: directory})).stdout);

/** Lets so many things happen in the queue. */
const advance = async ({queue}: QueuedMap, times: number): Promise<void> => {
	for (let i = 0; i < times; i++) await call(queue.qstatPath, ['-xml']);
};

const leave = async (map: QueuedMap): Promise<void> => {
	await map.run.detach();
	await map.run.results().catch(() => undefined);
};

/** The process of the map asks the queue, too, a second after it has begun, and with every question something would happen there. */
const STILL = {maxRunning: 0};

describe('of a map in a queue', () => {
	test('a process that works in it is told of, and so is that it was left', async () => {
		const map = await submitMap({source: SOURCE, tasks: [0, 1, 2]}, STILL);
		onTestFinished(map.remove);
		const {stdout} = await runQmr(['status'], {cwd: map.directory});
		expect(stdout).toMatch(/^process +the process \d+ on \S+ works in it$/m);
		expect(stdout).toMatch(/^queue-jobs +3 pending$/m);
		await leave(map);
		const {stdout: later} = await runQmr(['status'], {cwd: map.directory});
		expect(later).toMatch(/^process +nobody works in it: its process has left it\. To go on: qmr resume \/.*\/run$/m);
	});

	test('H6: with --queue the scheduler says what queue-jobs wait for: Eqw with its reason, held, pending; nothing is changed there', async () => {
		const map = await submitMap(
			{source: SOURCE, tasks: [0, 1, 2]},
			{faults: [{kind: 'error-state', jobName: '#000000000.1', times: 1, reason: 'unable to find shell "/nonexistent"'}], ...STILL},
		);
		onTestFinished(map.remove);
		await leave(map);
		updateQueueState(map.queue.directory, state => {
			state.maxRunning = 1;
			const job = state.jobs.find(({JB_name}) => JB_name.includes('#000000001.1'));
			if (job !== undefined) job.userHold = true;
		});
		await advance(map, 1);
		expect(readQueueState(map.queue.directory).faults[0]?.seen).toBe(1);
		const before = readQueueState(map.queue.directory);
		const {stdout} = await runQmr(['status', '--queue'], {cwd: map.directory});
		expect(stdout).toContain('The queue has 3 of its queue-jobs:');
		expect(stdout).toMatch(/^\d +0 +Eqw .*unable to find shell "\/nonexistent"$/m);
		expect(stdout).toMatch(/^\d +1 +hqw +it is held, and qrls releases it$/m);
		const {queue} = await json(map, '--queue');
		expect(queue).toMatchObject({
			kind: 'answer',
			jobs: expect.arrayContaining([
				expect.objectContaining({ichunk: 0, state: 'error', rawState: 'Eqw', reason: 'unable to find shell "/nonexistent"'}),
				expect.objectContaining({ichunk: 1, state: 'held', rawState: 'hqw', reason: 'it is held, and qrls releases it'}),
			]),
		});
		const {qsub, qdel} = readQueueState(map.queue.directory).calls;
		expect({qsub, qdel}).toEqual({qsub: before.calls.qsub, qdel: before.calls.qdel});
	});

	test('a queue that does not answer is said to be silent, and all else is told', async () => {
		const map = await submitMap({source: SOURCE, tasks: [0]}, STILL);
		onTestFinished(map.remove);
		await leave(map);
		updateQueueState(map.queue.directory, state =>
			state.faults.push({kind: 'fail', program: 'qstat', times: 100, exitCode: 1, stderr: 'commlib error\n'}),
		);
		const {stdout, exitCode} = await runQmr(['status', '--queue'], {cwd: map.directory});
		expect(exitCode).toBe(0);
		expect(stdout).toMatch(/^The queue: .*commlib error/m);
		expect(stdout).toMatch(/^tasks +0 of 1 done/m);
	});

	test('queue-jobs that were given up and submitted again are counted by why; hosts that lost them are named', async () => {
		const map = await submitMap(
			{source: SOURCE, tasks: [0, 1], options: {pollingIntervalMs: 50, maxNumResubmissions: 3}},
			{faults: [{kind: 'kill', jobName: '#000000000.', times: 2}], hosts: [{name: 'node1', state: ''}]},
		);
		onTestFinished(map.remove);
		await map.run.results();
		const found = await json(map, '--chunks');
		expect(found).toMatchObject({givenUp: {killed: 2}, numResubmissions: 2, tasks: {done: 2, failed: 0}});
		expect(found.hosts).toContainEqual({host: 'node1', running: 0, done: 0, givenUp: 2});
		expect(found.chunks.map(({numAttempts, state}: {numAttempts: number; state: string}) => [numAttempts, state])).toEqual([
			[3, 'done'],
			[1, 'done'],
		]);
		const {stdout} = await runQmr(['status'], {cwd: map.directory});
		expect(stdout).toMatch(/^given up +2 killed; submitted again 2 times$/m);
	});
});

describe('a map that goes on', () => {
	/** Each task waits for a file. */
	const WAITING = `import {existsSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
export const fn = async n => {
	while (!existsSync(new URL('go' + n, import.meta.url))) await sleep(20);
	return n;
};`;

	const watch = (directory: string, ...args: readonly string[]) => {
		const child = spawn(process.execPath, [QMR, 'status', '--watch', ...args], {
			cwd: directory,
			env: {...withoutVitest(), FORCE_COLOR: '', QMR_CONFIG: 'off'},
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		let [stdout, stderr] = ['', ''];
		child.stdout.on('data', data => {
			stdout += String(data);
		});
		child.stderr.on('data', data => {
			stderr += String(data);
		});
		return {child, ended: once(child, 'close'), stdout: () => stdout, stderr: () => stderr};
	};

	test('tasks of a chunk that is being computed count as soon as they are done, and --watch goes on to the end', async () => {
		const map = await submitMap({
			source: WAITING,
			tasks: [0, 1, 2],
			options: {engine: 'local', slots: 1, numChunks: 1, pollingIntervalMs: 50, keepWorkDir: false},
		});
		onTestFinished(map.remove);
		const watching = watch(map.directory);
		await until(() => watching.stdout().includes('0 of 3 done, 0 failed, 3 running, 0 pending'));
		writeFileSync(join(map.directory, 'go0'), '');
		await until(() => watching.stdout().includes('1 of 3 done, 0 failed, 2 running, 0 pending'));
		for (const n of [1, 2]) writeFileSync(join(map.directory, `go${n}`), '');
		expect(await map.run.results()).toEqual([0, 1, 2]);
		const [code] = await watching.ended;
		// It is removed at once when all has succeeded; whether that was seen before depends on the moment.
		expect(code).toBe(0);
		expect(`${watching.stdout()}${watching.stderr()}`).toMatch(
			/3 of 3 done, 0 failed, 0 running, 0 pending\n$|has been removed: its map has ended, and every task had a result\.\n$/,
		);
	});

	test('at a terminal, on which it is drawn anew, Ctrl-C ends it with 0, too', async () => {
		const map = await submitMap({source: WAITING, tasks: [0], options: {engine: 'local', slots: 1, pollingIntervalMs: 50}});
		onTestFinished(map.remove);
		const line = `stty rows 40 cols 100; trap : INT; '${process.execPath}' '${QMR}' status --watch; echo "ended with $?"`;
		const child = spawn('script', ['-qec', line, '/dev/null'], {
			cwd: map.directory,
			env: {...withoutVitest(), TERM: 'xterm', QMR_CONFIG: 'off'},
		});
		onTestFinished(() => void child.kill('SIGKILL'));
		let screen = '';
		child.stdout.setEncoding('utf8').on('data', text => {
			screen += text;
		});
		const ended = once(child, 'close');
		await until(() => screen.includes('1 running'));
		child.stdin.write('\x03');
		await ended;
		expect(screen).toContain('ended with 0');
		writeFileSync(join(map.directory, 'go0'), '');
		expect(await map.run.results()).toEqual([0]);
	});

	test('Ctrl-C ends only the display, with 0: the map goes on as if nobody had looked', async () => {
		const map = await submitMap({source: WAITING, tasks: [0], options: {engine: 'local', slots: 1, pollingIntervalMs: 50}});
		onTestFinished(map.remove);
		const watching = watch(map.directory, '--json');
		await until(() => watching.stdout().includes('"running":1'));
		watching.child.kill('SIGINT');
		expect(await watching.ended).toEqual([0, null]);
		expect(watching.stderr()).toBe('');
		for (const line of watching.stdout().trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({tasks: {total: 1}});
		expect(map.run.status()).toMatchObject({isOver: false, running: 1});
		writeFileSync(join(map.directory, 'go0'), '');
		expect(await map.run.results()).toEqual([0]);
	});

	test('a work_dir that is gone when it is looked for is told of, with what became of it', async () => {
		const map = await makeEndedMap({source: SOURCE, tasks: [1]});
		onTestFinished(map.remove);
		rmSync(map.workDir, {recursive: true});
		const {stderr, exitCode} = await runQmr(['status', map.workDir], {cwd: map.directory});
		expect([exitCode, stderr]).toEqual([
			2,
			expect.stringContaining('A work_dir is removed when every task has succeeded, unless it is to be kept.'),
		]);
	});
});

test('of more failures than are read it says of how many it tells, and counts them all', async () => {
	const map = await makeEndedMap({
		source: "export const fn = n => { throw new Error('boom ' + (n % 2)); };",
		tasks: Array.from({length: 2400}, (_, n) => n),
		options: {numChunks: 4},
	});
	onTestFinished(map.remove);
	const {stdout} = await runQmr(['status'], {cwd: map.directory});
	expect(stdout).toMatch(/^tasks +0 of 2400 done, 2400 failed, 0 running, 0 pending$/m);
	expect(stdout).toMatch(/^2400 failed; of the first 1200:$/m);
	expect(JSON.parse((await runQmr(['status', '--json'], {cwd: map.directory})).stdout)).toMatchObject({
		tasks: {failed: 2400},
		numFailuresRead: 1200,
	});
});

test('what has ended since nobody works in the map counts, for status and for ls, also in chunks of one task', async () => {
	const map = await submitMap({source: "export const fn = n => { if (n === 1) throw new Error('boom'); return n; };", tasks: [0, 1, 2]});
	onTestFinished(map.remove);
	await map.run.detach();
	await map.run.results().catch(() => undefined);
	const COUNTS = {total: 3, done: 2, failed: 1, cancelled: 0, running: 0, pending: 0};
	const tell = async (...args: readonly string[]) => JSON.parse((await runQmr([...args, '--json'], {cwd: map.directory})).stdout);
	// The dummy queue goes on when it is asked.
	await expect.poll(async () => (await tell('status', '--queue')).tasks, {timeout: 90_000}).toEqual(COUNTS);
	expect((await tell('ls'))[0].tasks).toEqual(COUNTS);
});
