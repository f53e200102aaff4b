/** A cluster that fails: its master is killed, a node is cut off, a user has too many queue-jobs. On a cluster of this file's own. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Pool} from 'queue-map-reduce';
import {afterAll, beforeAll, beforeEach, expect, test, vi} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {countBegins, linesOf, readBegins, untilBegun, untilState} from '../helpers/faults.js';
import {call, type Ending, listJobs, untilGone, untilNoted} from '../helpers/grid-engine.js';
import {bringUpCluster, type OwnCluster} from '../helpers/own-cluster.js';
import {processesWith} from '../helpers/processes.js';
import {prepareQueueTests} from '../helpers/queue-test.js';

let cluster: OwnCluster;
// One at a time: the first ones are the first in the queue, and run first.
const t = prepareQueueTests('grid-engine', {submitConcurrency: 1, graceMs: 3_600_000});
const {untilNothingIsLeft} = t;
let directory: string;
let workDir: string;
let begun: string;
let until: string;
let pool: Pool;
let ending: Ending;

beforeAll(async () => {
	// Two run at once, and more must wait.
	cluster = await bringUpCluster(50, {nodes: 2, slots: 1});
});
afterAll(async () => {
	await cluster?.remove();
});
beforeEach(() => {
	({directory, workDir, begun, until, pool, ending} = t);
});

const untilNode = async (host: string, letters: RegExp): Promise<void> => {
	await vi.waitUntil(async () => letters.test((await cluster.nodeStates().catch(() => undefined))?.get(host) ?? '?'), {
		timeout: 60_000,
		interval: 300,
	});
};

test('N16: a map that is aborted while two of its queue-jobs run and three wait leaves an empty queue', async () => {
	const controller = new AbortController();
	const running = ending.watch(
		pool.map(
			faulty.compute,
			[0, 1, 2, 3, 4].map(() => ({begun, until})),
			{signal: controller.signal},
		),
	);
	await vi.waitUntil(
		async () =>
			(await listJobs())
				.map(({state}) => state)
				.sort()
				.join() === 'qw,qw,qw,r,r',
		{timeout: 60_000, interval: 200},
	);
	const {pid} = await untilBegun(begun, () => true);
	controller.abort();
	await expect(running).rejects.toThrow(expect.objectContaining({name: 'AbortError'}));
	expect(await linesOf(workDir, 'deleted')).toHaveLength(5);
	await untilGone(() => true);
	expect(processesWith(workDir)).not.toContain(pid);
});

test('a master that is killed and started again in the middle of a map delays it, and costs nothing', async () => {
	const later = join(directory, 'later');
	const tasks = [until, until, later, later].map(file => ({begun, until: file}));
	const running = ending.watch(pool.map(faulty.compute, tasks));
	try {
		for (const i of [0, 1]) {
			await untilBegun(begun, ({itask}) => itask === i);
			await untilNoted(workDir, ({event, ichunk}) => event === 'running' && ichunk === i);
		}
		await cluster.do('stop-master');
		await expect(call('qstat')).rejects.toThrow();
		expect((await untilNoted(workDir, ({event}) => event === 'queue-silent')).reason).toContain('qstat ended with exit status 1');
		// Those on the nodes end while nobody sees it.
		writeFileSync(until, '');
		await vi.waitUntil(() => processesWith(workDir).length === 0, {timeout: 60_000, interval: 200});
		await cluster.do('start-master');
		await untilNoted(workDir, ({event}) => event === 'queue-answers');
	} finally {
		writeFileSync(later, '');
	}
	expect(await running).toEqual([0, 1, 2, 3]);
	expect(countBegins(begun, 4)).toEqual([1, 1, 1, 1]);
	expect(await linesOf(workDir, 'submitted')).toHaveLength(4);
	expect(await linesOf(workDir, 'lost')).toEqual([]);
	expect(t.said.match(/the queue does not answer, waiting/g)).toHaveLength(1);
	expect(t.said).toMatch(/over after .*: the queue does not answer/);
	await untilNothingIsLeft();
});

test('the chunk of a node that stays cut off is computed elsewhere, and its map ends while the old queue-job can’t be removed', async () => {
	const running = ending.watch(pool.mapSettled(faulty.compute, [{begun, until, attempts: 1}], {unreachableAfterMs: 2000}));
	const {host, pid} = await untilBegun(begun, () => true);
	const {jobId} = await untilNoted(workDir, ({event}) => event === 'running');
	await untilState(jobId as string, /^r$/);
	await cluster.do('cut', host);
	try {
		const [outcome] = await running;
		expect((await cluster.nodeStates()).get(host)).toMatch(/u/);
		expect(outcome).toMatchObject({status: 'fulfilled', attempt: 2, host: expect.not.stringContaining(host)});
		expect(await linesOf(workDir, 'lost')).toMatchObject([{attempt: 1, kind: 'node-lost', host}]);
		expect(countBegins(begun, 1)).toEqual([2]);
		// It is still there, on its silent node.
		expect(await untilState(jobId as string, /./)).toBe('dr');
		expect(processesWith(workDir)).toContain(pid);
	} finally {
		await cluster.do('heal', host);
	}
	await untilNode(host, /^$/);
	await untilNothingIsLeft();
	await vi.waitUntil(() => !processesWith(workDir).includes(pid), {timeout: 60_000, interval: 200});
});

test('a queue-job limit of the user is waited for, and is no outage; all is submitted when there is room', async () => {
	await cluster.do('max-jobs', '2');
	try {
		const running = ending.watch(
			pool.map(
				faulty.compute,
				[0, 1, 2, 3, 4].map(() => ({begun, until})),
			),
		);
		await untilNoted(workDir, ({event, reason}) => event === 'not-submitted' && /only 2 jobs are allowed per user/.test(reason ?? ''));
		await untilBegun(begun, ({itask}) => itask === 1);
		expect((await listJobs()).length).toBe(2);
		expect(readBegins(begun)).toHaveLength(2);
		await cluster.do('max-jobs', '0');
		await untilNoted(workDir, ({event, ichunk}) => event === 'submitted' && ichunk === 4);
		writeFileSync(until, '');
		expect(await running).toEqual([0, 1, 2, 3, 4]);
		expect(countBegins(begun, 5)).toEqual([1, 1, 1, 1, 1]);
		expect(await linesOf(workDir, 'queue-silent')).toEqual([]);
	} finally {
		await cluster.do('max-jobs', '0');
	}
	await untilNothingIsLeft();
});
