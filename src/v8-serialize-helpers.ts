/**
 * The file format of a chunk's tasks and of an attempt's outcomes: v8 values <-> bytes. Nothing here knows files.
 *
 * A file is a head frame, block frames, an index frame and an end mark. Between the blocks of a worker's file there are marks of what was under way.
 */
import {encodeHeader, type FileHeader, readHeader} from './block-file/block-file-header.js';
import {
	BlockFileError,
	decodeEndMark,
	decodeFrame,
	END_MARK_LENGTH,
	encodeEndMark,
	encodeFrame,
	encodeMark,
	totalLength,
} from './block-file/block-frames.js';
import {
	APART,
	addEntry,
	type Block,
	createPendingBlock,
	decodeBlock,
	decodeBlockRange,
	type EntryStatus,
	encodeBlock,
	FAILURE,
	FLAT,
	type OutputRange,
	type PendingBlock,
	replaceEntry,
	type TaskFailure,
} from './block-file/blocks.js';
import {type ByteSource, createReader} from './block-file/byte-source.js';
import {copyIfFlat, flatSize, isFlat} from './block-file/flat-values.js';
import {checkSize, deserialiseValue, MAX_VALUE_BYTES, serialiseValue} from './block-file/v8-values.js';

export type {FileHeader, Source} from './block-file/block-file-header.js';
export {sourceOfHeader} from './block-file/block-file-header.js';
export {BlockFileError, type BlockFileErrorReason} from './block-file/block-frames.js';
export type {Block, EntryStatus, OutputRange, TaskFailure} from './block-file/blocks.js';
export type {ByteSource} from './block-file/byte-source.js';
export {UnserialisableError} from './unserialisable.js';

export type EncoderLimits = {
	/** A block ends with so many entries. @default 16384 */
	readonly maxEntries?: number;
	/** A block ends with so many bytes; a larger value has a block to itself. @default 1 MiB */
	readonly maxBytes?: number;
	/** A larger value is refused. @default 2 GiB - 64 KiB */
	readonly maxValueBytes?: number;
};

export type BlockFileEncoder = {
	/** The head frame, to be written first. */
	begin(): Buffer;
	/** @throws UnserialisableError, and is then as it was before. */
	addValue(value: unknown, startedAt?: number, elapsedMs?: number, output?: OutputRange): void;
	addFailure(failure: TaskFailure, startedAt?: number, elapsedMs?: number, output?: OutputRange): void;
	/** Puts a failure in the place of the entry with this index in the file. False when it does not pend: its block was taken. */
	replaceWithFailure(index: number, failure: TaskFailure): boolean;
	readonly numEntries: number;
	/** What pends should be taken now. */
	isFull(): boolean;
	/** All that pends, as buffers to be written one after the other; undefined when nothing does. */
	takeBlock(): Buffer[] | undefined;
	/**
	 * Goes on with a block of another file, as it is.
	 *
	 * @param frame - With its head.
	 * @throws BlockFileError, and is then as it was before, when it is damaged.
	 */
	copyBlock(frame: Buffer): Buffer[];
	/** Says that entries up to, but not including, this one may be under way. What pends must have been taken before. */
	mark(begunUpTo: number): Buffer[];
	/** The index and the end mark. What pends must have been taken before. */
	end(trailer: unknown): Buffer[];
};

export const createBlockFileEncoder = (header: FileHeader, limits: EncoderLimits = {}): BlockFileEncoder => {
	const {maxEntries = 16_384, maxBytes = 2 ** 20, maxValueBytes = MAX_VALUE_BYTES} = limits;
	const headFrame = encodeHeader(header);
	const blocks: {offset: number; length: number; first: number}[] = [];
	let offset = headFrame.length;
	let numEntries = 0;
	// More than one only when a value did not fit, or when nobody took the full one.
	let pending: PendingBlock[] = [];
	let current: PendingBlock | undefined;

	const blockFor = (numBytes: number): PendingBlock => {
		if (current === undefined || current.count >= maxEntries || current.numBytes + numBytes > maxBytes) {
			current = createPendingBlock(numEntries, header.attempt ?? 0);
			pending.push(current);
		}
		numEntries++;
		current.numBytes += numBytes;
		return current;
	};

	const addSerialised = (status: EntryStatus, bytes: Buffer, startedAt?: number, elapsedMs?: number, output?: OutputRange): void => {
		const block = blockFor(bytes.length);
		addEntry(block, status, startedAt, elapsedMs, output);
		block.serialised.push(bytes);
	};

	const push = (frame: readonly Buffer[], first: number): void => {
		const length = totalLength(frame);
		blocks.push({offset, length, first});
		offset += length;
	};

	return {
		begin: () => headFrame,
		addValue: (value, startedAt, elapsedMs, output) => {
			const flat = copyIfFlat(value);
			if (!isFlat(flat)) {
				addSerialised(APART, serialiseValue(value, maxValueBytes), startedAt, elapsedMs, output);
				return;
			}
			const numBytes = flatSize(flat);
			checkSize(numBytes, maxValueBytes);
			const block = blockFor(numBytes);
			addEntry(block, FLAT, startedAt, elapsedMs, output);
			block.flat.push(flat);
		},
		addFailure: (failure, startedAt, elapsedMs, output) => {
			addSerialised(FAILURE, serialiseValue(failure, maxValueBytes), startedAt, elapsedMs, output);
		},
		replaceWithFailure: (index, failure) => {
			const block = pending.find(({first, count}) => index >= first && index < first + count);
			if (block === undefined) return false;
			replaceEntry(block, index - block.first, serialiseValue(failure, maxValueBytes));
			return true;
		},
		get numEntries() {
			return numEntries;
		},
		isFull: () => current !== undefined && (pending.length > 1 || current.count >= maxEntries || current.numBytes >= maxBytes),
		takeBlock: () => {
			if (pending.length === 0) return undefined;
			const buffers = pending.flatMap(block => {
				const frame = encodeFrame('BLCK', encodeBlock(block));
				push(frame, block.first);
				return frame;
			});
			pending = [];
			current = undefined;
			return buffers;
		},
		copyBlock: frame => {
			const {first, count} = decodeBlockRange(decodeFrame('BLCK', frame));
			if (pending.length > 0 || first !== numEntries)
				throw new Error(`Expected a block from ${numEntries} on, with none pending, got ${first}.`);
			push([frame], first);
			numEntries += count;
			return [frame];
		},
		mark: begunUpTo => {
			if (pending.length > 0) throw new Error('Expected every block to be taken before a mark, got one that pends.');
			const frame = encodeMark({finished: numEntries, begunUpTo});
			offset += totalLength(frame);
			return frame;
		},
		end: trailer => {
			if (pending.length > 0) throw new Error('Expected every block to be taken before the end of the file, got one that pends.');
			const index: FileIndex = {
				numEntries,
				offsets: Float64Array.from(blocks, block => block.offset),
				lengths: Float64Array.from(blocks, block => block.length),
				firsts: Float64Array.from(blocks, block => block.first),
				trailer,
			};
			return [...encodeFrame('INDX', [serialiseValue(index)]), encodeEndMark(offset)];
		},
	};
};

/** Where the blocks are, and what was said at the end. */
type FileIndex = {
	readonly numEntries: number;
	readonly offsets: Float64Array;
	/** Of the blocks' frames; there may be marks between them. */
	readonly lengths: Float64Array;
	readonly firsts: Float64Array;
	readonly trailer: unknown;
};

export type BlockFile = {
	readonly header: FileHeader;
	/** What was given to `end`. */
	readonly trailer: unknown;
	readonly numEntries: number;
	readonly numBlocks: number;
	/** Of every block: the index in the file of its first entry. */
	readonly firsts: Float64Array;
	/** @throws BlockFileError when this block is damaged; the others can still be read. */
	readBlock(iblock: number): Promise<Block>;
};

/** @throws BlockFileError when the file is cut off, damaged, of another format, or none of ours. */
export const openBlockFile = async (source: ByteSource): Promise<BlockFile> => {
	const read = await createReader(source);
	const {header, headLength} = await readHeader(read, source.size);
	const indexOffset = decodeEndMark(await read(Math.max(headLength, source.size - END_MARK_LENGTH), END_MARK_LENGTH));
	const indexEnd = source.size - END_MARK_LENGTH;
	if (indexOffset >= indexEnd) throw new BlockFileError('corrupt', 'The end mark is damaged.');
	const index = deserialiseValue(decodeFrame('INDX', await read(indexOffset, indexEnd - indexOffset))) as FileIndex;
	const {offsets, lengths, firsts, numEntries, trailer} = index;
	return {
		header,
		trailer,
		numEntries,
		numBlocks: offsets.length,
		firsts,
		readBlock: async iblock => {
			const [from, length] = [offsets[iblock], lengths[iblock]];
			if (from === undefined || length === undefined)
				throw new RangeError(`Expected \`iblock\` to be an integer from 0 to ${offsets.length - 1}, got ${iblock}`);
			return decodeBlock(decodeFrame('BLCK', await read(from, length)));
		},
	};
};
