import {spawnSync} from 'node:child_process';
import {existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
// The built files: the worker program that is copied into every work_dir is only there.
import {cutChunks} from '../../dist/src/chunks.js';
import {PoolError} from '../../dist/src/errors.js';
import {type Files, realFiles} from '../../dist/src/ports.js';
import {createWorkDir, placeWorkDir, removeWorkDir, type WorkDirContent, type WorkDirPlace} from '../../dist/src/work-dir.js';

const SESSION = '2026-11-21T00-20-07_a10cda';

const makeDirectory = (): string => {
	const directory = mkdtempSync(join(tmpdir(), 'qmr-work-dir-'));
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
	return directory;
};

const contentOf = (tasks: readonly unknown[]): WorkDirContent => ({
	manifest: {session: SESSION, node: process.version, createdAt: '2026-11-21T00:20:07.000Z'} as WorkDirContent['manifest'],
	launcher: '#!/bin/sh\n',
	environment: {script: Buffer.from("export A='b'\n"), record: '{}'} as unknown as WorkDirContent['environment'],
	chunks: cutChunks(tasks.length, {kind: 'num-chunks', numChunks: 2}),
	tasks,
});

const create = async (
	options: {workDir?: string; workRoot?: string},
	tasks: readonly unknown[] = [1, 2, 3],
	files: Files = realFiles,
): Promise<WorkDirPlace> => {
	const place = await placeWorkDir(SESSION, options);
	await createWorkDir(place, contentOf(tasks), files);
	return place;
};

const refusal = async (promise: Promise<unknown>): Promise<PoolError> => {
	const error = await promise.then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toBeInstanceOf(PoolError);
	return error as PoolError;
};

const CONTENT = [
	'000000000.tasks',
	'000000001.tasks',
	'environment.json',
	'environment.sh',
	'launch.sh',
	'run.json',
	'worker_node_script.cjs',
];
const mode = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);
const withUmask = async <Value>(umask: number, act: () => Promise<Value>): Promise<Value> => {
	const before = process.umask(umask);
	try {
		return await act();
	} finally {
		process.umask(before);
	}
};

describe('where it is', () => {
	test('Q5, W21: by default below the root, by the name of the session', async () => {
		expect(await placeWorkDir(SESSION, {})).toEqual({workDir: join(process.cwd(), '.qmr', SESSION), root: join(process.cwd(), '.qmr')});
		expect(await placeWorkDir(SESSION, {workRoot: '/w/../r'})).toEqual({workDir: `/r/${SESSION}`, root: '/r'});
	});

	test('Q5: workDir is exactly the directory, and wins over workRoot', async () => {
		const directory = makeDirectory();
		expect(await placeWorkDir(SESSION, {workDir: `${directory}/run`, workRoot: '/r'})).toEqual({
			workDir: `${directory}/run`,
			root: undefined,
		});
		expect(await placeWorkDir(SESSION, {workDir: directory})).toEqual({workDir: directory, root: undefined});
	});

	test.each<[what: string, make: (path: string) => void, found: string]>([
		['a directory with something in it', path => mkdirSync(join(path, 'inner'), {recursive: true}), 'is not empty'],
		['a file', path => writeFileSync(path, ''), 'is a file'],
		['a symbolic link to an empty directory', path => symlinkSync(makeDirectory(), path), 'is a symbolic link'],
		['a symbolic link to nowhere', path => symlinkSync('/nonexistent', path), 'is a symbolic link'],
	])('%s is in the way', async (_, make, found) => {
		const path = join(makeDirectory(), 'run');
		make(path);
		const error = await refusal(placeWorkDir(SESSION, {workDir: path}));
		expect(error).toMatchObject({
			code: 'ERR_POOL_WORK_DIR',
			message: `Expected \`workDir\` not to exist or to be an empty directory, but ${path} ${found}. Choose another path, or remove it.`,
		});
	});

	test('a path below a file can’t be used', async () => {
		const error = await refusal(placeWorkDir(SESSION, {workDir: '/etc/passwd/run'}));
		expect(error.message).toMatch(/^Expected `workDir` to be a path that can be used, but ENOTDIR/);
	});

	test.each([{workDir: '/w/a\\b'}, {workRoot: '/w\\x/y'}])('a backslash is refused: %j', async options => {
		expect((await refusal(placeWorkDir(SESSION, options))).message).toContain('to have no backslash in its path');
	});
});

describe('making it', () => {
	test('Q22, A15: it appears whole, with nothing beside it', async () => {
		const directory = makeDirectory();
		const {workDir} = await create({workDir: join(directory, 'run')});
		expect(readdirSync(directory)).toEqual(['run']);
		expect(readdirSync(workDir).sort()).toEqual(CONTENT);
		expect(readFileSync(join(workDir, 'environment.sh'), 'utf8')).toBe("export A='b'\n");
		expect(JSON.parse(readFileSync(join(workDir, 'run.json'), 'utf8'))).toMatchObject({session: SESSION});
	});

	test('it may take the place of an empty directory', async () => {
		const directory = makeDirectory();
		await create({workDir: directory});
		expect(readdirSync(directory).sort()).toEqual(CONTENT);
	});

	test.each([
		...['a b\'"$:,#*?~', 'two\nlines', '-rf', 'ü😀', '.hidden', 'run..1', '...', 'x'.repeat(255), 'ü'.repeat(127)],
		...['$HOME', '%s', '(', '[x]'],
	])('W24: any name of a directory will do: %j', async name => {
		const directory = makeDirectory();
		await create({workDir: join(directory, name)});
		expect(readdirSync(directory)).toEqual([name]);
	});

	test('also below directories of any name', async () => {
		const directory = join(makeDirectory(), '..a/b..c/...');
		await create({workRoot: directory});
		expect(readdirSync(directory)).toEqual([SESSION]);
	});

	test.each([0o000, 0o022, 0o777])('Q5, W10, N20: it is its owner’s alone with the umask %o', async umask => {
		const directory = makeDirectory();
		const {workDir, root} = await withUmask(umask, () => create({workRoot: join(directory, 'a/b')}));
		expect([join(directory, 'a'), root as string, workDir].map(mode)).toEqual(['700', '700', '700']);
		expect(readdirSync(workDir).map(name => mode(join(workDir, name)))).toEqual(CONTENT.map(() => '600'));
	});

	test('with the umask 777 also by somebody who is bound by permissions', () => {
		const directory = makeDirectory();
		const script = `
			const {createWorkDir, placeWorkDir} = await import(${JSON.stringify(new URL('../../dist/src/work-dir.js', import.meta.url))});
			const {realFiles} = await import(${JSON.stringify(new URL('../../dist/src/ports.js', import.meta.url))});
			process.umask(0o777);
			const content = {manifest: {session: 's'}, launcher: '', environment: {script: '', record: ''}, chunks: [], tasks: []};
			await createWorkDir(await placeWorkDir('s', {workRoot: ${JSON.stringify(join(directory, 'a/b'))}}), content, realFiles);`;
		const node = [process.execPath, '--input-type=module', '-e', script];
		// Root passes by all permissions, unless this right is taken away.
		const rights = '-dac_override,-dac_read_search';
		const [program, ...args] = process.getuid?.() === 0 ? ['setpriv', `--inh-caps=${rights}`, `--bounding-set=${rights}`, ...node] : node;
		const {status, stderr} = spawnSync(program as string, args, {encoding: 'utf8'});
		expect([status, stderr]).toEqual([0, '']);
		expect(existsSync(join(directory, 'a/b/s/run.json'))).toBe(true);
	});

	test('20 at once in one root, some of which end at once, do not disturb each other', async () => {
		const workRoot = join(makeDirectory(), 'root');
		const places = await Promise.all(
			Array.from({length: 20}, async (_, i) => {
				const place = await placeWorkDir(`${SESSION}${i}`, {workRoot});
				await createWorkDir(place, contentOf([i]), realFiles);
				if (i % 2 === 0) await removeWorkDir(place, realFiles);
				return place;
			}),
		);
		expect(readdirSync(workRoot).sort()).toEqual(
			Array.from({length: 20}, (_, i) => `${SESSION}${i}`)
				.filter((_, i) => i % 2 === 1)
				.sort(),
		);
		await Promise.all(places.map(place => removeWorkDir(place, realFiles)));
		expect(existsSync(workRoot)).toBe(false);
	});
});

describe('a failure leaves nothing behind', () => {
	test.each([
		['by default', {workRoot: 'new/root'}],
		['of a workDir', {workDir: 'new/parents/run'}],
	])('a task that can’t be written, %s', async (_, {workRoot, workDir}: {workRoot?: string; workDir?: string}) => {
		const directory = makeDirectory();
		const options = workRoot === undefined ? {workDir: join(directory, workDir as string)} : {workRoot: join(directory, workRoot)};
		const error = await refusal(create(options, [1, 2, {deep: [() => 1]}]));
		expect(error).toMatchObject({
			code: 'ERR_POOL_TASKS',
			message: expect.stringMatching(/^Task 2 can't be written to a file for the worker: .*deep/),
		});
		expect(readdirSync(directory)).toEqual([]);
	});

	test.each(['create', 'rename'] as const)('P10: %s fails, at whichever call', async method => {
		const numCalls = {create: CONTENT.length, rename: 1}[method];
		for (let failing = 0; failing < numCalls; failing++) {
			const directory = makeDirectory();
			let calls = 0;
			const failIfDue = (): void => {
				if (calls++ === failing) throw Object.assign(new Error('ENOSPC: no space left on device'), {code: 'ENOSPC'});
			};
			const files: Files = {
				...realFiles,
				[method]: async (...args: never) => {
					failIfDue();
					await (realFiles[method] as (...args: never) => Promise<void>)(...args);
				},
			};
			const error = await refusal(create({workRoot: join(directory, 'root')}, [1, 2], files));
			expect(error).toMatchObject({
				code: 'ERR_POOL_WORK_DIR',
				message: expect.stringContaining("can't be made: ENOSPC"),
				cause: {code: 'ENOSPC'},
			});
			expect(readdirSync(directory)).toEqual([]);
		}
	});

	test('a file where a directory should be made', async () => {
		const directory = makeDirectory();
		writeFileSync(join(directory, 'root'), '');
		const error = await refusal(create({workRoot: join(directory, 'root/inner')}));
		expect(error).toMatchObject({code: 'ERR_POOL_WORK_DIR', message: expect.stringContaining("can't be made: E")});
		expect(readdirSync(directory)).toEqual(['root']);
	});

	test('somebody fills the empty directory in between', async () => {
		const directory = join(makeDirectory(), 'run');
		mkdirSync(directory);
		const place = await placeWorkDir(SESSION, {workDir: directory});
		writeFileSync(join(directory, 'theirs'), '');
		const error = await refusal(createWorkDir(place, contentOf([1, 2]), realFiles));
		expect(error.message).toContain("can't be made: ENOTEMPTY");
		expect(readdirSync(directory)).toEqual(['theirs']);
		expect(readdirSync(join(directory, '..'))).toEqual(['run']);
	});
});

describe('removing it', () => {
	test('the root goes with the last of them, if it was made for it', async () => {
		const directory = makeDirectory();
		const workRoot = join(directory, 'a/b');
		const first = await create({workRoot});
		const second = await placeWorkDir(`${SESSION}2`, {workRoot});
		await createWorkDir(second, contentOf([1]), realFiles);
		await removeWorkDir(first, realFiles);
		expect(readdirSync(workRoot)).toEqual([`${SESSION}2`]);
		await removeWorkDir(second, realFiles);
		expect(readdirSync(directory)).toEqual([]);
	});

	test('a root that was there before stays, and so does one with something else in it', async () => {
		const directory = makeDirectory();
		await removeWorkDir(await create({workRoot: directory}), realFiles);
		expect(readdirSync(directory)).toEqual([]);
		const place = await create({workRoot: join(directory, 'root')});
		writeFileSync(join(directory, 'root/notes.txt'), '');
		await removeWorkDir(place, realFiles);
		expect(readdirSync(join(directory, 'root'))).toEqual(['notes.txt']);
	});

	test('what is gone already is fine', async () => {
		const place = await create({workRoot: join(makeDirectory(), 'root')});
		rmSync(place.root as string, {recursive: true});
		await removeWorkDir(place, realFiles);
	});
});
