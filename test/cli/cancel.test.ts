/** `qmr cancel`: no queue-job of a map stays in the queue, whoever works in its work_dir. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {createForeignJob, readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test, vi} from 'vitest';
import {functionOf, type KeptMap, makeKeptMap, makeKeptProject} from '../helpers/kept-map.js';
import {type MappingProgram, makeMappingProgram, until} from '../helpers/mapping-programs.js';
import {runQmr} from '../helpers/qmr.js';

const cancel = (program: MappingProgram, args: readonly string[] = []) =>
	runQmr(['cancel', program.workDir, ...args], {cwd: program.directory});

/** So many queue-jobs run and never end; the others wait. */
const NEVER_ENDING = {maxRunning: 2, faults: [{kind: 'state', rawState: 'r', polls: 100_000, times: 2}]} as const;

describe('while its process lives', () => {
	test('qmr cancel has it end its map: nothing is left or submitted again, and the program hears why', async () => {
		const program = makeMappingProgram({
			state: {...NEVER_ENDING, faults: [...NEVER_ENDING.faults]},
			program: "await new Pool(options).map(double, tasks, {workDir: 'run'}).catch(error => console.log(error.code));",
		});
		const mapping = program.start();
		await until(() => program.jobsLeft() === 6);
		const {exitCode, stdout, stderr} = await cancel(program, ['--json']);
		expect([exitCode, stderr]).toEqual([0, expect.stringContaining('it is asked to end its map')]);
		const [cancelled] = JSON.parse(stdout);
		expect(cancelled).toMatchObject({workDir: program.workDir, how: 'by-its-process'});
		expect(cancelled.removed).toHaveLength(6);
		expect([await mapping.ended, mapping.stdout(), program.jobsLeft()]).toEqual([{code: 0, signal: null}, 'ERR_POOL_CANCELLED\n', 0]);
		expect(program.calls().qsub).toBe(6);
		const states = (await readWorkDir(program.workDir)).tasks.map(({outcome}) =>
			outcome?.status === 'rejected' ? outcome.kind : undefined,
		);
		expect(states).toEqual(new Array(6).fill('cancelled'));
	});

	test('in the middle of the submission nothing more is submitted', async () => {
		const program = makeMappingProgram({
			state: {...NEVER_ENDING, faults: [...NEVER_ENDING.faults]},
			options: {maxQueuedJobs: 3},
			program: "await new Pool(options).map(double, tasks, {workDir: 'run'}).catch(error => console.log(error.code));",
		});
		const mapping = program.start();
		await until(() => program.jobsLeft() === 3);
		expect((await cancel(program)).exitCode).toBe(0);
		await mapping.ended;
		expect([program.calls().qsub, program.jobsLeft(), mapping.stdout()]).toEqual([3, 0, 'ERR_POOL_CANCELLED\n']);
	});
});

describe('when its process is gone', () => {
	const leave = async (): Promise<MappingProgram> => {
		const program = makeMappingProgram({
			whenProgress: 'if (running > 0) die();',
			state: {...NEVER_ENDING, faults: [...NEVER_ENDING.faults]},
		});
		expect(await program.start().ended).toEqual({code: null, signal: 'SIGKILL'});
		return program;
	};

	test('qmr cancel removes its queue-jobs, notes it, and leaves what is called like one of them but is not', async () => {
		const program = await leave();
		const before = program.jobsLeft();
		expect(before).toBeGreaterThan(1);
		const {session} = (await readWorkDir(program.workDir)).manifest;
		// The scheduler has begun its numbers anew: what now has that of a queue-job of ours is another's.
		const [renamed] = readQueueState(program.queue.directory).jobs;
		const stray = `q${session}#000000000.9`;
		updateQueueState(program.queue.directory, state => {
			for (const job of state.jobs) if (job.JB_job_number === renamed?.JB_job_number) job.JB_name = 'thesis';
			state.jobs.push(createForeignJob({JB_job_number: 9999, JB_name: stray, JB_owner: renamed?.JB_owner ?? ''}));
		});
		const {exitCode, stdout, stderr} = await cancel(program);
		expect([exitCode, stderr]).toEqual([0, expect.stringContaining('9999 are called like queue-jobs of')]);
		expect(stdout).toContain('was cancelled');
		expect(readQueueState(program.queue.directory).jobs.map(({JB_name}) => JB_name)).toEqual(['thesis', stray]);
		expect(program.journal()).toContain('"event":"ended"');
	});

	test('twice is as once, and qmr resume goes on with the rest', async () => {
		const program = await leave();
		const {exitCode, stdout} = await cancel(program);
		expect([exitCode, stdout, program.jobsLeft()]).toEqual([0, expect.stringContaining('was cancelled'), 0]);
		const journal = program.journal();
		const again = await cancel(program);
		expect([again.exitCode, again.stdout]).toEqual([0, `${program.workDir} had ended: nothing was to be removed.\n`]);
		expect(program.journal()).toBe(journal);
		updateQueueState(program.queue.directory, state => {
			state.faults = [];
		});
		const resumed = await runQmr(['resume', program.workDir], {cwd: program.directory});
		expect([resumed.exitCode, resumed.stdout]).toEqual([0, `All 6 tasks have a result: qmr results ${program.workDir}\n`]);
		expect(existsSync(program.workDir)).toBe(true);
	});

	test('says so when the queue does not answer, and removes nothing blindly', async () => {
		const program = await leave();
		const before = program.jobsLeft();
		updateQueueState(program.queue.directory, state => {
			state.faults = [{kind: 'fail', program: 'qstat', exitCode: 1, stderr: 'no master', times: 1000}];
		});
		const {exitCode, stdout, stderr} = await cancel(program);
		expect([exitCode, stdout, program.jobsLeft()]).toEqual([1, '', before]);
		expect(stderr).toContain('The queue does not say');
	});
});

describe('of a map with reruns', () => {
	const startRerun = async (kept: KeptMap): Promise<Awaited<ReturnType<typeof Pool.rerun>>> => {
		kept.touch('wait');
		vi.spyOn(process.stderr, 'write').mockReturnValue(true);
		return Pool.rerun(kept.workDir);
	};

	test('the rerun that runs is cancelled, too', async () => {
		const kept = await makeKeptMap('local');
		const run = await startRerun(kept);
		await vi.waitUntil(() => kept.computed().length > 10, {timeout: 90_000, interval: 20});
		const [cancelled, outcome] = await Promise.all([
			kept.qmr(['cancel', kept.workDir, '--json']),
			run.results().catch((error: unknown) => error),
		]);
		vi.restoreAllMocks();
		expect(cancelled.exitCode).toBe(0);
		expect(JSON.parse(cancelled.stdout)).toMatchObject([
			{workDir: join(kept.workDir, 'rerun.1'), how: 'by-its-process'},
			{workDir: kept.workDir, how: 'had-ended'},
		]);
		expect(outcome).toMatchObject({code: 'ERR_POOL_CANCELLED'});
		// How they had failed says more than that they were cancelled.
		expect((await readWorkDir(kept.workDir)).tasks[3]).toMatchObject({state: 'failed', rerun: undefined, outcome: {kind: 'exception'}});
	});

	test('a rerun holds the first map: nobody else computes its tasks meanwhile', async () => {
		const kept = await makeKeptMap('local');
		const run = await startRerun(kept);
		const refused = await kept.qmr(['rerun', kept.workDir]);
		expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('belongs to another process')]);
		expect((await kept.qmr(['resume', kept.workDir])).exitCode).toBe(2);
		await run.cancel();
		vi.restoreAllMocks();
		expect(readFileSync(join(kept.directory, 'computed'), 'utf8')).not.toBe('');
		kept.touch('mended');
	});
});

test('what is no map is refused', async () => {
	const kept = makeKeptProject('local');
	const {exitCode, stderr} = await kept.qmr(['cancel', kept.directory]);
	expect([exitCode, stderr]).toEqual([2, expect.stringContaining('has no run.json')]);
	expect((await kept.qmr(['cancel'])).exitCode).toBe(2);
	expect((await kept.qmr(['cancel', '--help'])).stdout).toContain('Examples:');
	expect(functionOf(kept).name).toBe('tell');
});
