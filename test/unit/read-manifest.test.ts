/** Which chunks a work_dir holds, as the manifest, the journal and the names of its files tell. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
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
	expect(await findChunks(STREAM, '/w', names, 5, realFiles)).toEqual({
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
	for (const [ichunk, numTasks] of sizes.entries()) {
		const name = `00000000${ichunk}.tasks`;
		names.push(name);
		const chunk = {ichunk, firstTask: 2 * ichunk, numTasks};
		const header = {session: STREAM.session, node: process.version, createdAt: '2026-11-21T00:20:07.000Z'};
		await writeTasks(join(workDir, name), chunk, new Array(numTasks).fill(0), header, realFiles);
	}
	return {workDir, names};
};

test('of a stream that was left halfway the first missing task is the one behind the last chunk', async () => {
	const {workDir, names} = await writeChunks(2, 2);
	expect(await findChunks(STREAM, workDir, names, undefined, realFiles)).toMatchObject({firstMissing: 4});
	writeFileSync(join(workDir, '000000001.tasks'), 'damaged');
	expect(await findChunks(STREAM, workDir, names, undefined, realFiles)).toMatchObject({firstMissing: 4});
	expect(await findChunks(STREAM, workDir, [], undefined, realFiles)).toEqual({chunks: [], firstMissing: 0});
});

test('a last chunk that is shorter than it might be was the last of all: nothing is missing, and nothing can come behind it', async () => {
	const {workDir, names} = await writeChunks(2, 1);
	expect(await findChunks(STREAM, workDir, names, undefined, realFiles)).toEqual({
		chunks: [
			{ichunk: 0, firstTask: 0, numTasks: 2},
			{ichunk: 1, firstTask: 2, numTasks: 1},
		],
		firstMissing: undefined,
	});
});
