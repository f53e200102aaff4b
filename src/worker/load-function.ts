import {createRequire} from 'node:module';
import {hostname} from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import vm from 'node:vm';
import {PoolError} from '../errors.js';
import type {FunctionReference, ModuleReference, SourceReference} from '../function-reference/types.js';

export type LoadedFunction = (...args: unknown[]) => unknown;

export type LoadOptions = {
	/** Runs the import of the user's module, so that a `map` in its top level can be told from one inside a task. */
	readonly runImport: <T>(url: string, body: () => Promise<T>) => Promise<T>;
};

/** Gets the function back on the worker. */
export const loadFunction = async (reference: FunctionReference, {runImport}: LoadOptions): Promise<LoadedFunction> => {
	switch (reference.kind) {
		case 'module': {
			const file = fileURLToPath(reference.url);
			const roots = await importing(file, () => runImport(reference.url, () => importModule(reference)));
			return functionAt(roots, reference.exportPath, file);
		}
		case 'builtin':
			return functionAt([await importing(reference.module, () => import(reference.module))], reference.exportPath, reference.module);
		case 'global':
			return functionAt([globalThis], reference.path, 'globalThis');
		case 'source':
			return compile(reference);
	}
};

/** What exports are looked for in, in this order. */
const importModule = async ({url, commonjs}: ModuleReference): Promise<readonly unknown[]> => {
	if (commonjs) return [createRequire(url)(fileURLToPath(url))];
	const namespace = (await import(url)) as {readonly default?: unknown};
	// Of a CommonJS module Node may know no export but `default`, which then is `module.exports`.
	return [namespace, namespace.default];
};

const importing = async <T>(what: string, body: () => Promise<T>): Promise<T> => {
	try {
		return await body();
	} catch (cause) {
		const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
		throw new PoolError('ERR_POOL_START_FAILED', `${place()} can't import ${what}: ${reason}`, {cause});
	}
};

const functionAt = (roots: readonly unknown[], exportPath: readonly string[], from: string): LoadedFunction => {
	const [found] = roots.map(root => follow(root, exportPath)).filter(value => value !== undefined);
	if (typeof found === 'function') return found as LoadedFunction;
	const wanted = `export "${exportPath.join('.')}"`;
	const text =
		found === undefined
			? `${from} has no ${wanted} on ${place()}; it has: ${exportNames(roots[0]).join(', ') || 'none'}.`
			: `The ${wanted} of ${from} is no function on ${place()}, but ${found === null ? 'null' : `of type ${typeof found}`}.`;
	throw new PoolError('ERR_POOL_FN_MISSING', text);
};

const follow = (root: unknown, exportPath: readonly string[]): unknown =>
	exportPath.reduce<unknown>(
		(value, key) => (value === undefined || value === null ? undefined : (value as Record<string, unknown>)[key]),
		root,
	);

const exportNames = (root: unknown): readonly string[] =>
	(typeof root === 'object' || typeof root === 'function') && root !== null ? Object.keys(root) : [];

const place = (): string => `host ${hostname()} (node ${process.version})`;

const compile = ({source, file, line, sloppy}: SourceReference): LoadedFunction => {
	const filename = file ?? path.join(process.cwd(), 'function-without-a-file.js');
	const make = vm.compileFunction(
		// Everything before the source stays on its first line, for the line numbers in stack traces.
		`${sloppy ? '' : "'use strict'; "}return (${source}\n);`,
		['require', '__filename', '__dirname', '__name'],
		{
			filename,
			lineOffset: (line ?? 1) - 1,
			// `import('./x.js')` then starts from the function's own file.
			importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
		},
	);
	// esbuild and tsx wrap inner functions in `__name(fn, 'name')`.
	const nameHelper = <T>(fn: T): T => fn;
	return make(createRequire(filename), filename, path.dirname(filename), nameHelper) as LoadedFunction;
};
