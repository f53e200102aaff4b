import {mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test, vi} from 'vitest';
import {UsageError} from '../../src/cli/command-error.js';
import {findWorkDir, listWorkDirs} from '../../src/cli/find-work-dir.js';

const makeRoot = (...names: readonly string[]) => {
	const root = mkdtempSync(join(tmpdir(), 'qmr-root-'));
	onTestFinished(() => rmSync(root, {recursive: true, force: true}));
	const add = (name: string, atMs?: number): void => {
		mkdirSync(join(root, name));
		writeFileSync(join(root, name, 'run.json'), '{}');
		if (atMs !== undefined) utimesSync(join(root, name, 'run.json'), atMs / 1000, atMs / 1000);
	};
	for (const name of names) add(name);
	return {root, add};
};

const refusal = (argument: string | undefined, root: string): string => {
	try {
		return `found ${findWorkDir(argument, root)}`;
	} catch (error) {
		expect(error).toBeInstanceOf(UsageError);
		return (error as Error).message;
	}
};

const FIRST = '2026-11-21T00-20-07_a10cda';
const SECOND = '2026-11-21T00-20-08_000000';

test('a work_dir is found by its path, its session, or the beginning of that', () => {
	const {root} = makeRoot(FIRST, SECOND);
	expect(findWorkDir(join(root, FIRST), '/nonexistent')).toBe(join(root, FIRST));
	expect(findWorkDir(FIRST, root)).toBe(join(root, FIRST));
	expect(findWorkDir('2026-11-21T00-20-07', root)).toBe(join(root, FIRST));
});

test('without an argument the newest is meant, also among those that have a name of their own', () => {
	const {root, add} = makeRoot(FIRST);
	expect(findWorkDir(undefined, root)).toBe(join(root, FIRST));
	add('aaa', Date.UTC(2026, 10, 22));
	add('zzz', Date.UTC(2026, 10, 20));
	expect(listWorkDirs(root)).toEqual(['zzz', FIRST, 'aaa']);
	expect(findWorkDir(undefined, root)).toBe(join(root, 'aaa'));
});

test('of two names that begin alike the one that is typed whole is meant, and else more has to be typed', () => {
	const {root} = makeRoot('run', 'run-2', 'run-3');
	expect(findWorkDir('run', root)).toBe(join(root, 'run'));
	expect(refusal('run-', root)).toBe(`"run-" is the beginning of 2 sessions in ${root}: run-2, run-3. Type more of it, or one of these.`);
});

test('what is no work_dir is none: files, hidden directories, directories without run.json', () => {
	const {root} = makeRoot('.hidden', FIRST);
	writeFileSync(join(root, 'file'), '');
	mkdirSync(join(root, 'empty'));
	expect(listWorkDirs(root)).toEqual([FIRST]);
	expect(refusal(join(root, 'empty'), root)).toMatch(/got ".*empty", which has no run\.json\.$/);
	expect(refusal(join(root, 'file'), root)).toMatch(/which is a file\. Name the directory of the map\.$/);
	expect(refusal('2027', root)).toMatch(
		/got "2027", which is neither a directory nor the beginning of a session in .* A work_dir is removed when/,
	);
});

test('nothing there, an empty word, and a root that is a file are told apart', () => {
	const {root} = makeRoot();
	expect(refusal(undefined, root)).toBe(`Expected a work_dir, and there is none in ${root}. Name one, or its parent by --root.`);
	expect(refusal(undefined, join(root, 'nowhere'))).toMatch(/there is none in .*nowhere/);
	expect(refusal('', root)).toMatch(/got an empty text/);
	writeFileSync(join(root, 'file'), '');
	expect(refusal(undefined, join(root, 'file'))).toMatch(/got .*file, which is a file\.$/);
});

test('one that may not be looked into is named with its reason, whatever is elsewhere', () => {
	const {root} = makeRoot(FIRST);
	mkdirSync(join(root, 'barred'));
	// Root may look into every directory, but not through a link that leads to itself.
	symlinkSync('run.json', join(root, 'barred', 'run.json'));
	expect(refusal(join(root, 'barred'), root)).toMatch(
		/^Expected a work_dir that you may read, got ".*barred": ELOOP.*\. Ask whoever has made it\.$/,
	);
});

/** As `run.json` says, whatever the directory is called. */
const nameMap = (directory: string, session: string): void => writeFileSync(join(directory, 'run.json'), JSON.stringify({session}));

test('a work_dir with a name of its own is found by its session, too', () => {
	const {root} = makeRoot(FIRST, 'pilot', 'other');
	nameMap(join(root, 'pilot'), SECOND);
	expect(findWorkDir('pilot', root)).toBe(join(root, 'pilot'));
	expect(findWorkDir(SECOND, root)).toBe(join(root, 'pilot'));
	expect(findWorkDir('2026-11-21T00-20-08', root)).toBe(join(root, 'pilot'));
	expect(refusal('2026-11-21', root)).toMatch(/ is the beginning of 2 sessions in .*_a10cda, pilot\. Type more of it, or one of these\.$/);
	writeFileSync(join(root, 'other', 'run.json'), 'null');
	expect(findWorkDir(SECOND, root)).toBe(join(root, 'pilot'));
});

test('so is one in the current directory, unless another directory was named', () => {
	const {root: cwd} = makeRoot('pilot', 'empty');
	nameMap(join(cwd, 'pilot'), SECOND);
	vi.spyOn(process, 'cwd').mockReturnValue(cwd);
	onTestFinished(() => void vi.restoreAllMocks());
	expect(findWorkDir(SECOND)).toBe(join(cwd, 'pilot'));
	expect(findWorkDir('2026-11-21T00')).toBe(join(cwd, 'pilot'));
	const {root} = makeRoot(FIRST);
	expect(refusal(SECOND, root)).toMatch(new RegExp(`neither a directory nor the beginning of a session in ${root}\\.`));
	// Its name alone is a path, as it is for any program.
	expect(refusal('pil', join(cwd, '.qmr'))).toMatch(/neither a directory nor/);
});

test('when a session may mean one in the work root and one beside it, nothing is guessed', () => {
	const {root: cwd} = makeRoot('pilot');
	nameMap(join(cwd, 'pilot'), SECOND);
	mkdirSync(join(cwd, '.qmr', FIRST), {recursive: true});
	nameMap(join(cwd, '.qmr', FIRST), FIRST);
	vi.spyOn(process, 'cwd').mockReturnValue(cwd);
	onTestFinished(() => void vi.restoreAllMocks());
	expect(() => findWorkDir('2026-11-21')).toThrow(
		`"2026-11-21" is the beginning of 2 sessions in ${cwd}/.qmr or ${cwd}: ${FIRST}, ./pilot. Type more of it, or one of these.`,
	);
	expect(() => findWorkDir('2027')).toThrow(`in ${cwd}/.qmr or ${cwd}.`);
});
