/** `qmr collect`: the files of tasks, under distinct names or joined. */
import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool} from 'queue-map-reduce';
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {type KeptMap, makeKeptMap} from '../helpers/kept-map.js';

let kept: KeptMap;
let remove: () => void = () => undefined;
/** Tasks 3 and 7 have failed at first; task 7 was computed again. Task 4 has no rows.csv. */
beforeAll(async () => {
	kept = await makeKeptMap('local', {}, later => {
		remove = later;
	});
	kept.touch('mended');
	const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
	expect(await (await Pool.rerun(kept.workDir, {itasks: [7]})).results()).toHaveLength(1);
	said.mockRestore();
	// What the attempt that failed has left is not what counts.
	for (const attempt of readdirSync(join(kept.workDir, 'tasks')).filter(name => /^[37]\./.test(name)))
		writeFileSync(join(kept.workDir, 'tasks', attempt, 'rows.csv'), 'old');
});
afterAll(() => remove());

const read = (...names: readonly string[]): string => readFileSync(join(kept.directory, ...names), 'utf8');
const collect = (...args: readonly string[]) => kept.qmr(['collect', kept.workDir, ...args]);

describe('C12: qmr collect', () => {
	test('copies the files of the attempts that count under distinct names, and tells which tasks have none', async () => {
		const {exitCode, stdout, stderr} = await collect('rows.csv', 'rows');
		expect([exitCode, stdout]).toEqual([1, '8 files are copied to rows\n']);
		expect(stderr).toBe('No file rows.csv: task 4.\nNo result (yet): task 3.\n');
		expect(readdirSync(join(kept.directory, 'rows'))).toEqual([0, 1, 2, 5, 6, 7, 8, 9].map(i => `${i}-rows.csv`));
		expect(read('rows', '7-rows.csv')).toBe('x,y\n7,70\n');
	});

	test('called again it adds what is missing, and replaces nothing that is other', async () => {
		await collect('rows.csv', 'again');
		rmSync(join(kept.directory, 'again', '5-rows.csv'));
		expect((await collect('rows.csv', 'again')).stdout).toBe('1 files are copied to again, 7 were there already\n');
		writeFileSync(join(kept.directory, 'again', '6-rows.csv'), 'mine');
		rmSync(join(kept.directory, 'again', '5-rows.csv'));
		const refused = await collect('rows.csv', 'again');
		expect([refused.exitCode, refused.stdout, refused.stderr]).toEqual([2, '', expect.stringContaining('6-rows.csv not to exist')]);
		expect([read('again', '6-rows.csv'), existsSync(join(kept.directory, 'again', '5-rows.csv'))]).toEqual(['mine', false]);
		expect((await collect('rows.csv', 'again', '--force')).exitCode).toBe(1);
		expect(read('again', '6-rows.csv')).toBe('x,y\n6,60');
	});

	test('of every task, in directories below, with their modes', async () => {
		const {exitCode, stdout} = await collect('*/no?e.txt', 'notes', '--json');
		expect([exitCode, JSON.parse(stdout)]).toEqual([1, {files: 9, lacking: [], unfinished: [3], out: 'notes'}]);
		expect(read('notes', '0-deep-note.txt')).toBe('of 0');
		expect(statSync(join(kept.directory, 'notes', '0-deep-note.txt')).mode & 0o777).toBe(0o640);
	});

	test('two files of one name are refused before anything is copied', async () => {
		const [task] = readdirSync(join(kept.workDir, 'tasks')).filter(name => name.startsWith('0.'));
		const path = join(kept.workDir, 'tasks', task as string);
		mkdirSync(join(path, 'a', 'b'), {recursive: true});
		mkdirSync(join(path, 'a-b', 'c'), {recursive: true});
		writeFileSync(join(path, 'a', 'b', 'c'), '');
		writeFileSync(join(path, 'a-b', 'c', 'd'), '');
		mkdirSync(join(path, 'a', 'b-c'));
		writeFileSync(join(path, 'a', 'b-c', 'd'), '');
		const {exitCode, stderr} = await collect('*/*/d', 'twins');
		expect([exitCode, stderr, existsSync(join(kept.directory, 'twins'))]).toEqual([2, expect.stringContaining('distinct names'), false]);
	});

	test.each(['../run.json', '/etc/passwd', '', '**/x', 'a//b'])('the pattern %j is refused', async pattern => {
		const {exitCode, stdout, stderr} = await collect(pattern, 'out');
		expect([exitCode, stdout, stderr]).toEqual([2, '', expect.stringContaining('Expected')]);
	});

	test('nothing found is said, and nothing is made', async () => {
		const {exitCode, stderr} = await collect('none.csv', 'none');
		expect([exitCode, stderr]).toEqual([1, expect.stringContaining('No task has a file none.csv')]);
		expect(existsSync(join(kept.directory, 'none'))).toBe(false);
	});
});

describe('C13: qmr collect --concat', () => {
	test('joins files in task order, with one header and a newline at the end of each', async () => {
		const {exitCode, stdout} = await collect('rows.csv', 'all.csv', '--concat', '--header', '1');
		expect([exitCode, stdout]).toEqual([1, '8 files are joined in all.csv\n']);
		expect(read('all.csv')).toBe(`x,y\n${[0, 1, 2, 5, 6, 7, 8, 9].map(i => `${i},${10 * i}\n`).join('')}`);
		expect(readdirSync(kept.directory).filter(name => name.endsWith('.part'))).toEqual([]);
	});

	test('without --header all lines are there; what exists is replaced only by --force', async () => {
		writeFileSync(join(kept.directory, 'mine.csv'), 'mine');
		expect((await collect('rows.csv', 'mine.csv', '--concat')).exitCode).toBe(2);
		expect(read('mine.csv')).toBe('mine');
		await collect('rows.csv', 'mine.csv', '--concat', '--force');
		expect(
			read('mine.csv')
				.split('\n')
				.filter(line => line === 'x,y'),
		).toHaveLength(8);
	});

	test('what is no file is not replaced, and what the file system says is told without a stack', async () => {
		mkdirSync(join(kept.directory, 'other', '0-rows.csv'), {recursive: true});
		writeFileSync(join(kept.directory, 'mine'), 'mine');
		for (const [words, code, message] of [
			[['other', '--force'], 2, 'other/0-rows.csv to be the name of a file'],
			[['other', '--concat', '--force'], 2, 'other to be the name of a file'],
			[['mine'], 1, 'EEXIST: file already exists'],
			[['no/where.csv', '--concat'], 1, 'ENOENT: no such file or directory'],
		] as const) {
			const {exitCode, stderr} = await collect('rows.csv', ...words);
			expect([words, exitCode, stderr]).toEqual([words, code, expect.stringContaining(message)]);
			expect(stderr).not.toMatch(/^\s+at /m);
		}
		expect([read('mine'), readdirSync(join(kept.directory, 'other'))]).toEqual(['mine', ['0-rows.csv']]);
	});

	test('says so when a header that is left out is another one', async () => {
		const [task] = readdirSync(join(kept.workDir, 'tasks')).filter(name => name.startsWith('2.'));
		const path = join(kept.workDir, 'tasks', task as string, 'rows.csv');
		const before = readFileSync(path);
		writeFileSync(path, 'y,x\n20,2\n');
		const {stderr} = await collect('rows.csv', 'other.csv', '--concat', '--header', '1');
		writeFileSync(path, before);
		expect(stderr).toContain('The first line of task 2 were left out, and are not those of task 0.');
	});
});

test('C16: --check lists the tasks that lack the file, and ends with 1 when there is any', async () => {
	const {exitCode, stdout} = await collect('rows.csv', '--check');
	expect([exitCode, stdout]).toEqual([1, 'No file rows.csv: task 4.\nNo result (yet): task 3.\n']);
	const json = await collect('deep/note.txt', '--check', '--json');
	expect(JSON.parse(json.stdout)).toEqual({files: 9, lacking: [], unfinished: [3], out: null});
	expect((await collect('rows.csv', 'out', '--check')).exitCode).toBe(2);
	expect((await collect('rows.csv')).exitCode).toBe(2);
	expect((await collect('rows.csv', 'out', '--header', '1')).stderr).toContain('only with --concat');
	chmodSync(kept.directory, 0o700);
	expect((await kept.qmr(['collect', '--help'])).stdout).toContain('Examples:');
});
