import {existsSync, statSync} from 'node:fs';
import {isAbsolute} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {PoolError} from '../errors.js';
import {inspectFunction} from './definition-site.js';
import {findLexed, lexModule} from './lexed-module.js';
import {findInCommonJs, findInEsModule} from './loaded-modules.js';
import {called, nameOf} from './refusals.js';
import type {AnyFunction, FunctionMark, FunctionReference} from './types.js';
import {typeScriptSiblings} from './typescript-siblings.js';

// On the function itself, and registered: the user's module may have a second copy of this package.
const MARK = Symbol.for('queue-map-reduce.task');

type TaskMark = {readonly url: string; readonly name: string | readonly string[] | undefined};

/**
 * Says which module exports a function, where it can't be found out: `export const area = task(import.meta.url, memoise(areaOf))`.
 *
 * @param module - `import.meta.url`, or another `file:` URL or absolute path.
 * @param name - The name of the export, when it can't be found either; an array for a function inside an exported object.
 * @returns `fn` itself.
 */
export const task = <F extends AnyFunction>(module: string | URL, fn: F, name?: string | readonly string[]): F => {
	if (typeof fn !== 'function')
		throw new PoolError('ERR_POOL_FN_TYPE', `Expected the second argument of \`task\` to be a function, got ${typeof fn}.`);
	const mark: TaskMark = {url: moduleUrl(module), name};
	Object.defineProperty(fn, MARK, {value: mark, configurable: true});
	return fn;
};

export const isFunctionMark = (value: unknown): value is FunctionMark =>
	typeof value === 'object' && value !== null && 'module' in value && 'name' in value;

/** Takes `{module, name}` as said, after a look whether the file and the export are there. */
export const referenceMark = async ({module, name}: FunctionMark): Promise<FunctionReference> => {
	const exportPath = [name].flat();
	if (exportPath.length === 0 || exportPath.some(part => typeof part !== 'string' || part === '')) {
		throw new PoolError(
			'ERR_POOL_FN_TYPE',
			`Expected \`name\` of {module, name} to be the name of an export, or an array of names, got ${JSON.stringify(name)}.`,
		);
	}
	const url = existingModule(moduleUrl(module));
	const exported = await exportedNames(url);
	if (exported !== undefined && !exported.includes(exportPath[0] as string)) throw missingExport(url, exportPath[0] as string, exported);
	return {kind: 'module', url, exportPath, name: exportPath.join('.')};
};

/** Undefined when the function was not marked by `task`. */
export const referenceMarkedTask = async (fn: AnyFunction): Promise<FunctionReference | undefined> => {
	const mark = (fn as {[MARK]?: TaskMark})[MARK];
	if (mark === undefined) return undefined;
	if (mark.name !== undefined) return referenceMark({module: mark.url, name: mark.name});
	const url = existingModule(mark.url);
	const {site, moduleUrls} = await inspectFunction(fn);
	const isLoaded = moduleUrls?.has(url) ?? true;
	const found =
		findInCommonJs(fn, url) ??
		(isLoaded ? await findInEsModule(fn, url) : undefined) ??
		(site?.url === url ? await findLexed(fn, site) : undefined);
	if (found !== undefined) return {...found, name: nameOf(fn, found.exportPath)};
	// A module that is still being evaluated, or that a test runner has loaded: the function's own name is all there is.
	const exported = (await exportedNames(url)) ?? [];
	if (exported.includes(fn.name)) return {kind: 'module', url, exportPath: [fn.name], name: fn.name};
	throw new PoolError(
		'ERR_POOL_FN_MISSING',
		`${called(fn)} was marked by \`task\` for ${fileURLToPath(url)}, which does not seem to export it (it exports: ${exported.join(', ')}). ` +
			"Export it, or give its name: task(import.meta.url, fn, 'name').",
	);
};

const moduleUrl = (module: unknown): string => {
	if (module instanceof URL && module.protocol === 'file:') return module.href;
	if (typeof module === 'string' && module.startsWith('file:') && URL.canParse(module)) return new URL(module).href;
	if (typeof module === 'string' && isAbsolute(module)) return pathToFileURL(module).href;
	const advice =
		typeof module === 'string' && /^\.{1,2}\//.test(module)
			? `A relative path has no place to start from: write new URL('${module}', import.meta.url).`
			: 'A function of a package or of Node itself is imported and passed as it is: `import {f} from …; pool.map(f, tasks)`.';
	throw new PoolError('ERR_POOL_FN_TYPE', `Expected \`module\` to be a file: URL or an absolute path, got ${printed(module)}. ${advice}`);
};

const printed = (module: unknown): string => (typeof module === 'string' || module instanceof URL ? `"${String(module)}"` : typeof module);

const existingModule = (url: string): string => {
	const {search, hash} = new URL(url);
	const found = typeScriptSiblings(url.slice(0, url.length - search.length - hash.length)).find(candidate =>
		existsSync(new URL(candidate)),
	);
	// What Node would say of it is said on a worker-node, after all was submitted.
	if (found !== undefined && statSync(new URL(found)).isDirectory())
		throw new PoolError('ERR_POOL_FN_MISSING', `Expected a module, got the directory ${fileURLToPath(url)}. Name a file in it.`);
	if (found !== undefined) return `${found}${search}${hash}`;
	throw new PoolError(
		'ERR_POOL_FN_MISSING',
		`There is no module ${fileURLToPath(url)}. Give its place as new URL('./file.js', import.meta.url).`,
	);
};

// Undefined when the text does not tell: CommonJS, or `export * from`.
const exportedNames = async (url: string): Promise<readonly string[] | undefined> => {
	const lexed = await lexModule(fileURLToPath(url));
	if (lexed === undefined || !lexed.hasModuleSyntax || lexed.exports.some(({type}) => type === 'reexport-all')) return undefined;
	return lexed.exports.flatMap(entry => (entry.type !== 'reexport-all' && !entry.typeOnly ? [entry.name] : []));
};

const missingExport = (url: string, name: string, exported: readonly string[]): PoolError =>
	new PoolError(
		'ERR_POOL_FN_MISSING',
		`${fileURLToPath(url)} has no export "${name}"; it has: ${exported.join(', ') || 'none'}.` +
			(name.includes('.') ? ` A function inside an exported object is named by an array: ${JSON.stringify(name.split('.'))}.` : ''),
	);
