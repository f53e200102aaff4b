/** Many queue-jobs of one tiny task: how much more than starting `node -e 0` as often. */
import {ratio} from '../helpers/case.js';
import {timeParallel} from '../helpers/peers.js';

/** @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createShortJobs = bench => {
	const {engine, quick, measure, batchtools, slots} = bench;
	// The targets are for a scheduler: xargs has no queue, no hosts and nothing to lose.
	const targets = engine.name === 'local' ? {} : {arrays: 1.0, singles: 1.1};
	/** @type {{count: number, arrays?: number, singles?: number}[]} */
	const sizes = quick ? [{count: 4}] : [{count: 100, ...targets}, {count: 1000}];
	return sizes.flatMap(({count, arrays, singles}) => {
		const map = async (/** @type {boolean} */ arrayJobs) => {
			const {seconds} = await measure({
				task: 'double',
				tasks: {kind: 'range', count},
				options: {...engine.options, numChunks: count, ...(arrayJobs ? {arrayJobs} : {})},
			});
			return seconds;
		};
		/** @type {Record<string, () => Promise<number>>} */
		const parallel = engine.name === 'local' ? {'GNU parallel': () => timeParallel(slots, count, '0')} : {};
		return [
			{
				name: `arrays-${count}`,
				title: `${count} jobs of one task, as an array`,
				limit: engine.arrayName,
				unit: 's',
				contestants: {
					ours: () => map(true),
					limit: () => engine.array(count, '0'),
					...parallel,
					'R batchtools': () => batchtools({numTasks: count, numChunks: count, arrays: true}),
				},
				verdict: ratio(arrays),
			},
			{
				name: `jobs-${count}`,
				title: `${count} jobs of one task, submitted one by one`,
				limit: engine.singlesName,
				unit: 's',
				contestants: {
					ours: () => map(false),
					limit: () => engine.singles(count, '0'),
					...parallel,
					'R batchtools': () => batchtools({numTasks: count, numChunks: count, arrays: false}),
				},
				verdict: ratio(singles),
			},
		];
	});
};
