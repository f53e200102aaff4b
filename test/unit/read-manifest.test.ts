/** Which chunks a work_dir holds, as the manifest, the journal and the names of its files tell. */
import {expect, test} from 'vitest';
import type {Manifest} from '../../src/manifest.js';
import {realFiles} from '../../src/ports.js';
import {findChunks} from '../../src/read-manifest.js';

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
