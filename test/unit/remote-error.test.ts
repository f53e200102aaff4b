import {deserialize, serialize} from 'node:v8';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {fromRemoteError, toRemoteError} from '../../src/remote-error.js';

describe('anything that was thrown becomes plain data', () => {
	test.each<[string, unknown, {name: string; message: unknown}]>([
		['null', null, {name: 'null', message: 'null'}],
		['undefined', undefined, {name: 'undefined', message: 'undefined'}],
		['a string', 'boom', {name: 'string', message: 'boom'}],
		['a number', -0, {name: 'number', message: '-0'}],
		['a symbol', Symbol('s'), {name: 'symbol', message: 'Symbol(s)'}],
		['a function', function stop() {}, {name: 'function', message: '[Function: stop]'}],
		['a plain object', {code: 5}, {name: 'Object', message: '{ code: 5 }'}],
		['an object without prototype', Object.create(null), {name: 'object', message: expect.stringContaining('null prototype')}],
		['a Promise', Promise.resolve(1), {name: 'Promise', message: 'Promise { 1 }'}],
		['a DOMException', new DOMException('late', 'TimeoutError'), {name: 'TimeoutError', message: 'late'}],
	])('%s', (_name, thrown, expected) => {
		const remote = toRemoteError(thrown);
		expect(remote).toMatchObject(expected);
		expect(deserialize(serialize(remote))).toStrictEqual(remote);
	});

	test('a Proxy that throws whatever it is asked, and a revoked one', () => {
		const trap = (): never => {
			throw new Error('trap');
		};
		const hostile = new Proxy({}, {get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap});
		const {proxy, revoke} = Proxy.revocable({}, {});
		revoke();
		for (const thrown of [hostile, proxy]) expect(toRemoteError(thrown)).toMatchObject({name: 'object', message: expect.any(String)});
		expect(toRemoteError(new Error('x', {cause: hostile})).cause).toMatchObject({name: 'object'});
	});

	test('an Error whose getters throw', () => {
		const names = ['name', 'message', 'stack', 'code', 'cause', 'errors', 'further'];
		const error = new Error('x');
		// Else V8 makes it while it is redefined, and reads the name for that.
		expect(error.stack).toBeDefined();
		for (const name of names) {
			Object.defineProperty(error, name, {
				enumerable: true,
				get: () => {
					throw new Error(name);
				},
			});
		}
		expect(toRemoteError(error)).toMatchObject({name: 'Error', message: "an error whose message can't be read"});
	});

	test('whatever it is', () => {
		fc.assert(
			fc.property(
				fc.anything({withBigInt: true, withMap: true, withNullPrototype: true, withTypedArray: true}),
				fc.string(),
				(value, message) => {
					for (const thrown of [
						value,
						new Error(message, {cause: value}),
						Object.assign(new Error(message), {value, errors: [value], code: value}),
					]) {
						const remote = toRemoteError(thrown);
						expect(deserialize(serialize(remote))).toStrictEqual(remote);
						expect(fromRemoteError(remote)).toBeInstanceOf(Error);
					}
				},
			),
		);
	});

	test('a cause that is the error itself ends', () => {
		const first = new Error('first');
		const second = new Error('second', {cause: first});
		first.cause = second;
		expect(toRemoteError(first)).toMatchObject({
			message: 'first',
			cause: {message: 'second', cause: {message: expect.stringMatching(/its own cause/)}},
		});
	});

	test('a long chain of causes and a tree of errors are cut', () => {
		let chain = new Error('end');
		for (let i = 0; i < 100; i++) chain = new Error(`e${i}`, {cause: chain});
		let tree: Error = new Error('leaf');
		for (let i = 0; i < 9; i++) tree = new AggregateError(Array(9).fill(tree), `t${i}`);
		expect(serialize(toRemoteError(tree)).length).toBeLessThan(1e6);
		const text = JSON.stringify(toRemoteError(chain));
		expect(text).toContain('more than 10 causes');
		expect(text).not.toContain('"end"');
	});

	test('huge texts are cut in their middle', () => {
		const error = Object.assign(new Error(`<${'m'.repeat(1e6)}>`), {code: 'c'.repeat(1e6), path: 'p'.repeat(1e6)});
		expect(serialize(toRemoteError(error)).length).toBeLessThan(100_000);
		expect(toRemoteError(error).message).toMatch(/^<m+ \.\.\. \d+ characters left out \.\.\. m+>$/);
	});

	test('name, message, stack, code, causes and primitive properties are kept', () => {
		const error = Object.assign(
			new TypeError('outer', {cause: Object.assign(new Error('inner'), {code: 'ENOENT', errno: -2, path: '/x', big: {}})}),
			{
				code: 7,
			},
		);
		expect(toRemoteError(error)).toStrictEqual({
			name: 'TypeError',
			message: 'outer',
			stack: error.stack,
			code: 7,
			cause: {name: 'Error', message: 'inner', stack: (error.cause as Error).stack, code: 'ENOENT', properties: {errno: -2, path: '/x'}},
		});
	});

	test('a cause of undefined is a cause', () => {
		expect(toRemoteError(new Error('a', {cause: undefined})).cause).toEqual({name: 'undefined', message: 'undefined'});
	});
});

describe('plain data becomes an Error again', () => {
	test('with its name, class, message, stack, code, cause and properties', () => {
		const original = Object.assign(new RangeError('outer', {cause: new SyntaxError('inner')}), {code: 'E_X', errno: 5});
		const error = fromRemoteError(toRemoteError(original));
		expect(error).toBeInstanceOf(RangeError);
		expect(error).toMatchObject({name: 'RangeError', message: 'outer', stack: original.stack, code: 'E_X', errno: 5});
		expect(error.cause).toBeInstanceOf(SyntaxError);
		expect(toRemoteError(error)).toStrictEqual(toRemoteError(original));
	});

	test('an AggregateError has its errors', () => {
		const error = fromRemoteError(toRemoteError(new AggregateError([new TypeError('a'), 'b'], 'both'))) as AggregateError;
		expect(error).toBeInstanceOf(AggregateError);
		expect(error.errors.map(String)).toEqual(['TypeError: a', 'string: b']);
	});

	test('a class of the user keeps its name, and a missing stack is not that of here', () => {
		const error = fromRemoteError({name: 'SolverError', message: 'no solution', properties: JSON.parse('{"__proto__": 1}')});
		expect(String(error)).toBe('SolverError: no solution');
		expect(error.stack).toBe('SolverError: no solution');
		expect(error).toBeInstanceOf(Error);
	});
});
