import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {findGitCommit} from '../../src/git-commit.js';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = 'c'.repeat(40);

/** A directory with these files. */
const makeTree = (files: Readonly<Record<string, string>>): string => {
	const root = realpathSync(mkdtempSync(join(tmpdir(), 'qmr-git-')));
	onTestFinished(() => rmSync(root, {recursive: true, force: true}));
	for (const [path, text] of Object.entries(files)) {
		mkdirSync(join(root, path, '..'), {recursive: true});
		writeFileSync(join(root, path), text);
	}
	return root;
};

const BRANCH = {'.git/HEAD': 'ref: refs/heads/main\n', '.git/refs/heads/main': `${A}\n`};

test.each<[what: string, files: Record<string, string>, directory: string, commit: string | undefined]>([
	['of a branch', BRANCH, '', A],
	['from a directory far below', {...BRANCH, 'a/b/c/x': ''}, 'a/b/c', A],
	['from a directory that does not exist', BRANCH, 'a/b', A],
	['of no branch', {'.git/HEAD': `${B}\n`}, '', B],
	[
		'of a packed branch',
		{'.git/HEAD': 'ref: refs/heads/main\n', '.git/packed-refs': `# pack-refs\n${C} refs/heads/xmain\n${B} refs/heads/main\n^${C}\n`},
		'',
		B,
	],
	['of a branch that was packed before its last commit', {...BRANCH, '.git/packed-refs': `${B} refs/heads/main\n`}, '', A],
	['of a branch with slashes', {'.git/HEAD': 'ref: refs/heads/a/b\n', '.git/refs/heads/a/b': `${B}\n`}, '', B],
	[
		'of a submodule, not of what is around it',
		{...BRANCH, 'sub/.git': 'gitdir: ../.git/modules/sub\n', '.git/modules/sub/HEAD': `${B}\n`},
		'sub',
		B,
	],
	['of a checkout within another', {...BRANCH, 'inner/.git/HEAD': `${B}\n`}, 'inner', B],
	[
		'of nothing before the first commit, also within another checkout',
		{...BRANCH, 'inner/.git/HEAD': 'ref: refs/heads/main\n'},
		'inner',
		undefined,
	],
	['of nothing outside a checkout', {x: ''}, '', undefined],
	['from above when .git is no checkout', {...BRANCH, 'a/.git': 'something else', 'b/.git/config': ''}, 'a', A],
])('the commit %s', (_, files, directory, commit) => {
	expect(findGitCommit(join(makeTree(files), directory))).toBe(commit);
});

test('agrees with git, also in a further worktree and after packing', () => {
	const root = makeTree({x: 'x'});
	const git = (cwd: string, ...args: readonly string[]): string => execFileSync('git', args, {cwd, encoding: 'utf8', stdio: 'pipe'}).trim();
	git(root, 'init', '-q');
	git(root, 'add', '.');
	git(root, '-c', 'user.name=n', '-c', 'user.email=e', 'commit', '-qm', 'first');
	git(root, 'worktree', 'add', '-q', 'further');
	for (const directory of [root, join(root, 'further')]) expect(findGitCommit(directory)).toBe(git(directory, 'rev-parse', 'HEAD'));
	git(join(root, 'further'), '-c', 'user.name=n', '-c', 'user.email=e', 'commit', '-qm', 'second', '--allow-empty');
	for (const directory of [root, join(root, 'further')]) expect(findGitCommit(directory)).toBe(git(directory, 'rev-parse', 'HEAD'));
	git(root, 'pack-refs', '--all');
	for (const directory of [root, join(root, 'further')]) expect(findGitCommit(directory)).toBe(git(directory, 'rev-parse', 'HEAD'));
});
