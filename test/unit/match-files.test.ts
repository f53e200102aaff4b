import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {PoolError} from '../../src/errors.js';
import {matchFiles, parsePattern} from '../../src/later/match-files.js';

let directory: string;
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), 'qmr-match-'));
	mkdirSync(join(directory, 'out', 'deep'), {recursive: true});
	for (const name of ['a.csv', 'b.csv', 'b.csv~', '.hidden.csv', 'ä(1)[x].csv', 'out/a.csv', 'out/deep/a.csv'])
		writeFileSync(join(directory, name), '');
	mkdirSync(join(directory, 'dir.csv'));
	symlinkSync('nowhere', join(directory, 'dangling.csv'));
	symlinkSync('a.csv', join(directory, 'link.csv'));
});
afterAll(() => rmSync(directory, {recursive: true}));

describe('a pattern', () => {
	test.each([
		['a.csv', ['a.csv']],
		['?.csv', ['a.csv', 'b.csv']],
		['*.csv', ['a.csv', 'b.csv', 'link.csv', 'ä(1)[x].csv']],
		['.*.csv', ['.hidden.csv']],
		['./a.csv', ['a.csv']],
		['ä(1)[x].csv', ['ä(1)[x].csv']],
		['a?csv', ['a.csv']],
		['A.csv', []],
		['*/a.csv', ['out/a.csv']],
		['out/*/*', ['out/deep/a.csv']],
		['o*t/d??p/a.csv', ['out/deep/a.csv']],
		['nothing/*', []],
	])('%s matches the files %j, and no directory, nor a link to nowhere', async (pattern, expected) => {
		expect(await matchFiles(directory, parsePattern(pattern))).toEqual(expected);
	});

	test.each(['', '/', '..', '../a', 'a/../b', '/etc/passwd', 'a//b', '**', '**/a', 'a\0b'])('%j is refused', pattern => {
		expect(() => parsePattern(pattern)).toThrow(PoolError);
	});

	test('of a directory that is not there matches nothing', async () => {
		expect(await matchFiles(join(directory, 'nothing'), parsePattern('*'))).toEqual([]);
	});
});
