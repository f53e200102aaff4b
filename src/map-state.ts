/** What the process-node knows of a running map: the steps read and change it, nobody else sees it. */
import type {Chunk} from './chunks.js';
import type {Engine} from './engines/engine.js';
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
	/** Those that are written so far: a stream brings further ones. */
	readonly chunks: ChunkState[];
	/** Of a stream that was left before it was all written: the first task that is missing. */
	firstMissing: number | undefined;
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
	/** Queue-jobs of a map with limits that are done or removed, and that the queue may still list; since when it does so, if it was asked. */
	readonly leaving: Map<string, number | undefined>;
	/** When the last submission of this map ended, and when the queue last answered it; -Infinity for never. What was asked before tells nothing new. */
	submittedMs: number;
	answeredMs: number;
	/** The scheduler has taken no array with more elements than this, for it was full. Infinity when that is not known. */
	maxElements: number;
	/** What there was when nothing more could be submitted for the limits of our own; undefined when there was always room. */
	heldBack: {readonly numLiving: number; readonly numToSubmit: number} | undefined;
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
	readonly arrayJobs: boolean;
	/** Infinity for none. */
	readonly maxConcurrentJobs: number;
	readonly maxQueuedJobs: number;
};

/** A map of which nothing is known but its chunks. */
export const createMapState = ({
	chunks,
	...fields
}: Pick<MapState, 'session' | 'workDir' | 'options' | 'owner' | 'journal'> & {readonly chunks: readonly Chunk[]}): MapState => ({
	...fields,
	chunks: createChunkStates(chunks),
	firstMissing: undefined,
	toSubmit: new Set(),
	anyWorkerStarted: false,
	needsSweep: false,
	unremoved: new Set(),
	toldWaits: new Set(),
	leaving: new Map(),
	submittedMs: Number.NEGATIVE_INFINITY,
	answeredMs: Number.NEGATIVE_INFINITY,
	maxElements: Number.POSITIVE_INFINITY,
	heldBack: undefined,
});

/** Of the queue-jobs that share chunks no more are of use than may be there at a time: they end only when no chunk is left. */
export const numJobsOf = ({schedule, numJobs, maxQueuedJobs, maxConcurrentJobs}: PoolOptions): number | undefined =>
	schedule === 'dynamic' && numJobs !== undefined
		? Math.min(numJobs, maxQueuedJobs ?? Number.POSITIVE_INFINITY, maxConcurrentJobs ?? Number.POSITIVE_INFINITY)
		: undefined;

/** Takes over chunks of a stream, to be submitted. */
export const addChunks = (state: MapState, chunks: readonly Chunk[]): void => {
	const added = createChunkStates(chunks);
	for (const chunk of added) state.chunks.push(chunk);
	submitFirst(state, added);
};

/** New chunks are to be submitted, but for those that are for whoever claims them. */
export const submitFirst = (state: MapState, chunks: readonly ChunkState[]): void => {
	for (const chunk of chunks) if (!isClaimable(state, chunk.chunk.ichunk)) state.toSubmit.add(chunk);
};

/** Of those that are written. */
export const countKnownTasks = ({chunks}: MapState): number => {
	const last = chunks.at(-1)?.chunk;
	return last === undefined ? 0 : last.firstTask + last.numTasks;
};

/** The chunk that holds a task. */
export const chunkOf = ({chunks}: MapState, itask: number): Chunk =>
	(chunks.findLast(({chunk}) => chunk.firstTask <= itask) as ChunkState).chunk;

/** Says in the journal that there will be no further tasks. */
export const noteComplete = (state: MapState, {name}: Pick<Engine, 'name'>): void => {
	state.firstMissing = undefined;
	const numTasks = countKnownTasks(state);
	const message = `${numTasks} tasks in ${state.chunks.length} chunks for the engine ${name}`;
	state.journal.note({event: 'tasks-complete', numTasks, message});
};

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
	arrayJobs: options.arrayJobs ?? false,
	maxConcurrentJobs: options.maxConcurrentJobs ?? Number.POSITIVE_INFINITY,
	maxQueuedJobs: options.maxQueuedJobs ?? Number.POSITIVE_INFINITY,
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
	/** What its queue-job was submitted for, when that was another chunk, after which it has claimed this one. */
	home: Home | undefined;
	/** Whether it has left a result, be it readable or not: then its queue-job is no longer at this chunk. */
	hasEnded: boolean;
	/** Of an element of an array it is the array's; of a claimed chunk all is that of the queue-job that has claimed it. */
	jobName: string;
	/** From 1; undefined for a queue-job of its own. */
	element: number | undefined;
	readonly seenStates: Set<AttemptFacts['seenStates'] extends ReadonlySet<infer State> ? State : never>;
	/** Why it was given up; undefined when it was not. */
	failure: AttemptFailure | undefined;
	/** Whether the queue was asked why it waits. */
	isWaitExplained: boolean;
};

export type AttemptFailure = {readonly kind: TaskErrorKind; readonly reason: string};

export const createChunkStates = (chunks: readonly Chunk[]): ChunkState[] =>
	chunks.map(chunk => ({chunk, attempts: [], decision: {kind: 'open'}}));

/** An attempt of which nothing is known yet, as a queue-job of its own. */
export const createAttempt = (attempt: number, jobName: string, isAvoiding: boolean): AttemptState => ({
	attempt,
	jobName,
	home: undefined,
	hasEnded: false,
	element: undefined,
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
