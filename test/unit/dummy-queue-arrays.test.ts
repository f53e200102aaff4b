import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import {type DummyQueue, readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {formatElements} from '../../dummy-queue/elements.js';
import {parseElements} from '../../src/engines/grid-engine-elements.js';
import {call, makeDummyQueue, makeTemporaryDirectory} from '../helpers/dummy-queue.js';

const read = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');

/** Submits an array that does nothing; returns what qsub said. */
const submitArray = async ({qsubPath}: DummyQueue, ...words: readonly string[]): Promise<string> =>
	(await call(qsubPath, ['-terse', '-N', 'array', '-o', '/dev/null', '-e', '/dev/null', ...words, '-b', 'y', 'true'])).stdout;

/** What the next call of qstat lists: `state elements` of each line. */
const poll = async ({qstatPath}: DummyQueue): Promise<string[]> => {
	const {stdout} = await call(qstatPath, ['-f', '-ne', '-xml']);
	return [...stdout.matchAll(/<state>(.*)<\/state>\n.*\n.*\n\s*<tasks>(.*)<\/tasks>/g)].map(
		([, state, elements]) => `${state} ${elements}`,
	);
};

describe('lists of elements', () => {
	const lists = readdirSync(new URL('../fixtures/qstat/', import.meta.url)).flatMap(name =>
		[...read(`qstat/${name}`).matchAll(/<tasks>(.*)<\/tasks>/g)].map(match => match[1] as string),
	);

	test('are printed as the real one prints them, also of an array of which half was removed', () => {
		expect(Math.max(...lists.map(list => list.length))).toBeGreaterThan(5000);
		for (const list of lists) expect(formatElements(parseElements(list))).toBe(list);
	});

	test('are those elements and no others', () => {
		fc.assert(
			fc.property(fc.uniqueArray(fc.integer({min: 1, max: 60}), {minLength: 1}), elements => {
				const sorted = elements.toSorted((a, b) => a - b);
				expect(parseElements(formatElements(sorted))).toEqual(sorted);
			}),
		);
	});
});

describe('an array', () => {
	test.each([
		['1-3', '1.1-3:1', '1-3:1'],
		['3', '1.3-3:1', '3'],
		['1-2', '1.1-2:1', '1,2'],
		['2-6:2', '1.2-6:2', '2-6:2'],
		['1-8:3', '1.1-8:3', '1-7:3'],
		['5-3', '1.3-5:1', '3-5:1'],
	])('-t %s is told as %s and listed as %s', async (range, told, listed) => {
		const queue = makeDummyQueue({maxRunning: 0});
		expect(await submitArray(queue, '-t', range)).toBe(`${told}\n`);
		expect(await poll(queue)).toEqual([`qw ${listed}`]);
	});

	test('is told in prose without -terse', async () => {
		const {qsubPath} = makeDummyQueue();
		const {stdout} = await call(qsubPath, ['-N', 'named', '-t', '1-3', '-b', 'y', 'true']);
		expect(stdout).toBe('Your job-array 1.1-3:1 ("named") has been submitted\n');
	});

	test('is started and executed one element after the other', async () => {
		const queue = makeDummyQueue({maxRunning: 2});
		await submitArray(queue, '-t', '1-3');
		expect([await poll(queue), await poll(queue), await poll(queue), await poll(queue)]).toEqual([
			['r 1', 'qw 2,3'],
			['r 1', 'r 2', 'qw 3'],
			['r 2', 'qw 3'],
			['r 2', 'r 3'],
		]);
		expect([await poll(queue), await poll(queue)]).toEqual([['r 3'], []]);
		expect(readQueueState(queue.directory).ended.map(({JB_job_number, element}) => [JB_job_number, element])).toEqual([
			[1, 1],
			[1, 2],
			[1, 3],
		]);
	});

	test('has no more elements running than -tc allows, those in an error state included', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'error-state', element: 2, times: 1, reason: 'no reason'}]});
		await submitArray(queue, '-t', '1-4', '-tc', '2');
		expect([await poll(queue), await poll(queue), await poll(queue)]).toEqual([
			['r 1', 'qw 2-4:1'],
			['r 1', 'Eqw 2', 'qw 3,4'],
			['Eqw 2', 'qw 3,4'],
		]);
		expect([await poll(queue), await poll(queue)]).toEqual([
			['r 3', 'Eqw 2', 'qw 4'],
			['Eqw 2', 'qw 4'],
		]);
		await call(queue.qdelPath, ['1.2']);
		expect([await poll(queue), await poll(queue)]).toEqual([['r 4'], []]);
		expect(readQueueState(queue.directory).faults[0]).toMatchObject({seen: 1});
	});

	test('is one queue-job to the limit of a user', async () => {
		const queue = makeDummyQueue({maxUserJobs: 2});
		for (const id of ['1', '2']) expect(await submitArray(queue, '-t', '1-5')).toBe(`${id}.1-5:1\n`);
		expect(await submitArray(queue, '-t', '1-5')).toBe('');
	});

	test('gives each element its own number, directory and output file, as the real one', async () => {
		const queue = makeDummyQueue();
		const directory = makeTemporaryDirectory();
		const script = path.join(directory, 'envs.sh');
		writeFileSync(script, 'echo "$SGE_TASK_ID $SGE_TASK_FIRST $SGE_TASK_LAST $SGE_TASK_STEPSIZE $TMPDIR $*"\n');
		await call(queue.qsubPath, ['-t', '2-4:2', '-wd', directory, '-j', 'y', script, 'a', 'b']);
		for (let i = 0; i < 4; i++) await poll(queue);
		const output = (element: number): string => readFileSync(path.join(directory, `envs.sh.o1.${element}`), 'utf8');
		expect(output(2)).toBe(`2 2 4 2 ${queue.directory}/tmp/1.2.dummy.q a b\n`);
		expect(output(4)).toBe(`4 2 4 2 ${queue.directory}/tmp/1.4.dummy.q a b\n`);
	});

	test('is listed element by element with -g d, and in a table for people', async () => {
		const queue = makeDummyQueue({maxRunning: 1});
		await submitArray(queue, '-t', '1-4');
		const {stdout} = await call(queue.qstatPath, ['-g', 'd', '-xml']);
		expect(parseElements([...stdout.matchAll(/<tasks>(.*)</g)].map(match => match[1]).join(','))).toEqual([1, 2, 3, 4]);
		updateQueueState(queue.directory, state => {
			state.maxRunning = 0;
		});
		expect((await call(queue.qstatPath, [])).stdout).toMatch(/ array .* qw .* 1 2-4:1\n$/);
	});
});

describe('qdel of elements', () => {
	/** As the real one did: what was asked, what it said and exited with, and what was left of an array of twenty. */
	test.each<[words: string, said: string[], exitCode: number, left: string[]]>([
		['1.14', ['deleted job-array task 1.14'], 0, ['hqw 1-13:1,15-20:1']],
		['1 -t 15-16', ['deleted job-array tasks 15,16 of job 1'], 0, ['hqw 1-14:1,17-20:1']],
		['1.1-5:2', ['deleted job-array tasks 1-5:2 of job 1'], 0, ['hqw 2,4,6-20:1']],
		['1.8,1.10', ['deleted job-array task 1.8', 'deleted job-array task 1.10'], 0, ['hqw 1-7:1,9,11-20:1']],
		['1.2-6:2 1.1-20:1', ['deleted job-array tasks 2-6:2 of job 1', 'deleted job-array tasks 1-5:2,7-20:1 of job 1'], 0, []],
		['1', ['deleted job 1'], 0, []],
		['1.21', ['job "1" task "21" does not exist'], 1, ['hqw 1-20:1']],
		['1.21-23', ['job "1" task id range "21-23:1" comprises no tasks'], 1, ['hqw 1-20:1']],
		['1.19-23 2', ['deleted job-array tasks 19,20 of job 1', 'denied: job "2" does not exist'], 1, ['hqw 1-18:1']],
	])('%s', async (words, said, exitCode, left) => {
		const queue = makeDummyQueue();
		await submitArray(queue, '-h', '-t', '1-20');
		const answer = await call(queue.qdelPath, words.split(' '));
		expect(
			answer.stdout
				.replaceAll(/^\S+ has /gm, '')
				.trimEnd()
				.split('\n'),
		).toEqual(said);
		expect(answer.exitCode).toBe(exitCode);
		expect(await poll(queue)).toEqual(left);
	});

	test('that run is told one by one, and a whole array as one', async () => {
		const queue = makeDummyQueue({maxRunning: 2});
		await submitArray(queue, '-t', '1-5');
		await poll(queue);
		await poll(queue);
		const said = async (...words: string[]): Promise<string[]> =>
			(await call(queue.qdelPath, words)).stdout
				.replaceAll(/^\S+ has /gm, '')
				.trimEnd()
				.split('\n');
		expect(await said('1.2-4')).toEqual(['registered the job-array task 1.2 for deletion', 'deleted job-array tasks 3,4 of job 1']);
		expect(await said('1')).toEqual(['registered the job-array task 1.1 for deletion', 'deleted job 1']);
	});

	test('that linger says so', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'linger', element: 2, times: 1, polls: 1}]});
		await submitArray(queue, '-h', '-t', '1-3');
		await call(queue.qdelPath, ['1.1-2']);
		expect((await call(queue.qdelPath, ['1.2'])).stdout).toBe('job 1 is already in deletion\n');
		expect(await poll(queue)).toEqual(['dhqw 2', 'hqw 3']);
	});
});

describe('of a single element', () => {
	test('faults happen, and qstat -j and qacct -t tell of it with the words of the real one', async () => {
		const queue = makeDummyQueue({
			faults: [
				{kind: 'error-state', element: 2, times: 1, reason: 'unable to find shell "/x"'},
				{kind: 'kill', jobName: 'array', element: 3, times: 1},
				{kind: 'vanish', jobName: 'other', element: 1, times: 1},
			],
		});
		// Long enough to be killed while it runs.
		await call(queue.qsubPath, ['-N', 'array', '-o', '/dev/null', '-e', '/dev/null', '-t', '1-3', '-b', 'y', 'sleep', '0.2']);
		for (let i = 0; i < 5; i++) await poll(queue);
		expect(readQueueState(queue.directory).faults.map(({seen}) => seen)).toEqual([1, 1, undefined]);
		const {stdout} = await call(queue.qstatPath, ['-j', '1']);
		expect(stdout).toMatch(/^error reason {10}2: {6}\d\d\/.* \[\d+:\d+\]: unable to find shell "\/x"$/m);
		const accounted = async (range: string): Promise<string[]> =>
			[...(await call(queue.qacctPath, ['-j', '1', '-t', range])).stdout.matchAll(/^(?:taskid|failed) +(.*?)\s*$/gm)].map(
				match => match[1] as string,
			);
		expect(await accounted('1')).toEqual(['1', '0']);
		expect(await accounted('2-3')).toEqual(['2', '1   : assumedly before job', '3', '100 : assumedly after job']);
		const unknown = await call(queue.qacctPath, ['-j', '1', '-t', '9']);
		expect(unknown).toEqual({stdout: '', stderr: 'error: Job-array tasks 1.9-9:1 not found\n', exitCode: 1});
	});

	test('qstat -j has the lines of the real one', async () => {
		const queue = makeDummyQueue({faults: [2, 4].map(element => ({kind: 'error-state' as const, element, times: 1, reason: 'x'}))});
		await submitArray(queue, '-t', '1-6', '-tc', '4', '-wd', '/');
		for (let i = 0; i < 4; i++) await poll(queue);
		const keys = (text: string): string[] => text.split('\n').map(line => line.split(':')[0]?.replaceAll(/ +/g, ' ') ?? '');
		const real = keys(read('qstat/job-array-error.txt')).filter(key => !/^(?:usage|binding \d)/.test(key));
		const ours = keys((await call(queue.qstatPath, ['-j', '1'])).stdout);
		expect(ours.filter(key => !['exec_file', 'job_args'].includes(key))).toEqual(real.filter(key => ours.includes(key)));
		expect(ours).toEqual(
			expect.arrayContaining([
				'job-array tasks',
				'maximum concurrency',
				'error reason 4',
				" not all array tasks may be started due to 'max_aj_instances'",
			]),
		);
	});

	test('qalter says nothing: it asks for the whole array', async () => {
		const queue = makeDummyQueue({maxRunning: 1});
		await submitArray(queue, '-t', '1-3');
		await poll(queue);
		expect(await call(queue.qalterPath, ['-w', 'p', '1.2'])).toEqual({
			stdout: '',
			stderr: 'denied: the selected option works only on jobs and not on tasks\n',
			exitCode: 4,
		});
		expect((await call(queue.qalterPath, ['-w', 'p', '1'])).stdout).toBe('verification: found suitable queue(s)\n');
	});
});

test('how long an array may be is told by qconf, in the words of the real one', async () => {
	const {qconfPath} = makeDummyQueue({maxElements: 7});
	const {stdout} = await call(qconfPath, ['-sconf']);
	expect(stdout).toMatch(/^max_aj_tasks {17}7$/m);
	expect(read('qconf/configuration.txt')).toMatch(/^max_aj_tasks {17}75000$/m);
	expect(await call(qconfPath, ['-sq'])).toMatchObject({stdout: '', exitCode: 1});
});
