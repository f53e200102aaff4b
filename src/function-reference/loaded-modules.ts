import {createRequire} from 'node:module';
import {setImmediate} from 'node:timers/promises';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {types} from 'node:util';
import {findExport} from './find-export.js';
import type {AnyFunction, ModuleReference} from './types.js';

const {cache} = createRequire(import.meta.url);

/** Looks in one loaded CommonJS module. */
export const findInCommonJs = (fn: AnyFunction, url: string): ModuleReference | undefined => {
	const loaded = url.startsWith('file:') ? cache[fileURLToPath(url)] : undefined;
	const exportPath = loaded && findExport(loaded.exports, fn);
	if (exportPath === undefined) return undefined;
	// An ES module that was loaded by `require` is listed too: the worker imports it.
	const isNamespace = types.isModuleNamespaceObject(loaded?.exports);
	return {kind: 'module', url, exportPath, ...(isNamespace ? {} : {commonjs: true})};
};

/** Looks in all loaded CommonJS modules, in the order in which they were loaded. */
export const findInAllCommonJs = (fn: AnyFunction): readonly ModuleReference[] =>
	Object.keys(cache).flatMap(file => findInCommonJs(fn, pathToFileURL(file).href) ?? []);

/** Looks in one ES module, which must be among the loaded ones: any other would be run by this. */
export const findInEsModule = async (fn: AnyFunction, url: string): Promise<ModuleReference | undefined> => {
	const namespace = await namespaceOf(url);
	const exportPath = namespace && findExport(namespace, fn);
	return exportPath && {kind: 'module', url, exportPath};
};

/** How often the event loop may turn after the import of a module known to be ready. A ready module needs one turn. */
const MAX_TURNS = 20;

// The import of a module that waits for us in its own top-level await never settles. So it runs against the import of a module that
// is ready for sure (this one), which takes as long on a slow machine as the import of any other ready module.
const namespaceOf = async (url: string): Promise<object | undefined> => {
	let settled = false;
	let namespace: object | undefined;
	import(url).then(
		imported => {
			namespace = imported;
			settled = true;
		},
		() => {
			settled = true;
		},
	);
	await import(import.meta.url);
	for (let turn = 0; turn < MAX_TURNS && !settled; turn += 1) await setImmediate();
	return namespace;
};
