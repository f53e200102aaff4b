import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {types} from 'node:util';
import {crc32} from 'node:zlib';
import {callSiteUrls, findFromCallSites} from './function-reference/call-site.js';
import {type DefinitionSite, type Inspection, inspectFunction} from './function-reference/definition-site.js';
import {isEntryModule, isGuarded} from './function-reference/entry-module.js';
import {findGlobalOrBuiltin} from './function-reference/find-global.js';
import {findLexed} from './function-reference/lexed-module.js';
import {findInCommonJs, findInEsModule} from './function-reference/loaded-modules.js';
import {isFunctionMark, referenceMark, referenceMarkedTask} from './function-reference/mark-task.js';
import {
	nameOf,
	refuseAccessor,
	refuseBound,
	refuseClass,
	refuseClosure,
	refuseType,
	refuseUnguarded,
	refuseUnreadable,
} from './function-reference/refusals.js';
import {analyseSource, type SourceAnalysis} from './function-reference/self-contained.js';
import type {AnyFunction, FunctionReference, ModuleReference} from './function-reference/types.js';

export type {FunctionMark, FunctionReference} from './function-reference/types.js';

const known = new WeakMap<AnyFunction, FunctionReference>();

/**
 * Finds out how a worker gets `fn` back: by its module and export, as a function of Node or the language, or by its text.
 *
 * @throws PoolError within milliseconds when no way is sure to work, with what to do.
 */
export const referenceFunction = async (fn: unknown): Promise<FunctionReference> => {
	const callSites = callSiteUrls();
	if (isFunctionMark(fn)) return hashAgain(refuseEntry(await referenceMark(fn)));
	if (typeof fn !== 'function') throw refuseType(fn);
	const reference = known.get(fn as AnyFunction) ?? (await findReference(fn as AnyFunction, callSites));
	known.set(fn as AnyFunction, reference);
	return hashAgain(reference);
};

const findReference = async (fn: AnyFunction, callSites: readonly string[]): Promise<FunctionReference> => {
	const marked = types.isProxy(fn) ? undefined : await referenceMarkedTask(fn);
	if (marked !== undefined) return refuseEntry(marked);
	const inspection = await inspectFunction(fn);
	const {site} = inspection;
	if (isClass(fn)) throw refuseClass(fn, site);
	// Before the text is looked at: that of `path.basename` is ordinary JavaScript.
	const isForeign = isNative(fn) || site?.url.startsWith('node:') === true;
	const ofNode = isForeign || site === undefined ? await findGlobalOrBuiltin(fn) : undefined;
	if (ofNode !== undefined) return {...ofNode, name: nameOf(fn)};

	const exported = (await findExported(fn, inspection, callSites)).map(reference => ({
		...reference,
		name: nameOf(fn, reference.exportPath),
	}));
	const elsewhere = exported.find(({url}) => !isEntryModule(url));
	if (elsewhere !== undefined) return elsewhere;
	if (isForeign && exported[0] === undefined) throw refuseBound(fn);

	// A function of the main script goes by its text if it can: then no worker imports that script.
	const analysis: SourceAnalysis = isForeign ? {kind: 'unreadable'} : await analyseFunction(fn, site);
	if (analysis.kind === 'self-contained') {
		const place = site?.file === undefined ? {} : {file: site.file, line: site.line};
		return {kind: 'source', name: nameOf(fn), source: analysis.source, ...place, ...((await isSloppy(fn, site)) ? {sloppy: true} : {})};
	}
	if (exported[0] !== undefined) return refuseEntry(exported[0]);
	throw refuseSource(fn, site, analysis);
};

const isClass = (fn: AnyFunction): boolean => !types.isProxy(fn) && /^class\b/.test(Function.prototype.toString.call(fn));

const isNative = (fn: AnyFunction): boolean => /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn));

// Where the function was written, by identity; else, by what V8 and the text tell of that module; else, where the caller has it from.
const findExported = async (
	fn: AnyFunction,
	{site, moduleUrls}: Inspection,
	callSites: readonly string[],
): Promise<readonly ModuleReference[]> => {
	const atSite =
		site === undefined
			? undefined
			: (findInCommonJs(fn, site.url) ?? (site.isModule ? await findInEsModule(fn, site.url) : undefined) ?? (await findLexed(fn, site)));
	return atSite === undefined ? findFromCallSites(fn, callSites, moduleUrls) : [atSite];
};

const analyseFunction = async (fn: AnyFunction, site: DefinitionSite | undefined): Promise<SourceAnalysis> =>
	analyseSource(fn, {namesInScope: site?.namesInScope, hasFile: site?.file !== undefined, isSloppy: await isSloppy(fn, site)});

// Only plain functions show it (by an own property `caller`); of arrows and methods only the file tells.
const isSloppy = async (fn: AnyFunction, site: DefinitionSite | undefined): Promise<boolean> => {
	if (site?.isModule === true) return false;
	if (Object.hasOwn(fn, 'caller')) return true;
	if (site?.file === undefined || Object.hasOwn(fn, 'prototype')) return false;
	return !/^\s*(['"])use strict\1/m.test(await readFile(site.file, 'utf8').catch(() => ''));
};

const refuseSource = (
	fn: AnyFunction,
	site: DefinitionSite | undefined,
	analysis: Exclude<SourceAnalysis, {kind: 'self-contained'}>,
): Error => {
	switch (analysis.kind) {
		case 'accessor':
			return refuseAccessor(fn, site);
		case 'unreadable':
			return refuseUnreadable(fn, site);
		case 'bound-to-its-place':
			return refuseClosure(fn, site, analysis.uses);
	}
};

const refuseEntry = (reference: FunctionReference): FunctionReference => {
	if (reference.kind !== 'module' || !isEntryModule(reference.url) || isGuarded(reference.url)) return reference;
	throw refuseUnguarded(reference.name, fileURLToPath(reference.url));
};

/** The same function, in its module as it is now. */
export const hashAgain = async (reference: FunctionReference): Promise<FunctionReference> => {
	if (reference.kind !== 'module') return reference;
	const bytes = await readFile(fileURLToPath(reference.url)).catch(() => undefined);
	return bytes === undefined ? reference : {...reference, sha256: createHash('sha256').update(bytes).digest('hex'), crc32: crc32(bytes)};
};
