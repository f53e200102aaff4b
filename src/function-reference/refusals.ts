/** The sentences in which a function is refused: what is wrong with it, where it is written, what to do. */
import {types} from 'node:util';
import {PoolError} from '../errors.js';
import type {DefinitionSite} from './definition-site.js';
import type {AnyFunction} from './types.js';

const MARK_ADVICE = "pass {module: new URL('./file.js', import.meta.url), name: '…'}";

const ANONYMOUS = 'anonymous';

/** A function's name for people: its own, else the one it is exported by. */
export const nameOf = (fn: AnyFunction, exportPath: readonly string[] = []): string => {
	const fallback = exportPath.join('.') || ANONYMOUS;
	// Asking a proxy for its name would run the user's trap.
	return !types.isProxy(fn) && typeof fn.name === 'string' && fn.name !== '' ? fn.name : fallback;
};

/** A function as the subject of a sentence. */
export const called = (fn: AnyFunction): string => (nameOf(fn) === ANONYMOUS ? 'The anonymous function' : `The function "${nameOf(fn)}"`);

export const refuseType = (got: unknown): PoolError =>
	new PoolError('ERR_POOL_FN_TYPE', `Expected \`fn\` to be a function or {module, name}, got ${describe(got)}.`);

export const refuseClass = (fn: AnyFunction, site: DefinitionSite | undefined): PoolError =>
	new PoolError(
		'ERR_POOL_FN_TYPE',
		`Expected \`fn\` to be a function, got the class "${nameOf(fn)}"${at(site)}. A class is called with \`new\`: pass an exported function that does so.`,
	);

export const refuseAccessor = (fn: AnyFunction, site: DefinitionSite | undefined): PoolError =>
	new PoolError(
		'ERR_POOL_FN_TYPE',
		`Expected \`fn\` to be a function, got the getter or setter "${nameOf(fn)}"${at(site)}. Pass an exported function that reads the property.`,
	);

export const refuseBound = (fn: AnyFunction): PoolError =>
	new PoolError(
		'ERR_POOL_FN_BOUND',
		`${called(fn)} is bound, native or proxied, so a worker can't find it again. ` +
			`Pass the plain function and put the bound values into the tasks, export it from a module, or ${MARK_ADVICE}.`,
	);

export const refuseUnreadable = (fn: AnyFunction, site: DefinitionSite | undefined): PoolError =>
	new PoolError(
		'ERR_POOL_FN_CLOSURE',
		`${called(fn)}${at(site)} is not exported, and its text can't be compiled on its own: ` +
			`it uses a private name, \`super\` or \`new.target\` of its surroundings. Pass an exported function that calls it, or ${MARK_ADVICE}.`,
	);

export const refuseClosure = (fn: AnyFunction, site: DefinitionSite | undefined, uses: readonly string[]): PoolError =>
	new PoolError(
		'ERR_POOL_FN_CLOSURE',
		`${called(fn)}${at(site)} is not exported, and it uses names that a worker does not have: ${uses.map(withHint).join(', ')}. ` +
			`Export it from a module, put those values into the tasks, or ${MARK_ADVICE}.`,
	);

export const refuseUnguarded = (name: string, file: string): PoolError =>
	new PoolError(
		'ERR_POOL_MAIN_UNGUARDED',
		`"${name}" is exported by the main script ${file}; a worker that imports it would run the whole script again. ` +
			`Move "${name}" to a module of its own, or guard the start: import {isWorker} and write \`if (!isWorker) await main();\`.`,
	);

const at = (site: DefinitionSite | undefined): string => (site?.file === undefined ? '' : ` (${site.file}:${site.line})`);

const withHint = (name: string): string => {
	if (name.startsWith('cov_')) return `${name} (inserted by istanbul)`;
	if (name.startsWith('__vite_ssr_')) return `${name} (an import, as rewritten by vitest)`;
	if (/^(__awaiter|__generator|__spread\w*|__rest|__values|__read|__assign)$/.test(name))
		return `${name} (a helper of the TypeScript compiler)`;
	return name;
};

const describe = (value: unknown): string => {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'an array';
	if (typeof value === 'object') return 'an object with other properties';
	if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 60))}`;
	return typeof value === 'undefined' ? 'undefined' : `${String(value)} (${typeof value})`;
};
