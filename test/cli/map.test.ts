/** `qmr map`, as people run it. */
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {beforeEach, describe, expect, onTestFinished, test} from 'vitest';
import {createTestDirectory} from '../helpers/engines.js';
import {type QmrRun, runQmr, startQmr} from '../helpers/qmr.js';

const LOCAL = ['--engine', 'local', '--slots', '2', '--polling-interval-ms', '100'];

const MODEL = `export const square = x => x * x;
export const add = (a, b) => a + b;
export const sleepy = async ms => { await new Promise(resolve => setTimeout(resolve, ms)); return ms; };
export const faulty = x => { if (x === 2) throw new TypeError('two'); return x === 3 ? {deep: [NaN]} : x; };
export const nothing = () => undefined;
export const typed = x => new Float64Array([x, x / 2]);
export const echo = x => x;
export default x => -x;
`;

let cwd: string;
beforeEach(() => {
	const directory = createTestDirectory('qmr-map-');
	cwd = directory.path;
	onTestFinished(directory.remove);
	writeFileSync(join(cwd, 'model.mjs'), MODEL);
});

const map = (target: string, tasks: readonly unknown[] | string, flags: readonly string[] = []): Promise<QmrRun> =>
	runQmr(['map', target, ...LOCAL, ...flags], {
		cwd,
		stdin: typeof tasks === 'string' ? tasks : tasks.map(task => `${JSON.stringify(task)}\n`).join(''),
	});

type Line = {readonly index: number; readonly [key: string]: unknown};

const linesOf = (text: string): Line[] =>
	text
		.split('\n')
		.filter(line => line !== '')
		.map(line => JSON.parse(line) as Line);

const sorted = (text: string): Line[] => linesOf(text).sort((a, b) => a.index - b.index);

const workDirs = (): string[] => (existsSync(join(cwd, '.qmr')) ? readdirSync(join(cwd, '.qmr')) : []);

describe('qmr map', () => {
	test('calls an export for every line, and writes its value with its task and index', async () => {
		const {stdout, stderr, exitCode} = await map('./model.mjs#square', [1, 2, 3]);
		expect(exitCode).toBe(0);
		expect(sorted(stdout)).toEqual([1, 2, 3].map((task, index) => ({index, task, value: task * task})));
		expect(stderr).toContain('completed');
		expect(workDirs()).toEqual([]);
	});

	test('takes the default export when none is named, and any path', async () => {
		expect(linesOf((await map('model.mjs', [5])).stdout)).toEqual([{index: 0, task: 5, value: -5}]);
		expect(linesOf((await map(`${cwd}/model.mjs#default`, [5])).stdout)).toEqual([{index: 0, task: 5, value: -5}]);
	});

	test('writes lines as they come, or with --ordered in the order of the input', async () => {
		const tasks = [3000, 1];
		const asTheyCome = await map('model.mjs#sleepy', tasks);
		expect(linesOf(asTheyCome.stdout).map(({index}) => index)).toEqual([1, 0]);
		const ordered = await map('model.mjs#sleepy', tasks, ['--ordered']);
		expect(linesOf(ordered.stdout).map(({index}) => index)).toEqual([0, 1]);
	});

	test('--starmap gives each line as arguments', async () => {
		expect(linesOf((await map('model.mjs#add', [[1, 2]], ['--starmap'])).stdout)).toEqual([{index: 0, task: [1, 2], value: 3}]);
		const wrong = await map('model.mjs#add', [5], ['--starmap']);
		expect(wrong.exitCode).not.toBe(0);
		expect(wrong.stderr).toContain('Expected every task of `starmap` to be an array of arguments');
	});

	test('tells of each failed task why, and ends with 1', async () => {
		const {stdout, exitCode, stderr} = await map('model.mjs#faulty', [1, 2, 4]);
		expect(exitCode).toBe(1);
		expect(sorted(stdout)).toEqual([
			{index: 0, task: 1, value: 1},
			{
				index: 1,
				task: 2,
				error: {
					...{kind: 'exception', message: 'TypeError: two', itask: 1, attempt: 1},
					...{jobId: expect.any(String), host: expect.any(String), stack: expect.stringContaining('model.mjs')},
				},
			},
			{index: 2, task: 4, value: 4},
		]);
		expect(stderr).toContain('task 1: exception: TypeError: two');
	});

	test('refuses a value that JSON would change, with its place, and keeps it in the work_dir', async () => {
		const {stdout, exitCode, stderr} = await map('model.mjs#faulty', [3]);
		expect(exitCode).toBe(1);
		expect(linesOf(stdout)).toMatchObject([
			{index: 0, task: 3, error: {kind: 'not-json', message: 'value.deep[0] is NaN, which JSON has not'}},
		]);
		expect(stderr).toContain('a value could not be written as JSON');
		const {tasks} = await readWorkDir(join(cwd, '.qmr', workDirs()[0] ?? ''));
		expect(tasks).toMatchObject([{outcome: {status: 'fulfilled', value: {deep: [Number.NaN]}}}]);
	});

	test('writes undefined as null, and a typed array as numbers', async () => {
		expect(linesOf((await map('model.mjs#nothing', [1])).stdout)).toEqual([{index: 0, task: 1, value: null}]);
		expect(linesOf((await map('model.mjs#typed', [1])).stdout)).toEqual([{index: 0, task: 1, value: [1, 0.5]}]);
	});

	test('Y7: reports lines that are no JSON, and computes all others; the text of a task stays as it is', async () => {
		const {stdout, exitCode} = await map('model.mjs#nothing', '{"seed": 12345678901234567890}\r\n\n{\n7');
		expect(exitCode).toBe(1);
		expect(stdout).toContain('"task":{"seed": 12345678901234567890},');
		expect(sorted(stdout)).toMatchObject([
			{index: 0, value: null},
			{index: 1, line: 2, error: {kind: 'not-json', message: 'line 2: it is empty'}},
			{index: 2, line: 3, error: {kind: 'not-json'}},
			{index: 3, task: 7, value: null},
		]);
	});

	test('a reader that has seen enough of them ends it in silence', async () => {
		const {child, stderr, ended} = startQmr(['map', 'model.mjs#nothing', ...LOCAL], {cwd});
		child.stdout?.once('data', () => child.stdout?.destroy());
		const feeding = setInterval(() => child.stdin?.write('{\n'), 20);
		onTestFinished(() => clearInterval(feeding));
		expect((await ended).exitCode).toBe(1);
		expect(stderr()).not.toMatch(/^qmr:/m);
	});

	test('a line of ten megabytes comes back as it went', async () => {
		const task = JSON.stringify({text: 'ä'.repeat(5_000_000)});
		const {stdout} = await map('model.mjs#echo', `${task}\n`);
		expect(stdout).toBe(`{"index":0,"task":${task},"value":${task}}\n`);
	});

	test.each([
		['a module that is not there', ['./nowhere.mjs#f'], 'There is no module'],
		['a directory in place of a module', ['.#f'], 'Expected a module, got the directory'],
		['an export that is not there', ['./model.mjs#cube'], 'has no export "cube"; it has: square'],
		['no name behind the #', ['./model.mjs#'], 'Expected a module and its export, as ./model.js#simulate'],
		['no function at all', [], "missing required argument 'file#export'"],
		['an option that can not be', ['./model.mjs#square', '--chunk-size', '0'], 'Expected `chunkSize` to be an integer from 1 and up'],
	])('refuses %s, before anything is written', async (_, words, message) => {
		const {exitCode, stderr, stdout} = await runQmr(['map', ...words, ...LOCAL, '-o', 'out'], {cwd, stdin: '1\n'});
		expect([exitCode, stdout, existsSync(join(cwd, 'out')), workDirs()]).toEqual([2, '', false, []]);
		expect(stderr).toContain(message);
		expect(stderr).not.toMatch(/^\s+at /m);
	});

	test('--limit takes the first ones, and -i, -o and -l are files', async () => {
		writeFileSync(join(cwd, 'tasks'), '1\n2\n3\n');
		const {stdout, exitCode, stderr} = await map('model.mjs#square', '', [
			'-i',
			'tasks',
			'-o',
			'values',
			'-l',
			'log',
			'--limit',
			'2',
			'--no-progress',
		]);
		expect([stdout, exitCode, stderr]).toEqual(['', 0, '']);
		expect(sorted(readFileSync(join(cwd, 'values'), 'utf8')).map(({value}) => value)).toEqual([1, 4]);
		expect(readFileSync(join(cwd, 'log'), 'utf8')).toContain('completed');
	});

	test('shows its progress in few lines on stderr, unless it is told not to', async () => {
		const {stderr} = await map(
			'model.mjs#square',
			Array.from({length: 50}, (_, i) => i),
		);
		const shown = stderr.split('\n').filter(line => line.includes(' pending'));
		expect(shown.at(-1)).toMatch(/^50 of 50 done, 0 failed, 0 running, 0 pending, [\d.]+\/(?:s|min)$/);
		expect(shown.length).toBeLessThan(8);
		expect((await map('model.mjs#square', [1], ['--no-progress'])).stderr).not.toContain('pending');
	});

	test('C2: --dry-run makes a work_dir that anybody can go on with', async () => {
		const {stdout, stderr, exitCode} = await map('model.mjs#square', [1, 2, 3], ['--dry-run']);
		expect(exitCode).toBe(0);
		expect(stderr).toContain('3 tasks; by the engine local 3 submissions:');
		expect(stderr).toMatch(/^ {2}\/bin\/sh \S+\/launch\.sh 0 1$/m);
		const run = await Pool.resume<number>(stdout.trim(), {pollingIntervalMs: 100});
		expect(await run.results()).toEqual([1, 4, 9]);
	});

	test('100,000 lines need little memory', async () => {
		writeFileSync(join(cwd, 'tasks'), Array.from({length: 100_000}, (_, i) => `${JSON.stringify({i, text: 'x'.repeat(200)})}\n`).join(''));
		// 25 MB of tasks, and as many of values.
		const {ended} = startQmr(['map', 'model.mjs#echo', ...LOCAL, '-i', 'tasks', '-o', 'values', '--no-progress'], {
			cwd,
			env: {NODE_OPTIONS: '--max-old-space-size=100'},
		});
		expect(await ended).toMatchObject({exitCode: 0, signal: null});
		expect(readFileSync(join(cwd, 'values'), 'utf8').split('\n')).toHaveLength(100_001);
	});
});
