/** What `qmr doctor` finds. */

/** `note`: worth knowing. `warning`: maps may suffer. `error`: maps fail. */
export type Level = 'ok' | 'note' | 'warning' | 'error';

export type Finding = {
	/** What was looked at, as `clock`. */
	readonly check: string;
	readonly level: Level;
	readonly found: string;
	readonly toDo?: string;
};

/** How long each part of the round trip took, in milliseconds; null for what could not be measured. */
export type Timings = {
	/** The call of the program that submits. */
	readonly submitMs: number | null;
	/** In the queue. */
	readonly waitingMs: number | null;
	/** From the start of launch.sh to the start of Node. */
	readonly launcherMs: number | null;
	readonly nodeStartMs: number | null;
	/** Of the worker program and of the function's module. */
	readonly importMs: number | null;
	readonly taskMs: number | null;
	/** From the end of the task until its result file is seen here. */
	readonly resultMs: number | null;
	/** All of it. */
	readonly totalMs: number | null;
	/** Times on two machines are compared by clocks that are known to agree only so far: `waitingMs` and `resultMs` may be off by that. */
	readonly clockUncertaintyMs: number | null;
};

export type SiteReport = {readonly findings: readonly Finding[]; readonly timings: Timings};

export const NO_TIMINGS: Timings = {
	submitMs: null,
	waitingMs: null,
	launcherMs: null,
	nodeStartMs: null,
	importMs: null,
	taskMs: null,
	resultMs: null,
	totalMs: null,
	clockUncertaintyMs: null,
};
