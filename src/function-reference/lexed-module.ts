import {readFile} from 'node:fs/promises';
import type {DirectExport, Export, Import} from 'es-module-lexer';
import type {DefinitionSite} from './definition-site.js';
import {findExport} from './find-export.js';
import type {AnyFunction, ModuleReference} from './types.js';

export type LexedModule = {
	readonly imports: readonly Import[];
	readonly exports: readonly Export[];
	/** False for CommonJS. */
	readonly hasModuleSyntax: boolean;
};

/** What a module's text imports and exports; undefined when it can't be read. TypeScript is understood too. */
export const lexModule = async (file: string | URL): Promise<LexedModule | undefined> => {
	const {init, parse} = await import('es-module-lexer');
	await init();
	try {
		const [imports, exports, , hasModuleSyntax] = parse(await readFile(file, 'utf8'));
		return {imports, exports, hasModuleSyntax};
	} catch {
		return undefined;
	}
};

/** Names that code has for the anonymous `export default`: V8's, vite's, and esbuild's `<file>_default`. */
const ANONYMOUS_DEFAULT = /^(\*default\*|default|__vite_ssr_export_default__|.*_default)$/;

/**
 * Finds the export without an import, for a module that is still being evaluated or that Node has not loaded itself (vitest): its text
 * says which variable each export is, and V8 says what the variables hold.
 */
export const findLexed = async (fn: AnyFunction, {url, file, moduleValues}: DefinitionSite): Promise<ModuleReference | undefined> => {
	const lexed = file === undefined ? undefined : await lexModule(file);
	if (lexed === undefined) return undefined;
	const direct = lexed.exports.filter((entry): entry is DirectExport => entry.type === 'direct' && !entry.typeOnly);
	const namespace = Object.fromEntries(direct.map(({name, localName}) => [name, localName && moduleValues.get(localName)]));
	if (direct.some(({name, localName}) => name === 'default' && localName === undefined)) {
		const variable = [...moduleValues.keys()].find(key => ANONYMOUS_DEFAULT.test(key) && moduleValues.get(key) === fn);
		if (variable !== undefined || fn.name === 'default') Object.assign(namespace, {default: fn});
	}
	const exportPath = findExport(namespace, fn);
	return exportPath && {kind: 'module', url, exportPath};
};
