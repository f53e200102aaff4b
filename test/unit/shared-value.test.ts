import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {PoolError} from '../../src/errors.js';
import {decodeShared, encodeShared} from '../../src/shared-value.js';
import {BlockFileError} from '../../src/v8-serialize-helpers.js';

const SESSION = '2026-11-21T00-20-07_a10cda';
const WRITER = {session: SESSION, node: process.version, host: 'login1', pid: 1, writtenAt: '2026-11-21T00:20:07.000Z'};

const encode = (value: unknown): Buffer => Buffer.concat(encodeShared(value, WRITER));

const reasonOf = (bytes: Buffer, session = SESSION): string => {
	try {
		decodeShared(bytes, session);
	} catch (error) {
		expect(error).toBeInstanceOf(BlockFileError);
		return (error as BlockFileError).reason;
	}
	return 'none';
};

test('whatever v8 can serialise comes back', () => {
	const model = {weights: new Float64Array([0.5, -0]), table: new Map([['a', {x: 1n}]]), made: new Date(5), again: [] as unknown[]};
	model.again.push(model);
	for (const value of [null, 0, '', true, [undefined, 1], 'text', Buffer.from('bytes'), model])
		expect(decodeShared(encode(value), SESSION)).toEqual(value);
	fc.assert(
		fc.property(fc.anything({withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true}), value => {
			expect(decodeShared(encode(value), SESSION)).toEqual(value);
		}),
	);
});

describe('a file that is not what was written is found', () => {
	const whole = encode({table: new Map([['a', 1]]), text: 'x'.repeat(50)});

	test('wherever it is cut off', () => {
		for (let length = 0; length < whole.length; length++)
			expect([length, reasonOf(whole.subarray(0, length))]).toEqual([length, 'truncated']);
	});

	test('whichever bit of its frames is another one', () => {
		for (let bit = 0; bit < 8 * whole.length; bit++) {
			const bytes = Buffer.from(whole);
			bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
			// Of the index nothing is needed.
			if (reasonOf(bytes) === 'none') expect(decodeShared(bytes, SESSION)).toEqual(decodeShared(whole, SESSION));
		}
	});

	test('when it is of another map, or no such file', () => {
		expect(() => decodeShared(whole, 'another')).toThrow(`The file holds shared of ${SESSION}, not what the tasks of another share.`);
		expect(reasonOf(Buffer.alloc(whole.length))).toBe('truncated');
	});
});

test.each<[what: string, value: unknown, path: string]>([
	['a function', () => 1, 'the value itself is a function'],
	['a symbol deep inside', {a: [1, {b: Symbol('x')}]}, '.a[1].b is a symbol'],
])('%s is refused, with where it is', (_, value, path) => {
	const refused = (): unknown => encodeShared(value, WRITER);
	expect(refused).toThrow(PoolError);
	expect(refused).toThrow(`Expected \`shared\` to be a value that can be written to a file for the workers, got one that can't: ${path}`);
});
