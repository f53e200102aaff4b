/** The frames that a block file is made of, and its end mark. A frame: type (4), length of the payload (4), crc32 of all else (4), payload. */
import {crc32} from 'node:zlib';

/**
 * - `truncated`: the file ends too early, or is still being written.
 * - `corrupt`: some of its bytes are not those that were written.
 * - `foreign`: it is no block file.
 * - `format`: it is a block file in a form that this version does not read.
 */
export type BlockFileErrorReason = 'truncated' | 'corrupt' | 'foreign' | 'format';

export class BlockFileError extends Error {
	readonly reason: BlockFileErrorReason;

	constructor(reason: BlockFileErrorReason, message: string, options: {cause?: unknown} = {}) {
		super(message, options);
		this.reason = reason;
	}
}
Object.defineProperty(BlockFileError.prototype, 'name', {value: 'BlockFileError', configurable: true, writable: true});

/** A mark and an over lie between the blocks of a growing file, see {@link Mark} and {@link Over}. */
export type FrameType = 'HEAD' | 'BLCK' | 'MARK' | 'OVER' | 'INDX';

export const FRAME_HEAD_LENGTH = 12;

/** The frame as buffers to be written one after the other. */
export const encodeFrame = (type: FrameType, payload: readonly Buffer[]): Buffer[] => {
	const head = Buffer.alloc(FRAME_HEAD_LENGTH);
	head.write(type, 0, 'latin1');
	head.writeUInt32LE(totalLength(payload), 4);
	head.writeUInt32LE(checksum([head.subarray(0, 8), ...payload]), 8);
	return [head, ...payload];
};

/** The payload's length, from the first 12 bytes of a frame. */
export const payloadLength = (frameHead: Buffer): number => frameHead.readUInt32LE(4);

/** The payload of a whole frame. */
export const decodeFrame = (type: FrameType, frame: Buffer): Buffer => {
	const payload = frame.subarray(FRAME_HEAD_LENGTH);
	const isWhole =
		frame.length >= FRAME_HEAD_LENGTH &&
		frame.toString('latin1', 0, 4) === type &&
		payloadLength(frame) === payload.length &&
		frame.readUInt32LE(8) === checksum([frame.subarray(0, 8), payload]);
	if (!isWhole) throw new BlockFileError('corrupt', `A ${type} frame is damaged: its bytes are not those that were written.`);
	return payload;
};

/** What a worker writes before it begins tasks: entries below `finished` are in this file; those from there up to, but not including, `begunUpTo` may be under way. */
export type Mark = {readonly finished: number; readonly begunUpTo: number};

const MARK_LENGTH = 8;

export const encodeMark = ({finished, begunUpTo}: Mark): Buffer[] => {
	const payload = Buffer.alloc(MARK_LENGTH);
	payload.writeUInt32LE(finished, 0);
	payload.writeUInt32LE(begunUpTo, 4);
	return encodeFrame('MARK', [payload]);
};

export const decodeMark = (frame: Buffer): Mark => {
	const payload = decodeFrame('MARK', frame);
	checkLength(payload, MARK_LENGTH);
	return {finished: payload.readUInt32LE(0), begunUpTo: payload.readUInt32LE(4)};
};

/** The last words of a worker that is ended for a task that took too long: the task's index in the chunk, and how long it took. */
export type Over = {readonly index: number; readonly elapsedMs: number};

const OVER_LENGTH = 12;

export const encodeOver = ({index, elapsedMs}: Over): Buffer[] => {
	const payload = Buffer.alloc(OVER_LENGTH);
	payload.writeUInt32LE(index, 0);
	payload.writeDoubleLE(elapsedMs, 4);
	return encodeFrame('OVER', [payload]);
};

export const decodeOver = (frame: Buffer): Over => {
	const payload = decodeFrame('OVER', frame);
	checkLength(payload, OVER_LENGTH);
	return {index: payload.readUInt32LE(0), elapsedMs: payload.readDoubleLE(4)};
};

const checkLength = (payload: Buffer, length: number): void => {
	if (payload.length !== length) throw new BlockFileError('corrupt', `Expected a frame of ${length} bytes, got ${payload.length}.`);
};

export const totalLength = (buffers: readonly Buffer[]): number => buffers.reduce((sum, buffer) => sum + buffer.length, 0);

const checksum = (buffers: readonly Buffer[]): number => buffers.reduce((sum, buffer) => crc32(buffer, sum), 0);

export const END_MARK_LENGTH = 16;

/** What the end marks of all formats have in common, and ours. */
const END_PREFIX = 'QMREND';
const END_MAGIC = 'QMREND01';

export const encodeEndMark = (indexOffset: number): Buffer => {
	const mark = Buffer.alloc(END_MARK_LENGTH);
	mark.writeBigUInt64LE(BigInt(indexOffset), 0);
	mark.write(END_MAGIC, 8, 'latin1');
	return mark;
};

/** That of any format. */
export const hasEndMark = (lastBytes: Buffer): boolean => lastBytes.toString('latin1', 8).startsWith(END_PREFIX);

/** Where the index frame begins. */
export const decodeEndMark = (mark: Buffer): number => {
	const magic = mark.toString('latin1', 8);
	if (magic === END_MAGIC) return Number(mark.readBigUInt64LE(0));
	if (hasEndMark(mark)) throw new BlockFileError('format', `The file ends with ${JSON.stringify(magic)}; this version reads ${END_MAGIC}.`);
	throw new BlockFileError('truncated', 'The file has no end mark: it is cut off, or still being written.');
};
