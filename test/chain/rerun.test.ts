/** Tasks that are computed again, on every engine. */
import {existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {MapError, Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {createTestDirectory, ENGINES, poolOptions} from '../helpers/engines.js';
import {createProject} from '../helpers/programs.js';
import {type QmrRun, runQmr} from '../helpers/qmr.js';

/** Tasks 3 and 7 fail until there is a file `mended` beside the module; all wait as long as there is a file `wait`. */
const WORK = `import {existsSync, appendFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {taskContext} from 'queue-map-reduce';
export const tell = async x => {
	const {itask, seed, shared, taskDir} = taskContext();
	appendFileSync('computed', itask + '\\n');
	while (existsSync(new URL('wait', import.meta.url))) await sleep(50);
	if ([3, 7].includes(itask) && !existsSync(new URL('mended', import.meta.url))) throw new RangeError('not yet');
	return {x, itask, seed, shared, taskDir};
};
`;

type Told = {readonly x: number; readonly itask: number; readonly seed: number; readonly shared: unknown; readonly taskDir: string};

describe.each(ENGINES)('on %s', engine => {
	let directory: ReturnType<typeof createTestDirectory>;
	let options: PoolOptions;
	let workDir: string;
	let computed: () => number[];
	beforeEach(() => {
		directory = createTestDirectory();
		createProject(directory.path, {'work.mjs': WORK});
		workDir = join(directory.path, 'run');
		options = {...poolOptions(engine, directory.path), seed: 'fixed', shared: {table: [1, 2n]}};
		vi.spyOn(process.stderr, 'write').mockReturnValue(true);
		vi.spyOn(process, 'cwd').mockReturnValue(directory.path);
		computed = () => readFileSync(join(directory.path, 'computed'), 'utf8').trim().split('\n').map(Number);
	});
	afterEach(() => {
		vi.restoreAllMocks();
		directory.remove();
	});

	test('D11: of 10 tasks of which 2 had failed only those 2 are computed again, and then all 10 results are there', async () => {
		const fn = {module: join(directory.path, 'work.mjs'), name: 'tell'};
		const tasks = Array.from({length: 10}, (_, i) => 10 * i);
		const error = await new Pool(options).map(fn, tasks, {workDir}).catch((thrown: unknown) => thrown as MapError);
		expect(error).toBeInstanceOf(MapError);
		expect(computed().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
		const before = (await readWorkDir(workDir)).tasks;
		expect(before.filter(({state}) => state === 'failed').map(({itask}) => itask)).toEqual([3, 7]);

		// Where it is called from plays no part.
		vi.mocked(process.cwd).mockReturnValue('/');
		writeFileSync(join(directory.path, 'mended'), '');
		const run = await Pool.rerun<Told>(workDir);
		expect(run.workDir).toBe(join(workDir, 'rerun.1'));
		const outcomes = await run.outcomes();
		expect(outcomes.map(({itask, status}) => [itask, status])).toEqual([
			[3, 'fulfilled'],
			[7, 'fulfilled'],
		]);
		expect(computed().slice(10).sort()).toEqual([3, 7]);
		expect(readdirSync(run.workDir).filter(name => name.endsWith('.out'))).toHaveLength(2);

		const {tasks: after, problems} = await readWorkDir(workDir);
		expect(problems).toEqual([]);
		expect(after.map(({state}) => state)).toEqual(new Array(10).fill('done'));
		expect(after.map(({rerun}) => rerun)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(i => (i === 3 || i === 7 ? 1 : undefined)));
		const values = after.map(({outcome}) => (outcome?.status === 'fulfilled' ? (outcome.value as Told) : undefined));
		expect(values.map(value => [value?.itask, value?.x])).toEqual(tasks.map((x, i) => [i, x]));
		expect(values[7]).toMatchObject({shared: {table: [1, 2n]}, taskDir: join(run.workDir, 'tasks', '7.1')});
		expect(new Set(values.map(value => value?.seed)).size).toBe(10);
		expect(existsSync(join(directory.path, 'work'))).toBe(false);
		// Nothing is left to be computed, and nobody is asked to.
		expect((await Pool.rerun(workDir)).workDir).toBe('');
	});

	// The dummy queue computes while it is asked: test/cli/cancel.test.ts has its own ways there.
	const testWhereTasksCanWait = engine === 'dummy' ? () => undefined : test;
	testWhereTasksCanWait(
		'C11, C15: a rerun is cancelled by qmr cancel while its process lives, and after it is gone; nothing is left in the queue, and the map can be removed',
		async () => {
			const fn = {module: join(directory.path, 'work.mjs'), name: 'tell'};
			const qmr = (...args: readonly string[]): Promise<QmrRun> => runQmr(args, {cwd: directory.path});
			await new Pool({...options, numChunks: 4}).mapSettled(
				fn,
				Array.from({length: 10}, (_, i) => i),
				{workDir, keepWorkDir: true},
			);
			writeFileSync(join(directory.path, 'wait'), '');
			const run = await Pool.rerun(workDir);
			await vi.waitUntil(() => computed().length > 10, {timeout: 90_000, interval: 50});
			const [cancelled, reason] = await Promise.all([qmr('cancel', workDir, '--json'), run.results().catch((error: unknown) => error)]);
			expect(reason).toMatchObject({code: 'ERR_POOL_CANCELLED'});
			expect([cancelled.exitCode, JSON.parse(cancelled.stdout)]).toMatchObject([0, [{how: 'by-its-process'}, {how: 'had-ended'}]]);

			if (engine !== 'local') {
				const left = await Pool.rerun(workDir);
				await left.detach();
				const gone = await qmr('cancel', workDir, '--json');
				expect([gone.exitCode, JSON.parse(gone.stdout)]).toMatchObject([
					0,
					[{how: 'here', removed: [expect.any(String), expect.any(String)]}, {}, {}],
				]);
			}
			expect(
				(await readWorkDir(workDir)).tasks.filter(({state}) => state === 'failed').map(({itask, outcome}) => [itask, outcome]),
			).toMatchObject([
				[3, {kind: 'exception'}],
				[7, {kind: 'exception'}],
			]);
			const again = await qmr('cancel', workDir, '--json');
			expect(JSON.parse(again.stdout).map(({how}: {how: string}) => how)).toEqual(new Array(engine === 'local' ? 2 : 3).fill('had-ended'));
			writeFileSync(join(directory.path, 'mended'), '');
			rmSync(join(directory.path, 'wait'));
			for (const args of [
				['rerun', workDir],
				['clean', workDir, '--yes'],
			]) {
				const {exitCode, stderr} = await qmr(...args);
				expect(exitCode, stderr).toBe(0);
			}
			expect(existsSync(workDir)).toBe(false);
		},
	);
});
