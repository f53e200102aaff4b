/** What can't work is refused, in real processes, with what is needed to put it right. */
import {execFile} from 'node:child_process';
import {cp, mkdtemp, rm, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {beforeAll, describe, expect, test} from 'vitest';

const run = promisify(execFile);
const fixtures = fileURLToPath(new URL('../fixtures/functions/', import.meta.url));

type Refusals = Readonly<Record<string, {readonly code: string; readonly message: string}>>;

const refusalsOf = async (...args: readonly string[]): Promise<Refusals> =>
	JSON.parse((await run(process.execPath, [...args], {cwd: fixtures})).stdout);

const MARK = "pass {module: new URL('./file.js', import.meta.url), name: '…'}.";

describe('of functions', () => {
	let refusals: Refusals;
	beforeAll(async () => {
		refusals = await refusalsOf('table-refused.mjs');
	});

	const closure = (subject: string, uses: string): string =>
		`${subject} is not exported, and it uses names that a worker does not have: ${uses}. Export it from a module, put those values into the tasks, or ${MARK}`;
	const here = (line: number): string => `(${fixtures}table-refused.mjs:${line})`;
	const inWork = (line: number): string => `(${fixtures}work.mjs:${line})`;
	const bound = (subject: string): string =>
		`${subject} is bound, native or proxied, so a worker can't find it again. Pass the plain function and put the bound values into the tasks, export it from a module, or ${MARK}`;
	const unreadable = (subject: string): string =>
		`${subject} is not exported, and its text can't be compiled on its own: it uses a private name, \`super\` or \`new.target\` of its surroundings. Pass an exported function that calls it, or ${MARK}`;

	test.each([
		['number', 'Expected `fn` to be a function or {module, name}, got 3 (number).'],
		['string', 'Expected `fn` to be a function or {module, name}, got the string "./work.mjs".'],
		['nothing', 'Expected `fn` to be a function or {module, name}, got null.'],
		['missing', 'Expected `fn` to be a function or {module, name}, got undefined.'],
		['object', 'Expected `fn` to be a function or {module, name}, got an object with other properties.'],
		['array', 'Expected `fn` to be a function or {module, name}, got an array.'],
		[
			'class',
			`Expected \`fn\` to be a function, got the class "Secret" ${here(21)}. A class is called with \`new\`: pass an exported function that does so.`,
		],
		[
			'getter',
			`Expected \`fn\` to be a function, got the getter or setter "get size" ${here(11)}. Pass an exported function that reads the property.`,
		],
	])('names the type of what is no function: %s', (label, message) => {
		expect(refusals[label]).toEqual({code: 'ERR_POOL_FN_TYPE', message});
	});

	test.each([
		['bound', bound('The function "bound scale"')],
		['native', bound('The function "bound sqrt"')],
		['proxy', bound('The anonymous function')],
		['promisified', bound('The function "basename"')],
		['addedBuiltin', bound('The function "basename"')],
	])('says that a worker has no way to find: %s', (label, message) => {
		expect(refusals[label]).toEqual({code: 'ERR_POOL_FN_BOUND', message});
	});

	test.each([
		['closure', closure(`The function "scale" ${here(8)}`, 'factor, basename')],
		['ofClosure', closure(`The anonymous function ${inWork(32)}`, 'n')],
		['unexported', closure(`The function "notExported" ${inWork(31)}`, 'factor')],
		['sameNameInside', closure(`The function "triple" ${inWork(36)}`, 'n')],
		['shadowed', closure(`The function "shadowed" ${here(9)}`, 'setTimeout')],
		['usesThis', closure(`The function "usesThis" ${here(14)}`, 'this')],
		['usesSuper', closure(`The function "usesSuper" ${here(17)}`, 'super')],
		['method', closure(`The function "method" ${inWork(22)}`, 'this')],
		['outerArguments', closure(`The anonymous function ${here(33)}`, 'arguments')],
		['importMeta', closure(`The function "importMeta" ${here(51)}`, 'import.meta')],
		['usesAddedGlobal', closure(`The function "usesAddedGlobal" ${here(36)}`, 'addedGlobal')],
		['istanbul', closure(`The function "istanbul" ${here(52)}`, 'cov_1a2b3c (inserted by istanbul)')],
		['typescript', closure(`The function "typescript" ${here(52)}`, '__awaiter (a helper of the TypeScript compiler)')],
		['private', unreadable(`The function "#hidden" ${here(22)}`)],
		['newTarget', unreadable(`The anonymous function ${here(30)}`)],
	])('names the place and what it uses: %s', (label, message) => {
		expect(refusals[label]).toEqual({code: 'ERR_POOL_FN_CLOSURE', message});
	});
});

test('of TypeScript under tsx names the line as it was written', async () => {
	const {closure} = await refusalsOf('--import', 'tsx', 'table-ts-refused.mts');
	expect(closure?.message).toContain(`The function "scale" (${fixtures}table-ts-refused.mts:9) is not exported`);
});

describe('of marks', () => {
	let refusals: Refusals;
	beforeAll(async () => {
		refusals = await refusalsOf('table-marks-refused.mjs');
	});

	const ofWork = 'triple, renamed, default, later, operations, Shapes, memoised, base, bound, proxied, scaleBy, unexported, makeTriple';
	const named = (name: string): string =>
		`Expected \`name\` of {module, name} to be the name of an export, or an array of names, got ${name}.`;
	const module = (got: string): string => `Expected \`module\` to be a file: URL or an absolute path, got ${got}. `;
	const importIt = 'A function of a package or of Node itself is imported and passed as it is: `import {f} from …; pool.map(f, tasks)`.';

	test.each([
		[
			'lost',
			'FN_MISSING',
			`The anonymous function was marked by \`task\` for ${fixtures}mark.mjs, which does not seem to export it (it exports: marked, markedRenamed, group, made, makeLost). Export it, or give its name: task(import.meta.url, fn, 'name').`,
		],
		[
			'relative',
			'FN_TYPE',
			`${module('"./work.mjs"')}A relative path has no place to start from: write new URL('./work.mjs', import.meta.url).`,
		],
		['bare', 'FN_TYPE', module('"es-module-lexer"') + importIt],
		['builtin', 'FN_TYPE', module('"node:path"') + importIt],
		['web', 'FN_TYPE', module('"https://example.com/work.js"') + importIt],
		['noModule', 'FN_TYPE', module('number') + importIt],
		['missingFile', 'FN_MISSING', `There is no module ${fixtures}nowhere.mjs. Give its place as new URL('./file.js', import.meta.url).`],
		['missingExport', 'FN_MISSING', `${fixtures}work.mjs has no export "quadruple"; it has: ${ofWork}.`],
		[
			'dotted',
			'FN_MISSING',
			`${fixtures}work.mjs has no export "operations.deep"; it has: ${ofWork}. A function inside an exported object is named by an array: ["operations","deep"].`,
		],
		['noName', 'FN_TYPE', named('""')],
		['emptyName', 'FN_TYPE', named('[]')],
		['numberName', 'FN_TYPE', named('3')],
	])('says what is wrong with %s', (label, code, message) => {
		expect(refusals[label]).toEqual({code: `ERR_POOL_${code}`, message});
	});
});

describe('of functions of the main script', () => {
	const unguarded = (file: string): Refusals[string] => ({
		code: 'ERR_POOL_MAIN_UNGUARDED',
		message:
			`"triple" is exported by the main script ${file}; a worker that imports it would run the whole script again. ` +
			'Move "triple" to a module of its own, or guard the start: import {isWorker} and write `if (!isWorker) await main();`.',
	});

	test.each(['main-unguarded.mjs', 'main-not-awaited.mjs', 'main-unguarded.cjs'])('advises a guard: %s', async script => {
		expect(await refusalsOf(script)).toEqual({triple: unguarded(fixtures + script)});
	});

	test('also of marked ones', async () => {
		const main = unguarded(`${fixtures}main-marked.mjs`);
		expect(await refusalsOf('main-marked.mjs')).toEqual({triple: main, named: main});
	});

	test('knows the main script without its extension', async () => {
		expect(await refusalsOf('main-unguarded-plain')).toEqual({triple: unguarded(`${fixtures}main-unguarded-plain.js`)});
	});

	test('knows the main script through a symbolic link', async () => {
		const directory = await mkdtemp(path.join(tmpdir(), 'qmr-link-'));
		try {
			await symlink(`${fixtures}main-unguarded.mjs`, `${directory}/link.mjs`);
			expect(await refusalsOf(`${directory}/link.mjs`)).toEqual({triple: unguarded(`${fixtures}main-unguarded.mjs`)});
		} finally {
			await rm(directory, {recursive: true});
		}
	});

	test('does not take a function inside another one for the export of that name', async () => {
		const {inside, otherMinus, meta} = await refusalsOf('main-guarded.mjs', 'inner');
		expect(inside?.message).toContain('The function "triple"');
		expect(inside?.message).toContain('does not have: n.');
		expect(otherMinus?.message).toContain('The function "minus"');
		expect(meta?.message).toContain('does not have: import.meta.');
		const {inside: ofTwo} = await refusalsOf('main-two-of-a-name.mjs');
		expect(ofTwo?.message).toContain('main-two-of-a-name.mjs:8) is not exported');
	});
});

test('no module is run a second time, or at all, by the search', async () => {
	const directory = await mkdtemp(path.join(tmpdir(), 'qmr-search-'));
	try {
		await cp(`${fixtures}not-reached`, directory, {recursive: true});
		const {stdout} = await run(process.execPath, [
			`${directory}/main.mjs`,
			new URL('../../dist/src/function-reference.js', import.meta.url).href,
		]);
		expect(stdout.trim().split('\n')).toEqual(['main', 'ERR_POOL_FN_CLOSURE']);
	} finally {
		await rm(directory, {recursive: true});
	}
});
