import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {realFiles} from '../../src/ports.js';
import {readTail, readTails, type TailRange} from '../../src/read/stderr-tail.js';

/** The tail of a file with this text. */
const tailOf = async (text: string, range?: TailRange): Promise<string> => {
	const directory = mkdtempSync(join(tmpdir(), 'qmr-tail-'));
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
	const path = join(directory, '000000013.1.e');
	writeFileSync(path, text);
	return range === undefined ? readTail(realFiles, {path, from: 0}) : ((await readTails(realFiles, path, [range]))[0] as string);
};

const lines = (from: number, to: number): string => Array.from({length: to - from + 1}, (_, i) => `line ${from + i}\n`).join('');

test.each<[what: string, text: string, tail: string]>([
	['nothing', '', ''],
	['newlines', '\n\n\n', ''],
	['one line', 'warning: x\n', 'warning: x'],
	['a line without an end', 'Killed', 'Killed'],
	['blank lines between', 'a\n\nb\n', 'a\n\nb'],
	['ten lines', lines(1, 10), lines(1, 10).trimEnd()],
	['more than ten lines', lines(1, 100_000), lines(99_991, 100_000).trimEnd()],
	['a line that is too long', 'x'.repeat(5000), 'x'.repeat(2048)],
])('%s', async (_, text, tail) => {
	expect(await tailOf(text)).toBe(tail);
});

test.each<[range: readonly [number, number], tail: string]>([
	[[0, 3], 'abc'],
	[[3, 6], 'def'],
	[[2, 4], 'cd'],
	[[3, 3], ''],
	[[0, 0], ''],
	// What was announced and is not there yet.
	[[3, 100], 'def'],
	[[100, 200], ''],
])('only the bytes of the task are read: %j', async (range, tail) => {
	expect(await tailOf('abcdef', range)).toBe(tail);
});

test('a file that is not there, or can’t be read, has no tail', async () => {
	expect(await readTail(realFiles, {path: '/nonexistent/000000013.1.e', from: 0})).toBe('');
	expect(await readTail(realFiles, {path: '/', from: 0})).toBe('');
});
