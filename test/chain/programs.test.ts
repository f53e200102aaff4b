/** Whole programs that map, as their users start them. All on `local`: it has the same files, launcher and worker. */
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {createTestDirectory, keptWorkDirs} from '../helpers/engines.js';
import {createProject, runNode} from '../helpers/programs.js';

let directory: ReturnType<typeof createTestDirectory>;
beforeEach(() => {
	directory = createTestDirectory();
});
afterEach(() => directory.remove());

const POOL = `import {Pool} from 'queue-map-reduce';\nconst pool = new Pool({engine: 'local', slots: 2, pollingIntervalMs: 100});\n`;
const SHOW = 'then(results => console.log(JSON.stringify(results)), error => console.log(error.code, error.message));\n';

const run = async (files: Record<string, string>, args: string[], install?: 'link' | 'copy'): Promise<{stdout: string; stderr: string}> => {
	createProject(directory.path, files, install);
	const ran = await runNode(args, {cwd: directory.path});
	expect({code: ran.code, stderr: ran.stderr}).toMatchObject({code: 0});
	return ran;
};

describe('a main script', () => {
	test('Q3: that maps an arrow written in place works', async () => {
		const {stdout} = await run({'main.mjs': `${POOL}await pool.map(x => x * 2, [1, 2, 3]).${SHOW}`}, ['main.mjs']);
		expect(stdout).toBe('[2,4,6]\n');
	});

	test('that maps its own export at top level is refused with advice, and never run by a worker', async () => {
		const main = `${POOL}import {appendFileSync} from 'node:fs';\nappendFileSync('runs', 'x');\nconst factor = 2;\nexport const scale = x => x * factor;\nawait pool.map(scale, [1, 2]).${SHOW}`;
		const {stdout} = await run({'main.mjs': main}, ['main.mjs']);
		expect(stdout).toContain('ERR_POOL_MAIN_UNGUARDED');
		expect(stdout).toContain('isWorker');
		expect(readFileSync(join(directory.path, 'runs'), 'utf8')).toBe('x');
		expect(existsSync(join(directory.path, '.qmr'))).toBe(false);
	});

	test('that guards its start by isWorker may map its own export', async () => {
		const main = `import {isWorker} from 'queue-map-reduce';\n${POOL}import {appendFileSync} from 'node:fs';\nconst factor = 2;\nexport const scale = x => x * factor;\nconst main = async () => {\n\tappendFileSync('runs', 'x');\n\tawait pool.map(scale, [1, 2]).${SHOW}};\nif (!isWorker) await main();\n`;
		const {stdout} = await run({'main.mjs': main}, ['main.mjs']);
		expect(stdout).toBe('[2,4]\n');
		expect(readFileSync(join(directory.path, 'runs'), 'utf8')).toBe('x');
	});

	test('in CommonJS can require the package', async () => {
		const main = `const {Pool} = require('queue-map-reduce');\nconst {double} = require('./work.cjs');\nnew Pool({engine: 'local', slots: 2, pollingIntervalMs: 100}).map(double, [1, 2]).${SHOW}`;
		const {stdout} = await run({'main.cjs': main, 'work.cjs': 'exports.double = x => x * 2;\n'}, ['main.cjs']);
		expect(stdout).toBe('[2,4]\n');
	});

	test('in TypeScript works through tsx', async () => {
		const tsx = createRequire(import.meta.url).resolve('tsx');
		const files = {
			'work.ts': 'export const double = (x: number): number => x * 2;\n',
			'main.ts': `${POOL}import {double} from './work.js';\nawait pool.map(double, [1, 2]).${SHOW}`,
			'package.json': '{"type": "module"}',
		};
		const {stdout} = await run(files, ['--import', tsx, 'main.ts']);
		expect(stdout).toBe('[2,4]\n');
	});
});

test('a module that maps while a worker imports it ends the map with advice', async () => {
	const work = `${POOL}export const double = x => x * 2;\nconst factor = 2;\nexport const scale = x => x * factor;\nexport const ran = globalThis.isInMain ? undefined : await pool.map(double, [1]);\n`;
	const main = `globalThis.isInMain = true;\nconst {scale} = await import('./work.mjs');\n${POOL.replace(/import.*\n/, "const {Pool} = await import('queue-map-reduce');\n")}await pool.map(scale, [1, 2]).${SHOW}`;
	const {stdout} = await run({'main.mjs': main, 'work.mjs': work}, ['main.mjs']);
	expect(stdout).toContain('ERR_POOL_START_FAILED');
	expect(stdout).toContain('isWorker');
});

test('a module that can’t be imported on the worker ends the map early, with that error and no second try', async () => {
	const work = `import {isWorker} from 'queue-map-reduce';\nif (isWorker) throw new Error('not on this machine');\nconst factor = 2;\nexport const scale = x => x * factor;\n`;
	const {stdout, stderr} = await run(
		{'main.mjs': `${POOL}import {scale} from './work.mjs';\nawait pool.map(scale, [1, 2, 3, 4, 5, 6]).${SHOW}`, 'work.mjs': work},
		['main.mjs'],
	);
	expect(stdout).toContain('ERR_POOL_START_FAILED');
	expect(stdout).toContain('not on this machine');
	expect(stderr).toContain('is kept');
	const [workDir] = keptWorkDirs(join(directory.path, '.qmr')) as [string];
	expect(readFileSync(join(workDir, 'log.jsonl'), 'utf8')).not.toContain('"resubmitted"');
});

test('a module whose import never ends on the worker ends the map early', async () => {
	const work = `import {isWorker} from 'queue-map-reduce';\nif (isWorker) await new Promise(() => {});\nconst factor = 2;\nexport const scale = x => x * factor;\n`;
	const {stdout} = await run(
		{'main.mjs': `${POOL}import {scale} from './work.mjs';\nawait pool.map(scale, [1]).${SHOW}`, 'work.mjs': work},
		['main.mjs'],
	);
	expect(stdout).toContain('ERR_POOL_START_FAILED');
	expect(stdout).toContain('never finished');
});

test('H11, H13: another Node major on the worker-node is refused by name', async () => {
	const other = join(directory.path, 'other-node');
	const main = `${POOL}import {chmodSync} from 'node:fs';\nchmodSync('other-node', 0o755);\nawait pool.map(x => x, [1], {nodePath: ${JSON.stringify(other)}}).${SHOW}`;
	const preload = `Object.defineProperty(process, 'version', {value: 'v99.1.0'});\n`;
	const wrapper = `#!/bin/sh\nexec '${process.execPath}' --require '${join(directory.path, 'preload.cjs')}' "$@"\n`;
	const {stdout} = await run({'main.mjs': main, 'preload.cjs': preload, 'other-node': wrapper}, ['main.mjs']);
	expect(stdout).toContain('ERR_POOL_START_FAILED');
	expect(stdout).toContain('v99.1.0');
	expect(stdout).toContain(process.version);
});

test('taskContext and isWorker work from a second copy of the package', async () => {
	const files = {
		'work.mjs': `import {isWorker, taskContext} from 'queue-map-reduce';\nexport const where = task => [isWorker, taskContext().itask, task];\n`,
	};
	createProject(directory.path, files, 'copy');
	const {where} = (await import(join(directory.path, 'work.mjs'))) as {where: (task: string) => unknown[]};
	const {Pool} = await import('queue-map-reduce');
	const pool = new Pool({engine: 'local', slots: 1, workRoot: join(directory.path, 'work')});
	expect(await pool.map(where, ['a', 'b'])).toEqual([
		[true, 0, 'a'],
		[true, 1, 'b'],
	]);
});

test('X17: several processes in one directory do not disturb each other', async () => {
	createProject(directory.path, {'main.mjs': `${POOL}await pool.map(x => x + Number(process.env.OFFSET), [1, 2, 3, 4]).${SHOW}`});
	const offsets = [10, 20, 30];
	const ran = await Promise.all(offsets.map(offset => runNode(['main.mjs'], {cwd: directory.path, env: {OFFSET: String(offset)}})));
	expect(ran.map(({stdout}) => JSON.parse(stdout))).toEqual(offsets.map(offset => [1, 2, 3, 4].map(x => x + offset)));
	expect(keptWorkDirs(join(directory.path, '.qmr'))).toEqual([]);
});

test('Q24, X21: neither side has a worker thread, a listening port or a process left', async () => {
	const main = `${POOL}import {inspectWorker} from './work.mjs';
const results = await pool.map(inspectWorker, [1]);
const {readdirSync, readFileSync} = await import('node:fs');
const children = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim();
console.log(JSON.stringify({worker: results[0], main: process.getActiveResourcesInfo(), children}));
`;
	const work = `import {readFileSync} from 'node:fs';
export const inspectWorker = () => ({resources: process.getActiveResourcesInfo(), stdin: readFileSync(0, 'utf8'), children: readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim()});
`;
	const {stdout} = await run({'main.mjs': main, 'work.mjs': work}, ['main.mjs']);
	const seen = JSON.parse(stdout) as {worker: {resources: string[]; stdin: string; children: string}; main: string[]; children: string};
	const forbidden = /Worker|MessagePort|Server|Socket|Process/;
	expect([...seen.worker.resources, ...seen.main].filter(name => forbidden.test(name))).toEqual([]);
	expect([seen.worker.children, seen.children, seen.worker.stdin]).toEqual(['', '', '']);
});

test('Q3, W6, N15: functions and other input that can’t work are refused before anything is written', async () => {
	const main = `${POOL}
const refused = async (...args) => pool.map(...args).then(() => 'accepted', error => error.code);
const outside = {x: 1};
console.log(JSON.stringify([
	await refused(3, [1]),
	await refused(x => x + outside.x, [1]),
	await refused(Math.max.bind(null, 1), [1]),
	await refused({method() { return this.x; }}.method, [1]),
	await refused(x => x, 5),
	await refused(x => x, [1, {deep: [() => 1]}]),
	await refused(x => x, (function* () { throw new Error('broken'); })()),
	await refused(x => x, [1], {chunkSize: 0}),
	await refused(x => x, [1], {chunksize: 1}),
	await refused(x => x, [1], {env: {BIG: 'x'.repeat(200000)}}),
	await refused(x => x, [1], {workDir: '.'}),
]));
`;
	const {stdout} = await run({'main.mjs': main}, ['main.mjs']);
	expect(JSON.parse(stdout)).toEqual([
		'ERR_POOL_FN_TYPE',
		'ERR_POOL_FN_CLOSURE',
		'ERR_POOL_FN_BOUND',
		'ERR_POOL_FN_CLOSURE',
		'ERR_POOL_TASKS',
		'ERR_POOL_TASKS',
		'ERR_POOL_TASKS',
		'ERR_POOL_OPTION',
		'ERR_POOL_OPTION',
		'ERR_POOL_ENVIRONMENT',
		'ERR_POOL_WORK_DIR',
	]);
	expect(existsSync(join(directory.path, '.qmr'))).toBe(false);
});

test('Q18, A13: a chunk of a kept work_dir is computed again by hand, and nothing that was there is replaced', async () => {
	const {Pool, readWorkDir} = await import('queue-map-reduce');
	const workDir = join(directory.path, 'work');
	const pool = new Pool({engine: 'local', slots: 1, workDir, keepWorkDir: true, env: {}});
	const {sum} = (await import('../fixtures/work.mjs')) as {sum: (numbers: number[]) => number};
	expect(await pool.map(sum, [Array.from({length: 100}, (_, i) => i)])).toEqual([4950]);
	const before = readFileSync(join(workDir, '000000000.1.out'));
	for (const attempt of [2, 3]) {
		execFileSync('/bin/sh', [join(workDir, 'launch.sh'), '0'], {cwd: '/', env: {}});
		expect(existsSync(join(workDir, `000000000.${attempt}.out`))).toBe(true);
	}
	expect(readFileSync(join(workDir, '000000000.1.out'))).toEqual(before);
	// The first attempt counts; without it the next one is read.
	rmSync(join(workDir, '000000000.1.out'));
	rmSync(join(workDir, 'log.jsonl'));
	const {tasks} = await readWorkDir(workDir);
	expect(tasks.map(({outcome, attempt}) => ({outcome, attempt}))).toEqual([{outcome: {status: 'fulfilled', value: 4950}, attempt: 2}]);
});

test('what a task leaves running on this machine ends with its queue-job', async () => {
	const {Pool} = await import('queue-map-reduce');
	const {leaveChildRunning} = (await import('../fixtures/work.mjs')) as {leaveChildRunning: () => number};
	const pool = new Pool({engine: 'local', slots: 1, workRoot: join(directory.path, 'work')});
	const [pid] = await pool.map(leaveChildRunning, [undefined]);
	const isGone = (): boolean => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
	await vi.waitUntil(isGone, {interval: 10, timeout: 90_000});
});

test('a caller may use the array again at once; onProgress that fails ends nothing', async () => {
	const {Pool} = await import('queue-map-reduce');
	const {identity} = (await import('../fixtures/work.mjs')) as {identity: (value: number) => number};
	const pool = new Pool({engine: 'local', slots: 1, workRoot: join(directory.path, 'work')});
	const tasks = [1, 2, 3];
	const running = pool.map(identity, tasks, {
		onProgress: () => {
			throw new Error('a faulty display');
		},
	});
	tasks.length = 0;
	expect(await running).toEqual([1, 2, 3]);
});

test('a start that fails on one worker-node while others compute costs that attempt only', async () => {
	const work = `import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {isWorker, taskContext} from 'queue-map-reduce';
const [, , workDir, ichunk, attempt] = process.argv;
// Chunk 1 can't import it at its first attempt, and tries only when chunk 0 computes.
if (isWorker && ichunk === '1' && attempt === '1') {
	while (!readdirSync(workDir).includes('000000000.1.part')) await new Promise(resolve => setTimeout(resolve, 10));
	throw new Error('a bad node');
}
const factor = 2;
export const scale = async x => {
	if (taskContext().ichunk === 0) while (!readdirSync(workDir).some(name => name.startsWith('000000001.2.'))) await new Promise(resolve => setTimeout(resolve, 10));
	return x * factor;
};
`;
	const {stdout} = await run(
		{'main.mjs': `${POOL}import {scale} from './work.mjs';\nawait pool.map(scale, [1, 2]).${SHOW}`, 'work.mjs': work},
		['main.mjs'],
	);
	expect(stdout).toBe('[2,4]\n');
});
