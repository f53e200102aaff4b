import {existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {call} from '../helpers/dummy-queue.js';
import {type LookedAt, makeEndedMap, submitMap} from '../helpers/looked-at-map.js';
import {QMR, runQmr} from '../helpers/qmr.js';

const SOURCE = `export const fn = ({delta, text}) => {
	if (delta % 4 === 3) throw new Error('three');
	return {energy: delta / 2, delta: -delta, point: {x: 1n, y: [1, 'a']}, text, none: undefined};
};`;

/** Rows of CSV as RFC 4180 has it. */
const parseCsv = (text: string): string[][] => {
	const rows: string[][] = [[]];
	let rest = text;
	while (rest !== '') {
		const match = /^(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/.exec(rest);
		if (match === null) throw new Error(`no CSV: ${JSON.stringify(rest.slice(0, 50))}`);
		rows.at(-1)?.push((match[1]?.replaceAll('""', '"') ?? match[2]) as string);
		rest = rest.slice(match[0].length);
		if (match[3] === '\n' && rest !== '') rows.push([]);
	}
	return rows;
};

const HOSTILE = 'a "quoted", text\nin lines; \x1b[31m =1+1';

describe('V8: the results of a map whose process is gone', () => {
	let map: LookedAt;
	beforeAll(async () => {
		const tasks = Array.from({length: 10}, (_, delta) => ({delta, text: delta === 1 ? HOSTILE : 'b'}));
		map = await makeEndedMap({source: SOURCE, tasks, options: {numChunks: 3}});
	});
	afterAll(() => map.remove());
	const results = (...args: readonly string[]) => runQmr(['results', ...args], {cwd: map.directory});
	const MISSING = '8 of 10 results written; 2 failed: tasks 3, 7.\n';

	test('C13: as CSV there is a row for each task that succeeded, with a header, parameters and outputs; which are missing is said apart', async () => {
		const {stdout, stderr, exitCode} = await results('--format', 'csv', '--input');
		expect([exitCode, stderr]).toEqual([1, MISSING]);
		const [header, ...rows] = parseCsv(stdout);
		expect(header).toEqual(['itask', 'delta', 'text', 'energy', 'result.delta', 'point.x', 'point.y', 'result.text', 'none']);
		expect(rows.map(([itask]) => itask)).toEqual(['0', '1', '2', '4', '5', '6', '8', '9']);
		expect(rows[1]).toEqual(['1', '1', HOSTILE, '0.5', '-1', '1', '[1,"a"]', HOSTILE, '']);
	});

	test('C13: without --input there are outputs alone, under their own names', async () => {
		const [header] = parseCsv((await results('--format', 'csv')).stdout);
		expect(header).toEqual(['itask', 'energy', 'delta', 'point.x', 'point.y', 'text', 'none']);
	});

	test('JSON lines are the default; an array has the same', async () => {
		const {stdout, stderr} = await results('--input');
		expect(stderr).toBe(MISSING);
		const lines = stdout
			.trimEnd()
			.split('\n')
			.map(line => JSON.parse(line));
		expect(lines[3]).toEqual({
			itask: 4,
			task: {delta: 4, text: 'b'},
			result: {energy: 2, delta: -4, point: {x: {$bigint: '1'}, y: [1, 'a']}, text: 'b', none: {$undefined: true}},
		});
		expect(JSON.parse((await results('--json', '--input')).stdout)).toEqual(lines);
		expect(JSON.parse((await results('--format', 'json')).stdout)[0]).toEqual({itask: 0, result: lines[0].result});
	});

	test('a file appears whole, is of the format that its name says, and is never replaced unless by force', async () => {
		const path = join(map.directory, 'out.csv');
		expect(await results('-o', 'out.csv')).toMatchObject({
			exitCode: 1,
			stdout: '',
			stderr: '8 of 10 results written to out.csv; 2 failed: tasks 3, 7.\n',
		});
		expect(parseCsv(readFileSync(path, 'utf8')).length).toBe(9);
		writeFileSync(path, 'mine');
		expect(await results('-o', 'out.csv')).toMatchObject({
			exitCode: 2,
			stderr: 'qmr: out.csv exists already. Name another file, or replace it by --force.\n',
		});
		expect(readFileSync(path, 'utf8')).toBe('mine');
		expect((await results('-o', 'out.csv', '--force')).exitCode).toBe(1);
		expect(parseCsv(readFileSync(path, 'utf8')).length).toBe(9);
		expect((await results('-o', 'out.json')).stderr).toContain('to out.json');
		expect(JSON.parse(readFileSync(join(map.directory, 'out.json'), 'utf8')).length).toBe(8);
		expect(readdirSync(map.directory).filter(name => name.endsWith('.new'))).toEqual([]);
	});

	test('what is no file, as a device, is never replaced by one, not even by force', async () => {
		const path = join(map.directory, 'pipe');
		await call('mkfifo', [path]);
		for (const words of [
			['results', 'run', '-o', path, '--force'],
			['report', 'run', '-o', path, '--force'],
		]) {
			const {exitCode, stderr} = await runQmr(words, {cwd: map.directory});
			expect([words, exitCode, statSync(path).isFIFO()]).toEqual([words, 2, true]);
			expect(stderr).not.toMatch(/^\s+at /m);
		}
	});

	test('that stdout takes no more is one line, and no success', async () => {
		const command = `${process.execPath} ${QMR} results run > /dev/full`;
		const {exitCode, stderr} = await call('bash', ['-c', command], {cwd: map.directory, env: {...process.env, QMR_CONFIG: 'off'}});
		expect([exitCode, stderr]).toEqual([1, "qmr: stdout can't be written: ENOSPC: no space left on device, write\n"]);
	});

	test('what is wrong is said before anything is written', async () => {
		expect(await results('--format', 'xml')).toMatchObject({exitCode: 2, stdout: ''});
		expect(await results('--json', '--format', 'csv')).toMatchObject({
			exitCode: 2,
			stderr: expect.stringContaining('Expected --json or --format csv, got both'),
		});
		expect(await results('nothing', '-o', 'never.csv')).toMatchObject({exitCode: 2});
		expect(await results('-o', join('nowhere', 'out.csv'))).toMatchObject({
			exitCode: 2,
			stderr: "qmr: nowhere/out.csv can't be written, for there is no directory nowhere. Make it, or name another file.\n",
		});
		expect(existsSync(join(map.directory, 'never.csv'))).toBe(false);
	});
});

test('all that is there ends with 0; what is no object is one column', async () => {
	const map = await makeEndedMap({source: 'export const fn = n => n % 2 ? n * 2 : null;', tasks: [1, 2, 3]});
	onTestFinished(map.remove);
	const {stdout, stderr, exitCode} = await runQmr(['results', '--format', 'csv', '--input'], {cwd: map.directory});
	expect([exitCode, stderr]).toEqual([0, '3 of 3 results written.\n']);
	expect(parseCsv(stdout)).toEqual([
		['itask', 'task', 'result'],
		['0', '1', '2'],
		['1', '2', ''],
		['2', '3', '6'],
	]);
});

test('H6, C16: while the map runs the finished ones are written, the others are named; later it is asked again', async () => {
	const source = `import {existsSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
export const fn = async n => {
	while (n > 2 && !existsSync(new URL('go', import.meta.url))) await sleep(20);
	if (n === 1) throw new Error('one');
	return {n, ...(n > 2 ? {late: true} : {})};
};`;
	const map = await submitMap({
		source,
		tasks: [0, 1, 2, 3, 4, 5, 6],
		options: {engine: 'local', slots: 1, chunkSize: 3, pollingIntervalMs: 50},
	});
	onTestFinished(map.remove);
	const results = () => runQmr(['results', '--format', 'csv', '-o', 'out.csv', '--force'], {cwd: map.directory});
	await expect
		.poll(async () => (await results()).stderr, {timeout: 60_000})
		.toBe('2 of 7 results written to out.csv; 1 failed: task 1; 4 not finished: tasks 3-6.\n');
	expect(readFileSync(join(map.directory, 'out.csv'), 'utf8')).toBe('itask,n\n0,0\n2,2\n');
	writeFileSync(join(map.directory, 'go'), '');
	await map.run.outcomes();
	expect(await results()).toMatchObject({exitCode: 1, stderr: '6 of 7 results written to out.csv; 1 failed: task 1.\n'});
	expect(readFileSync(join(map.directory, 'out.csv'), 'utf8')).toBe('itask,n,late\n0,0,\n2,2,\n3,3,true\n4,4,true\n5,5,true\n6,6,true\n');
});
