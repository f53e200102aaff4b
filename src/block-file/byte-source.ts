/** Reading exact ranges of what may be cut off, never beyond its end. */
import {BlockFileError} from './block-frames.js';

/** The bytes of a file, wherever they are. */
export type ByteSource = {readonly size: number; read(position: number, length: number): Promise<Buffer>};

/** @throws BlockFileError `truncated` when there are not that many bytes. */
export type Reader = (position: number, length: number) => Promise<Buffer>;

/** Most files of a map are smaller than this: then one read gets it all, which counts on a network file system. */
const TAIL_LENGTH = 16_384;

export const createReader = async (source: ByteSource): Promise<Reader> => {
	const tailStart = Math.max(0, source.size - TAIL_LENGTH);
	const tail = await readExactly(source, tailStart, source.size - tailStart);
	return async (position, length) => {
		if (position >= tailStart) return tail.subarray(position - tailStart, position - tailStart + length);
		return readExactly(source, position, length);
	};
};

const readExactly = async (source: ByteSource, position: number, length: number): Promise<Buffer> => {
	const bytes = await source.read(position, length);
	if (bytes.length === length) return bytes;
	throw new BlockFileError('truncated', `The file is cut off: it should have ${source.size} bytes and ends at ${position + bytes.length}.`);
};
