/** Maps whose process ends before its time, and what comes back to them. Programs are killed for real; every test sees its fault happen. */
import {spawnSync} from 'node:child_process';
import {appendFileSync, chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {MapError, Pool} from 'queue-map-reduce';
import {updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {catchStderr} from '../helpers/caught-stderr.js';
import {DOUBLED, type MappingProgram, makeMappingProgram, TASKS, until} from '../helpers/mapping-programs.js';

const said = catchStderr();

const thrownBy = async (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => undefined,
		(error: unknown) => error,
	);

const KILLED = {code: null, signal: 'SIGKILL'};

describe('after kill -9', () => {
	test('while polling, living queue-jobs are adopted and nothing is submitted or computed twice', async () => {
		const program = makeMappingProgram({whenProgress: 'if (running > 0) die();', state: {maxRunning: 2}});
		expect(await program.start().ended).toEqual(KILLED);
		expect(program.jobsLeft()).toBeGreaterThan(0);
		expect(await (await Pool.resume<number>(program.workDir)).results()).toEqual(DOUBLED);
		expect(program.calls().qsub).toBe(6);
		expect([...program.computed()].sort()).toEqual([0, 1, 2, 3, 4, 5]);
		expect(program.jobsLeft()).toBe(0);
		expect(existsSync(program.workDir)).toBe(false);
	});

	test('while reducing, finished work is read, not computed again', async () => {
		const program = makeMappingProgram({whenProgress: 'if (done >= 2) die();', state: {maxRunning: 2}});
		expect(await program.start().ended).toEqual(KILLED);
		const before = program.computed().length;
		expect(before).toBeGreaterThanOrEqual(2);
		const run = await Pool.resume<number>(program.workDir);
		expect(run.status().done).toBeGreaterThanOrEqual(2);
		expect(await run.results()).toEqual(DOUBLED);
		expect(program.computed()).toHaveLength(6);
		expect(program.calls().qsub).toBe(6);
	});

	test('when all was done but the end, the results are there and the queue is asked only for what may be left', async () => {
		const program = makeMappingProgram({whenProgress: 'if (done === total) die();'});
		expect(await program.start().ended).toEqual(KILLED);
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
	});

	test('between qsub and its answer, the queue-job is found by its name', async () => {
		const program = makeMappingProgram({insteadOfQsub: '"$QSUB" "$@"\nkill -9 $PPID', options: {submitConcurrency: 1}});
		expect(await program.start().ended).toEqual(KILLED);
		expect([program.calls().qsub, program.jobsLeft()]).toEqual([1, 1]);
		expect(program.journal()).not.toContain('"submitted"');
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length, program.jobsLeft()]).toEqual([6, 6, 0]);
	});

	test('before qsub had any effect, the chunk is submitted again after the grace time', async () => {
		const program = makeMappingProgram({insteadOfQsub: 'kill -9 $PPID', options: {submitConcurrency: 1}});
		expect(await program.start().ended).toEqual(KILLED);
		expect([program.calls().qsub, program.journal().includes('"submitting"')]).toEqual([0, true]);
		expect(await (await Pool.resume(program.workDir, {keepWorkDir: true})).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
	});

	test('while tasks were being written, the error says that nothing was submitted', async () => {
		const program = makeMappingProgram({
			program: "await new Pool(options).map(double, [1, 2, {get x() { return die(); }}], {workDir: 'run'});",
		});
		expect(await program.start().ended).toEqual(KILLED);
		const scratch = readdirSync(program.directory).find(name => name.startsWith('.run-')) as string;
		for (const path of ['run', scratch]) {
			const error = await thrownBy(Pool.resume(join(program.directory, path)));
			expect(error).toMatchObject({code: 'ERR_POOL_RESUME', message: expect.stringContaining('nothing was submitted')});
		}
		expect(program.calls().qsub).toBe(0);
	});

	test('of the process that resumed it, a third one goes on', async () => {
		const program = makeMappingProgram({
			program: `if (process.env.TIME === '2') { const run = await Pool.resume('run', {onProgress: ({done}) => { if (done >= 4) die(); }}); await run.results(); }
else await new Pool(options).map(double, tasks, {workDir: 'run', onProgress});`,
			whenProgress: 'if (done >= 2) die();',
			state: {maxRunning: 1},
		});
		expect(await program.start().ended).toEqual(KILLED);
		process.env.TIME = '2';
		const second = program.start();
		delete process.env.TIME;
		expect(await second.ended).toEqual(KILLED);
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
	});
});

test('a rerun of the same program goes on by the option `resume`', async () => {
	const program = makeMappingProgram({
		program:
			"const resume = process.env.RESUME; console.log(JSON.stringify(await new Pool(options).map(double, tasks, resume ? {resume} : {workDir: 'run', onProgress})));",
		whenProgress: 'if (done >= 2) die();',
	});
	expect(await program.start().ended).toEqual(KILLED);
	process.env.RESUME = 'run';
	const second = program.start();
	delete process.env.RESUME;
	expect({...(await second.ended), stderr: second.stderr()}).toMatchObject({code: 0});
	expect(JSON.parse(second.stdout())).toEqual(DOUBLED);
	expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
});

/** A map that was killed once two of its tasks were done. */
const leaveMap = async (): Promise<MappingProgram> => {
	const program = makeMappingProgram({whenProgress: 'if (done >= 2) die();', state: {maxRunning: 1}});
	expect(await program.start().ended).toEqual(KILLED);
	return program;
};

describe('a map that has ended', () => {
	test('gives the same results as often as it is resumed, the inputs of failures included, and submits nothing', async () => {
		const program = makeMappingProgram({
			program:
				"await new Pool(options).map(x => { if (x === 2) throw new RangeError('two'); return 2 * x; }, tasks, {workDir: 'run'}).catch(error => console.log(JSON.stringify([error.results, error.failures])));",
		});
		const mapping = program.start();
		expect(await mapping.ended).toEqual({code: 0, signal: null});
		const qsubs = program.calls().qsub;
		for (let time = 0; time < 2; time++) {
			const error = (await thrownBy((await Pool.resume(program.workDir)).results())) as MapError;
			expect(error).toBeInstanceOf(MapError);
			expect(JSON.stringify([error.results, error.failures])).toBe(mapping.stdout().trim());
			expect(error.failures[0]?.input).toBe('2');
		}
		expect(program.calls().qsub).toBe(qsubs);
	});

	test('computes what was deleted or damaged of its finished work, and says so', async () => {
		const program = makeMappingProgram({options: {keepWorkDir: true}});
		expect(await program.start().ended).toEqual({code: 0, signal: null});
		rmSync(join(program.workDir, '000000001.1.out'));
		truncateSync(join(program.workDir, '000000004.1.out'), 100);
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
		expect(said()).toContain('000000001.1.out');
		expect(program.journal().match(/"it had counted/g)).toHaveLength(2);
		expect([...program.computed()].sort()).toEqual([0, 1, 1, 2, 3, 4, 4, 5]);
	});
});

describe('a journal', () => {
	test('whose last line is torn is gone on with', async () => {
		const program = await leaveMap();
		appendFileSync(join(program.workDir, 'log.jsonl'), '{"time":"2026-11-21T00:20:07.000Z","event":"resu');
		expect(await (await Pool.resume(program.workDir, {keepWorkDir: true})).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
		const whole = program
			.journal()
			.split('\n')
			.filter(line => line.startsWith('{') && line.endsWith('}'));
		expect(whole.map(line => JSON.parse(line).event)).toContain('resumed');
	});

	test('that was never begun means that nothing was submitted', async () => {
		const program = await leaveMap();
		updateQueueState(program.queue.directory, state => {
			state.jobs = [];
		});
		for (const name of readdirSync(program.workDir)) if (/^log|^owner|\.1\./.test(name)) rmSync(join(program.workDir, name));
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
		expect(program.calls().qsub).toBe(12);
	});
});

describe('is refused:', () => {
	const refusal = async (promise: Promise<unknown>): Promise<string> => {
		const error = await thrownBy(promise);
		expect(error).toMatchObject({code: 'ERR_POOL_RESUME'});
		return (error as Error).message;
	};

	test('other tasks, another function or another call, by what differs first', async () => {
		const program = await leaveMap();
		const work = join(program.directory, 'work.mjs');
		const double = {module: work, name: 'double'};
		const pool = new Pool({...program.options, resume: program.workDir});
		expect(await refusal(pool.map(double, [1, 2, 3, 4, 7, 8]))).toContain('task 4 is not what it was');
		expect(await refusal(pool.map(double, TASKS.slice(1)))).toContain('6 tasks, not 5');
		const stream = function* (tasks: readonly number[]): Generator<number> {
			yield* tasks;
		};
		expect(await refusal(pool.map(double, stream([1, 2, 3, 4, 7, 8])))).toContain('task 4 is not what it was');
		expect(await refusal(pool.map(double, stream(TASKS.slice(0, 5))))).toContain('6 tasks, not 5');
		expect(await refusal(pool.map(double, stream([...TASKS, 7])))).toContain('6 tasks, not more');
		expect(await refusal(pool.map(Math.sqrt, TASKS))).toMatch(/double of file:.*work\.mjs, not sqrt/);
		expect(
			await refusal(
				pool.starmap(
					double,
					TASKS.map(task => [task]),
				),
			),
		).toContain('`map`, not by `starmap`');
		const text = readFileSync(work, 'utf8');
		writeFileSync(work, `${text}\n`);
		expect(await refusal(pool.map(double, TASKS))).toContain('was changed since');
		writeFileSync(work, text);
		expect(await refusal(Pool.resume(program.workDir, {engine: 'local'}))).toContain('grid-engine, not to local');
		// None of it has taken anything away.
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
	});

	test('another format, a damaged run.json, a copy, and what is no work_dir', async () => {
		const program = await leaveMap();
		const path = join(program.workDir, 'run.json');
		const manifest = readFileSync(path, 'utf8');
		writeFileSync(path, manifest.replace('"format": 1', '"format": 99'));
		expect(await refusal(Pool.resume(program.workDir))).toContain('of format 1, got 99');
		writeFileSync(path, manifest.slice(0, -20));
		expect(await refusal(Pool.resume(program.workDir))).toContain('is damaged');
		writeFileSync(path, manifest);
		renameSync(program.workDir, `${program.workDir}2`);
		expect(await refusal(Pool.resume(`${program.workDir}2`))).toContain(`was made as ${program.workDir}`);
		expect(await refusal(Pool.resume(program.workDir))).toContain('There is no directory');
		expect(await refusal(Pool.resume(program.directory))).toContain('nothing was submitted');
		expect(await refusal(Pool.resume(path.replace('run/', 'run2/')))).toContain("can't be read");
	});

	test('a work_dir that can’t be written, as long as it can’t', async () => {
		const program = await leaveMap();
		const script = `import('queue-map-reduce').then(({Pool}) => Pool.resume('run')).catch(error => console.log(error.code, error.message));`;
		chmodSync(program.workDir, 0o500);
		// Root passes by all permissions, unless this right is taken away.
		const rights = '-dac_override,-dac_read_search';
		const asUser = process.getuid?.() === 0 ? ['setpriv', `--inh-caps=${rights}`, `--bounding-set=${rights}`] : [];
		const [command, ...args] = [...asUser, process.execPath, '--input-type=module', '-e', script];
		const {stdout} = spawnSync(command as string, args, {cwd: program.directory, encoding: 'utf8'});
		expect(stdout).toMatch(/^ERR_POOL_RESUME .* can't be read or written: EACCES/);
		chmodSync(program.workDir, 0o700);
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
	});

	test('one whose run.json is gone', async () => {
		const program = await leaveMap();
		rmSync(join(program.workDir, 'run.json'));
		expect(await refusal(Pool.resume(program.workDir))).toContain('has no run.json any more');
	});

	test.each([
		['a function', '`resources`', "process.env.TOKEN = ''; options.resources = () => ({});", {resources: () => ({})}],
		[
			'a value of the environment',
			'`errorStateIndicator`',
			"process.env.TOKEN = options.errorStateIndicator = 'Zecret';",
			{errorStateIndicator: 'E'},
		],
	])('%s among the options, unless it is given again', async (_, name, setOption, given) => {
		const program = makeMappingProgram({
			program: `${setOption}\nawait new Pool(options).map(double, tasks, {workDir: 'run', onProgress});`,
			whenProgress: 'if (done >= 2) die();',
		});
		expect(await program.start().ended).toEqual(KILLED);
		expect(await refusal(Pool.resume(program.workDir))).toContain(`Pass ${name} again`);
		expect(await (await Pool.resume(program.workDir, given)).results()).toEqual(DOUBLED);
	});
});

test('a work_dir in which a living process works is refused by its host and number; when that is killed it is free', async () => {
	const program = makeMappingProgram({
		program:
			"await new Pool(options).map(double, tasks, {workDir: 'run', onProgress: ({running}) => running > 0 && console.log('running')});",
		state: {faults: [{kind: 'state', rawState: 'r', polls: 100_000, times: 1}], maxRunning: 1},
	});
	const mapping = program.start();
	await until(() => mapping.stdout().includes('running'));
	const error = await thrownBy(Pool.resume(program.workDir));
	expect(error).toMatchObject({
		code: 'ERR_POOL_OWNED',
		message: expect.stringContaining(`The process ${mapping.child.pid} on ${hostname()}`),
	});
	mapping.child.kill('SIGKILL');
	await mapping.ended;
	updateQueueState(program.queue.directory, state => {
		state.faults = [];
		for (const job of state.jobs) delete job.shown;
	});
	expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
	expect(program.calls().qsub).toBe(6);
});
