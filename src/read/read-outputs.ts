/** What the attempts at a chunk have written to stdout and stderr, task by task. */
import {type Home, type OutputFile, outputFile} from '../layout.js';
import type {Files} from '../ports.js';
import type {Block, OutputRange} from '../v8-serialize-helpers.js';
import {readTail} from './stderr-tail.js';

export type TaskOutput = {readonly stdout: string; readonly stderr: string};

export type ChunkOutputs = {
	/** What a task itself has written. */
	readonly of: (attempt: number, range: OutputRange | undefined) => TaskOutput;
	/** Of tasks that have no outcome of their own: the last lines of the last attempt, which may tell why. */
	readonly last: TaskOutput;
};

export type OutputsInput = {
	readonly workDir: string;
	readonly ichunk: number;
	readonly blocks: readonly Block[];
	/** Undefined when there was none. */
	readonly lastAttempt: number | undefined;
	/** Of the attempts at a claimed chunk whose output is in the files of another. */
	readonly homes: ReadonlyMap<number, Home>;
};

export const readOutputs = async (
	files: Pick<Files, 'openSource'>,
	{workDir, ichunk, blocks, lastAttempt, homes}: OutputsInput,
): Promise<ChunkOutputs> => {
	const fileOf = (attempt: number, kind: 'o' | 'e'): OutputFile => outputFile(workDir, ichunk, {attempt, home: homes.get(attempt)}, kind);
	const pieces = new Map<number, {readonly stdout: Piece; readonly stderr: Piece}>();
	for (const attempt of new Set(blocks.map(block => block.attempt))) {
		const ranges = blocks.flatMap(block => (block.attempt === attempt ? [...block.outputs.values()] : []));
		pieces.set(attempt, {
			stdout: await readPiece(
				files,
				fileOf(attempt, 'o').path,
				ranges.map(({stdout}) => stdout),
			),
			stderr: await readPiece(
				files,
				fileOf(attempt, 'e').path,
				ranges.map(({stderr}) => stderr),
			),
		});
	}
	return {
		of: (attempt, range) => ({
			stdout: cut(pieces.get(attempt)?.stdout, range?.stdout),
			stderr: cut(pieces.get(attempt)?.stderr, range?.stderr),
		}),
		last:
			lastAttempt === undefined
				? NOTHING
				: {stdout: await readTail(files, fileOf(lastAttempt, 'o')), stderr: await readTail(files, fileOf(lastAttempt, 'e'))},
	};
};

const NOTHING: TaskOutput = {stdout: '', stderr: ''};

type Range = readonly [from: number, to: number];

/** The bytes of a file from `from` on. */
type Piece = {readonly from: number; readonly bytes: Buffer};

/** Only what these ranges span: the file of a queue-job has the output of all chunks that it has claimed. */
const readPiece = async (files: Pick<Files, 'openSource'>, path: string, ranges: readonly Range[]): Promise<Piece> => {
	const from = ranges.reduce((least, range) => Math.min(least, range[0]), Number.POSITIVE_INFINITY);
	const to = ranges.reduce((most, range) => Math.max(most, range[1]), 0);
	return {from, bytes: from < to ? await readBytes(files, path, from, to) : Buffer.alloc(0)};
};

/** As many of them as there are. */
const readBytes = async (files: Pick<Files, 'openSource'>, path: string, from: number, to: number): Promise<Buffer> => {
	try {
		const source = await files.openSource(path);
		try {
			const end = Math.min(to, source.size);
			return end > from ? await source.read(from, end - from) : Buffer.alloc(0);
		} finally {
			await source.close();
		}
	} catch {
		return Buffer.alloc(0);
	}
};

const cut = (piece: Piece | undefined, range: Range | undefined): string =>
	piece === undefined || range === undefined ? '' : piece.bytes.subarray(range[0] - piece.from, range[1] - piece.from).toString();
