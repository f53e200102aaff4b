/** Functions of modules that vitest has loaded, in a vitest test: with this library loaded by vitest, and by Node as a user has it. */
import {execFile} from 'node:child_process';
import {basename} from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {describe, expect, test} from 'vitest';
import {task} from '../../src/function-reference/mark-task.js';
import {type FunctionReference, referenceFunction} from '../../src/function-reference.js';
import typedMinus, * as typed from '../fixtures/functions/work.js';
import minus, * as esm from '../fixtures/functions/work.mjs';

const run = promisify(execFile);
const fixtures = new URL('../fixtures/functions/', import.meta.url);
const built: {readonly referenceFunction: typeof referenceFunction} = await import(
	new URL('../../dist/src/function-reference.js', import.meta.url).href
);

const load = async (reference: FunctionReference, ...args: readonly unknown[]): Promise<unknown> => {
	const {stdout} = await run(process.execPath, [fileURLToPath(new URL('load.mjs', fixtures)), JSON.stringify([{reference, args}])]);
	return JSON.parse(stdout)[0];
};

const inline = (x: number): number => x + 1;
const usesImport = (path: string): string => basename(path);
const factor = 3;

describe.each([
	['loaded by vitest', referenceFunction],
	['loaded by Node', built.referenceFunction],
])('with this library %s', (_how, reference) => {
	test.each([
		[esm.triple, 'work.mjs', ['triple']],
		[esm.renamed, 'work.mjs', ['renamed']],
		[minus, 'work.mjs', ['default']],
		[esm.operations.deep.add, 'work.mjs', ['operations', 'deep', 'add']],
		[esm.Shapes.area, 'work.mjs', ['Shapes', 'area']],
		[typed.triple, 'work.ts', ['triple']],
		[typed.renamed, 'work.ts', ['renamed']],
		[typedMinus, 'work.ts', ['default']],
		[typed.operations.deep.add, 'work.ts', ['operations', 'deep', 'add']],
	] as const)('finds export %#', async (fn, file, exportPath) => {
		expect(await reference(fn)).toMatchObject({kind: 'module', url: new URL(file, fixtures).href, exportPath});
	});

	test('a worker gets back exports, functions of Node and self-contained functions', async () => {
		expect(await load(await reference(esm.triple), 5)).toEqual({value: 15});
		expect(await load(await reference(basename), '/a/b')).toEqual({value: 'b'});
		expect(await load(await reference(inline), 5)).toEqual({value: 6});
	});

	test('an import that vitest has rewritten is named as that', async () => {
		await expect(reference(usesImport)).rejects.toMatchObject({
			code: 'ERR_POOL_FN_CLOSURE',
			message: expect.stringMatching(
				/"usesImport" \(.*function-reference-vitest\.test\.ts:25\).*__vite_ssr_import_\d+__ \(an import, as rewritten by vitest\)/,
			),
		});
	});

	test('a closure is refused', async () => {
		await expect(reference((x: number) => x * factor)).rejects.toMatchObject({
			code: 'ERR_POOL_FN_CLOSURE',
			message: expect.stringContaining('have: factor.'),
		});
	});
});

test('a function can be marked', async () => {
	const marked = task(new URL('work.mjs', fixtures), (x: number) => x * factor, 'triple');
	expect(await referenceFunction(marked)).toMatchObject({kind: 'module', url: new URL('work.mjs', fixtures).href, exportPath: ['triple']});
	expect(() => task(import.meta.url, undefined as never)).toThrow(
		'Expected the second argument of `task` to be a function, got undefined.',
	);
});

test('of several names for one function its own is preferred, of several ways the shortest', async () => {
	const {findExport} = await import('../../src/function-reference/find-export.js');
	const fn = (): void => {};
	expect(findExport({default: fn, other: fn, fn}, fn)).toEqual(['fn']);
	expect(findExport({default: fn, other: fn}, fn)).toEqual(['other']);
	expect(findExport({a: {fn}, other: fn}, fn)).toEqual(['other']);
	expect(findExport({a: {b: {fn}}}, fn)).toEqual(['a', 'b', 'fn']);
	expect(findExport({a: {b: {c: {fn}}}}, fn)).toBe(undefined);
	const cyclic = {self: {}};
	cyclic.self = cyclic;
	expect(findExport(cyclic, fn)).toBe(undefined);
	expect(findExport({many: Array.from({length: 100_000}, () => 0), z: {fn}}, fn)).toBe(undefined);
});

test('a getter is called only where a compiler has written it for an export', async () => {
	const {findExport} = await import('../../src/function-reference/find-export.js');
	const fn = (): void => {};
	let numCalls = 0;
	const get = (): (() => void) => {
		numCalls += 1;
		return fn;
	};
	expect(findExport(Object.defineProperty({}, 'a', {get, enumerable: true}), fn)).toBe(undefined);
	expect(numCalls).toBe(0);
	expect(findExport(Object.defineProperty({__esModule: true}, 'a', {get, enumerable: true}), fn)).toEqual(['a']);
});
