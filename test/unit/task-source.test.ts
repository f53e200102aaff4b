import {describe, expect, test} from 'vitest';
import {PoolError} from '../../src/errors.js';
import {beginStream, collectTasks, type TaskStream, takeTasks} from '../../src/task-source.js';

const collect = async (tasks: unknown): Promise<readonly unknown[]> => collectTasks(takeTasks(tasks));

const refusal = async (tasks: unknown): Promise<PoolError> => {
	const error = await collect(tasks).then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(PoolError);
	expect(error).toMatchObject({name: 'PoolError', code: 'ERR_POOL_TASKS'});
	return error as PoolError;
};

describe('tasks may be', () => {
	test.each<[what: string, tasks: unknown, collected: readonly unknown[]]>([
		['an array', [1, 2], [1, 2]],
		['an empty array', [], []],
		['an array with holes', new Array(2), [undefined, undefined]],
		['a Set', new Set([1, 2]), [1, 2]],
		['a Map', new Map([[1, 2]]), [[1, 2]]],
		['a string', 'a😀', ['a', '😀']],
		['a typed array', Uint8Array.of(1, 2), [1, 2]],
		[
			'a generator',
			(function* () {
				yield 1;
				yield undefined;
			})(),
			[1, undefined],
		],
		[
			'an async generator',
			(async function* () {
				yield 1;
				yield 2;
			})(),
			[1, 2],
		],
		['an object with an iterator', {[Symbol.iterator]: () => [7].values()}, [7]],
	])('%s', async (_, tasks, collected) => {
		expect(await collect(tasks)).toEqual(collected);
	});

	test('values of any kind, which stay what they are: a promise among them is not waited for', async () => {
		const promise = Promise.resolve(1);
		expect((await collect([promise]))[0]).toBe(promise);
	});

	test('many, collected without a turn of the event loop for each', async () => {
		let numTurns = 0;
		const count = (): void => {
			numTurns++;
			counting = setImmediate(count);
		};
		let counting = setImmediate(count);
		expect(await collect(Array.from({length: 1_000_000}, (_, i) => i))).toHaveLength(1_000_000);
		clearImmediate(counting);
		expect(numTurns).toBeLessThan(100);
	});
});

describe('tasks may not be', () => {
	test.each([
		[null, 'null. Pass an array.'],
		[undefined, 'undefined. Pass an array.'],
		[5, 'number. Pass an array.'],
		[{}, 'an object. Pass an array, as Object.values(…) or Object.entries(…) gives.'],
		[{length: 1, 0: 'a'}, 'an object. Pass an array, as Object.values(…) or Object.entries(…) gives.'],
		[() => [], 'a function. The function comes first, then the tasks.'],
		[Promise.resolve([1]), 'a Promise. Await it first.'],
	])('%j', async (tasks, got) => {
		expect((await refusal(tasks)).message).toBe(`Expected \`tasks\` to be an iterable or an async iterable, got ${got}`);
	});
});

describe('an iterator that throws', () => {
	const throwing = (thrown: unknown) =>
		(function* () {
			yield 'a';
			yield 'b';
			throw thrown;
		})();

	test('is told by the number of the task, with its own error as the cause', async () => {
		const cause = new RangeError('no more');
		const error = await refusal(throwing(cause));
		expect(error.message).toBe('The iterator of `tasks` threw at task 2: no more');
		expect(error.cause).toBe(cause);
	});

	test.each([
		[null, 'null'],
		['text', "'text'"],
		[undefined, 'undefined'],
		[Symbol('x'), 'Symbol(x)'],
		[Object.create(null), '[Object: null prototype] {}'],
	])('may throw anything: %s', async (thrown, printed) => {
		expect((await refusal(throwing(thrown))).message).toBe(`The iterator of \`tasks\` threw at task 2: ${printed}`);
	});

	test('or reject', async () => {
		const tasks = (async function* () {
			yield 1;
			throw new Error('no connection');
		})();
		expect((await refusal(tasks)).message).toBe('The iterator of `tasks` threw at task 1: no connection');
	});

	test('or be none', async () => {
		expect((await refusal({[Symbol.iterator]: 5})).message).toContain('threw at task 0: ');
	});
});

const generate = function* (count: number, log: string[] = []): Generator<number> {
	try {
		for (let i = 0; i < count; i++) {
			log.push(`made ${i}`);
			yield i;
		}
	} finally {
		log.push('ended');
	}
};

const streamFrom = (tasks: unknown): TaskStream => {
	const source = takeTasks(tasks);
	if (source.kind !== 'stream') throw new Error('it is no stream');
	return source;
};

describe('what does not know its length is a stream', () => {
	test('of which nothing is read until it is asked for, and no more than that', async () => {
		const log: string[] = [];
		const stream = streamFrom(generate(5, log));
		expect(log).toEqual([]);
		expect([await stream.next(), await stream.next()]).toEqual([
			{done: false, task: 0},
			{done: false, task: 1},
		]);
		expect(log).toEqual(['made 0', 'made 1']);
	});

	test('that is told when no more is wanted', async () => {
		const log: string[] = [];
		const stream = streamFrom(generate(5, log));
		await stream.next();
		stream.close();
		expect(log).toEqual(['made 0', 'ended']);
		expect(await stream.next()).toEqual({done: true});
	});

	test('that is told so once, and not at all when it has ended by itself', async () => {
		let numReturns = 0;
		const tasks = {[Symbol.iterator]: () => ({next: () => ({done: false, value: 0}), return: () => ({done: true, value: numReturns++})})};
		const left = streamFrom(tasks as Iterable<unknown>);
		await left.next();
		left.close();
		left.close();
		expect(numReturns).toBe(1);
		const ended = streamFrom({
			[Symbol.iterator]: () => ({...tasks[Symbol.iterator](), next: () => ({done: true, value: 0})}),
		} as Iterable<unknown>);
		await ended.next();
		ended.close();
		expect(numReturns).toBe(1);
	});

	test('and whose own cleaning up may throw', async () => {
		let numReturns = 0;
		const tasks = {
			[Symbol.iterator]: () => ({
				next: () => ({done: false, value: 1}),
				return: () => {
					numReturns++;
					throw new Error('no');
				},
			}),
		};
		const stream = streamFrom(tasks);
		await stream.next();
		stream.close();
		expect(numReturns).toBe(1);
	});

	test('begins with its first task, or is empty', async () => {
		expect(await beginStream(streamFrom(generate(0)))).toBeUndefined();
		const begun = await beginStream(streamFrom(generate(2)));
		expect([await begun?.next(), await begun?.next(), await begun?.next()]).toEqual([
			{done: false, task: 0},
			{done: false, task: 1},
			{done: true},
		]);
	});

	test('that never gives its first task is not waited for when the call is aborted', async () => {
		const never = {[Symbol.asyncIterator]: () => ({next: () => new Promise<never>(() => undefined)})};
		const stop = new AbortController();
		const begun = beginStream(streamFrom(never), stop.signal);
		stop.abort(new Error('enough'));
		await expect(begun).rejects.toThrow('enough');
	});

	test('a custom async iterator may give any thenable', async () => {
		let numGiven = 0;
		const tasks = {
			[Symbol.asyncIterator]: () => ({
				// biome-ignore lint/suspicious/noThenProperty: that is what is tested.
				next: () => ({then: (resolve: (result: unknown) => void) => resolve({done: numGiven++ === 2, value: numGiven})}),
			}),
		};
		expect(await collect(tasks)).toEqual([1, 2]);
	});
});
