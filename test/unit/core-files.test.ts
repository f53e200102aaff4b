import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {leavesCoreFiles} from '../../src/core-files.js';

const limitsUnder = (limit: string): string => {
	const directory = mkdtempSync(join(tmpdir(), 'qmr-core-'));
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
	const path = join(directory, 'limits');
	const {stdout, stderr} = spawnSync('sh', ['-c', `ulimit -S -c ${limit} && cat /proc/self/limits`], {encoding: 'utf8'});
	expect(stderr).toBe('');
	writeFileSync(path, stdout);
	return path;
};

test.each([
	['0', false],
	['1', true],
	['"$(ulimit -H -c)"', true],
])('a limit of %s blocks: %s', (limit, expected) => {
	expect(leavesCoreFiles(limitsUnder(limit))).toBe(expected);
});

test('where nobody tells the limit, nothing is forbidden', () => {
	expect(leavesCoreFiles('/nonexistent')).toBe(true);
});
