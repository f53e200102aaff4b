/**
 * Wrapped exports (`export const area = memoise(...)`) are written in another file than the one that exports them. They are looked
 * for where the caller must have them from: among the imports of the files on the call stack.
 */
import {createRequire} from 'node:module';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {lexModule} from './lexed-module.js';
import {findInAllCommonJs, findInCommonJs, findInEsModule} from './loaded-modules.js';
import type {AnyFunction, ModuleReference} from './types.js';
import {typeScriptSiblings} from './typescript-siblings.js';

/** More frames than any chain of calls between the user's file and this library has. */
const MAX_FRAMES = 100;
const OWN_DIRECTORY = new URL('..', import.meta.url).href;

/** The URLs of the user's files on the call stack, nearest first. To be called before the first `await`; async callers are included. */
export const callSiteUrls = (): readonly string[] => {
	const {prepareStackTrace, stackTraceLimit} = Error;
	try {
		Error.stackTraceLimit = MAX_FRAMES;
		Error.prepareStackTrace = (_error, frames) => frames.map(frame => frame.getFileName());
		const holder: {stack?: unknown} = {};
		Error.captureStackTrace(holder, callSiteUrls);
		const names = (Array.isArray(holder.stack) ? holder.stack : []).filter(name => typeof name === 'string');
		const urls = names.map(name => (name.startsWith('/') ? pathToFileURL(name).href : name));
		return [...new Set(urls)].filter(url => url.startsWith('file:') && !url.startsWith(OWN_DIRECTORY));
	} finally {
		Object.assign(Error, {prepareStackTrace, stackTraceLimit});
	}
};

/** All ways to `fn`, the best first. */
export const findFromCallSites = async (
	fn: AnyFunction,
	urls: readonly string[],
	moduleUrls: ReadonlySet<string> | undefined,
): Promise<readonly ModuleReference[]> => {
	const found: ModuleReference[] = [];
	for (const url of urls) {
		for (const candidate of [...(await importedUrls(url, moduleUrls)), url]) {
			const isLoaded = moduleUrls?.has(candidate) ?? true;
			const reference = findInCommonJs(fn, candidate) ?? (isLoaded ? await findInEsModule(fn, candidate) : undefined);
			if (reference !== undefined) found.push(reference);
		}
	}
	return [...found, ...findInAllCommonJs(fn)];
};

// Only what is loaded: an `import()` may not have been reached, and TypeScript drops imports of types, so importing these would run them.
const importedUrls = async (url: string, moduleUrls: ReadonlySet<string> | undefined): Promise<readonly string[]> => {
	const lexed = await lexModule(new URL(url));
	const specifiers = (lexed?.imports ?? []).map(({type, specifier}) =>
		type === 'dynamic' && moduleUrls === undefined ? undefined : specifier,
	);
	return [...new Set(specifiers)].flatMap(specifier => (specifier ? loadedCandidates(specifier, url, moduleUrls) : []));
};

const loadedCandidates = (specifier: string, parentUrl: string, moduleUrls: ReadonlySet<string> | undefined): readonly string[] => {
	if (specifier.startsWith('node:')) return [];
	if (/^(\.{0,2}\/|file:)/.test(specifier)) return typeScriptSiblings(new URL(specifier, parentUrl).href);
	// `require` may resolve a package to another file than `import` did, which then is not among the loaded ones and is not touched.
	// A package for `import` alone is looked for in all that is loaded from its directory.
	const [packageName = ''] = /^(@[^/]+\/)?[^/]+/.exec(specifier) ?? [];
	const ofPackage = [...(moduleUrls ?? [])].filter(url => url.includes(`/node_modules/${packageName}/`));
	return [...resolvedByRequire(specifier, parentUrl), ...ofPackage];
};

const resolvedByRequire = (specifier: string, parentUrl: string): readonly string[] => {
	try {
		return [pathToFileURL(createRequire(fileURLToPath(parentUrl)).resolve(specifier)).href].filter(url => url.startsWith('file:///'));
	} catch {
		return [];
	}
};
