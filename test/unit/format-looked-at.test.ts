/** Pure parts of what `qmr status`, `errors` and `show` print. */
import {describe, expect, test} from 'vitest';
import {createErrorGroups} from '../../src/cli/look/error-groups.js';
import {formatItasks, formatRemote} from '../../src/cli/look/format-errors.js';
import {crop} from '../../src/cli/look/watch-map.js';
import {
	formatAge,
	formatAgeShort,
	formatEvent,
	formatFunction,
	formatFunctionShort,
	formatOwner,
	formatTime,
} from '../../src/cli/look/words.js';
import type {TaskErrorKind} from '../../src/errors.js';
import type {JournalLine} from '../../src/journal.js';
import {shellWord} from '../../src/quote-for-shell.js';

describe('failures are alike when their words and their kind are', () => {
	const rejected = (kind: TaskErrorKind, message: string) => ({status: 'rejected', kind, message}) as const;

	test('the most frequent come first, each with its tasks, its hosts, and the first as an example', () => {
		const groups = createErrorGroups();
		for (const [itask, message, host] of [
			[0, 'rare', 'a'],
			[1, 'often\n here', 'a'],
			[2, 'often here', 'b'],
			[5, 'often here', 'a'],
		] as const)
			groups.add({itask, outcome: rejected('exception', message), host, stderr: `e${itask}`});
		groups.add({itask: 3, outcome: {status: 'fulfilled', value: 1}, host: 'a', stderr: ''});
		groups.add({itask: 4, outcome: undefined, host: undefined, stderr: ''});
		groups.add({itask: 6, outcome: rejected('lost', 'often here'), host: undefined, stderr: ''});
		expect(groups.numFailures()).toBe(5);
		expect(groups.all()).toEqual([
			{
				...{reason: 'often here', kind: 'exception', itasks: [1, 2, 5], hosts: ['a', 'b']},
				example: {itask: 1, message: 'often\n here', remote: undefined, stderr: 'e1'},
			},
			expect.objectContaining({reason: 'rare', itasks: [0]}),
			expect.objectContaining({kind: 'lost', itasks: [6], hosts: []}),
		]);
	});

	test('their tasks are ranges, and how many there are is said when that is not seen at a glance', () => {
		expect(formatItasks([4])).toBe('task 4');
		expect(formatItasks([3, 7])).toBe('tasks 3, 7');
		expect(formatItasks([3, 7, 9, 10, 11])).toBe('tasks 3, 7, 9-11 (5 tasks)');
		expect(formatItasks(Array.from({length: 20}, (_, i) => 2 * i))).toBe('tasks 0, 2, 4, 6, 8, 10, 12, 14, … (20 tasks)');
	});
});

test('a thrown error is told with its code, its properties, its causes and the errors in it, each further in', () => {
	const remote = {
		...{name: 'AggregateError', message: 'all failed', code: 'E_ALL', properties: {tries: 2}},
		cause: {name: 'Error', message: 'deep', stack: 'Error: deep\n    at x'},
		errors: [
			{name: 'string', message: 'first \x1b[1m'},
			{name: 'Error', message: 'second'},
		],
	};
	expect(formatRemote(remote)).toBe(
		[
			'AggregateError: all failed',
			'  (code: E_ALL, tries: 2)',
			'  caused by Error: deep',
			'      at x',
			'  error 1 of 2: string: first \\x1b[1m',
			'  error 2 of 2: Error: second',
		].join('\n'),
	);
});

describe('words', () => {
	test('functions are named by where they are from', () => {
		const url = 'file:///home/me/a%20b.js';
		expect(formatFunction({kind: 'module', name: 'f', url, exportPath: ['a', 'f']})).toBe('a.f of /home/me/a b.js');
		expect(formatFunction({kind: 'module', name: 'f', url, exportPath: []})).toBe('module.exports of /home/me/a b.js');
		expect(formatFunction({kind: 'builtin', name: 'basename', module: 'node:path', exportPath: ['basename']})).toBe(
			'basename of node:path',
		);
		expect(formatFunction({kind: 'global', name: 'sqrt', path: ['Math', 'sqrt']})).toBe('Math.sqrt');
		expect(formatFunction({kind: 'source', name: 'f', source: 'x => x', file: '/home/me/x.js', line: 3})).toBe('f of /home/me/x.js:3');
		expect(formatFunction({kind: 'source', name: 'f', source: 'x => x'})).toBe('f');
		expect(formatFunctionShort({kind: 'module', name: 'f', url, exportPath: ['f']})).toBe('a b.js#f');
		expect(formatFunctionShort({kind: 'global', name: 'sqrt', path: ['Math', 'sqrt']})).toBe('sqrt');
	});

	test('times are UTC; ages are short; neither breaks at what is no time', () => {
		expect(formatTime(new Date(0))).toBe('1970-01-01 00:00:00');
		expect(formatTime(new Date('nonsense'))).toBe('?');
		const [second, hour, day] = [1000, 3_600_000, 86_400_000];
		expect([0, 59 * second, 90 * second, 3 * hour, 47 * hour, 5 * day].map(ms => formatAgeShort(0, ms))).toEqual([
			'0s',
			'59s',
			'1m',
			'3h',
			'47h',
			'5d',
		]);
		expect([-5, 30 * second, 30 * hour, 5 * day].map(ms => formatAge(0, ms))).toEqual(['0.0 s', '30.0 s', '30.0 hours', '5 days']);
	});

	test('of an owner it is said how to go on when nobody works, and not when it is over', () => {
		const who = {host: 'login1', pid: 7};
		const say = (owner: Parameters<typeof formatOwner>[0], isOver = false): string =>
			formatOwner(owner, {workDir: '/a b', isOver, nowMs: 90_000});
		expect(say({kind: 'alive', ...who})).toBe('the process 7 on login1 works in it');
		expect(say({kind: 'elsewhere', lastSignAt: new Date(60_000), ...who})).toBe(
			"the process 7 on login1, which can't be seen from here, gave its last sign of life 30.0 s ago (one is due every 15 s)",
		);
		expect(say({kind: 'dead', ...who})).toBe("the process 7 on login1 has died. To go on: qmr resume '/a b'");
		expect(say({kind: 'dead', ...who}, true)).toBe('the process 7 on login1 has died');
		expect(say({kind: 'released', ...who})).toMatch(/^nobody works in it: .* To go on: qmr resume '\/a b'$/);
		expect([say({kind: 'released', ...who}, true), say({kind: 'unknown'}, true)]).toEqual(['it has ended', 'it has ended']);
	});

	test('every event of the journal has its words', () => {
		const events = [
			'submitting',
			'submitted',
			'claimed',
			'not-submitted',
			'running',
			'queue-state',
			'error-state',
			'deleted',
			'resubmitted',
			'result',
		] as const;
		const rest = ['result-damaged', 'start-failed', 'lost', 'chunk-failed', 'waiting', 'set-aside', 'warning', 'chunk-cut'] as const;
		const line = {
			time: '',
			jobId: '12',
			host: 'node1',
			state: 'held',
			rawState: 'hqw',
			kind: 'lost',
			reason: 'why',
			numFailed: 1,
			numTasks: 3,
		} as const;
		expect([...events, ...rest].map(event => formatEvent({...line, event} as JournalLine))).toEqual([
			'a queue-job is being submitted',
			'submitted as the queue-job 12 (lost: why)',
			'the queue-job 12 on node1 has claimed the chunk (lost: why)',
			'not submitted (lost: why)',
			'the queue-job 12 runs on node1',
			'the queue-job 12 is held (hqw)',
			'the queue-job 12 was given up in an error state (lost: why)',
			'the queue-job 12 was removed (lost: why)',
			'it is submitted again (lost: why)',
			'the result is there, with 1 failed task',
			"the result can't be read (lost: why)",
			'the worker could not begin on node1 (lost: why)',
			'the queue-job 12 was given up on node1 (lost: why)',
			'its tasks without a result have failed (lost: why)',
			'the queue-job 12 waits (lost: why)',
			'a file was set aside (lost: why)',
			'warning (lost: why)',
			'it was closed with 3 tasks',
		]);
	});

	test('a path is one word of a shell', () => {
		expect([shellWord('/a/b-c_1.x'), shellWord("/it's a"), shellWord('')]).toEqual(['/a/b-c_1.x', `'/it'\\''s a'`, "''"]);
	});
});

test('of what does not fit on a terminal the beginning stays', () => {
	expect(crop('a\nb\nc', 10)).toBe('a\nb\nc');
	expect(crop('a\nb\nc\nd\ne', 4)).toBe('a\nb\n…');
	expect(crop('a\nb\nc', 1)).toBe('a\n…');
});
