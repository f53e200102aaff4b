/** What was thrown on the worker -> plain data that v8 always round-trips, and back to an Error for use as a `cause`. */
import {inspect, types} from 'node:util';
import type {RemoteError} from './errors.js';
import {WORKER_SCRIPT} from './layout.js';

/** Enough for people to read; a block holds thousands of failures. */
const MAX_TEXT_LENGTH = 16_384;
const MAX_PROPERTIES = 32;
const MAX_CAUSE_DEPTH = 10;
/** Of one thrown value, its causes and its `errors` together. */
const MAX_ERRORS = 100;

/** Never throws, whatever was thrown: null, cyclic causes, getters and Proxies that throw. */
export const toRemoteError = (thrown: unknown): RemoteError =>
	describe(thrown, {depth: 0, ancestors: new Set(), budget: {numLeft: MAX_ERRORS}});

/** `ancestors`: the errors whose cause or member this one is. */
type Place = {readonly depth: number; readonly ancestors: ReadonlySet<unknown>; readonly budget: {numLeft: number}};

const describe = (thrown: unknown, place: Place): RemoteError => {
	place.budget.numLeft--;
	return isError(thrown) ? describeError(thrown, place) : describeOther(thrown);
};

const isError = (thrown: unknown): thrown is Error => attempt(() => types.isNativeError(thrown) || thrown instanceof Error, false);

const describeOther = (thrown: unknown): RemoteError => ({
	name: thrown === null ? 'null' : typeof thrown === 'object' ? (textOf(() => thrown.constructor.name) ?? 'object') : typeof thrown,
	message: shorten(
		typeof thrown === 'string' ? thrown : attempt(() => inspect(thrown, {customInspect: false, depth: 1}), "a value that can't be printed"),
	),
});

const describeError = (error: Error, place: Place): RemoteError => {
	const stack = withoutWorkerFrames(textOf(() => error.stack));
	const code = attempt<unknown>(() => (error as {code?: unknown}).code, undefined);
	const cause = describeCause(error, place);
	const errors = describeMembers(error, place);
	const properties = primitiveProperties(error);
	return {
		name: textOf(() => error.name) ?? 'Error',
		message: textOf(() => error.message) ?? "an error whose message can't be read",
		...(stack === undefined ? {} : {stack}),
		...(typeof code === 'number' ? {code} : typeof code === 'string' ? {code: shorten(code)} : {}),
		...(cause === undefined ? {} : {cause}),
		...(errors === undefined ? {} : {errors}),
		...(Object.keys(properties).length === 0 ? {} : {properties}),
	};
};

/** How the worker program came to call fn is the same in every stack, and tells its reader nothing. */
const withoutWorkerFrames = (stack: string | undefined): string | undefined =>
	stack
		?.split('\n')
		.filter(line => !/^\s+at /.test(line) || !(line.includes(`/${WORKER_SCRIPT}:`) || line.includes('AsyncLocalStorage.run ')))
		.join('\n');

const describeCause = (error: Error, place: Place): RemoteError | undefined => {
	const hasCause = attempt(() => Object.hasOwn(error, 'cause'), false);
	if (!hasCause || place.budget.numLeft <= 0) return undefined;
	return describeInner(() => error.cause, error, place);
};

const describeMembers = (error: Error, place: Place): RemoteError[] | undefined => {
	const members = attempt<unknown>(() => (error as {errors?: unknown}).errors, undefined);
	if (!attempt(() => Array.isArray(members), false)) return undefined;
	const described: RemoteError[] = [];
	const length = attempt(() => (members as unknown[]).length, 0);
	for (let i = 0; i < length && place.budget.numLeft > 0; i++) described.push(describeInner(() => (members as unknown[])[i], error, place));
	return described;
};

const describeInner = (read: () => unknown, outer: Error, place: Place): RemoteError => {
	const ancestors = new Set(place.ancestors).add(outer);
	const depth = place.depth + 1;
	const inner = attempt<unknown>(read, new Error("it can't be read"));
	if (ancestors.has(inner)) return {name: 'Error', message: 'the same error again, it is its own cause'};
	if (depth > MAX_CAUSE_DEPTH) return {name: 'Error', message: `more than ${MAX_CAUSE_DEPTH} causes, the rest is left out`};
	return describe(inner, {depth, ancestors, budget: place.budget});
};

/** What has a place of its own in a RemoteError. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors']);

const primitiveProperties = (error: Error): Record<string, unknown> => {
	const names = attempt(() => Object.keys(error), []).filter(name => !OWN_FIELDS.has(name));
	const properties: Record<string, unknown> = {};
	for (const name of names.slice(0, MAX_PROPERTIES)) {
		const value = attempt<unknown>(() => (error as unknown as Record<string, unknown>)[name], undefined);
		const isPrimitive = value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
		if (isPrimitive) define(properties, shorten(name), typeof value === 'string' ? shorten(value) : value);
	}
	return properties;
};

/** Not an assignment: the name may be `__proto__`. */
const define = (object: object, name: string, value: unknown): void => {
	Object.defineProperty(object, name, {value, enumerable: true, configurable: true, writable: true});
};

/** Undefined when it can't be read or is no string. */
const textOf = (read: () => unknown): string | undefined => {
	const text = attempt<unknown>(read, undefined);
	return typeof text === 'string' ? shorten(text) : undefined;
};

const shorten = (text: string): string => {
	if (text.length <= MAX_TEXT_LENGTH) return text;
	// Without a character beyond Latin-1, which would double the bytes of all.
	const half = MAX_TEXT_LENGTH / 2;
	return `${text.slice(0, half)} ... ${text.length - MAX_TEXT_LENGTH} characters left out ... ${text.slice(-half)}`;
};

const attempt = <Value>(read: () => Value, otherwise: Value): Value => {
	try {
		return read();
	} catch {
		return otherwise;
	}
};

const NATIVE_ERRORS: Readonly<Record<string, ErrorConstructor>> = {EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError};

/** An Error with the name, message, stack, code, cause and properties of what was thrown; an AggregateError when that had `errors`. */
export const fromRemoteError = (remote: RemoteError): Error => {
	const options = remote.cause === undefined ? {} : {cause: fromRemoteError(remote.cause)};
	const NativeError = Object.hasOwn(NATIVE_ERRORS, remote.name) ? NATIVE_ERRORS[remote.name]! : Error;
	const error =
		remote.errors === undefined
			? new NativeError(remote.message, options)
			: new AggregateError(remote.errors.map(fromRemoteError), remote.message, options);
	// As of an Error's own: printed with it, but not among its properties.
	const hidden = {name: remote.name, stack: remote.stack ?? `${remote.name}: ${remote.message}`};
	for (const [name, value] of Object.entries(hidden)) Object.defineProperty(error, name, {value, configurable: true, writable: true});
	for (const [name, value] of Object.entries(remote.properties ?? {})) define(error, name, value);
	if (remote.code !== undefined) define(error, 'code', remote.code);
	return error;
};
