/** Blocks of outcomes, as workers have written them -> pieces, in which failures are errors that tell all that is known of them. */
import {type Chunk, itaskOf} from './chunks.js';
import {TaskError} from './errors.js';
import {type OutputFile, outputFile} from './layout.js';
import type {AttemptFailure} from './map-state.js';
import type {Piece, ReducedAttempt} from './outcome.js';
import type {Files} from './ports.js';
import {printInput} from './print-input.js';
import {readTail, readTails, type TailRange} from './read/stderr-tail.js';
import {fromRemoteError} from './remote-error.js';
import type {Block, Source, TaskFailure} from './v8-serialize-helpers.js';

export type PieceInput = {
	readonly workDir: string;
	/** A task, from its file, by its index in this map. */
	readonly taskAt: (itask: number) => Promise<unknown>;
	readonly files: Pick<Files, 'openSource'>;
};

/** @param attempts - All of the chunk, for some of its outcomes may be from earlier ones. */
export const makePieces = async (
	input: PieceInput,
	chunk: Chunk,
	attempts: readonly ReducedAttempt[],
	blocks: readonly Block[],
	sources: readonly Source[],
): Promise<Piece[]> => {
	const known = withSources(attempts, sources);
	const pieces: Piece[] = [];
	for (const block of blocks) {
		const {first, count, values, startedAt, elapsedMs} = block;
		const attempt = attemptOf(known, block.attempt);
		const failures = await makeErrors(input, chunk, known, attempt, block);
		pieces.push({chunk, attempt, first, count, values, failures, startedAt, elapsedMs});
	}
	return pieces;
};

/** The tasks of a chunk from an index on, which fail because no attempt has finished them. */
export const makeFailedPiece = async (
	input: PieceInput,
	chunk: Chunk,
	attempts: readonly ReducedAttempt[],
	first: number,
	{kind, reason}: AttemptFailure,
): Promise<Piece> => {
	const attempt = attempts.at(-1) ?? NO_ATTEMPT;
	const tail = attempt === NO_ATTEMPT ? '' : await readTail(input.files, stderrOf(input, chunk, attempt));
	const failures = new Map<number, TaskError>();
	for (let i = first; i < chunk.numTasks; i++) failures.set(i, await makeError(input, chunk, attempt, i, {kind, message: reason}, tail));
	const nothing = {values: [], startedAt: new Float64Array(), elapsedMs: new Float32Array()};
	return {chunk, attempt, first, count: chunk.numTasks - first, failures, ...nothing};
};

const NO_ATTEMPT: ReducedAttempt = {attempt: 0, jobId: undefined, host: undefined, failure: undefined};

/** The workers themselves know best where they ran: the queue may not have been asked while they did. */
const withSources = (attempts: readonly ReducedAttempt[], sources: readonly Source[]): ReducedAttempt[] =>
	attempts.map(each => {
		const source = sources.find(({attempt}) => attempt === each.attempt);
		return {...each, host: source?.host ?? each.host, home: source?.home ?? each.home};
	});

/** An attempt that is not among them was typed by hand. */
const attemptOf = (attempts: readonly ReducedAttempt[], attempt: number): ReducedAttempt =>
	attempts.find(each => each.attempt === attempt) ?? {...NO_ATTEMPT, attempt};

const stderrOf = ({workDir}: PieceInput, {ichunk}: Chunk, attempt: ReducedAttempt): OutputFile => outputFile(workDir, ichunk, attempt, 'e');

const NOTHING: TailRange = [0, 0];

const makeErrors = async (
	input: PieceInput,
	chunk: Chunk,
	attempts: readonly ReducedAttempt[],
	attempt: ReducedAttempt,
	block: Block,
): Promise<Map<number, TaskError>> => {
	const errors = new Map<number, TaskError>();
	if (block.failures.size === 0) return errors;
	const failed = [...block.failures];
	const ranges = failed.map(([index]) => block.outputs.get(index)?.stderr ?? NOTHING);
	const tails = ranges.some(range => range !== NOTHING) ? await readTails(input.files, stderrOf(input, chunk, attempt).path, ranges) : [];
	for (const [at, [index, failure]] of failed.entries()) {
		const death = failure.deadAttempts === undefined ? undefined : lastDeath(attempts, failure, failure.deadAttempts);
		if (death === undefined) {
			errors.set(index, await makeError(input, chunk, attempt, index, failure, tails[at] ?? ''));
			continue;
		}
		const tail = await readTail(input.files, stderrOf(input, chunk, death.who));
		errors.set(index, await makeError(input, chunk, death.who, index, death.failure, tail));
	}
	return errors;
};

/** Of a task in which its workers died the last worker only knows that; why they did is known here. */
const lastDeath = (
	attempts: readonly ReducedAttempt[],
	failure: TaskFailure,
	deadAttempts: readonly number[],
): {who: ReducedAttempt; failure: TaskFailure} | undefined => {
	const who = attempts.findLast(({attempt, failure}) => deadAttempts.includes(attempt) && failure !== undefined);
	if (who?.failure === undefined) return undefined;
	// That it took too long nobody need explain.
	if (failure.kind === 'task-limit') return {who, failure};
	const {kind, reason} = who.failure;
	const times = deadAttempts.length === 1 ? '' : `, as did ${deadAttempts.length - 1} before it`;
	return {who, failure: {kind, message: `its worker died while it computed this task${times}: ${reason}`}};
};

const makeError = async (
	input: PieceInput,
	chunk: Chunk,
	{attempt, jobId, host}: ReducedAttempt,
	index: number,
	{kind, message, remote}: TaskFailure,
	stderrTail: string,
): Promise<TaskError> => {
	const described = await describeInput(input, chunk.firstTask + index);
	const fields = {kind, itask: itaskOf(chunk, index), ichunk: chunk.ichunk, attempt, jobId, host, input: described, remote, stderrTail};
	return new TaskError(message, fields, remote && fromRemoteError(remote));
};

const describeInput = async ({taskAt}: PieceInput, itask: number): Promise<string> => {
	try {
		return printInput(await taskAt(itask));
	} catch (error) {
		return `(its file can't be read: ${(error as Error).message})`;
	}
};
