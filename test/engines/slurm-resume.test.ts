/** Process-nodes that are killed in the middle of a map on a real Slurm, and what another process makes of what they leave. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, expect, test} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {countBegins, isAlive, killProcess, linesOf, untilBegun, untilFinished} from '../helpers/faults.js';
import {call, untilNoted} from '../helpers/grid-engine.js';
import {createProcessNode, type Plan, type ProcessNode, startProcessNode} from '../helpers/process-node.js';
import {prepareQueueTests} from '../helpers/queue-test.js';
import {deleteJobs, listJobs, type SlurmJob} from '../helpers/slurm.js';

const t = prepareQueueTests('slurm');
const started: ProcessNode[] = [];
let options: PoolOptions;

beforeEach(() => {
	options = {engine: 'slurm', pollingIntervalMs: 500, graceMs: 3000, workDir: t.workDir, keepWorkDir: true};
	createProcessNode(t.directory);
});
afterEach(async () => {
	writeFileSync(t.until, '');
	for (const {pid, kill} of started.splice(0)) if (isAlive(pid)) kill('SIGKILL');
	// What a failed test has left.
	await deleteJobs((await ourJobs()).map(({id}) => id));
});

const start = (plan: Plan): ProcessNode => {
	const node = startProcessNode(t.directory, plan);
	started.push(node);
	return node;
};

const ourJobs = async (): Promise<SlurmJob[]> => {
	if (!existsSync(t.workDir)) return [];
	const {session} = (await readWorkDir(t.workDir)).manifest;
	return (await listJobs()).filter(({name}) => name.includes(session));
};

/** A program that counts its calls and then becomes the real one, unless these lines do something else. */
const wrap = async (name: string, lines: string): Promise<string> => {
	const real = (await call('which', [name])).trim();
	const path = join(t.directory, name);
	const count = `echo >>'${path}.calls'\nreal='${real}'\ncalls=$(wc -l <'${path}.calls')`;
	writeFileSync(path, `#!/bin/sh\n${count}\n${lines}\nexec "$real" "$@"\n`, {mode: 0o755});
	return path;
};

test.each(['before', 'after'])('killed by the sbatch of its second chunk, %s that has submitted it: no task is begun twice', async when => {
	const submit = when === 'after' ? 'answer=$("$real" "$@")' : '';
	const killed = join(t.directory, 'killed');
	const sbatchPath = await wrap('sbatch', `[ "$calls" = 2 ] && { ${submit}\necho $PPID >'${killed}'; kill -9 $PPID; exit; }`);
	const tasks = [0, 1, 2].map(() => ({begun: t.begun, until: t.until}));
	const node = start({tasks, options: {...options, sbatchPath, submitConcurrency: 1}});
	expect((await node.ended).signal).toBe('SIGKILL');
	expect(readFileSync(killed, 'utf8').trim()).toBe(String(node.pid));
	expect((await linesOf(t.workDir, 'submitting')).map(({ichunk}) => ichunk)).toEqual([0, 1, 2]);
	expect(await linesOf(t.workDir, 'submitted')).toEqual([]);
	const left = await ourJobs();
	expect(left).toHaveLength(when === 'after' ? 2 : 1);
	const resumed = (await Pool.resume<number>(t.workDir, {keepWorkDir: true})).results();
	for (const i of [0, 1, 2]) await untilBegun(t.begun, ({itask}) => itask === i);
	const ids = (await ourJobs()).map(({id}) => id);
	expect(ids).toHaveLength(3);
	expect(ids).toEqual(expect.arrayContaining(left.map(({id}) => id)));
	writeFileSync(t.until, '');
	expect(await resumed).toEqual([0, 1, 2]);
	expect(countBegins(t.begun, 3)).toEqual([1, 1, 1]);
	await t.untilNothingIsLeft();
});

test('killed by the sbatch of an array that was submitted: its elements are found by its name, and no task is begun twice', async () => {
	const sbatchPath = await wrap('sbatch', 'answer=$("$real" "$@")\nkill -9 $PPID; exit');
	const tasks = [0, 1, 2].map(() => ({begun: t.begun, until: t.until}));
	const node = start({tasks, options: {...options, sbatchPath, arrayJobs: true}});
	expect((await node.ended).signal).toBe('SIGKILL');
	expect(await linesOf(t.workDir, 'submitted')).toEqual([]);
	expect(await ourJobs()).toHaveLength(3);
	const resumed = (await Pool.resume<number>(t.workDir, {keepWorkDir: true})).results();
	await untilNoted(t.workDir, ({event, ichunk}) => event === 'submitted' && ichunk === 2);
	writeFileSync(t.until, '');
	expect(await resumed).toEqual([0, 1, 2]);
	expect((await linesOf(t.workDir, 'submitted')).map(({jobId}) => jobId)).toEqual(
		[1, 2, 3].map(i => expect.stringMatching(new RegExp(`^\\d+_${i}$`))),
	);
	expect(countBegins(t.begun, 3)).toEqual([1, 1, 1]);
	await t.untilNothingIsLeft();
});

test('killed while it watches, with a worker that dies while nobody does: what is finished is not begun again, what runs is adopted', async () => {
	const {begun, until, workDir} = t;
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
	await t.untilNothingIsLeft();
});

test('an sbatch that has submitted and never answers costs nothing: its queue-job is found by its name', async () => {
	const sbatchPath = await wrap('sbatch', '[ "$calls" = 1 ] && { "$real" "$@" >/dev/null; sleep 600; }');
	const tasks = [0, 1].map(() => ({begun: t.begun}));
	const results = await t.pool.map(faulty.compute, tasks, {sbatchPath, submitConcurrency: 1, programTimeoutMs: 20_000});
	expect(results).toEqual([0, 1]);
	expect(countBegins(t.begun, 2)).toEqual([1, 1]);
	expect(await linesOf(t.workDir, 'warning')).toMatchObject([{reason: expect.stringContaining('sbatch did not answer in time')}]);
	await t.untilNothingIsLeft();
});
