/** `qmr rerun`: tasks are computed again, as queue-jobs or here. */
import {existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {readWorkDir} from 'queue-map-reduce';
import {readQueueState} from 'queue-map-reduce/dummy-queue';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type KeptMap, makeKeptMap, makeKeptProject} from '../helpers/kept-map.js';
import {createProject, runNode} from '../helpers/programs.js';

const qsubs = ({queue}: KeptMap): number => readQueueState(queue?.directory as string).calls.qsub;
const states = async (workDir: string): Promise<string[]> => (await readWorkDir(workDir, {values: false})).tasks.map(({state}) => state);
const everything = (workDir: string): string[] => readdirSync(workDir, {recursive: true}).map(String).sort();

describe('D11, C11: qmr rerun', () => {
	test('X15: submits only what had failed, and then all results are there', async () => {
		const kept = await makeKeptMap('dummy');
		const before = qsubs(kept);
		kept.touch('mended');
		const {stdout, stderr, exitCode} = await kept.qmr(['rerun', kept.workDir]);
		expect([exitCode, stdout]).toEqual([0, `All 10 tasks have a result: qmr results ${kept.workDir}\n`]);
		expect(stderr).toContain('2 of 2 done');
		expect([before, qsubs(kept)]).toEqual([10, 12]);
		expect(await states(kept.workDir)).toEqual(new Array(10).fill('done'));
		const again = await kept.qmr(['rerun', kept.workDir]);
		expect([again.exitCode, again.stderr.includes('Every task'), qsubs(kept)]).toEqual([0, true, 12]);
	});

	test('H6: what fails again stays listed with its reason, ends with 1, and may be computed again as often as one likes', async () => {
		const kept = await makeKeptMap('local');
		const first = await kept.qmr(['rerun', kept.workDir]);
		expect([first.exitCode, first.stdout]).toEqual([1, expect.stringContaining('2 of 10 tasks have failed, all alike.')]);
		expect(first.stdout).toContain('tasks 3, 7, kind exception');
		kept.touch('mended');
		// Of a rerun, too.
		const second = await kept.qmr(['rerun', join(kept.workDir, 'rerun.1'), '7', '--json']);
		expect([second.exitCode, JSON.parse(second.stdout)]).toEqual([
			1,
			expect.objectContaining({workDir: kept.workDir, runDir: join(kept.workDir, 'rerun.2'), numFailed: 1}),
		]);
		expect((await kept.qmr(['rerun', kept.workDir, '3'])).exitCode).toBe(0);
		expect([kept.computed().slice(10, 12).sort(), kept.computed().slice(12)]).toEqual([
			[3, 7],
			[7, 3],
		]);
		expect((await readWorkDir(kept.workDir)).tasks.map(({rerun}) => rerun)).toEqual([
			...[undefined, undefined, undefined, 3, undefined, undefined, undefined, 2, undefined, undefined],
		]);
	});

	test('a task that had a result and fails now is told, ends with 1, and keeps its result', async () => {
		const kept = await makeKeptMap('local');
		kept.touch('mended');
		expect((await kept.qmr(['rerun', kept.workDir])).exitCode).toBe(0);
		rmSync(join(kept.directory, 'mended'));
		const {exitCode, stderr} = await kept.qmr(['rerun', kept.workDir, '0', '7']);
		const why = `qmr errors ${join(kept.workDir, 'rerun.2')}`;
		expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`Failed now: task 7. Their result from before counts. Why: ${why}\n`)]);
		expect((await kept.qmr(['errors', join(kept.workDir, 'rerun.2')])).stdout).toContain('task 7, kind exception');
		expect(await states(kept.workDir)).toEqual(new Array(10).fill('done'));
	});

	test('a task that had a result has the same one again, with the seed and the environment of then', async () => {
		const kept = await makeKeptMap('local');
		const outcomeOf = async (itask: number): Promise<unknown> => (await readWorkDir(kept.workDir)).tasks[itask]?.outcome;
		const before = await outcomeOf(5);
		expect(before).toMatchObject({status: 'fulfilled', value: {mark: 'of then', cwd: kept.directory, shared: {table: [1]}}});
		expect((await kept.qmr(['rerun', kept.workDir, '5'], {env: {KEPT_MARK: 'of now'}, cwd: '/'})).exitCode).toBe(1);
		expect(await outcomeOf(5)).toEqual(before);
		expect((await readWorkDir(kept.workDir)).tasks[5]?.rerun).toBe(1);
		expect((await kept.qmr(['rerun', kept.workDir, '5', '--env', 'all'], {env: {KEPT_MARK: 'of now'}})).exitCode).toBe(1);
		expect(await outcomeOf(5)).toMatchObject({value: {mark: 'of now'}});
	});

	test('says that the module of the function was changed, and computes with it as it is now', async () => {
		const kept = await makeKeptMap('local');
		const path = join(kept.directory, 'work.mjs');
		writeFileSync(path, readFileSync(path, 'utf8').replace('[3, 7]', '[7]'));
		const {stdout, stderr, exitCode} = await kept.qmr(['rerun', kept.workDir]);
		expect(stderr).toContain(`${path} is not what it was`);
		expect([exitCode, stdout]).toEqual([1, expect.stringContaining('1 of 10 tasks has failed.')]);
	});
});

describe('bad usage of qmr rerun', () => {
	let kept: KeptMap;
	beforeAll(async () => {
		kept = await makeKeptMap('local', {}, remove => removals.push(remove));
	});
	const removals: (() => void)[] = [];
	afterAll(() => {
		for (const remove of removals) remove();
	});

	test.each([
		[['--all', '3'], '--all or numbers of tasks'],
		[['--inspect-brk'], 'only with --local'],
		[['--local'], 'the number of one task with --local, got none'],
		[['--local', '1-3'], 'the number of one task with --local, got 3 of them.'],
		[['--local', '--all'], 'without --all'],
		[['7-3'], 'got "7-3"'],
		[['x'], 'got "x"'],
		[['12'], 'from 0 to 9, got 12'],
		[['--work-root', '/tmp'], 'Expected no `workRoot`'],
		[['--detach'], 'processes of this machine'],
		[['--graceMs', '1'], "unknown option '--graceMs'"],
	])('%j is refused before anything is computed', async (args, words) => {
		const before = everything(kept.workDir);
		const {stdout, stderr, exitCode} = await kept.qmr(['rerun', kept.workDir, ...args]);
		expect([stdout, stderr, exitCode]).toEqual(['', expect.stringContaining(words), 2]);
		expect(stderr).not.toContain('    at ');
		expect(everything(kept.workDir).filter(name => !name.startsWith('owner.'))).toEqual(before.filter(name => !name.startsWith('owner.')));
	});

	test('--help has examples', async () => {
		const {stdout, exitCode} = await kept.qmr(['rerun', '--help']);
		expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/Examples:[\s\S]*--local --inspect-brk/)]);
	});
});

describe('qmr rerun --all', () => {
	test('V8, C7: runs the whole experiment again, beside the first, with the same seeds', async () => {
		const kept = await makeKeptMap('local', {tags: ['pilot'], message: 'first light'});
		kept.touch('mended');
		const {stdout, exitCode} = await kept.qmr(['rerun', kept.workDir, '--all', '--json'], {cwd: '/'});
		const {runDir, numTasks, numFailed} = JSON.parse(stdout);
		expect([exitCode, numTasks, numFailed]).toEqual([0, 10, 0]);
		expect(
			readdirSync(join(kept.directory, '.qmr'))
				.map(name => join(kept.directory, '.qmr', name))
				.sort(),
		).toEqual([runDir, kept.workDir].sort());
		const [first, second] = [await readWorkDir(kept.workDir), await readWorkDir(runDir)];
		expect(second.manifest.rerunOf).toEqual({session: first.manifest.session, workDir: kept.workDir});
		expect(second.manifest).toMatchObject({message: 'first light', tags: ['pilot'], numChunks: 4, processNode: {cwd: kept.directory}});
		expect(second.manifest.itasks).toBeUndefined();
		const seeds = (tasks: typeof first.tasks) =>
			tasks.map(({outcome}) => (outcome?.status === 'fulfilled' ? (outcome.value as {seed: number}).seed : undefined));
		expect(seeds(second.tasks).filter((_, i) => i !== 3 && i !== 7)).toEqual(seeds(first.tasks).filter(seed => seed !== undefined));
	});
});

test('C7: Node is started as it was then, with its loaders and the rights of new files', async () => {
	const {directory, qmr} = makeKeptProject('local');
	createProject(join(directory, 'own'), {
		'mark.mjs': "globalThis.mark = 'loaded';",
		'work.mjs': `import {existsSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {taskContext} from 'queue-map-reduce';
export const look = x => {
	const path = join(taskContext().taskDir, 'file');
	writeFileSync(path, '');
	if (!existsSync(new URL('mended', import.meta.url))) throw new Error('not yet');
	return [x, globalThis.mark, statSync(path).mode & 0o777];
};`,
		'main.mjs': `import {Pool} from 'queue-map-reduce';
import {look} from './work.mjs';
process.umask(0o027);
await new Pool({engine: 'local', workDir: 'run'}).mapSettled(look, ['a']);`,
	});
	const own = join(directory, 'own');
	expect(await runNode(['--import', './mark.mjs', 'main.mjs'], {cwd: own})).toMatchObject({code: 0});
	writeFileSync(join(own, 'mended'), '');
	const here = await qmr(['rerun', join(own, 'run'), '0', '--local', '--json']);
	const {value, taskDir} = JSON.parse(here.stdout);
	rmSync(join(taskDir, '..'), {recursive: true});
	expect(value).toEqual(['a', 'loaded', 0o640]);
	expect((await qmr(['rerun', join(own, 'run')])).exitCode).toBe(0);
	expect((await readWorkDir(join(own, 'run'))).tasks[0]?.outcome).toEqual({status: 'fulfilled', value: ['a', 'loaded', 0o640]});
});

describe('C7: qmr rerun --local', () => {
	test('computes one task here, as it was, and leaves nothing in the work_dir', async () => {
		const kept = await makeKeptMap('local');
		kept.touch('mended');
		const before = everything(kept.workDir);
		const {stdout, stderr, exitCode} = await kept.qmr(['rerun', kept.workDir, '3', '--local'], {cwd: '/', env: {KEPT_MARK: 'of now'}});
		expect(exitCode).toBe(0);
		// What the task prints, and then its result.
		expect(stdout).toMatch(/^out of 3\n\{\n\s+x: 30,\n\s+itask: 3,/);
		expect(stdout).toContain(`cwd: '${kept.directory}'`);
		expect(stdout).toContain("mark: 'of then'");
		expect(stdout).toContain('shared: { table: [ 1 ] }');
		const [, taskDir = ''] = /files of the task: (\S+)/.exec(stderr) ?? [];
		expect(readdirSync(taskDir).sort()).toEqual(['deep', 'rows.csv']);
		rmSync(join(taskDir, '..'), {recursive: true});
		expect(everything(kept.workDir)).toEqual(before);
		expect(kept.computed()).toHaveLength(11);
	});

	test('prints a failure with its stack, and ends with 1; as JSON it is on stdout alone', async () => {
		const kept = await makeKeptMap('local');
		const {stdout, stderr, exitCode} = await kept.qmr(['rerun', kept.workDir, '7', '--local', '--json']);
		expect(exitCode).toBe(1);
		const outcome = JSON.parse(stdout);
		expect(outcome).toMatchObject({itask: 7, status: 'rejected', kind: 'exception', error: {name: 'RangeError', message: 'not yet'}});
		expect(outcome.error.stack).toContain('work.mjs');
		expect(stderr).toContain('out of 7');
		rmSync(join(outcome.taskDir, '..'), {recursive: true});
		const plain = await kept.qmr(['rerun', kept.workDir, '7', '--local']);
		expect([plain.exitCode, plain.stdout, plain.stderr]).toEqual([
			1,
			'out of 7\n',
			expect.stringMatching(/RangeError: not yet\n\s+at .*work\.mjs/),
		]);
		rmSync(join((/files of the task: (\S+)/.exec(plain.stderr) ?? [])[1] as string, '..'), {recursive: true});
	});

	test.each([
		['process.exit(7)', {kind: 'exit'}],
		["process.kill(process.pid, 'SIGKILL')", {kind: 'killed', message: 'its process was killed by SIGKILL before the task had an outcome'}],
		['await new Promise(() => undefined)', {kind: 'never-settled'}],
		['return () => 1', {kind: 'result-unserialisable'}],
		["setTimeout(() => { throw new Error('late'); }); await sleep(500)", {kind: 'uncaught-exception'}],
	])('a task that does %s has failed, and says how', async (statement, failure) => {
		const kept = await makeKeptMap('local');
		const path = join(kept.directory, 'work.mjs');
		writeFileSync(
			path,
			readFileSync(path, 'utf8')
				.replace("console.log('out of ' + itask);", `${statement};`)
				.replaceAll(', taskDir}', '}')
				.replaceAll(/^.*taskDir.*$/gm, ''),
		);
		const {stdout, stderr, exitCode} = await kept.qmr(['rerun', kept.workDir, '1', '--local', '--json']);
		expect([exitCode, JSON.parse(stdout)]).toEqual([1, expect.objectContaining({...failure, taskDir: null})]);
		expect(stderr).toContain('work.mjs is not what it was');
	});

	test('waits for a debugger', async () => {
		const kept = await makeKeptMap('local');
		const seen = kept.qmr(['rerun', kept.workDir, '1', '--local', '--inspect-brk', '127.0.0.1:0']);
		const {processesWith} = await import('../helpers/processes.js');
		const {vi} = await import('vitest');
		const isOne = (): number | undefined => processesWith(`one-task.js\0${kept.workDir}`)[0];
		const pid = await vi.waitUntil(isOne, {timeout: 90_000, interval: 50});
		const {listeningSockets} = await import('../helpers/processes.js');
		await vi.waitUntil(() => listeningSockets(pid).some(socket => socket.startsWith('tcp 0100007F')), {timeout: 90_000, interval: 50});
		process.kill(pid, 'SIGTERM');
		const {stderr, exitCode} = await seen;
		expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Debugger listening on ws://127.0.0.1')]);
		expect(kept.computed()).toHaveLength(10);
		expect(existsSync(kept.workDir)).toBe(true);
	});
});
