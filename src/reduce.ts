/** Gathers the outcomes of all tasks, in task order, from the `.out` files of the attempts that count. */
import {type InspectOptions, inspect} from 'node:util';
import type {Chunk} from './chunks.js';
import {TaskError} from './errors.js';
import {type Home, outputFile} from './layout.js';
import type {AttemptFailure} from './map-state.js';
import type {Files} from './ports.js';
import {readFinished} from './read-finished.js';
import {readOutcomeFile} from './read-outcomes.js';
import {fromRemoteError} from './remote-error.js';
import {readTail, readTails, type TailRange} from './stderr-tail.js';
import type {Block, Source, TaskFailure} from './v8-serialize-helpers.js';

/** What became of one task, as `mapSettled` tells it: the shape of `Promise.allSettled`, and where and when. */
export type Outcome<R> = ({readonly status: 'fulfilled'; readonly value: R} | {readonly status: 'rejected'; readonly reason: TaskError}) & {
	readonly itask: number;
	readonly ichunk: number;
	/** The attempt whose outcome this is; 0 when none was begun. */
	readonly attempt: number;
	readonly jobId: string | undefined;
	readonly host: string | undefined;
	/** When `fn` was called; undefined when it never was. */
	readonly startedAt: Date | undefined;
	/** How long `fn` took on the worker-node, by a clock that never goes back. */
	readonly elapsedMs: number | undefined;
};

export type Reducer = {
	/** Takes over the result file of an attempt, whole or not at all. `attempts`: all of its chunk, for some of its outcomes may be from earlier ones. */
	readonly collect: (chunk: Chunk, attempts: readonly ReducedAttempt[], attempt: number, path: string) => Promise<Collected>;
	/** Takes over what the attempts at a chunk have finished, and gives all other tasks of it the same failure. */
	readonly fail: (chunk: Chunk, attempts: readonly ReducedAttempt[], failure: AttemptFailure) => Promise<void>;
	readonly counts: () => {readonly done: number; readonly failed: number};
	/** Whether any task that counts has written to stderr. */
	readonly hasStderr: () => boolean;
	/** What workers say that the user should know, each sentence once. */
	readonly notices: () => readonly string[];
	/** In task order, a hole where a task has no value. */
	readonly values: () => unknown[];
	/** In task order. */
	readonly failures: () => TaskError[];
	/** In task order, a hole where a task has no outcome yet. */
	readonly outcomes: () => Outcome<unknown>[];
	/** Of every chunk that has its outcomes, in the order in which they came, but the first so many chunks. */
	readonly arrivals: (numSkipped: number) => Outcome<unknown>[][];
};

/** What is told of an attempt with its outcomes. */
export type ReducedAttempt = {
	readonly attempt: number;
	readonly jobId: string | undefined;
	readonly host: string | undefined;
	/** Of a claimed chunk. */
	readonly home?: Home | undefined;
	readonly failure: AttemptFailure | undefined;
};

export type Collected =
	| {readonly kind: 'whole'; readonly host: string}
	| {readonly kind: 'start-failed'; readonly cause: 'start-failed' | 'code-changed'; readonly host: string; readonly reason: string}
	| {readonly kind: 'damaged'; readonly reason: string};

export type ReducerInput = {
	readonly session: string;
	readonly workDir: string;
	readonly numTasks: number;
	/** Of a map that is resumed the tasks are read from their files. */
	readonly taskAt: (itask: number) => unknown | Promise<unknown>;
	readonly files: Files;
};

export const createReducer = (input: ReducerInput): Reducer => {
	const values: unknown[] = new Array(input.numTasks);
	const failures = new Map<number, TaskError>();
	/** In the order in which chunks came. */
	const decided: (readonly Piece[])[] = [];
	let numDone = 0;
	let hasStderr = false;
	const notices = new Set<string>();

	const addFailure = async (chunk: Chunk, who: ReducedAttempt, index: number, failure: TaskFailure, stderrTail: string): Promise<void> => {
		const itask = chunk.firstTask + index;
		const fields = {
			kind: failure.kind,
			itask,
			ichunk: chunk.ichunk,
			attempt: who.attempt,
			jobId: who.jobId,
			host: who.host,
			input: await describeInput(input, itask),
			remote: failure.remote,
			stderrTail,
		};
		failures.set(itask, new TaskError(failure.message, fields, failure.remote && fromRemoteError(failure.remote)));
	};

	const addBlocks = async (chunk: Chunk, attempts: readonly ReducedAttempt[], blocks: readonly Block[]): Promise<Piece[]> => {
		const pieces: Piece[] = [];
		for (const block of blocks) {
			for (let i = 0; i < block.count; i++) {
				if (!block.failures.has(block.first + i)) values[chunk.firstTask + block.first + i] = block.values[i];
			}
			numDone += block.count - block.failures.size;
			hasStderr ||= [...block.outputs.values()].some(({stderr: [from, to]}) => to > from);
			const who = attemptOf(attempts, block.attempt);
			const {first, count, startedAt, elapsedMs} = block;
			pieces.push({chunk, attempt: who, first, count, startedAt, elapsedMs});
			const failed = [...block.failures];
			const ranges = failed.map(([index]) => block.outputs.get(index)?.stderr ?? NOTHING);
			const {path: errorPath} = outputFile(input.workDir, chunk.ichunk, who, 'e');
			const tails = ranges.some(range => range !== NOTHING) ? await readTails(input.files, errorPath, ranges) : [];
			for (const [at, [index, failure]] of failed.entries()) {
				const death = failure.deadAttempts === undefined ? undefined : lastDeath(attempts, failure, failure.deadAttempts);
				if (death === undefined) await addFailure(chunk, who, index, failure, tails[at] ?? '');
				else {
					const tail = await readTail(input.files, outputFile(input.workDir, chunk.ichunk, death.who, 'e'));
					await addFailure(chunk, death.who, index, death.failure, tail);
				}
			}
		}
		return pieces;
	};

	const toOutcomes = (pieces: readonly Piece[]): Outcome<unknown>[] =>
		pieces.flatMap(piece =>
			Array.from({length: piece.count}, (_, i) => {
				const itask = piece.chunk.firstTask + piece.first + i;
				return toOutcome(piece, i, itask, failures.get(itask), values[itask]);
			}),
		);

	return {
		collect: async (chunk, attempts, attempt, path) => {
			const file = await readOutcomeFile(input.files, path, {
				session: input.session,
				ichunk: chunk.ichunk,
				attempt,
				numTasks: chunk.numTasks,
			});
			if (file.kind !== 'whole') return file;
			decided.push(await addBlocks(chunk, withSources(attempts, file.sources), file.blocks));
			hasStderr ||= file.stderrBytes > 0;
			for (const notice of file.notices) notices.add(notice);
			return {kind: 'whole', host: file.host};
		},
		fail: async (chunk, attempts, {kind, reason}) => {
			const {blocks, sources} = await readFinished(input.files, input, chunk, attempts);
			const pieces = await addBlocks(chunk, withSources(attempts, sources), blocks);
			const last = blocks.at(-1);
			const numFinished = last === undefined ? 0 : last.first + last.count;
			const who = attempts.at(-1) ?? NO_ATTEMPT;
			const tail = who === NO_ATTEMPT ? '' : await readTail(input.files, outputFile(input.workDir, chunk.ichunk, who, 'e'));
			for (let i = numFinished; i < chunk.numTasks; i++) await addFailure(chunk, who, i, {kind, message: reason}, tail);
			const nothing = {startedAt: new Float64Array(), elapsedMs: new Float32Array()};
			decided.push([...pieces, {chunk, attempt: who, first: numFinished, count: chunk.numTasks - numFinished, ...nothing}]);
		},
		counts: () => ({done: numDone, failed: failures.size}),
		hasStderr: () => hasStderr,
		notices: () => [...notices],
		values: () => values,
		failures: () => [...failures.values()].sort((a, b) => a.itask - b.itask),
		outcomes: () => {
			const outcomes: Outcome<unknown>[] = new Array(input.numTasks);
			for (const pieces of decided) for (const outcome of toOutcomes(pieces)) outcomes[outcome.itask] = outcome;
			return outcomes;
		},
		arrivals: numSkipped => decided.slice(numSkipped).map(toOutcomes),
	};
};

const NOTHING: TailRange = [0, 0];

const NO_ATTEMPT: ReducedAttempt = {attempt: 0, jobId: undefined, host: undefined, failure: undefined};

/** Consecutive tasks of a chunk that one attempt has computed, or that failed together. */
type Piece = {
	readonly chunk: Chunk;
	readonly attempt: ReducedAttempt;
	/** Index in the chunk. */
	readonly first: number;
	readonly count: number;
	/** Empty when they were never computed. */
	readonly startedAt: Float64Array;
	readonly elapsedMs: Float32Array;
};

/** The workers themselves know best where they ran: the queue may not have been asked while they did. */
const withSources = (attempts: readonly ReducedAttempt[], sources: readonly Source[]): ReducedAttempt[] =>
	attempts.map(each => {
		const source = sources.find(({attempt}) => attempt === each.attempt);
		return {...each, host: source?.host ?? each.host, home: source?.home ?? each.home};
	});

/** An attempt that is not among them was typed by hand. */
const attemptOf = (attempts: readonly ReducedAttempt[], attempt: number): ReducedAttempt =>
	attempts.find(each => each.attempt === attempt) ?? {...NO_ATTEMPT, attempt};

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

const toOutcome = (
	{chunk, attempt, startedAt, elapsedMs}: Piece,
	i: number,
	itask: number,
	failure: TaskError | undefined,
	value: unknown,
): Outcome<unknown> => {
	const began = startedAt[i];
	const took = elapsedMs[i];
	return {
		...(failure === undefined ? {status: 'fulfilled', value} : {status: 'rejected', reason: failure}),
		itask,
		ichunk: chunk.ichunk,
		// Of a task in which a worker died: that worker's.
		attempt: failure?.attempt ?? attempt.attempt,
		jobId: failure?.jobId ?? attempt.jobId,
		host: failure?.host ?? attempt.host,
		startedAt: began === undefined || Number.isNaN(began) ? undefined : new Date(began),
		elapsedMs: took === undefined || Number.isNaN(took) ? undefined : took,
	};
};

const describeInput = async ({taskAt}: ReducerInput, itask: number): Promise<string> => {
	try {
		return printInput(await taskAt(itask));
	} catch (error) {
		return `(its file can't be read: ${(error as Error).message})`;
	}
};

const MAX_INPUT_LENGTH = 200;

const printInput = (task: unknown): string => {
	const text = inspectSafely(task, {
		depth: 2,
		maxArrayLength: 10,
		maxStringLength: MAX_INPUT_LENGTH,
		breakLength: Number.POSITIVE_INFINITY,
	});
	return text.length > MAX_INPUT_LENGTH ? `${text.slice(0, MAX_INPUT_LENGTH)}…` : text;
};

/** A class may bring a printer of its own, which may throw: that must not end a map. */
const inspectSafely = (task: unknown, options: InspectOptions): string => {
	try {
		return inspect(task, options);
	} catch {
		return inspect(task, {...options, customInspect: false});
	}
};
