import {type Case, hold, type Job, put, type Workbench, waitFor} from './workbench.js';

const ARGUMENTS = ['13', '1', 'SLURM_ARRAY_TASK_ID', 'two words', "it's", '$HOME `id` "x" \\', '*', '-x', ''];

/** More than anybody submits at a time. */
const MANY = 60;

export const submissionCases: readonly Case[] = [
	{
		title: 'a queue-job is /bin/sh with the script, which need not be executable, and its arguments as they are',
		body: async ({request, submit, untilWritten}) => {
			await submit(request(put('arguments', 'printf "%s\\n" "$#" "$@"'), {scriptArguments: ARGUMENTS}));
			const got = (await untilWritten('arguments')).split('\n').slice(0, -1);
			const expected = [String(ARGUMENTS.length), ...ARGUMENTS];
			hold(
				JSON.stringify(got) === JSON.stringify(expected),
				`Expected the script to get ${JSON.stringify(expected)} as $# and $@, got ${JSON.stringify(got)}.`,
			);
		},
	},
	{
		title: 'a submission has one outcome for each request, in their order, with ids that are all different',
		body: async bench => {
			const jobs = await bench.submit(...[1, 2, 3, 4, 5].map(() => bench.request(waitFor('go'))));
			await expectNames(bench, jobs);
			bench.write('go');
			await bench.untilGone(...jobs.map(({id}) => id));
		},
	},
	{
		title: 'two submissions at once do not mix up their queue-jobs',
		body: async bench => {
			const requests = [1, 2, 3, 4, 5, 6].map(() => bench.request(waitFor('go')));
			const [first, second] = await Promise.all([bench.submit(...requests.slice(0, 3)), bench.submit(...requests.slice(3))]);
			await expectNames(bench, [...first, ...second]);
			bench.write('go');
		},
	},
	{
		title: 'no request gets no outcome',
		body: async ({engine}) => {
			const outcomes = await engine.submit([]);
			hold(outcomes.length === 0, `Expected no outcome for no request, got ${JSON.stringify(outcomes)}.`);
		},
	},
	{
		title: 'every queue-job runs, and runs once',
		body: async ({request, submit, untilGone, until, read}) => {
			const files = Array.from({length: 12}, (_, i) => `ran-${i}`);
			const jobs = await submit(...files.map(file => request(`echo ran >>${file}`)));
			await untilGone(...jobs.map(({id}) => id));
			// A network file system may show them later.
			await until('a file of each queue-job', () => files.every(file => read(file) !== undefined) || undefined);
			const lines = files.map(file => read(file)?.split('\n').length ?? 0);
			hold(
				lines.every(number => number === 2),
				`Expected each queue-job to run once, got ${lines.map(number => number - 1).join(', ')} runs.`,
			);
		},
	},
	{
		title: 'hosts to be avoided are avoided where there are others, and are no reason not to run where there are none',
		body: async ({request, submit, until, untilWritten, write, hooks}) => {
			const hostOf = async ({id}: Job): Promise<string> =>
				until('the host of a running queue-job', listing => listing?.find(job => job.id === id && job.state === 'running')?.host);
			const [first] = (await submit(request(waitFor('go')))) as [Job];
			const host = await hostOf(first);
			const [second] = (await submit(request(`${put('ran', 'echo ran')}; ${waitFor('go')}`, {avoidHosts: [host]}))) as [Job];
			await untilWritten('ran');
			const other = await hostOf(second);
			write('go');
			hold((hooks.numHosts ?? 1) === 1 || other !== host, `Expected the host ${host} to be avoided, got a queue-job that runs there.`);
		},
	},
	{
		title: 'a queue-job that is refused for good is refused with words, and none after it is begun',
		canBeTried: (_, {makeRefusingEngine}) => makeRefusingEngine !== undefined,
		body: async ({request, hooks}) => {
			const requests = Array.from({length: MANY}, () => request('exit 0'));
			const outcomes = (await hooks.makeRefusingEngine?.().submit(requests)) ?? [];
			const [first] = outcomes;
			hold(
				first?.kind === 'permanent' && first.reason !== '',
				`Expected an outcome that is permanent, with a reason, got ${JSON.stringify(first)}.`,
			);
			hold(outcomes.length === MANY, `Expected ${MANY} outcomes, got ${outcomes.length}.`);
			const others = outcomes.filter(({kind}) => kind !== 'permanent' && kind !== 'untried');
			hold(others.length === 0, `Expected only outcomes that are permanent or untried, got ${JSON.stringify(others[0])}.`);
			const last = outcomes.at(-1);
			hold(last?.kind === 'untried', `Expected the last of ${MANY} requests to be untried, got ${JSON.stringify(last)}.`);
		},
	},
];

/** By the ids that they were given, the queue lists the names that they have. */
const expectNames = async ({until}: Workbench, jobs: readonly Job[]): Promise<void> => {
	hold(new Set(jobs.map(({id}) => id)).size === jobs.length, `Expected ids that differ, got ${jobs.map(({id}) => id).join(', ')}.`);
	await until(`a listing with ${jobs.map(({id, name}) => `${name} as ${id}`).join(', ')}`, listing => {
		const areListed = jobs.every(job => listing?.some(({id, name}) => id === job.id && name === job.name));
		return areListed || undefined;
	});
};
