import {builtinModules, createRequire} from 'node:module';
import process from 'node:process';
import {findExport} from './find-export.js';
import type {AnyFunction, BuiltinReference, GlobalReference} from './types.js';
import {workerNames} from './worker-names.js';

const require = createRequire(import.meta.url);

/** A function of the language or of Node, as `Math.sqrt` and `path.basename`, by identity. */
export const findGlobalOrBuiltin = async (fn: AnyFunction): Promise<GlobalReference | BuiltinReference | undefined> =>
	findGlobal(fn, await workerNames()) ?? findBuiltin(fn);

// Only names that every process has: `globalThis.mine = path.basename` is not on the worker.
const findGlobal = (fn: AnyFunction, names: ReadonlySet<string>): GlobalReference | undefined => {
	const root: Record<string, unknown> = {};
	for (const name of names) {
		// Node defines what it loads late, or warns about, as getters: they are left alone.
		const value = Object.getOwnPropertyDescriptor(globalThis, name)?.value;
		if (value !== globalThis) root[name] = value;
	}
	const path = findExport(root, fn, 2);
	return path && {kind: 'global', path};
};

// Only modules that are loaded already: loading others prints warnings about deprecated and experimental ones.
const findBuiltin = (fn: AnyFunction): BuiltinReference | undefined => {
	const {moduleLoadList = []} = process as {moduleLoadList?: readonly string[]};
	for (const listed of builtinModules) {
		const name = listed.replace(/^node:/, '');
		if (name.startsWith('_') || !moduleLoadList.includes(`NativeModule ${name}`)) continue;
		const exportPath = findExport(require(`node:${name}`), fn, 2);
		if (exportPath !== undefined) return {kind: 'builtin', module: `node:${name}`, exportPath};
	}
	return undefined;
};
