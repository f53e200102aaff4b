/** Gathers the outcomes of all tasks from the `.out` files of the attempts that count, and keeps of them what the caller will ask for. */
import type {Chunk} from './chunks.js';
import {PoolError, type TaskError} from './errors.js';
import {makeFailedPiece, makePieces, type PieceInput} from './make-pieces.js';
import type {AttemptFailure} from './map-state.js';
import {type Outcome, type Piece, type ReducedAttempt, toOutcomes} from './outcome.js';
import type {Files} from './ports.js';
import {readFinished} from './read/read-finished.js';
import {readOutcomeFile} from './read/read-outcomes.js';
import type {Block} from './v8-serialize-helpers.js';

export type Reducer = {
	/** Takes over the result file of an attempt, whole or not at all. `attempts`: all of its chunk, for some of its outcomes may be from earlier ones. */
	readonly collect: (chunk: Chunk, attempts: readonly ReducedAttempt[], attempt: number, path: string) => Promise<Collected>;
	/**
	 * Takes over what the attempts at a chunk have finished, and gives all other tasks of it the same failure.
	 *
	 * @returns How many these are.
	 */
	readonly fail: (chunk: Chunk, attempts: readonly ReducedAttempt[], failure: AttemptFailure) => Promise<number>;
	/** `cancelled`: only not computed, for the map was ended before. */
	readonly counts: () => {readonly done: number; readonly failed: number; readonly cancelled: number};
	/** Of a chunk that was collected or has failed: how many of its tasks have no value, be they failed or cancelled. */
	readonly numFailedIn: (ichunk: number) => number;
	/** Whether any task that counts has written to stderr. */
	readonly hasStderr: () => boolean;
	/** What workers say that the user should know, each sentence once. */
	readonly notices: () => readonly string[];
	/** In task order, a hole where a task has no value. */
	readonly values: () => unknown[];
	/** In task order. */
	readonly failures: () => TaskError[];
	/** In task order, without those that have no outcome yet. */
	readonly outcomes: () => Outcome<unknown>[];
	/** Of a chunk that was collected or has failed, in order, some at a time. Rejects when they are to be read again and can't. */
	readonly piecesOf: (ichunk: number) => AsyncGenerator<Piece>;
	/** Nobody will ask for this chunk again. */
	readonly forget: (ichunk: number) => void;
};

export type Collected =
	| {readonly kind: 'whole'; readonly host: string}
	| {readonly kind: 'start-failed'; readonly cause: 'start-failed' | 'code-changed'; readonly host: string; readonly reason: string}
	| {readonly kind: 'damaged'; readonly reason: string};

/**
 * What is kept in memory:
 * - `values`: the values and the failures, for `map`.
 * - `outcomes`: all that is known of every task.
 * - `nothing` but the failures of chunks that have failed: values are read again from their files.
 */
export type Keep = 'values' | 'outcomes' | 'nothing';

export type ReducerInput = PieceInput & {
	readonly session: string;
	readonly files: Files;
	readonly keep: Keep;
};

export const createReducer = (input: ReducerInput): Reducer => {
	const {session, files, keep} = input;
	/** By chunk. */
	const decided: DecidedChunk[] = [];
	const failures: TaskError[] = [];
	const notices = new Set<string>();
	/** By chunk, where it is not 0. */
	const numFailedByChunk = new Map<number, number>();
	let numDone = 0;
	let numFailed = 0;
	let numCancelled = 0;
	let hasStderr = false;

	const count = ({ichunk}: Chunk, pieces: readonly Piece[], blocks: readonly Block[]): void => {
		const numFailedHere = pieces.reduce((sum, piece) => sum + piece.failures.size, 0);
		if (numFailedHere > 0) numFailedByChunk.set(ichunk, numFailedHere);
		for (const piece of pieces) {
			numDone += piece.count - piece.failures.size;
			for (const {kind} of piece.failures.values()) {
				if (kind === 'cancelled') numCancelled++;
				else numFailed++;
			}
			if (keep !== 'nothing') for (const failure of piece.failures.values()) failures.push(failure);
		}
		hasStderr ||= blocks.some(({outputs}) => [...outputs.values()].some(({stderr: [from, to]}) => to > from));
	};

	const readAgain = async function* ({chunk, attempts, attempt, path}: Extract<DecidedChunk, {kind: 'on-disk'}>): AsyncGenerator<Piece> {
		const file = await readOutcomeFile(files, path, {session, ichunk: chunk.ichunk, attempt, numTasks: chunk.numTasks});
		if (file.kind !== 'whole') {
			const {workDir} = input;
			throw new PoolError('ERR_POOL_WORK_DIR', `A result that was there can't be read any more: ${file.reason}`, {workDir});
		}
		for (const block of file.blocks) yield* await makePieces(input, chunk, attempts, [block], file.sources);
	};

	const inOrder = (): Piece[] => decided.flatMap(chunk => (chunk?.kind === 'kept' ? chunk.pieces : []));

	return {
		collect: async (chunk, attempts, attempt, path) => {
			const file = await readOutcomeFile(files, path, {session, ichunk: chunk.ichunk, attempt, numTasks: chunk.numTasks});
			if (file.kind !== 'whole') return file;
			const pieces = await makePieces(input, chunk, attempts, file.blocks, file.sources);
			count(chunk, pieces, file.blocks);
			hasStderr ||= file.stderrBytes > 0;
			for (const notice of file.notices) notices.add(notice);
			decided[chunk.ichunk] =
				keep === 'nothing'
					? {kind: 'on-disk', chunk, attempts, attempt, path}
					: {kind: 'kept', pieces: keep === 'values' ? pieces.map(withoutTimes) : pieces};
			return {kind: 'whole', host: file.host};
		},
		fail: async (chunk, attempts, failure) => {
			const {blocks, sources} = await readFinished(files, input, chunk, attempts);
			const pieces = await makePieces(input, chunk, attempts, blocks, sources);
			const last = blocks.at(-1);
			const numFinished = last === undefined ? 0 : last.first + last.count;
			const numLeft = chunk.numTasks - numFinished;
			if (numLeft > 0) pieces.push(await makeFailedPiece(input, chunk, attempts, numFinished, failure));
			count(chunk, pieces, blocks);
			decided[chunk.ichunk] = {kind: 'kept', pieces};
			return numLeft;
		},
		counts: () => ({done: numDone, failed: numFailed, cancelled: numCancelled}),
		numFailedIn: ichunk => numFailedByChunk.get(ichunk) ?? 0,
		hasStderr: () => hasStderr,
		notices: () => [...notices],
		values: () => {
			const values: unknown[] = [];
			for (const {first, count: numValues, values: some, failures: failed} of inOrder()) {
				for (const value of some) values.push(value);
				// A hole, not undefined: that would be a value.
				values.length += numValues - some.length;
				for (const index of failed.keys()) delete values[values.length - numValues + index - first];
			}
			return values;
		},
		failures: () => failures.toSorted((a, b) => a.itask - b.itask),
		outcomes: () => inOrder().flatMap(piece => toOutcomes(piece)),
		piecesOf: async function* (ichunk) {
			const chunk = decided[ichunk];
			if (chunk?.kind === 'kept') yield* chunk.pieces;
			else if (chunk !== undefined) yield* readAgain(chunk);
		},
		forget: ichunk => {
			if (keep === 'nothing') delete decided[ichunk];
		},
	};
};

type DecidedChunk =
	| {readonly kind: 'kept'; readonly pieces: readonly Piece[]}
	| {
			readonly kind: 'on-disk';
			readonly chunk: Chunk;
			readonly attempts: readonly ReducedAttempt[];
			readonly attempt: number;
			readonly path: string;
	  };

const NO_STARTS = new Float64Array();
const NO_TIMES = new Float32Array();

/** They need more than the values, when these are numbers. */
const withoutTimes = (piece: Piece): Piece => ({...piece, startedAt: NO_STARTS, elapsedMs: NO_TIMES});
