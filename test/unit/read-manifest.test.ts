/** Which chunks a work_dir holds, as the manifest, the journal and the names of its files tell. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import type {JournalLine} from '../../src/journal.js';
import type {Manifest} from '../../src/manifest.js';
import {realFiles} from '../../src/ports.js';
import {findChunks} from '../../src/read/read-manifest.js';
import {writeTasks} from '../../src/write-tasks.js';

const STREAM: Pick<Manifest, 'session' | 'numTasks' | 'numChunks' | 'options' | 'stream'> = {
	...{session: '2026-11-21T00-20-07_a10cda', numTasks: null, numChunks: null, options: {}},
	stream: {kind: 'chunk-size', chunkSize: 2},
};

test('of a stream that is all written a file that is missing costs no chunk', async () => {
	const names = ['000000000.tasks', '000000002.tasks'];
	expect(await findChunks(STREAM, '/w', names, [{event: 'tasks-complete', time: '', numTasks: 5}], realFiles)).toEqual({
		chunks: [
			{ichunk: 0, firstTask: 0, numTasks: 2},
			{ichunk: 1, firstTask: 2, numTasks: 2},
			{ichunk: 2, firstTask: 4, numTasks: 1},
		],
		firstMissing: undefined,
	});
});

/** A work_dir whose process ended before it could note that all was written. */
const writeChunks = async (...sizes: readonly number[]): Promise<{workDir: string; names: string[]}> => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-chunks-'));
	onTestFinished(() => rmSync(workDir, {recursive: true, force: true}));
	const names: string[] = [];
	let firstTask = 0;
	for (const [ichunk, numTasks] of sizes.entries()) {
		const name = `00000000${ichunk}.tasks`;
		names.push(name);
		const chunk = {ichunk, firstTask, numTasks};
		firstTask += numTasks;
		const header = {session: STREAM.session, node: process.version, createdAt: '2026-11-21T00:20:07.000Z'};
		await writeTasks(join(workDir, name), chunk, new Array(numTasks).fill(0), header, realFiles);
	}
	return {workDir, names};
};

test('of a stream that was left halfway the first missing task is the one behind the last chunk', async () => {
	const {workDir, names} = await writeChunks(2, 2);
	expect(await findChunks(STREAM, workDir, names, [], realFiles)).toMatchObject({firstMissing: 4});
	writeFileSync(join(workDir, '000000001.tasks'), 'damaged');
	expect(await findChunks(STREAM, workDir, names, [], realFiles)).toMatchObject({firstMissing: 4});
	expect(await findChunks(STREAM, workDir, [], [], realFiles)).toEqual({chunks: [], firstMissing: 0});
});

test('a last chunk that is shorter than it might be was the last of all: nothing is missing, and nothing can come behind it', async () => {
	const {workDir, names} = await writeChunks(2, 1);
	expect(await findChunks(STREAM, workDir, names, [], realFiles)).toEqual({
		chunks: [
			{ichunk: 0, firstTask: 0, numTasks: 2},
			{ichunk: 1, firstTask: 2, numTasks: 1},
		],
		firstMissing: undefined,
	});
});

const cut = (ichunk: number, numTasks: number, owner?: number): JournalLine => ({
	...{event: 'chunk-cut', time: '', ichunk, numTasks},
	...(owner === undefined ? {} : {owner}),
});

test('a chunk that was closed before it was full moves those behind it, and is not taken for the last', async () => {
	const {workDir, names} = await writeChunks(2, 1, 2, 1);
	const journal = [cut(1, 1), cut(3, 1)];
	const chunks = [
		{ichunk: 0, firstTask: 0, numTasks: 2},
		{ichunk: 1, firstTask: 2, numTasks: 1},
		{ichunk: 2, firstTask: 3, numTasks: 2},
		{ichunk: 3, firstTask: 5, numTasks: 1},
	];
	expect(await findChunks(STREAM, workDir, names, journal, realFiles)).toEqual({chunks, firstMissing: 6});
	const complete: JournalLine = {event: 'tasks-complete', time: '', numTasks: 7};
	expect(await findChunks(STREAM, workDir, [], [...journal, complete], realFiles)).toEqual({
		chunks: [...chunks, {ichunk: 4, firstTask: 6, numTasks: 1}],
		firstMissing: undefined,
	});
});

test('of the size of a chunk the last word counts, but not that of a process that had lost the work_dir', async () => {
	const {workDir, names} = await writeChunks(2, 2, 1);
	const sizes = async (...journal: JournalLine[]) =>
		(await findChunks(STREAM, workDir, names, journal, realFiles)).chunks.map(({numTasks}) => numTasks);
	// The first process ended before it wrote the chunk.
	expect(await sizes(cut(1, 1), cut(1, 2, 2))).toEqual([2, 2, 1]);
	expect(await sizes(cut(1, 2, 2), cut(1, 1))).toEqual([2, 2, 1]);
});
