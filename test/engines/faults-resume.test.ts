/** Process-nodes that are killed in every phase of a map on a real cluster, and what another process makes of what they leave. */
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, type PoolError, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {createTestDirectory} from '../helpers/engines.js';
import {countBegins, isAlive, killProcess, linesOf, untilBegun, untilFinished} from '../helpers/faults.js';
import {call, deleteJobs, type ListedJob, listJobs, untilGone, untilNoted} from '../helpers/grid-engine.js';
import {createProcessNode, type Plan, type ProcessNode, startProcessNode} from '../helpers/process-node.js';
import {processesWith} from '../helpers/processes.js';

let directory: ReturnType<typeof createTestDirectory>;
let workDir: string;
let begun: string;
let until: string;
let options: PoolOptions;
const started: ProcessNode[] = [];

beforeEach(() => {
	directory = createTestDirectory();
	workDir = join(directory.path, 'maps', 'the work_dir');
	mkdirSync(join(directory.path, 'maps'));
	begun = join(directory.path, 'begun');
	until = join(directory.path, 'until');
	options = {engine: 'grid-engine', pollingIntervalMs: 500, graceMs: 3000, workDir, keepWorkDir: true};
	createProcessNode(directory.path);
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
	writeFileSync(until, '');
	for (const {pid, kill} of started.splice(0)) if (isAlive(pid)) kill('SIGKILL');
	// What a failed test has left.
	await deleteJobs((await ourJobs()).map(({id}) => id));
	await vi.waitUntil(() => processesWith(workDir).length === 0, {timeout: 60_000, interval: 200});
	vi.restoreAllMocks();
	directory.remove();
});

const start = (plan: Plan): ProcessNode => {
	const node = startProcessNode(directory.path, plan);
	started.push(node);
	return node;
};

const ourJobs = async (): Promise<ListedJob[]> => {
	if (!existsSync(workDir)) return [];
	const {session} = (await readWorkDir(workDir)).manifest;
	return (await listJobs()).filter(({name}) => name.includes(session));
};

/** By this process, which has not begun it. */
const resume = async (): Promise<number[]> => (await Pool.resume<number>(workDir, {keepWorkDir: true})).results();

const untilNothingIsLeft = async (): Promise<void> => {
	const {session} = (await readWorkDir(workDir)).manifest;
	await untilGone(({name}) => name.includes(session));
};

/** A program that counts its calls and then becomes the real one, unless these lines do something else. */
const wrap = async (name: string, lines: string): Promise<string> => {
	const real = (await call('which', [name])).trim();
	const path = join(directory.path, name);
	writeFileSync(path, `#!/bin/sh\necho >>'${path}.calls'\nreal='${real}'\ncalls=$(wc -l <'${path}.calls')\n${lines}\nexec "$real" "$@"\n`, {
		mode: 0o755,
	});
	return path;
};

test('killed while it writes the tasks: nothing was submitted, and the error says so', async () => {
	const qsubPath = await wrap('qsub', '');
	const node = start({tasks: Array.from({length: 20_000}, () => ({begun})), options: {...options, qsubPath, numChunks: 20_000}});
	const maps = join(directory.path, 'maps');
	const scratch = await vi.waitUntil(
		() => readdirSync(maps).find(name => readdirSync(join(maps, name)).filter(file => file.endsWith('.tasks')).length > 10),
		{timeout: 60_000, interval: 1},
	);
	node.kill('SIGKILL');
	expect((await node.ended).signal).toBe('SIGKILL');
	expect(readdirSync(maps)).toEqual([scratch]);
	expect(readdirSync(join(maps, scratch))).not.toContain('run.json');
	expect(existsSync(`${qsubPath}.calls`)).toBe(false);
	const error = (await Pool.resume(workDir).catch((thrown: unknown) => thrown)) as PoolError;
	expect(error.code).toBe('ERR_POOL_RESUME');
	expect(error.message).toContain(scratch);
	expect(error.message).toMatch(/never all written, so nothing was submitted/);
});

test.each(['before', 'after'])('killed by the qsub of its second chunk, %s that has submitted it: no task is begun twice', async when => {
	const submit = when === 'after' ? 'answer=$("$real" "$@")' : '';
	const qsubPath = await wrap('qsub', `[ "$calls" = 2 ] && { ${submit}\necho $PPID >'${directory.path}/killed'; kill -9 $PPID; exit; }`);
	const node = start({tasks: [0, 1, 2].map(() => ({begun, until})), options: {...options, qsubPath, submitConcurrency: 1}});
	expect((await node.ended).signal).toBe('SIGKILL');
	expect(readFileSync(join(directory.path, 'killed'), 'utf8').trim()).toBe(String(node.pid));
	expect((await linesOf(workDir, 'submitting')).map(({ichunk}) => ichunk)).toEqual([0, 1, 2]);
	expect(await linesOf(workDir, 'submitted')).toEqual([]);
	const left = await ourJobs();
	expect(left).toHaveLength(when === 'after' ? 2 : 1);
	const resumed = resume();
	await untilBegun(begun, ({itask}) => itask === 2);
	await untilBegun(begun, ({itask}) => itask === 1);
	expect(await ourJobs()).toHaveLength(3);
	expect(await ourJobs()).toEqual(expect.arrayContaining(left.map(({id, name}) => expect.objectContaining({id, name}))));
	writeFileSync(until, '');
	expect(await resumed).toEqual([0, 1, 2]);
	expect(countBegins(begun, 3)).toEqual([1, 1, 1]);
	await untilNothingIsLeft();
});

test('killed while it watches, with a worker that dies while nobody does: what is finished is not begun again, what runs is adopted', async () => {
	// Chunk 0 is done, chunk 1 half done when its worker dies, chunk 2 runs on.
	const tasks = [{begun}, {begun}, {begun, takesMs: 300}, {begun, until, attempts: 1}, {begun, until}, {begun}];
	const node = start({tasks, options: {...options, numChunks: 3}});
	const worker = await untilBegun(begun, ({itask}) => itask === 3);
	const adopted = await untilBegun(begun, ({itask}) => itask === 4);
	await untilNoted(workDir, ({event, ichunk}) => event === 'result' && ichunk === 0);
	await untilFinished(workDir, {ichunk: 1, numFinished: 1});
	await expect(Pool.resume(workDir)).rejects.toThrow(expect.objectContaining({code: 'ERR_POOL_OWNED'}));
	node.kill('SIGKILL');
	expect((await node.ended).signal).toBe('SIGKILL');
	await killProcess(worker.pid, 'node');
	const another = start({resume: workDir, options: {keepWorkDir: true}});
	await untilBegun(begun, ({itask, attempt}) => itask === 3 && attempt === 2);
	expect(isAlive(adopted.pid)).toBe(true);
	writeFileSync(until, '');
	expect(await another.ended).toMatchObject({code: 0, stdout: '[0,1,2,3,4,5]\n'});
	expect(countBegins(begun, 6)).toEqual([1, 1, 1, 2, 1, 1]);
	await untilNothingIsLeft();
});

test.each([1, 4])('killed as it has read %d of 4 results: they are read again, and nothing is computed', async diesAtDone => {
	const node = start({tasks: [0, 1, 2, 3].map(i => ({begun, takesMs: 1000 * i})), options: {...options, numChunks: 4}, diesAtDone});
	expect((await node.ended).signal).toBe('SIGKILL');
	expect(await resume()).toEqual([0, 1, 2, 3]);
	expect(countBegins(begun, 4)).toEqual([1, 1, 1, 1]);
	expect(await linesOf(workDir, 'submitted')).toHaveLength(4);
	expect(await linesOf(workDir, 'resumed')).toHaveLength(1);
	await untilNothingIsLeft();
});

test('the same program, run again with `resume`, goes on with its map; with other tasks it is refused', async () => {
	const tasks = [0, 1, 2].map(i => ({begun, ...(i === 1 ? {until} : {})}));
	const node = start({tasks, options: {...options, numChunks: 3}});
	await untilNoted(workDir, ({event, ichunk}) => event === 'result' && ichunk === 2);
	await untilBegun(begun, ({itask}) => itask === 1);
	node.kill('SIGKILL');
	expect((await node.ended).signal).toBe('SIGKILL');
	const again: PoolOptions = {engine: 'grid-engine', pollingIntervalMs: 500, keepWorkDir: true, resume: workDir};
	const refused = await start({tasks: [...tasks.slice(1), {begun}], options: again}).ended;
	expect(refused.code).toBe(1);
	expect(refused.stderr).toContain('ERR_POOL_RESUME');
	const resumed = start({tasks, options: again});
	await untilNoted(workDir, ({event}) => event === 'resumed');
	writeFileSync(until, '');
	expect(await resumed.ended).toMatchObject({code: 0, stdout: '[0,1,2]\n'});
	expect(countBegins(begun, 3)).toEqual([1, 1, 1]);
	await untilNothingIsLeft();
});

test('a second Ctrl-C leaves at once while qdel hangs; the queue-jobs go on, and another process comes back to them', async () => {
	// It ends without having removed anything.
	const qdelPath = await wrap('qdel', `[ "$calls" = 1 ] && { while [ ! -e '${until}' ]; do sleep 0.1; done; exit 1; }`);
	const node = start({tasks: [0, 1].map(() => ({begun, until})), options: {...options, qdelPath, numChunks: 2}});
	for (const i of [0, 1]) await untilBegun(begun, ({itask}) => itask === i);
	await untilNoted(workDir, ({event, ichunk}) => event === 'running' && ichunk === 1);
	node.kill('SIGINT');
	await vi.waitUntil(() => existsSync(`${qdelPath}.calls`), {timeout: 90_000, interval: 50});
	expect(node.said()).toContain('SIGINT');
	expect(isAlive(node.pid)).toBe(true);
	node.kill('SIGINT');
	const {signal, stderr} = await node.ended;
	expect(signal).toBe('SIGINT');
	expect(existsSync(until)).toBe(false);
	expect(stderr).toContain(`await Pool.resume(${JSON.stringify(workDir)})`);
	expect((await ourJobs()).map(({state}) => state)).toEqual([expect.stringMatching(/^[rt]$/), expect.stringMatching(/^[rt]$/)]);
	const resumed = resume();
	await untilNoted(workDir, ({event}) => event === 'resumed');
	writeFileSync(until, '');
	expect(await resumed).toEqual([0, 1]);
	expect(countBegins(begun, 2)).toEqual([1, 1]);
	await untilNothingIsLeft();
});

test('SIGTERM, as before a reboot, leaves the queue-jobs running, and prints how to come back to them', async () => {
	const node = start({tasks: [0, 1].map(() => ({begun, until})), options: {...options, numChunks: 2}});
	for (const i of [0, 1]) await untilBegun(begun, ({itask}) => itask === i);
	node.kill('SIGTERM');
	const {signal, stderr} = await node.ended;
	expect(signal).toBe('SIGTERM');
	expect(stderr).toContain(`await Pool.resume(${JSON.stringify(workDir)})`);
	expect((await ourJobs()).map(({state}) => state)).toEqual([expect.stringMatching(/^[rt]$/), expect.stringMatching(/^[rt]$/)]);
	writeFileSync(until, '');
	expect(await resume()).toEqual([0, 1]);
	expect(countBegins(begun, 2)).toEqual([1, 1]);
	await untilNothingIsLeft();
});
