/**
 * Reads a file of outcomes that grows, or has ended at any point, or is damaged anywhere: all that is whole up to the first frame that is not. No value is
 * read for that, so it costs little more than reading the bytes.
 */
import {type FileHeader, readHeader} from './block-file-header.js';
import {
	BlockFileError,
	decodeEndMark,
	decodeFrame,
	decodeMark,
	decodeOver,
	END_MARK_LENGTH,
	FRAME_HEAD_LENGTH,
	type Mark,
	type Over,
	payloadLength,
} from './block-frames.js';
import {type Block, decodeBlock, decodeBlockRange} from './blocks.js';
import {type ByteSource, createReader, type Reader} from './byte-source.js';

/** Where a block is: the entries from `first` on, and the bytes of its frame. */
export type BlockFrame = {readonly first: number; readonly count: number; readonly position: number; readonly length: number};

export type PartScan = {
	readonly header: FileHeader;
	/** Entries below it can be read. */
	readonly numFinished: number;
	/** Of these entries, in order, without a gap. */
	readonly frames: readonly BlockFrame[];
	/** The last one: what may have been under way. Undefined when no task was begun. */
	readonly mark: Mark | undefined;
	/** The task for which the worker was ended, because it took too long. */
	readonly over: Over | undefined;
	/** It has its index and its end mark: nothing will follow, and nothing is missing. */
	readonly isWhole: boolean;
	/** There is more, and it is not what was written: which tasks were begun after this is not known. */
	readonly isDamaged: boolean;
};

/** @throws BlockFileError when it has no whole head, or is none of this chunk's outcomes. */
export const scanPart = async (
	source: ByteSource,
	{session, ichunk}: {readonly session: string; readonly ichunk: number},
): Promise<PartScan> => {
	const read = createWindow(source);
	const {header, headLength} = await readHeader(await createReader(source), source.size);
	if (header.kind !== 'outcomes' || header.session !== session || header.ichunk !== ichunk) {
		throw new BlockFileError('foreign', `It holds ${header.kind} of chunk ${header.ichunk} of the session ${header.session}.`);
	}
	const frames: BlockFrame[] = [];
	let numFinished = 0;
	let mark: Mark | undefined;
	let over: Over | undefined;
	let end: 'whole' | 'cut' | 'damaged' | undefined;
	let position = headLength;
	while (end === undefined) {
		const frame = await readFrame(read, source.size, position);
		if (frame.kind !== 'frame') {
			end = frame.kind;
			break;
		}
		const {type, bytes} = frame;
		try {
			if (type === 'BLCK') {
				const {first, count} = decodeBlockRange(decodeFrame('BLCK', bytes));
				expectThat(first === numFinished && count > 0 && first + count <= header.numTasks);
				frames.push({first, count, position, length: bytes.length});
				numFinished += count;
			} else if (type === 'MARK') {
				const next = decodeMark(bytes);
				expectThat(next.finished === numFinished && next.begunUpTo >= next.finished && next.begunUpTo <= header.numTasks);
				mark = next;
			} else if (type === 'OVER') {
				const next = decodeOver(bytes);
				expectThat(next.index >= numFinished && next.index < header.numTasks);
				over = next;
			} else {
				decodeFrame('INDX', bytes);
				end = await readEnd(read, source.size, position, position + bytes.length);
			}
		} catch (error) {
			if (!(error instanceof BlockFileError)) throw error;
			end = 'damaged';
		}
		position += bytes.length;
	}
	return {header, numFinished, frames, mark, over, isWhole: end === 'whole', isDamaged: end === 'damaged'};
};

/** @throws BlockFileError when a block is not what it was when the file was scanned. */
export const readBlocks = async (source: ByteSource, frames: readonly BlockFrame[]): Promise<Block[]> => {
	const read = createWindow(source);
	const blocks: Block[] = [];
	for (const {position, length} of frames) {
		const bytes = await read(position, length);
		if (bytes.length < length) throw new BlockFileError('truncated', `The file is cut off at ${position + bytes.length}.`);
		blocks.push(decodeBlock(decodeFrame('BLCK', bytes)));
	}
	return blocks;
};

const expectThat = (isRight: boolean): void => {
	if (!isRight) throw new BlockFileError('corrupt', 'A frame does not go on with what is before it.');
};

type ReadFrame = {readonly kind: 'frame'; readonly type: string; readonly bytes: Buffer} | {readonly kind: 'cut' | 'damaged'};

/** Also of a frame whose bytes are wrong: its checksum is looked at by who knows its type. */
const readFrame = async (read: Reader, size: number, position: number): Promise<ReadFrame> => {
	const head = await read(position, Math.min(FRAME_HEAD_LENGTH, size - position));
	if (head.length < FRAME_HEAD_LENGTH) return {kind: 'cut'};
	const type = head.toString('latin1', 0, 4);
	// No length can be trusted then: it might ask for gigabytes.
	if (!['BLCK', 'MARK', 'OVER', 'INDX'].includes(type)) return {kind: 'damaged'};
	const length = FRAME_HEAD_LENGTH + payloadLength(head);
	if (position + length > size) return {kind: 'cut'};
	const bytes = await read(position, length);
	return bytes.length < length ? {kind: 'cut'} : {kind: 'frame', type, bytes};
};

const readEnd = async (read: Reader, size: number, indexOffset: number, indexEnd: number): Promise<'whole' | 'cut' | 'damaged'> => {
	const bytes = await read(indexEnd, Math.min(END_MARK_LENGTH, size - indexEnd));
	if (bytes.length < END_MARK_LENGTH) return 'cut';
	return decodeEndMark(bytes) === indexOffset && indexEnd + END_MARK_LENGTH === size ? 'whole' : 'damaged';
};

/** Marks and small blocks come by the thousand: one read gets many of them. */
const WINDOW_LENGTH = 2 ** 18;

/** Reads on and on through a source; gives fewer bytes than asked for when there are no more. */
const createWindow = (source: ByteSource): Reader => {
	let start = 0;
	let window: Buffer = Buffer.alloc(0);
	return async (position, length) => {
		if (position >= start && position + length <= start + window.length)
			return window.subarray(position - start, position - start + length);
		if (length > WINDOW_LENGTH) return source.read(position, length);
		start = position;
		window = await source.read(position, Math.min(WINDOW_LENGTH, source.size - position));
		return window.subarray(0, length);
	};
};
