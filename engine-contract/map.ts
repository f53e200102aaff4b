import {type Case, hold} from './workbench.js';

const TASKS = [1, 4, 9, 16, 25];

export const mapCases: readonly Case[] = [
	{
		title: 'a map on it gives its results in order, and leaves nothing in the queue',
		body: async ({engine, directory, untilGone}) => {
			const {Pool} = await import('../src/index.js');
			const ids: string[] = [];
			const noting: typeof engine = {
				...engine,
				submit: async requests => {
					const outcomes = await engine.submit(requests);
					for (const outcome of outcomes) if (outcome.kind === 'submitted') ids.push(outcome.id);
					return outcomes;
				},
			};
			const pool = new Pool({engine: noting, workRoot: directory, numChunks: 3, pollingIntervalMs: 200});
			const roots = await pool.map(Math.sqrt, TASKS);
			hold(JSON.stringify(roots) === '[1,2,3,4,5]', `Expected the roots of 1, 4, 9, 16 and 25, got ${JSON.stringify(roots)}.`);
			hold(ids.length === 3, `Expected 3 queue-jobs, got ${ids.length}.`);
			await untilGone(...ids);
		},
	},
];
