/** Gathers the outcomes of all tasks, in task order, from the `.out` files of the attempts that count. */
import {type InspectOptions, inspect} from 'node:util';
import type {Chunk} from './chunks.js';
import {TaskError, type TaskErrorKind} from './errors.js';
import {findBlock} from './find-block.js';
import {attemptPath} from './layout.js';
import type {Files} from './ports.js';
import {readOutcomeFile} from './read-outcomes.js';
import {fromRemoteError} from './remote-error.js';
import {readTail, readTails, type TailRange} from './stderr-tail.js';
import type {Block, TaskFailure} from './v8-serialize-helpers.js';

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
	/** Takes over the result file of an attempt, whole or not at all. */
	readonly collect: (chunk: Chunk, attempt: AttemptId, path: string) => Promise<Collected>;
	/** Gives every task of a chunk the same failure. */
	readonly fail: (chunk: Chunk, attempt: AttemptId, kind: TaskErrorKind, reason: string) => Promise<void>;
	readonly counts: () => {readonly done: number; readonly failed: number};
	/** Whether any attempt that counts has written to stderr. */
	readonly hasStderr: () => boolean;
	/** In task order, a hole where a task has no value. */
	readonly values: () => unknown[];
	/** In task order. */
	readonly failures: () => TaskError[];
	readonly outcomes: () => Outcome<unknown>[];
	/** Of every chunk that has its outcomes, in the order in which they came, but the first so many chunks. */
	readonly arrivals: (numSkipped: number) => Outcome<unknown>[][];
};

type AttemptId = {readonly attempt: number; readonly jobId: string | undefined; readonly host: string | undefined};

export type Collected =
	| {readonly kind: 'whole'; readonly host: string}
	| {readonly kind: 'start-failed'; readonly host: string; readonly reason: string}
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
	const records: ChunkRecord[] = [];
	let numDone = 0;
	let hasStderr = false;

	const addFailure = async (chunk: Chunk, attempt: AttemptId, itask: number, failure: TaskFailure, stderrTail: string): Promise<void> => {
		const fields = {
			kind: failure.kind,
			itask,
			ichunk: chunk.ichunk,
			attempt: attempt.attempt,
			jobId: attempt.jobId,
			host: attempt.host,
			input: await describeInput(input, itask),
			remote: failure.remote,
			stderrTail,
		};
		failures.set(itask, new TaskError(failure.message, fields, failure.remote && fromRemoteError(failure.remote)));
	};

	const outcomesOf = (record: ChunkRecord): Outcome<unknown>[] =>
		Array.from({length: record.chunk.numTasks}, (_, i) => {
			const itask = record.chunk.firstTask + i;
			return toOutcome(record, i, failures.get(itask), values[itask]);
		});

	return {
		collect: async (chunk, attempt, path) => {
			const file = await readOutcomeFile(input.files, path, {
				session: input.session,
				ichunk: chunk.ichunk,
				attempt: attempt.attempt,
				numTasks: chunk.numTasks,
			});
			if (file.kind !== 'whole') return file;
			const where = {...attempt, host: file.host};
			for (const block of file.blocks) {
				for (let i = 0; i < block.count; i++) {
					if (!block.failures.has(block.first + i)) values[chunk.firstTask + block.first + i] = block.values[i];
				}
				numDone += block.count - block.failures.size;
			}
			const failed = file.blocks.flatMap(block =>
				[...block.failures].map(([i, failure]) => ({i, failure, range: block.outputs.get(i)?.stderr ?? NOTHING})),
			);
			const errorPath = attemptPath(input.workDir, chunk.ichunk, attempt.attempt, 'e');
			const hasTail = failed.some(({range}) => range !== NOTHING);
			const ranges = failed.map(({range}) => range);
			const tails = hasTail ? await readTails(input.files, errorPath, ranges) : [];
			for (const [at, {i, failure}] of failed.entries()) await addFailure(chunk, where, chunk.firstTask + i, failure, tails[at] ?? '');
			hasStderr ||= file.stderrBytes > 0;
			records.push({chunk, attempt: where, times: file.blocks.map(({first, startedAt, elapsedMs}) => ({first, startedAt, elapsedMs}))});
			return {kind: 'whole', host: file.host};
		},
		fail: async (chunk, attempt, kind, message) => {
			const tail = attempt.attempt === 0 ? '' : await readTail(input.files, attemptPath(input.workDir, chunk.ichunk, attempt.attempt, 'e'));
			const lastLine = tail.split('\n').at(-1);
			const full = lastLine === undefined || lastLine === '' ? message : `${message}; its stderr ends with: ${lastLine}`;
			for (let i = 0; i < chunk.numTasks; i++) await addFailure(chunk, attempt, chunk.firstTask + i, {kind, message: full}, tail);
			records.push({chunk, attempt, times: []});
		},
		counts: () => ({done: numDone, failed: failures.size}),
		hasStderr: () => hasStderr,
		values: () => values,
		failures: () => [...failures.values()].sort((a, b) => a.itask - b.itask),
		outcomes: () => {
			const outcomes: Outcome<unknown>[] = new Array(input.numTasks);
			for (const record of records) for (const outcome of outcomesOf(record)) outcomes[outcome.itask] = outcome;
			return outcomes;
		},
		arrivals: numSkipped => records.slice(numSkipped).map(outcomesOf),
	};
};

const NOTHING: TailRange = [0, 0];

/** Where and when the tasks of a chunk were computed. */
type ChunkRecord = {
	readonly chunk: Chunk;
	readonly attempt: AttemptId;
	readonly times: readonly Pick<Block, 'first' | 'startedAt' | 'elapsedMs'>[];
};

const toOutcome = ({chunk, attempt, times}: ChunkRecord, i: number, failure: TaskError | undefined, value: unknown): Outcome<unknown> => {
	const block = findBlock(times, i);
	const startedAt = block?.startedAt[i - block.first];
	return {
		...(failure === undefined ? {status: 'fulfilled', value} : {status: 'rejected', reason: failure}),
		itask: chunk.firstTask + i,
		ichunk: chunk.ichunk,
		attempt: attempt.attempt,
		jobId: attempt.jobId,
		host: attempt.host,
		startedAt: startedAt === undefined ? undefined : new Date(startedAt),
		elapsedMs: block?.elapsedMs[i - block.first],
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
