import {readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {readQueueState} from 'queue-map-reduce/dummy-queue';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {type LookedAt, makeEndedMap, submitMap} from '../helpers/looked-at-map.js';
import {runQmr} from '../helpers/qmr.js';

const SOURCE = `export const fn = n => {
	if (n === 3 || n === 7 || n >= 9 && n <= 41) {
		process.stderr.write('stderr of \\x1b[5m' + n + '\\n');
		throw new RangeError('boom\\n  in two lines', {cause: new Error('deeper')});
	}
	if (n === 50) process.exit(1);
	return n;
};`;

let map: LookedAt;
beforeAll(async () => {
	map = await makeEndedMap({source: SOURCE, tasks: Array.from({length: 60}, (_, n) => n), options: {numChunks: 6}});
});
afterAll(() => map.remove());
const errors = (...args: readonly string[]) => runQmr(['errors', ...args], {cwd: map.directory});

test('Q23: equal failures are told once: the message, then which tasks, the kind, the hosts, one stack with its causes, one stderr', async () => {
	const {stdout, stderr, exitCode} = await errors();
	expect([exitCode, stderr]).toEqual([1, '']);
	expect(stdout).not.toContain('\x1b');
	expect(stdout).toMatch(/^36 of 60 tasks have failed, in 2 ways\.$/m);
	expect(stdout).toMatch(
		/\nRangeError: boom in two lines\n {2}tasks 3, 7, 9-41 \(35 tasks\), kind exception\n {2}on \S+\n {2}thrown in task 3:\n {4}RangeError: boom\n/,
	);
	expect(stdout).toMatch(/^ {6}caused by Error: deeper$/m);
	expect(stdout).toMatch(/^ {2}stderr of task 3:\n {4}stderr of \\x1b\[5m3$/m);
	expect(stdout).toMatch(
		/\ncalled process\.exit\(1\)\n {2}task 50, kind exit\n {2}on \S+\n {2}what to do: Return or throw; a task must not end the process\.\n/,
	);
	expect(stdout.indexOf('RangeError')).toBeLessThan(stdout.indexOf('process.exit'));
	expect(stdout).toContain(`qmr show ${map.workDir} 3\n`);
	expect(stdout).toContain(`qmr rerun ${map.workDir} 3 --local\n`);
});

test('--kind tells of one kind only, and knows them all', async () => {
	const {stdout, exitCode} = await errors('--kind', 'exit');
	expect(exitCode).toBe(1);
	expect(stdout).toMatch(/^1 of 60 tasks has failed with exit\.\nOf other kinds: 35 exception\.\n\ncalled/);
	expect(stdout).not.toContain('RangeError');
	expect(stdout).toMatch(/^Compute these again: +qmr rerun \S+ 50$/m);
	expect((await errors('--kind', 'exception')).stdout).toMatch(
		/^35 of 60 tasks have failed with exception, all alike\.\nOf other kinds: 1 exit\.\n(?:.*\n)*Compute these again: +qmr rerun \S+ 3,7,9-41$/m,
	);
	expect(await errors('--kind', 'lost')).toMatchObject({
		exitCode: 0,
		stdout: '',
		stderr: `No task of ${map.workDir} has failed with lost. Of other kinds: 35 exception, 1 exit.\n`,
	});
	expect((await errors('--kind', 'cancelled')).stderr).toBe(
		`No task of ${map.workDir} was cancelled. Of other kinds: 35 exception, 1 exit.\n`,
	);
	for (const kind of ['loss', 'toString'])
		expect(await errors('--kind', kind)).toMatchObject({
			exitCode: 2,
			stderr: expect.stringMatching(new RegExp(`Expected --kind to be one of exception, exit,.* got ${kind}\\.`)),
		});
});

test('--json has the groups with ranges of tasks, the kind, an example, and what to do', async () => {
	const {stdout, exitCode} = await errors('--json');
	expect(exitCode).toBe(1);
	expect(JSON.parse(stdout)).toMatchObject({
		...{workDir: map.workDir, numTasks: 60, numFailed: 36, numOpen: 0},
		failures: [
			{
				reason: 'RangeError: boom in two lines',
				kind: 'exception',
				numTasks: 35,
				itasks: [
					[3, 3],
					[7, 7],
					[9, 41],
				],
				example: {itask: 3, remote: {cause: {message: 'deeper'}}},
			},
			{reason: 'called process.exit(1)', kind: 'exit', itasks: [[50, 50]], advice: 'Return or throw; a task must not end the process.'},
		],
		givenUp: [],
		problems: [],
	});
});

test('a map without failures has none: nothing on stdout, and 0', async () => {
	const good = await makeEndedMap({source: 'export const fn = n => n;', tasks: [1, 2]});
	onTestFinished(good.remove);
	expect(await runQmr(['errors'], {cwd: good.directory})).toMatchObject({
		exitCode: 0,
		stdout: '',
		stderr: `No task of ${good.workDir} has failed.\n`,
	});
	expect(await runQmr(['errors', '--json'], {cwd: good.directory})).toMatchObject({
		exitCode: 0,
		stdout: expect.stringContaining('"numFailed": 0'),
	});
});

test('while the map runs, what has failed so far is told; and why queue-jobs were given up on the way', async () => {
	const queued = await submitMap(
		{source: SOURCE, tasks: [3, 0, 1], options: {pollingIntervalMs: 50, maxNumResubmissions: 1}},
		{
			faults: [
				{kind: 'error-state', jobName: '#000000001.1', times: 1, reason: 'no \x1b[1mshell'},
				{kind: 'kill', jobName: '#000000002.', times: 2},
			],
		},
	);
	onTestFinished(queued.remove);
	await queued.run.outcomes();
	expect(readQueueState(queued.queue.directory).faults.map(({seen}) => seen)).toEqual([1, 2]);
	const {stdout, exitCode} = await runQmr(['errors'], {cwd: queued.directory});
	expect(exitCode).toBe(1);
	expect(stdout).toMatch(/^2 of 3 tasks have failed, in 2 ways\.$/m);
	expect(stdout).toMatch(/task 2, kind killed/);
	expect(stdout).toMatch(/Queue-jobs that were given up on the way:\n/);
	expect(stdout).toMatch(/^ {2}chunk 2, 2 attempts: killed: /m);
	expect(stdout).toMatch(/^ {2}chunk 1, 1 attempt: error-state: .*no .*shell/m);
	expect(stdout).not.toContain('\x1b');
	// The chunk was computed by the next attempt: no task failed so, but a queue-job was given up.
	const given = await runQmr(['errors', '--kind', 'error-state'], {cwd: queued.directory});
	expect(given).toMatchObject({
		exitCode: 0,
		stderr: expect.stringMatching(/^No task of \S+ has failed with error-state\. Of other kinds: /),
	});
	expect(given.stdout).toMatch(/^Queue-jobs that were given up on the way:\n {2}chunk 1, 1 attempt: error-state: .*\n$/);
});

test('what can not be read of many chunks is told once, also when no failure is left to tell of', async () => {
	const damaged = await makeEndedMap({source: SOURCE, tasks: [3, 3, 3], options: {numChunks: 3}});
	onTestFinished(damaged.remove);
	const results = readdirSync(damaged.workDir).filter(name => name.endsWith('.out'));
	expect(results.length).toBe(3);
	for (const name of results) rmSync(join(damaged.workDir, name));
	const once = 'problem: .*/000000000\\.1\\.out: it is missing \\(3 times like that\\)$';
	for (const command of ['errors', 'results']) {
		const {stderr} = await runQmr([command], {cwd: damaged.directory});
		expect(stderr.match(/^problem: /gm)).toHaveLength(1);
		expect(stderr).toMatch(new RegExp(`^${once}`, 'm'));
	}
	const {stdout} = await runQmr(['status'], {cwd: damaged.directory});
	expect(stdout).toMatch(new RegExp(`^${once}`, 'm'));
});

describe('what was only not computed, for the map was ended, is cancelled and has not failed', () => {
	let ended: LookedAt;
	beforeAll(async () => {
		ended = await makeEndedMap({
			source:
				"export const fn = async n => { if (n === 1) throw new Error('boom'); if (n > 1) await new Promise(resolve => setTimeout(resolve, 600_000)); return n; };",
			tasks: [0, 1, 2, 3, 4, 5],
			options: {chunkSize: 2, slots: 1, stopOnError: true},
		});
	});
	afterAll(() => ended.remove());
	const qmr = (...args: readonly string[]) => runQmr(args, {cwd: ended.directory});
	const COUNTS = {total: 6, done: 1, failed: 1, cancelled: 4, running: 0, pending: 0};

	test('wherever tasks are counted', async () => {
		const ls = await qmr('ls');
		expect(ls.stdout).toMatch(/ DONE +FAILED +CANCELLED +RUN +PEND +TOTAL /);
		expect(ls.stdout).toMatch(/ local +1 +1 +4 +0 +0 +6 +ended /);
		expect(JSON.parse((await qmr('ls', '--json')).stdout)).toMatchObject([{tasks: COUNTS}]);
		const status = await qmr('status');
		expect(status.stdout).toMatch(/^tasks +1 of 6 done, 1 failed, 4 cancelled, 0 running, 0 pending$/m);
		expect(status.stdout).toMatch(/^1 failed, 4 cancelled:\n {2}task 1: Error: boom\n {2}tasks 2-5 \(4 tasks\): cancelled, for .*\n/m);
		expect(status.stdout).toMatch(/^To go on: qmr resume \S+ --no-stop-on-error$/m);
		expect(JSON.parse((await qmr('status', '--json')).stdout)).toMatchObject({tasks: COUNTS, isComplete: true, numFailuresRead: 5});
		expect(JSON.parse((await qmr('report', '--json')).stdout)).toMatchObject({counts: COUNTS});
	});

	test('by errors, which begins with what has failed, and by results', async () => {
		const {stdout, exitCode} = await qmr('errors');
		expect(exitCode).toBe(1);
		expect(stdout).toMatch(/^1 of 6 tasks has failed\.\n4 of 6 tasks were cancelled: the map was ended before\.\n\nError: boom\n/);
		expect(stdout).toMatch(/qmr rerun \S+ 1 --local$/m);
		const cancelled = await qmr('errors', '--kind', 'cancelled');
		expect(cancelled.stdout).toMatch(/^4 of 6 tasks were cancelled: the map was ended before\.\nOf other kinds: 1 exception\.\n/);
		expect(cancelled.stdout.split('\n\n').at(-1)).toMatch(
			/^All of one task: +qmr show \S+ 2\nGo on with the map: +qmr resume \S+ --no-stop-on-error\n$/,
		);
		expect(JSON.parse((await qmr('errors', '--json')).stdout)).toMatchObject({numFailed: 1, numCancelled: 4, numOpen: 0});
		expect((await qmr('results')).stderr).toBe('1 of 6 results written; 1 failed: task 1; 4 cancelled: tasks 2-5.\n');
		expect((await qmr('show', 'run', '4')).stdout).toMatch(/ {2}its tasks without a result were cancelled, for another task failed/);
	});
});
