/** What the process-node knows of a running map: the steps read and change it, nobody else sees it. */
import type {Chunk} from './chunks.js';
import type {Journal} from './journal.js';
import type {AttemptFacts, JobFacts} from './judge.js';
import type {PoolOptions} from './options.js';
import type {Owner} from './owner.js';

export type MapState = {
	readonly session: string;
	readonly workDir: string;
	readonly options: MapOptions;
	readonly owner: Owner;
	readonly journal: Journal;
	readonly chunks: readonly ChunkState[];
	/** Chunks whose next attempt is to be submitted, in this order. */
	readonly toSubmit: Set<ChunkState>;
	/** Whether any worker of this map could begin its tasks: it makes its `.part` then. */
	anyWorkerStarted: boolean;
	/** Whether a queue-job of ours may be in the queue when the map has ended: a qsub got no answer, one was given up or is to be removed. */
	needsSweep: boolean;
};

/** The options that the loop needs, with their defaults. */
export type MapOptions = Required<
	Pick<PoolOptions, 'pollingIntervalMs' | 'maxNumResubmissions' | 'graceMs' | 'outageLimitMs' | 'stopOnError'>
>;

export const toMapOptions = (options: PoolOptions): MapOptions => ({
	pollingIntervalMs: options.pollingIntervalMs ?? 5000,
	maxNumResubmissions: options.maxNumResubmissions ?? 10,
	graceMs: options.graceMs ?? 90_000,
	outageLimitMs: options.outageLimitMs ?? 6 * 3_600_000,
	stopOnError: options.stopOnError ?? false,
});

export type ChunkState = {
	readonly chunk: Chunk;
	readonly attempts: AttemptState[];
	decision: Decision;
};

export type Decision =
	| {readonly kind: 'open'}
	| {readonly kind: 'done'; readonly attempt: number}
	| {readonly kind: 'failed'; readonly attempt: number};

/** What judge sees of an attempt, and what it takes to find its queue-job. */
export type AttemptState = {
	readonly attempt: number;
	readonly jobName: string;
	/** Undefined as long as qsub has not told it. */
	jobId: string | undefined;
	host: string | undefined;
	job: JobFacts;
	result: AttemptFacts['result'];
	end: AttemptFacts['end'];
	/** How often the scheduler was asked to explain. */
	numExplanations: number;
	/** Whether its queue-job is to be left alone: it was removed, or is known to be gone. */
	isRemoved: boolean;
};

export const createChunkStates = (chunks: readonly Chunk[]): ChunkState[] =>
	chunks.map(chunk => ({chunk, attempts: [], decision: {kind: 'open'}}));

export const openChunks = (state: MapState): ChunkState[] => state.chunks.filter(({decision}) => decision.kind === 'open');
