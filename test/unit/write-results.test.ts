import {appendFileSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {type Format, formatMissing, writeResults} from '../../src/cli/look/write-results.js';
import {encodeOutcomes, encodeTasks, exception, SESSION} from '../helpers/chunk-files.js';

const TIME = '2026-11-21T00:20:07.000Z';

/** A work_dir of tasks in one chunk. */
const makeWorkDir = (values: readonly unknown[], tasks: readonly unknown[] = values.map((_, i) => i)) => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-results-'));
	onTestFinished(() => rmSync(workDir, {recursive: true, force: true}));
	const finish = (of: readonly unknown[]): void =>
		writeFileSync(
			join(workDir, '000000000.1.out'),
			encodeOutcomes(of.map(value => (value instanceof Error ? {failure: exception(value.message)} : {value}))),
		);
	writeFileSync(
		join(workDir, 'run.json'),
		JSON.stringify({format: 1, session: SESSION, numTasks: values.length, numChunks: 1, options: {}}),
	);
	writeFileSync(join(workDir, '000000000.tasks'), encodeTasks(tasks));
	finish(values);
	appendFileSync(join(workDir, 'log.jsonl'), `${JSON.stringify({time: TIME, event: 'result', ichunk: 0, attempt: 1})}\n`);
	return {workDir, finish};
};

const writeAll = async (
	workDir: string,
	format: Format,
	{hasTasks = false, onWrite = () => {}}: {hasTasks?: boolean; onWrite?: () => void} = {},
) => {
	let text = '';
	const written = await writeResults({
		...{workDir, format, hasTasks},
		write: async piece => {
			text += piece;
			onWrite();
		},
	});
	return {text, ...written};
};

test('C13: a cell of CSV is what a spreadsheet can take', async () => {
	const row = {
		...{text: 'a "b", c\nd', number: 1.5, nan: Number.NaN, big: 2n ** 70n, yes: true, nothing: null, missing: undefined},
		...{date: new Date(0), list: [1, {a: 1n}], empty: {}, nested: {a: 1, b: {c: 2}}, bytes: new Uint8Array([1, 2])},
	};
	const {text} = await writeAll(makeWorkDir([row]).workDir, 'csv');
	expect(text).toBe(
		[
			'itask,text,number,nan,big,yes,nothing,missing,date,list,empty,nested.a,nested.b,bytes',
			'0,"a ""b"", c\nd",1.5,NaN,1180591620717411303424,true,,,1970-01-01T00:00:00.000Z,"[1,{""a"":{""$bigint"":""1""}}]",{},1,"{""c"":2}","{""$Uint8Array"":[1,2]}"',
			'',
		].join('\n'),
	);
});

test('columns are those of all rows, in the order in which they come first', async () => {
	const {text} = await writeAll(makeWorkDir([{a: 1}, 7, {b: 2, a: 3}], [{x: 1}, {x: 2, y: 3}, 'z']).workDir, 'csv', {hasTasks: true});
	expect(text).toBe('itask,x,y,task,a,result,b\n0,1,,,1,,\n1,2,3,,,7,\n2,,,z,3,,2\n');
});

test('V8: a column that comes while the rows are written is for the next time: its task counts as not finished', async () => {
	const {workDir, finish} = makeWorkDir([{a: 1}, {a: 2}]);
	let numWrites = 0;
	const onWrite = (): void => {
		if (numWrites++ === 0) finish([{a: 1}, {a: 2, late: 3}]);
	};
	expect(await writeAll(workDir, 'csv', {onWrite})).toMatchObject({text: 'itask,a\n0,1\n', numWritten: 1, open: [1]});
	expect(await writeAll(workDir, 'csv')).toMatchObject({text: 'itask,a,late\n0,1,\n1,2,3\n', numWritten: 2, open: []});
});

test('without any result there is an empty table, an empty array, or nothing', async () => {
	const {workDir} = makeWorkDir([new Error('boom'), new Error('boom')]);
	expect(await writeAll(workDir, 'csv')).toMatchObject({text: 'itask\n', failed: [0, 1], numWritten: 0});
	expect(JSON.parse((await writeAll(workDir, 'json')).text)).toEqual([]);
	expect((await writeAll(workDir, 'jsonl')).text).toBe('');
});

test('more rows than are written at a time are one table, one array', async () => {
	const {workDir} = makeWorkDir(Array.from({length: 2500}, (_, i) => i));
	expect(JSON.parse((await writeAll(workDir, 'json')).text).map(({result}: {result: number}) => result)).toEqual(
		Array.from({length: 2500}, (_, i) => i),
	);
	expect((await writeAll(workDir, 'csv')).text.trimEnd().split('\n').length).toBe(2501);
});

test('what is missing is said in ranges, failed ones apart from those that are not finished', () => {
	const nothing = {numTasks: 9, numWritten: 9, failed: [], cancelled: [], open: [], firstMissing: undefined, problems: []};
	expect(formatMissing(nothing)).toBe(undefined);
	expect(formatMissing({...nothing, failed: [3], open: [5, 6, 7, 9]})).toBe('1 failed: task 3; 4 not finished: tasks 5-7, 9');
	expect(formatMissing({...nothing, failed: [3], cancelled: [4, 5]})).toBe('1 failed: task 3; 2 cancelled: tasks 4-5');
	expect(formatMissing({...nothing, firstMissing: 9})).toBe('those from task 9 on are not written yet');
});
