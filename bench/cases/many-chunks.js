/** Ten thousand chunks: as many queue-jobs in arrays, and a few queue-jobs that take one chunk after the other. */
import {ratio} from '../helpers/case.js';

/** @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createManyChunks = ({engine, quick, slots, measure}) => {
	const count = quick ? 8 : 10_000;
	const numJobs = quick ? 2 : slots;
	const map = async (/** @type {Record<string, unknown>} */ options) => {
		const {seconds} = await measure({
			task: 'double',
			tasks: {kind: 'range', count},
			options: {...engine.options, numChunks: count, arrayJobs: true, ...options},
		});
		return seconds;
	};
	return [
		{
			name: `chunks-${count}`,
			title: `${count.toLocaleString('en')} chunks, as arrays`,
			limit: engine.arrayName,
			unit: 's',
			contestants: {ours: () => map({}), limit: () => engine.array(count, '0')},
			verdict: ratio(),
			maxRuns: 1,
		},
		{
			name: `chunks-${count}-dynamic`,
			title: `${count.toLocaleString('en')} chunks, ${numJobs} jobs that take one after the other`,
			limit: `${engine.arrayName} of ${numJobs}`,
			unit: 's',
			contestants: {ours: () => map({schedule: 'dynamic', numJobs}), limit: () => engine.array(numJobs, '0')},
			verdict: ratio(),
			maxRuns: 3,
		},
	];
};
