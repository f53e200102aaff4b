/** States and ends of queue-jobs that only a real Grid Engine brings about, without our cooperation. */
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {MapError, Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {waitForFile} from '../fixtures/on-node.mjs';
import * as work from '../fixtures/work.mjs';
import {createTestDirectory, poolOptions} from '../helpers/engines.js';
import {call, createEnding, type Ending, type JournalLine, oneNode, untilAccounted, untilGone, untilNoted} from '../helpers/grid-engine.js';

let directory: ReturnType<typeof createTestDirectory>;
let workDir: string;
let started: string;
let until: string;
let pool: Pool;
let ending: Ending;

beforeEach(() => {
	directory = createTestDirectory();
	ending = createEnding();
	workDir = join(directory.path, 'the work_dir');
	started = join(directory.path, 'started');
	until = join(directory.path, 'until');
	// A grace time of an hour: whatever is waited out here would take longer than the test may.
	pool = new Pool({...poolOptions('grid-engine', directory.path), workDir, keepWorkDir: true, graceMs: 3_600_000, signal: ending.signal});
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
	await ending.end();
	vi.restoreAllMocks();
	directory.remove();
});

const journal = async (): Promise<readonly JournalLine[]> => (await readWorkDir(workDir)).journal;
const numNoted = async (event: JournalLine['event']): Promise<number> => (await journal()).filter(line => line.event === event).length;
const session = async (): Promise<string> => (await readWorkDir(workDir)).manifest.session;

/** Waits until the task runs; gives its processes. */
const untilStarted = async (numAttempts = 1): Promise<{pid: number; ppid: number}> => {
	const lines = await vi.waitUntil(
		() => {
			const found = existsSync(started) ? readFileSync(started, 'utf8').split('\n').slice(0, -1) : [];
			return found.length >= numAttempts && found;
		},
		{timeout: 60_000, interval: 100},
	);
	const [, pid, ppid] = (lines.at(-1) as string).split(' ').map(Number);
	return {pid: pid as number, ppid: ppid as number};
};

const SUMS = [
	[1, 2],
	[2, 3],
];

const UNBELIEVED: readonly [what: string, argument: string, reason: RegExp][] = [
	['directory', '-wd', /error: can't chdir to \/nonexistent: No such file or directory/],
	['shell', '-S', /unable to find shell "\/nonexistent"/],
];

/** Maps what goes into Eqw at every attempt. */
const mapIntoErrorState = async (options: PoolOptions, numAttempts: number, reason: RegExp): Promise<JournalLine[]> => {
	const error = await pool.map(work.sum, SUMS, {...options, numChunks: 2}).catch((thrown: unknown) => thrown);
	expect(error).toBeInstanceOf(MapError);
	const {failures} = error as MapError;
	expect(failures.map(({itask, kind, attempt}) => [itask, kind, attempt])).toEqual([
		[0, 'error-state', numAttempts],
		[1, 'error-state', numAttempts],
	]);
	for (const {message} of failures) {
		expect(message).toContain('Eqw');
		expect(message).toMatch(reason);
	}
	const noted = (await journal()).filter(({event}) => event === 'error-state');
	expect(noted).toHaveLength(2 * numAttempts);
	for (const line of noted) expect(line.reason).toMatch(reason);
	expect(await numNoted('submitted')).toBe(2 * numAttempts);
	expect(await numNoted('deleted')).toBe(2 * numAttempts);
	const name = await session();
	await untilGone(job => job.name.includes(name));
	expect((await untilAccounted(name, 2 * numAttempts)).size).toBe(2 * numAttempts);
	return noted;
};

test.each(UNBELIEVED)(
	'N2, N13: queue-jobs whose %s does not exist on one node go into Eqw; they are tried 1 + maxNumResubmissions times, and the reason is told',
	async (_, argument, reason) => {
		const noted = await mapIntoErrorState(
			{qsubArgs: [argument, '/nonexistent', '-l', `h=${await oneNode()}`], maxNumResubmissions: 2},
			3,
			reason,
		);
		expect(new Set(noted.map(({host}) => host)).size).toBe(1);
	},
);

test.each(UNBELIEVED)('queue-jobs whose %s exists on neither of two nodes are not tried any more', async (_, argument, reason) => {
	const noted = await mapIntoErrorState({qsubArgs: [argument, '/nonexistent'], maxNumResubmissions: 10}, 2, reason);
	expect(new Set(noted.map(({host}) => host)).size).toBe(2);
});

test('queue-jobs that ask for the error state themselves are tried 1 + maxNumResubmissions times, on whatever nodes', async () => {
	const nodePath = join(directory.path, 'node');
	writeFileSync(nodePath, '#!/bin/sh\nexit 100\n', {mode: 0o755});
	const noted = await mapIntoErrorState({nodePath, maxNumResubmissions: 2}, 3, /Eqw/);
	expect(new Set(noted.map(({host}) => host)).size).toBe(2);
});

test('N1: queue-jobs in Eqw are submitted again until what they need is there', async () => {
	const missing = join(directory.path, 'later');
	const options: PoolOptions = {qsubArgs: ['-wd', missing, '-l', `h=${await oneNode()}`], maxNumResubmissions: 100};
	const running = ending.watch(pool.map(work.sum, SUMS, options));
	await untilNoted(workDir, ({event}) => event === 'error-state');
	mkdirSync(missing);
	expect(await running).toEqual([3, 5]);
	const numErrors = await numNoted('error-state');
	expect(await numNoted('submitted')).toBe(2 + numErrors);
	expect(await numNoted('resubmitted')).toBe(numErrors);
	const name = await session();
	await untilGone(job => job.name.includes(name));
});

test('a held queue-job is waited for, and never submitted again', async () => {
	const running = ending.watch(pool.map(work.sum, SUMS, {qsubArgs: ['-h'], numChunks: 1}));
	const {jobId} = await untilNoted(workDir, ({rawState}) => rawState === 'hqw');
	await call('qrls', [jobId as string]);
	expect(await running).toEqual([3, 5]);
	expect(await numNoted('submitted')).toBe(1);
	expect(await numNoted('deleted')).toBe(0);
});

test('a suspended queue-job is waited for, and never submitted again', async () => {
	const running = ending.watch(pool.map(waitForFile, [{started, until}]));
	const {jobId} = await untilNoted(workDir, ({event, rawState}) => event === 'running' && rawState === 'r');
	await untilStarted();
	await call('qmod', ['-sj', jobId as string]);
	await untilNoted(workDir, ({rawState}) => rawState === 's');
	writeFileSync(until, '');
	await call('qmod', ['-usj', jobId as string]);
	expect(await running).toEqual([1]);
	expect(await numNoted('submitted')).toBe(1);
	expect(await numNoted('deleted')).toBe(0);
});

test('N7: a killed queue-job is explained by the accounting and submitted again, long before the grace time', async () => {
	const running = ending.watch(pool.mapSettled(waitForFile, [{started, until}]));
	const {pid, ppid} = await untilStarted();
	// The launcher became node: there is nothing between it and Grid Engine.
	expect(readFileSync(`/proc/${ppid}/comm`, 'utf8').trim()).toBe('sge_shepherd');
	process.kill(pid, 'SIGKILL');
	await untilStarted(2);
	writeFileSync(until, '');
	expect(await running).toMatchObject([{status: 'fulfilled', value: 2, attempt: 2}]);
	const lost = (await journal()).filter(({event}) => event === 'lost');
	expect(lost).toHaveLength(1);
	expect(lost[0]).toMatchObject({attempt: 1, reason: expect.stringContaining('killed by SIGKILL'), host: expect.any(String)});
});

test('a queue-job that takes longer than its h_rt allows fails with what the accounting says', async () => {
	// Node must have begun by then: an attempt that begins no task would not count for it.
	const options: PoolOptions = {qsubArgs: ['-l', 'h_rt=0:0:12'], maxNumResubmissions: 1};
	const [outcome] = await pool.mapSettled(waitForFile, [{started, until}], options);
	expect(outcome).toMatchObject({
		status: 'rejected',
		attempt: 2,
		reason: {kind: 'wall-time', message: expect.stringMatching(/h_rt.*2 attempts/)},
	});
	expect(await numNoted('submitted')).toBe(2);
});

test('an aborted map leaves no queue-job in the queue, running or waiting, and no process on the node', async () => {
	const controller = new AbortController();
	const tasks = [0, 1].map(() => ({started, until}));
	const running = ending.watch(pool.map(waitForFile, tasks, {signal: controller.signal, numChunks: 2}));
	const held = new Pool({...poolOptions('grid-engine', directory.path), workDir: `${workDir} 2`, qsubArgs: ['-h']});
	const waiting = ending.watch(held.map(waitForFile, tasks, {signal: controller.signal}));
	const {pid} = await untilStarted(2);
	await untilNoted(`${workDir} 2`, ({rawState}) => rawState === 'hqw');
	const names = [await session(), (await readWorkDir(`${workDir} 2`)).manifest.session];
	controller.abort(new Error('enough'));
	await expect(running).rejects.toThrow('enough');
	await expect(waiting).rejects.toThrow('enough');
	await untilGone(job => names.some(name => job.name.includes(name)));
	await vi.waitUntil(() => !existsSync(`/proc/${pid}`), {timeout: 90_000, interval: 200});
});
