/** What the process-node knows of a running map: the steps read and change it, nobody else sees it. */
import type {Chunk} from './chunks.js';
import type {TaskErrorKind} from './errors.js';
import type {Journal} from './journal.js';
import type {AttemptFacts, Limits} from './judge.js';
import type {Home} from './layout.js';
import type {AttemptInfo, PoolOptions, Resources} from './options.js';
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
	/** Queue-jobs that are to be removed, of whose removal the queue has not heard. */
	readonly unremoved: Set<string>;
	/** Why queue-jobs wait, as far as the user was told. */
	readonly toldWaits: Set<string>;
};

/** The options that the loop needs, with their defaults. */
export type MapOptions = Limits & {
	readonly pollingIntervalMs: number;
	readonly outageLimitMs: number;
	readonly stopOnError: boolean;
	readonly avoidHosts: boolean;
	readonly pendingWarnMs: number | false;
	readonly resources: Resources | ((info: AttemptInfo) => Resources) | undefined;
	/** With dynamic chunks: so many queue-jobs there are to be, and chunks from this one on are for whoever claims them. */
	readonly numJobs: number | undefined;
};

/** A map of which nothing is known but its chunks. */
export const createMapState = ({
	chunks,
	...fields
}: Pick<MapState, 'session' | 'workDir' | 'options' | 'owner' | 'journal'> & {readonly chunks: readonly Chunk[]}): MapState => ({
	...fields,
	chunks: createChunkStates(chunks),
	toSubmit: new Set(),
	anyWorkerStarted: false,
	needsSweep: false,
	unremoved: new Set(),
	toldWaits: new Set(),
});

export const numJobsOf = ({schedule, numJobs}: PoolOptions): number | undefined => (schedule === 'dynamic' ? numJobs : undefined);

export const toMapOptions = (options: PoolOptions): MapOptions => ({
	pollingIntervalMs: options.pollingIntervalMs ?? 5000,
	maxNumResubmissions: options.maxNumResubmissions ?? 10,
	graceMs: options.graceMs ?? 90_000,
	outageLimitMs: options.outageLimitMs ?? 6 * 3_600_000,
	stopOnError: options.stopOnError ?? false,
	avoidHosts: options.avoidHosts ?? true,
	pendingWarnMs: options.pendingWarnMs ?? 600_000,
	pendingLimitMs: options.pendingLimitMs ?? Number.POSITIVE_INFINITY,
	unreachableAfterMs: options.unreachableAfterMs ?? 600_000,
	resources: options.resources,
	numJobs: numJobsOf(options),
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
export type AttemptState = {-readonly [Name in keyof AttemptFacts]: AttemptFacts[Name]} & {
	readonly attempt: number;
	/** Of a claimed chunk that of the queue-job that has claimed it; so is its number. */
	jobName: string;
	/** What its queue-job was submitted for, when that was another chunk, after which it has claimed this one. */
	home: Home | undefined;
	/** Whether it has left a result, be it readable or not: then its queue-job is no longer at this chunk. */
	hasEnded: boolean;
	readonly seenStates: Set<AttemptFacts['seenStates'] extends ReadonlySet<infer State> ? State : never>;
	/** Why it was given up; undefined when it was not. */
	failure: AttemptFailure | undefined;
	/** Whether the queue was asked why it waits. */
	isWaitExplained: boolean;
};

export type AttemptFailure = {readonly kind: TaskErrorKind; readonly reason: string};

export const createChunkStates = (chunks: readonly Chunk[]): ChunkState[] =>
	chunks.map(chunk => ({chunk, attempts: [], decision: {kind: 'open'}}));

/** An attempt of which nothing is known yet. */
export const createAttempt = (attempt: number, jobName: string, isAvoiding: boolean): AttemptState => ({
	attempt,
	jobName,
	home: undefined,
	hasEnded: false,
	jobId: undefined,
	host: undefined,
	job: {kind: 'unknown'},
	seenStates: new Set(),
	result: {kind: 'none'},
	hasFiles: false,
	progress: undefined,
	isRemoved: false,
	isAvoiding,
	isVoid: false,
	numExplanations: 0,
	end: undefined,
	failure: undefined,
	isWaitExplained: false,
});

/** Whether the first attempt at a chunk is for whoever claims it; for all others a queue-job is submitted. */
export const isClaimable = ({options: {numJobs}}: Pick<MapState, 'options'>, ichunk: number): boolean =>
	numJobs !== undefined && ichunk >= numJobs;

/** Whether nobody has a chunk yet that may be claimed, as far as is known here. */
export const isUnclaimed = (state: MapState, chunk: ChunkState): boolean =>
	chunk.attempts.length === 0 && chunk.decision.kind === 'open' && isClaimable(state, chunk.chunk.ichunk) && !state.toSubmit.has(chunk);

export const openChunks = (state: MapState): ChunkState[] => state.chunks.filter(({decision}) => decision.kind === 'open');
