import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {createRerunReader, listReruns, mergeTask} from '../../src/later/merge-reruns.js';
import type {KnownChunk, OpenWorkDir} from '../../src/read/open-work-dir.js';
import {readWorkDir, type TaskRecord} from '../../src/read/read-work-dir.js';
import {encodeOutcomes, encodeTasks, exception, SESSION} from '../helpers/chunk-files.js';

const record = (state: TaskRecord['state'], rerun?: number, kind = 'exception'): TaskRecord =>
	({
		itask: 7,
		state,
		rerun,
		input: rerun === undefined ? 'first' : 'again',
		outcome: state === 'failed' ? {status: 'rejected', kind, message: ''} : undefined,
	}) as TaskRecord;

describe('of a task that was computed again', () => {
	test.each<[string, TaskRecord, TaskRecord[], number | undefined]>([
		['the last success counts', record('done'), [record('done', 1), record('failed', 2)], 1],
		['a success counts, whatever failed or runs later', record('done'), [record('failed', 1), record('running', 2)], undefined],
		['without a success what came last counts', record('failed'), [record('failed', 1), record('pending', 2)], 2],
		[
			'that it was cancelled says less than how it had failed',
			record('failed'),
			[record('failed', 1), record('failed', 2, 'cancelled')],
			1,
		],
		['when it was only ever cancelled that is told', record('failed', undefined, 'cancelled'), [record('failed', 1, 'cancelled')], 1],
	])('%s', (_title, first, again, rerun) => {
		expect(mergeTask(first, again)).toMatchObject({rerun, input: 'first'});
	});

	test('of a million tasks that were not nothing is copied', () => {
		const first = record('done');
		expect(mergeTask(first, [])).toBe(first);
	});
});

test('reruns come in the order of their numbers, and no other name is one', () => {
	const names = ['rerun.10', 'rerun.2', 'rerun.0', 'rerun.1x', '.rerun_1-x', 'run.json', 'rerun.'];
	expect(listReruns('/run', names)).toEqual([
		{number: 2, path: '/run/rerun.2'},
		{number: 10, path: '/run/rerun.10'},
	]);
});

test('a chunk of a rerun is read once for all its tasks', async () => {
	const chunk = {chunk: {ichunk: 0, firstTask: 0, numTasks: 2, itasks: [3, 7]}, events: [], files: []} as KnownChunk;
	let numRead = 0;
	const read = createRerunReader([{number: 4, map: {chunks: [chunk]} as unknown as OpenWorkDir}], async () => {
		numRead++;
		return [3, 7].map(itask => ({...record('done'), itask}));
	});
	expect([await read(3), await read(5), await read(7)]).toMatchObject([[{itask: 3, rerun: 4}], [], [{itask: 7, rerun: 4}]]);
	expect(numRead).toBe(1);
});

test('one that is being made, or is damaged, hides nothing of the first map', async () => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-merge-'));
	onTestFinished(() => rmSync(workDir, {recursive: true}));
	const write = (name: string, content: string | Buffer): void => writeFileSync(join(workDir, name), content);
	write('run.json', JSON.stringify({format: 1, session: SESSION, numTasks: 2, numChunks: 1, options: {}}));
	write('000000000.tasks', encodeTasks(['a', 'b']));
	write('000000000.1.out', encodeOutcomes([{value: 1}, {failure: exception('boom')}]));
	for (const name of ['rerun.1', 'rerun.2', 'rerun.3']) mkdirSync(join(workDir, name), {mode: 0o700});
	write('rerun.2/run.json', '{"format":');
	write('rerun.3/run.json', JSON.stringify({format: 1, session: `${SESSION}x`, numTasks: 1, numChunks: 1, options: {}, itasks: [1]}));
	write('rerun.3/000000000.tasks', encodeTasks(['b'], {session: `${SESSION}x`}));
	write('rerun.3/000000000.1.out', encodeOutcomes([{value: 2}], {header: {session: `${SESSION}x`}}));
	const {tasks, problems} = await readWorkDir(workDir);
	expect(tasks.map(({itask, state, rerun, input}) => [itask, state, rerun, input])).toEqual([
		[0, 'done', undefined, 'a'],
		[1, 'done', 3, 'b'],
	]);
	expect(problems).toEqual([expect.stringContaining('rerun.2')]);
});
