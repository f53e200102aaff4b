/** One queue-job of the simulated world, and the truth about it. */
import type {JobEnd, JobRequest, JobState} from '../../src/engines/engine.js';
import type {Dice} from './dice.js';
import type {SimProcess} from './sim-process.js';
import type {World} from './world.js';

export type Job = {
	readonly id: string;
	readonly name: string;
	readonly ichunk: number;
	readonly attempt: number;
	readonly avoidHosts: readonly string[];
	readonly dice: Dice;
	readonly submittedMs: number;
	readonly submittedBy: SimProcess;
	/** What it was submitted for, and what it has claimed. */
	readonly holds: Hold[];
	/** Kills it while it runs. */
	kill: () => void;
	state: 'pending' | 'held' | 'running' | 'error' | 'ended';
	node: Node | undefined;
	process: SimProcess | undefined;
	suspendedUntilMs: number;
	isDeleting: boolean;
	deletedBy: 'us' | 'somebody' | undefined;
	startedMs: number;
	endedMs: number;
	/** Whether it has come so far as to leave any file. */
	hasFiles: boolean;
	/** Its result says that the worker could not begin. */
	hasStartFailed: boolean;
	end: JobEnd | undefined;
	/** When the accounting has it; Infinity for never. */
	explainedMs: number;
	/** Since when the queue has said so without a break. */
	unreachableSinceMs: number | undefined;
	/** What the queue has said of it, and to which processes. */
	readonly served: Map<JobState, Set<string>>;
	/** Why nobody may complain that it was given up; undefined as long as it may bring its results. */
	excuse: string | undefined;
	/** The process that has removed it while it might have brought its result. */
	removedBy: SimProcess | undefined;
	/** It ended while the master could not hear of it. */
	isEndUnheard: boolean;
};

/** An attempt at a chunk. */
export type Hold = {
	readonly ichunk: number;
	readonly attempt: number;
	/** When its result was whole. */
	finishedMs: number;
	/** As that of the queue-job, for this chunk alone. */
	excuse: string | undefined;
};

export const createHold = (ichunk: number, attempt: number): Hold => ({
	ichunk,
	attempt,
	finishedMs: Number.POSITIVE_INFINITY,
	excuse: undefined,
});

export type Node = {
	readonly host: string;
	readonly isBlackHole: boolean;
	freeSlots: number;
	/** Off the network since then. */
	cutMs: number | undefined;
	healMs: number;
};

/** The excuse of a queue-job that somebody has deleted before anything else happened to it. */
export const DELETED_BY_HAND = 'deleted by hand';

/** @param id - The number that the queue gives it. */
export const createJob = (
	request: JobRequest,
	{ichunk, attempt}: Pick<Job, 'ichunk' | 'attempt'>,
	world: World,
	id: string,
	by: SimProcess,
): Job => ({
	id,
	name: request.name,
	ichunk,
	attempt,
	avoidHosts: request.avoidHosts,
	dice: world.dice.fork(`job ${request.name} ${id}`),
	submittedMs: world.events.nowMs(),
	submittedBy: by,
	holds: [createHold(ichunk, attempt)],
	kill: () => undefined,
	state: 'pending',
	node: undefined,
	process: undefined,
	suspendedUntilMs: 0,
	isDeleting: false,
	deletedBy: undefined,
	startedMs: Number.POSITIVE_INFINITY,
	endedMs: Number.POSITIVE_INFINITY,
	hasFiles: false,
	hasStartFailed: false,
	end: undefined,
	explainedMs: Number.POSITIVE_INFINITY,
	served: new Map(),
	unreachableSinceMs: undefined,
	excuse: undefined,
	removedBy: undefined,
	isEndUnheard: false,
});

/** The letters of Grid Engine. Of an unreachable node the queue-job's own still say that it runs. */
export const RAW_STATES: Readonly<Record<JobState, string>> = {
	pending: 'qw',
	running: 'r',
	held: 'hqw',
	suspended: 's',
	error: 'Eqw',
	deleting: 'dr',
	unreachable: 'r',
};
