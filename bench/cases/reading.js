/** Reading all result files and bringing the results into order, with nothing else: what the process-node does when the queue-jobs have ended. */
import {mkdtempSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {ownValue} from '../helpers/case.js';
import {run} from '../helpers/programs.js';

const MEASURE_READING = fileURLToPath(new URL('../helpers/measure-reading.js', import.meta.url));
const NUM_CHUNKS = 48;

/** Made on this machine, for it does not matter where. @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createReading = ({engine, quick, directory, measure}) => {
	if (engine.name !== 'local') return [];
	const count = quick ? 1e4 : 1e6;
	const kinds = /** @type {const} */ ([
		{task: 'double', name: 'numbers', most: 0.1},
		{task: 'describe', name: 'objects', most: 1},
	]);
	return kinds.map(({task, name, most}) => {
		/** @type {Promise<string> | undefined} */
		let made;
		const makeWorkDir = async () => {
			const workDir = mkdtempSync(path.join(directory, 'reading-'));
			await measure({
				task,
				tasks: {kind: 'range', count},
				options: {...engine.options, numChunks: quick ? 2 : NUM_CHUNKS, workDir, keepWorkDir: true},
			});
			return workDir;
		};
		return {
			name: `reading-${name}`,
			title: `reading and ordering ${count.toLocaleString('en')} results: ${name === 'numbers' ? name : '{id, v} objects'}`,
			unit: 's',
			contestants: {
				ours: async () => {
					made ??= makeWorkDir();
					return Number(await run(process.execPath, [MEASURE_READING, await made]));
				},
			},
			verdict: ownValue('s', most),
		};
	});
};
