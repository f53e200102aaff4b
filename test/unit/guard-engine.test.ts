import {stat} from 'node:fs/promises';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {Engine, JobRequest} from '../../src/engines/engine.js';
import {PoolError} from '../../src/errors.js';
import {guardEngine} from '../../src/guard-engine.js';

const never = (): Promise<never> => new Promise(() => undefined);

/** An engine whose members say what a test wants, behind the border. */
const guarded = (members: Readonly<Record<string, unknown>>, timeoutMs = 60_000) => {
	const told: string[] = [];
	const engine = {
		name: 'mine',
		statusCost: 'call',
		outlivesProcess: true,
		maxDefaultChunks: 10,
		submit: never,
		status: never,
		remove: never,
		explain: never,
		...members,
	} as unknown as Engine;
	return {engine: guardEngine(engine, {timeoutMs, tell: line => void told.push(line)}), told};
};

const request = (name: string): JobRequest => ({name, script: '/s', scriptArguments: [], avoidHosts: [], resources: {}});
const REQUESTS = ['a', 'b', 'c'].map(request);

const submitted = (id: string) => ({kind: 'submitted', id}) as const;
const unanswered = (reason: string) => ({kind: 'unanswered', reason: `the engine mine: ${reason}`}) as const;

test('a good engine is handed on as it is, also when its members need their object', async () => {
	class Mine {
		readonly name = 'mine';
		readonly statusCost = 'none';
		readonly outlivesProcess = false;
		readonly maxDefaultChunks = 3;
		readonly jobs = [{id: '1', name: 'a', state: 'running', rawState: 'r', host: 'h', element: 2}];
		readonly asked: unknown[] = [];
		async submit(requests: readonly JobRequest[]) {
			this.asked.push(requests);
			return [submitted('1'), {kind: 'full', reason: 'enough'}, {kind: 'untried'}];
		}
		async status(notBeforeMs: number) {
			this.asked.push(notBeforeMs);
			return this.jobs;
		}
		async remove(ids: readonly string[]) {
			this.asked.push(ids);
		}
		async explain(job: unknown) {
			this.asked.push(job);
			return {failed: true, kind: 'killed', reason: 'killed by SIGKILL', host: 'h', isPermanent: false};
		}
	}
	const mine = new Mine();
	const told: string[] = [];
	const engine = guardEngine(mine as unknown as Engine, {timeoutMs: 1000, tell: line => void told.push(line)});
	expect({...engine}).toMatchObject({name: 'mine', statusCost: 'none', outlivesProcess: false, maxDefaultChunks: 3});
	expect('arrays' in engine).toBe(false);
	expect(await engine.submit(REQUESTS)).toEqual([submitted('1'), {kind: 'full', reason: 'enough'}, {kind: 'untried'}]);
	expect(await engine.status(7)).toEqual(mine.jobs);
	await engine.remove(['1']);
	const question = {id: '1', name: 'a', state: 'ended', resources: {}} as const;
	expect(await engine.explain(question)).toEqual({
		failed: true,
		kind: 'killed',
		reason: 'killed by SIGKILL',
		host: 'h',
		isPermanent: false,
	});
	expect(mine.asked).toEqual([REQUESTS, 7, ['1'], question]);
	expect(told).toEqual([]);
});

describe('a submission', () => {
	const outcomesOf = async (submit: unknown, timeoutMs?: number) => guarded({submit}, timeoutMs).engine.submit(REQUESTS);
	const all = (reason: string) => REQUESTS.map(() => unanswered(reason));

	test.each<readonly [title: string, submit: unknown, reason: string]>([
		['rejects', () => Promise.reject(new Error('no line')), 'no line'],
		[
			'throws',
			() => {
				throw new Error('no line');
			},
			'no line',
		],
		['rejects with no error', () => Promise.reject('no line'), '"no line" was thrown'],
		['gives no array', async () => ({kind: 'submitted', id: '1'}), '`submit` gave an object, which is no array of outcomes'],
		['gives nothing', async () => undefined, '`submit` gave undefined, which is no array of outcomes'],
		['gives more than it was asked for', async () => ['1', '2', '3', '4'].map(submitted), '`submit` gave 4 outcomes for 3 requests'],
	])('that %s may be in the queue', async (_, submit, reason) => {
		expect(await outcomesOf(submit)).toEqual(all(reason));
	});

	test('that never answers may be in the queue', async () => {
		expect(await outcomesOf(never, 10)).toEqual(all('`submit` gave no answer within 0.0 s'));
	});

	test('that rejects with a PoolError is told as that', async () => {
		const error = new PoolError('ERR_POOL_PROGRAM_MISSING', 'no ssh');
		await expect(outcomesOf(() => Promise.reject(error))).rejects.toBe(error);
	});

	test('with fewer outcomes than requests is believed as far as it goes', async () => {
		const reason = '`submit` gave 1 outcomes for 3 requests';
		expect(await outcomesOf(async () => [submitted('1')])).toEqual([submitted('1'), unanswered(reason), unanswered(reason)]);
		expect(await outcomesOf(async () => [])).toEqual(all('`submit` gave 0 outcomes for 3 requests'));
	});

	test('that gives an id twice is believed once, also in another call', async () => {
		const ids = ['1', '2', '1', '2', '3', '4'];
		const {engine} = guarded({submit: async (requests: readonly unknown[]) => requests.map(() => submitted(ids.shift() as string))});
		expect(await engine.submit(REQUESTS)).toEqual([submitted('1'), submitted('2'), unanswered('`submit` gave the id "1" a second time')]);
		expect(await engine.submit(REQUESTS)).toEqual([unanswered('`submit` gave the id "2" a second time'), submitted('3'), submitted('4')]);
	});

	test.each<readonly [outcome: unknown, reason: string]>([
		[undefined, '`submit` gave undefined, which is no outcome'],
		['7', '`submit` gave "7", which is no outcome'],
		[{id: '7'}, '`submit` gave an outcome of the kind undefined, which there is not'],
		[{kind: 'done', id: '7'}, '`submit` gave an outcome of the kind "done", which there is not'],
		[{kind: 'submitted'}, '`submit` gave undefined as an id, which is no text'],
		[{kind: 'submitted', id: 7}, '`submit` gave 7 as an id, which is no text'],
		[{kind: 'submitted', id: ''}, '`submit` gave "" as an id, which is no text'],
	])('with the outcome %j may be in the queue', async (outcome, reason) => {
		expect(await outcomesOf(async () => [submitted('1'), outcome, submitted('3')])).toEqual([
			submitted('1'),
			unanswered(reason),
			submitted('3'),
		]);
	});

	test('that was refused without a word is refused', async () => {
		expect(await outcomesOf(async () => [{kind: 'permanent'}, {kind: 'untried'}, {kind: 'untried'}])).toEqual([
			{kind: 'permanent', reason: 'the engine mine: `submit` gave no reason'},
			{kind: 'untried'},
			{kind: 'untried'},
		]);
	});

	test('of which nothing was tried is tried again later, not at once and for ever', async () => {
		expect(await outcomesOf(async () => REQUESTS.map(() => ({kind: 'untried'})))).toEqual([
			{kind: 'temporary', reason: 'the engine mine: `submit` has not tried the first of its requests'},
			{kind: 'untried'},
			{kind: 'untried'},
		]);
	});

	test('has one outcome for each request, whatever the engine gives, and no id twice', async () => {
		const nonsense = fc.oneof(
			fc.anything(),
			fc.array(fc.oneof(fc.anything(), fc.record({kind: fc.constantFrom('submitted', 'full', 'untried', 'x'), id: fc.string()})), {
				maxLength: 4,
			}),
		);
		await fc.assert(
			fc.asyncProperty(nonsense, async given => {
				const outcomes = await outcomesOf(async () => given);
				expect(outcomes).toHaveLength(REQUESTS.length);
				const ids = outcomes.flatMap(outcome => (outcome.kind === 'submitted' ? [outcome.id] : []));
				expect(new Set(ids).size).toBe(ids.length);
				expect(outcomes[0]?.kind).not.toBe('untried');
			}),
		);
	});
});

describe('a listing', () => {
	const GOOD = {id: '1', name: 'a', state: 'running', rawState: 'r'};

	test.each<readonly [listing: unknown, reason: string]>([
		[undefined, 'gave undefined, which is no array of queue-jobs'],
		[{jobs: []}, 'gave an object, which is no array of queue-jobs'],
		[['1'], 'listed "1", which is no queue-job'],
		[[{...GOOD, id: 1}], 'listed a queue-job with the id 1, which is no text'],
		[[GOOD, {...GOOD, name: 'b'}], 'listed the id "1" twice'],
		[[{...GOOD, name: undefined}], 'listed the queue-job 1 with the name undefined, which is no text'],
		[[{...GOOD, state: 'done'}], 'listed the queue-job 1 in the state "done", which there is not'],
		[[{...GOOD, state: 'toString'}], 'listed the queue-job 1 in the state "toString", which there is not'],
		[[{...GOOD, rawState: undefined}], 'listed the queue-job 1 with the rawState undefined, which is no text'],
		[[{...GOOD, host: ''}], 'listed the queue-job 1 on the host "", which is no text'],
		[[{...GOOD, element: 0}], 'listed the queue-job 1 as element 0, which is no number from 1'],
	])('%j is no answer', async (listing, reason) => {
		await expect(guarded({status: async () => listing}).engine.status()).rejects.toThrow(`the engine mine: \`status\` ${reason}`);
	});

	test('that never comes is no answer', async () => {
		await expect(guarded({}, 10).engine.status()).rejects.toThrow('the engine mine: `status` gave no answer within 0.0 s');
	});

	test('with every state there is passes', async () => {
		const states = ['pending', 'running', 'held', 'suspended', 'error', 'deleting', 'unreachable'];
		const listing = states.map((state, i) => ({...GOOD, id: String(i), state, host: 'h', element: i + 1}));
		expect(await guarded({status: async () => listing}).engine.status()).toEqual(listing);
	});
});

test('a removal that never answers or throws was not heard', async () => {
	await expect(guarded({}, 10).engine.remove(['1'])).rejects.toThrow('the engine mine: `remove` gave no answer within 0.0 s');
	const remove = (): never => {
		throw new Error('no line');
	};
	await expect(guarded({remove}).engine.remove(['1'])).rejects.toThrow('no line');
});

describe('an explanation', () => {
	const question = {id: '1', name: 'a', state: 'ended', resources: {}} as const;

	test.each<readonly [title: string, explain: unknown, what: string]>([
		['rejects', () => Promise.reject(new Error('no line')), '`explain` failed (no line), which it must not'],
		[
			'throws a PoolError',
			() => {
				throw new PoolError('ERR_POOL_OUTAGE', 'no line');
			},
			'`explain` failed (no line), which it must not',
		],
		['is a text', async () => 'killed', '`explain` gave "killed", which explains nothing'],
		['does not say whether it failed', async () => ({reason: 'x'}), '`explain` gave undefined as `failed`, which is not true or false'],
		['has an unknown kind', async () => ({failed: true, kind: 'oom', reason: 'x'}), '`explain` gave the kind "oom", which there is not'],
		['has no words', async () => ({failed: true}), '`explain` gave undefined as a reason, which is no text'],
		['has no host', async () => ({failed: true, reason: 'x', host: 5}), '`explain` gave 5 as a host, which is no text'],
		[
			'is permanent somehow',
			async () => ({failed: true, reason: 'x', isPermanent: 'yes'}),
			'`explain` gave "yes" as `isPermanent`, which is not true or false',
		],
	])('that %s is none, and is told once', async (_, explain, what) => {
		const {engine, told} = guarded({explain});
		expect([await engine.explain(question), await engine.explain(question)]).toEqual([undefined, undefined]);
		expect(told).toEqual([`queue-map-reduce: the engine mine: ${what}`]);
	});

	test('that never comes is none', async () => {
		const {engine, told} = guarded({}, 10);
		expect(await engine.explain(question)).toBeUndefined();
		expect(told).toHaveLength(1);
	});

	test('that has come while this process stood still is one', async () => {
		const end = {failed: true, reason: 'exit status 3'};
		const {engine, told} = guarded({explain: () => stat('.').then(() => end)}, 10);
		const explained = engine.explain(question);
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
		expect([await explained, told]).toEqual([end, []]);
	});

	test('that there is not may be undefined', async () => {
		const {engine, told} = guarded({explain: async () => undefined});
		expect([await engine.explain(question), told]).toEqual([undefined, []]);
	});
});

describe('arrays', () => {
	const ARRAY = {...request('a'), numElements: 3, maxRunning: undefined};
	const elementId = (id: string, element: number): string => `${id}.${element}`;
	const arraysOf = (members: Readonly<Record<string, unknown>>, timeoutMs?: number) => {
		const {engine, told} = guarded(
			{arrays: {elementVariable: 'N', maxElements: never, submit: async () => submitted('7'), elementId, ...members}},
			timeoutMs,
		);
		return {arrays: engine.arrays as NonNullable<Engine['arrays']>, told};
	};

	test('of a good engine are handed on', async () => {
		const {arrays, told} = arraysOf({maxElements: async () => 75_000});
		expect([arrays.elementVariable, await arrays.maxElements(), await arrays.submit(ARRAY), arrays.elementId('7', 2)]).toEqual([
			'N',
			75_000,
			submitted('7'),
			'7.2',
		]);
		expect(told).toEqual([]);
	});

	test.each<readonly [title: string, submit: unknown, outcome: unknown]>([
		['rejects', () => Promise.reject(new Error('no line')), unanswered('no line')],
		[
			'gives an array',
			async () => [submitted('7')],
			unanswered('`arrays.submit` gave an outcome of the kind undefined, which there is not'),
		],
		['was not tried', async () => ({kind: 'untried'}), {kind: 'temporary', reason: 'the engine mine: `arrays.submit` has not tried it'}],
	])('whose submission %s', async (_, submit, outcome) => {
		expect(await arraysOf({submit}).arrays.submit(ARRAY)).toEqual(outcome);
	});

	test('whose submission never answers may be in the queue', async () => {
		expect(await arraysOf({submit: never}, 10).arrays.submit(ARRAY)).toEqual(unanswered('`arrays.submit` gave no answer within 0.0 s'));
	});

	test.each<readonly [title: string, elementIdGiven: unknown, reason: string]>([
		['twice', () => '7', '`arrays.elementId` gave "7" for two elements'],
		['as a number', (_id: string, element: number) => element, '`arrays.elementId` gave 1 for element 1, which is no text'],
		[
			'never',
			() => {
				throw new Error('which?');
			},
			'which?',
		],
	])('whose elements get their ids %s are not taken by their ids', async (_, given, reason) => {
		expect(await arraysOf({elementId: given}).arrays.submit(ARRAY)).toEqual(unanswered(reason));
	});

	test.each<readonly [title: string, maxElements: unknown, what: string]>([
		['zero', async () => 0, 'gave 0, which is no number of elements'],
		['a text', async () => '75000', 'gave "75000", which is no number of elements'],
		['an error', () => Promise.reject(new Error('no line')), 'failed (no line)'],
	])('of which one may have %s elements are not used', async (_, maxElements, what) => {
		const {arrays, told} = arraysOf({maxElements});
		expect(await arrays.maxElements()).toBe(1);
		expect(told).toEqual([`queue-map-reduce: the engine mine: \`arrays.maxElements\` ${what}: every queue-job is submitted by itself`]);
	});
});
