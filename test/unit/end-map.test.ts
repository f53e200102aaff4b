import {describe, expect, test} from 'vitest';
import {endRest, removeQueueJobs} from '../../src/end-map.js';
import type {Engine, JobStatus} from '../../src/engines/engine.js';
import type {JournalEvent} from '../../src/journal.js';
import {arrayName, jobName} from '../../src/layout.js';
import type {AttemptState, Decision, MapState} from '../../src/map-state.js';

const SESSION = '2026-11-21T00-20-07_a10cda';

type MadeUp = {readonly decision: Decision['kind']; readonly jobs: readonly Partial<AttemptState>[]};

type Queue = {
	readonly listed?: readonly JobStatus[] | Error;
	readonly needsSweep?: boolean;
	readonly outlivesProcess?: boolean;
	/** What qdel does not remove. */
	readonly stays?: readonly string[];
	/** So many calls of qdel fail at first. */
	readonly numDeaf?: number;
	/** With dynamic chunks. */
	readonly numJobs?: number;
	/** The number of the process that ends it. */
	readonly owner?: number;
};

/** The end of a map of these chunks over a queue that lists these jobs, or does not answer. */
const end = async (
	chunks: readonly MadeUp[],
	{listed = [], needsSweep = false, outlivesProcess = true, stays = [], numDeaf = 0, numJobs, owner = 1}: Queue = {},
) => {
	const noted: JournalEvent[] = [];
	const removed: string[][] = [];
	const told: string[] = [];
	let numQuestions = 0;
	let numRemovals = 0;
	const state = {
		session: SESSION,
		owner: {number: owner},
		options: {numJobs},
		needsSweep,
		unremoved: new Set(),
		journal: {note: (...events: readonly JournalEvent[]) => void noted.push(...events), flush: async () => undefined},
		chunks: chunks.map(({decision, jobs}, ichunk) => ({
			chunk: {ichunk},
			decision: {kind: decision, attempt: 1},
			attempts: jobs.map((job, i) => ({attempt: i + 1, jobId: undefined, isRemoved: false, ...job})),
		})),
	} as unknown as MapState;
	const engine = {
		statusCost: 'call',
		outlivesProcess,
		remove: async (ids: readonly string[]) => {
			if (numRemovals++ < numDeaf) throw new Error('no master');
			removed.push([...ids]);
		},
		status: async () => {
			numQuestions++;
			if (listed instanceof Error) throw listed;
			const gone = removed.flat().filter(id => !stays.includes(id));
			return listed.filter(({id}) => !gone.includes(id));
		},
	} as unknown as Engine;
	const left = await removeQueueJobs(state, {engine, tell: line => void told.push(line)});
	return {noted, removed, numQuestions, left, told};
};

const job = (id: string, name: string, state: JobStatus['state'] = 'running'): JobStatus => ({id, name, state, rawState: 'r'});

describe('a map that ends', () => {
	test('removes every queue-job of a chunk that is not decided, once, and no other', async () => {
		const {removed, noted} = await end([
			{decision: 'done', jobs: [{jobId: '1'}]},
			{decision: 'open', jobs: [{jobId: '2'}, {jobId: '3', isRemoved: true}, {jobId: '4'}, {}]},
			{decision: 'failed', jobs: [{jobId: '5'}]},
			{decision: 'open', jobs: []},
			{decision: 'open', jobs: [{jobId: '6'}]},
		]);
		expect(removed).toEqual([['2', '4', '6']]);
		expect(noted.map(({event, ichunk, attempt, jobId}) => [event, ichunk, attempt, jobId])).toEqual([
			['deleted', 1, 1, '2'],
			['deleted', 1, 3, '4'],
			['deleted', 4, 1, '6'],
		]);
	});

	test('does not touch the queue when everything is decided', async () => {
		expect(await end([{decision: 'done', jobs: [{jobId: '1'}]}])).toMatchObject({noted: [], removed: [], numQuestions: 0, left: undefined});
	});

	test('leaves no child process of this machine, also of chunks that are done', async () => {
		const {removed} = await end([{decision: 'done', jobs: [{jobId: '1'}, {}]}], {outlivesProcess: false});
		expect(removed).toEqual([['1']]);
	});
});

describe('a map of dynamic chunks that ends before its time', () => {
	const name = (ichunk: number): string => jobName(SESSION, ichunk, 1);
	const chunks: readonly MadeUp[] = [
		{decision: 'done', jobs: [{jobId: '1', jobName: name(0)}]},
		{decision: 'done', jobs: [{jobId: '2', jobName: name(1)}]},
		{decision: 'open', jobs: [{jobId: '1', jobName: name(0), home: {ichunk: 0, attempt: 1, stdoutFrom: 0, stderrFrom: 0}}]},
		{decision: 'open', jobs: []},
	];

	test('removes also the queue-jobs that have finished all that they had: they are about to claim what is left', async () => {
		const {removed, noted, left} = await end(chunks, {numJobs: 2, listed: [job('1', name(0)), job('2', name(1))]});
		expect([removed, left]).toEqual([[['1', '2']], undefined]);
		expect(noted.map(({ichunk, attempt, jobId}) => [ichunk, attempt, jobId])).toEqual([
			[2, 1, '1'],
			[0, 1, '1'],
			[1, 1, '2'],
		]);
	});

	test('says so when one of them can not be removed', async () => {
		const {left} = await end(chunks, {numJobs: 2, listed: [job('2', name(1))], stays: ['2']});
		expect(left).toContain('2 could not be removed');
	});

	test('leaves them alone when nothing is left to claim', async () => {
		expect((await end(chunks.slice(0, 2), {numJobs: 2})).removed).toEqual([]);
	});
});

describe('a map that was come back to', () => {
	const name = (attempt: number): string => jobName(SESSION, 0, attempt);
	const chunks: readonly MadeUp[] = [
		{
			decision: 'open',
			jobs: [
				{jobId: '7', jobName: name(1)},
				{jobId: '8', jobName: name(2)},
				{jobId: '9', jobName: name(3)},
			],
		},
	];

	test('removes by their numbers only what is called as then: a scheduler may have begun its numbers anew', async () => {
		const {removed, noted, left} = await end(chunks, {owner: 2, listed: [job('7', 'thesis'), job('8', name(2))]});
		expect([removed, left]).toEqual([[['8', '9']], undefined]);
		expect(noted.map(({jobId}) => jobId)).toEqual(['8', '9']);
	});

	test('removes nothing when the queue does not say whose queue-jobs are in it', async () => {
		const {removed, left} = await end(chunks, {owner: 2, listed: new Error('no master')});
		expect([removed, left]).toEqual([[], expect.stringContaining('no master')]);
	});
});

describe('a map in which a queue-job may have been left', () => {
	test('removes what has a name and number of ours, or the name of a submission without an answer, and nothing else', async () => {
		const name = (attempt: number): string => jobName(SESSION, 0, attempt);
		const jobs = [{jobId: '1', jobName: name(1)}, {jobId: '7', jobName: name(2)}, {jobId: '8', jobName: name(3)}, {jobName: name(4)}];
		const {removed, noted, left} = await end([{decision: 'done', jobs}], {
			needsSweep: true,
			listed: [
				// It has brought the result.
				job('1', name(1)),
				job('7', name(2)),
				job('8', name(3), 'deleting'),
				job('9', name(4)),
				// Somebody else's, whatever they are called.
				job('20', name(2)),
				job('21', name(5)),
				job('22', jobName('2026-11-21T00-20-07_a10cdb', 0, 2)),
				job('23', 'mine'),
			],
		});
		expect(removed).toEqual([['7', '9']]);
		expect(noted.map(({event, jobId, reason}) => [event, jobId, reason])).toEqual([
			['deleted', '7', 'still in the queue'],
			['deleted', '9', 'still in the queue'],
		]);
		expect(left).toBeUndefined();
	});

	test('removes the elements of an array without an answer that are its own, and notes whose they are', async () => {
		const name = arrayName(SESSION, 0, 1, 1);
		const element = (id: string, number: number): JobStatus => ({...job(id, name), element: number});
		const {removed, noted} = await end(
			[
				{decision: 'open', jobs: [{jobName: name, element: 1}]},
				// Its number was found before.
				{decision: 'done', jobs: [{jobId: '9.2', jobName: name, element: 2}]},
			],
			{needsSweep: true, listed: [element('9.1', 1), element('9.2', 2), element('9.3', 3), job('10', name)]},
		);
		expect(removed).toEqual([['9.1']]);
		expect(noted).toEqual([{event: 'deleted', ichunk: 0, attempt: 1, jobId: '9.1', jobName: name, reason: 'still in the queue'}]);
	});

	test('leaves a queue without such a job alone', async () => {
		expect(await end([], {needsSweep: true, listed: [job('11', 'mine')]})).toMatchObject({removed: [], numQuestions: 1, left: undefined});
	});

	test('tries more than once, then says what is left', async () => {
		const {removed, left, told} = await end([{decision: 'failed', jobs: [{jobId: '7', jobName: jobName(SESSION, 0, 1)}]}], {
			needsSweep: true,
			listed: [job('7', jobName(SESSION, 0, 1))],
			stays: ['7'],
		});
		expect(removed.length).toBeGreaterThan(1);
		expect(left).toContain('7 could not be removed');
		expect(told).toEqual([expect.stringContaining('7 could not be removed')]);
	});

	const OPEN: readonly MadeUp[] = [{decision: 'open', jobs: [{jobId: '7', jobName: jobName(SESSION, 0, 1)}]}];
	const LISTED = job('7', jobName(SESSION, 0, 1));

	test('notes no removal that the queue has not heard of: whoever resumes goes on with the queue-job', async () => {
		const {noted, left} = await end(OPEN, {numDeaf: 2, listed: new Error('no master')});
		expect(noted.map(({event}) => event)).toEqual(['warning']);
		expect((await end(OPEN, {numDeaf: 2, listed: [LISTED]})).noted.map(({event}) => event)).toEqual(['warning']);
		expect(left).toContain('no master');
	});

	test('tries a removal that failed again, and then notes it', async () => {
		const {noted, left, removed} = await end(OPEN, {numDeaf: 1, listed: [LISTED]});
		expect(removed).toEqual([['7']]);
		expect(noted.map(({event, jobId}) => [event, jobId])).toContainEqual(['deleted', '7']);
		expect(left).toBeUndefined();
	});

	test('notes a removal that the queue has heard of, also when it does not answer any more', async () => {
		const {noted} = await end(OPEN, {listed: new Error('no master')});
		expect(noted.map(({event}) => event)).toEqual(['deleted', 'warning']);
	});

	test('is not ended by a queue that does not answer: what may be left is told', async () => {
		const {noted, told} = await end([], {needsSweep: true, listed: new Error('no master')});
		const reason = `queue-jobs named q${SESSION}#… may be left in the queue: no master`;
		expect(noted).toEqual([{event: 'warning', reason}]);
		expect(told).toEqual([`queue-map-reduce: ${reason}`]);
	});
});

test('a chunk that is cancelled is decided when its outcomes are there, and not before: whoever iterates takes them then', async () => {
	const chunks = [0, 1].map(ichunk => ({chunk: {ichunk}, attempts: [], decision: {kind: 'open'}}));
	const state = {
		session: SESSION,
		options: {},
		unremoved: new Set(),
		chunks,
		journal: {note: () => undefined, flush: async () => undefined},
	};
	const engine = {statusCost: 'none', outlivesProcess: false, remove: async () => undefined, status: async () => []};
	const seen: string[] = [];
	const fail = async ({ichunk}: {ichunk: number}): Promise<number> => {
		await new Promise(setImmediate);
		seen.push(`${ichunk} ${chunks[ichunk]?.decision.kind}`);
		return 1;
	};
	await endRest(state as unknown as MapState, {engine, tell: () => undefined} as never, {fail, numFailedIn: () => 0} as never);
	expect(seen).toEqual(['0 open', '1 open']);
	expect(chunks.map(({decision}) => decision.kind)).toEqual(['failed', 'failed']);
});
