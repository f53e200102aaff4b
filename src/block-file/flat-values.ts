/**
 * Flat values: primitives, and small plain objects and arrays that hold nothing but primitives. A block writes all of its flat values as
 * one v8 value, which is several times faster than one each. They are copied for that, so that later changes of the original and
 * sharing between entries do not reach the file.
 */
import {types} from 'node:util';

/** Beyond this a v8 value of its own costs little more. */
const MAX_MEMBERS = 16;

const NOT_FLAT = Symbol('not flat');

/** The value when it is primitive, a copy when it is otherwise flat, else what `isFlat` is false for. */
export const copyIfFlat = (value: unknown): unknown => {
	if (typeof value === 'symbol') return NOT_FLAT;
	if (isPrimitive(value)) return value;
	if (typeof value === 'function' || types.isProxy(value) || types.isArgumentsObject(value)) return NOT_FLAT;
	try {
		return Array.isArray(value) ? copyArray(value) : copyObject(value as object);
	} catch {
		// A getter threw: the long way finds out which.
		return NOT_FLAT;
	}
};

export const isFlat = (copy: unknown): boolean => copy !== NOT_FLAT;

const isPrimitive = (value: unknown): boolean => (typeof value === 'object' ? value === null : typeof value !== 'function');

const copyArray = (array: readonly unknown[]): unknown => {
	const {length} = array;
	if (length > MAX_MEMBERS || Object.getPrototypeOf(array) !== Array.prototype) return NOT_FLAT;
	// Index keys come first, so if the last is an index they all are: no holes and no further properties, which a copy would lose.
	const keys = Object.keys(array);
	if (keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1))) return NOT_FLAT;
	const copy = array.slice();
	return copy.every(isMember) ? copy : NOT_FLAT;
};

const copyObject = (object: object): unknown => {
	if (Object.getPrototypeOf(object) !== Object.prototype || Object.keys(object).length > MAX_MEMBERS) return NOT_FLAT;
	// The copy is what is looked at: a getter may return something else the next time.
	const copy: Record<string, unknown> = {...object};
	for (const key of Object.keys(copy)) {
		if (!isMember(copy[key])) return NOT_FLAT;
	}
	return copy;
};

const isMember = (value: unknown): boolean => isPrimitive(value) && typeof value !== 'symbol';

/** At least what v8 needs for it. */
export const flatSize = (flat: unknown): number => {
	switch (typeof flat) {
		case 'string':
			return 2 * flat.length + 8;
		case 'bigint':
			return BigInt.asIntN(64, flat) === flat ? 10 : flat.toString(16).length + 16;
		case 'object':
			return flat === null ? 1 : membersSize(flat as Record<string, unknown>);
		default:
			return 9;
	}
};

const membersSize = (flat: Record<string, unknown>): number => {
	let numBytes = 8;
	for (const key of Object.keys(flat)) numBytes += 2 * key.length + 8 + flatSize(flat[key]);
	return numBytes;
};
