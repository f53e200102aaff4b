import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {leavesCoreFiles} from '../../src/core-files.js';

/** As Linux writes them. */
const limitsWith = (soft: string, hard: string): string => {
	const directory = mkdtempSync(join(tmpdir(), 'qmr-core-'));
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
	const path = join(directory, 'limits');
	const line = (...cells: readonly string[]): string => `${cells.map((cell, i) => cell.padEnd([25, 20, 20, 10][i] ?? 0)).join(' ')}\n`;
	writeFileSync(
		path,
		[
			line('Limit', 'Soft Limit', 'Hard Limit', 'Units'),
			line('Max stack size', '8388608', 'unlimited', 'bytes'),
			line('Max core file size', soft, hard, 'bytes'),
			line('Max locked memory', '0', '0', 'bytes'),
		].join(''),
	);
	return path;
};

test.each([
	['0', 'unlimited', false],
	['0', '0', false],
	['512', 'unlimited', true],
	['unlimited', 'unlimited', true],
])('a limit of %s, which may become %s: %s', (soft, hard, expected) => {
	expect(leavesCoreFiles(limitsWith(soft, hard))).toBe(expected);
});

test('where nobody tells the limit, nothing is forbidden', () => {
	expect(leavesCoreFiles('/nonexistent')).toBe(true);
});
