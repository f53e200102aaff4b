import {types} from 'node:util';
import type {AnyFunction} from './types.js';

/** How deep inside an exported object a function is looked for. */
const MAX_DEPTH = 3;
/** No library exports more than this; it bounds the time spent in one that does. */
const MAX_PROPERTIES = 20_000;

/**
 * The shortest way from `root` (a module's namespace, `module.exports`, …) to `fn`, by identity. It reads values and runs no code of
 * the user, except the getters that compilers write for exports.
 */
export const findExport = (root: unknown, fn: AnyFunction, maxDepth: number = MAX_DEPTH): readonly string[] | undefined => {
	if (root === fn) return [];
	let level: {readonly value: object; readonly path: readonly string[]}[] = isSearchable(root) ? [{value: root, path: []}] : [];
	const seen = new Set<unknown>([root]);
	let numProperties = 0;
	for (let depth = 1; depth <= maxDepth && level.length > 0; depth += 1) {
		const nextLevel: typeof level = [];
		for (const {value, path} of level) {
			for (const key of orderedKeys(value, fn)) {
				numProperties += 1;
				if (numProperties > MAX_PROPERTIES) return undefined;
				const property = readProperty(value, key);
				if (property === fn) return [...path, key];
				if (!isSearchable(property) || seen.has(property)) continue;
				seen.add(property);
				nextLevel.push({value: property, path: [...path, key]});
			}
		}
		level = nextLevel;
	}
	return undefined;
};

const isSearchable = (value: unknown): value is object =>
	((typeof value === 'object' && value !== null) || typeof value === 'function') && !types.isProxy(value) && !ArrayBuffer.isView(value);

// A method on a prototype needs `this`, so it is not found through its class. `caller` and `arguments` throw when they are read.
const UNSEARCHED = new Set(['prototype', 'constructor', 'caller', 'arguments', 'length', 'name']);

// Of several names for one function its own is preferred, and `default` is the last resort.
const orderedKeys = (value: object, fn: AnyFunction): readonly string[] => {
	const keys = Object.getOwnPropertyNames(value).filter(key => typeof value !== 'function' || !UNSEARCHED.has(key));
	const ownName = types.isProxy(fn) ? undefined : fn.name;
	const rank = (key: string): number => (key === ownName ? 0 : key === 'default' ? 2 : key === 'module.exports' ? 3 : 1);
	return keys.sort((a, b) => rank(a) - rank(b));
};

const readProperty = (value: object, key: string): unknown => {
	try {
		const descriptor = Object.getOwnPropertyDescriptor(value, key);
		if (descriptor?.get === undefined) return descriptor?.value;
		// tsc, esbuild and webpack write exports as getters, and say so with `__esModule`. Any other getter may have effects.
		return Object.getOwnPropertyDescriptor(value, '__esModule')?.value === true ? Reflect.get(value, key) : undefined;
	} catch {
		// An export that is not initialised yet.
		return undefined;
	}
};
