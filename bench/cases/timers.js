/** Tasks that wait for a timer: how much is added to the time they take anyway. */
import {ratio} from '../helpers/case.js';

/** @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createTimers = ({engine, quick, slots, measure}) => {
	/** @type {{count: number, ms: number, most?: number}[]} */
	const sizes = quick
		? [{count: 2, ms: 100}]
		: [
				{count: 100, ms: 1000},
				{count: 48, ms: 5000, ...(engine.name !== 'local' && {most: 1.05})},
			];
	return sizes.map(({count, ms, most}) => ({
		name: `timers-${count}`,
		title: `${count} × ${ms / 1000} s on ${slots} slots, as an array`,
		limit: engine.arrayName,
		unit: 's',
		contestants: {
			ours: async () => {
				const {seconds} = await measure({
					task: 'wait',
					tasks: {kind: 'same', count, value: ms},
					options: {...engine.options, numChunks: count, arrayJobs: true},
				});
				return seconds;
			},
			limit: () => engine.array(count, `setTimeout(() => {}, ${ms})`),
		},
		verdict: ratio(most),
	}));
};
