import {existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {Pool} from '../../dist/src/index.js';
import type {Advice} from '../../src/report/advise.js';
import type {ReportData} from '../../src/report/report-data.js';
import {GENERATOR} from '../../src/report/write-report.js';
import {type MadeMap, writeMadeWorkDir} from '../helpers/made-work-dir.js';
import {type QmrRun, runQmr} from '../helpers/qmr.js';

const MAP: MadeMap = {numChunks: 6, tasksPerChunk: 2, numHosts: 2, slotsPerHost: 2, taskMs: 1000};

const setUp = (map?: Partial<MadeMap>) => {
	const cwd = mkdtempSync(join(realpathSync(tmpdir()), 'qmr-report-'));
	onTestFinished(() => rmSync(cwd, {recursive: true, force: true}));
	if (map !== undefined) writeMadeWorkDir(join(cwd, 'made'), {...MAP, ...map});
	return {cwd, run: (...args: string[]): Promise<QmrRun> => runQmr(['report', ...args], {cwd})};
};

const figures = ({stdout}: QmrRun): ReportData & {readonly advice: readonly Advice[]} => JSON.parse(stdout);

test('H10: the report of a real map tells where its queue-jobs ran, for how long, and what they used', async () => {
	const {cwd, run} = setUp();
	const workDir = join(cwd, 'roots');
	await new Pool({engine: 'local', numChunks: 3, keepWorkDir: true, workDir, config: false, resources: {memory: '4G', time: '2h'}}).map(
		Math.sqrt,
		[1, 4, 9, 16],
	);
	const {jobs, hosts, counts, slowest, map, asks} = figures(await run('roots', '--json'));
	expect(asks).toMatchObject([{memoryBytes: 2 ** 32, timeSeconds: 7200, slots: 1, numJobs: 3}]);
	expect(map).toMatchObject({function: 'sqrt', state: 'ended', engine: 'local'});
	expect(counts).toEqual({total: 4, done: 4, failed: 0, cancelled: 0, running: 0, pending: 0});
	expect(hosts).toHaveLength(1);
	for (const {state, submittedMs, beganMs, endedMs, cpuMs, memoryBytes} of jobs) {
		expect(state).toBe('done');
		expect(beganMs).toBeGreaterThanOrEqual(submittedMs ?? Number.NaN);
		expect(endedMs).toBeGreaterThan(beganMs ?? Number.NaN);
		expect(cpuMs).toBeGreaterThan(0);
		expect(memoryBytes).toBeGreaterThan(2 ** 20);
	}
	expect(slowest.map(({input}) => input).sort()).toEqual(['1', '16', '4', '9']);
	expect(readdirSync(workDir).filter(name => name.endsWith('.html'))).toEqual([]);
});

test('tasks that were computed again count as they are now; the queue-jobs are those of the map, and the rerun has a report of its own', async () => {
	const {cwd, run} = setUp();
	const workDir = join(cwd, 'again');
	const paths = ['a', 'b', 'c'].map(name => join(cwd, name));
	writeFileSync(paths[0] as string, '');
	const options = {engine: 'local', config: false} as const;
	await new Pool({...options, numChunks: 3, workDir}).mapSettled(realpathSync, paths);
	for (const path of paths) writeFileSync(path, '');
	expect(await (await Pool.rerun(workDir, options)).results()).toEqual(paths.slice(1));
	const {counts, numRerun, jobs, slowest} = figures(await run('again', '--json'));
	expect([counts.done, counts.failed, numRerun]).toEqual([3, 0, 2]);
	expect(jobs.map(({ichunk, attempt, state, numTasks}) => [ichunk, attempt, state, numTasks])).toEqual([
		[0, 1, 'done', 1],
		[1, 1, 'done', 0],
		[2, 1, 'done', 0],
	]);
	const rerun = figures(await run('again/rerun.1', '--json'));
	for (const tasks of [slowest, rerun.slowest]) {
		for (const {itask, input} of tasks) expect([itask, input]).toEqual([itask, `'${paths[itask]}'`]);
	}
	expect(rerun.slowest.map(({itask}) => itask).sort()).toEqual([1, 2]);
});

test('a work_dir whose run.json is cut short is told to be damaged', async () => {
	const {run} = setUp({manifest: {function: undefined}});
	const {exitCode, stdout, stderr} = await run('made');
	expect([exitCode, stdout]).toEqual([1, '']);
	expect(stderr).toContain('run.json is damaged');
});

test('writes a file for the user alone, beside and not into the work_dir, and prints nothing but its path', async () => {
	const {cwd, run} = setUp({});
	const before = readdirSync(join(cwd, 'made'));
	const {exitCode, stdout, stderr} = await run('made');
	const path = join(cwd, 'report-2026-11-21T00-20-07_a10cda.html');
	expect({exitCode, stdout, stderr}).toEqual({exitCode: 0, stdout: `${path}\n`, stderr: ''});
	expect(statSync(path).mode & 0o777).toBe(0o600);
	expect(readFileSync(path, 'utf8')).toContain(GENERATOR);
	expect(readdirSync(join(cwd, 'made'))).toEqual(before);
	// Again: that one is a report.
	expect((await run('made')).exitCode).toBe(0);
});

test('says on stderr what is important, and the report can go to stdout', async () => {
	const {cwd, run} = setUp({failedShare: 1});
	const {exitCode, stdout, stderr} = await run('made', '-o', '-');
	expect(exitCode).toBe(0);
	expect(stdout).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/);
	expect(stderr).toBe('');
	expect(readdirSync(cwd)).toEqual(['made']);
	expect((await run('made')).stderr).toContain('Tasks have failed: 12 of 12 tasks failed, all of them alike');
});

test('overwrites no other file unless it is told to', async () => {
	const {cwd, run} = setUp({});
	const path = join(cwd, 'thesis.html');
	writeFileSync(path, 'my thesis');
	const refused = await run('made', '-o', 'thesis.html');
	expect([refused.exitCode, refused.stdout]).toEqual([2, '']);
	expect(refused.stderr).toContain(`Expected ${path} to be free, or an earlier report`);
	expect(readFileSync(path, 'utf8')).toBe('my thesis');
	expect((await run('made', '-o', 'thesis.html', '--force')).stdout).toBe(`${path}\n`);
	expect(readFileSync(path, 'utf8')).toContain(GENERATOR);
});

test('works while the map runs, and also of a work_dir that is damaged', async () => {
	const {cwd, run} = setUp({numChunks: 40, until: 0.5});
	const {map, counts, jobs} = figures(await run('made', '--json'));
	expect(map.state).toBe('running');
	expect(counts.done).toBeGreaterThan(0);
	expect(counts.running + counts.pending).toBeGreaterThan(0);
	expect(new Set(jobs.map(({state}) => state))).toEqual(new Set(['done', 'running', 'waiting']));
	writeFileSync(join(cwd, 'made', '000000000.1.out'), 'no result');
	const {problems, advice} = figures(await run('made', '--json'));
	expect(problems).toHaveLength(1);
	expect(advice.map(({id}) => id)).toContain('problems');
});

test.each([
	['no work_dir', ['nothing'], 'Expected a work_dir, got "nothing"'],
	['a file that can’t be made', ['made', '-o', 'none/report.html'], "can't be written"],
	['figures and a file at once', ['made', '--json', '-o', 'r.html'], 'cannot be used with'],
])('ends with 2 for %s, and writes nothing', async (_, args, message) => {
	const {cwd, run} = setUp({});
	const {exitCode, stdout, stderr} = await run(...args);
	expect([exitCode, stdout]).toEqual([2, '']);
	expect(stderr).toContain(message);
	expect(readdirSync(cwd)).toEqual(['made']);
	expect(existsSync(join(cwd, 'r.html'))).toBe(false);
});
