/** One queue-job of the simulated world, and the truth about it. */
import type {ArrayRequest, JobEnd, JobRequest, JobState} from '../../src/engines/engine.js';
import type {Dice} from './dice.js';
import type {SimProcess} from './sim-process.js';
import type {World} from './world.js';

export type Job = {
	readonly id: string;
	readonly name: string;
	readonly ichunk: number;
	readonly attempt: number;
	/** From 1; undefined for a queue-job of its own. */
	readonly element: number | undefined;
	/** How many of its array may run at a time; Infinity for all. */
	readonly maxRunning: number;
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

/** The variable in which the launcher finds the number of its element. */
export const ELEMENT_VARIABLE = 'SIM_TASK_ID';

/** The queue-jobs of a submission: one, or the elements of an array. As launch.sh does, it is its arguments that say what each computes. */
export const createJobs = (request: JobRequest | ArrayRequest, world: World, id: string, by: SimProcess): Job[] => {
	const [first, attempt, variable] = request.scriptArguments;
	if (!('numElements' in request)) return [createJob(request, Number(first), Number(attempt), undefined, world, id, by)];
	if (variable !== ELEMENT_VARIABLE) throw new Error(`Expected the name of the variable with the element, got ${variable}`);
	return Array.from({length: request.numElements}, (_, i) =>
		createJob(request, Number(first) + i, Number(attempt), i + 1, world, `${id}.${i + 1}`, by),
	);
};

/** @param id - The number that the queue gives it. */
const createJob = (
	request: JobRequest | ArrayRequest,
	ichunk: number,
	attempt: number,
	element: number | undefined,
	world: World,
	id: string,
	by: SimProcess,
): Job => ({
	id,
	name: request.name,
	ichunk,
	attempt,
	element,
	maxRunning: 'maxRunning' in request ? (request.maxRunning ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY,
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
