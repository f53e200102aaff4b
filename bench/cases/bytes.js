/** Large tasks and results: so many megabytes in and as many out, against copying a file of that size as often. */
import {copyFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {ratio} from '../helpers/case.js';
import {time} from '../helpers/programs.js';

const MEGABYTE = 2 ** 20;

/** @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createBytes = ({engine, quick, directory, measure}) =>
	(quick ? [1] : [1, 10, 100]).map(megabytes => {
		const count = Math.min(quick ? 2 : 16, Math.ceil(400 / megabytes));
		return {
			name: `bytes-${megabytes}`,
			title: `${count} tasks of ${megabytes} MB in and out, in ${count} jobs`,
			limit: `cp of ${2 * count} × ${megabytes} MB, flushed`,
			unit: 's',
			contestants: {
				ours: async () => {
					const {seconds} = await measure({
						task: 'copy',
						tasks: {kind: 'bytes', count, bytes: megabytes * MEGABYTE},
						options: {...engine.options, numChunks: count},
					});
					return seconds;
				},
				limit: () => time(async () => copyFiles(directory, 2 * count, megabytes * MEGABYTE)),
			},
			verdict: ratio(),
			maxRuns: 3,
		};
	});

const copyFiles = (/** @type {string} */ directory, /** @type {number} */ count, /** @type {number} */ bytes) => {
	const file = path.join(directory, 'bytes');
	writeFileSync(file, Buffer.alloc(bytes, 1), {flush: true});
	for (let i = 0; i < count; i++) {
		copyFileSync(file, `${file}.copy`);
		rmSync(`${file}.copy`);
	}
	rmSync(file);
};
