import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {indexed} from '../../src/experiments/indexed.js';

describe('H2: an indexed file', () => {
	test.each([
		['inputA.npy', 3, 'inputA3.npy'],
		['output.npy', 0, 'output0.npy'],
		['output.npy', 99, 'output99.npy'],
		['data/inputA.npy', 3, 'data/inputA3.npy'],
		['/scratch/run.1/inputA.npy', 3, '/scratch/run.1/inputA3.npy'],
		['/scratch/run.1/output', 3, '/scratch/run.1/output3'],
		['../inputA.npy', 3, '../inputA3.npy'],
		['./a//b.txt', 3, './a//b3.txt'],
		['output', 12, 'output12'],
		['.hidden', 3, '.hidden3'],
		['data/.hidden', 3, 'data/.hidden3'],
		['.hidden.txt', 3, '.hidden3.txt'],
		['archive.tar.gz', 3, 'archive.tar3.gz'],
		['a name with blanks.csv', 3, 'a name with blanks3.csv'],
		['größe.csv', 3, 'größe3.csv'],
		['ends in a dot.', 3, 'ends in a dot3.'],
		['output.npy', 2 ** 53 - 1, 'output9007199254740991.npy'],
	])('%s of task %d is %s', (path, itask, expected) => {
		expect(indexed(path, itask)).toBe(expected);
	});

	test('is in the same directory, has the same extension, and is another for every index', () => {
		fc.assert(
			fc.property(fc.stringMatching(/^(?:[a-z.]{1,4}\/){0,2}[a-z][a-z.]{0,5}$/), fc.nat(), fc.nat(), (path, one, other) => {
				const name = indexed(path, one);
				expect(name.replace(/\d+/, '')).toBe(path);
				expect(name.slice(0, name.lastIndexOf('/') + 1)).toBe(path.slice(0, path.lastIndexOf('/') + 1));
				expect(indexed(path, other) === name).toBe(one === other);
			}),
		);
	});

	test.each([
		['', '""'],
		['/', '"/"'],
		['data/', '"data/"'],
		['.', '"."'],
		['data/..', '"data/.."'],
		[undefined, 'undefined'],
		[3, '3'],
	])('is refused for the path %j', (path, got) => {
		const make = (): unknown => indexed(path as string, 1);
		expect(make).toThrow(expect.objectContaining({code: 'ERR_POOL_OPTION'}));
		expect(make).toThrow(`Expected \`path\` to be the path of a file, got ${got}.`);
	});

	test.each([
		[-1, '-1'],
		[1.5, '1.5'],
		[Number.NaN, 'NaN'],
		['3', '"3"'],
		[undefined, 'undefined'],
	])('is refused for the index %j', (itask, got) => {
		const make = (): unknown => indexed('a.txt', itask as number);
		expect(make).toThrow(expect.objectContaining({code: 'ERR_POOL_OPTION'}));
		expect(make).toThrow(`Expected \`itask\` to be an integer from 0, got ${got}.`);
	});
});
