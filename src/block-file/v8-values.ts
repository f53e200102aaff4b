/** One value <-> its bytes, by v8. */
import {DefaultDeserializer, serialize} from 'node:v8';
import {inspectValue, UnserialisableError} from '../unserialisable.js';

/** Files are read at most 2 GiB - 1 at a time, and a block needs some room around its value. */
export const MAX_VALUE_BYTES: number = 2 ** 31 - 2 ** 16;

/** @throws UnserialisableError, also for what v8 would write but lose, or could not read back. */
export const serialiseValue = (value: unknown, maxBytes: number = MAX_VALUE_BYTES): Buffer => {
	const inspection = inspectValue(value);
	if (inspection.kind === 'bad') throw new UnserialisableError(inspection.path, inspection.problem);
	try {
		const bytes = serialize(value);
		checkSize(bytes.length, maxBytes);
		if (inspection.kind === 'unproven') createDeserialiser(bytes).readValue();
		return bytes;
	} catch (error) {
		throw error instanceof UnserialisableError ? error : explain(value, error);
	}
};

export const checkSize = (numBytes: number, maxBytes: number): void => {
	if (numBytes <= maxBytes) return;
	throw new UnserialisableError(
		'',
		`needs ${numBytes} bytes, more than the ${maxBytes} that can be written: put it into a file and pass its path`,
	);
};

const explain = (value: unknown, error: unknown): UnserialisableError => {
	const inspection = inspectValue(value, true);
	if (inspection.kind === 'bad') return new UnserialisableError(inspection.path, inspection.problem, {cause: error});
	return new UnserialisableError('', `can't be serialised: ${error instanceof Error ? error.message : String(error)}`, {cause: error});
};

/** A value of a run of values, or why it can't be read. */
export type ReadValue = {readonly isRead: true; readonly value: unknown} | {readonly isRead: false; readonly error: unknown};

/** v8's mark of a reference to an object that came earlier in the same value. */
const BACK_REFERENCE = 0x5e;

/**
 * Reads values that lie one after the other, in order.
 *
 * A deserialiser costs more than a small value. One can read many values, but counts their objects on, while each value's references count
 * its own. So it is shared by values that can't hold a reference, for they lack its byte, and the others get one each.
 */
export const createSequentialReader = (bytes: Buffer): ((from: number, to: number) => ReadValue) => {
	let shared: Deserialiser | undefined;
	let nextReference = bytes.indexOf(BACK_REFERENCE);
	return (from, to) => {
		if (nextReference !== -1 && nextReference < from) nextReference = bytes.indexOf(BACK_REFERENCE, from);
		const isShareable = nextReference === -1 || nextReference >= to;
		try {
			if (isShareable && shared !== undefined) {
				shared.readHeader();
				return {isRead: true, value: shared.readValue()};
			}
			const deserialiser = createDeserialiser(isShareable ? bytes.subarray(from) : bytes.subarray(from, to));
			shared = isShareable ? deserialiser : undefined;
			return {isRead: true, value: deserialiser.readValue()};
		} catch (error) {
			shared = undefined;
			return {isRead: false, error};
		}
	};
};

/** @throws Error when the bytes are no v8 value, or one of a later Node. */
export const deserialiseValue = (bytes: Buffer): unknown => createDeserialiser(bytes).readValue();

const createDeserialiser = (bytes: Buffer): Deserialiser => {
	const deserialiser = new Deserialiser(bytes);
	deserialiser.readHeader();
	return deserialiser;
};

type HostObjectReader = {_readHostObject(this: DefaultDeserializer): ArrayBufferView};
const readView = (DefaultDeserializer.prototype as unknown as HostObjectReader)._readHostObject;

/** v8 returns typed arrays as views into what was read, so that one small result would keep the whole block in memory. Here each gets memory of its own. */
class Deserialiser extends DefaultDeserializer {
	_readHostObject(): ArrayBufferView {
		const view = readView.call(this);
		if (view.byteLength === view.buffer.byteLength) return view;
		const memory = new Uint8Array(view.byteLength);
		memory.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
		// Its constructor is the deprecated one.
		if (Buffer.isBuffer(view)) return Buffer.from(memory.buffer);
		const View = view.constructor as new (buffer: ArrayBuffer) => ArrayBufferView;
		return new View(memory.buffer);
	}
}
