/**
 * Values of tasks and results as JSON. What JSON can't hold becomes an object with one key that begins with `$`:
 *
 * | value | in JSON |
 * | --- | --- |
 * | `undefined`, a hole in an array | `{"$undefined": true}` |
 * | `NaN`, `Infinity`, `-Infinity`, `-0` | `{"$number": "NaN"}` |
 * | `12n` | `{"$bigint": "12"}` |
 * | Date | `{"$date": "2026-11-21T00:20:07.000Z"}`, `null` for an invalid one |
 * | Map, Set | `{"$map": [[key, value], …]}`, `{"$set": [value, …]}` |
 * | typed array | `{"$Float64Array": [1, 2]}` |
 * | Buffer, ArrayBuffer, DataView | `{"$bytes": "base64"}` |
 * | RegExp | `{"$regexp": "/a/g"}` |
 * | Error | `{"$error": {"name": …, "message": …, "stack": …, "cause": …}}` |
 * | a boxed primitive | the primitive |
 * | an object inside itself | `{"$circular": "path to it"}` |
 * | an object whose one key begins with `$` | `{"$object": the object}` |
 */
import {types} from 'node:util';

export const toJsonValue = (value: unknown): unknown => encode(value, '', new Map());

const encode = (value: unknown, path: string, above: ReadonlyMap<object, string>): unknown => {
	switch (typeof value) {
		case 'undefined':
			return {$undefined: true};
		case 'bigint':
			return {$bigint: String(value)};
		case 'number':
			return Number.isFinite(value) && !Object.is(value, -0) ? value : {$number: Object.is(value, -0) ? '-0' : String(value)};
		case 'object':
			return value === null ? null : encodeObject(value, path, above);
		case 'string':
		case 'boolean':
			return value;
		default:
			return {$other: String(value)};
	}
};

const encodeObject = (value: object, path: string, above: ReadonlyMap<object, string>): unknown => {
	const circular = above.get(value);
	if (circular !== undefined) return {$circular: circular};
	const inside = new Map(above).set(value, path === '' ? '(the value itself)' : path);
	const at = (inner: unknown, key: string | number): unknown => encode(inner, path === '' ? String(key) : `${path}.${key}`, inside);
	if (Array.isArray(value)) return Array.from(value, at);
	if (types.isBoxedPrimitive(value)) return encode(value.valueOf(), path, above);
	if (types.isDate(value)) return {$date: Number.isNaN(value.getTime()) ? null : value.toISOString()};
	if (types.isRegExp(value)) return {$regexp: String(value)};
	if (types.isMap(value)) return {$map: [...value].map(([key, inner], i) => [at(key, i), at(inner, i)])};
	if (types.isSet(value)) return {$set: [...value].map(at)};
	if (Buffer.isBuffer(value)) return toBytes(value);
	if (types.isAnyArrayBuffer(value)) return toBytes(Buffer.from(value));
	if (types.isDataView(value)) return toBytes(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
	if (types.isTypedArray(value)) return {[`$${value[Symbol.toStringTag]}`]: Array.from(value as Iterable<unknown>, at)};
	if (types.isNativeError(value)) {
		const {name, message, stack, cause} = value;
		return {$error: {name, message, stack, ...(cause === undefined ? {} : {cause: at(cause, 'cause')})}};
	}
	const entries = Object.entries(value).map(([key, inner]) => [key, at(inner, key)] as const);
	const object: unknown = Object.fromEntries(entries);
	return entries.length === 1 && entries[0]?.[0].startsWith('$') ? {$object: object} : object;
};

const toBytes = (bytes: Buffer): unknown => ({$bytes: bytes.toString('base64')});
