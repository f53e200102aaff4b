/** What a cluster does to maps that takes minutes to see. On a cluster of this file's own. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {Pool, type PoolError} from 'queue-map-reduce';
import {afterAll, beforeAll, beforeEach, expect, test, vi} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {
	countBegins,
	isAlive,
	killProcess,
	linesOf,
	readBegins,
	untilBegun,
	untilDead,
	untilFinished,
	untilState,
} from '../helpers/faults.js';
import {type Ending, untilGone, untilNoted} from '../helpers/grid-engine.js';
import {bringUpCluster, type OwnCluster} from '../helpers/own-cluster.js';
import {createProcessNode, startProcessNode} from '../helpers/process-node.js';
import {prepareQueueTests} from '../helpers/queue-test.js';

let cluster: OwnCluster;
const t = prepareQueueTests('grid-engine', {graceMs: 3_600_000});
const {untilNothingIsLeft} = t;
let directory: string;
let workDir: string;
let begun: string;
let until: string;
let pool: Pool;
let ending: Ending;

beforeAll(async () => {
	cluster = await bringUpCluster(52, {nodes: 2, slots: 4});
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

test('a node that comes back before its queue-jobs are given up costs nothing', async () => {
	const running = ending.watch(
		pool.map(faulty.compute, [
			{begun, until},
			{begun, until},
		]),
	);
	const {host} = await untilBegun(begun, ({itask}) => itask === 0);
	const {jobId} = await untilNoted(workDir, ({event, ichunk}) => event === 'running' && ichunk === 0);
	await untilState(jobId as string, /^r$/);
	await cluster.do('cut', host);
	try {
		await untilNode(host, /u/);
		await untilNoted(workDir, ({state, ichunk}) => state === 'unreachable' && ichunk === 0);
	} finally {
		await cluster.do('heal', host);
	}
	await untilNode(host, /^$/);
	writeFileSync(until, '');
	expect(await running).toEqual([0, 1]);
	expect(countBegins(begun, 2)).toEqual([1, 1]);
	expect(await linesOf(workDir, 'lost')).toEqual([]);
	await untilNothingIsLeft();
});

test('a worker on a node that is cut off finishes its chunk first: its result counts, and the other queue-job is removed', async () => {
	const running = ending.watch(pool.mapSettled(faulty.compute, [{begun, until}], {unreachableAfterMs: 2000}));
	const {host} = await untilBegun(begun, () => true);
	const {jobId} = await untilNoted(workDir, ({event}) => event === 'running');
	await untilState(jobId as string, /^r$/);
	await cluster.do('cut', host);
	try {
		const second = await untilBegun(begun, ({attempt}) => attempt === 2);
		expect(second.host).not.toBe(host);
		// The second worker stands still while the first one ends.
		process.kill(second.pid, 'SIGSTOP');
		writeFileSync(until, '');
		const [outcome] = await running;
		expect(outcome).toMatchObject({status: 'fulfilled', attempt: 1, host});
		await untilDead(second.pid);
	} finally {
		await cluster.do('heal', host);
	}
	await untilNode(host, /^$/);
	await untilNothingIsLeft();
});

test('a node that crashes and is booted again: what was finished there is not begun again', async () => {
	const tasks = [{begun, takesMs: 300}, {begun, takesMs: 300}, {begun, until, attempts: 1}, {begun}];
	const running = ending.watch(pool.mapSettled(faulty.compute, tasks, {numChunks: 1}));
	const {host, pid} = await untilBegun(begun, ({itask}) => itask === 2);
	await untilFinished(workDir, {numFinished: 2});
	await cluster.do('stop-node', host);
	expect(isAlive(pid)).toBe(false);
	await cluster.do('start-node', host);
	expect(await running).toMatchObject([0, 1, 2, 3].map(value => ({status: 'fulfilled', value, attempt: value < 2 ? 1 : 2})));
	expect(countBegins(begun, 4)).toEqual([1, 1, 2, 1]);
	expect(await linesOf(workDir, 'lost')).toMatchObject([{attempt: 1, host, kind: expect.stringMatching(/^(?:node-lost|killed)$/)}]);
	await untilNode(host, /^$/);
	await untilNothingIsLeft();
});

test('a master that stays away ends the map at `outageLimitMs`; what was finished is kept, and resume goes on with it', async () => {
	const running = ending.watch(pool.map(faulty.compute, [{begun}, {begun, until}], {outageLimitMs: 5000}));
	await untilBegun(begun, ({itask}) => itask === 1);
	await untilNoted(workDir, ({event, ichunk}) => event === 'result' && ichunk === 0);
	await cluster.do('stop-master');
	try {
		const error = (await running.catch((thrown: unknown) => thrown)) as PoolError;
		expect(error).toMatchObject({code: 'ERR_POOL_OUTAGE', workDir});
		expect(error.message).toContain(workDir);
		expect(t.said).toContain('Pool.resume');
	} finally {
		await cluster.do('start-master');
	}
	writeFileSync(until, '');
	const resumed = await Pool.resume<number>(workDir, {outageLimitMs: 60_000});
	expect(await resumed.results()).toEqual([0, 1]);
	expect(countBegins(begun, 2)[0]).toBe(1);
	await untilGone(() => true);
});

test('a process-node that is killed while the master is down is followed by another, which waits for the master', async () => {
	createProcessNode(directory);
	const options = {engine: 'grid-engine', pollingIntervalMs: 500, graceMs: 3000, workDir, keepWorkDir: true, numChunks: 2} as const;
	const node = startProcessNode(directory, {
		tasks: [
			{begun, until},
			{begun, until},
		],
		options,
	});
	for (const i of [0, 1]) await untilBegun(begun, ({itask}) => itask === i);
	await cluster.do('stop-master');
	try {
		await untilNoted(workDir, ({event}) => event === 'queue-silent');
		node.kill('SIGKILL');
		expect((await node.ended).signal).toBe('SIGKILL');
		const resumed = Pool.resume<number>(workDir, {keepWorkDir: true});
		await vi.waitUntil(async () => (await linesOf(workDir, 'queue-silent')).length === 2, {timeout: 60_000, interval: 200});
		await cluster.do('start-master');
		await vi.waitUntil(async () => (await linesOf(workDir, 'queue-answers')).length === 1, {timeout: 90_000, interval: 200});
		writeFileSync(until, '');
		expect(await (await resumed).results()).toEqual([0, 1]);
	} finally {
		await cluster.do('start-master');
	}
	expect(countBegins(begun, 2)).toEqual([1, 1]);
	await untilNothingIsLeft();
});

test('with `onCodeChange: warn` a module that was changed between two attempts computes what is left', async () => {
	createProcessNode(directory);
	const module = join(directory, 'faulty.mjs');
	const running = ending.watch(
		pool.map({module: pathToFileURL(module), name: 'compute'}, [{begun, until, attempts: 1}], {onCodeChange: 'warn'}),
	);
	const {pid} = await untilBegun(begun, () => true);
	writeFileSync(module, readFileSync(module, 'utf8').replace('return itask;', "return 'changed';"));
	await killProcess(pid, 'node');
	expect(await running).toEqual(['changed']);
	expect(readBegins(begun)).toHaveLength(2);
	await untilNothingIsLeft();
});
