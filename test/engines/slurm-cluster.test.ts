/** A Slurm that fails: its controller is stopped, a node is cut off, loses power or breaks, a user has too many queue-jobs. On a cluster of this file's own. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test, vi} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {countBegins, linesOf, readBegins, untilBegun} from '../helpers/faults.js';
import {untilNoted} from '../helpers/grid-engine.js';
import {bringUpSlurm, type OwnSlurm} from '../helpers/own-cluster.js';
import {processesWith} from '../helpers/processes.js';
import {prepareQueueTests} from '../helpers/queue-test.js';
import {listJobs, untilState} from '../helpers/slurm.js';

// One call of sbatch at a time, so that the first chunks are the first in the queue.
const t = prepareQueueTests('slurm', {graceMs: 3_600_000, submitConcurrency: 1});

let cluster: OwnSlurm;

beforeAll(async () => {
	// Two run at once, and more must wait.
	cluster = await bringUpSlurm(50, {nodes: 2, slots: 1});
});
afterAll(async () => {
	await cluster?.remove();
});

/** Seconds. Nodes are asked three times as often, and the engine asks about them twice a minute: both must happen before a node is given up. */
const NODE_TIMEOUT = '150';

const untilNode = async (host: string, state: RegExp): Promise<void> => {
	await vi.waitUntil(async () => state.test((await cluster.nodeStates().catch(() => undefined))?.get(host) ?? ''), {
		timeout: 120_000,
		interval: 300,
	});
};

/** A prolog that was under way may drain its node a moment later. */
const untilMended = async (): Promise<void> => {
	await vi.waitUntil(
		async () => {
			await cluster.do('mend-prolog');
			return [...(await cluster.nodeStates()).values()].every(state => state === 'IDLE');
		},
		{timeout: 60_000, interval: 1000},
	);
};

const waiting = (number: number): {begun: string; until: string}[] =>
	Array.from({length: number}, () => ({begun: t.begun, until: t.until}));

test('a controller that is stopped and started again in the middle of a map delays it, and costs nothing', async () => {
	const later = join(t.directory, 'later');
	const tasks = [t.until, t.until, later, later].map(file => ({begun: t.begun, until: file}));
	const running = t.ending.watch(t.pool.map(faulty.compute, tasks));
	try {
		for (const i of [0, 1]) {
			await untilBegun(t.begun, ({itask}) => itask === i);
			await untilNoted(t.workDir, ({event, ichunk}) => event === 'running' && ichunk === i);
		}
		await cluster.do('stop-master');
		expect((await untilNoted(t.workDir, ({event}) => event === 'queue-silent')).reason).toContain('Unable to contact slurm controller');
		// Those on the nodes end while nobody sees it.
		writeFileSync(t.until, '');
		await vi.waitUntil(() => processesWith(t.workDir).length === 0, {timeout: 60_000, interval: 200});
		await cluster.do('start-master');
		await untilNoted(t.workDir, ({event}) => event === 'queue-answers');
	} finally {
		writeFileSync(later, '');
	}
	expect(await running).toEqual([0, 1, 2, 3]);
	expect(countBegins(t.begun, 4)).toEqual([1, 1, 1, 1]);
	expect(await linesOf(t.workDir, 'submitted')).toHaveLength(4);
	expect(await linesOf(t.workDir, 'lost')).toEqual([]);
	expect(t.said.match(/the queue does not answer, waiting/g)).toHaveLength(1);
	await t.untilNothingIsLeft();
});

test('a node that is cut off for a while costs nothing', async () => {
	await cluster.do('node-timeout', NODE_TIMEOUT);
	const running = t.ending.watch(t.pool.map(faulty.compute, waiting(1)));
	const {host} = await untilBegun(t.begun, () => true);
	await untilState(await t.jobIdOf(0), /^RUNNING$/);
	await cluster.do('cut', host);
	try {
		await untilNode(host, /NOT_RESPONDING/);
		// The engine looks at nodes twice a minute.
		const {rawState} = await untilNoted(t.workDir, ({state}) => state === 'unreachable');
		expect(rawState).toBe('RUNNING, node not responding');
	} finally {
		await cluster.do('heal', host);
	}
	await untilNode(host, /^(?!.*NOT_RESPONDING)/);
	writeFileSync(t.until, '');
	expect(await running).toEqual([0]);
	expect(await linesOf(t.workDir, 'submitted')).toHaveLength(1);
	expect(countBegins(t.begun, 1)).toEqual([1]);
	await t.untilNothingIsLeft();
}, 400_000);

test('the chunk of a node that stays cut off is computed elsewhere, and its map ends while the old queue-job can’t be removed', async () => {
	await cluster.do('node-timeout', NODE_TIMEOUT);
	const running = t.ending.watch(
		t.pool.mapSettled(faulty.compute, [{begun: t.begun, until: t.until, attempts: 1}], {unreachableAfterMs: 1000}),
	);
	const {host, pid} = await untilBegun(t.begun, () => true);
	await untilState(await t.jobIdOf(0), /^RUNNING$/);
	await cluster.do('cut', host);
	try {
		await untilNode(host, /NOT_RESPONDING/);
		expect(readBegins(t.begun)).toHaveLength(1);
		const [outcome] = await running;
		expect(outcome).toMatchObject({status: 'fulfilled', attempt: 2, host: expect.not.stringContaining(host)});
		expect(await linesOf(t.workDir, 'lost')).toMatchObject([{attempt: 1, kind: 'node-lost', host}]);
		expect(countBegins(t.begun, 1)).toEqual([2]);
		// Its worker is still there, on its silent node.
		expect(processesWith(t.workDir)).toContain(pid);
	} finally {
		await cluster.do('heal', host);
	}
	await untilNode(host, /^(?!.*NOT_RESPONDING)/);
	await t.untilNothingIsLeft();
	await vi.waitUntil(() => !processesWith(t.workDir).includes(pid), {timeout: 60_000, interval: 200});
}, 400_000);

test('the chunk of a node that loses its power is computed elsewhere as soon as Slurm gives it up', async () => {
	await cluster.do('node-timeout', '15');
	const running = t.ending.watch(t.pool.map(faulty.compute, [{begun: t.begun, until: t.until, attempts: 1}]));
	const {host} = await untilBegun(t.begun, () => true);
	await untilState(await t.jobIdOf(0), /^RUNNING$/);
	await cluster.do('stop-node', host);
	try {
		expect(await running).toEqual([0]);
		expect(await linesOf(t.workDir, 'lost')).toMatchObject([{attempt: 1, kind: 'node-lost', host, reason: expect.stringContaining(host)}]);
		expect(readBegins(t.begun)[1]?.host).not.toBe(host);
	} finally {
		await cluster.do('start-node', host);
		await cluster.do('node-timeout', '600');
	}
	await untilNode(host, /^IDLE$/);
	await t.untilNothingIsLeft();
});

test('a node whose prolog fails costs one attempt: that it reads as a cancellation is seen through', async () => {
	await cluster.do('break-prolog');
	const running = t.ending.watch(t.pool.map(faulty.compute, [{begun: t.begun}]));
	await untilNoted(t.workDir, ({event}) => event === 'start-failed').finally(() => cluster.do('mend-prolog'));
	expect(await running).toEqual([0]);
	expect((await linesOf(t.workDir, 'start-failed'))[0]).toMatchObject({attempt: 1, reason: expect.stringContaining('prolog')});
	expect(countBegins(t.begun, 1)).toEqual([1]);
	await t.untilNothingIsLeft();
	await untilMended();
});

test('a queue-job that Slurm holds because it could not start it is no user’s hold: it is removed and submitted again', async () => {
	await cluster.do('break-prolog');
	const running = t.ending.watch(t.pool.map(faulty.compute, [{begun: t.begun}], {sbatchArgs: ['--requeue']}));
	const {rawState} = await untilNoted(t.workDir, ({state}) => state === 'error').finally(() => cluster.do('mend-prolog'));
	expect(rawState).toBe('PENDING (launch failed requeued held)');
	expect(await running).toEqual([0]);
	expect((await linesOf(t.workDir, 'error-state'))[0]).toMatchObject({
		attempt: 1,
		reason: expect.stringContaining('launch failed requeued held'),
	});
	expect(countBegins(t.begun, 1)).toEqual([1]);
	await t.untilNothingIsLeft();
	await untilMended();
});

test('a queue-job limit of the user is waited for, and is no outage; all is submitted when there is room', async () => {
	await cluster.do('max-jobs', '2');
	try {
		const running = t.ending.watch(t.pool.map(faulty.compute, waiting(5)));
		await untilNoted(t.workDir, ({event, reason}) => event === 'not-submitted' && /QOSMaxSubmitJobPerUserLimit/.test(reason ?? ''));
		for (const i of [0, 1]) await untilBegun(t.begun, ({itask}) => itask === i);
		expect((await listJobs()).length).toBe(2);
		expect(readBegins(t.begun)).toHaveLength(2);
		await cluster.do('max-jobs', '0');
		await untilNoted(t.workDir, ({event, ichunk}) => event === 'submitted' && ichunk === 4);
		writeFileSync(t.until, '');
		expect(await running).toEqual([0, 1, 2, 3, 4]);
		expect(countBegins(t.begun, 5)).toEqual([1, 1, 1, 1, 1]);
		expect(await linesOf(t.workDir, 'queue-silent')).toEqual([]);
	} finally {
		await cluster.do('max-jobs', '0');
	}
	await t.untilNothingIsLeft();
});
