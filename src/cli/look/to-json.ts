/** The value of a task as JSON, or why it can't be written so: nothing is changed silently. */
import {isBigInt64Array, isBigUint64Array} from 'node:util/types';

export type Encoded = {readonly kind: 'json'; readonly json: string} | {readonly kind: 'refused'; readonly problem: string};

/**
 * `undefined` as a whole value is `null`, and is left out as a property, as JSON has it; a Date is its ISO text, and what has a `toJSON` is what that gives; a typed array is an array of numbers.
 * NaN, infinite numbers, BigInts, Maps, Sets and what else JSON would turn into something else is refused, with its place.
 */
export const toJson = (value: unknown): Encoded => {
	try {
		const plain = simplify(value, 'value', []);
		return {kind: 'json', json: JSON.stringify(plain === undefined ? null : plain)};
	} catch (error) {
		if (!(error instanceof Refusal)) throw error;
		return {kind: 'refused', problem: error.message};
	}
};

class Refusal extends Error {}

const refuse = (path: string, what: string): Refusal => new Refusal(`${path} is ${what}, which JSON has not`);

const simplify = (value: unknown, path: string, above: readonly object[]): unknown => {
	switch (typeof value) {
		case 'number':
			if (Number.isFinite(value)) return value;
			throw refuse(path, String(value));
		case 'bigint':
			throw refuse(path, `the BigInt ${value}`);
		case 'object':
			return value === null ? null : simplifyObject(value, path, above);
		default:
			return value;
	}
};

const simplifyObject = (value: object, path: string, above: readonly object[]): unknown => {
	if (above.includes(value)) throw refuse(path, 'a value that holds itself');
	const inside = [...above, value];
	if (Array.isArray(value)) {
		// A hole, too.
		return Array.from(value as readonly unknown[], (element, i) => {
			if (element === undefined) throw refuse(`${path}[${i}]`, 'undefined');
			return simplify(element, `${path}[${i}]`, inside);
		});
	}
	if (ArrayBuffer.isView(value)) return simplifyView(value, path, inside);
	if ('toJSON' in value && typeof value.toJSON === 'function') {
		const json: unknown = value.toJSON();
		if (json === null) throw refuse(path, `a ${nameOf(value)} without a value`);
		return simplify(json, path, inside);
	}
	const prototype: unknown = Object.getPrototypeOf(value);
	if (prototype !== Object.prototype && prototype !== null) throw refuse(path, `a ${nameOf(value)}`);
	return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, simplify(each, `${path}.${key}`, inside)]));
};

const simplifyView = (value: ArrayBufferView, path: string, inside: readonly object[]): unknown => {
	if (value instanceof DataView || isBigInt64Array(value) || isBigUint64Array(value)) throw refuse(path, `a ${nameOf(value)}`);
	return simplify(Array.from(value as Uint8Array), path, inside);
};

const nameOf = (value: object): string =>
	(Object.prototype.toString.call(value) === '[object Object]' ? value.constructor?.name : undefined) ??
	Object.prototype.toString.call(value).slice('[object '.length, -1);
