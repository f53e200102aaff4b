/** What became of one task, as the caller is told it. */
import {type Chunk, itaskOf} from './chunks.js';
import type {TaskError} from './errors.js';
import type {Home} from './layout.js';
import type {AttemptFailure} from './map-state.js';

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

/** What is told of an attempt with its outcomes. */
export type ReducedAttempt = {
	readonly attempt: number;
	readonly jobId: string | undefined;
	readonly host: string | undefined;
	/** Of a claimed chunk. */
	readonly home?: Home | undefined;
	readonly failure: AttemptFailure | undefined;
};

/** Consecutive tasks of a chunk that one attempt has computed, or that failed together. An object for every task is made when it is asked for: a million of them need more than a million numbers. */
export type Piece = {
	readonly chunk: Chunk;
	readonly attempt: ReducedAttempt;
	/** Index in the chunk. */
	readonly first: number;
	readonly count: number;
	/** Empty when they were never computed; undefined in the place of a failure. */
	readonly values: readonly unknown[];
	/** By index in the chunk. */
	readonly failures: ReadonlyMap<number, TaskError>;
	/** Both empty when they were never computed. */
	readonly startedAt: Float64Array;
	readonly elapsedMs: Float32Array;
};

/** @param from - Index in the chunk: outcomes before it are left out. */
export const toOutcomes = (piece: Piece, from = 0): Outcome<unknown>[] => {
	const numSkipped = Math.max(0, from - piece.first);
	return Array.from({length: Math.max(0, piece.count - numSkipped)}, (_, i) => toOutcome(piece, numSkipped + i));
};

const toOutcome = ({chunk, attempt, first, values, failures, startedAt, elapsedMs}: Piece, i: number): Outcome<unknown> => {
	const failure = failures.get(first + i);
	const began = startedAt[i];
	const took = elapsedMs[i];
	return {
		...(failure === undefined ? {status: 'fulfilled', value: values[i]} : {status: 'rejected', reason: failure}),
		itask: itaskOf(chunk, first + i),
		ichunk: chunk.ichunk,
		// Of a task in which a worker died: that worker's.
		attempt: failure?.attempt ?? attempt.attempt,
		jobId: failure?.jobId ?? attempt.jobId,
		host: failure?.host ?? attempt.host,
		startedAt: began === undefined || Number.isNaN(began) ? undefined : new Date(began),
		elapsedMs: took === undefined || Number.isNaN(took) ? undefined : took,
	};
};
