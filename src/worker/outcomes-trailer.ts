import type {Source, TaskFailure} from '../v8-serialize-helpers.js';

/** What a worker says at the end of its result file. */
export type OutcomesTrailer = {
	/** Given when the worker could not begin; then there are no outcomes. */
	readonly startFailed?: TaskFailure;
	/** The attempts that the outcomes may be from, this one included: which of them, each block says. */
	readonly sources: readonly Source[];
	readonly endedAt: string;
	readonly stdoutBytes: number;
	readonly stderrBytes: number;
	/** Node's own warnings, which do not count as stderr. */
	readonly warnings: readonly string[];
	/** What the user should know, and what is no task's failure. Absent when there is nothing. */
	readonly notices?: readonly string[];
	/** When the worker turned to this chunk: when its process began, or when it had ended the chunk before. */
	readonly beganAt?: string;
	readonly usage?: WorkerUsage;
};

/** What a worker has used. */
export type WorkerUsage = {
	/** The most memory that its process has had so far, without those that tasks start. */
	readonly maxRssBytes: number;
	/** Processor time of all its threads for this chunk. */
	readonly userMs: number;
	readonly systemMs: number;
};

/** The part of it that is about this process. */
export type WorkerReport = Omit<OutcomesTrailer, 'startFailed' | 'sources'>;
