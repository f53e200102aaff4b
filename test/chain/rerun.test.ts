/** Tasks that are computed again, on every engine. */
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {MapError, Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {createTestDirectory, ENGINES, poolOptions} from '../helpers/engines.js';
import {createProject} from '../helpers/programs.js';

/** Tasks 3 and 7 fail until there is a file `mended` in the current directory. */
const WORK = `import {existsSync, appendFileSync} from 'node:fs';
import {taskContext} from 'queue-map-reduce';
export const tell = x => {
	const {itask, seed, shared, taskDir} = taskContext();
	appendFileSync('computed', itask + '\\n');
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
});
