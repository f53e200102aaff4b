/** Numbers of queue-jobs that a scheduler has given a second time, to somebody else. */
import {describe, expect, test} from 'vitest';
import type {JobStatus} from '../../src/engines/engine.js';
import {JOURNAL, jobName} from '../../src/layout.js';
import {createAttempt} from '../../src/map-state.js';
import {removeJobs} from '../../src/remove-jobs.js';
import {restoreMap} from '../../src/restore-map.js';
import {encodeOutcomes} from '../helpers/chunk-files.js';
import {createMapInMemory, type MapInMemory, SESSION, WORK_DIR} from '../helpers/map-in-memory.js';

const ours = (attempt: number): string => jobName(SESSION, 0, attempt);
const listed = (id: string, name: string): JobStatus => ({id, name, state: 'running', rawState: 'r'});

type Queue = {
	readonly map: MapInMemory;
	readonly removed: string[][];
	/** What it says from now on; undefined for nothing. */
	readonly say: (jobs: readonly JobStatus[] | undefined) => void;
	readonly numQuestions: () => number;
};

const createQueue = (owner: number): Queue => {
	const removed: string[][] = [];
	let said: readonly JobStatus[] | undefined;
	let numQuestions = 0;
	const map = createMapInMemory({
		numChunks: 1,
		owner: {number: owner},
		engine: {
			status: async () => {
				numQuestions++;
				if (said === undefined) throw new Error('no master');
				return said;
			},
			remove: async ids => void removed.push([...ids]),
		},
	});
	return {
		map,
		removed,
		say: jobs => {
			said = jobs;
		},
		numQuestions: () => numQuestions,
	};
};

describe('a process that came back to a map', () => {
	const withTwoJobs = (owner: number): Queue => {
		const queue = createQueue(owner);
		const attempts = ['7', '8'].map((jobId, i) => Object.assign(createAttempt(i + 1, ours(i + 1), false), {jobId}));
		queue.map.state.chunks[0]?.attempts.push(...attempts);
		return queue;
	};

	test('removes by its number only what is called as then', async () => {
		const {map, removed, say} = withTwoJobs(2);
		say([listed('7', 'thesis'), listed('8', ours(2))]);
		await removeJobs(map.state, map.ports, ['7', '8']);
		expect(removed).toEqual([['8']]);
		expect([...map.state.unremoved]).toEqual([]);
	});

	test('removes nothing while the queue does not say whose they are, and what is ours as soon as it does', async () => {
		const {map, removed, say} = withTwoJobs(2);
		await removeJobs(map.state, map.ports, ['7', '8']);
		expect(removed).toEqual([]);
		expect([...map.state.unremoved]).toEqual(['7', '8']);
		say([listed('7', 'thesis'), listed('8', ours(2))]);
		await removeJobs(map.state, map.ports, []);
		expect(removed).toEqual([['8']]);
	});

	test('asks nothing when there is nothing to remove; the first process of a map knows without asking', async () => {
		const later = withTwoJobs(2);
		await removeJobs(later.map.state, later.map.ports, []);
		expect([later.numQuestions(), later.removed]).toEqual([0, []]);
		const first = withTwoJobs(1);
		await removeJobs(first.map.state, first.map.ports, ['7']);
		expect([first.numQuestions(), first.removed]).toEqual([0, [['7']]]);
	});
});

describe('what another attempt has finished while nobody watched', () => {
	const comeBack = async (name: string): Promise<Queue> => {
		const queue = createQueue(2);
		const {map, say} = queue;
		map.state.toSubmit.clear();
		const who = {time: '2026-11-21T00:20:07.000Z', ichunk: 0};
		const lines = [
			{...who, event: 'submitting', attempt: 1, jobName: ours(1)},
			{...who, event: 'submitted', attempt: 1, jobId: '7'},
			// On a node that is off the network, where it was left.
			{...who, event: 'lost', attempt: 1, kind: 'node-lost', reason: 'its node is silent'},
			{...who, event: 'resubmitted', attempt: 2},
			{...who, event: 'submitting', attempt: 2, jobName: ours(2)},
			{...who, event: 'submitted', attempt: 2, jobId: '8'},
		];
		map.contents.set(`${WORK_DIR}/${JOURNAL}`, Buffer.from(lines.map(line => `${JSON.stringify(line)}\n`).join('')));
		map.contents.set(`${WORK_DIR}/000000000.2.out`, encodeOutcomes([{value: 1}, {value: 2}], {header: {attempt: 2}}));
		say([listed('7', name)]);
		await restoreMap(map.state, map.ports, map.reducer);
		expect(map.state.chunks[0]?.decision).toEqual({kind: 'done', attempt: 2});
		return queue;
	};

	test('ends the one that is not needed any more', async () => {
		expect((await comeBack(ours(1))).removed).toEqual([['7']]);
	});

	test('ends nobody else’s that has its number by now', async () => {
		expect((await comeBack('thesis')).removed.flat()).toEqual([]);
	});
});
