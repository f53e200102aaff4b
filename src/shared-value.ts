/** The option `shared` <-> its file: one value, written once for a map, that all its tasks can see. */
import {decodeHeader, type FileHeader} from './block-file/block-file-header.js';
import {decodeEndMark, decodeFrame, END_MARK_LENGTH, FRAME_HEAD_LENGTH, payloadLength} from './block-file/block-frames.js';
import {decodeBlock} from './block-file/blocks.js';
import {PoolError} from './errors.js';
import {UnserialisableError} from './unserialisable.js';
import {createBlockFileEncoder} from './v8-serialize-helpers.js';

/**
 * The file as buffers to be written one after the other.
 *
 * @throws PoolError `ERR_POOL_OPTION` naming the path inside the value that can't be serialised.
 */
export const encodeShared = (value: unknown, writer: Pick<FileHeader, 'session' | 'node' | 'host' | 'pid' | 'writtenAt'>): Buffer[] => {
	const encoder = createBlockFileEncoder({...writer, kind: 'shared', format: 1, ichunk: 0, firstTask: 0, numTasks: 0});
	const head = encoder.begin();
	try {
		encoder.addValue(value);
	} catch (error) {
		if (!(error instanceof UnserialisableError)) throw error;
		const problem = `Expected \`shared\` to be a value that can be written to a file for the workers, got one that can't: ${error.message}`;
		throw new PoolError('ERR_POOL_OPTION', problem, {cause: error});
	}
	return [head, ...(encoder.takeBlock() as Buffer[]), ...encoder.end({})];
};

/**
 * Not by `openBlockFile`, which waits for its file: a task that asks for the value can't.
 *
 * @param bytes - Of the whole file.
 * @throws BlockFileError when it is cut off, damaged or of another format; Error when it is of another map.
 */
export const decodeShared = (bytes: Buffer, session: string): unknown => {
	const blockEnd = decodeEndMark(bytes.subarray(Math.max(0, bytes.length - END_MARK_LENGTH)));
	const blockBegin = FRAME_HEAD_LENGTH + (bytes.length < FRAME_HEAD_LENGTH ? 0 : payloadLength(bytes));
	const header = decodeHeader(bytes.subarray(0, blockBegin));
	if (header.kind !== 'shared' || header.session !== session) {
		throw new Error(`The file holds ${header.kind} of ${header.session}, not what the tasks of ${session} share.`);
	}
	return decodeBlock(decodeFrame('BLCK', bytes.subarray(blockBegin, blockEnd))).values[0];
};
