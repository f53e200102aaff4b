import {readFile} from 'node:fs/promises';
import type {DirectExport, Export, Import} from 'es-module-lexer';
import type {DefinitionSite} from './definition-site.js';
import {findExport} from './find-export.js';
import type {AnyFunction, ModuleReference} from './types.js';

export type LexedModule = {
	readonly text: string;
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
		const text = await readFile(file, 'utf8');
		const [imports, exports, , hasModuleSyntax] = parse(text);
		return {text, imports, exports, hasModuleSyntax};
	} catch {
		return undefined;
	}
};

/** Names that vite and esbuild give to the anonymous `export default`. */
const ANONYMOUS_DEFAULT = /^(__vite_ssr_export_default__|.*_default)$/;

/**
 * Finds the export without an import, for a module that is still being evaluated or that Node has not loaded itself (vitest): its text
 * says which variable each export is, and V8 says what the variables hold.
 */
export const findLexed = async (fn: AnyFunction, site: DefinitionSite): Promise<ModuleReference | undefined> => {
	const {url, file, moduleValues} = site;
	const lexed = file === undefined ? undefined : await lexModule(file);
	if (lexed === undefined) return undefined;
	const direct = lexed.exports.filter((entry): entry is DirectExport => entry.type === 'direct' && !entry.typeOnly);
	const namespace = Object.fromEntries(direct.map(({name, localName}) => [name, localName && moduleValues.get(localName)]));
	const standard = direct.find(({name}) => name === 'default');
	if (standard !== undefined && isDefaultExport(fn, standard, site, lexed.text)) Object.assign(namespace, {default: fn});
	const exportPath = findExport(namespace, fn);
	return exportPath && {kind: 'module', url, exportPath};
};

// V8 does not show the variable behind `export default`. Unless a compiler has made one of its own, the function must be the only one of
// that name in the text.
const isDefaultExport = (
	fn: AnyFunction,
	{localName, end}: DirectExport,
	{isClosure, moduleValues}: DefinitionSite,
	text: string,
): boolean => {
	const compiled = [...moduleValues].filter(([name]) => ANONYMOUS_DEFAULT.test(name));
	if (localName === undefined && compiled.length > 0) return compiled.some(([, value]) => value === fn);
	// `export default fn;` exports the value, so that the lexer gives no name.
	const [, exported = 'default'] = /^[ \t]+([\w$]+)[ \t]*(?:;|[\r\n]|$)/.exec(text.slice(end)) ?? [];
	if (moduleValues.has(exported)) return moduleValues.get(exported) === fn;
	if (localName !== undefined || isClosure || fn.name !== exported) return false;
	const name = exported.replaceAll('$', '\\$');
	const definitions = text.match(new RegExp(`(?<![\\w$])${name}\\s*(=(?![=>])|:|\\()`, 'g')) ?? [];
	return definitions.length === (exported === 'default' ? 0 : 1);
};
