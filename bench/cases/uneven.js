/**
 * Tasks of uneven length: as many chunks as slots, against as many queue-jobs that take one task after the other. What can be had at best without knowing the lengths is
 * calculated: each slot that is free takes the next task, and nothing else takes any time. Over
 * all draws that is 0.74 times what static chunks take on 48 slots; of the five that are drawn here, 0.66 in the median.
 */

/** @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createUneven = ({engine, quick, slots, measure}) => {
	const numSlots = quick ? 2 : slots;
	// With fewer tasks the longest decides, with more they even out: at ten a slot dynamic chunks gain most.
	const numTasks = (quick ? 3 : 10) * numSlots;
	// So long that what it takes to start the queue-jobs matters little.
	const meanMs = quick ? 20 : 3000;

	/** @type {(name: string, title: string, maxRuns: number, order: (lengths: number[]) => number[]) => import('../helpers/case.js').Case} */
	const create = (name, title, maxRuns, order) => {
		// Other lengths in every run, the same for all contestants of one.
		const drawNext = () => {
			let run = 0;
			return () => order(drawLengths(numTasks, meanMs, ++run));
		};
		const [drawOurs, drawStatic, drawIdeal] = [drawNext(), drawNext(), drawNext()];
		const map = async (/** @type {number[]} */ values, /** @type {Record<string, unknown>} */ options) => {
			const {seconds} = await measure({
				task: 'wait',
				tasks: {kind: 'values', values},
				options: {...engine.options, arrayJobs: true, ...options},
			});
			return seconds;
		};
		return {
			name,
			title: `${numTasks} tasks of ${meanMs / 1000} s on average, ${title}, ${numSlots} jobs`,
			limit: 'at best, calculated',
			unit: 's',
			maxRuns,
			contestants: {
				ours: () => map(drawOurs(), {schedule: 'dynamic', numJobs: numSlots, numChunks: numTasks}),
				'static chunks': () => map(drawStatic(), {numChunks: numSlots}),
				limit: async () => findMakespan(drawIdeal(), numSlots) / 1000,
			},
			verdict: {
				unit: 'times',
				...(quick ? {} : {most: 0.7}),
				of: ({ours = Number.NaN, 'static chunks': even = Number.NaN}) => ours / even,
			},
		};
	};
	return [
		create('uneven', 'exponential', 5, lengths => lengths),
		// As those of a study in which one number grows from task to task.
		create('uneven-growing', 'exponential, each longer than the one before', 1, lengths => lengths.toSorted((a, b) => a - b)),
	];
};

/** Exponentially distributed, in milliseconds; the same for the same seed. @type {(count: number, meanMs: number, seed: number) => number[]} */
const drawLengths = (count, meanMs, seed) => {
	// Lehmer's generator, whose first numbers are alike for seeds that are.
	let state = (seed * 7919 * 48_271) % MODULUS;
	return Array.from({length: count}, () => {
		state = (state * 48_271) % MODULUS;
		return Math.ceil(-Math.log(state / MODULUS) * meanMs);
	});
};

const MODULUS = 2 ** 31 - 1;

/** @type {(lengths: readonly number[], numSlots: number) => number} */
const findMakespan = (lengths, numSlots) => {
	const freeAt = new Array(numSlots).fill(0);
	for (const length of lengths) {
		const first = freeAt.indexOf(Math.min(...freeAt));
		freeAt[first] += length;
	}
	return Math.max(...freeAt);
};
