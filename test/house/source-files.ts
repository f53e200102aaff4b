/** The files of this project and what they import, for the tests that hold its rules. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {posix} from 'node:path';
import {fileURLToPath} from 'node:url';
import {init, parse} from 'es-module-lexer';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

export type ImportKind = 'type' | 'value' | 'dynamic';

export type Import = {
	/** Path from the root, as `src/pool.ts`. */
	readonly from: string;
	/** A path from the root for a file of ours, else as written: `node:fs`, `execa`. */
	readonly to: string;
	readonly kind: ImportKind;
};

export type SourceFile = {
	readonly path: string;
	readonly text: string;
	readonly imports: readonly Import[];
	readonly reexports: boolean;
	readonly exportNames: readonly string[];
};

/** All files below the given directories of the project. */
export const listFiles = (...directories: readonly string[]): string[] =>
	directories
		.filter(directory => existsSync(`${ROOT}${directory}`))
		.flatMap(directory =>
			readdirSync(`${ROOT}${directory}`, {recursive: true, withFileTypes: true})
				.filter(entry => entry.isFile())
				.map(entry => posix.join(entry.parentPath, entry.name).slice(ROOT.length)),
		)
		.sort();

export const readText = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

/** The TypeScript files below the given directories. */
export const readSources = async (...directories: readonly string[]): Promise<SourceFile[]> => {
	await init();
	return listFiles(...directories)
		.filter(path => path.endsWith('.ts'))
		.map(path => analyse(path, readText(path)));
};

/** What one file imports and exports. `init()` of es-module-lexer must be over. */
export const analyse = (path: string, text: string): SourceFile => {
	const [imports, exports] = parse(text, path);
	return {
		path,
		text,
		imports: imports.flatMap(found => {
			if (found.type === 'import-meta' || typeof found.specifier !== 'string') return [];
			const kind: ImportKind = found.type === 'dynamic' ? 'dynamic' : found.typeOnly ? 'type' : 'value';
			return [{from: path, to: resolve(path, found.specifier), kind}];
		}),
		reexports: exports.some(found => found.type !== 'direct'),
		exportNames: exports.flatMap(found => ('name' in found && typeof found.name === 'string' ? [found.name] : [])),
	};
};

/** `./a.js` as written in TypeScript is the file `a.ts`. */
const resolve = (from: string, specifier: string): string =>
	specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts') : specifier;
