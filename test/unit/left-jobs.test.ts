import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import type {Engine} from '../../src/engines/engine.js';
import {findLeftJobs} from '../../src/left-jobs.js';
import type {Owner} from '../../src/owner.js';
import {realFiles} from '../../src/ports.js';
import {realProcesses} from '../../src/processes.js';

const LOCAL = {name: 'local', outlivesProcess: false} as Engine;

/** A work_dir whose owners were these, and programs in it that wait to be told something. */
const makeWorkDir = (...owners: readonly string[]) => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-left-'));
	onTestFinished(() => rmSync(workDir, {recursive: true, force: true}));
	writeFileSync(join(workDir, 'launch.sh'), 'read line');
	writeFileSync(join(workDir, 'worker_node_script.cjs'), 'process.stdin.resume();');
	for (const [i, text] of owners.entries()) writeFileSync(join(workDir, `owner.${i + 1}`), text);
	const start = async (program: string, args: readonly string[], detached = true): Promise<ChildProcess> => {
		const child = spawn(program, args, {detached, stdio: ['pipe', 'ignore', 'ignore']});
		await once(child, 'spawn');
		onTestFinished(async () => {
			const ended = once(child, 'exit');
			child.kill('SIGKILL');
			await ended;
		});
		return child;
	};
	const find = (engine: Engine = LOCAL, isAlive: (() => boolean | undefined) | undefined = () => false) =>
		findLeftJobs({workDir, owner: {number: owners.length + 1} as Owner}, {engine, files: realFiles}, {isAlive});
	return {workDir, start, find};
};

const KILLED = `${JSON.stringify({host: 'h', bootId: 'b', pidNamespace: 'n', pid: 1, startTime: '1'})}\n..`;
const RELEASED = `${KILLED}released\n`;

test('queue-jobs that go on are found, before and after they have become Node, and nothing else that runs there', async () => {
	const {workDir, start, find} = makeWorkDir(KILLED);
	const [launcher, worker] = [join(workDir, 'launch.sh'), join(workDir, 'worker_node_script.cjs')];
	const first = await start('/bin/sh', [launcher, '3', '2']);
	const second = await start('/bin/sh', [launcher, '4', '1', '-', '512']);
	const third = await start(process.execPath, ['--no-warnings', worker, workDir, '5', '12']);
	// Typed by hand, in another group, of another map, and somebody who reads the script.
	await start('/bin/sh', [launcher, '6']);
	await start(process.execPath, [worker, workDir, '7', '1', 'again']);
	await start('/bin/sh', [launcher, '8', '1'], false);
	await start(process.execPath, [worker, `${workDir}2`, '9', '1']);
	await start(process.execPath, ['-e', 'process.stdin.resume()', launcher, '10', '1']);
	const found = await find();
	expect(found?.map(({ichunk, attempt, leader}) => [ichunk, attempt, leader.pid]).sort()).toEqual([
		[3, 2, first.pid],
		[4, 1, second.pid],
		[5, 12, third.pid],
	]);
	// Who has let go has left none.
	const {find: findOfOthers} = makeWorkDir(RELEASED, RELEASED);
	expect(await findOfOthers(LOCAL, () => undefined)).toEqual([]);
});

test('they are unknown where they can not be seen, and of an engine that may have them elsewhere', async () => {
	const {find} = makeWorkDir(RELEASED, KILLED);
	expect(await find()).toEqual([]);
	expect(await find(LOCAL, () => undefined)).toBeUndefined();
	expect(await find({...LOCAL, outlivesProcess: true, name: 'slurm'})).toBeUndefined();
	expect(await find({...LOCAL, name: 'my-machines'})).toBeUndefined();
	// Of what was torn off by a crash nobody knows whose it was.
	expect(await makeWorkDir('{"host":').find()).toBeUndefined();
	expect(
		await makeWorkDir(KILLED).find(LOCAL, () => realProcesses.isAlive({...JSON.parse(KILLED.split('\n')[0] as string)})),
	).toBeUndefined();
});
