/**
 * The file format of a chunk's tasks and of an attempt's outcomes: v8 values <-> bytes. Nothing here knows files.
 *
 * A file is a head frame, block frames, an index frame and an end mark. The head is JSON, so that any version reads who wrote it.
 */
import {
	BlockFileError,
	decodeEndMark,
	decodeFrame,
	END_MARK_LENGTH,
	encodeEndMark,
	encodeFrame,
	FRAME_HEAD_LENGTH,
	hasEndMark,
	payloadLength,
	totalLength,
} from './block-frames.js';
import {
	APART,
	addEntry,
	type Block,
	createPendingBlock,
	decodeBlock,
	type EntryStatus,
	encodeBlock,
	FAILURE,
	FLAT,
	type OutputRange,
	type PendingBlock,
	replaceEntry,
	type TaskFailure,
} from './blocks.js';
import {type ByteSource, createReader, type Reader} from './byte-source.js';
import {copyIfFlat, flatSize, isFlat} from './flat-values.js';
import {checkSize, deserialiseValue, MAX_VALUE_BYTES, serialiseValue} from './v8-values.js';

export {BlockFileError, type BlockFileErrorReason} from './block-frames.js';
export type {Block, EntryStatus, OutputRange, TaskFailure} from './blocks.js';
export type {ByteSource} from './byte-source.js';
export {UnserialisableError} from './unserialisable.js';

export type FileHeader = {
	readonly kind: 'tasks' | 'outcomes';
	readonly format: 1;
	/** `process.version` of the writer: another Node major may be unable to read its values. */
	readonly node: string;
	readonly session: string;
	readonly ichunk: number;
	/** The index of the chunk's first task among all tasks. */
	readonly firstTask: number;
	readonly numTasks: number;
	readonly attempt?: number;
	readonly host: string;
	readonly jobId?: string;
	readonly pid: number;
	readonly writtenAt: string;
};

/** When a task began, how long it took, and what it wrote. */
export type Timing = {
	/** Milliseconds since 1970. */
	readonly startedAt: number;
	readonly elapsedMs: number;
	readonly output?: OutputRange;
};

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
	/** The index and the end mark. What pends must have been taken before. */
	end(trailer: unknown): Buffer[];
};

export const createBlockFileEncoder = (header: FileHeader, limits: EncoderLimits = {}): BlockFileEncoder => {
	const {maxEntries = 16_384, maxBytes = 2 ** 20, maxValueBytes = MAX_VALUE_BYTES} = limits;
	const headFrame = Buffer.concat(encodeFrame('HEAD', [Buffer.from(JSON.stringify(header))]));
	const blocks: {offset: number; first: number; count: number}[] = [];
	let offset = headFrame.length;
	let numEntries = 0;
	// More than one only when a value did not fit, or when nobody took the full one.
	let pending: PendingBlock[] = [];
	let current: PendingBlock | undefined;

	const blockFor = (numBytes: number): PendingBlock => {
		if (current === undefined || current.count >= maxEntries || current.numBytes + numBytes > maxBytes) {
			current = createPendingBlock(numEntries);
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
				blocks.push({offset, first: block.first, count: block.count});
				offset += totalLength(frame);
				return frame;
			});
			pending = [];
			current = undefined;
			return buffers;
		},
		end: trailer => {
			if (pending.length > 0) throw new Error('Expected every block to be taken before the end of the file, got one that pends.');
			const index: FileIndex = {
				numEntries,
				offsets: Float64Array.from(blocks, block => block.offset),
				firsts: Float64Array.from(blocks, block => block.first),
				counts: Uint32Array.from(blocks, block => block.count),
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
	readonly firsts: Float64Array;
	readonly counts: Uint32Array;
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
	const {offsets, firsts, numEntries, trailer} = index;
	return {
		header,
		trailer,
		numEntries,
		numBlocks: offsets.length,
		firsts,
		readBlock: async iblock => {
			const from = offsets[iblock];
			if (from === undefined) throw new RangeError(`Expected \`iblock\` to be an integer from 0 to ${offsets.length - 1}, got ${iblock}`);
			const to = offsets[iblock + 1] ?? indexOffset;
			return decodeBlock(decodeFrame('BLCK', await read(from, to - from)));
		},
	};
};

const readHeader = async (read: Reader, size: number): Promise<{header: FileHeader; headLength: number}> => {
	const start = await read(0, Math.min(size, FRAME_HEAD_LENGTH));
	const isEnded = size >= END_MARK_LENGTH && hasEndMark(await read(size - END_MARK_LENGTH, END_MARK_LENGTH));
	const type = start.toString('latin1', 0, 4);
	if (!'HEAD'.startsWith(type)) {
		if (isEnded) throw new BlockFileError('corrupt', 'The head of the file is damaged.');
		throw new BlockFileError('foreign', `This is no file of tasks or outcomes: it begins with ${JSON.stringify(type)}.`);
	}
	const headLength = FRAME_HEAD_LENGTH + (start.length < FRAME_HEAD_LENGTH ? 0 : payloadLength(start));
	if (headLength > size) {
		if (isEnded) throw new BlockFileError('corrupt', 'The head of the file is damaged.');
		throw new BlockFileError('truncated', `The file is cut off in its head: it has ${size} bytes.`);
	}
	return {header: parseHeader(decodeFrame('HEAD', await read(0, headLength))), headLength};
};

const parseHeader = (bytes: Buffer): FileHeader => {
	const header = JSON.parse(bytes.toString()) as FileHeader;
	if (header.format !== 1) {
		throw new BlockFileError(
			'format',
			`The file has format ${header.format}, written by Node ${header.node}; this version reads format 1.`,
		);
	}
	if (header.kind !== 'tasks' && header.kind !== 'outcomes') {
		throw new BlockFileError('foreign', `The file holds ${JSON.stringify(header.kind)}, neither tasks nor outcomes.`);
	}
	return header;
};
