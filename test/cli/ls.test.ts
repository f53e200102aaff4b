import {chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, onTestFinished, test} from 'vitest';
import {createTestDirectory} from '../helpers/engines.js';
import {addMap, type LookedAt, makeEndedMap, submitMap, workDirIn} from '../helpers/looked-at-map.js';
import {makeMappingProgram} from '../helpers/mapping-programs.js';
import {runQmr} from '../helpers/qmr.js';

let maps: LookedAt;

beforeAll(async () => {
	const source = "export const fn = n => { if (n === 2) throw new Error('two'); return n; };";
	maps = await makeEndedMap({
		source,
		tasks: [0, 1, 2, 3],
		options: {message: 'pilot \x1b[31mrun', tags: ['pilot', 'figure-3'], numChunks: 2},
	});
	await addMap(maps.directory, {source, tasks: [0, 1], options: {workDir: workDirIn(maps.directory, 'later'), tags: ['pilot']}});
});
afterAll(() => maps.remove());

const ls = (...args: readonly string[]) => runQmr(['ls', ...args], {cwd: maps.directory});
const list = async (...args: readonly string[]) => JSON.parse((await ls('--json', ...args)).stdout);

test('C9, C17: the maps of a directory are listed, the newest last, with what they are and how far', async () => {
	const {stdout, stderr, exitCode} = await ls();
	expect([exitCode, stderr]).toEqual([0, '']);
	const [head, first, second, ...more] = stdout.trimEnd().split('\n');
	expect(head).toMatch(/^MAP +AGE +FUNCTION +ENGINE +DONE +FAILED +RUN +PEND +TOTAL +PROCESS +LAST EVENT +MESSAGE$/);
	expect(first).toMatch(/^run +\d+s +fn\.mjs#fn +local +3 +1 +0 +0 +4 +ended +ended \d+s ago +\[pilot\] \[figure-3\] pilot \\x1b\[31mrun$/);
	expect(second).toMatch(/ 2 +0 +0 +0 +2 +ended +ended \d+s ago +\[pilot\]$/);
	expect(more).toEqual([]);
});

test('C9: as JSON every map has its numbers, its message and its tags', async () => {
	const [first, second, ...more] = await list();
	expect(first).toMatchObject({
		workDir: maps.workDir,
		message: 'pilot \x1b[31mrun',
		tags: ['pilot', 'figure-3'],
		engine: 'local',
		function: {name: 'fn', kind: 'module'},
		tasks: {total: 4, done: 3, failed: 1, cancelled: 0, running: 0, pending: 0},
		owner: {kind: 'released', pid: process.pid},
		lastEvent: {event: 'ended', numTasks: 4, numFailed: 1},
	});
	expect([second.workDir, more]).toEqual([workDirIn(maps.directory, 'later'), []]);
});

test('maps are chosen by their tags, all of which they must have', async () => {
	expect((await list('--tag', 'figure-3')).length).toBe(1);
	expect((await list('--tag', 'figure-3', '--tag', 'pilot')).length).toBe(1);
	const {stdout, stderr, exitCode} = await ls('--tag', 'figure-4');
	expect([stdout, exitCode]).toEqual(['', 0]);
	expect(stderr).toBe(`There is no map with the tag figure-4 in ${join(maps.directory, '.qmr')}.\n`);
});

test('several directories, and work_dirs themselves, can be named; each map is told of once', async () => {
	expect((await list(maps.workDir)).length).toBe(1);
	expect((await list(maps.workDir, join(maps.directory, '.qmr'), '.qmr')).map(({workDir}: {workDir: string}) => workDir)).toEqual([
		maps.workDir,
		workDirIn(maps.directory, 'later'),
	]);
});

test('what it prints of a map leads the other commands to it', async () => {
	const {path: directory, remove} = createTestDirectory('qmr-found-');
	onTestFinished(remove);
	cpSync(join(maps.directory, '.qmr'), join(directory, '.qmr'), {recursive: true});
	// Another map, which by its path is nearer than the one of this name in the work root.
	cpSync(maps.workDir, join(directory, 'run'), {recursive: true});
	const qmr = (...args: readonly string[]) => runQmr(args, {cwd: directory});
	const printed = async (...roots: readonly string[]): Promise<string[]> =>
		(await qmr('ls', ...roots)).stdout
			.trimEnd()
			.split('\n')
			.slice(1)
			.map(line => line.split(' ')[0] as string);
	expect(await printed()).toEqual(['.qmr/run', 'later']);
	expect(await printed('.', '.qmr')).toEqual(['run', '.qmr/run', '.qmr/later']);
	expect(await printed(join(directory, 'run'), '.qmr/later/')).toEqual([join(directory, 'run'), '.qmr/later/']);
	for (const name of ['.qmr/run', 'later', 'run', '.qmr/later', join(directory, 'run')]) {
		const {workDir} = JSON.parse((await qmr('status', name, '--json')).stdout);
		expect([name, workDir]).toEqual([
			name,
			join(directory, ['later', '.qmr/later'].includes(name) ? '.qmr/later' : name.replace(directory, '')),
		]);
	}
	// So does the session, which no directory is called by.
	const [{session}] = JSON.parse((await qmr('ls', '--json', '.qmr/later')).stdout);
	expect(JSON.parse((await qmr('status', session, '--json')).stdout).workDir).toBe(join(directory, '.qmr/later'));
});

test('where there is no map it is said when there are some close by', async () => {
	const {path: directory, remove} = createTestDirectory('qmr-near-');
	onTestFinished(remove);
	cpSync(maps.workDir, join(directory, 'run'), {recursive: true});
	expect(await runQmr(['ls'], {cwd: directory})).toMatchObject({
		stdout: '',
		stderr: `There is no map in ${join(directory, '.qmr')}. There is in ${directory}: qmr ls .\n`,
	});
	const {stderr} = await ls(maps.directory, directory);
	expect(stderr).toBe('');
	expect((await ls(maps.directory)).stderr).toBe(
		`There is no map in ${maps.directory}. There is in ${join(maps.directory, '.qmr')}: qmr ls ${join(maps.directory, '.qmr')}\n`,
	);
});

test('200 maps that have ended are told of without a look at their tasks and results', async () => {
	const {path: root, remove} = createTestDirectory('qmr-many-');
	onTestFinished(remove);
	const lastLine = `${readFileSync(join(maps.workDir, 'log.jsonl'), 'utf8').trimEnd().split('\n').at(-1)}\n`;
	for (let i = 0; i < 200; i++) {
		const copy = join(root, `2026-11-21T00-00-00_${String(i).padStart(6, '0')}`);
		mkdirSync(copy, {mode: 0o700});
		// Neither tasks nor results are there to be read, and of the journal the end is all.
		for (const name of ['run.json', 'owner.1']) cpSync(join(maps.workDir, name), join(copy, name));
		writeFileSync(join(copy, 'log.jsonl'), lastLine);
	}
	const found = await list(root);
	expect(found.length).toBe(200);
	for (const {tasks, workDir} of found)
		expect({...tasks, workDir}).toMatchObject({total: 4, done: 3, failed: 1, workDir: expect.stringContaining(root)});
});

test('one damaged work_dir keeps nobody from seeing the others, and is told of', async () => {
	const {path: root, remove} = createTestDirectory('qmr-damaged-');
	onTestFinished(remove);
	const make = (name: string, manifest: string): void => {
		mkdirSync(join(root, name), {mode: 0o700});
		writeFileSync(join(root, name, 'run.json'), manifest);
	};
	make('a-cut', '{"format":1,"session":');
	make('b-empty', '{}');
	make('c-older', '{"format":0}');
	make('d-part', '{"format":1,"session":"x","options":{}}');
	make('e-open', '{}');
	chmodSync(join(root, 'e-open'), 0o777);
	symlinkSync(maps.workDir, join(root, 'f-link'));
	writeFileSync(join(root, 'g-file'), '');
	cpSync(maps.workDir, join(root, 'h-whole'), {recursive: true});
	const {stdout, exitCode} = await ls(root);
	expect(exitCode).toBe(0);
	expect(stdout).toMatch(/fn\.mjs#fn +local +3 +1/);
	for (const problem of [
		/^\S+\/a-cut: .*run\.json is damaged: /m,
		/^\S+\/b-empty: .* to be of format 1, got undefined/m,
		/^\S+\/c-older: .* got 0/m,
		/^\S+\/d-part: .* lacks what every map has/m,
	])
		expect(stdout).toMatch(problem);
	expect(stdout).toMatch(/^\S+\/f-link: .* a symbolic link to /m);
	expect(stdout).not.toMatch(/g-file/);
	if (process.geteuid?.() !== 0) expect(stdout).toMatch(/^\S+\/e-open: .* writable by nobody but its owner/m);
	const json = JSON.parse((await ls('--json', root)).stdout) as {session: string; problem?: string}[];
	expect(json.filter(({problem}) => problem === undefined).length).toBe(1);
});

test('a map without a journal, or with one that is cut, is told of as far as it goes', async () => {
	const {path: root, remove} = createTestDirectory('qmr-cut-');
	onTestFinished(remove);
	cpSync(maps.workDir, join(root, 'bare'), {recursive: true});
	rmSync(join(root, 'bare', 'log.jsonl'));
	for (const name of readdirSync(join(root, 'bare'))) if (name.startsWith('owner')) rmSync(join(root, 'bare', name));
	expect(await list(root)).toMatchObject([{tasks: {total: 4, done: 3, failed: 1, pending: 0}, owner: {kind: 'unknown'}, lastEvent: null}]);
	expect((await ls(root)).stdout).toMatch(/ 4 +ended +\[pilot\]/m);
});

test('a map in which a process works, one that was left, and one whose process has died are told apart', async () => {
	// Its process asks the queue, too, and with every question something would happen there.
	const queued = await submitMap({source: 'export const fn = n => n;', tasks: [1, 2, 3]}, {maxRunning: 0});
	onTestFinished(queued.remove);
	const process_ = async (): Promise<unknown> => JSON.parse((await runQmr(['ls', '--json'], {cwd: queued.directory})).stdout);
	expect(await process_()).toMatchObject([{owner: {kind: 'alive', pid: process.pid}, tasks: {total: 3, done: 0, pending: 3}}]);
	expect((await runQmr(['ls'], {cwd: queued.directory})).stdout).toMatch(/ 3 +works /);
	await queued.run.detach();
	await queued.run.results().catch(() => undefined);
	expect((await runQmr(['ls'], {cwd: queued.directory})).stdout).toMatch(/ 3 +left +detached /);

	const program = makeMappingProgram({whenProgress: 'if (done === 2) die()'});
	const {signal} = await program.start().ended;
	expect(signal).toBe('SIGKILL');
	const {stdout} = await runQmr(['ls', program.workDir], {cwd: program.directory});
	expect(stdout).toMatch(/ 6 +died /);
});

test('a directory that is not there is a wrong word; one without maps is none', async () => {
	expect(await ls('nowhere')).toMatchObject({
		exitCode: 2,
		stdout: '',
		stderr: expect.stringContaining('got "nowhere", which is not there'),
	});
	const {path, remove} = createTestDirectory('qmr-none-');
	onTestFinished(remove);
	expect(await runQmr(['ls'], {cwd: path})).toMatchObject({exitCode: 0, stdout: '', stderr: `There is no map in ${join(path, '.qmr')}.\n`});
	expect(await runQmr(['ls', '--json'], {cwd: path})).toMatchObject({exitCode: 0, stdout: '[]\n'});
});

test('where a configuration has work_dirs made is where they are looked for', async () => {
	const {path, remove} = createTestDirectory('qmr-config-');
	onTestFinished(remove);
	writeFileSync(join(path, 'qmr.config.json'), JSON.stringify({workRoot: join(maps.directory, '.qmr')}), {mode: 0o600});
	const {stdout} = await runQmr(['ls', '--json'], {cwd: path, env: {QMR_CONFIG: undefined, HOME: path, XDG_CONFIG_HOME: undefined}});
	expect(JSON.parse(stdout).length).toBe(2);
});
