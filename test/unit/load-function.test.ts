import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {hostname, tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {pathToFileURL} from 'node:url';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {FunctionReference} from '../../src/function-reference.js';
import type {LoadedFunction, LoadOptions} from '../../src/worker/load-function.js';

// The built one: vitest would change its `import()`.
const {loadFunction}: {loadFunction: (reference: FunctionReference, options: LoadOptions) => Promise<LoadedFunction>} = await import(
	new URL('../../dist/src/worker/load-function.js', import.meta.url).href
);
const load = async (reference: object, runImport: LoadOptions['runImport'] = (_url, body) => body()): Promise<LoadedFunction> =>
	loadFunction({name: 'fn', ...reference} as FunctionReference, {runImport});

let directory: string;
const write = async (name: string, text: string): Promise<string> => {
	const file = path.join(directory, name);
	await writeFile(file, text);
	return pathToFileURL(file).href;
};
beforeAll(async () => {
	directory = await mkdtemp(path.join(tmpdir(), 'qmr-load #?%-'));
});
afterAll(() => rm(directory, {recursive: true}));

const here = `host ${hostname()} (node ${process.version})`;

describe('from a module', () => {
	test('the import runs inside what the caller gives, with its URL', async () => {
		const url = await write('phase.mjs', 'globalThis.phaseDuringImport = globalThis.phase; export const fn = x => x + 1;');
		const state = globalThis as {phase?: string | undefined; phaseDuringImport?: string};
		const fn = await load({kind: 'module', url, exportPath: ['fn']}, async (given, body) => {
			state.phase = given;
			try {
				return await body();
			} finally {
				state.phase = undefined;
			}
		});
		expect(state.phaseDuringImport).toBe(url);
		expect(fn(1)).toBe(2);
	});

	test('a CommonJS export that its importer can not see by name', async () => {
		const url = await write('hidden.cjs', 'const names = ["fn"]; for (const name of names) exports[name] = x => x + 1;');
		expect((await load({kind: 'module', url, exportPath: ['fn']}))(1)).toBe(2);
	});

	test('a CommonJS module that is the function', async () => {
		const url = await write('whole.cjs', 'module.exports = x => x + 1; module.exports.default = x => x + 2;');
		expect((await load({kind: 'module', url, exportPath: [], commonjs: true}))(1)).toBe(2);
		expect((await load({kind: 'module', url, exportPath: ['default'], commonjs: true}))(1)).toBe(3);
		expect((await load({kind: 'module', url, exportPath: ['default']}))(1)).toBe(2);
	});

	test('a missing export is told of with those that there are, the host and its Node', async () => {
		const url = await write('other.mjs', 'export const a = 1, b = {c: null};');
		const file = path.join(directory, 'other.mjs');
		await expect(load({kind: 'module', url, exportPath: ['fn']})).rejects.toMatchObject({
			code: 'ERR_POOL_FN_MISSING',
			message: `${file} has no export "fn" on ${here}; it has: a, b.`,
		});
		await expect(load({kind: 'module', url, exportPath: ['b', 'c', 'd']})).rejects.toMatchObject({
			message: `${file} has no export "b.c.d" on ${here}; it has: a, b.`,
		});
		const empty = await write('empty.mjs', '');
		await expect(load({kind: 'module', url: empty, exportPath: ['fn']})).rejects.toMatchObject({
			message: expect.stringMatching(/it has: none\.$/),
		});
	});

	test.each([
		['a', 'of type number'],
		['b', 'of type object'],
		['b.c', 'null'],
	])('an export that is no function is told of: %s', async (name, what) => {
		const url = await write('other.mjs', 'export const a = 1, b = {c: null};');
		await expect(load({kind: 'module', url, exportPath: name.split('.')})).rejects.toMatchObject({
			code: 'ERR_POOL_FN_MISSING',
			message: `The export "${name}" of ${path.join(directory, 'other.mjs')} is no function on ${here}, but ${what}.`,
		});
	});

	test('a failing import keeps its cause', async () => {
		const url = await write('throws.mjs', 'throw new RangeError("out of paper");');
		await expect(load({kind: 'module', url, exportPath: ['fn']})).rejects.toMatchObject({
			code: 'ERR_POOL_START_FAILED',
			message: `${here} can't import ${path.join(directory, 'throws.mjs')}: RangeError: out of paper`,
			cause: expect.objectContaining({name: 'RangeError', message: 'out of paper'}),
		});
		const ofNull = await write('throws-null.cjs', 'throw null;');
		await expect(load({kind: 'module', url: ofNull, exportPath: ['fn'], commonjs: true})).rejects.toMatchObject({
			message: `${here} can't import ${path.join(directory, 'throws-null.cjs')}: null`,
			cause: null,
		});
	});

	test('a missing file is told of', async () => {
		await expect(load({kind: 'module', url: pathToFileURL(`${directory}/nowhere.mjs`).href, exportPath: ['fn']})).rejects.toMatchObject({
			code: 'ERR_POOL_START_FAILED',
			cause: expect.objectContaining({code: 'ERR_MODULE_NOT_FOUND'}),
		});
	});
});

test('a function of the language or of Node', async () => {
	expect((await load({kind: 'global', path: ['Math', 'sqrt']}))(16)).toBe(4);
	expect((await load({kind: 'builtin', module: 'node:path', exportPath: ['posix', 'basename']}))('/a/b')).toBe('b');
	await expect(load({kind: 'global', path: ['Math', 'cubed']})).rejects.toMatchObject({
		code: 'ERR_POOL_FN_MISSING',
		message: expect.stringContaining(`globalThis has no export "Math.cubed" on ${here}`),
	});
	await expect(load({kind: 'builtin', module: 'node:path', exportPath: ['basement']})).rejects.toMatchObject({code: 'ERR_POOL_FN_MISSING'});
	await expect(load({kind: 'builtin', module: 'node:of-tomorrow', exportPath: ['fn']})).rejects.toMatchObject({
		code: 'ERR_POOL_START_FAILED',
	});
});

describe('from its text', () => {
	test('C4: the function finds its modules from the file it was written in', async () => {
		await write('near.cjs', 'module.exports = "near";');
		const file = path.join(directory, 'main.mjs');
		const source = 'async x => [x, require("./near.cjs"), __dirname, __filename]';
		expect(await (await load({kind: 'source', source, file, line: 1}))(1)).toEqual([1, 'near', directory, file]);
	});

	test('a stack trace names the file and line', async () => {
		const file = path.join(directory, 'main.mjs');
		const fn = await load({kind: 'source', source: '() => {\n  throw new Error("x");\n}', file, line: 12});
		expect(fn).toThrow(expect.objectContaining({stack: expect.stringContaining(`${file}:13:`)}));
	});

	test('a function without a file is compiled too', async () => {
		expect((await load({kind: 'source', source: 'function anonymous(x\n) {\nreturn require("node:path").basename(x)\n}'}))('/a/b')).toBe(
			'b',
		);
	});

	test('a comment at the end of it does no harm', async () => {
		expect((await load({kind: 'source', source: 'x => x // the end'}))(1)).toBe(1);
	});

	test('code is strict, or sloppy where it was', async () => {
		const source = 'function () { return this; }';
		expect((await load({kind: 'source', source}))()).toBe(undefined);
		expect((await load({kind: 'source', source, sloppy: true}))()).toBe(globalThis);
		expect((await load({kind: 'source', source: 'function (x) { with (x) { return y; } }', sloppy: true}))({y: 1})).toBe(1);
	});

	test('the helper that esbuild writes into functions is there', async () => {
		expect((await load({kind: 'source', source: 'x => __name(y => y + 1, "inner")(x)'}))(1)).toBe(2);
	});
});
