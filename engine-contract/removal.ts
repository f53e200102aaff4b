import {beat, type Case, hold, type Job, put, waitFor} from './workbench.js';

export const removalCases: readonly Case[] = [
	{
		title: 'queue-jobs that are removed right after their submission leave the queue, and do nothing any more',
		body: async ({engine, request, submit, untilGone, untilStill}) => {
			const ids = (await submit(...[1, 2, 3, 4].map(() => request(beat('beats'))))).map(({id}) => id);
			await engine.remove(ids);
			await untilGone(...ids);
			await untilStill('beats');
		},
	},
	{
		title: 'a running queue-job that is removed leaves the queue, and so do the processes that it has started',
		body: async ({engine, request, submit, untilWritten, untilGone, untilStill}) => {
			const [{id}] = (await submit(request(`(${beat('beats')}) & wait`))) as [Job];
			await untilWritten('beats');
			await engine.remove([id]);
			await untilGone(id);
			await untilStill('beats');
		},
	},
	{
		title: 'what is not named is not removed',
		body: async ({engine, request, submit, untilWritten, untilGone, write}) => {
			const [first, second] = (await submit(
				request(waitFor('never')),
				request(`${put('begun', 'echo begun')}; ${waitFor('go')}; ${put('ended', 'echo ended')}`),
			)) as [Job, Job];
			await untilWritten('begun');
			await engine.remove([first.id]);
			await untilGone(first.id);
			write('go');
			await untilWritten('ended');
			await untilGone(second.id);
		},
	},
	{
		title: 'to remove nothing, or what is gone, is fine, and what lives beside it is removed',
		body: async ({engine, request, submit, untilGone}) => {
			await engine.remove([]);
			const [ended, living] = (await submit(request('exit 0'), request(waitFor('never')))) as [Job, Job];
			await untilGone(ended.id);
			await engine.remove([ended.id]);
			await engine.remove([ended.id, living.id]);
			await untilGone(living.id);
			const rejection = await engine.remove([ended.id, living.id]).catch((error: unknown) => error);
			hold(rejection === undefined, `Expected the removal of what is gone to be fine, got ${rejection}.`);
		},
	},
];
