/** Arrays and limits of whole maps, seen from the queue's side. On a cluster of this file's own, whose limits it changes. */
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {createTestDirectory, poolOptions} from '../helpers/engines.js';
import {countBegins, isAlive, killProcess, linesOf, readBegins, untilBegun} from '../helpers/faults.js';
import {call, createEnding, deleteJobs, type Ending, untilGone, untilNoted} from '../helpers/grid-engine.js';
import {bringUpCluster, type OwnCluster} from '../helpers/own-cluster.js';
import {createProcessNode, type ProcessNode, startProcessNode} from '../helpers/process-node.js';
import {processesWith} from '../helpers/processes.js';

let cluster: OwnCluster;
let directory: ReturnType<typeof createTestDirectory>;
let ending: Ending;
let options: PoolOptions;
let workDir: string;
let begun: string;
let until: string;
const started: ProcessNode[] = [];

beforeAll(async () => {
	cluster = await bringUpCluster(54, {nodes: 2, slots: 8});
});
afterAll(async () => {
	await cluster?.remove();
});
beforeEach(() => {
	directory = createTestDirectory();
	ending = createEnding();
	mkdirSync(join(directory.path, 'maps'));
	workDir = join(directory.path, 'maps', 'the work_dir');
	begun = join(directory.path, 'begun');
	until = join(directory.path, 'until');
	const common = poolOptions('grid-engine', directory.path);
	options = {...common, graceMs: 3000, workDir, keepWorkDir: true, arrayJobs: true};
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
	writeFileSync(until, '');
	for (const {pid, kill} of started.splice(0)) if (isAlive(pid)) kill('SIGKILL');
	await ending.end();
	await deleteJobs((await listElements()).map(({id}) => id));
	// The next test counts what is in the queue, and an ended queue-job is for a second or two.
	await untilGone(() => true);
	await vi.waitUntil(() => processesWith(directory.path).length === 0, {timeout: 60_000, interval: 200});
	vi.restoreAllMocks();
	directory.remove();
});

type Element = {readonly id: string; readonly name: string; readonly state: string};

/** All queue-jobs, each element of an array by itself. */
const listElements = async (): Promise<Element[]> => {
	const xml = await call('qstat', ['-g', 'd', '-xml', '-u', '*']);
	return [...xml.matchAll(/<job_list.*?<\/job_list>/gs)].map(([text]) => {
		const field = (name: string): string => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1] ?? '';
		const element = field('tasks');
		return {id: `${field('JB_job_number')}${element === '' ? '' : `.${element}`}`, name: field('JB_name'), state: field('state')};
	});
};

const createPool = (more: PoolOptions = {}): Pool => new Pool({...options, signal: ending.signal, ...more});

/** A program that notes its arguments and then becomes the real one, unless these lines do something else. */
const wrap = async (name: string, lines = ''): Promise<string> => {
	const real = (await call('which', [name])).trim();
	const path = join(directory.path, name);
	writeFileSync(path, `#!/bin/sh\necho "$@" >>'${path}.calls'\nreal='${real}'\n${lines}\nexec "$real" "$@"\n`, {mode: 0o755});
	return path;
};

const callsOf = (path: string): string[] =>
	existsSync(`${path}.calls`) ? readFileSync(`${path}.calls`, 'utf8').trimEnd().split('\n') : [];

const tasksOf = (numTasks: number, task: object = {}): {begun: string}[] => Array.from({length: numTasks}, () => ({begun, ...task}));

const numbers = (count: number): number[] => Array.from({length: count}, (_, i) => i);

const untilNothingIsLeft = async (): Promise<void> => {
	const {session} = (await readWorkDir(workDir)).manifest;
	await untilGone(({name}) => name.includes(session));
};

/** What the queue lists, again and again, until the promise is settled; tasks may end once so many queue-jobs were seen in such states. */
const watchQueue = async (map: Promise<unknown>, numAwaited: number, letters?: RegExp): Promise<Element[][]> => {
	const seen: Element[][] = [];
	let isOver = false;
	map.then(
		() => {
			isOver = true;
		},
		() => {
			isOver = true;
		},
	);
	while (!isOver) {
		seen.push(await listElements());
		if (largest(seen.slice(-1), letters) >= numAwaited) writeFileSync(until, '');
	}
	return seen;
};

const largest = (listings: readonly Element[][], letters = /./): number =>
	Math.max(0, ...listings.map(jobs => jobs.filter(({state}) => letters.test(state)).length));

describe('a map with `arrayJobs`', () => {
	test('C20, Q29: submits 200 chunks by one qsub, and every result comes to its place', async () => {
		const qsubPath = await wrap('qsub');
		expect(await createPool({qsubPath}).map(faulty.compute, tasksOf(200))).toEqual(numbers(200));
		expect(callsOf(qsubPath)).toEqual([expect.stringContaining('-t 1-200')]);
		expect(countBegins(begun, 200)).toEqual(new Array(200).fill(1));
		const {tasks} = await readWorkDir(workDir);
		const [id] = (tasks[0]?.jobId ?? '').split('.');
		expect(tasks.map(({jobId}) => jobId)).toEqual(numbers(200).map(i => `${id}.${i + 1}`));
		await untilNothingIsLeft();
		// So many starts of Node take their time beside other suites.
	}, 500_000);

	test('submits again, alone, the chunk whose element was killed', async () => {
		const qsubPath = await wrap('qsub');
		// The second attempt waits, too: one that ended at once might never be seen to run.
		const map = ending.watch(createPool({qsubPath}).map(faulty.compute, tasksOf(6, {until})));
		for (const i of numbers(6)) await untilBegun(begun, ({itask}) => itask === i);
		const victim = readBegins(begun).find(({itask}) => itask === 3);
		await killProcess(victim?.pid as number, 'node');
		await untilBegun(begun, ({itask, attempt}) => itask === 3 && attempt === 2);
		// The master hears of a start a moment after it.
		const listRunning = async () =>
			(await listElements()).flatMap(({state, name}) => (/^[rt]/.test(state) ? [name.replace(/^.*#/, '')] : [])).sort();
		const expected = [...new Array(5).fill('000000000-000000005.1'), '000000003.2'];
		await vi.waitUntil(async () => isDeepStrictEqual(await listRunning(), expected), {timeout: 100_000, interval: 200});
		writeFileSync(until, '');
		expect(await map).toEqual(numbers(6));
		expect(countBegins(begun, 6)).toEqual([1, 1, 1, 2, 1, 1]);
		expect(callsOf(qsubPath)).toHaveLength(2);
		expect(callsOf(qsubPath)[1]).toMatch(/launch\.sh 3 2$/);
	});

	test('splits them where the site allows no larger ones', async () => {
		await cluster.do('max-elements', '4');
		try {
			const qsubPath = await wrap('qsub');
			expect(await createPool({qsubPath}).map(faulty.compute, tasksOf(10))).toEqual(numbers(10));
			expect(callsOf(qsubPath).map(args => /-t (\S+)/.exec(args)?.[1])).toEqual(['1-4', '1-4', '1-2']);
			expect(countBegins(begun, 10)).toEqual(new Array(10).fill(1));
		} finally {
			await cluster.do('max-elements', '75000');
		}
	});

	test('waits while the user has as many queue-jobs as one may have', async () => {
		await cluster.do('max-jobs', '1');
		try {
			// It fills the queue of the user.
			const [other] = (await call('qsub', ['-terse', '-b', 'y', 'sleep', '600'])).trim().split('\n');
			const qsubPath = await wrap('qsub');
			const map = ending.watch(createPool({qsubPath}).map(faulty.compute, tasksOf(4)));
			await untilNoted(workDir, ({event, reason}) => event === 'not-submitted' && /allowed/.test(reason ?? ''));
			await vi.waitUntil(() => callsOf(qsubPath).length >= 4, {timeout: 60_000, interval: 100});
			// Down to a single one, which is what it tries from then on.
			expect(
				callsOf(qsubPath)
					.map(args => /-t (\S+)/.exec(args)?.[1])
					.slice(0, 4),
			).toEqual(['1-4', '1-2', undefined, undefined]);
			await call('qdel', [other as string]);
			expect(await map).toEqual(numbers(4));
			expect(countBegins(begun, 4)).toEqual([1, 1, 1, 1]);
		} finally {
			await cluster.do('max-jobs', '0');
		}
	});

	test('beside another map of the same process: each gets its own results', async () => {
		const maps = [0, 1].map(i =>
			new Pool({...options, signal: ending.signal, workDir: `${workDir} ${i}`}).map(faulty.compute, tasksOf(20 + i)),
		);
		expect(await Promise.all(maps.map(map => ending.watch(map)))).toEqual([numbers(20), numbers(21)]);
	});

	test('leaves no element behind when it is cancelled', async () => {
		const controller = new AbortController();
		const map = createPool({signal: controller.signal}).map(faulty.compute, tasksOf(30, {until}));
		await untilBegun(begun, ({itask}) => itask === 7);
		expect(await listElements()).toHaveLength(30);
		controller.abort(new Error('enough'));
		await expect(map).rejects.toThrow('enough');
		await untilNothingIsLeft();
	});
});

describe('a process-node that is killed by the qsub of its array', () => {
	test.each([
		['before', 0],
		['after', 6],
	])('%s that has submitted it: another one goes on, and no task is begun twice', async (when, numLeft) => {
		createProcessNode(directory.path);
		const submit = when === 'after' ? 'answer=$("$real" "$@")' : '';
		const qsubPath = await wrap('qsub', `${submit}\nkill -9 $PPID; exit`);
		const node = startProcessNode(directory.path, {tasks: tasksOf(6, {until}), options: {...options, qsubPath}});
		started.push(node);
		expect((await node.ended).signal).toBe('SIGKILL');
		expect(callsOf(qsubPath)).toEqual([expect.stringContaining('-t 1-6')]);
		expect(await linesOf(workDir, 'submitting')).toHaveLength(6);
		expect(await linesOf(workDir, 'submitted')).toEqual([]);
		const left = await listElements();
		expect(left).toHaveLength(numLeft);
		const resumed = ending.watch((await Pool.resume<number>(workDir, {qsubPath: 'qsub', signal: ending.signal})).results());
		for (const i of numbers(6)) await untilBegun(begun, ({itask}) => itask === i);
		const now = await listElements();
		if (numLeft > 0) expect(now.map(({id}) => id).sort()).toEqual(left.map(({id}) => id).sort());
		// What the first process may have submitted is not submitted under the same name again.
		else expect(new Set(now.map(({name}) => name.replace(/^.*#/, '')))).toEqual(new Set(['000000000-000000005.2']));
		writeFileSync(until, '');
		expect(await resumed).toEqual(numbers(6));
		expect(countBegins(begun, 6)).toEqual(new Array(6).fill(1));
		await untilNothingIsLeft();
	});
});

/** Waits for nothing. */
const RUNS = /^[^q]*$/;

describe('limits', () => {
	test.each([
		['an array', true],
		['queue-jobs of their own', false],
	])('`maxConcurrentJobs`: of %s never more run, as the queue itself says', async (_, arrayJobs) => {
		const map = ending.watch(createPool({arrayJobs, maxConcurrentJobs: 3}).map(faulty.compute, tasksOf(12, {until, takesMs: 300})));
		const seen = await watchQueue(map, 3, RUNS);
		expect(await map).toEqual(numbers(12));
		expect(largest(seen, RUNS)).toBe(3);
		expect(largest(seen)).toBe(arrayJobs ? 12 : 3);
	});

	test.each([
		['arrays', true],
		['queue-jobs of their own', false],
	])('`maxQueuedJobs`: of %s never more are in the queue', async (_, arrayJobs) => {
		const map = ending.watch(createPool({arrayJobs, maxQueuedJobs: 5}).map(faulty.compute, tasksOf(12, {until, takesMs: 300})));
		const seen = await watchQueue(map, 5);
		expect(await map).toEqual(numbers(12));
		expect(largest(seen)).toBe(5);
	});
});
