/** Maps on an engine that the caller brings: a good one, and one that breaks its contract in every way. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {type Engine, type JobRequest, type JobStatus, Pool, type PoolOptions, type SubmitOutcome} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {createLocalEngine} from '../../src/engines/local.js';
import {catchStderr} from '../helpers/caught-stderr.js';
import {createTestDirectory} from '../helpers/engines.js';

let directory: ReturnType<typeof createTestDirectory>;
const said = catchStderr();
beforeEach(() => {
	directory = createTestDirectory();
});
afterEach(() => {
	directory.remove();
});

const createEngine = (changes: (engine: Engine) => Partial<Engine> = () => ({})): Engine => {
	const engine: Engine = {...createLocalEngine({slots: 2}), name: 'mine'};
	return {...engine, ...changes(engine)};
};

const optionsFor = (engine: Engine): PoolOptions => ({
	engine,
	workRoot: directory.path,
	pollingIntervalMs: 50,
	graceMs: 100,
});

const square = (x: number): number => x * x;
const TASKS = [1, 2, 3, 4, 5];
const SQUARES = [1, 4, 9, 16, 25];

const thrownBy = async (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => undefined,
		(error: unknown) => error,
	);

test('Q27: a map runs on the engine that it is given, whose name alone is written down', async () => {
	let numSubmitted = 0;
	const engine = createEngine(({submit}) => ({
		submit: requests => {
			numSubmitted += requests.length;
			return submit(requests);
		},
	}));
	const pool = new Pool(optionsFor(engine));
	const workDir = join(directory.path, 'kept');
	expect(await pool.map(square, TASKS, {workDir, keepWorkDir: true})).toEqual(SQUARES);
	expect(numSubmitted).toBe(TASKS.length);
	const {engine: name, options, incompleteOptions} = JSON.parse(readFileSync(join(workDir, 'run.json'), 'utf8'));
	expect([name, options.engine, incompleteOptions]).toEqual(['mine', 'mine', []]);
});

test('C20: one call submits 441 queue-jobs, one for each task, and one call takes them back', async () => {
	let jobs: JobStatus[] = [];
	const engine = createEngine(() => ({
		maxDefaultChunks: 1000,
		submit: async requests =>
			requests.map(({name}): SubmitOutcome => {
				jobs.push({id: name, name, state: 'pending', rawState: 'qw'});
				return {kind: 'submitted', id: name};
			}),
		status: async () => [...jobs],
		remove: async ids => {
			jobs = jobs.filter(({id}) => !ids.includes(id));
		},
	}));
	const run = await new Pool(optionsFor(engine)).submit(
		square,
		Array.from({length: 441}, (_, i) => i),
	);
	expect(new Set(jobs.map(({name}) => name)).size).toBe(441);
	await run.cancel();
	expect(await thrownBy(run.results())).toMatchObject({name: 'AbortError'});
	expect(jobs).toEqual([]);
});

test('two engines of one pool are told apart, also when nothing but their functions differ', async () => {
	const askedBy: string[] = [];
	const [first, second] = ['first', 'second'].map(which =>
		createEngine(({submit}) => ({
			submit: requests => {
				askedBy.push(which);
				return submit(requests);
			},
		})),
	) as [Engine, Engine];
	const pool = new Pool(optionsFor(first));
	for (const engine of [first, second, first]) expect(await pool.map(square, [7], {engine})).toEqual([49]);
	expect(askedBy).toEqual(['first', 'second', 'first']);
});

describe('who comes back to a map', () => {
	/** A map that was left, and whose queue-jobs are gone. */
	const leaveMap = async (): Promise<{workDir: string; words: string}> => {
		const run = await new Pool(optionsFor(createEngine())).submit(square, TASKS);
		await run.detach();
		const error = (await thrownBy(run.results())) as Error;
		return {workDir: run.workDir, words: error.message};
	};

	test('brings the engine again', async () => {
		const {workDir, words} = await leaveMap();
		expect(words).toContain(`await Pool.resume(${JSON.stringify(workDir)}, {engine})`);
		expect(said()).toContain(`to go on: await Pool.resume(${JSON.stringify(workDir)}, {engine})\n`);
		const run = await Pool.resume(workDir, {engine: createEngine()});
		expect(await run.results()).toEqual(SQUARES);
		expect(existsSync(workDir)).toBe(false);
	});

	test.each<readonly [title: string, engine: () => PoolOptions['engine'], words: string]>([
		[
			'brings none',
			() => undefined,
			'engine mine, which is none of this library. Pass the object of that name again, as the option `engine`.',
		],
		['names another', () => 'local', 'engine mine, which is none of this library, not to local. Pass the object'],
		[
			'brings another',
			() => ({...createEngine(), name: 'yours'}),
			'engine mine, which is none of this library, not to yours. Pass the object',
		],
	])('and %s is told what to do', async (_, other, words) => {
		const {workDir} = await leaveMap();
		const engine = other();
		const error = await thrownBy(Pool.resume(workDir, engine === undefined ? {} : {engine}));
		expect(error).toMatchObject({
			code: 'ERR_POOL_RESUME',
			message: expect.stringContaining(`The queue-jobs of ${workDir} belong to the ${words}`),
		});
		await (await Pool.resume(workDir, {engine: createEngine()})).results();
	});

	test('to one of an engine of this library brings none', async () => {
		const run = await new Pool({engine: 'local', workRoot: directory.path}).submit(square, TASKS);
		await run.detach();
		await thrownBy(run.results());
		expect(await thrownBy(Pool.resume(run.workDir, {engine: createEngine()}))).toMatchObject({
			code: 'ERR_POOL_RESUME',
			message: `The queue-jobs of ${run.workDir} belong to the engine local, not to mine. Leave the option \`engine\` out.`,
		});
		expect(await (await Pool.resume(run.workDir)).results()).toEqual(SQUARES);
	});
});

describe('an engine that breaks its contract costs no result and no end', () => {
	/** Does something else at these calls, counted from 1; says how often it did. */
	const breaking = <Args extends unknown[], R>(
		good: (...args: Args) => Promise<R>,
		isBroken: (call: number) => boolean,
		broken: (...args: Args) => unknown,
	): {seen: () => number; call: (...args: Args) => Promise<R>} => {
		let numCalls = 0;
		let numSeen = 0;
		return {
			seen: () => numSeen,
			call: (...args) => {
				if (!isBroken(++numCalls)) return good(...args);
				numSeen++;
				return broken(...args) as Promise<R>;
			},
		};
	};
	/** What never answers is waited for so long. */
	const IMPATIENT = {programTimeoutMs: 200};
	const never = (): Promise<never> => new Promise(() => undefined);
	const fail = (): never => {
		throw new Error('broken');
	};
	const always = (): boolean => true;
	const first = (call: number): boolean => call === 1;
	const odd = (call: number): boolean => call % 2 === 1;

	type Good = Pick<Engine, 'submit' | 'status' | 'remove' | 'explain'>;

	const map = async (change: (good: Good) => {seen: () => number; members: Partial<Engine>}): Promise<void> => {
		const good = createEngine();
		const {seen, members} = change(good);
		expect(await new Pool({...optionsFor({...good, ...members}), ...IMPATIENT}).map(square, TASKS)).toEqual(SQUARES);
		expect(seen()).toBeGreaterThan(0);
		// Nothing is left behind: what could not be removed has brought its result, and ends by itself.
		await vi.waitUntil(async () => (await good.status()).length === 0, {timeout: 90_000, interval: 50});
	};

	test.each<
		readonly [title: string, isBroken: (call: number) => boolean, broken: (good: Good, requests: readonly JobRequest[]) => unknown]
	>([
		['throws', first, fail],
		['rejects after it has submitted all', first, (good, requests) => good.submit(requests).then(fail)],
		['never answers', first, never],
		['never answers, and has submitted all', first, (good, requests) => good.submit(requests).then(never)],
		['forgets all but the first', first, (good, requests) => good.submit(requests).then(outcomes => outcomes.slice(0, 1))],
		['gives one too many', first, (good, requests) => good.submit(requests).then(outcomes => [...outcomes, outcomes[0]])],
		['gives the first id to all', first, (good, requests) => good.submit(requests).then(outcomes => outcomes.map(() => outcomes[0]))],
		[
			'gives ids that are no text',
			first,
			(good, requests) => good.submit(requests).then(outcomes => outcomes.map((_, i) => ({kind: 'submitted', id: i}))),
		],
		[
			'gives ids that there are not',
			first,
			(_, requests) => Promise.resolve(requests.map((_request, i) => ({kind: 'submitted', id: `no-${i}`}))),
		],
		['has tried nothing', first, (_, requests) => Promise.resolve(requests.map(() => ({kind: 'untried'})))],
		['gives nothing', first, () => Promise.resolve(undefined)],
	])('that %s at a submission', async (_, isBroken, broken) => {
		await map(good => {
			const {seen, call} = breaking<[readonly JobRequest[]], readonly SubmitOutcome[]>(good.submit, isBroken, requests =>
				broken(good, requests),
			);
			return {seen, members: {submit: call}};
		});
	});

	test.each<readonly [title: string, isBroken: (call: number) => boolean, broken: (good: Good) => unknown]>([
		['throws', odd, fail],
		['rejects always', always, () => Promise.reject(new Error('broken'))],
		['never answers', odd, never],
		['gives no array', odd, () => Promise.resolve('nothing')],
		['lists an unknown state', odd, good => good.status().then(jobs => jobs.map(job => ({...job, state: 'done'}) as unknown as JobStatus))],
		['lists an id twice', odd, good => good.status().then(jobs => jobs.map(job => ({...job, id: 'x'})))],
	])('that %s when it is asked what there is', async (_, isBroken, broken) => {
		await map(good => {
			const {seen, call} = breaking<[number?], readonly JobStatus[]>(good.status, isBroken, () => broken(good));
			return {seen, members: {status: call}};
		});
	});

	test.each<readonly [title: string, broken: () => unknown]>([
		['throws', fail],
		['never answers', never],
	])('that %s when something is to be removed', async (_, broken) => {
		await map(good => {
			const {seen, call} = breaking<[readonly string[]], void>(good.remove, first, broken);
			return {seen, members: {remove: call}};
		});
	});

	test.each<readonly [title: string, broken: () => unknown]>([
		['throws', fail],
		['never answers', never],
		['says something', () => Promise.resolve('dead')],
	])('that %s when it is to explain an end', async (_, broken) => {
		await map(good => {
			const {seen, call} = breaking<Parameters<Engine['explain']>, Awaited<ReturnType<Engine['explain']>>>(good.explain, always, broken);
			// The first one never runs, so that there is something to explain.
			const {call: submit} = breaking<[readonly JobRequest[]], readonly SubmitOutcome[]>(good.submit, first, requests =>
				good.submit(requests.map((request, i) => (i === 0 ? {...request, script: '/nonexistent'} : request))),
			);
			return {seen, members: {explain: call, submit}};
		});
		expect(said()).toContain('queue-map-reduce: the engine mine: `explain`');
	});

	test('and never does anything else ends the map at `outageLimitMs`, with words', async () => {
		const engine = createEngine(() => ({submit: fail, status: fail}));
		const error = await thrownBy(new Pool({...optionsFor(engine), outageLimitMs: 500}).map(square, TASKS));
		expect(error).toMatchObject({code: 'ERR_POOL_OUTAGE', message: expect.stringContaining('the engine mine: broken')});
	});
});
