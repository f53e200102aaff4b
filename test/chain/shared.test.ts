/** What all tasks of a map share: written once, read once by a queue-job. */
import {existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import * as work from '../fixtures/work.mjs';
import {createTestDirectory, ENGINES, keptWorkDirs, poolOptions} from '../helpers/engines.js';
import {createProject, runNode} from '../helpers/programs.js';

const TABLE = new Map([
	['a', 'the first secret of the table'],
	['b', 'the second secret of the table'],
]);

const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => undefined,
		(error: unknown) => error,
	);

describe.each(ENGINES)('on %s', engine => {
	let directory: ReturnType<typeof createTestDirectory>;
	let options: PoolOptions;

	beforeEach(() => {
		directory = createTestDirectory();
		options = poolOptions(engine, directory.path);
		vi.spyOn(process.stderr, 'write').mockReturnValue(true);
	});
	afterEach(() => {
		vi.restoreAllMocks();
		directory.remove();
	});

	const keptWorkDir = (): string => keptWorkDirs(options.workRoot as string)[0] as string;

	test('H3: the tasks of a queue-job see one object, those of another one its own', async () => {
		const pool = new Pool({...options, shared: {table: TABLE}});
		const results = await pool.map(work.lookUpShared, ['a', 'b', 'c', 'a'], {numChunks: 2, keepWorkDir: true});
		const [a, b] = [TABLE.get('a'), TABLE.get('b')];
		expect(results).toEqual([
			{numSeen: 1, value: a, isSame: true},
			{numSeen: 2, value: b, isSame: true},
			{numSeen: 1, value: undefined, isSame: true},
			{numSeen: 2, value: a, isSame: true},
		]);
		const workDir = keptWorkDir();
		const holders = readdirSync(workDir).filter(name => readFileSync(join(workDir, name)).includes('secret of the table'));
		// The outcomes are the tasks' own.
		expect(holders.filter(name => !name.endsWith('.out'))).toEqual(['shared.v8']);
		expect(statSync(join(workDir, 'shared.v8')).mode & 0o777).toBe(0o600);
		const record = await readWorkDir(workDir);
		expect(record.sharedPath).toBe(join(workDir, 'shared.v8'));
		expect(record.manifest.sharedBytes).toBe(statSync(join(workDir, 'shared.v8')).size);
		expect(record.problems).toEqual([]);
	});

	test('H3: a queue-job reads the file once, not once for each task', async () => {
		const results = await new Pool(options).map(work.lookUpAndTakeAway, [1, 2, 3], {numChunks: 1, shared: 'read', keepWorkDir: true});
		expect(results).toEqual(['read', 'read', 'read']);
		const {problems} = await readWorkDir(keptWorkDir());
		expect(problems).toEqual([`${keptWorkDir()}/shared.v8: it is missing`]);
	});

	test('without the option it is undefined, and there is no file', async () => {
		expect(await new Pool(options).map(work.typeOfShared, [1], {keepWorkDir: true})).toEqual(['undefined']);
		expect(existsSync(join(keptWorkDir(), 'shared.v8'))).toBe(false);
		expect(await readWorkDir(keptWorkDir())).toMatchObject({sharedPath: undefined, problems: []});
	});

	test('null, 0 and an empty text are values like others', async () => {
		const pool = new Pool(options);
		const types = [null, 0, ''].map(async shared => pool.map(work.typeOfShared, [1], {shared}));
		expect(await Promise.all(types)).toEqual([['object'], ['number'], ['string']]);
	});

	test('a queue-job that can not read it ends, and the next one goes on', async () => {
		const pool = new Pool({...options, shared: 'there again'});
		const outcomes = await pool.mapSettled(work.lookUpDamaged, [1], {keepWorkDir: true});
		expect(outcomes).toMatchObject([{status: 'fulfilled', attempt: 2, value: [2, 'there again']}]);
		expect(readFileSync(join(keptWorkDir(), '000000000.1.e'), 'utf8')).toContain("can't read");
	});

	test('what can not be written is refused before anything is', async () => {
		const error = await thrownBy(new Pool(options).map(work.typeOfShared, [1], {shared: {rules: [{test: () => true}]}}));
		expect(error).toMatchObject({code: 'ERR_POOL_OPTION', message: expect.stringContaining('.rules[0].test is a function')});
		expect(existsSync(options.workRoot as string)).toBe(false);
	});

	test('a resumed map has it as it was, and refuses another one', async () => {
		const [workDir, until] = [join(directory.path, 'run'), join(directory.path, 'until')];
		const tasks = [...TABLE.keys()].map(key => ({key, until}));
		const run = await new Pool(options).submit(work.lookUpLater, tasks, {workDir, shared: TABLE});
		await run.cancel();
		await thrownBy(run.results());
		const pool = new Pool({...options, resume: workDir, keepWorkDir: true});
		for (const shared of [new Map([...TABLE, ['c', '']]), 5]) {
			const error = await thrownBy(pool.map(work.lookUpLater, tasks, {shared}));
			expect(error).toMatchObject({code: 'ERR_POOL_RESUME', message: expect.stringContaining('`shared` is not what it was')});
		}
		writeFileSync(until, '');
		expect(await pool.map(work.lookUpLater, tasks, {shared: new Map(TABLE)})).toEqual([...TABLE.values()]);
		expect(await (await Pool.resume(workDir)).results()).toEqual([...TABLE.values()]);
	});

	test('a map that shares nothing is not gone on with as one that does', async () => {
		const workDir = join(directory.path, 'run');
		await new Pool(options).map(work.typeOfShared, [1], {workDir, keepWorkDir: true});
		const error = await thrownBy(new Pool(options).map(work.typeOfShared, [1], {resume: workDir, shared: 5}));
		expect(error).toMatchObject({code: 'ERR_POOL_RESUME', message: expect.stringContaining('share nothing')});
	});
});

test('a function that is sent as its text gets it, too', async () => {
	const directory = createTestDirectory();
	try {
		createProject(directory.path, {
			'main.mjs': `import {Pool} from 'queue-map-reduce';
const pool = new Pool({engine: 'local', slots: 1, shared: {factor: 3}});
console.log(JSON.stringify(await pool.map(x => x * require('queue-map-reduce').taskContext().shared.factor, [1, 2])));
`,
		});
		expect(await runNode(['main.mjs'], {cwd: directory.path})).toMatchObject({code: 0, stdout: '[3,6]\n'});
	} finally {
		directory.remove();
	}
});
