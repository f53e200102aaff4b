/** Memory: of the process-node while very many tasks go through it, and of a worker above that of a bare Node. */
import {mkdtempSync, rmSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {ownValue} from '../helpers/case.js';
import {run} from '../helpers/programs.js';

const MEASURE_WORKER = fileURLToPath(new URL('../helpers/measure-worker.js', import.meta.url));
const BARE = 'console.log(process.resourceUsage().maxRSS / 1024)';

/** The engine does not matter. @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createMemory = ({engine, quick, directory, measure}) => {
	if (engine.name !== 'local') return [];
	const numStreamed = quick ? 1e4 : 1e7;
	// As many as one of 48 jobs gets of 1e7.
	const perChunk = quick ? 1e4 : 2e5;
	const workerMemory = async (/** @type {'double' | 'describe'} */ task) => {
		const workDir = mkdtempSync(path.join(directory, 'memory-'));
		try {
			const options = {...engine.options, numChunks: 1, workDir, keepWorkDir: true};
			await measure({task, tasks: {kind: 'range', count: perChunk}, options});
			return Number(await run(process.execPath, [MEASURE_WORKER, workDir]));
		} finally {
			rmSync(workDir, {recursive: true});
		}
	};
	const kinds = /** @type {const} */ ([
		{task: 'double', name: 'numbers', most: 20},
		{task: 'describe', name: 'objects', most: 40},
	]);
	return [
		{
			name: 'memory-imap',
			title: `memory of the process-node, ${numStreamed.toLocaleString('en')} tasks through imap`,
			unit: 'MB',
			contestants: {
				ours: async () => {
					const {peakMegabytes} = await measure({
						call: 'imap',
						task: 'double',
						tasks: {kind: 'range', count: numStreamed},
						// The number of tasks is not known beforehand, so that it must be said how many a queue-job gets.
						options: {...engine.options, chunkSize: quick ? 1e3 : 1e5},
					});
					return peakMegabytes;
				},
			},
			verdict: ownValue('MB', 250),
			maxRuns: 3,
		},
		...kinds.map(({task, name, most}) => ({
			name: `memory-worker-${name}`,
			title: `memory of a worker that computes ${perChunk.toLocaleString('en')} ${name}, above bare Node`,
			limit: 'node -e 0',
			unit: 'MB',
			contestants: {
				ours: () => workerMemory(task),
				limit: async () => Number(await run(process.execPath, ['-e', BARE])),
			},
			verdict: {unit: 'MB', most, of: ({ours = Number.NaN, limit = Number.NaN}) => ours - limit},
		})),
	];
};
