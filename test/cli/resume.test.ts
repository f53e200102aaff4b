/** `qmr resume`: goes on with a map whose process has ended. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {readQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {makeKeptMap, makeKeptProject} from '../helpers/kept-map.js';
import {makeMappingProgram} from '../helpers/mapping-programs.js';
import {runQmr} from '../helpers/qmr.js';

const KILLED = {code: null, signal: 'SIGKILL'};

describe('V8: qmr resume', () => {
	test('computes the rest of a map whose process was killed, keeps the results, and ends with 0', async () => {
		const program = makeMappingProgram({whenProgress: 'if (done >= 2) die();', state: {maxRunning: 1}});
		expect(await program.start().ended).toEqual(KILLED);
		const {exitCode, stdout, stderr} = await runQmr(['resume', program.workDir], {cwd: program.directory});
		expect([exitCode, stdout]).toEqual([0, `All 6 tasks have a result: qmr results ${program.workDir}\n`]);
		expect(stderr).toContain('6 of 6 done');
		expect([program.calls().qsub, program.computed().length, existsSync(program.workDir)]).toEqual([6, 6, true]);
	});

	test('with --detach it submits, and leaves; the map is gone on with later', async () => {
		const program = makeMappingProgram({whenProgress: 'die();', state: {maxRunning: 1}, options: {submitConcurrency: 1}});
		expect(await program.start().ended).toEqual(KILLED);
		const left = await runQmr(['resume', program.workDir, '--detach', '--json'], {cwd: program.directory});
		expect([left.exitCode, JSON.parse(left.stdout)]).toMatchObject([0, {workDir: program.workDir, detached: true}]);
		const again = await runQmr(['resume', program.workDir, '--json'], {cwd: program.directory});
		expect([again.exitCode, JSON.parse(again.stdout)]).toMatchObject([0, {numTasks: 6, numFailed: 0, numOpen: 0, detached: false}]);
		expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
	});

	test('tells failures as qmr errors does, and ends with 1', async () => {
		const kept = await makeKeptMap('local');
		const {exitCode, stdout} = await kept.qmr(['resume', kept.workDir]);
		expect([exitCode, stdout]).toEqual([1, expect.stringContaining('2 of 10 tasks have failed, all alike.')]);
		expect(stdout).toContain(`qmr rerun ${kept.workDir}`);
	});

	test('refuses what is none of its business, before anything is submitted', async () => {
		const kept = await makeKeptMap('local');
		const refusals = [
			[[], "missing required argument 'dir'"],
			[[kept.directory], 'has no run.json'],
			[['2020'], 'neither a directory nor the beginning of a session'],
			[[kept.workDir, '--engine', 'slurm'], "unknown option '--engine'"],
			[[kept.workDir, '--detach'], 'processes of this machine'],
			[[kept.workDir, '--grace-ms', 'x'], 'Expected `graceMs`'],
		] as const;
		for (const [args, words] of refusals) {
			const {exitCode, stdout, stderr} = await kept.qmr(['resume', ...args]);
			expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringContaining(words)]);
		}
		expect((await kept.qmr(['resume', '--help'])).stdout).toMatch(/Examples:[\s\S]*--detach/);
	});
});

describe('of a rerun', () => {
	test('that was killed in the middle, qmr rerun refuses what may still be computed, and qmr resume of the rerun ends it', async () => {
		const kept = await makeKeptMap('dummy');
		const queueDir = kept.queue?.directory as string;
		const program = makeProgramThatReruns(kept.directory, kept.workDir);
		expect(await program).toEqual(KILLED);
		const {numQsubs} = {numQsubs: readQueueState(queueDir).calls.qsub};
		expect(numQsubs).toBe(12);
		kept.touch('mended');
		const refused = await kept.qmr(['rerun', kept.workDir]);
		const goOn = `qmr resume ${join(kept.workDir, 'rerun.1')}`;
		expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining(goOn)]);
		// Not the first map: that has ended, and going on with it does nothing for these tasks.
		for (const look of [['status'], ['show', '3']] as const) {
			const [command, ...words] = look;
			expect([look, (await kept.qmr([command, kept.workDir, ...words])).stdout]).toEqual([
				look,
				expect.stringContaining(`To go on: ${goOn}\n`),
			]);
		}
		// Another task is nobody's.
		await kept.qmr(['rerun', kept.workDir, '0']);
		const resumed = await kept.qmr(['resume', join(kept.workDir, 'rerun.1')]);
		expect(resumed.exitCode).toBe(0);
		expect(readQueueState(queueDir).calls.qsub).toBe(numQsubs + 1);
		const {tasks} = await readWorkDir(kept.workDir);
		expect(tasks.map(({state, rerun}) => `${state} ${rerun ?? ''}`)).toEqual([
			...['done 2', 'done ', 'done ', 'done 1', 'done ', 'done ', 'done ', 'done 1', 'done ', 'done '],
		]);
		// It stays with the map that it is a part of.
		expect(existsSync(join(kept.workDir, 'rerun.1', 'run.json'))).toBe(true);
	});
});

/** Its queue-jobs are submitted, and then it is killed. */
const makeProgramThatReruns = async (cwd: string, workDir: string): Promise<{code: number | null; signal: NodeJS.Signals | null}> => {
	const {runNode} = await import('../helpers/programs.js');
	const text = `import {Pool} from 'queue-map-reduce';
await Pool.rerun(${JSON.stringify(workDir)});
process.kill(process.pid, 'SIGKILL');`;
	const {code, signal} = await runNode(['--input-type=module', '-e', text], {cwd});
	return {code, signal};
};

test('a path without a map can be neither gone on with nor computed again', async () => {
	const nothing = join(makeKeptProject('local').directory, 'nothing');
	for (const attempt of [Pool.rerun(nothing), Pool.resume(nothing)]) await expect(attempt).rejects.toMatchObject({code: 'ERR_POOL_RESUME'});
});
