import {execFileSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {beforeEach, describe, expect, onTestFinished, test, vi} from 'vitest';
// The built files: the worker program that is copied into every work_dir is only there.
import {Pool} from '../../dist/src/index.js';
import {type GitDiffSettings, readGitDiff} from '../../src/git-diff.js';
import {createMask} from '../../src/mask-environment.js';
import {keptWorkDirs} from '../helpers/engines.js';

let directory: string;
let told: string[];
beforeEach(() => {
	directory = realpathSync(mkdtempSync(join(tmpdir(), 'qmr-git-diff-')));
	told = [];
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
});

const git = (...args: string[]): string =>
	execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@b.invalid', ...args], {
		cwd: directory,
		encoding: 'latin1',
		stdio: ['ignore', 'pipe', 'ignore'],
	});

/** A checkout of one commit with these files. */
const commit = (files: Readonly<Record<string, string | Buffer>>): void => {
	git('init', '-q');
	for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
	git('add', '.');
	git('commit', '-qm', 'first');
};

const read = (settings: Partial<GitDiffSettings> = {}): Promise<Buffer | undefined> =>
	readGitDiff({directory, mask: text => text, tell: line => told.push(line), signal: new AbortController().signal, ...settings});

/** A `git` of its own, the only program on PATH. */
const onlyProgram = (script: string | undefined): void => {
	mkdirSync(join(directory, 'bin'));
	if (script !== undefined) {
		writeFileSync(join(directory, 'bin', 'git'), `#!/bin/sh\n${script}\n`);
		chmodSync(join(directory, 'bin', 'git'), 0o755);
	}
	vi.stubEnv('PATH', join(directory, 'bin'));
	onTestFinished(() => void vi.unstubAllEnvs());
};

describe('the diff of a checkout', () => {
	test('is what git says, and makes the changed files of the commit', async () => {
		commit({'a.txt': 'one\ntwo\n', 'gone.txt': 'x\n', 'größe name.txt': 'y\n'});
		writeFileSync(join(directory, 'a.txt'), 'one\ntwo and a half\n');
		rmSync(join(directory, 'gone.txt'));
		writeFileSync(join(directory, 'größe name.txt'), 'no line feed');
		writeFileSync(join(directory, 'staged.txt'), 'new\n');
		git('add', 'staged.txt');
		const diff = await read();
		expect(diff?.toString('latin1')).toBe(git('diff', 'HEAD'));
		git('reset', '-q', '--hard');
		writeFileSync(join(directory, 'saved.diff'), diff as Buffer);
		git('apply', 'saved.diff');
		expect(readFileSync(join(directory, 'a.txt'), 'utf8')).toBe('one\ntwo and a half\n');
		expect(existsSync(join(directory, 'gone.txt'))).toBe(false);
		expect(readFileSync(join(directory, 'größe name.txt'), 'utf8')).toBe('no line feed');
		expect(readFileSync(join(directory, 'staged.txt'), 'utf8')).toBe('new\n');
		expect(told).toEqual([]);
	});

	test('is empty when nothing differs', async () => {
		commit({'a.txt': 'one\n'});
		expect(await read()).toEqual(Buffer.alloc(0));
		expect(told).toEqual([]);
	});

	test('is of the whole checkout, also from a directory below its top', async () => {
		commit({'a.txt': 'one\n'});
		writeFileSync(join(directory, 'a.txt'), 'two\n');
		mkdirSync(join(directory, 'below'));
		git('config', 'diff.relative', 'true');
		expect((await read({directory: join(directory, 'below')}))?.toString()).toContain('+two');
	});

	test('is a plain patch, whatever the user has set for his own eyes', async () => {
		commit({'a.txt': 'one\n', '.gitattributes': '*.txt diff=shout\n'});
		writeFileSync(join(directory, 'a.txt'), 'two\n');
		const plain = git('diff', '--no-textconv', '--no-ext-diff', 'HEAD');
		for (const setting of [
			'color.ui=always',
			'diff.noprefix=true',
			'diff.mnemonicPrefix=true',
			'diff.external=false',
			'diff.shout.textconv=tr a-z A-Z <',
		])
			git('config', ...setting.split(/=(.*)/).slice(0, 2));
		expect((await read())?.toString()).toBe(plain);
		expect(plain).toContain('--- a/a.txt');
	});

	test('keeps every byte of files that are no UTF-8', async () => {
		commit({'latin1.txt': Buffer.from('Gr\xfc\xdfe\n', 'latin1'), 'utf8.txt': 'Grüße\n', 'a.bin': Buffer.from([0, 1, 2])});
		writeFileSync(join(directory, 'latin1.txt'), Buffer.from('Gr\xfc\xdfe, secret-word\n', 'latin1'));
		writeFileSync(join(directory, 'utf8.txt'), 'Grüße, schönes-geheimnis\n');
		writeFileSync(join(directory, 'a.bin'), Buffer.from([0, 0xff, 0xfe]));
		const expected = git('diff', 'HEAD');
		expect((await read())?.toString('latin1')).toBe(expected);
		const mask = createMask({A: 'secret-word', B: 'schönes-geheimnis'});
		expect((await read({mask}))?.toString('latin1')).toBe(
			expected.replace('secret-word', '${A}').replace(Buffer.from('schönes-geheimnis').toString('latin1'), '${B}'),
		);
		expect(told).toEqual([]);
	});

	test('is cut at the end of a line when it is too large, and says so in it and to the user', async () => {
		commit({'a.txt': ''});
		writeFileSync(join(directory, 'a.txt'), Array.from({length: 1000}, (_, i) => `line ${i} ÄÖÜ\n`).join(''));
		const whole = git('diff', 'HEAD');
		for (const maxBytes of [whole.length - 1, 1000, 1001, 1002, 1003]) {
			const diff = (await read({maxBytes}))?.toString('latin1') ?? '';
			const note = `# queue-map-reduce has cut this diff after ${maxBytes} bytes: git apply can't use it.\n`;
			expect(diff.endsWith(`\n${note}`)).toBe(true);
			const kept = diff.slice(0, -note.length);
			expect(whole.startsWith(kept)).toBe(true);
			expect(maxBytes - kept.length).toBeLessThan(20);
			expect(told.pop()).toContain(`git.diff is cut after ${maxBytes} bytes`);
		}
		expect((await read({maxBytes: whole.length}))?.toString('latin1')).toBe(whole);
		expect(told).toEqual([]);
	});
});

describe('there is no diff, and one line says why,', () => {
	test('outside a checkout', async () => {
		expect(await read()).toBeUndefined();
		expect(told).toEqual([expect.stringMatching(/^queue-map-reduce: there is no git\.diff, for git says: .*not a git repository/i)]);
	});

	test('before the first commit', async () => {
		git('init', '-q');
		expect(await read()).toBeUndefined();
		expect(told).toEqual([
			expect.stringMatching(/^queue-map-reduce: there is no git\.diff, for git says: fatal: ambiguous argument 'HEAD'/),
		]);
	});

	test('without git', async () => {
		onlyProgram(undefined);
		expect(await read()).toBeUndefined();
		expect(told).toEqual(["queue-map-reduce: there is no git.diff, for git can't be run (ENOENT)"]);
	});

	test('when git takes too long', async () => {
		onlyProgram(': >began; exec /bin/sleep 1000');
		expect(await read({timeoutMs: 200})).toBeUndefined();
		expect(told).toEqual(['queue-map-reduce: there is no git.diff, for git took longer than 0.2 s']);
	});

	test('when git is killed', async () => {
		onlyProgram('kill -9 $$');
		expect(await read()).toBeUndefined();
		expect(told).toEqual(["queue-map-reduce: there is no git.diff, for git can't be run (SIGKILL)"]);
	});

	test('in English, with nothing of the environment in it', async () => {
		onlyProgram('echo "fatal: no access with secret-word, in $LC_ALL" >&2; exit 128');
		expect(await read({mask: createMask({PASSWORD: 'secret-word'})})).toBeUndefined();
		expect(told).toEqual(['queue-map-reduce: there is no git.diff, for git says: fatal: no access with ${PASSWORD}, in C']);
	});
});

test('git is ended when the map is, and nothing is said', async () => {
	onlyProgram(`echo $$ >pid; exec /bin/sleep 1000`);
	const controller = new AbortController();
	const reading = read({signal: controller.signal});
	await vi.waitFor(() => expect(readFileSync(join(directory, 'pid'), 'utf8')).toMatch(/\n/), 90_000);
	controller.abort();
	expect(await reading).toBeUndefined();
	expect(told).toEqual([]);
	expect(() => process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')), 0)).toThrow('ESRCH');
});

describe('a map with `gitDiff`', () => {
	const map = async (
		options: object,
	): Promise<{readonly workDir: string; readonly manifest: {readonly gitDiffBytes?: number; readonly gitCommit?: string}}> => {
		vi.spyOn(process, 'cwd').mockReturnValue(directory);
		vi.stubEnv('SOME_TOKEN', 'not-to-be-written');
		onTestFinished(() => {
			vi.restoreAllMocks();
			vi.unstubAllEnvs();
		});
		const pool = new Pool({
			engine: 'local',
			slots: 1,
			pollingIntervalMs: 100,
			keepWorkDir: true,
			workRoot: join(directory, 'work'),
			...options,
		});
		expect(await pool.map(Math.sqrt, [4])).toEqual([2]);
		const [workDir = ''] = keptWorkDirs(join(directory, 'work'));
		return {workDir, manifest: JSON.parse(readFileSync(join(workDir, 'run.json'), 'utf8'))};
	};

	test('C7: keeps it in git.diff, for its owner’s eyes, without values of the environment, and its size in run.json', async () => {
		commit({'a.txt': 'one\n'});
		writeFileSync(join(directory, 'a.txt'), 'password = "not-to-be-written"\n');
		const {workDir, manifest} = await map({gitDiff: true});
		const path = join(workDir, 'git.diff');
		expect(readFileSync(path, 'utf8')).toBe(git('diff', 'HEAD', '--', 'a.txt').replace('not-to-be-written', '${SOME_TOKEN}'));
		expect(readFileSync(path, 'utf8')).toContain('+password = "${SOME_TOKEN}"');
		expect(statSync(path).mode & 0o777).toBe(0o600);
		expect(manifest.gitDiffBytes).toBe(statSync(path).size);
		expect(manifest.gitCommit).toBe(git('rev-parse', 'HEAD').trim());
	});

	test('outside a checkout goes on without it', async () => {
		const {workDir, manifest} = await map({gitDiff: true});
		expect(existsSync(join(workDir, 'git.diff'))).toBe(false);
		expect(manifest).not.toHaveProperty('gitDiffBytes');
	});

	test('that is false, or not given, asks git nothing', async () => {
		commit({'a.txt': 'one\n'});
		writeFileSync(join(directory, 'a.txt'), 'two\n');
		const {workDir, manifest} = await map({});
		expect(existsSync(join(workDir, 'git.diff'))).toBe(false);
		expect(manifest).not.toHaveProperty('gitDiffBytes');
	});
});
