import {describe, expect, test} from 'vitest';
import type {ArrayRequest, JobRequest, JobResources} from '../../src/engines/engine.js';
import type {PlacedResources} from '../../src/engines/grid-engine-resources.js';
import {createPlacing, submitPlaced} from '../../src/engines/grid-engine-site.js';
import type {Submitter} from '../../src/engines/grid-engine-submit.js';
import type {ProgramResult} from '../../src/engines/run-program.js';
import {PoolError} from '../../src/errors.js';

const environment = (name: string, rule: string, slots = 999): [string, string] => [
	`-sp ${name}`,
	`pe_name            ${name}\nslots              ${slots}\nuser_lists         NONE\nallocation_rule    ${rule}\ncontrol_slaves     FALSE\n`,
];

const COMPLEXES = `#name               shortcut   type      relop requestable consumable default  urgency
#----------------------------------------------------------------------------------------
gpu                 gpu        INT       <=    YES         JOB        0        0
h_vmem              h_vmem     MEMORY    <=    YES         YES        0        0
# >#< starts a comment but comments are not saved across edits --------
`;

/** As on a site with these parallel environments, of which all are in all.q but `mpi1`. */
const SITE: Readonly<Record<string, string>> = Object.fromEntries([
	['-spl', 'make\nmpi1\nany\nbig-smp\nopenmp\ntiny-smp\n'],
	environment('make', '$round_robin'),
	environment('mpi1', '$pe_slots'),
	environment('any', '$pe_slots'),
	environment('big-smp', '$pe_slots'),
	environment('openmp', '$pe_slots'),
	environment('tiny-smp', '$pe_slots', 2),
	[
		'-sq *',
		'qname all.q\npe_list               make any,[@big=make big-smp \\\n                      tiny-smp openmp]\nqname other.q\npe_list               NONE\n',
	],
	['-sq all.q', 'qname all.q\npe_list               make openmp\n'],
	['-sq other.q', 'qname other.q\npe_list               NONE\n'],
	['-sq a.q,b.q', 'qname a.q\npe_list               NONE\nqname b.q\npe_list any\n'],
	['-sc', COMPLEXES],
]);

const makeSite = (
	answers: Readonly<Record<string, string>> = SITE,
	options: {qconfPath?: undefined; queueName?: string; qsubArgs?: string[]} = {},
) => {
	const calls: string[] = [];
	const outages: string[] = [];
	const run = async (program: string, args: readonly string[]): Promise<ProgramResult> => {
		expect(program).toBe('/qconf');
		const key = args.join(' ');
		calls.push(key);
		const stderr = outages.pop();
		if (stderr !== undefined) return {ending: 'exited', exitCode: 1, stdout: '', stderr};
		const stdout = answers[key];
		if (stdout === undefined) return {ending: 'exited', exitCode: 1, stdout: '', stderr: `no such thing: ${key}`};
		return {ending: 'exited', exitCode: 0, stdout, stderr: ''};
	};
	const place = createPlacing(run, {qconfPath: '/qconf', queueName: undefined, qsubArgs: [], ...options});
	const request = (resources: JobResources): JobRequest => ({name: 'q', script: '/s', scriptArguments: [], avoidHosts: [], resources});
	const placed = async (resources: JobResources): Promise<PlacedResources> => {
		const placement = await place(request(resources));
		if (placement.kind !== 'placed') throw new Error(placement.reason);
		return placement.request.resources;
	};
	return {place, placed, request, calls, outages};
};

const refusal = async (promise: Promise<unknown>): Promise<string> => {
	const error = await promise.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(PoolError);
	expect(error).toMatchObject({code: 'ERR_POOL_OPTION'});
	return (error as PoolError).message;
};

describe('a parallel environment', () => {
	test('is found for several slots: one that puts them on one host, is in a queue and has so many, the usual names first', async () => {
		expect(await makeSite().placed({slots: 2})).toMatchObject({slots: 2, parallelEnvironment: 'big-smp'});
		expect(await makeSite().placed({slots: 2, queue: 'all.q@node1'})).toMatchObject({parallelEnvironment: 'openmp'});
		expect(await makeSite(SITE, {queueName: 'all.q'}).placed({slots: 2})).toMatchObject({parallelEnvironment: 'openmp'});
		expect(await makeSite().placed({slots: 2, queue: 'a.q,b.q@@big'})).toMatchObject({parallelEnvironment: 'any'});
	});

	test('is not looked for when it is named, or not needed', async () => {
		const site = makeSite({});
		for (const resources of [{}, {slots: 1}, {memoryBytes: 2 ** 31, timeSeconds: 5}, {slots: 4, parallelEnvironment: 'mine'}])
			expect(await site.placed(resources)).toEqual(resources);
		expect(site.calls).toEqual([]);
		const asked = makeSite({}, {qsubArgs: ['-pe', 'smp', '4']});
		expect(await asked.placed({slots: 4})).toEqual({slots: 4});
		expect(asked.calls).toEqual([]);
	});

	test('is asked for once, however many queue-jobs there are', async () => {
		const site = makeSite();
		for (let i = 0; i < 3; i++) await site.placed({slots: 2, memoryBytes: 2 ** 31});
		expect(site.calls).toHaveLength(new Set(site.calls).size);
		expect(site.calls).toContain('-spl');
	});

	test('that can not be found is named in a refusal that says what to do', async () => {
		const advice = "Ask your administrator for its name, and pass {slots: 4, parallelEnvironment: 'NAME'}; or ask for one slot.";
		for (const [site, resources, reason] of [
			[makeSite({}), {}, 'qconf tells of none that puts them on one host (allocation_rule $pe_slots)'],
			[makeSite(), {queue: 'other.q'}, 'qconf tells of none in the queue other.q that puts them on one host (allocation_rule $pe_slots)'],
			[makeSite({}, {qconfPath: undefined}), {}, 'there is no qconf to ask for one'],
		] as const) {
			expect(await refusal(site.place(site.request({slots: 4, ...resources})))).toBe(
				`Expected \`parallelEnvironment\` in \`resources\` to be named: Grid Engine gives 4 slots only in a parallel environment, and ${reason}. ${advice}`,
			);
		}
	});

	test('is asked for again after an outage', async () => {
		const site = makeSite();
		site.outages.push('error: unable to send message to qmaster using port 6444 on host "qmaster": got send error');
		expect(await site.place(site.request({slots: 2}))).toEqual({
			kind: 'temporary',
			reason: expect.stringContaining('unable to send message'),
		});
		expect(await site.placed({slots: 2})).toMatchObject({parallelEnvironment: 'big-smp'});
	});
});

describe('how the site counts', () => {
	test('is asked for where it matters', async () => {
		const site = makeSite();
		expect(await site.placed({slots: 2, memoryBytes: 2 ** 31})).toMatchObject({countedOnce: new Set(['gpu'])});
		expect(await site.placed({slots: 2, gpus: 1})).toMatchObject({countedOnce: new Set(['gpu'])});
		expect(await makeSite({}).placed({slots: 2, parallelEnvironment: 'smp', memoryBytes: 2 ** 31})).not.toHaveProperty('countedOnce');
	});

	test('GPUs of another name are refused with the names that there are', async () => {
		const named = makeSite({'-sc': COMPLEXES.replace('gpu                 gpu', 'ngpus               g  ')});
		expect(await refusal(named.place(named.request({gpus: 1})))).toBe(
			"`gpus` in `resources` asks for `-l gpu=…`, which this Grid Engine does not know. It has ngpus: pass that by `qsubArgs`, as ['-l', 'ngpus=1'].",
		);
		const none = makeSite({'-sc': COMPLEXES.replace('gpu                 gpu', 'licence             l  ')});
		expect(await refusal(none.place(none.request({gpus: 1})))).toContain('Ask your administrator how GPUs are asked for');
		// Then qsub will tell.
		expect(await makeSite({}).placed({gpus: 1})).toEqual({gpus: 1});
	});
});

describe('requests', () => {
	const makeSubmitter = () => {
		const submitted: unknown[] = [];
		const submitter: Submitter = {
			describe: () => [],
			submitAll: async requests => {
				submitted.push(...requests.map(({resources}) => resources));
				return requests.map(() => ({kind: 'submitted', id: '1'}));
			},
			submitArray: async ({resources}) => {
				submitted.push(resources);
				return {kind: 'submitted', id: '2'};
			},
		};
		return {submitted, submitter};
	};

	test('are submitted complete', async () => {
		const site = makeSite();
		const {submitted, submitter} = makeSubmitter();
		const {submitAll, submitArray} = submitPlaced(submitter, site.place);
		const array: ArrayRequest = {...site.request({slots: 2}), numElements: 5, maxRunning: undefined};
		expect(await submitAll([site.request({slots: 2}), site.request({})])).toEqual([1, 1].map(() => ({kind: 'submitted', id: '1'})));
		expect(await submitArray(array)).toEqual({kind: 'submitted', id: '2'});
		expect(submitted).toEqual([{slots: 2, parallelEnvironment: 'big-smp'}, {}, {slots: 2, parallelEnvironment: 'big-smp'}]);
	});

	test('of which one can not be had are none submitted', async () => {
		const site = makeSite();
		const {submitted, submitter} = makeSubmitter();
		const {submitAll, submitArray} = submitPlaced(submitter, site.place);
		const bad = site.request({slots: 4, queue: 'other.q'});
		await refusal(submitAll([site.request({}), bad]));
		await refusal(submitArray({...bad, numElements: 2, maxRunning: undefined}));
		site.outages.push('got send error', 'got send error');
		const temporary = {kind: 'temporary', reason: 'qconf: got send error'};
		expect(await submitAll([site.request({slots: 2, queue: 'all.q'}), site.request({})])).toEqual([temporary, {kind: 'untried'}]);
		expect(await submitArray({...site.request({slots: 2, queue: 'a.q,b.q'}), numElements: 2, maxRunning: undefined})).toEqual(temporary);
		expect(submitted).toEqual([]);
	});
});
