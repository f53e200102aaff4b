/** All that a report shows, as plain data: the page gets it as JSON. Times are milliseconds since the map began, by the clock of the process-node. Null: nobody knows. */
import type {TaskCounts} from '../task-counts.js';

export type ReportData = {
	/** Epoch milliseconds. */
	readonly generatedAtMs: number;
	readonly libraryVersion: string;
	readonly map: MapFacts;
	readonly counts: TaskCounts;
	/** Tasks whose outcome is from a rerun, whose queue-jobs are in a work_dir of its own. */
	readonly numRerun: number;
	/** Until the map ended; of one that has not, until the report was made. */
	readonly wallMs: number;
	readonly hosts: readonly HostFacts[];
	/** Every attempt that was submitted or claimed, in the order of chunks. */
	readonly jobs: readonly JobRow[];
	readonly slots: SlotFacts;
	readonly durations: Durations;
	readonly slowest: readonly TaskRow[];
	/** The most frequent first. */
	readonly failures: readonly FailureGroup[];
	/** How many groups are not in `failures`. */
	readonly numOtherFailures: number;
	readonly asks: readonly AskFacts[];
	/** Files that could not be read, and why. */
	readonly problems: readonly string[];
};

export type MapFacts = {
	readonly session: string;
	readonly workDir: string;
	readonly message: string;
	readonly tags: readonly string[];
	readonly function: string;
	readonly engine: string;
	readonly host: string;
	readonly user: string;
	readonly node: string;
	readonly gitCommit: string | null;
	readonly command: string;
	readonly options: string;
	/** Epoch milliseconds: where all other times begin. */
	readonly beganAtMs: number;
	readonly state: 'running' | 'ended';
	/** It has not ended, and its process has, or has left it. */
	readonly isLeft: boolean;
	/** When something was noted last. */
	readonly lastNoteMs: number;
	readonly numChunks: number;
};

/** What became of a queue-job; with dynamic chunks, of its work at one chunk. */
export type JobRow = {
	readonly ichunk: number;
	readonly attempt: number;
	readonly jobId: string | null;
	/** Index in `hosts`. */
	readonly host: number | null;
	readonly state: 'done' | 'failed' | 'cancelled' | 'running' | 'waiting';
	/** Null when the chunk was claimed. */
	readonly submittedMs: number | null;
	readonly beganMs: number | null;
	/** Null as long as it has not. */
	readonly endedMs: number | null;
	/** Of the tasks whose outcome is from it. */
	readonly numTasks: number;
	readonly numFailed: number;
	readonly computingMs: number;
	/** Of its worker alone, without programs that tasks start. */
	readonly cpuMs: number | null;
	readonly memoryBytes: number | null;
	/** Index in `asks`. */
	readonly ask: number;
	/** Why it failed. */
	readonly reason: string | null;
};

export type HostFacts = {
	readonly name: string;
	/** How far its clock is ahead, at least, for its times to make sense; what is shown is corrected by that. */
	readonly clockAheadMs: number;
	readonly numJobs: number;
	readonly numFailedJobs: number;
	readonly numTasks: number;
	/** For how long its queue-jobs held their slots. */
	readonly heldMs: number;
	readonly computingMs: number;
	readonly memoryBytes: number | null;
	readonly atMost: number;
};

/** Sums over all queue-jobs that have ended. */
export type SlotFacts = {
	/** Of all, also those that have not ended. */
	readonly numJobs: number;
	/** Each for as many slots as it asked for. */
	readonly heldMs: number;
	/** What of that attempts held whose chunk was computed again. */
	readonly lostMs: number;
	readonly computingMs: number;
	readonly cpuMs: number | null;
	/** Of `heldMs` that of attempts whose processor time is known. */
	readonly cpuHeldMs: number;
	readonly waitingMs: number;
	readonly medianWaitMs: number | null;
	readonly longestWaitMs: number | null;
	readonly medianHeldMs: number | null;
	/** How many queue-jobs ran at a time. */
	readonly atMost: number;
	readonly onAverage: number;
	/** From when fewer than half of `atMost` ran and none waited, to the last one's end. */
	readonly tailMs: number;
	/** From the first submission to the last first attempt's. */
	readonly submittingMs: number;
};

/** Of all tasks with a known duration. */
export type Durations = {
	readonly count: number;
	readonly minMs: number;
	readonly medianMs: number;
	readonly p95Ms: number;
	readonly maxMs: number;
	readonly totalMs: number;
	/** How many took at least `fromMs` and less than the next one's. */
	readonly bins: readonly {readonly fromMs: number; readonly count: number}[];
};

export type TaskRow = {
	readonly itask: number;
	/** In the rerun, if there was one. */
	readonly ichunk: number;
	/** Its number; null for none. */
	readonly rerun: number | null;
	readonly attempt: number | null;
	readonly jobId: string | null;
	readonly host: string | null;
	readonly state: 'done' | 'failed' | 'running' | 'pending';
	readonly startedMs: number | null;
	readonly elapsedMs: number | null;
	/** In one short line; null when it was not read. */
	readonly input: string | null;
};

/** Tasks that failed alike. */
export type FailureGroup = {
	readonly kind: string;
	readonly message: string;
	readonly stack: string | null;
	readonly numTasks: number;
	/** As `3, 7, 9-41`. */
	readonly itasks: string;
	readonly samples: readonly FailureSample[];
};

export type FailureSample = TaskRow & {readonly stdout: string; readonly stderr: string};

/** What queue-jobs asked for, and what those that did have used. */
export type AskFacts = {
	readonly memoryBytes: number | null;
	readonly timeSeconds: number | null;
	readonly slots: number;
	readonly numJobs: number;
	readonly medianMemoryBytes: number | null;
	readonly maxMemoryBytes: number | null;
	readonly medianHeldMs: number | null;
	readonly maxHeldMs: number | null;
	/** Processors that were busy on average, without programs that tasks start. */
	readonly busyProcessors: number | null;
};
