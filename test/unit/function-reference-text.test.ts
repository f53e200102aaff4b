import {describe, expect, test} from 'vitest';
import {analyseSource} from '../../src/function-reference/self-contained.js';

// Made of text, since vitest changes the code of this file.
const made = (text: string): ((...args: unknown[]) => unknown) => new Function(`return ${text}`)();
const analyse = (text: string, surroundings: Partial<Parameters<typeof analyseSource>[1]> = {}) =>
	analyseSource(made(text), {namesInScope: new Set(), hasFile: true, isSloppy: false, ...surroundings});

describe('is self-contained:', () => {
	test.each([
		'x => x + 1',
		'async x => { await null; return x; }',
		'function (x) { return x; }',
		'function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }',
		'function* (x) { yield* x; }',
		'async function* (x) { for await (const y of x) yield y; }',
		'function () { return arguments.length + (new.target === undefined); }',
		'({a, b: {c = 1} = {}, ...rest}, [d, ...e]) => [a, c, rest, d, e]',
		'x => { for (let i = 0; i < 3; i += 1) x += i; return x; }',
		'x => { for (const k in x) return k; try { x(); } catch (error) { return error; } }',
		'x => { label: for (;;) break label; return {x, y: x.undefinedName, [x]: 1}; }',
		'x => { const inner = y => later(y); function later(y) { return y; } return inner(x); }',
		'x => { class A { static #count = 0; #own = 1; static { A.#count += 1; } get() { return this.#own; } } return new A().get() + x; }',
		'x => { class B extends Array { constructor() { super(); } last() { return super.at(-1); } } return new B(); }',
		'x => ({f() { return this; }, get g() { return this; }}).f()',
		'x => { function F() { this.x = x; return new.target; } return new F(); }',
		'x => [Math, JSON, Buffer, process, URL, fetch, structuredClone, undefined, NaN, globalThis, console, queueMicrotask]',
		'x => require("node:path").join(__dirname, __filename, x)',
		'async x => import("./other.js")',
		'x => `${x}` + /re(g)/u.exec(x)?.[1]',
		'x => typeof window === "undefined"',
		'x => { const setTimeout = y => y; return setTimeout(x); }',
		'x => __name(y => y, "inner")(x)',
		'({method(x) { return x; }}).method',
		'({async method(x) { return x; }}).method',
		'({*method(x) { yield x; }}).method',
		'({"a name"(x) { return x; }})["a name"]',
		'({1(x) { return x; }})[1]',
		'({["a" + 1](x) { return x; }}).a1',
		'({get(x) { return x; }}).get',
		'({async(x) { return x; }}).async',
		'({static(x) { return x; }}).static',
		'(class { static method(x) { return x; } }).method',
		'({[Symbol.iterator](x) { return x; }})[Symbol.iterator]',
	])('%s', async text => {
		const analysis = await analyse(text);
		expect(analysis).toMatchObject({kind: 'self-contained'});
		// The expression is that function again.
		if (analysis.kind === 'self-contained') expect(String(made(analysis.source))).toBe(String(made(text)));
	});
});

describe('uses what a worker does not have:', () => {
	test.each([
		['x => x + factor', ['factor']],
		['x => { factor = x; }', ['factor']],
		['x => { for (var i of factor); return i; }', ['factor']],
		['(x = factor) => x', ['factor']],
		['x => ({factor})', ['factor']],
		['x => factor?.[x] ?? helper`${x}`', ['factor', 'helper']],
		['x => { { let inner = 1; } return inner; }', ['inner']],
		['x => this.y + x', ['this']],
		['function (x) { return this.y + x; }', ['this']],
		['function (x) { return (() => this)(); }', ['this']],
		['x => { class A { [this.y]() {} } return A; }', ['this']],
		['x => { class A extends this.y {} return A; }', ['this']],
		['({method() { return super.toString(); }}).method', ['super']],
		['x => module.exports[x] + exports', ['module', 'exports']],
		['x => cov_1().f[0]', ['cov_1']],
		['x => (0, __vite_ssr_import_0__.basename)(x)', ['__vite_ssr_import_0__']],
		['x => describe(x)', ['describe']],
	])('%s', async (text, uses) => {
		expect(await analyse(text)).toEqual({kind: 'bound-to-its-place', uses});
	});

	test('a variable that hides a global, as an imported setTimeout', async () => {
		expect(await analyse('x => setTimeout(x)', {namesInScope: new Set(['setTimeout'])})).toEqual({
			kind: 'bound-to-its-place',
			uses: ['setTimeout'],
		});
		expect(await analyse('x => typeof window', {namesInScope: new Set(['window'])})).toEqual({
			kind: 'bound-to-its-place',
			uses: ['window'],
		});
	});

	test('a place to load modules from, when the function has no file', async () => {
		const hasFile = false;
		expect(await analyse('x => require(x)', {hasFile})).toEqual({kind: 'bound-to-its-place', uses: ['require']});
		expect(await analyse('x => import(x)', {hasFile})).toEqual({kind: 'bound-to-its-place', uses: ['import()']});
	});
});

test('getters and setters are told from methods', async () => {
	const {get, set} = Object.getOwnPropertyDescriptor(
		{
			get x() {
				return 1;
			},
			set x(_value) {},
		},
		'x',
	) as Required<PropertyDescriptor>;
	const surroundings = {namesInScope: undefined, hasFile: true, isSloppy: false};
	expect(await analyseSource(get, surroundings)).toEqual({kind: 'accessor'});
	expect(await analyseSource(set, surroundings)).toEqual({kind: 'accessor'});
});

test('code that only sloppy mode allows is read as that', async () => {
	const text = 'function (x) { with (x) { return 010; } }';
	expect(await analyse(text, {isSloppy: true})).toMatchObject({kind: 'self-contained'});
	expect(await analyse(text)).toEqual({kind: 'unreadable'});
});
