/** The head of a block file: who wrote it, and what it holds. It is JSON, so that any version reads that. */
import type {Home} from '../layout.js';
import {BlockFileError, decodeFrame, END_MARK_LENGTH, encodeFrame, FRAME_HEAD_LENGTH, hasEndMark, payloadLength} from './block-frames.js';
import type {Reader} from './byte-source.js';

export type FileHeader = {
	readonly kind: 'tasks' | 'outcomes' | 'shared';
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
	/** Of a claimed chunk. */
	readonly home?: Home;
	/** Where the blocks that were taken over from earlier attempts may be from. */
	readonly sources?: readonly Source[];
	readonly pid: number;
	readonly writtenAt: string;
};

/** An attempt, and where it ran. */
export type Source = {readonly attempt: number; readonly host: string; readonly jobId?: string; readonly home?: Home};

/** The attempt that has written a file of outcomes. */
export const sourceOfHeader = ({attempt = 0, host, jobId, home}: FileHeader): Source => ({
	attempt,
	host,
	...(jobId === undefined ? {} : {jobId}),
	...(home === undefined ? {} : {home}),
});

export const encodeHeader = (header: FileHeader): Buffer => Buffer.concat(encodeFrame('HEAD', [Buffer.from(JSON.stringify(header))]));

/** @throws BlockFileError when the head is cut off, damaged, of another format, or none of ours. */
export const readHeader = async (read: Reader, size: number): Promise<{header: FileHeader; headLength: number}> => {
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
	return {header: decodeHeader(await read(0, headLength)), headLength};
};

/** @throws BlockFileError when the head frame is damaged, of another format, or none of ours. */
export const decodeHeader = (frame: Buffer): FileHeader => parseHeader(decodeFrame('HEAD', frame));

const parseHeader = (bytes: Buffer): FileHeader => {
	const header = JSON.parse(bytes.toString()) as FileHeader;
	if (header.format !== 1) {
		throw new BlockFileError(
			'format',
			`The file has format ${header.format}, written by Node ${header.node}; this version reads format 1.`,
		);
	}
	if (!KINDS.has(header.kind)) {
		throw new BlockFileError('foreign', `The file holds ${JSON.stringify(header.kind)}, neither tasks nor outcomes nor what tasks share.`);
	}
	return header;
};

const KINDS: ReadonlySet<string> = new Set<FileHeader['kind']>(['tasks', 'outcomes', 'shared']);
