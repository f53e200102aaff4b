/** Maps on this machine whose process is killed at once: their queue-jobs are not killed with it. */
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {expect, test} from 'vitest';
import {catchStderr} from '../helpers/caught-stderr.js';
import {DOUBLED, type MappingProgram, makeMappingProgram, until} from '../helpers/mapping-programs.js';
import {processesWith} from '../helpers/processes.js';
import {runQmr} from '../helpers/qmr.js';

const said = catchStderr();

/** Tasks wait as long as there is a file `wait`. */
const WORK = `import {appendFileSync, existsSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {taskContext} from 'queue-map-reduce';
const here = name => new URL(name, import.meta.url);
export const double = async x => {
	appendFileSync(here('computed'), taskContext().itask + '\\n');
	while (existsSync(here('wait'))) await sleep(20);
	return 2 * x;
};
`;

/** So long nobody waits in a test: what is not known to be gone would never be submitted again. */
const FOR_EVER_MS = 86_400_000;

/** A map of six chunks, two of which are being computed, and whose process is dead. */
const leaveMap = async (): Promise<MappingProgram & {readonly release: () => void; readonly living: () => number[]}> => {
	const program = makeMappingProgram({options: {engine: 'local', slots: 2, numChunks: 6, graceMs: FOR_EVER_MS}});
	writeFileSync(join(program.directory, 'work.mjs'), WORK);
	writeFileSync(join(program.directory, 'wait'), '');
	const mapping = program.start();
	await until(() => program.computed().length === 2);
	mapping.child.kill('SIGKILL');
	expect(await mapping.ended).toEqual({code: null, signal: 'SIGKILL'});
	const living = (): number[] => processesWith(program.workDir);
	expect(living()).toHaveLength(2);
	return {...program, living, release: () => rmSync(join(program.directory, 'wait'))};
};

test('what still runs is waited for, and what never began is submitted at once: nothing is computed twice', async () => {
	const left = await leaveMap();
	const run = await Pool.resume<number>(left.workDir);
	expect(said()).toContain('queue-map-reduce: 2 queue-jobs of the process before this one, which was killed, still run on this machine\n');
	left.release();
	expect(await run.results()).toEqual(DOUBLED);
	expect(left.computed().sort()).toEqual([0, 1, 2, 3, 4, 5]);
	expect(said()).not.toContain('graceMs');
	expect(left.living()).toEqual([]);
});

test('what has died with it is submitted again at once', async () => {
	const left = await leaveMap();
	for (const pid of left.living()) process.kill(pid, 'SIGKILL');
	await until(() => left.living().length === 0);
	left.release();
	expect(await (await Pool.resume<number>(left.workDir, {keepWorkDir: true})).results()).toEqual(DOUBLED);
	expect(left.computed().sort()).toEqual([0, 0, 1, 1, 2, 3, 4, 5]);
	expect(said()).not.toMatch(/still run|graceMs/);
	expect(left.journal()).toContain('it has ended with its process');
});

test('what dies while it is waited for is submitted again', async () => {
	const left = await leaveMap();
	const run = await Pool.resume<number>(left.workDir, {keepWorkDir: true});
	const [pid] = left.living().filter(each => readFileSync(`/proc/${each}/cmdline`, 'utf8').endsWith(`${left.workDir}\0${0}\0${1}\0`));
	process.kill(pid as number, 'SIGKILL');
	left.release();
	expect(await run.results()).toEqual(DOUBLED);
	const [first] = (await readWorkDir(left.workDir)).tasks;
	expect(first).toMatchObject({attempt: 2});
	expect(left.journal()).toContain('nobody saw how, for the process that had begun it was killed before');
});

test('qmr cancel ends it', async () => {
	const left = await leaveMap();
	const {exitCode, stderr} = await runQmr(['cancel', 'run'], {cwd: left.directory});
	expect([exitCode, stderr]).toEqual([0, expect.stringContaining('2 queue-jobs of the process before this one')]);
	expect(left.living()).toEqual([]);
	left.release();
	expect(await (await Pool.resume<number>(left.workDir)).results()).toEqual(DOUBLED);
});

test('so does a process that went on with it and is cancelled', async () => {
	const left = await leaveMap();
	const run = await Pool.resume<number>(left.workDir);
	await run.cancel();
	expect(left.living()).toEqual([]);
});
