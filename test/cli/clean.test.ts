/** `qmr clean`: removes what is ours and not needed, and nothing else. */
import {spawnSync} from 'node:child_process';
import {
	chmodSync,
	cpSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import {homedir} from 'node:os';
import {dirname, join} from 'node:path';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {describe, expect, test, vi} from 'vitest';
import {functionOf, type KeptMap, makeKeptMap, makeKeptProject} from '../helpers/kept-map.js';
import {makeMappingProgram, until} from '../helpers/mapping-programs.js';
import {QMR, runQmr} from '../helpers/qmr.js';

const refusal = async (kept: KeptMap, args: readonly string[], cwd = kept.directory): Promise<string> => {
	const {exitCode, stdout, stderr} = await kept.qmr(['clean', '--yes', ...args], {cwd});
	expect([exitCode, stdout]).toEqual([2, '']);
	expect(existsSync(join(kept.workDir, 'run.json'))).toBe(true);
	return stderr;
};

describe('C15: qmr clean', () => {
	test('removes the work_dir of a map that has ended, and the empty directory above it', async () => {
		const kept = await makeKeptMap('local');
		const {session} = (await readWorkDir(kept.workDir)).manifest;
		const {exitCode, stdout} = await kept.qmr(['clean', kept.workDir, '--yes', '--json']);
		expect([exitCode, JSON.parse(stdout)]).toEqual([0, {removed: [{workDir: kept.workDir, session}], failed: [], kept: []}]);
		expect([existsSync(kept.workDir), existsSync(dirname(kept.workDir)), existsSync(join(kept.directory, 'work.mjs'))]).toEqual([
			false,
			false,
			true,
		]);
	});

	test('without a terminal and without --yes it removes nothing', async () => {
		const kept = await makeKeptMap('local');
		const {exitCode, stderr} = await kept.qmr(['clean', kept.workDir], {stdin: 'y\n'});
		expect([exitCode, stderr]).toEqual([2, expect.stringContaining('Expected --yes')]);
		expect(stderr).toContain('8 of 10 done, 2 failed');
		expect(existsSync(join(kept.workDir, 'run.json'))).toBe(true);
	});

	test('on a terminal it asks, and takes nothing but yes for yes', async () => {
		const kept = await makeKeptMap('local');
		const answer = (text: string) => {
			const line = [process.execPath, QMR, 'clean', kept.workDir].map(word => `'${word}'`).join(' ');
			return spawnSync('script', ['-qec', line, '/dev/null'], {cwd: kept.directory, input: `${text}\n`, encoding: 'utf8'});
		};
		for (const text of ['n', '', 'maybe']) {
			const {status, stdout} = answer(text);
			expect([status, stdout]).toEqual([1, expect.stringMatching(/with all results in it\? \[y\/N\][\s\S]*Nothing was removed\./)]);
		}
		expect(existsSync(join(kept.workDir, 'run.json'))).toBe(true);
		expect([answer('y').status, existsSync(kept.workDir)]).toEqual([0, false]);
	});

	test('--dry-run only lists', async () => {
		const kept = await makeKeptMap('local');
		expect((await kept.qmr(['clean', kept.workDir, '-n'])).stdout).toBe(`would be removed: ${kept.workDir}\n`);
		expect(existsSync(join(kept.workDir, 'run.json'))).toBe(true);
	});

	test('what is no work_dir of ours is refused: the root, a home, the current directory, a parent of work_dirs, a link, a file, nothing, a copy, a rerun', async () => {
		const kept = await makeKeptMap('local');
		expect(await refusal(kept, ['/'])).toContain('/ is not removed: it is no work_dir');
		expect(await refusal(kept, [homedir()])).toContain('is not removed: it is no work_dir');
		expect(await refusal(kept, ['.'])).toContain('it is no work_dir');
		expect(await refusal(kept, ['.qmr', '--force'])).toContain('it is no work_dir');
		expect(await refusal(kept, [''])).toContain('an empty text');
		expect(await refusal(kept, ['./nothing'])).toContain('there is nothing');
		expect(await refusal(kept, ['work.mjs'])).toContain('it is no work_dir');
		expect(await refusal(kept, [])).toContain('got none');
		symlinkSync(kept.workDir, join(kept.directory, 'link'));
		expect(await refusal(kept, ['link', '--force'])).toContain('it is a symbolic link');
		expect(await refusal(kept, ['link/', '--force'])).toContain('it is a symbolic link');
		cpSync(kept.workDir, join(kept.directory, 'copy'), {recursive: true});
		expect(await refusal(kept, ['copy', '--force'])).toContain('was made as');
		expect(existsSync(join(kept.directory, 'copy', 'run.json'))).toBe(true);
		expect(await refusal(kept, ['.', '--force'], kept.workDir)).toContain('it is the current directory');
		expect(await refusal(kept, [kept.workDir, '--force'], join(kept.workDir, 'tasks'))).toContain('in it is the current directory');
		const {exitCode} = await kept.qmr(['rerun', kept.workDir]);
		expect(exitCode).toBe(1);
		expect(await refusal(kept, [join(kept.workDir, 'rerun.1'), '--force'])).toContain('it is a part of');
		chmodSync(kept.workDir, 0o770);
		expect(await refusal(kept, [kept.workDir, '--force'])).toContain('writable by nobody but its owner');
		chmodSync(kept.workDir, 0o700);
		// One that is refused keeps all others.
		expect(await refusal(kept, [kept.workDir, './nothing'])).toContain('there is nothing');
	});

	test('files that no map has made are kept, unless --force says otherwise', async () => {
		const kept = await makeKeptMap('local');
		writeFileSync(join(kept.workDir, 'thesis.tex'), '');
		expect(await refusal(kept, [kept.workDir])).toContain('"thesis.tex"');
		expect((await kept.qmr(['clean', '-y', kept.workDir, '--force'])).exitCode).toBe(0);
		expect(existsSync(kept.workDir)).toBe(false);
	});

	test('X16: what a symbolic link in it points to stays', async () => {
		const kept = await makeKeptMap('local');
		const precious = join(kept.directory, 'precious');
		mkdirSync(precious);
		writeFileSync(join(precious, 'data'), 'x');
		symlinkSync(precious, join(kept.workDir, 'tasks', 'link'));
		symlinkSync(precious, join(kept.workDir, '000000999.1.o'));
		expect((await kept.qmr(['clean', '-y', kept.workDir])).exitCode).toBe(0);
		expect([existsSync(kept.workDir), readFileSync(join(precious, 'data'), 'utf8')]).toEqual([false, 'x']);
		expect(lstatSync(precious).isDirectory()).toBe(true);
	});

	test('where a process works nothing is removed; with --cancel its map is ended first', async () => {
		const program = makeMappingProgram({
			state: {maxRunning: 2, faults: [{kind: 'state', rawState: 'r', polls: 100_000, times: 2}]},
			program: "await new Pool(options).map(double, tasks, {workDir: 'run'}).catch(error => console.log(error.code));",
		});
		const mapping = program.start();
		await until(() => program.jobsLeft() === 6);
		const clean = (...args: readonly string[]) => runQmr(['clean', '--yes', program.workDir, ...args], {cwd: program.directory});
		const refused = await clean('--force');
		expect([refused.exitCode, refused.stderr, program.jobsLeft()]).toEqual([2, expect.stringContaining('works in it'), 6]);
		expect((await clean('--cancel')).exitCode).toBe(0);
		expect([await mapping.ended, mapping.stdout()]).toEqual([{code: 0, signal: null}, 'ERR_POOL_CANCELLED\n']);
		expect([existsSync(program.workDir), program.jobsLeft()]).toEqual([false, 0]);
	});

	test('what is not finished is kept; with --force its queue-jobs go first', async () => {
		const program = makeMappingProgram({
			whenProgress: 'if (running > 0) die();',
			state: {maxRunning: 2, faults: [{kind: 'state', rawState: 'r', polls: 100_000, times: 2}]},
		});
		await program.start().ended;
		const clean = (...args: readonly string[]) => runQmr(['clean', '--yes', program.workDir, ...args], {cwd: program.directory});
		const refused = await clean();
		expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('it is not finished (0 of 6 tasks are done)')]);
		expect(program.jobsLeft()).toBeGreaterThan(0);
		expect((await clean('--force')).exitCode).toBe(0);
		expect([existsSync(program.workDir), program.jobsLeft()]).toEqual([false, 0]);
	});

	test('--finished removes those that have ended, and with --older-than only the old ones', async () => {
		const kept = makeKeptProject('local');
		vi.spyOn(process.stderr, 'write').mockReturnValue(true);
		const root = join(kept.directory, 'maps');
		const map = (name: string) =>
			new Pool(kept.options).mapSettled(functionOf(kept), [1, 2], {workDir: join(root, name), keepWorkDir: true});
		for (const name of ['a', 'b', 'c']) await map(name);
		vi.restoreAllMocks();
		// Of `a` the last was noted long ago; `c` was never ended.
		const age = (name: string, change: (lines: string[]) => string[]): void => {
			const path = join(root, name, 'log.jsonl');
			writeFileSync(path, `${change(readFileSync(path, 'utf8').trim().split('\n')).join('\n')}\n`);
		};
		age('a', lines => lines.map(line => line.replace(/"time":"[^"]*"/, '"time":"2026-01-01T00:00:00.000Z"')));
		age('c', lines => lines.slice(0, -1));
		mkdirSync(join(root, 'other'));
		const clean = async (...args: readonly string[]) => (await kept.qmr(['clean', '--finished', '--yes', '--json', ...args, root])).stdout;
		expect(JSON.parse(await clean('--older-than', '7d', '--dry-run')).removed).toMatchObject([{workDir: join(root, 'a')}]);
		expect(JSON.parse(await clean('--older-than', '7d')).removed).toMatchObject([{workDir: join(root, 'a')}]);
		const rest = JSON.parse(await clean());
		expect(rest.removed).toMatchObject([{workDir: join(root, 'b')}]);
		expect(rest.kept).toMatchObject([{workDir: join(root, 'c'), reason: expect.stringContaining('not finished')}]);
		expect(readdirSync(root).sort()).toEqual(['c', 'other']);
		expect((await kept.qmr(['clean', '--finished', '--older-than', 'soon', root])).stderr).toContain('as 7d, 36h or 90m');
		expect((await kept.qmr(['clean', '--older-than', '7d', join(root, 'c')])).exitCode).toBe(2);
		expect(await kept.qmr(['clean', '--finished', '--yes', join(root, 'c')])).toMatchObject({
			exitCode: 2,
			stderr: expect.stringContaining('which is a work_dir. To remove this one leave --finished out.'),
		});
	});

	test('when it was interrupted the rest goes by the same command', async () => {
		const kept = await makeKeptMap('local');
		for (const name of readdirSync(kept.workDir)) {
			if (!['run.json', 'log.jsonl', 'tasks'].includes(name) && !name.startsWith('owner'))
				renameSync(join(kept.workDir, name), join(kept.directory, `gone-${name}`));
		}
		utimesSync(kept.workDir, 1, 1);
		expect((await kept.qmr(['clean', '-y', kept.workDir])).exitCode).toBe(0);
		expect(existsSync(kept.workDir)).toBe(false);
	});

	test('--help has examples', async () => {
		const {stdout} = await makeKeptProject('local').qmr(['clean', '--help']);
		expect(stdout).toMatch(/Examples:[\s\S]*--older-than 7d --dry-run/);
	});
});
