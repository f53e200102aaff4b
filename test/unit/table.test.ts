import fc from 'fast-check';
import {describe, expect, expectTypeOf, test} from 'vitest';
import {TaskError} from '../../src/errors.js';
import {createColumns, table} from '../../src/experiments/table.js';
import type {MapRun} from '../../src/map-run.js';
import type {Outcome} from '../../src/outcome.js';
import type {TaskRecord} from '../../src/read/read-work-dir.js';

const where = {ichunk: 0, attempt: 1, jobId: '1', host: 'node1', startedAt: undefined, elapsedMs: undefined};

const done = <R>(itask: number, value: R): Outcome<R> => ({status: 'fulfilled', value, itask, ...where});

const failed = (itask: number, reason: string): Outcome<never> => ({
	status: 'rejected',
	reason: new TaskError(reason, {
		...where,
		kind: 'exception',
		itask,
		jobId: '1',
		host: 'node1',
		input: '',
		remote: undefined,
		stderrTail: '',
	}),
	itask,
	...where,
});

describe('V7: tasks and results become rows of one table', () => {
	const tasks = [
		{delta: 1, epsilon: 0.1},
		{delta: 2, epsilon: 0.1},
		{delta: 3, epsilon: 0.1},
	];

	test('only of those that succeeded, with parameters and outputs side by side; the failed ones are listed apart', () => {
		const outcomes = [done(0, {energy: 10, steps: 5}), failed(1, 'RangeError: boom'), done(2, {energy: 30, steps: 7})];
		const result = table(outcomes, tasks);
		expect(result.rows).toEqual([
			{itask: 0, delta: 1, epsilon: 0.1, energy: 10, steps: 5},
			{itask: 2, delta: 3, epsilon: 0.1, energy: 30, steps: 7},
		]);
		expect(result.columns).toEqual(['itask', 'delta', 'epsilon', 'energy', 'steps']);
		expect(result.failures).toEqual([{itask: 1, kind: 'exception', message: 'RangeError: boom'}]);
		expectTypeOf(result.rows[0]!.energy).toEqualTypeOf<number>();
		expectTypeOf(result.rows[0]!.delta).toEqualTypeOf<number>();
		// @ts-expect-error There is no such column.
		result.rows[0]?.momentum;
	});

	test('a result that is called like a parameter has another name, in every row alike', () => {
		const outcomes = [done(0, {x: 1} as {x?: number; itask?: number}), done(1, {itask: 5})];
		const result = table(outcomes, [{x: 'a'}, {y: 'b'}] as {x?: string; y?: string}[]);
		expect(result.rows).toEqual([
			{itask: 0, x: 'a', 'result.x': 1},
			{itask: 1, y: 'b', 'result.itask': 5},
		]);
		expect(result.columns).toEqual(['itask', 'x', 'y', 'result.x', 'result.itask']);
		expectTypeOf(result.rows[0]!['result.x']).toEqualTypeOf<number | undefined>();
		expectTypeOf(result.rows[0]!.x).toEqualTypeOf<string | undefined>();
	});

	test('what is no plain object is one column', () => {
		const result = table([done(0, [1, 2]), done(1, [3, 4])], [7, 8]);
		expect(result.rows).toEqual([
			{itask: 0, task: 7, result: [1, 2]},
			{itask: 1, task: 8, result: [3, 4]},
		]);
		expectTypeOf(result.rows[0]!.task).toEqualTypeOf<number>();
		expectTypeOf(result.rows[0]!.result).toEqualTypeOf<number[]>();
	});

	test('without tasks there are outputs alone; a value of undefined is one', () => {
		expect(table([done(0, undefined), done(1, 2)]).rows).toEqual([
			{itask: 0, result: undefined},
			{itask: 1, result: 2},
		]);
	});

	test('a record of a work_dir has its tasks with it; those that are not finished are in neither list', () => {
		const record = {
			tasks: [
				{itask: 0, input: {a: 1}, outcome: {status: 'fulfilled', value: {b: 2}}},
				{itask: 1, input: {a: 2}, outcome: {status: 'rejected', kind: 'lost', message: 'gone'}},
				{itask: 2, input: {a: 3}, outcome: undefined},
			] as TaskRecord[],
		};
		expect(table(record)).toEqual({
			rows: [{itask: 0, a: 1, b: 2}],
			columns: ['itask', 'a', 'b'],
			failures: [{itask: 1, kind: 'lost', message: 'gone'}],
		});
	});

	test('the end of a run is waited for', async () => {
		const run = {outcomes: async () => [done(0, {b: 2})]} as unknown as MapRun<{b: number}>;
		expect((await table(run, [{a: 1}])).rows).toEqual([{itask: 0, a: 1, b: 2}]);
	});
});

test('no value is lost to the name of another, whatever tasks and results are called', () => {
	const anyObject = fc.dictionary(
		fc.constantFrom('itask', 'x', 'result.x', 'result.result.x', 'task', 'result', '__proto__', 'task.itask'),
		fc.integer(),
	);
	fc.assert(
		fc.property(fc.array(fc.tuple(anyObject, anyObject), {minLength: 1, maxLength: 4}), pairs => {
			const columns = createColumns();
			for (const [task, result] of pairs) columns.see(task, result);
			const names = columns.names();
			expect(new Set(names).size).toBe(names.length);
			for (const [i, [task, result]] of pairs.entries()) {
				const row = columns.toRow(i, task, result);
				expect(columns.knows(task, result)).toBe(true);
				expect(Object.keys(row).every(name => names.includes(name))).toBe(true);
				expect(Object.values(row).sort()).toEqual([i, ...Object.values(task), ...Object.values(result)].sort());
			}
		}),
	);
	const columns = createColumns();
	columns.see({a: 1}, 2);
	expect([columns.knows({b: 1}, 2), columns.knows({a: 1}, {c: 1})]).toEqual([false, false]);
});

test.each<[string, unknown, string]>([
	['a path', 'run', 'got "run"'],
	['nothing', undefined, 'got undefined'],
	['the results of map', [1, 4], 'got an array of something else'],
	['a promise that was not waited for', Promise.resolve([]), 'got an object (Promise)'],
])('what has no outcomes is refused with what was expected: %s', (_, source, got) => {
	expect(() => table(source as never)).toThrow(
		expect.objectContaining({
			code: 'ERR_POOL_OPTION',
			message: expect.stringMatching(/^Expected `source` to be what `readWorkDir` gives, /),
		}),
	);
	expect(() => table(source as never)).toThrow(got);
});
