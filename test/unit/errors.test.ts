import {inspect} from 'node:util';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {MapError, PoolError, type RemoteError, TaskError, type TaskErrorFields} from '../../src/errors.js';
import {groupFailures} from '../../src/group-failures.js';

const remote: RemoteError = {name: 'RangeError', message: 'boom', stack: 'RangeError: boom\n    at f', code: 'E_BOOM'};

const fields = (itask: number, others: Partial<TaskErrorFields> = {}): TaskErrorFields => ({
	kind: 'exception',
	itask,
	ichunk: 13,
	attempt: 2,
	jobId: '937',
	host: 'node1',
	input: '[ 1, 2 ]',
	remote: undefined,
	stderrTail: '',
	...others,
});

const taskError = (itask: number, reason: string): TaskError => new TaskError(reason, fields(itask));
const mapError = (failures: readonly TaskError[], numTasks: number): MapError =>
	new MapError({failures, results: new Array(numTasks).fill('x'.repeat(1000)), workDir: '/w/s', session: 's'});

describe('PoolError', () => {
	test('is an Error with a name, a code, the work_dir and a cause', () => {
		const cause = new Error('inner');
		const error = new PoolError('ERR_POOL_OUTAGE', 'no answer', {workDir: '/w', cause});
		expect(error).toBeInstanceOf(Error);
		expect(error).toMatchObject({name: 'PoolError', code: 'ERR_POOL_OUTAGE', message: 'no answer', workDir: '/w', cause});
		expect(String(error)).toBe('PoolError: no answer');
		expect(inspect(error)).toMatch(/^PoolError: no answer\n {4}at /);
	});

	test('has no cause when none was given, and keeps one that is undefined', () => {
		expect('cause' in new PoolError('ERR_POOL_OPTION', 'x')).toBe(false);
		expect('cause' in new PoolError('ERR_POOL_OPTION', 'x', {cause: undefined})).toBe(true);
	});

	test('its name is not among its own properties', () => {
		expect(Object.keys(new PoolError('ERR_POOL_OPTION', 'x'))).toEqual(['code', 'workDir']);
	});
});

describe('TaskError', () => {
	test('tells who, where and why', () => {
		const error = new TaskError('RangeError: boom', fields(7, {remote}), new RangeError('boom'));
		expect(error).toBeInstanceOf(Error);
		expect(error).toMatchObject({
			name: 'TaskError',
			message: 'task 7: RangeError: boom',
			reason: 'RangeError: boom',
			...fields(7, {remote}),
		});
		expect(error.cause).toEqual(new RangeError('boom'));
	});

	test('has every field, also one that is undefined, and no cause when there is none', () => {
		const error = new TaskError('lost', fields(0, {jobId: undefined, host: undefined}));
		for (const name of Object.keys(fields(0))) expect(name in error).toBe(true);
		expect('cause' in error).toBe(false);
	});

	test('prints what was thrown on the worker', () => {
		const cause = Object.assign(new RangeError('boom'), {stack: 'RangeError: boom\n    at fn (/home/me/work.mjs:3:7)'});
		expect(inspect(new TaskError('RangeError: boom', fields(7), cause))).toContain('at fn (/home/me/work.mjs:3:7)');
	});
});

describe('MapError', () => {
	test('lists the failures, has the results, and names the work_dir', () => {
		const failures = [taskError(1, 'boom')];
		const results = [0, undefined, 2];
		delete results[1];
		const error = new MapError({failures, results, workDir: '/w/s', session: 's'});
		expect(error).toBeInstanceOf(Error);
		expect(error.name).toBe('MapError');
		expect(error.message).toBe('1 of 3 tasks failed.\n  task 1: boom\nThe work_dir is kept: /w/s');
		expect(error.failures).toBe(failures);
		expect(error.results).toBe(results);
		expect([0, 1, 2].map(itask => itask in error.results)).toEqual([true, false, true]);
		expect([error.workDir, error.session]).toEqual(['/w/s', 's']);
	});

	test('a thousand tasks that fail alike print short', () => {
		const error = mapError(
			Array.from({length: 1000}, (_, i) => taskError(i, 'TypeError: x is not a function')),
			1000,
		);
		expect(error.message).toBe('1000 of 1000 tasks failed.\n  tasks 0-999: TypeError: x is not a function\nThe work_dir is kept: /w/s');
		expect(inspect(error).split('\n').length).toBeLessThan(25);
	});

	test('tasks that were only cancelled are counted apart, and told behind what has ended the map', () => {
		const cancelled = (itask: number): TaskError => new TaskError('cancelled, for another task failed', fields(itask, {kind: 'cancelled'}));
		expect(mapError([cancelled(0), taskError(1, 'boom'), cancelled(2)], 4).message).toBe(
			'1 of 4 tasks failed and 2 were cancelled.\n  task 1: boom\n  tasks 0, 2: cancelled, for another task failed\nThe work_dir is kept: /w/s',
		);
		expect(mapError([taskError(0, 'boom'), cancelled(1)], 2).message).toContain('1 of 2 tasks failed and 1 was cancelled.\n');
	});

	test('a thousand tasks that fail in a thousand ways, each at length, print short', () => {
		const failures = Array.from({length: 1000}, (_, i) => taskError(i, `Error: ${i}\n${'long '.repeat(5000)}`));
		const printed = inspect(mapError(failures, 100_000));
		expect(printed.length).toBeLessThan(6000);
		expect(printed).toContain('  and 990 further kinds of failure, see error.failures\n');
	});
});

describe('equal failures are one line', () => {
	const failing = (...itasks: readonly number[]) => itasks.map(itask => ({itask, reason: 'boom'}));

	test.each<[itasks: readonly number[], line: string]>([
		[[3], '  task 3: boom'],
		[[3, 4], '  tasks 3-4: boom'],
		[[3, 7, 9, 10, 11], '  tasks 3, 7, 9-11: boom'],
		[[0, 2, 4, 6, 8, 10, 12, 14], '  tasks 0, 2, 4, 6, 8, 10, 12, 14: boom'],
		[[0, 2, 4, 6, 8, 10, 12, 14, 16], '  tasks 0, 2, 4, 6, 8, 10, 12, 14, … (9 tasks): boom'],
	])('of the tasks %j', (itasks, line) => {
		expect(groupFailures(failing(...itasks))).toEqual([line]);
	});

	test('the most frequent comes first, then the first one', () => {
		const failures = [...failing(0), {itask: 1, reason: 'b'}, {itask: 2, reason: 'c'}, {itask: 3, reason: 'c'}];
		expect(groupFailures(failures)).toEqual(['  tasks 2-3: c', '  task 0: boom', '  task 1: b']);
	});

	test('ten kinds are told, of more it is said how many', () => {
		const kinds = (count: number) => Array.from({length: count}, (_, i) => ({itask: i, reason: `r${i}`}));
		expect(groupFailures(kinds(10))).toHaveLength(10);
		expect(groupFailures(kinds(12)).slice(9)).toEqual(['  task 9: r9', '  and 2 further kinds of failure, see error.failures']);
	});

	test('a reason of many lines is one line, a long one is shortened', () => {
		expect(groupFailures([{itask: 0, reason: 'Expected values:\r\n\n  + 1\n  - 2\n'}])).toEqual(['  task 0: Expected values: + 1 - 2']);
		expect(groupFailures([{itask: 0, reason: 'x'.repeat(301)}])).toEqual([`  task 0: ${'x'.repeat(300)}…`]);
	});

	test('no failures are no lines', () => {
		expect(groupFailures([])).toEqual([]);
	});

	test('whatever failed, it is at most eleven lines of a bounded length', () => {
		fc.assert(
			fc.property(fc.array(fc.string({unit: 'binary', maxLength: 2000})), reasons => {
				const lines = groupFailures(reasons.map((reason, itask) => ({itask, reason})));
				expect(lines.length).toBeLessThanOrEqual(11);
				for (const line of lines) expect(line.includes('\n') || line.length > 500).toBe(false);
			}),
		);
	});
});
