/** A pool in the place of plain code: the same program, and functions as people write them first. Whole programs on `local`. */
import {chmodSync, readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {createTestDirectory} from '../helpers/engines.js';
import {createProject, runNode} from '../helpers/programs.js';

let directory: ReturnType<typeof createTestDirectory>;
beforeEach(() => {
	directory = createTestDirectory();
});
afterEach(() => directory.remove());

const POOL = `import {Pool} from 'queue-map-reduce';
const pool = new Pool({engine: 'local', slots: 2, pollingIntervalMs: 100, config: false});\n`;

/** What the program prints, which is one line of JSON. */
const print = async (main: string, files: Readonly<Record<string, string>> = {}): Promise<unknown> => {
	createProject(directory.path, {'main.mjs': `${POOL}${main}`, ...files});
	const {code, stdout, stderr} = await runNode(['main.mjs'], {cwd: directory.path});
	expect([code, stderr.includes('Error')]).toEqual([0, false]);
	return JSON.parse(stdout);
};

test('Q1: the same code runs with Promise.all in the place of the pool, and gives the same', async () => {
	const main = `import {sum} from './sum.mjs';
const compute = anyPool => anyPool.map(sum, [[1, 2], [2, 3], [4, 5]]);
const plain = {map: (fn, tasks) => Promise.all(tasks.map(task => fn(task)))};
console.log(JSON.stringify({pid: process.pid, plain: await compute(plain), pooled: await compute(pool)}));\n`;
	const sum = `import {appendFileSync} from 'node:fs';
export const sum = numbers => {
	appendFileSync('pids', process.pid + '\\n');
	return numbers.reduce((a, b) => a + b, 0);
};\n`;
	const {pid, plain, pooled} = (await print(main, {'sum.mjs': sum})) as {pid: number; plain: number[]; pooled: number[]};
	expect([plain, pooled]).toEqual([
		[3, 5, 9],
		[3, 5, 9],
	]);
	const pids = readFileSync(join(directory.path, 'pids'), 'utf8').trimEnd().split('\n').map(Number);
	expect(pids).toHaveLength(6);
	expect(pids.filter(each => each === pid)).toHaveLength(3);
});

test('B1: an arrow function written in place gives of fifty numbers what it gives serially', async () => {
	const main = `const numbers = Array.from({length: 50}, (_, i) => i);
const parallel = await pool.map(x => [x ** 2, process.pid], numbers);
console.log(JSON.stringify({pid: process.pid, parallel, serial: numbers.map(x => x ** 2)}));\n`;
	const {pid, parallel, serial} = (await print(main)) as {pid: number; parallel: [number, number][]; serial: number[]};
	expect(serial).toHaveLength(50);
	expect(parallel.map(([value]) => value)).toEqual(serial);
	expect(parallel.filter(([, worker]) => worker === pid)).toEqual([]);
});

test('B2: a function that imports what it needs by itself works wherever it is written', async () => {
	const main = `const results = await pool.map(async suffix => {
	const {hostname} = await import('node:os');
	const {shout} = await import('./shout.mjs');
	return shout(hostname() + suffix);
}, ['?', '!']);
console.log(JSON.stringify(results));\n`;
	const results = await print(main, {'shout.mjs': 'export const shout = text => text.toUpperCase();\n'});
	expect(results).toEqual(['?', '!'].map(suffix => `${hostname()}${suffix}`.toUpperCase()));
});

test('Q12, H11: workers run on the very Node of the caller, or on that of `nodePath`', async () => {
	const other = join(directory.path, 'other-node');
	const main = `const look = () => [process.execPath, process.title === 'by nodePath'];
const own = await pool.map(look, [1]);
const chosen = await pool.map(look, [1], {nodePath: ${JSON.stringify(other)}});
console.log(JSON.stringify([...own, ...chosen]));\n`;
	createProject(directory.path, {
		'other-node': `#!/bin/sh\nexec '${process.execPath}' --title='by nodePath' "$@"\n`,
		'main.mjs': POOL + main,
	});
	chmodSync(other, 0o755);
	const {stdout} = await runNode(['main.mjs'], {cwd: directory.path});
	expect(JSON.parse(stdout)).toEqual([
		[process.execPath, false],
		[process.execPath, true],
	]);
});
