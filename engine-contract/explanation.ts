import type {JobEnd, JobQuestion} from '../src/index.js';
import {type Case, hold, type Job, type Workbench, waitFor} from './workbench.js';

const ask = async ({engine}: Workbench, {id, name}: Job, state: JobQuestion['state']): Promise<JobEnd | undefined> => {
	const end = await engine.explain({id, name, state, resources: {}}).catch((error: unknown) => {
		throw new Error(`Expected \`explain\` never to reject, got ${error}.`);
	});
	hold(
		end === undefined || (typeof end.failed === 'boolean' && typeof end.reason === 'string' && end.reason !== ''),
		`Expected undefined, or \`failed\` and a \`reason\`, got ${JSON.stringify(end)}.`,
	);
	return end;
};

const QUESTIONS: readonly JobQuestion['state'][] = ['pending', 'error', 'ended'];

export const explanationCases: readonly Case[] = [
	{
		title: 'a queue-job that ended well is never said to have failed',
		body: async bench => {
			const [job] = (await bench.submit(bench.request('exit 0'))) as [Job];
			await bench.untilGone(job.id);
			const end = await ask(bench, job, 'ended');
			hold(end?.failed !== true, `Expected nothing, or an end that is no failure, got ${JSON.stringify(end)}.`);
		},
	},
	{
		title: 'a queue-job that failed is never said to have ended well',
		body: async bench => {
			const [job] = (await bench.submit(bench.request('exit 7'))) as [Job];
			await bench.untilGone(job.id);
			const end = await ask(bench, job, 'ended');
			hold(end?.failed !== false, `Expected nothing, or a failure, got ${JSON.stringify(end)}.`);
		},
	},
	{
		title: 'of every end it is told, sooner or later, how it was',
		canBeTried: (_, {explainsEnds = false}) => explainsEnds,
		body: async bench => {
			const jobs = await bench.submit(...['exit 0', 'exit 7', 'kill -9 $$'].map(script => bench.request(script)));
			await bench.untilGone(...jobs.map(({id}) => id));
			for (const [i, job] of jobs.entries()) {
				let end: JobEnd | undefined;
				let isUnderWay = false;
				const answer = await bench.until(`the end of ${job.id}`, () => {
					if (end !== undefined) return {end};
					if (!isUnderWay) {
						isUnderWay = true;
						ask(bench, job, 'ended').then(
							told => {
								end = told;
								isUnderWay = false;
							},
							() => {
								isUnderWay = false;
							},
						);
					}
					return undefined;
				});
				hold(answer.end.failed === i > 0, `Expected ${i > 0 ? 'a failure' : 'no failure'}, got ${JSON.stringify(answer.end)}.`);
			}
		},
	},
	{
		title: 'whatever is asked of a queue-job, living or gone, is answered',
		body: async bench => {
			const [job] = (await bench.submit(bench.request(waitFor('go')))) as [Job];
			for (const state of QUESTIONS) await ask(bench, job, state);
			bench.write('go');
			await bench.untilGone(job.id);
			for (const state of QUESTIONS) await ask(bench, job, state);
		},
	},
];
