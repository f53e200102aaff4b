/** What goes wrong in a queue, on the dummy queue, where it can be made to. Every test asserts that its fault was seen. */
import {existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, watch} from 'node:fs';
import {join} from 'node:path';
import {MapError, Pool, PoolError, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {
	createForeignJob,
	type DummyQueue,
	type Fault,
	initQueueState,
	readQueueState,
	updateQueueState,
} from 'queue-map-reduce/dummy-queue';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import * as work from '../fixtures/work.mjs';
import {catchStderr} from '../helpers/caught-stderr.js';
import {createTestDirectory, keptWorkDirs} from '../helpers/engines.js';

let directory: ReturnType<typeof createTestDirectory>;
let queue: DummyQueue;
let options: PoolOptions;
let pool: Pool;
const said = catchStderr();

beforeEach(() => {
	directory = createTestDirectory();
	queue = initQueueState(join(directory.path, 'queue'));
	options = {...queue, workRoot: join(directory.path, 'work'), pollingIntervalMs: 50, graceMs: 300};
	pool = new Pool(options);
});
afterEach(() => {
	directory.remove();
});

const setFaults = (...faults: Fault[]): void => updateQueueState(queue.directory, state => void state.faults.push(...faults));
const numSeen = (): number[] => readQueueState(queue.directory).faults.map(({seen = 0}) => seen);
const calls = (): Record<string, number> => readQueueState(queue.directory).calls;
const jobsLeft = (): number => readQueueState(queue.directory).jobs.filter(({foreign}) => !foreign).length;
const thrownBy = async (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => undefined,
		(error: unknown) => error,
	);
const journalOf = async (): Promise<string[]> =>
	(await readWorkDir(keptWorkDirs(options.workRoot as string)[0] as string)).journal.map(line => JSON.stringify(line));

/** After so long a program that hangs is killed. Longer than a qstat of the dummy queue takes, which starts a queue-job and waits for its end. */
const HANG_MS = 6000;

const SUMS = [
	[1, 2],
	[2, 3],
	[4, 5],
];

test('Q15, Q16, P3, A8: a chunk that enters an error state 5 times is deleted and submitted again 5 times', async () => {
	setFaults({kind: 'error-state', jobName: '#000000013.', times: 5, reason: 'no particular reason'});
	const tasks = Array.from({length: 30}, () => Array.from({length: 100}, (_, i) => i));
	expect(await pool.map(work.sum, tasks, {keepWorkDir: true})).toEqual(Array(30).fill(4950));
	expect(numSeen()).toEqual([5]);
	expect(calls()).toMatchObject({qsub: 35, qdel: 5});
	const {journal, tasks: records} = await readWorkDir(keptWorkDirs(options.workRoot as string)[0] as string);
	expect(journal.filter(({event}) => event === 'resubmitted').map(({ichunk, message}) => [ichunk, message])).toEqual(
		[1, 2, 3, 4, 5].map(n => [13, `Resubmitting ${n} of 10`]),
	);
	expect(records[13]?.attempts).toHaveLength(6);
	expect(records[12]?.attempts).toHaveLength(1);
	expect(jobsLeft()).toBe(0);
});

test('W1, N1: a map whose only queue-job is in an error state waits for the next', async () => {
	setFaults({kind: 'error-state', times: 1, reason: 'once'});
	expect(await pool.map(work.sum, [[1, 2]])).toEqual([3]);
	expect(numSeen()).toEqual([1]);
	expect(jobsLeft()).toBe(0);
});

test('W16, W18, P2, N2, N13: a chunk that is always in an error state fails after 1 + maxNumResubmissions attempts, with the reason of qstat -j', async () => {
	const reason = 'unable to find shell "/nonexistent/python"';
	setFaults({kind: 'error-state', jobName: '#000000000.', times: 99, reason});
	const error = (await thrownBy(pool.map(work.identity, [...Array(12).keys()], {maxNumResubmissions: 2}))) as MapError;
	expect(error).toBeInstanceOf(MapError);
	expect(numSeen()).toEqual([3]);
	expect(calls()).toMatchObject({qsub: 14, qdel: 3});
	expect(error.failures).toHaveLength(1);
	expect(error.failures[0]).toMatchObject({itask: 0, kind: 'error-state', attempt: 3, message: expect.stringContaining(reason)});
	expect(error.results.slice(1)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
	expect((await journalOf()).filter(line => line.includes('"error-state"') && line.includes('nonexistent/python'))).not.toHaveLength(0);
	expect(jobsLeft()).toBe(0);
});

test('W2, N3: a qdel that fails decides nothing', async () => {
	setFaults(
		{kind: 'error-state', times: 1, reason: 'once'},
		{kind: 'fail', program: 'qdel', exitCode: 1, stdout: 'denied: job "1" does not exist\n', times: 1},
	);
	expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1, 1]);
});

test('W3, N4: a program that does not exist is named before anything is written', async () => {
	const error = await thrownBy(pool.map(work.sum, SUMS, {qstatPath: '/nonexistent/qstat'}));
	expect(error).toBeInstanceOf(PoolError);
	expect(error).toMatchObject({code: 'ERR_POOL_PROGRAM_MISSING', message: expect.stringContaining('/nonexistent/qstat')});
	expect(existsSync(options.workRoot as string)).toBe(false);
	expect(calls().qsub).toBe(0);
});

test('a program that vanishes while a map runs ends the map, and its queue-jobs are removed', async () => {
	const running = pool.map(work.sum, SUMS, {
		onProgress: () => updateQueueState(queue.directory, () => undefined),
		qstatPath: '/bin/false',
		outageLimitMs: 200,
	});
	expect(await thrownBy(running)).toMatchObject({code: 'ERR_POOL_OUTAGE', message: expect.stringContaining('exit status 1')});
	expect(jobsLeft()).toBe(0);
});

test('W4, N5: warnings on stderr are no news', async () => {
	const stderr = 'warning: something\n';
	setFaults(
		{kind: 'warning', program: 'qstat', stderr, times: 3},
		{kind: 'warning', program: 'qsub', stderr: 'Unable to run job: warning: root’s job is not allowed to run in any queue\n', times: 1},
	);
	expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([3, 1]);
	expect(calls().qsub).toBe(3);
});

test('W5, N6: an empty listing, and results that come later than their queue-jobs leave, cause no resubmission within the grace time', async () => {
	setFaults({kind: 'stale-list', program: 'qstat', after: 1, times: 2}, {kind: 'late-files', polls: 4, times: 3});
	expect(await pool.map(work.sum, SUMS, {graceMs: 20_000})).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([2, 3]);
	expect(calls().qsub).toBe(3);
});

test('a queue-job that vanishes without a result is submitted again after the grace time', async () => {
	setFaults({kind: 'vanish', jobName: '#000000001.1', times: 1});
	expect(await pool.map(work.sum, SUMS, {keepWorkDir: true, avoidHosts: false})).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1]);
	expect(calls()).toMatchObject({qsub: 4});
	expect((await journalOf()).filter(line => line.includes('"lost"'))).toHaveLength(1);
});

test('a queue-job that was killed is explained by the accounting and submitted again without the grace time', async () => {
	setFaults({kind: 'kill', jobName: '#000000001.1', times: 1});
	expect(await pool.map(work.sum, SUMS, {keepWorkDir: true, qacctPath: queue.qacctPath, graceMs: 3_600_000})).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1]);
	expect((await journalOf()).find(line => line.includes('"lost"'))).toContain('SIGKILL');
});

test.each<[string, Fault]>([
	['fails', {kind: 'fail', program: 'qstat', exitCode: 1, stderr: 'error: unable to send message to qmaster\n', times: 4}],
	['prints nothing', {kind: 'output', program: 'qstat', stdout: '', times: 4}],
	['prints garbage', {kind: 'output', program: 'qstat', stdout: '<job_info><queue_info></job_info>', times: 4}],
	['prints another document', {kind: 'output', program: 'qstat', stdout: '<html/>', times: 4}],
	['prints half of its XML', {kind: 'cut-output', program: 'qstat', bytes: -200, times: 4}],
	['prints all but the end of its XML', {kind: 'cut-output', program: 'qstat', bytes: -12, times: 4}],
])('a qstat that %s is no evidence about any queue-job', async (_, fault) => {
	setFaults(fault);
	expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([4]);
	expect(calls().qsub).toBe(3);
	expect(said()).toContain('the queue does not answer');
	expect(said()).toContain('over after');
});

test('Q30: a qstat that hangs is killed after programTimeoutMs and asked again', async () => {
	setFaults({kind: 'hang', program: 'qstat', times: 1});
	expect(await pool.map(work.sum, SUMS, {programTimeoutMs: HANG_MS})).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1]);
	expect(calls().qsub).toBe(3);
});

test('Q30, W3: a qstat that never works again ends the map after outageLimitMs; what was finished is kept', async () => {
	setFaults({kind: 'fail', program: 'qstat', exitCode: 1, stderr: 'error: got send error\n', times: 10_000});
	const error = await thrownBy(pool.map(work.sum, SUMS, {outageLimitMs: 300}));
	expect(error).toMatchObject({code: 'ERR_POOL_OUTAGE', message: expect.stringContaining('got send error')});
	expect((error as PoolError).workDir).toBe(keptWorkDirs(options.workRoot as string)[0]);
	expect(jobsLeft()).toBe(0);
});

test('C6, N14: a qsub that reaches a job limit once is tried again', async () => {
	setFaults({
		kind: 'fail',
		program: 'qsub',
		after: 1,
		times: 2,
		exitCode: 25,
		stderr: 'Unable to run job: job rejected: Only 1 jobs are allowed per user.\n',
	});
	expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([2]);
});

test.each<['nothing' | 'done']>([['nothing'], ['done']])(
	'N14: a qsub without an answer, with the effect "%s", leaves no queue-job twice and none behind',
	async effect => {
		setFaults({
			kind: 'fail',
			program: 'qsub',
			after: 1,
			times: 1,
			exitCode: 1,
			stderr: 'Unable to run job: got send timeout.\nExiting.\n',
			effect,
		});
		expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
		expect(numSeen()).toEqual([1]);
		// Found by its name when it was queued, else submitted as the next attempt.
		expect(calls().qsub).toBe(effect === 'done' ? 3 : 4);
		expect(jobsLeft()).toBe(0);
	},
);

test('a qsub that hangs after the queue took its queue-job is killed, and the queue-job is found by its name', async () => {
	setFaults({kind: 'hang', program: 'qsub', times: 1, effect: 'done'});
	expect(await pool.map(work.sum, SUMS, {programTimeoutMs: HANG_MS})).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1]);
	expect(calls().qsub).toBe(3);
});

test.each([
	['is full of others', 25, 'Unable to run job: limit.'],
	['has no master', 1, 'error: unable to send message to qmaster: got send error'],
])('N14: a queue that %s for ever ends the map, and what it took before is removed', async (_, exitCode, stderr) => {
	setFaults({kind: 'fail', program: 'qsub', after: 1, times: 10_000, exitCode, stderr: `${stderr}\n`});
	const error = await thrownBy(pool.map(work.sum, SUMS, {outageLimitMs: 100}));
	expect(error).toMatchObject({code: 'ERR_POOL_OUTAGE', message: expect.stringContaining(stderr)});
	expect(jobsLeft()).toBe(0);
});

test('C6: a queue that is full of our own queue-jobs is no outage, however long', async () => {
	setFaults(
		{kind: 'state', jobName: '#000000000.', rawState: 's', polls: 30, times: 1},
		{kind: 'fail', program: 'qsub', after: 1, times: 4, exitCode: 25, stderr: 'Only 1 jobs are allowed per user\n'},
	);
	expect(await pool.map(work.sum, SUMS, {outageLimitMs: 1})).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1, 4]);
	expect(said()).not.toContain('takes no queue-jobs');
});

test('qsub calls that are never answered are an outage, and cost a chunk none of its attempts', async () => {
	setFaults({kind: 'hang', program: 'qsub', times: 3});
	expect(await pool.map(work.sum, [[1, 2]], {programTimeoutMs: HANG_MS, maxNumResubmissions: 0, graceMs: 50})).toEqual([3]);
	expect(numSeen()).toEqual([3]);
	expect(said()).toContain('the scheduler takes no queue-jobs');
});

test('when a map ends, queue-jobs that a failed qdel has left are removed all the same', async () => {
	setFaults(
		{kind: 'error-state', jobName: '#000000001.1', times: 1, reason: 'once'},
		{kind: 'fail', program: 'qdel', exitCode: 1, stdout: 'error: Connection refused\n', times: 1},
	);
	expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1, 1]);
	expect(jobsLeft()).toBe(0);
});

test('queue-jobs that can’t be removed are named, and the work_dir is kept', async () => {
	setFaults(
		{kind: 'error-state', jobName: '#000000001.1', times: 1, reason: 'once'},
		{kind: 'fail', program: 'qdel', exitCode: 1, stdout: 'error: Connection refused\n', times: 10_000},
	);
	expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
	expect(said()).toContain('may be left in the queue');
	expect(keptWorkDirs(options.workRoot as string)).toHaveLength(1);
});

test('a work_dir that is away for a moment is waited for; one that stays away ends the map in words', async () => {
	const workDir = join(directory.path, 'work_dir');
	const haveBeenQueued = (count: number) => (): boolean => readQueueState(queue.directory).nextJobId > count;
	const running = pool.map(work.sum, SUMS, {workDir, graceMs: 30_000});
	await vi.waitUntil(haveBeenQueued(3), {interval: 5, timeout: 90_000});
	renameSync(workDir, `${workDir}.away`);
	await vi.waitUntil(() => said().includes("can't be read or written"), {interval: 5, timeout: 90_000});
	renameSync(`${workDir}.away`, workDir);
	expect(await running).toEqual([3, 5, 9]);

	const second = pool.map(work.sum, SUMS, {workDir, graceMs: 100});
	const outcome = thrownBy(second);
	await vi.waitUntil(haveBeenQueued(6), {interval: 5, timeout: 90_000});
	rmSync(workDir, {recursive: true});
	expect(await outcome).toMatchObject({code: 'ERR_POOL_WORK_DIR', message: expect.stringContaining('is gone')});
	expect(jobsLeft()).toBe(0);
});

test('a queue-job that the scheduler refuses for good ends the map at once, in the scheduler’s words', async () => {
	setFaults({
		kind: 'fail',
		program: 'qsub',
		after: 1,
		times: 1,
		exitCode: 1,
		stderr: 'Unable to run job: unknown resource "x".\nExiting.\n',
	});
	const error = await thrownBy(pool.map(work.sum, SUMS));
	expect(error).toMatchObject({code: 'ERR_POOL_SUBMIT_REJECTED', message: expect.stringContaining('unknown resource "x"')});
	expect(numSeen()).toEqual([1]);
	expect(jobsLeft()).toBe(0);
});

test.each(['hqw', 's', 'T', 'Zq'])('Q14, P7, P8: a queue-job in the state %s is waited for', async rawState => {
	setFaults({kind: 'state', jobName: '#000000001.', rawState, polls: 8, times: 1});
	expect(await pool.map(work.sum, SUMS, {keepWorkDir: true})).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1]);
	expect(calls()).toMatchObject({qsub: 3, qdel: 0});
	expect((await journalOf()).filter(line => line.includes(`"rawState":"${rawState}"`))).toHaveLength(1);
});

test('a queue-job that somebody deletes is not brought back, also when it stays in the state dr', async () => {
	setFaults({kind: 'state', jobName: '#000000001.', rawState: 'dr', polls: 1_000_000, times: 1});
	const error = await thrownBy(pool.map(work.sum, SUMS, {graceMs: 100}));
	expect(error).toMatchObject({failures: [{itask: 1, kind: 'deleted'}]});
	expect(numSeen()).toEqual([1]);
	expect(calls()).toMatchObject({qsub: 3});
});

test('a queue-job in the state dr whose result comes within the grace time has brought it', async () => {
	setFaults({kind: 'state', jobName: '#000000001.', rawState: 'dr', polls: 8, times: 1});
	expect(await pool.map(work.sum, SUMS, {graceMs: 60_000})).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1]);
	expect(calls()).toMatchObject({qsub: 3, qdel: 0});
});

test('W15: a deleted queue-job that stays listed as dEqw is not counted again', async () => {
	setFaults({kind: 'error-state', jobName: '#000000000.1', times: 1, reason: 'once'}, {kind: 'linger', polls: 6, times: 1});
	expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
	expect(numSeen()).toEqual([1, 1]);
	expect(calls()).toMatchObject({qsub: 4, qdel: 1});
});

test('W14, X13, A12a, A12: queue-jobs of others are never touched, whatever they are called', async () => {
	setFaults({kind: 'error-state', jobName: '#000000000.1', times: 1, reason: 'ours'});
	updateQueueState(queue.directory, state => {
		state.listsAllUsers = true;
	});
	const running = pool.map(work.sum, SUMS);
	const ourName = await vi.waitUntil(() => readQueueState(queue.directory).jobs[0]?.JB_name, {interval: 10, timeout: 90_000});
	updateQueueState(queue.directory, state => {
		for (const rawState of ['Eqw', 'r']) {
			state.jobs.push(
				createForeignJob({
					JB_job_number: state.nextJobId++,
					JB_name: ourName,
					phase: rawState === 'r' ? 'running' : 'pending',
					state: rawState,
				}),
			);
		}
	});
	expect(await running).toEqual([3, 5, 9]);
	const foreign = readQueueState(queue.directory).jobs.filter(job => job.foreign);
	expect(foreign).toHaveLength(2);
	expect(foreign.every(job => (job.numDeleteAttempts ?? 0) === 0)).toBe(true);
});

test('W20, X2, N10: a result file that was emptied is no result: the chunk is computed again, and the damaged file stays', async () => {
	const workDir = join(directory.path, 'the-work_dir');
	let hasDamaged = false;
	const running = pool.map(work.sum, SUMS, {workDir, keepWorkDir: true, graceMs: 100});
	const damage = (): void => {
		const path = join(workDir, '000000001.1.out');
		if (hasDamaged || !existsSync(path)) return;
		truncateSync(path, 0);
		hasDamaged = true;
	};
	// At the moment that the file appears, before the process-node looks.
	const until = setInterval(() => {
		if (!existsSync(workDir)) return;
		clearInterval(until);
		const watcher = watch(workDir, damage);
		damage();
		void running.finally(() => watcher.close());
	}, 1);
	expect(await running).toEqual([3, 5, 9]);
	expect(hasDamaged).toBe(true);
	expect(readdirSync(workDir)).toEqual(expect.arrayContaining(['000000001.1.damaged', '000000001.2.out']));
});

test('W17, N12: attempts share no output, and what a failed one wrote to stderr does not count', async () => {
	const tasks = [0, 1].map(() => ({itask: 1, times: 1}));
	expect(await pool.map(work.complainAndDie, tasks, {keepWorkDir: true, avoidHosts: false})).toEqual([0, 1]);
	const [workDir] = keptWorkDirs(options.workRoot as string) as [string];
	expect(said()).toContain('is kept, for `keepWorkDir` is set');
	expect([1, 2].map(attempt => readFileSync(join(workDir, `000000001.${attempt}.e`), 'utf8'))).toEqual(['last words\n', '']);
});

test.each(['posix_compliant', 'unix_behavior', 'script_from_stdin'] as const)(
	'W11: the launcher works in a queue whose shell_start_mode is %s',
	async shellStartMode => {
		updateQueueState(queue.directory, state => {
			state.shellStartMode = shellStartMode;
		});
		expect(await pool.map(work.sum, SUMS)).toEqual([3, 5, 9]);
	},
);
