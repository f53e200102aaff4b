/** The benchmark runs, and puts its table where it is told to. Its figures are nobody's promise here: the sizes are tiny. */
import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {findTable} from './markdown.js';
import {type Finished, run} from './packed.js';
import {ROOT} from './source-files.js';

let directory = '';
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'qmr-bench-test-'));
});
afterEach(() => rmSync(directory, {recursive: true, force: true}));

const bench = (...args: readonly string[]): Promise<Finished> =>
	run(process.execPath, ['bench/main.js', '--quick', '--engine', 'local', '--directory', directory, ...args], ROOT);

test('it prints a row for every case, with a ratio to what the engine can do alone', async () => {
	const {exitCode, stdout} = await bench('--cases', 'jobs-4,reading-*');
	expect(exitCode).toBe(0);
	expect(stdout).toMatch(/^case +ours +engine alone +result +target +spread +peers$/m);
	expect(stdout).toMatch(/^4 jobs of one task, submitted one by one +[\d.]+ s +[\d.]+ s \(xargs -P\) +[\d.]+/m);
	expect(stdout).toMatch(/^reading and ordering 10,000 results: numbers +[\d.]+ s +[\d.]+ s/m);
	expect(stdout).toContain(`Node ${process.version}`);
	expect(readdirSync(directory)).toEqual([]);
});

test('it writes the table between the marks of a file, and all values as JSON', async () => {
	const paper = join(directory, 'paper.md');
	const json = join(directory, 'values.json');
	writeFileSync(paper, 'before\n<!-- begin of bench -->\nold\n<!-- end of bench -->\nafter\n');
	expect(await bench('--cases', 'jobs-4', '--runs', '2', '--markdown', paper, '--json', json)).toMatchObject({exitCode: 0});
	const text = readFileSync(paper, 'utf8');
	expect(text).toMatch(/^before\n<!-- begin of bench -->\n[\s\S]*\n<!-- end of bench -->\nafter\n$/);
	expect(text).not.toContain('old');
	expect(findTable(text, 'case')).toHaveLength(1);
	const {results} = JSON.parse(readFileSync(json, 'utf8')) as {results: {name: string; values: {ours: number[]; limit: number[]}}[]};
	expect(results.map(({name, values}) => [name, values.ours.length, values.limit.length])).toEqual([['jobs-4', 2, 2]]);
});

test('a name that is no case is refused', async () => {
	const {exitCode, stderr} = await bench('--cases', 'no-such-case');
	expect(exitCode).toBe(1);
	expect(stderr).toContain('Expected --cases to be names that `--cases list` prints, got no-such-case.');
});
