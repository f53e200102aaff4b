import {Readable} from 'node:stream';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {toJson} from '../../src/cli/look/to-json.js';
import {type JsonLine, readJsonLines} from '../../src/cli/run/json-lines.js';
import {setMember} from '../../src/cli/run/splice-json.js';

const readAll = async (...chunks: readonly (string | Buffer)[]): Promise<JsonLine[]> => {
	const lines: JsonLine[] = [];
	for await (const line of readJsonLines(Readable.from(chunks.map(chunk => Buffer.from(chunk))))) lines.push(line);
	return lines;
};

describe('lines of JSON', () => {
	test('are the same, wherever the input is cut', async () => {
		const text = Buffer.from('{"a": "é"}\r\n\n[1]\nbroken\n"end"');
		const whole = await readAll(text);
		expect(whole.map(({kind, line}) => [line, kind])).toEqual([
			[1, 'value'],
			[2, 'faulty'],
			[3, 'value'],
			[4, 'faulty'],
			[5, 'value'],
		]);
		for (let at = 0; at <= text.length; at++) expect(await readAll(text.subarray(0, at), text.subarray(at))).toEqual(whole);
	});

	test('may end by CRLF or not at all, and begin with a byte order mark', async () => {
		expect(await readAll('\uFEFF{"cmd":"a"}\r\n{"cmd":"b"}')).toEqual([
			{kind: 'value', line: 1, text: '{"cmd":"a"}', value: {cmd: 'a'}},
			{kind: 'value', line: 2, text: '{"cmd":"b"}', value: {cmd: 'b'}},
		]);
	});

	test('keep the text of numbers that JavaScript can not hold', async () => {
		expect(await readAll('{"seed":12345678901234567890}\n')).toMatchObject([{text: '{"seed":12345678901234567890}'}]);
	});

	test('Y7: tell of a line that is none by its number, and lose no other', async () => {
		expect(await readAll('1\n\n{"cmd": \n', Buffer.from([0x22, 0xff, 0x22, 0x0a]), '"a\0b"\n', '2')).toEqual([
			{kind: 'value', line: 1, text: '1', value: 1},
			{kind: 'faulty', line: 2, text: '', problem: 'it is empty'},
			{kind: 'faulty', line: 3, text: '{"cmd":', problem: expect.stringContaining('it is no JSON: ')},
			{kind: 'faulty', line: 4, text: undefined, problem: 'it is not UTF-8'},
			{kind: 'faulty', line: 5, text: '"a\0b"', problem: expect.stringMatching(/^it is no JSON: [^\0]*$/)},
			{kind: 'value', line: 6, text: '2', value: 2},
		]);
	});

	test('may be long', async () => {
		const cmd = 'x'.repeat(10_000_000);
		const text = Buffer.from(JSON.stringify({cmd}));
		const pieces = Array.from({length: Math.ceil(text.length / 65_536)}, (_, i) => text.subarray(i * 65_536, (i + 1) * 65_536));
		expect(await readAll(...pieces)).toEqual([{kind: 'value', line: 1, text: text.toString(), value: {cmd}}]);
	});

	test('of nothing are none', async () => {
		expect([await readAll(), await readAll('')]).toEqual([[], []]);
	});
});

describe('a member set in the text of an object', () => {
	test('comes last, and changes no other character', () => {
		expect(setMember('{"b": 1.50, "a":[{"result":2},"}\\""] }', 'result', '{"code":0}')).toBe(
			'{"b": 1.50, "a":[{"result":2},"}\\""],"result":{"code":0}}',
		);
		expect(setMember('{}', 'result', '1')).toBe('{"result":1}');
	});

	test('takes the place of one that was there, however it is written', () => {
		expect(setMember('{"result":{"code":1,"x":"},{"},"cmd":"a"}', 'result', '2')).toBe('{"cmd":"a","result":2}');
		expect(setMember('{"r\\u0065sult":1}', 'result', '2')).toBe('{"result":2}');
		expect(setMember('{"result":1,"result":3,"a":12345678901234567890}', 'result', '2')).toBe('{"a":12345678901234567890,"result":2}');
	});

	test('gives the object that one expects, for any object', () => {
		fc.assert(
			fc.property(
				fc.dictionary(fc.string(), fc.jsonValue()),
				fc.jsonValue(),
				fc.constantFrom(undefined, 1, '\t'),
				(object, value, space) => {
					// Parsed, as the text of -0 is 0.
					const {result: _, ...others} = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
					const spliced = setMember(JSON.stringify({...object, result: 0}, null, space), 'result', JSON.stringify(value));
					expect(JSON.parse(spliced)).toEqual({...others, result: JSON.parse(JSON.stringify(value))});
					expect(Object.keys(JSON.parse(spliced) as object).sort()).toEqual([...Object.keys(others), 'result'].sort());
				},
			),
		);
	});
});

describe('a value as JSON', () => {
	test('is what JSON.stringify gives for what JSON has', () => {
		fc.assert(
			fc.property(fc.jsonValue(), value => {
				expect(toJson(value)).toEqual({kind: 'json', json: JSON.stringify(value)});
			}),
		);
	});

	test.each([
		[undefined, 'null'],
		[{a: undefined, b: 1}, '{"b":1}'],
		[new Date(0), '"1970-01-01T00:00:00.000Z"'],
		[new Float64Array([1, 0.5]), '[1,0.5]'],
		[{toJSON: () => ({a: 1})}, '{"a":1}'],
	])('%o is %s', (value, json) => {
		expect(toJson(value)).toEqual({kind: 'json', json});
	});

	const loop: {self?: unknown} = {};
	loop.self = loop;
	test.each([
		[Number.NaN, 'value is NaN, which JSON has not'],
		[{a: [1, Number.POSITIVE_INFINITY]}, 'value.a[1] is Infinity, which JSON has not'],
		[{big: 12n}, 'value.big is the BigInt 12, which JSON has not'],
		[new Map([[1, 2]]), 'value is a Map, which JSON has not'],
		[[new Set()], 'value[0] is a Set, which JSON has not'],
		[[undefined], 'value[0] is undefined, which JSON has not'],
		[new Array(2), 'value[0] is undefined, which JSON has not'],
		[new Float32Array([Number.NaN]), 'value[0] is NaN, which JSON has not'],
		[new BigInt64Array(1), 'value is a BigInt64Array, which JSON has not'],
		[new Date(Number.NaN), 'value is a Date without a value, which JSON has not'],
		[/x/, 'value is a RegExp, which JSON has not'],
		[loop, 'value.self is a value that holds itself, which JSON has not'],
	])('refuses what it would change: %o', (value, problem) => {
		expect(toJson(value)).toEqual({kind: 'refused', problem});
	});

	test('may hold one object twice', () => {
		const shared = {a: 1};
		expect(toJson([shared, shared])).toEqual({kind: 'json', json: '[{"a":1},{"a":1}]'});
	});
});
