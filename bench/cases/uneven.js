/** Tasks of very different lengths: queue-jobs that take one chunk after the other, against chunks that are dealt out beforehand. */
import {ratio} from '../helpers/case.js';

/** As many for each slot, so that the lengths of one chunk add up to something uneven, too. */
const TASKS_A_SLOT = 10;
const MEAN_MS = 2000;

/** @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createUneven = ({engine, quick, slots, measure}) => {
	const numJobs = quick ? 2 : slots;
	const count = numJobs * (quick ? 2 : TASKS_A_SLOT);
	const values = exponential(count, quick ? 10 : MEAN_MS);
	const map = async (/** @type {Record<string, unknown>} */ options) => {
		const {seconds} = await measure({
			task: 'wait',
			tasks: {kind: 'values', values},
			options: {...engine.options, arrayJobs: true, ...options},
		});
		return seconds;
	};
	return [
		{
			name: 'uneven',
			title: `${count} tasks of exponential lengths on ${numJobs} slots, dynamic`,
			limit: `static, ${numJobs} chunks`,
			unit: 's',
			contestants: {
				ours: () => map({schedule: 'dynamic', numJobs, numChunks: count}),
				limit: () => map({numChunks: numJobs}),
			},
			verdict: ratio(0.7),
		},
	];
};

/** The same lengths in every run. @type {(count: number, mean: number) => number[]} */
const exponential = (count, mean) => {
	let state = 1;
	return Array.from({length: count}, () => {
		// The minimal standard generator of Park and Miller.
		state = (state * 48_271) % 2_147_483_647;
		return Math.round(-mean * Math.log(state / 2_147_483_647));
	});
};
