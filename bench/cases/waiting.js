/** What it costs the process-node to wait: one question to a long queue, and a minute of waiting. The scheduler is a stand-in, so that it costs nothing itself. */
import {fileURLToPath} from 'node:url';
import {ownValue} from '../helpers/case.js';
import {run} from '../helpers/programs.js';

const MEASURE_POLL = fileURLToPath(new URL('../helpers/measure-poll.js', import.meta.url));
const MEASURE_WAITING = fileURLToPath(new URL('../helpers/measure-waiting.js', import.meta.url));

/** @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Case[]} */
export const createWaiting = ({engine, quick}) => {
	if (engine.name !== 'local') return [];
	const numListed = quick ? 100 : 10_000;
	const numJobs = quick ? 10 : 1000;
	const seconds = quick ? 1 : 60;
	/** @type {(name: keyof import('../helpers/measure-poll.js').MeasuredPolls) => Promise<number>} */
	const poll = async name => JSON.parse(await run(process.execPath, [MEASURE_POLL, String(numListed)]))[name];
	return [
		{
			name: 'poll-first',
			title: `the first answer of qstat with ${numListed.toLocaleString('en')} jobs, CPU`,
			unit: 's',
			contestants: {ours: () => poll('first')},
			verdict: ownValue('s', 0.3),
		},
		{
			name: 'poll-changed',
			title: `an answer of qstat with ${numListed.toLocaleString('en')} jobs, one ended and one begun, CPU`,
			unit: 's',
			contestants: {ours: () => poll('changed'), unchanged: () => poll('unchanged'), 'all lines changed': () => poll('allChanged')},
			verdict: ownValue('s', 0.3),
		},
		{
			name: 'waiting',
			title: `waiting ${seconds} s for ${numJobs.toLocaleString('en')} running jobs, CPU`,
			unit: '% of a core',
			contestants: {ours: async () => Number(await run(process.execPath, [MEASURE_WAITING, String(numJobs), String(seconds)]))},
			verdict: ownValue('% of a core', 1),
			maxRuns: 3,
		},
	];
};
