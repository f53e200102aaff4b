import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {JobState} from '../../src/engines/engine.js';
import {listArguments, parseListing, toJobState} from '../../src/engines/slurm-answers.js';

/** As squeue 22.05 printed it: an array of which two may run at a time and one was removed, holds, a name with a newline, one with a `|`, a suspended one. */
const LISTING = `170_4|PENDING|n/a|JobArrayTaskLimit|q2026-11-21T08-52-21_a10cda#000000000-000000007.1
170_6|PENDING|n/a|JobArrayTaskLimit|q2026-11-21T08-52-21_a10cda#000000000-000000007.1
173|PENDING|n/a|Dependency|wrap
177|PENDING|n/a|BeginTime|wrap
178|PENDING|n/a|Resources|wrap
9|PENDING|n/a|ReqNodeNotAvail, UnavailableNodes:node2|wrap
14|PENDING|n/a|launch failed requeued held|wrap
172|PENDING|n/a|JobHeldUser|a
b
171|PENDING|n/a|JobHeldUser|a|b
170_3|RUNNING|node1|None|q2026-11-21T08-52-21_a10cda#000000000-000000007.1
170_2|RUNNING|node1|JobArrayTaskLimit|q2026-11-21T08-52-21_a10cda#000000000-000000007.1
12|COMPLETING|node2|None|wrap
174|SUSPENDED|node2|None|wrap
`;
const ARRAY = 'q2026-11-21T08-52-21_a10cda#000000000-000000007.1';

describe('the listing of squeue', () => {
	test('tells of each queue-job its id, name, state and host, and of each element its number', () => {
		const jobs = parseListing(LISTING);
		expect(jobs).toEqual([
			{id: '170_4', name: ARRAY, element: 4, state: 'pending', rawState: 'PENDING'},
			{id: '170_6', name: ARRAY, element: 6, state: 'pending', rawState: 'PENDING'},
			{id: '173', name: 'wrap', state: 'held', rawState: 'PENDING (Dependency)'},
			{id: '177', name: 'wrap', state: 'pending', rawState: 'PENDING'},
			{id: '178', name: 'wrap', state: 'pending', rawState: 'PENDING'},
			{id: '9', name: 'wrap', state: 'pending', rawState: 'PENDING'},
			{id: '14', name: 'wrap', state: 'error', rawState: 'PENDING (launch failed requeued held)'},
			{id: '172', name: 'a', state: 'held', rawState: 'PENDING (JobHeldUser)'},
			expect.objectContaining({id: '171', state: 'held'}),
			{id: '170_3', name: ARRAY, element: 3, state: 'running', rawState: 'RUNNING', host: 'node1'},
			{id: '170_2', name: ARRAY, element: 2, state: 'running', rawState: 'RUNNING', host: 'node1'},
			{id: '12', name: 'wrap', state: 'running', rawState: 'COMPLETING', host: 'node2'},
			{id: '174', name: 'wrap', state: 'suspended', rawState: 'SUSPENDED', host: 'node2'},
		]);
	});

	test('without queue-jobs is empty', () => {
		expect(parseListing('')).toEqual([]);
		expect(parseListing('\n')).toEqual([]);
	});

	test('may have lines of the site around it', () => {
		expect(parseListing(`Maintenance on Monday!\n\n${LISTING}`)).toEqual(parseListing(LISTING));
		expect(parseListing('CLUSTER: one\n7|RUNNING|node1|None|x\n')).toEqual([
			{id: '7', name: 'x', state: 'running', rawState: 'RUNNING', host: 'node1'},
		]);
	});

	test.each(['Maintenance on Monday!', '{"jobs": []}', 'JOBID PARTITION NAME'])('is told from something else: %j', text => {
		expect(() => parseListing(text)).toThrow(`squeue printed no listing: ${text}`);
	});

	test('a line of an ended queue-job is that of none', () => {
		expect(parseListing('7|COMPLETED|node1|None|x\n8|RUNNING|node1|None|y\n').map(({id}) => id)).toEqual(['8']);
	});

	test('names of ours come back as they are', () => {
		fc.assert(
			fc.property(fc.stringMatching(/^[A-Za-z][\w.#-]{0,60}$/), name => {
				expect(parseListing(`5_17|RUNNING|n|None|${name}\n`)).toMatchObject([{id: '5_17', name, element: 17}]);
			}),
		);
	});

	test('P9: is asked for in hidden partitions too, with every element of its own, and the name last', () => {
		expect(listArguments('ada')).toEqual(['-h', '-a', '-r', '-u', 'ada', '-o', '%i|%T|%B|%r|%j']);
	});
});

describe('the words of Slurm', () => {
	test.each<[word: string, reason: string, state: JobState | undefined]>([
		['PENDING', 'None', 'pending'],
		['PENDING', 'Resources', 'pending'],
		['PENDING', 'JobHeldUser', 'held'],
		['PENDING', 'JobHeldAdmin', 'held'],
		['PENDING', 'DependencyNeverSatisfied', 'held'],
		['PENDING', 'launch failed requeued held', 'error'],
		['PENDING', 'launch_failed_requeued_held', 'error'],
		['PENDING', 'user env retrieval failed requeued held', 'error'],
		['PENDING', 'JobHoldMaxRequeue', 'error'],
		['CONFIGURING', 'None', 'pending'],
		['REQUEUED', 'None', 'pending'],
		['REQUEUE_HOLD', 'None', 'held'],
		['SPECIAL_EXIT', 'None', 'error'],
		['RUNNING', 'None', 'running'],
		['COMPLETING', 'None', 'running'],
		['STAGE_OUT', 'None', 'running'],
		['SIGNALING', 'None', 'running'],
		['STOPPED', 'None', 'suspended'],
		['TIMEOUT', 'None', undefined],
		['NODE_FAIL', 'None', undefined],
		['CANCELLED', 'None', undefined],
		// Nobody knows what it means, so it is still there.
		['FERMENTING', 'None', 'running'],
	])('%s for %s is %s', (word, reason, state) => {
		expect(toJobState(word, reason)).toBe(state);
	});
});
