import type {JobState, JobStatus} from '../src/index.js';
import {type Case, hold, type Job, put, waitFor} from './workbench.js';

/** As a record, so that the compiler finds one that is missing. */
const STATES: Readonly<Record<JobState, true>> = {
	pending: true,
	running: true,
	held: true,
	suspended: true,
	error: true,
	deleting: true,
	unreachable: true,
};

export const listingCases: readonly Case[] = [
	{
		title: 'a queue-job is listed from the moment its submission is answered, by its id and name, in a state that there is',
		body: async ({engine, request, submit, read}) => {
			// An engine that keeps answers has one now, in which it is not.
			await engine.status();
			const [job] = (await submit(request(`sleep 3; ${put('ended', 'echo ended')}`))) as [Job];
			const listing = await engine.status(performance.now());
			const listed = listing.find(({id}) => id === job.id);
			if (listed === undefined && read('ended') !== undefined) return;
			hold(listed !== undefined, `Expected ${job.id} in an answer that is newer than its submission, got ${JSON.stringify(listing)}.`);
			hold(listed.name === job.name, `Expected the name ${job.name}, got ${JSON.stringify(listed)}.`);
			hold(
				Object.hasOwn(STATES, listed.state),
				`Expected one of the states ${Object.keys(STATES).join(', ')}, got ${JSON.stringify(listed)}.`,
			);
			hold(typeof listed.rawState === 'string' && listed.rawState !== '', `Expected a rawState, got ${JSON.stringify(listed)}.`);
		},
	},
	{
		title: 'a running queue-job is listed as running, with its host, and is listed until it ends',
		body: async ({engine, request, submit, until, untilWritten, untilGone, write}) => {
			const [{id}] = (await submit(request(`${put('begun', 'echo begun')}; ${waitFor('go')}`))) as [Job];
			await untilWritten('begun');
			const listed = await until('a listing in which it is running', (listing): JobStatus | undefined =>
				listing?.find(job => job.id === id && job.state === 'running'),
			);
			hold(typeof listed.host === 'string' && listed.host !== '', `Expected its host, got ${JSON.stringify(listed)}.`);
			for (let i = 0; i < 3; i++) {
				const listing = await engine.status(performance.now());
				hold(
					listing.some(job => job.id === id),
					`Expected ${id} to be listed until it ends, got ${JSON.stringify(listing)}.`,
				);
			}
			write('go');
			await untilGone(id);
		},
	},
	{
		title: 'a queue-job that has ended is not listed any more, however it ended',
		body: async ({request, submit, untilGone}) => {
			const jobs = await submit(...['exit 0', 'exit 3', 'kill -9 $$'].map(script => request(script)));
			await untilGone(...jobs.map(({id}) => id));
		},
	},
	{
		title: 'the queue may be asked several times at once',
		body: async ({engine, request, submit, read}) => {
			const [{id}] = (await submit(request(`sleep 3; ${put('ended', 'echo ended')}`))) as [Job];
			const askedMs = performance.now();
			const listings = await Promise.all([1, 2, 3].map(() => engine.status(askedMs)));
			hold(
				read('ended') !== undefined || listings.every(listing => listing.some(job => job.id === id)),
				`Expected ${id} in each of three answers, got ${JSON.stringify(listings)}.`,
			);
		},
	},
];
