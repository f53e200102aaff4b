/**
 * Functions of every kind, referenced in one process and loaded and called in another, as it is between process-node and worker-node.
 * Real processes, since vitest changes the code of the modules that it loads.
 */
import {execFile} from 'node:child_process';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {describe, expect, test} from 'vitest';
import type {FunctionReference} from '../../src/function-reference.js';

const run = promisify(execFile);
const fixtures = fileURLToPath(new URL('../fixtures/functions/', import.meta.url));

type Outcome = {readonly reference: FunctionReference};
type Expected = Readonly<Record<string, readonly [args: readonly unknown[], value: unknown, kind?: FunctionReference['kind']]>>;

const node = async (args: readonly string[]): Promise<unknown> => {
	const {stdout, stderr} = await run(process.execPath, [...args], {cwd: fixtures, env: {...process.env, NODE_NO_WARNINGS: '1'}});
	expect(stderr).toBe('');
	return JSON.parse(stdout);
};

const roundTrip = async (table: string, expected: Expected, flags: readonly string[] = []): Promise<void> => {
	const outcomes = (await node([...flags, table])) as Record<string, Outcome>;
	const labels = Object.keys(expected);
	const references = labels.map(label => outcomes[label]?.reference);
	expect(outcomes).toEqual(Object.fromEntries(labels.map(label => [label, {reference: expect.anything()}])));
	expect(references.map(reference => reference?.kind)).toEqual(labels.map(label => expected[label]?.[2] ?? 'module'));
	const calls = labels.map((label, index) => ({reference: references[index], args: expected[label]?.[0]}));
	const values = (await node([...flags, 'load.mjs', JSON.stringify(calls)])) as object[];
	expect(Object.fromEntries(labels.map((label, index) => [label, values[index]]))).toEqual(
		Object.fromEntries(labels.map(label => [label, {value: expected[label]?.[1]}])),
	);
};

const ofWork: Expected = {
	triple: [[5], 15],
	renamed: [[5], 8],
	later: [[5], 15],
	nested: [[5], 8],
	static: [[2], 12],
	memoised: [[5], 15],
	base: [['/a/b'], 'b3'],
};
const ofEverywhere: Expected = {
	sqrt: [[16], 4, 'global'],
	parseInt: [['12px'], 12, 'global'],
	Number: [['12'], 12, 'global'],
	stringify: [[[1]], '[1]', 'global'],
	clone: [[{a: 1}], {a: 1}, 'global'],
	atob: [['YQ=='], 'a', 'global'],
	bufferFrom: [['ä'], 2, 'builtin'],
	basename: [['/a/b.c'], 'b.c', 'builtin'],
	posix: [['/a/b.c'], '.c', 'builtin'],
	exists: [['/'], true, 'builtin'],
	arrow: [[1], 2, 'source'],
	asyncMethod: [[1], 2, 'source'],
	'computed name': [[1], 2, 'source'],
	async: [[1], 2, 'source'],
	generator: [[1], {}, 'source'],
	madeOfText: [[1], 2, 'source'],
	usesRequire: [['/a/b'], 'b1', 'source'],
	usesImport: [[1], 1, 'source'],
	usesGlobals: [['http://a.b/'], 'a.b1objectfunction', 'source'],
	asksForWindow: [[1], 1, 'source'],
	nestedThis: [[1], 'Box1', 'source'],
};
const ofCommonJs: Expected = {
	...ofWork,
	bound: [[5], 8],
	whole: [[5], 15],
	wholeDefault: [[5], 8],
	compiledTriple: [[5], 15],
	compiledRenamed: [[5], 8],
	compiledDefault: [[5], 2],
};
const ofTypeScript: Expected = {...ofWork, default: [[5], 2], selfContained: [[5], 6], inline: [[5], 6, 'source']};

const ofGuardedMain: Expected = {triple: [[5], 15], renamed: [[5], 8], nested: [[5], 8], default: [[5], 2]};

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const stripsTypes = major > 22 || (major === 22 && minor >= 18);

describe('Q3, C4: a worker gets back and calls', () => {
	test('exports of an ES module, functions of Node and self-contained functions', () =>
		roundTrip('table-esm.mjs', {...ofWork, default: [[5], 2], bound: [[5], 8], proxied: [[5], 8], ...ofEverywhere}));

	test('exports of a module that was imported dynamically', () => roundTrip('table-dynamic.mjs', {triple: [[5], 15], memoised: [[5], 15]}));

	test('exports of CommonJS modules, also those that a compiler wrote as getters', () => roundTrip('table-cjs.cjs', ofCommonJs));

	test('exports of CommonJS modules that an ES module imports', () => roundTrip('table-cjs-from-esm.mjs', ofCommonJs));

	test('exports of marked functions and of {module, name}', () =>
		roundTrip('table-marks.mjs', {
			url: [[5], 15],
			href: [[5], 15],
			path: [[5], 2],
			nested: [[5], 8],
			commonjs: [[5], 15],
			commonjsNested: [[2], 12],
			compiled: [[5], 15],
			marked: [[5], 15],
			markedRenamed: [[5], 15],
			groupInner: [[5], 8],
			made: [[5], 2],
		}));

	test('exports of TypeScript under tsx', () => roundTrip('table-ts.mts', ofTypeScript, ['--import', 'tsx']));

	test('exports of TypeScript under tsx that is imported by its name after compiling', () =>
		roundTrip('table-ts-js-names.mts', {triple: [[5], 15], memoised: [[5], 15]}, ['--import', 'tsx']));

	test('exports of TypeScript that tsx makes CommonJS of', () => roundTrip('table-cts.cts', ofTypeScript, ['--import', 'tsx']));

	test('exports of JavaScript under tsx', () => roundTrip('table-cjs.cjs', ofCommonJs, ['--import', 'tsx']));

	test.runIf(stripsTypes)('exports of TypeScript whose types Node strips', () => roundTrip('table-ts.mts', ofTypeScript));

	test('exports of a guarded main script that is still being evaluated', () => roundTrip('main-guarded.mjs', ofGuardedMain));

	test('exports of a guarded main script in TypeScript under tsx', () =>
		roundTrip('main-guarded-ts.mts', ofGuardedMain, ['--import', 'tsx']));

	test.runIf(stripsTypes)('exports of a guarded main script whose types Node strips', () =>
		roundTrip('main-guarded-ts.mts', ofGuardedMain),
	);

	test('exports of a guarded main script in CommonJS', () => roundTrip('main-guarded.cjs', {triple: [[5], 15]}));

	test('an exported function of an unguarded main script by its text, when that is enough', () =>
		roundTrip('main-self-contained.js', {plusOne: [[5], 6, 'source']}));

	test.runIf(major >= 24)('the same without an inspector, as under --permission', () =>
		roundTrip(
			'table-permission.mjs',
			{triple: [[5], 15], memoised: [[5], 15], basename: [['/a/b'], 'b', 'builtin'], arrow: [[1], 2, 'source']},
			['--permission', '--allow-fs-read=*'],
		),
	);
});
