import type {FileHandle} from 'node:fs/promises';

/** A single read call gives at most 2 GiB - 1. */
const MAX_READ = 2 ** 30;

/** Reads a part of a file, in as many calls as it takes; less than `length` bytes only at the end of the file. */
export const readFully = async (handle: FileHandle, position: number, length: number): Promise<Buffer> => {
	// Memory of its own: a slice of Node's shared pool would be kept alive by one small result.
	const buffer = Buffer.allocUnsafeSlow(length);
	let done = 0;
	while (done < length) {
		const {bytesRead} = await handle.read(buffer, done, Math.min(length - done, MAX_READ), position + done);
		if (bytesRead === 0) break;
		done += bytesRead;
	}
	return buffer.subarray(0, done);
};
