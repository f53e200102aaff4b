import fc from 'fast-check';
import {expect, test} from 'vitest';
import {toJsonValue} from '../../src/cli/look/json-value.js';

const through = (value: unknown): unknown => JSON.parse(JSON.stringify(toJsonValue(value)));

test('what JSON can hold is the same afterwards', () => {
	const anyJson = fc.jsonValue().map(value => JSON.parse(JSON.stringify(value)) as unknown);
	const isUnmarked = (value: unknown): boolean => !JSON.stringify(value).includes('"$');
	fc.assert(fc.property(anyJson.filter(isUnmarked), value => void expect(through(value)).toEqual(value)));
});

const holed: unknown[] = [1];
holed[2] = 3;

test.each<[string, unknown, unknown]>([
	['undefined', undefined, {$undefined: true}],
	['a hole', holed, [1, {$undefined: true}, 3]],
	['NaN', Number.NaN, {$number: 'NaN'}],
	['infinity', -Infinity, {$number: '-Infinity'}],
	['minus zero', -0, {$number: '-0'}],
	['a BigInt', 12n, {$bigint: '12'}],
	['a Date', new Date(0), {$date: '1970-01-01T00:00:00.000Z'}],
	['an invalid Date', new Date(Number.NaN), {$date: null}],
	['a Map', new Map<unknown, unknown>([[{a: 1}, undefined]]), {$map: [[{a: 1}, {$undefined: true}]]}],
	['a Set', new Set([1, 'a']), {$set: [1, 'a']}],
	['a typed array', new Float64Array([1.5, Number.NaN]), {$Float64Array: [1.5, {$number: 'NaN'}]}],
	['a typed array of BigInts', new BigInt64Array([1n]), {$BigInt64Array: [{$bigint: '1'}]}],
	['a Buffer', Buffer.from('abc'), {$bytes: 'YWJj'}],
	['an ArrayBuffer', new Uint8Array([97]).buffer, {$bytes: 'YQ=='}],
	['a DataView', new DataView(new Uint8Array([0, 97]).buffer, 1), {$bytes: 'YQ=='}],
	['a RegExp', /a"b/g, {$regexp: '/a"b/g'}],
	['a boxed number', Object(7), 7],
	['an object that could be taken for a marked one', {$bigint: '12'}, {$object: {$bigint: '12'}}],
	['an object with more keys', {$a: 1, b: 2}, {$a: 1, b: 2}],
	['a key called __proto__', JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}')],
])('%s has a form of its own', (_, value, expected) => {
	expect(through({value})).toEqual({value: expected});
});

test('an Error keeps its name, message, stack and cause', () => {
	const error = new RangeError('boom', {cause: 1n});
	expect(through(error)).toEqual({$error: {name: 'RangeError', message: 'boom', stack: error.stack, cause: {$bigint: '1'}}});
});

test('an object inside itself is named by its place, and one that is there twice is told twice', () => {
	const shared = {n: 1};
	const value: Record<string, unknown> = {a: {shared}, b: shared};
	value.self = value;
	(value.a as Record<string, unknown>).up = value.a;
	expect(through(value)).toEqual({
		a: {shared: {n: 1}, up: {$circular: 'a'}},
		b: {n: 1},
		self: {$circular: '(the value itself)'},
	});
});
