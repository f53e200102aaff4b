import {createSecretKey} from 'node:crypto';
import {deserialize, serialize} from 'node:v8';
import {createContext, runInContext} from 'node:vm';
import {describe, expect, test} from 'vitest';
import {deserialiseValue, serialiseValue} from '../../src/block-file/v8-values.js';
import {UnserialisableError} from '../../src/unserialisable.js';

const refusal = (value: unknown): UnserialisableError => {
	try {
		serialiseValue(value);
	} catch (error) {
		expect(error).toBeInstanceOf(UnserialisableError);
		return error as UnserialisableError;
	}
	throw new Error('Expected a refusal, got bytes.');
};

const nested = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
	let value: unknown = 0;
	for (let i = 0; i < depth; i++) value = wrap(value);
	return value;
};

class Secret {
	#value = 1;
	get value(): number {
		return this.#value;
	}
}

const namespace: unknown = await import(String('data:text/javascript,export const a = [1]'));
const Wasm = Reflect.get(globalThis, 'WebAssembly') as {Module: new (code: Buffer) => object};
const argumentsOf = function (this: unknown, ..._: number[]): unknown {
	// biome-ignore lint/complexity/noArguments: it is what is tested
	return arguments;
};

const selfCaused = new Error('a');
selfCaused.cause = {inner: [selfCaused]};

describe('Q4: the path of what can not be written', () => {
	const bad = (): void => {};

	test.each<[string, unknown]>([
		['', bad],
		['.opts.onDone', {opts: {onDone: bad}}],
		['[3]', [1, 2, undefined, bad]],
		['["odd key"]["7"]', {'odd key': {7: bad}}],
		['.straße', {straße: bad}],
		['.list[1].f', {list: [{f: 1}, {f: bad}]}],
		['.more', Object.assign([1], {more: bad})],
		['.get("k")', new Map([['k', bad]])],
		[
			'.values()[1]',
			new Map<unknown, unknown>([
				[1, 1],
				[2, bad],
			]),
		],
		['.keys()[0].f', new Map([[{f: bad}, 1]])],
		['.values()[1]', new Set([1, bad])],
		['.cause.f', new Error('x', {cause: {f: bad}})],
		[
			'.inner.f',
			new (class Point {
				inner = {f: bad};
			})(),
		],
		['[1000000]', Object.assign([], {1000000: bad})],
		['[4000000000]', Object.assign([], {4000000000: bad})],
	])('%s', (path, value) => {
		expect(refusal(value).path).toBe(path);
		expect(refusal(value).message).toMatch(`${path || 'the value itself'} is a function`);
	});

	test('a cycle on the way does no harm', () => {
		const cycle: Record<string, unknown> = {};
		cycle.self = cycle;
		cycle.map = new Map([['back', cycle]]);
		cycle.set = new Set([cycle]);
		expect(deserialize(serialiseValue(cycle))).toStrictEqual(cycle);
		cycle.bad = bad;
		expect(refusal(cycle).path).toBe('.bad');
	});

	test('an object that is used in very many places is looked at once', () => {
		let value: unknown = [1];
		for (let i = 0; i < 200; i++) value = [value, value];
		expect(deserialize(serialiseValue(value))).toHaveLength(2);
	});

	test('a long path is shortened in its middle', () => {
		const {path} = refusal(nested(900, inner => ({inner: inner === 0 ? bad : inner})));
		expect(path.length).toBeLessThan(260);
		expect(path).toContain(' … ');
	});
});

describe('what is refused, and what to do instead', () => {
	test.each<[string, unknown]>([
		['is a symbol', Symbol('s')],
		['is a Promise: await it first', Promise.resolve(1)],
		['is a WeakMap: ', new WeakMap()],
		['is a WeakRef: pass its deref', new WeakRef({})],
		['is a Generator: pass its items as an array', (function* () {})()],
		['is a .*(Iterator|Object).*: pass its items as an array', [1].values()],
		['is an `arguments` object', argumentsOf(1)],
		['is the namespace of a module', namespace],
		['is a Proxy', new Proxy({a: 1}, {})],
		[
			'is a Proxy',
			new Proxy([], {
				getPrototypeOf() {
					throw new Error('trap');
				},
			}),
		],
		['is a Proxy', Proxy.revocable([], {}).proxy],
		['is a SharedArrayBuffer: pass a copy of its bytes', new SharedArrayBuffer(8)],
		['is a Intl.NumberFormat', new Intl.NumberFormat()],
		['is a URL, which would arrive as \\{\\}: pass its href', new URL('http://localhost')],
		['is a URLSearchParams, which would arrive as \\{\\}', new URLSearchParams('a=1')],
		['is a Headers, which would arrive as \\{\\}', new Headers()],
		['is a Blob.*: pass its bytes', new Blob(['a'])],
		['is a .*: pass the exported key', createSecretKey(Buffer.alloc(16))],
		['is a WebAssembly.Module: pass what is needed', new Wasm.Module(Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]))],
		['is a Secret, which would arrive as \\{\\}', new Secret()],
		['is nested more than 1000 levels', nested(1001, inner => [inner])],
		['is nested more than 1000 levels', nested(5000, inner => ({inner}))],
		['is nested more than 1000 levels', nested(1200, inner => new Map([[1, inner]]))],
	])('%s', (problem, value) => {
		expect(refusal(value).message).toMatch(new RegExp(`^(the value itself|.* … .*) ${problem}`));
		expect(refusal({at: [value]}).path).toMatch(/^\.at\[0\]/);
	});

	test('an Error that would lose its message is refused', () => {
		expect(refusal(new DOMException('late', 'TimeoutError')).message).toMatch(/ is a DOMException, .*: pass its name and message$/);
		class Late extends Error {
			override get message(): string {
				return 'late';
			}
		}
		expect(refusal([new Late()]).message).toMatch(/^\[0\] is a Late, whose message would be lost: /);
	});

	test('a getter that throws is named, with what it threw', () => {
		const value = {
			list: [
				{
					get size(): number {
						throw new TypeError('not yet');
					},
				},
			],
		};
		expect(refusal(value).message).toBe(".list[0].size can't be read, its getter throws: not yet");
		expect(
			refusal({
				get size(): number {
					throw null;
				},
			}).message,
		).toBe(".size can't be read, its getter throws: something was thrown");
	});

	test('what only v8 knows to refuse keeps the words of v8 and the error as cause', () => {
		const symbolObject: unknown = Object(Symbol('s'));
		expect(refusal({symbolObject}).path).toBe('.symbolObject');
		expect(refusal(symbolObject).cause).toBeInstanceOf(Error);
		const changing = {
			get later(): unknown {
				return this.calls++ % 2 === 0 ? [1] : () => 1;
			},
			calls: 0,
		};
		expect(refusal(changing).message).toMatch(/could not be cloned|is a function/);
	});

	test('an Error that can be reached from its own cause is refused where this Node can not read it back', () => {
		let isReadable = true;
		try {
			deserialize(serialize(selfCaused));
		} catch {
			isReadable = false;
		}
		if (isReadable) expect(deserialiseValue(serialiseValue(selfCaused))).toBeInstanceOf(Error);
		else
			expect(refusal([selfCaused])).toMatchObject({
				path: '[0].cause.inner[0]',
				message: expect.stringMatching(/reachable from its own cause/),
			});
	});
});

describe('what is let through', () => {
	class Point {
		x = 1;
		get length(): number {
			return this.x;
		}
	}

	test.each<[string, unknown, unknown]>([
		['a class instance arrives as its properties', new Point(), {x: 1}],
		['an empty class instance', new (class Empty {})(), {}],
		['an object without prototype', Object.assign(Object.create(null), {a: [1]}), {a: [1]}],
		['an array of undefined', new Array(300_000).fill(undefined), new Array(300_000).fill(undefined)],
		['as many levels as are allowed', nested(1000, inner => ({inner})), nested(1000, inner => ({inner}))],
		[
			'objects of another realm',
			runInContext('[{}, [{a: {}}], new Map([[1, {}]]), new Date(5)]', createContext()),
			[{}, [{a: {}}], new Map([[1, {}]]), new Date(5)],
		],
		[
			'boxed primitives, dates, expressions, buffers',
			[Object(1n), new Date(5), /a/g, new ArrayBuffer(3)],
			[Object(1n), new Date(5), /a/g, new ArrayBuffer(3)],
		],
	])('%s', (_name, value, arrived) => {
		expect(deserialiseValue(serialiseValue(value))).toStrictEqual(arrived);
	});

	test('an Error with a cause that can be read', () => {
		const error = deserialiseValue(serialiseValue({error: new RangeError('a', {cause: new Error('b', {cause: 'c'})})})) as {
			error: RangeError;
		};
		expect(error.error).toBeInstanceOf(RangeError);
		expect((error.error.cause as Error).cause).toBe('c');
	});
});
