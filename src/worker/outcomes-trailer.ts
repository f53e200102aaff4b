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
	/** The most memory that the worker has used, in bytes. */
	readonly maxRssBytes: number;
};

/** The part of it that is about this process. */
export type WorkerReport = Omit<OutcomesTrailer, 'startFailed' | 'sources'>;
