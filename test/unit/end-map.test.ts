import {describe, expect, test} from 'vitest';
import {endMap} from '../../src/end-map.js';
import type {Engine, JobStatus} from '../../src/engines/engine.js';
import type {JournalEvent} from '../../src/journal.js';
import {jobName} from '../../src/layout.js';
import type {AttemptState, Decision, MapState} from '../../src/map-state.js';

const SESSION = '2026-11-21T00-20-07_a10cda';

type MadeUp = {readonly decision: Decision['kind']; readonly jobs: readonly Partial<AttemptState>[]};

/** The end of a map of these chunks over a queue that lists these jobs, or does not answer. */
const end = async (
	chunks: readonly MadeUp[],
	{
		listed = [],
		anyUnanswered = false,
		statusCost = 'call',
	}: {listed?: readonly JobStatus[] | Error; anyUnanswered?: boolean; statusCost?: Engine['statusCost']} = {},
) => {
	const noted: JournalEvent[] = [];
	const removed: string[][] = [];
	let numQuestions = 0;
	const state = {
		session: SESSION,
		anyUnanswered,
		journal: {note: (...events: readonly JournalEvent[]) => void noted.push(...events), flush: async () => undefined},
		chunks: chunks.map(({decision, jobs}, ichunk) => ({
			chunk: {ichunk},
			decision: {kind: decision},
			attempts: jobs.map((job, i) => ({attempt: i + 1, jobId: undefined, isRemoved: false, ...job})),
		})),
	} as unknown as MapState;
	const engine = {
		statusCost,
		remove: async (ids: readonly string[]) => void removed.push([...ids]),
		status: async () => {
			numQuestions++;
			if (listed instanceof Error) throw listed;
			return listed;
		},
	} as unknown as Engine;
	await endMap(state, {engine});
	return {noted, removed, numQuestions};
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
		expect(await end([{decision: 'done', jobs: [{jobId: '1'}]}])).toEqual({noted: [], removed: [], numQuestions: 0});
	});

	test('leaves no child process of this machine, also of chunks that are done', async () => {
		const {removed} = await end([{decision: 'done', jobs: [{jobId: '1'}, {}]}], {statusCost: 'none'});
		expect(removed).toEqual([['1']]);
	});
});

describe('after a submission without an answer', () => {
	test('what bears a name of this map and no known number is removed, and nothing else', async () => {
		const {removed, noted} = await end([{decision: 'done', jobs: [{jobId: '1'}, {}]}], {
			anyUnanswered: true,
			listed: [
				job('1', jobName(SESSION, 0, 1)),
				job('7', jobName(SESSION, 0, 2)),
				job('8', jobName(SESSION, 0, 2), 'deleting'),
				job('9', jobName('2026-11-21T00-20-07_a10cdb', 0, 2)),
				job('10', `q${SESSION}`),
				job('11', 'mine'),
			],
		});
		expect(removed).toEqual([['7']]);
		expect(noted).toEqual([{event: 'deleted', jobId: '7', jobName: jobName(SESSION, 0, 2), reason: 'its submission had no answer'}]);
	});

	test('a queue without such a job is left alone', async () => {
		expect(await end([], {anyUnanswered: true, listed: [job('11', 'mine')]})).toEqual({noted: [], removed: [], numQuestions: 1});
	});

	test('a queue that does not answer ends no map: what may be left is noted', async () => {
		const {noted} = await end([], {anyUnanswered: true, listed: new Error('no master')});
		expect(noted).toEqual([{event: 'warning', reason: `a queue-job named q${SESSION}#… may be left in the queue: no master`}]);
	});
});
