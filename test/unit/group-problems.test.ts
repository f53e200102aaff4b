import {expect, test} from 'vitest';
import {groupProblems} from '../../src/cli/look/group-problems.js';

test('what is wrong with the same kind of file of many chunks is told once, with a count', () => {
	const problems = [
		"/run/log.jsonl: 1 of its lines can't be read",
		...[0, 1, 2].map(ichunk => `/run/${String(ichunk).padStart(9, '0')}.1.out: it is missing`),
		'/run/000000001.tasks: it is missing',
		'/run/000000007.2.out: it is cut\x1b off',
	];
	expect(groupProblems(problems)).toEqual([
		problems[0],
		'/run/000000000.1.out: it is missing (3 times like that)',
		problems[4],
		'/run/000000007.2.out: it is cut\\x1b off',
	]);
});

test('of many different ones there are some, and how many others', () => {
	const problems = Array.from({length: 9}, (_, i) => `/run/rerun.${i}: damaged`);
	expect(groupProblems(problems, 2)).toEqual([problems[0], problems[1], 'and 7 other problems']);
});
