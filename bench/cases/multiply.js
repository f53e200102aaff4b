/** `x => x * 2` very often: the public benchmark of the clustermq paper, and what one more task costs. */
import {ratio} from '../helpers/case.js';

/** What takes longer needs no more than a few runs. */
const MAX_RUNS_LARGE = 3;

/** batchtools keeps a table of all tasks in memory and on disk: beyond this it takes minutes. */
const MAX_BATCHTOOLS = 1e5;

/** @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createMultiply = ({engine, quick, measure, batchtools}) => {
	const map = async (/** @type {number} */ count, /** @type {number} */ numChunks) => {
		const {seconds} = await measure({
			task: 'double',
			tasks: {kind: 'range', count},
			options: {...engine.options, numChunks, arrayJobs: true},
		});
		return seconds;
	};
	const sizes = quick ? [1e3] : [1e3, 1e4, 1e5, 1e6, 1e7];
	const jobs = quick ? [2] : [10, 50];
	/** @type {import('../helpers/case.js').Case[]} */
	const published = sizes.flatMap(count =>
		jobs.map(numChunks => ({
			name: `multiply-${count}-${numChunks}`,
			title: `${formatCount(count)} times x * 2 in ${numChunks} jobs`,
			limit: engine.arrayName,
			unit: 's',
			contestants: {
				ours: () => map(count, numChunks),
				limit: () => engine.array(numChunks, '0'),
				...(count <= MAX_BATCHTOOLS && {'R batchtools': () => batchtools({numTasks: count, numChunks, arrays: false})}),
			},
			verdict: ratio(),
			...(count >= 1e6 && {maxRuns: MAX_RUNS_LARGE}),
		})),
	);
	const many = quick ? 1e5 : 1e7;
	const numChunks = quick ? 2 : 48;
	return [
		...published,
		{
			name: 'one-task-more',
			title: `${formatCount(many)} times x * 2 in ${numChunks} jobs, above ${numChunks} times`,
			limit: `${numChunks} tasks`,
			unit: 's',
			contestants: {ours: () => map(many, numChunks), limit: () => map(numChunks, numChunks)},
			verdict: {unit: 'µs a task', most: 1, of: ({ours = Number.NaN, limit = Number.NaN}) => ((ours - limit) / many) * 1e6},
		},
	];
};

const formatCount = (/** @type {number} */ count) => `1e${Math.round(Math.log10(count))}`;
