/**
 * Finds what v8 can't write, or would write and lose without a word, and says where in the value it is.
 *
 * Every value of every task passes here before v8 sees it, so the first walk only looks at what is dear to miss. A second, thorough walk
 * is made when v8 itself has refused: v8 says neither where nor, often, what.
 */
import {types} from 'node:util';
import {deserialize, serialize} from 'node:v8';

/** A value can't be written to a file so that it arrives as it was. */
export class UnserialisableError extends Error {
	/** Where in the value, as `.opts.onDone`; empty when it is the value itself. */
	readonly path: string;

	constructor(path: string, problem: string, options: {cause?: unknown} = {}) {
		super(`${path === '' ? 'the value itself' : path} ${problem}`, options);
		this.path = path;
	}
}
Object.defineProperty(UnserialisableError.prototype, 'name', {value: 'UnserialisableError', configurable: true, writable: true});

/** `unproven`: v8 writes it, but whether it can be read back is only known by trying. */
export type Inspection = {readonly kind: 'fine' | 'unproven'} | {readonly kind: 'bad'; readonly path: string; readonly problem: string};

/** Node 20 to 24 can write about 1900 levels and more, but read only about 1550 of some kinds. */
const MAX_DEPTH = 1000;

/** Containers of primitives are walked again whenever they are met again; only beyond this size is it cheaper to remember them. */
const REMEMBERED_SIZE = 64;

/** @param isRefused - v8 has refused the value, or could not read it back: find the culprit at any price. */
export const inspectValue = (value: unknown, isRefused = false): Inspection => {
	const walk: Walk = {isThorough: isRefused, visited: undefined, isUnproven: false};
	let finding: Finding | undefined;
	try {
		finding = inspect(value, 0, walk);
	} catch (error) {
		// A getter or a Proxy threw: the thorough walk looks at each with care.
		if (!isRefused) return inspectValue(value, true);
		finding = {segments: [], problem: `can't be looked at: ${messageOf(error)}`};
	}
	if (finding !== undefined) return {kind: 'bad', path: joinPath(finding.segments), problem: finding.problem};
	return {kind: walk.isUnproven ? 'unproven' : 'fine'};
};

type Walk = {readonly isThorough: boolean; visited: Set<object> | undefined; isUnproven: boolean};

/** The segments of the path are gathered on the way back, so the deepest comes first. */
type Finding = {readonly segments: string[]; readonly problem: string};

const inspect = (value: unknown, depth: number, walk: Walk): Finding | undefined => {
	if (isLeaf(value)) return undefined;
	if (typeof value === 'function') return found('is a function: pass what it returns, or its name');
	if (typeof value === 'symbol') return found('is a symbol: pass its description');
	if (depth >= MAX_DEPTH) return found(`is nested more than ${MAX_DEPTH} levels deep: pass a flatter form, as a list of nodes`);
	const container = value as object;
	if (walk.isThorough && types.isProxy(container)) return found('is a Proxy: pass a plain copy of it');
	if (Array.isArray(container)) return inspectArray(container, depth, walk);
	const prototype: unknown = Object.getPrototypeOf(container);
	if (prototype === Object.prototype || prototype === null) return inspectPlainObject(container, depth, walk);
	if (ArrayBuffer.isView(container)) return undefined;
	return inspectInstance(container, prototype as object, depth, walk);
};

const isLeaf = (value: unknown): boolean =>
	typeof value === 'object' ? value === null : typeof value !== 'function' && typeof value !== 'symbol';

const found = (problem: string): Finding => ({segments: [], problem});

const inspectArray = (array: readonly unknown[], depth: number, walk: Walk): Finding | undefined => {
	// An array's further properties are looked at only then: the names of a million elements are dear.
	if (walk.isThorough) return inspectProperties(array, depth, walk);
	let isEntered = array.length > REMEMBERED_SIZE;
	if (isEntered && !enter(array, walk)) return undefined;
	let numUndefined = 0;
	for (let i = 0; i < array.length; i++) {
		const item = array[i];
		if (isLeaf(item)) {
			if (item === undefined) numUndefined++;
			// A sparse array may be 4e9 long and hold three elements.
			if (numUndefined > 100_000 && numUndefined > i / 2) return inspectProperties(array, depth, walk, true);
			continue;
		}
		if (!isEntered && !enter(array, walk)) return undefined;
		isEntered = true;
		const finding = inspect(item, depth + 1, walk);
		if (finding !== undefined) return at(`[${i}]`, finding);
	}
	return undefined;
};

const inspectPlainObject = (object: object, depth: number, walk: Walk): Finding | undefined => {
	if (walk.isThorough && types.isArgumentsObject(object)) return found('is an `arguments` object: pass [...arguments]');
	if (walk.isThorough && types.isModuleNamespaceObject(object)) return found('is the namespace of a module: pass what is needed of it');
	return inspectProperties(object, depth, walk);
};

const inspectProperties = (object: object, depth: number, walk: Walk, isAlreadyEntered = false): Finding | undefined => {
	const keys = Object.keys(object);
	let isEntered = isAlreadyEntered || keys.length > REMEMBERED_SIZE;
	if (isEntered && !isAlreadyEntered && !enter(object, walk)) return undefined;
	for (const key of keys) {
		let child: unknown;
		try {
			child = (object as Record<string, unknown>)[key];
		} catch (error) {
			return at(propertySegment(object, key), found(`can't be read, its getter throws: ${messageOf(error)}`));
		}
		if (isLeaf(child)) continue;
		if (!isEntered && !enter(object, walk)) return undefined;
		isEntered = true;
		const finding = inspect(child, depth + 1, walk);
		if (finding !== undefined) return at(propertySegment(object, key), finding);
	}
	return undefined;
};

/** False when it was walked already: cycles, and objects that are used in many places. */
const enter = (container: object, walk: Walk): boolean => {
	walk.visited ??= new Set();
	if (walk.visited.has(container)) return false;
	walk.visited.add(container);
	return true;
};

const inspectInstance = (instance: object, prototype: object, depth: number, walk: Walk): Finding | undefined => {
	const finding = inspectInside(instance, prototype, depth, walk);
	if (finding !== undefined || !walk.isThorough || isReadBack(instance)) return finding;
	const name = typeName(instance);
	if (types.isNativeError(instance)) return found(`is an ${name} that can't be read back, as when it is reachable from its own cause`);
	return found(`is a ${name}${adviceFor(instance, name)}`);
};

const inspectInside = (instance: object, prototype: object, depth: number, walk: Walk): Finding | undefined => {
	if (types.isMap(instance)) return inspectEntries([...instance], '.keys()', depth, walk, instance);
	if (types.isSet(instance))
		return inspectEntries(
			[...instance].map(member => [member]),
			'.values()',
			depth,
			walk,
			instance,
		);
	if (types.isNativeError(instance)) return inspectError(instance, depth, walk);
	if (types.isDate(instance) || types.isRegExp(instance) || types.isAnyArrayBuffer(instance) || types.isBoxedPrimitive(instance))
		return undefined;
	if (Object.keys(instance).length > 0 || !hidesState(prototype)) return inspectProperties(instance, depth, walk);
	const name = typeName(instance);
	return found(`is a ${name}${isReadBack(instance) ? ', which would arrive as {}' : ''}${adviceFor(instance, name)}`);
};

const inspectEntries = (
	entries: readonly (readonly unknown[])[],
	keysSegment: string,
	depth: number,
	walk: Walk,
	container: object,
): Finding | undefined => {
	if (!enter(container, walk)) return undefined;
	for (const [i, [key, value]] of entries.entries()) {
		const inKey = inspect(key, depth + 1, walk);
		if (inKey !== undefined) return at(`${keysSegment}[${i}]`, inKey);
		const inValue = inspect(value, depth + 1, walk);
		if (inValue !== undefined) return at(typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `.values()[${i}]`, inValue);
	}
	return undefined;
};

const inspectError = (error: Error, depth: number, walk: Walk): Finding | undefined => {
	if (!Object.hasOwn(error, 'message') && error.message !== '') {
		const name = typeName(error);
		return found(`is a ${name}, whose message would be lost${adviceFor(error, name)}`);
	}
	// Of an error v8 writes own properties only: message, stack and cause.
	if (!Object.hasOwn(error, 'cause') || isLeaf(error.cause)) return undefined;
	walk.isUnproven = true;
	if (!enter(error, walk)) return undefined;
	const finding = inspect(error.cause, depth + 1, walk);
	return finding === undefined ? undefined : at('.cause', finding);
};

/**
 * All that such an object shows, it shows through its class, and the class stays behind. The root of the prototypes does not count: it is
 * Object.prototype, maybe that of another realm.
 */
const hidesState = (prototype: object): boolean => {
	let current = prototype;
	for (let next = Object.getPrototypeOf(current); next !== null; next = Object.getPrototypeOf(current)) {
		if (Reflect.ownKeys(current).some(key => key !== 'constructor')) return true;
		current = next;
	}
	return false;
};

const isReadBack = (value: unknown): boolean => {
	try {
		deserialize(serialize(value));
		return true;
	} catch {
		return false;
	}
};

const ADVICE: Readonly<Record<string, string>> = {
	URL: 'pass its href',
	URLSearchParams: 'pass its toString()',
	Blob: 'pass its bytes, `Buffer.from(await blob.arrayBuffer())`',
	File: 'pass its bytes, `Buffer.from(await file.arrayBuffer())`',
	Headers: 'pass [...headers]',
	Response: 'pass its text() or arrayBuffer()',
	DOMException: 'pass its name and message',
	SharedArrayBuffer: 'pass a copy of its bytes',
	WeakRef: 'pass its deref()',
};

const adviceFor = (instance: object, name: string): string => {
	if (types.isPromise(instance)) return ': await it first';
	if (types.isGeneratorObject(instance) || name.endsWith('Iterator')) return ': pass its items as an array';
	if (types.isKeyObject(instance) || types.isCryptoKey(instance)) return ': pass the exported key';
	return `: ${ADVICE[name] ?? 'pass what is needed of it as plain data'}`;
};

const typeName = (instance: object): string => {
	try {
		const tag: unknown = (instance as {[Symbol.toStringTag]?: unknown})[Symbol.toStringTag];
		return String(typeof tag === 'string' ? tag : instance.constructor.name) || 'class instance';
	} catch {
		return 'class instance';
	}
};

const messageOf = (error: unknown): string => (types.isNativeError(error) ? String(error.message) : 'something was thrown');

const at = (segment: string, finding: Finding): Finding => {
	finding.segments.push(segment);
	return finding;
};

const propertySegment = (object: object, key: string): string => {
	if (Array.isArray(object) && /^\d+$/.test(key)) return `[${key}]`;
	return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
};

const joinPath = (segments: readonly string[]): string => {
	const path = segments.toReversed().join('');
	return path.length <= 240 ? path : `${path.slice(0, 120)} … ${path.slice(-80)}`;
};
