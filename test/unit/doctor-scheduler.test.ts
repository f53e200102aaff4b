import {describe, expect, test} from 'vitest';
import {checkNoScheduler, checkScheduler} from '../../src/doctor/check-scheduler.js';
import type {Finding} from '../../src/doctor/finding.js';
import {askScheduler, type SchedulerFacts} from '../../src/doctor/scheduler-facts.js';
import type {Engine, SiteFacts} from '../../src/engines/engine.js';
import {askGridEngine, parseProduct as parseGridEngine, parseLimit} from '../../src/engines/grid-engine-facts.js';
import {createLocalEngine} from '../../src/engines/local.js';
import {askSlurm, parseMaxJobs, parseProduct as parseSlurm} from '../../src/engines/slurm-facts.js';
import {makePrograms} from '../helpers/made-programs.js';

const INF = Number.POSITIVE_INFINITY;

const site = (perUser: number | undefined, ofAll: number | undefined = INF, isArrayOneJob = true): SiteFacts => ({
	product: 'SGE 8.1.9',
	maxJobsPerUser: {name: 'max_u_jobs', limit: perUser},
	maxJobs: {name: 'max_jobs', limit: ofAll},
	isArrayOneJob,
});

const facts = (overrides: Partial<SchedulerFacts> = {}): SchedulerFacts => ({
	engine: 'grid-engine',
	why: undefined,
	hasQueue: true,
	answer: {kind: 'answered', elapsedMs: 123, numJobs: 7},
	site: site(INF),
	maxElements: 75_000,
	maxDefaultChunks: 1000,
	...overrides,
});

const find = (check: string, overrides: Partial<SchedulerFacts>): Finding | undefined =>
	checkScheduler(facts(overrides)).find(finding => finding.check === check);

test('a scheduler of which nothing is to be said is well in every respect', () => {
	expect(checkScheduler(facts())).toEqual([
		{check: 'scheduler', level: 'ok', found: 'grid-engine, SGE 8.1.9'},
		{check: 'queue', level: 'ok', found: 'answers in 0.12 s; you have 7 queue-jobs in it'},
		{check: 'array size', level: 'ok', found: 'an array may have 75000 elements'},
		{check: 'queue-jobs per user', level: 'ok', found: 'no limit (max_u_jobs 0)'},
	]);
});

test('the one that was found is told with the reason', () => {
	expect(find('scheduler', {why: 'engine grid-engine, for /usr/bin/qsub is on PATH'})?.found).toBe(
		'grid-engine, SGE 8.1.9 (engine grid-engine, for /usr/bin/qsub is on PATH)',
	);
});

test('that there is none is noted; that it was chosen is well', () => {
	const none = {engine: 'local', hasQueue: false, site: undefined, maxElements: undefined};
	expect(checkScheduler(facts({...none, why: 'engine local, for no qsub and no sbatch is on PATH'}))).toEqual([
		{
			check: 'scheduler',
			level: 'note',
			found: 'local (engine local, for no qsub and no sbatch is on PATH)',
			toDo: "If there is a cluster here, put the scheduler's programs on PATH (on many sites by `module load …`), or name them: --qsub-path, --sbatch-path and the like.",
		},
	]);
	expect(checkScheduler(facts(none))).toEqual([{check: 'scheduler', level: 'ok', found: 'local'}]);
});

test('a program that is missing, and a scheduler that is not known, are errors with advice of their own', () => {
	expect(checkNoScheduler('ERR_POOL_PROGRAM_MISSING', 'Expected `qsubPath` to be …')).toEqual({
		check: 'scheduler',
		level: 'error',
		found: 'Expected `qsubPath` to be …',
		toDo: "Put the scheduler's programs on PATH (on many sites by `module load …`, or by its settings file), or name them: --qsub-path, --sbatch-path and the like. Only submit hosts have them.",
	});
	expect(checkNoScheduler('ERR_POOL_OPTION', 'Expected a Grid Engine …')).toEqual({
		check: 'scheduler',
		level: 'error',
		found: 'Expected a Grid Engine …',
		toDo: 'Say which scheduler it is: --engine grid-engine, --engine slurm or --engine local.',
	});
});

test('a scheduler that does not answer is an error, and nothing else is said of it', () => {
	expect(checkScheduler(facts({answer: {kind: 'silent', reason: 'qstat did not answer within 60 s'}, site: undefined}))).toEqual([
		{check: 'scheduler', level: 'ok', found: 'grid-engine'},
		{
			check: 'queue',
			level: 'error',
			found: 'the scheduler does not answer: qstat did not answer within 60 s',
			toDo: 'Ask your administrator whether its master runs, and whether this is a submit host. A map that runs waits for it (--outage-limit-ms).',
		},
	]);
});

test('a slow answer is noted', () => {
	expect(find('queue', {answer: {kind: 'answered', elapsedMs: 4567, numJobs: 0}})).toEqual({
		check: 'queue',
		level: 'note',
		found: 'answers in 4.57 s; you have 0 queue-jobs in it',
		toDo: 'It is slow: spare it by asking less often (--polling-interval-ms 30000) and by arrays (--array-jobs).',
	});
});

test('arrays that are smaller than a large map are noted', () => {
	expect(find('array size', {maxElements: 100})).toEqual({
		check: 'array size',
		level: 'note',
		found: 'an array may have 100 elements only, fewer than the 1000 chunks of a large map',
		toDo: 'Nothing: with --array-jobs such a map goes as several arrays. For one array: --num-chunks 100.',
	});
	expect(find('array size', {maxElements: 1000})?.level).toBe('ok');
	expect(find('array size', {maxElements: undefined})).toEqual({
		check: 'array size',
		level: 'ok',
		found: 'this engine has no arrays: chunks are submitted one by one',
	});
});

describe('how many queue-jobs a user may have', () => {
	test('X11: max_u_jobs 0 is no limit', () => {
		expect(parseLimit('max_aj_tasks                 75000\nmax_u_jobs                   0\nmax_jobs 5\n', 'max_u_jobs')).toBe(INF);
		expect(find('queue-jobs per user', {site: site(INF)})).toEqual({
			check: 'queue-jobs per user',
			level: 'ok',
			found: 'no limit (max_u_jobs 0)',
		});
	});

	test('fewer than the chunks of a large map are warned of', () => {
		expect(find('queue-jobs per user', {site: site(50)})).toEqual({
			check: 'queue-jobs per user',
			level: 'warning',
			found: '50 (max_u_jobs), fewer than the 1000 chunks of a large map',
			toDo: 'Pass --max-queued-jobs 50, or cut less: --num-chunks 50. Or --array-jobs: an array counts as one.',
		});
		expect(find('queue-jobs per user', {site: site(INF, 20, false)})).toEqual({
			check: 'queue-jobs per user',
			level: 'warning',
			found: '20 of all users together (max_jobs), fewer than the 1000 chunks of a large map',
			toDo: 'Pass --max-queued-jobs 20, or cut less: --num-chunks 20.',
		});
	});

	test('as many as that are well', () => {
		expect(find('queue-jobs per user', {site: site(1000)})?.found).toBe('1000 (max_u_jobs)');
		expect(find('queue-jobs per user', {site: site(undefined, 10_000)})).toEqual({
			check: 'queue-jobs per user',
			level: 'ok',
			found: '10000 of all users together (max_jobs)',
		});
	});

	test('a number that is not told is noted', () => {
		expect(find('queue-jobs per user', {site: site(undefined)})).toEqual({
			check: 'queue-jobs per user',
			level: 'note',
			found: 'how many you may have is not told here',
			toDo: 'Nothing, as a rule: what the scheduler refuses for the time being is submitted later. If your site names a number, pass it: --max-queued-jobs N.',
		});
	});
});

describe('what a scheduler is asked', () => {
	test.each([
		['SGE 8.1.9\nusage: qstat [options]\n', 'SGE 8.1.9'],
		['GE 6.2u5\nusage: qstat', 'GE 6.2u5'],
		['UGE 8.6.7', 'UGE 8.6.7'],
		['usage: qstat [options]', undefined],
		['', undefined],
	])('%j is the help of %s', (help, product) => {
		expect(parseGridEngine(help)).toBe(product);
	});

	test.each([
		['slurm-wlm 22.05.8\n', '', 'slurm-wlm 22.05.8'],
		['slurm 23.11.4\n', 'SLURM_VERSION = 22.05.8\n', 'slurm 23.11.4'],
		['', 'SLURM_CONF = /etc/slurm.conf\nSLURM_VERSION           = 22.05.8\n', 'slurm 22.05.8'],
		['', '', undefined],
	])('%j and %j are the words of %s', (version, configuration, product) => {
		expect(parseSlurm(version, configuration)).toBe(product);
	});

	test('Slurm tells how many queue-jobs there may be', () => {
		expect(parseMaxJobs('MaxArraySize            = 1001\nMaxJobCount             = 10000\n')).toBe(10_000);
		expect(parseMaxJobs('MaxArraySize            = 1001\n')).toBeUndefined();
	});

	test('a Grid Engine tells its version and its limits; without qconf, or without an answer, no limit is known', async () => {
		const {paths} = makePrograms({
			qstat: 'echo "SGE 8.1.9"; echo "usage: qstat"',
			qconf: 'echo "max_u_jobs 17"; echo "max_jobs 0"',
			broken: 'echo "error: commlib error" >&2; exit 1',
		});
		const ask = (qconfPath: string | undefined): Promise<SiteFacts> =>
			askGridEngine({qstatPath: paths.qstat, qconfPath, programTimeoutMs: 10_000});
		expect(await ask(paths.qconf)).toEqual({
			product: 'SGE 8.1.9',
			maxJobsPerUser: {name: 'max_u_jobs', limit: 17},
			maxJobs: {name: 'max_jobs', limit: INF},
			isArrayOneJob: true,
		});
		const nothing = {maxJobsPerUser: {name: 'max_u_jobs', limit: undefined}, maxJobs: {name: 'max_jobs', limit: undefined}};
		expect(await ask(undefined)).toMatchObject(nothing);
		expect(await ask(paths.broken)).toMatchObject(nothing);
		expect(await ask('/nonexistent/qconf')).toMatchObject(nothing);
	});

	test('a Slurm tells its version and how many queue-jobs all users may have', async () => {
		const {paths} = makePrograms({squeue: 'echo "slurm 23.02.1"', scontrol: 'echo "MaxJobCount = 500"'});
		const ask = (scontrolPath: string | undefined): Promise<SiteFacts> =>
			askSlurm({squeuePath: paths.squeue, scontrolPath, programTimeoutMs: 10_000});
		expect(await ask(paths.scontrol)).toEqual({
			product: 'slurm 23.02.1',
			maxJobsPerUser: {name: 'MaxSubmitJobs', limit: undefined},
			maxJobs: {name: 'MaxJobCount', limit: 500},
			isArrayOneJob: false,
		});
		expect(await ask(undefined)).toMatchObject({maxJobs: {limit: undefined}});
	});

	test('who does not answer is asked no more', async () => {
		const asked: string[] = [];
		const engine: Engine = {
			...createLocalEngine({slots: 1}),
			name: 'mine',
			status: async () => {
				throw new Error('it is out of order');
			},
		};
		const askSite = async (): Promise<SiteFacts> => {
			asked.push('site');
			return site(1);
		};
		expect(await askScheduler({engine, why: 'why', askSite})).toEqual({
			engine: 'mine',
			why: 'why',
			hasQueue: false,
			answer: {kind: 'silent', reason: 'it is out of order'},
			site: undefined,
			maxElements: undefined,
			maxDefaultChunks: 4,
		});
		expect(asked).toEqual([]);
		const well = await askScheduler({engine: createLocalEngine({slots: 1}), why: undefined, askSite});
		expect(well).toMatchObject({answer: {kind: 'answered', numJobs: 0}, site: site(1)});
	});
});
