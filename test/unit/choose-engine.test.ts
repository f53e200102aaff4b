import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, relative} from 'node:path';
import {afterEach, beforeEach, describe, expect, onTestFinished, test} from 'vitest';
import {chooseEngine} from '../../src/choose-engine.js';
import {defaultSlots} from '../../src/engines/local.js';
import {PoolError} from '../../src/errors.js';
import type {PoolOptions} from '../../src/options.js';
import {makePrograms} from '../helpers/made-programs.js';
import {withVariables} from '../helpers/variables.js';

const GRID_ENGINE = {qsub: 'echo 7', qstat: 'echo "SGE 8.1.9"; echo "usage: qstat [options]"', qdel: 'exit 0'};
const TORQUE = {qsub: 'echo 7.server', qstat: 'echo "usage: qstat [-f] [-1] [-W site_specific] [-x]" >&2; exit 2', qdel: 'exit 0'};
const SLURM = {sbatch: 'echo 7', squeue: 'exit 0', scancel: 'exit 0'};

const pathBefore = process.env.PATH;
beforeEach(() => {
	process.env.PATH = '';
});
afterEach(() => {
	process.env.PATH = pathBefore;
});

/** Makes these programs the only ones on PATH. */
const putOnPath = <Name extends string>(programs: Readonly<Record<Name, string>>) => {
	// Their lines use programs of the shell alone: PATH holds no others.
	const made = makePrograms(programs);
	process.env.PATH = made.directory;
	return made;
};

const chosen = async (options: PoolOptions = {}): Promise<{name: string; why: string | undefined}> => {
	const {engine, why} = await chooseEngine(options);
	return {name: engine.name, why};
};

const refusal = async (options: PoolOptions = {}): Promise<PoolError> => {
	const error = await chooseEngine(options).then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(PoolError);
	return error as PoolError;
};

describe('what is on PATH decides', () => {
	test('a Grid Engine is used', async () => {
		const {paths} = putOnPath(GRID_ENGINE);
		expect(await chosen()).toEqual({name: 'grid-engine', why: `engine grid-engine, for ${paths.qsub} is on PATH`});
	});

	test('a Grid Engine beside another scheduler is used', async () => {
		putOnPath({...GRID_ENGINE, ...SLURM});
		expect((await chosen()).name).toBe('grid-engine');
	});

	test.each([
		['alone', SLURM],
		['with the qsub that it ships', {...TORQUE, ...SLURM}],
	])('a Slurm is used, %s', async (_, programs: Record<string, string>) => {
		const {paths} = putOnPath(programs);
		const why = `engine slurm, for ${paths.sbatch} is on PATH`;
		expect(await chosen()).toEqual({name: 'slurm', why});
		expect(await chosen({queueName: 'long'})).toEqual({name: 'slurm', why});
	});

	test('a Slurm without its scancel is told', async () => {
		putOnPath({sbatch: 'echo 7', squeue: 'exit 0'});
		expect(await refusal()).toMatchObject({code: 'ERR_POOL_PROGRAM_MISSING', message: expect.stringContaining('`scancelPath`')});
	});

	test('no scheduler means this machine, with so many slots', async () => {
		putOnPath({ls: 'exit 0'});
		const why = 'engine local, for no qsub and no sbatch is on PATH: computing on this machine, ';
		expect(await chosen()).toEqual({name: 'local', why: `${why}${defaultSlots()} queue-jobs at once`});
		expect(await chosen({slots: 7})).toEqual({name: 'local', why: `${why}7 queue-jobs at once`});
		delete process.env.PATH;
		expect((await chosen()).name).toBe('local');
	});

	test.each([
		['Torque', TORQUE, 'qsub'],
		['a qsub without qstat', {qsub: 'exit 0'}, 'qsub'],
		['a qsub whose qstat fails', {qsub: 'exit 0', qstat: 'exit 1'}, 'qsub'],
		['a qsub whose qstat is killed', {qsub: 'exit 0', qstat: 'kill -9 $$'}, 'qsub'],
	])('%s is refused with advice: never computed on the login node unasked', async (_, programs: Record<string, string>, named) => {
		const {paths} = putOnPath(programs);
		expect(await refusal()).toMatchObject({
			code: 'ERR_POOL_OPTION',
			message: `Expected a Grid Engine, a Slurm or no scheduler, got ${paths[named]} on PATH, which belongs to a scheduler that is not supported. To compute on this machine, pass {engine: 'local'}.`,
		});
	});

	test.each(['qdel'] as const)('a Grid Engine without its %s is told', async missing => {
		const {[missing]: _, ...others} = GRID_ENGINE;
		putOnPath(others);
		expect(await refusal()).toMatchObject({
			code: 'ERR_POOL_PROGRAM_MISSING',
			message: `Expected \`${missing}Path\` to be a program that can be executed, got "${missing}". Give its absolute path, or set PATH. To compute on this machine, pass {engine: 'local'}.`,
		});
	});

	test('the first on PATH that can be executed counts', async () => {
		const {directory} = makePrograms({other: 'exit 0'});
		mkdirSync(join(directory, 'qsub'));
		writeFileSync(join(directory, 'qstat'), 'no program', {mode: 0o644});
		symlinkSync('/nonexistent', join(directory, 'qdel'));
		const {directory: later, paths} = makePrograms(GRID_ENGINE);
		process.env.PATH = `/nonexistent::${directory}:${later}`;
		expect(await chosen()).toEqual({name: 'grid-engine', why: `engine grid-engine, for ${paths.qsub} is on PATH`});
	});
});

describe('options decide', () => {
	test('engine: local, whatever is on PATH, without a word', async () => {
		putOnPath(GRID_ENGINE);
		expect(await chosen({engine: 'local', queueName: 'short.q'})).toEqual({name: 'local', why: undefined});
	});

	test('engine: slurm, whatever is on PATH beside it, without a word', async () => {
		putOnPath({...GRID_ENGINE, ...SLURM});
		expect(await chosen({engine: 'slurm'})).toEqual({name: 'slurm', why: undefined});
	});

	test.each([
		['SLURM_CLUSTERS', 'big,small'],
		['SLURM_CLUSTERS', ' ALL'],
		['SBATCH_CLUSTERS', 'big,small'],
	])('several clusters in %s are refused: %s', async (name, value) => {
		putOnPath(SLURM);
		await withVariables({[name]: value}, async () => {
			expect(await refusal()).toMatchObject({
				code: 'ERR_POOL_OPTION',
				message: `Expected the environment variable ${name} to name one cluster of Slurm, got ${JSON.stringify(value)}. Set it to the one that is to compute, or unset it for the cluster of this host.`,
			});
			// Nobody asks them.
			expect(await chosen({engine: 'local'})).toMatchObject({name: 'local'});
		});
	});

	test('one cluster is as good as none', async () => {
		putOnPath(SLURM);
		expect(await withVariables({SLURM_CLUSTERS: 'small', SBATCH_CLUSTERS: 'big,huge'}, () => chosen())).toMatchObject({name: 'slurm'});
	});

	test('engine: slurm is never replaced by another', async () => {
		putOnPath(GRID_ENGINE);
		expect(await refusal({engine: 'slurm'})).toMatchObject({
			code: 'ERR_POOL_PROGRAM_MISSING',
			message: expect.stringContaining('`sbatchPath`'),
		});
	});

	test.each(['sbatchPath', 'squeuePath', 'scancelPath'] as const)('%s means Slurm', async name => {
		const {paths} = putOnPath({...GRID_ENGINE, ...SLURM});
		const value = {sbatchPath: paths.sbatch, squeuePath: paths.squeue, scancelPath: paths.scancel}[name];
		expect(await chosen({[name]: value})).toEqual({name: 'slurm', why: `engine slurm, for \`${name}\` is given`});
	});

	test('engine: grid-engine, whatever qstat says of itself, without a word', async () => {
		putOnPath(TORQUE);
		expect(await chosen({engine: 'grid-engine'})).toEqual({name: 'grid-engine', why: undefined});
	});

	test('engine: grid-engine is never replaced by this machine', async () => {
		putOnPath({});
		expect(await refusal({engine: 'grid-engine'})).toMatchObject({
			code: 'ERR_POOL_PROGRAM_MISSING',
			message: expect.stringContaining('`qsubPath`'),
		});
	});

	test.each(['queueName', 'qsubPath', 'qstatPath', 'qdelPath'] as const)('%s means Grid Engine', async name => {
		const {paths} = putOnPath(GRID_ENGINE);
		const value = {queueName: 'short.q', qsubPath: paths.qsub, qstatPath: paths.qstat, qdelPath: paths.qdel}[name];
		expect(await chosen({[name]: value})).toEqual({name: 'grid-engine', why: `engine grid-engine, for \`${name}\` is given`});
	});

	test.each(['qsubPath', 'qstatPath', 'qdelPath'] as const)('a %s that can’t be executed is named', async name => {
		putOnPath(GRID_ENGINE);
		for (const path of ['/nonexistent/program', '/etc/passwd', '/', 'nosuchprogram', './nosuch']) {
			const error = await refusal({[name]: path});
			expect(error).toMatchObject({
				code: 'ERR_POOL_PROGRAM_MISSING',
				message: expect.stringContaining(`Expected \`${name}\` to be a program that can be executed, got ${JSON.stringify(path)}.`),
			});
		}
	});

	test('qacctPath that is missing is no loss', async () => {
		putOnPath(GRID_ENGINE);
		expect((await chosen({qacctPath: '/nonexistent/qacct'})).name).toBe('grid-engine');
	});
});

describe('the programs that were found are used', () => {
	const submit = async (options: PoolOptions) => {
		const {engine} = await chooseEngine(options);
		return engine.submit([{name: 'a', script: '/launch.sh', scriptArguments: [], avoidHosts: [], resources: {}}]);
	};

	test('those that are given before those on PATH', async () => {
		putOnPath(GRID_ENGINE);
		const {paths} = makePrograms({mine: 'echo 8'});
		expect(await submit({qsubPath: paths.mine})).toEqual([{kind: 'submitted', id: '8'}]);
	});

	test('also when PATH or the option is relative and the program goes elsewhere', async () => {
		const directoryBefore = process.cwd();
		const elsewhere = mkdtempSync(join(tmpdir(), 'qmr-elsewhere-'));
		onTestFinished(() => {
			process.chdir(directoryBefore);
			rmSync(elsewhere, {recursive: true});
		});
		const {directory, paths} = putOnPath(GRID_ENGINE);
		process.env.PATH = relative(process.cwd(), directory);
		for (const options of [{}, {qsubPath: relative(process.cwd(), paths.qsub)}]) {
			const {engine} = await chooseEngine(options);
			process.chdir(elsewhere);
			expect(await engine.submit([{name: 'a', script: '/launch.sh', scriptArguments: [], avoidHosts: [], resources: {}}])).toEqual([
				{kind: 'submitted', id: '7'},
			]);
			process.chdir(directoryBefore);
		}
	});

	test('the accounting is asked only where it belongs to the qstat on PATH, or was given', async () => {
		const record = '==========\njobname a\nfailed 0\nexit_status 3\n';
		const qacct = `printf '${record.replaceAll('\n', '\\n')}'`;
		const {paths} = putOnPath({...GRID_ENGINE, qstat: 'exit 0', qacct});
		const explained = async (options: PoolOptions) =>
			(await chooseEngine({engine: 'grid-engine', ...options})).engine.explain({id: '7', name: 'a', state: 'ended', resources: {}});
		expect(await explained({})).toEqual({failed: true, reason: 'exit status 3'});
		expect(await explained({qstatPath: paths.qstat})).toBeUndefined();
		expect(await explained({qstatPath: paths.qstat, qacctPath: paths.qacct})).toEqual({failed: true, reason: 'exit status 3'});
	});

	test('Slurm’s scontrol is asked only where it belongs to the squeue on PATH, or was given', async () => {
		const record = 'JobId=7 JobName=a JobState=TIMEOUT ExitCode=0:15 TimeLimit=00:01:00';
		const {paths} = putOnPath({...SLURM, scontrol: `echo "${record}"`});
		const explained = async (options: PoolOptions) =>
			(await chooseEngine({engine: 'slurm', ...options})).engine.explain({id: '7', name: 'a', state: 'ended', resources: {}});
		expect(await explained({})).toMatchObject({kind: 'wall-time'});
		expect(await explained({squeuePath: paths.squeue})).toBeUndefined();
		expect(await explained({squeuePath: paths.squeue, scontrolPath: paths.scontrol})).toMatchObject({kind: 'wall-time'});
	});

	test('what waits is asked about only where qalter belongs to the qstat on PATH, or was given', async () => {
		const {paths} = putOnPath({...GRID_ENGINE, qstat: 'exit 0', qalter: 'echo "Job 7 waits for spring"'});
		const explained = async (options: PoolOptions) =>
			(await chooseEngine({engine: 'grid-engine', ...options})).engine.explain({id: '7', name: 'a', state: 'pending', resources: {}});
		expect(await explained({})).toEqual({failed: false, reason: 'waits for spring'});
		expect(await explained({qstatPath: paths.qstat})).toBeUndefined();
		expect(await explained({qstatPath: paths.qstat, qalterPath: paths.qalter})).toEqual({failed: false, reason: 'waits for spring'});
	});
});
