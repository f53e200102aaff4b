import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {BlockFileError} from '../../src/v8-serialize-helpers.js';
import {readLate} from '../../src/worker/late-files.js';
import {createTestDirectory} from '../helpers/engines.js';

const makeDirectory = (): string => {
	const directory = createTestDirectory();
	onTestFinished(directory.remove);
	return directory.path;
};

test('a file that is missing, then cut off, then there, is read', async () => {
	const directory = makeDirectory();
	const path = join(directory, 'run.json');
	const seen: string[] = [];
	const value = await readLate(directory, path, () => {
		try {
			return JSON.parse(readFileSync(path, 'utf8')) as unknown;
		} catch (error) {
			seen.push((error as Error).name);
			writeFileSync(path, seen.length === 1 ? '{"a":' : '{"a": 1}');
			throw error;
		}
	});
	expect(value).toEqual({a: 1});
	expect(seen).toEqual(['Error', 'SyntaxError']);
});

test.each([
	['another format', new BlockFileError('format', 'of a later version')],
	['a fault of the program', new TypeError('x is not a function')],
])('%s is told at once: no waiting mends it', async (_, error) => {
	let numReads = 0;
	const read = (): never => {
		numReads++;
		throw error;
	};
	await expect(readLate(makeDirectory(), 'x', read)).rejects.toBe(error);
	expect(numReads).toBe(1);
});
