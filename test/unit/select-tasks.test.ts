import {describe, expect, test} from 'vitest';
import {selectTasks, type TaskStatus} from '../../src/later/select-tasks.js';

const tasks = (states: string): TaskStatus[] =>
	[...states].map((letter, itask) => ({
		itask,
		state: ({d: 'done', f: 'failed', p: 'pending', r: 'running'} as const)[letter as 'd'],
		rerun: undefined,
	}));

describe('tasks that are computed again', () => {
	test('are those without a result', () => {
		expect(selectTasks('/run', tasks('dfdf'), {within: undefined})).toEqual([1, 3]);
		expect(selectTasks('/run', tasks('dfdf'), {within: [0, 3]})).toEqual([3]);
		expect(selectTasks('/run', tasks('dd'), {within: undefined})).toEqual([]);
	});

	test('or the given ones, whatever became of them', () => {
		expect(selectTasks('/run', tasks('dfdf'), [3, 0, 3])).toEqual([0, 3]);
		expect(selectTasks('/run', tasks('dfpp'), [1])).toEqual([1]);
		expect(selectTasks('/run', tasks('df'), [])).toEqual([]);
	});

	test('can be none that there is not', () => {
		expect(() => selectTasks('/run', tasks('dfdf'), [4])).toThrow('from 0 to 3, got 4');
	});

	test.each([
		['dp', {within: undefined}, 'Task 1 of /run may still be computed'],
		['drp', [1, 2], 'Tasks 1-2 of /run may still be computed'],
	])('can be none that may still be computed: of %s', (states, wanted, words) => {
		expect(() => selectTasks('/run', tasks(states), wanted)).toThrow(words);
	});

	test('what a rerun has left is named with the way to go on with it', () => {
		const left = [{itask: 0, state: 'pending', rerun: 2}] as const;
		expect(() => selectTasks('/run', left, {within: undefined})).toThrow('qmr resume /run/rerun.2');
	});
});
