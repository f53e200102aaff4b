/**
 * What runs queue-jobs. An engine knows queue-jobs, never tasks or chunks; the steps of a map know this type, never an engine.
 * Engines are made by factories that return a plain object of this type.
 */
export type Engine = {
	/** Who it is: it is written into run.json, and who comes back to a map must bring the engine of that name. */
	readonly name: string;
	/** Whether asking burdens somebody: `call` for a program and its server, then the queue is asked seldom; `none` when the engine knows the answer itself. */
	readonly statusCost: 'call' | 'none';
	/** Whether queue-jobs go on when this process ends. False for child processes of it. */
	readonly outlivesProcess: boolean;
	/** Into how many chunks tasks are cut at the most, when the user does not say. */
	readonly maxDefaultChunks: number;
	/**
	 * Submits queue-jobs, begun in the given order and maybe several at a time, and says for each one what became of it. After one that is not `submitted` no
	 * further one is begun: the rest is `untried`. Rejects only with a PoolError when nothing can ever be submitted (the program does not exist).
	 *
	 * @returns As many outcomes as requests.
	 */
	submit(requests: readonly JobRequest[]): Promise<readonly SubmitOutcome[]>;
	/** What `submit` would call: for each request a program and its arguments. Nothing is submitted. For `--dry-run` of the command; undefined when no program is called. */
	describe?(requests: readonly JobRequest[]): Promise<readonly (readonly string[])[]>;
	/** Many queue-jobs in one submission. Undefined when the engine has no such thing: then they are submitted one by one. */
	readonly arrays?: ArrayJobs;
	/**
	 * All own living queue-jobs in one call. A queue-job that has ended is absent. Rejects when no trustworthy answer was got: that is no evidence about any job.
	 *
	 * @param notBeforeMs - An answer to a question that was asked at this moment (of `performance.now()`) or later will do: maps of one process share it.
	 */
	status(notBeforeMs?: number): Promise<readonly JobStatus[]>;
	/** Removes queue-jobs, waiting or running. Fine when they are gone already. */
	remove(ids: readonly string[]): Promise<void>;
	/** What the scheduler knows of why a queue-job is in an error state, has ended or is still waiting; undefined when it knows nothing (yet). Never rejects. */
	explain(job: JobQuestion): Promise<JobEnd | undefined>;
};

/** Grid Engine's and Slurm's job arrays: one submission, many queue-jobs that differ in one number. */
export type ArrayJobs = {
	/** The variable in which the script finds the number of its element, from 1. */
	readonly elementVariable: string;
	/** How many elements one array may have here, as the scheduler says; a cautious number when it does not say. */
	maxElements(): Promise<number>;
	/** As `Engine.submit` for one request; the id of `submitted` is that of the array. */
	submit(request: ArrayRequest): Promise<SubmitOutcome>;
	/** What `arrays.submit` would call: a program and its arguments. */
	describe?(request: ArrayRequest): Promise<readonly string[]>;
	/** By what id `status` lists, and `remove` and `explain` take, one element of an array. */
	elementId(arrayId: string, element: number): string;
};

/** Elements 1 to `numElements`, each with the same arguments. */
export type ArrayRequest = JobRequest & {
	readonly numElements: number;
	/** How many of them may run at a time; undefined for all. */
	readonly maxRunning: number | undefined;
};

/** One queue-job to be submitted: `/bin/sh script ...scriptArguments`, its output thrown away (the script redirects by itself). */
export type JobRequest = {
	/** Unique for all time; starts with a letter; letters, digits and `_ . # -` only. */
	readonly name: string;
	/** Absolute path of the shell script. It may be copied elsewhere before it runs. */
	readonly script: string;
	readonly scriptArguments: readonly string[];
	/** Hosts to stay away from, if there is any other that takes it. */
	readonly avoidHosts: readonly string[];
	readonly resources: JobResources;
};

/** What is not named is the scheduler's default. */
export type JobResources = {
	/** Of all slots together. */
	readonly memoryBytes?: number;
	readonly timeSeconds?: number;
	/** Processors on one host. */
	readonly slots?: number;
	readonly gpus?: number;
	/** Slurm: partition. */
	readonly queue?: string;
	/** Slurm: account. */
	readonly project?: string;
	/** Of Grid Engine: in which several slots on one host are given. */
	readonly parallelEnvironment?: string;
};

export type JobQuestion = {
	readonly id: string;
	readonly name: string;
	readonly state: 'error' | 'ended' | 'pending';
	/** What it was submitted with: it tells a death for want of memory from one for want of time. */
	readonly resources: JobResources;
};

export type SubmitOutcome =
	/** In the queue, by an id that no other queue-job of this user has or gets. */
	| {readonly kind: 'submitted'; readonly id: string}
	/** Certainly not in the queue; worth trying again later (a master that is down). */
	| {readonly kind: 'temporary'; readonly reason: string}
	/** Certainly not in the queue, which has as many queue-jobs as the user or the site may have: there will be room. */
	| {readonly kind: 'full'; readonly reason: string}
	/** Certainly not in the queue, and never will be (unknown queue or resource). */
	| {readonly kind: 'permanent'; readonly reason: string}
	/** It may be in the queue or not: look for its name. */
	| {readonly kind: 'unanswered'; readonly reason: string}
	/** Certainly not in the queue: it was not begun, for one before it was not submitted. */
	| {readonly kind: 'untried'};

export type JobState = 'pending' | 'running' | 'held' | 'suspended' | 'error' | 'deleting' | 'unreachable';

export type JobStatus = {
	readonly id: string;
	readonly name: string;
	readonly state: JobState;
	/** Of a queue-job in an array: its number there, from 1. Its `name` is that of the array. */
	readonly element?: number;
	/** The scheduler's own letters or word, as `Eqw`. */
	readonly rawState: string;
	readonly host?: string;
};

export type JobEnd = {
	/** False for an orderly end with exit status 0, and for a queue-job that waits. */
	readonly failed: boolean;
	/** Undefined when nothing says what it was. `start-failed`: the launcher or Node could not begin there. */
	readonly kind?: JobEndKind;
	/** For people: one line, as `killed by SIGKILL` or `error reason 1: unable to find shell "/nonexistent"`. */
	readonly reason: string;
	readonly host?: string;
	/** It would go the same way on any host, as a missing shell does: seen on two hosts, it is believed. */
	readonly isPermanent?: boolean;
};

/** `deleted`: somebody has removed it from the queue, as the scheduler says; who it was is not asked. */
export type JobEndKind = 'out-of-memory' | 'wall-time' | 'killed' | 'node-lost' | 'start-failed' | 'deleted';

/** What a scheduler says of its site, for who wants to know what to expect there. A number that it does not tell is undefined; Infinity is no limit. */
export type SiteFacts = {
	/** Its name and version in its own words, as `SGE 8.1.9`. */
	readonly product: string | undefined;
	/** How many queue-jobs one user may have in the queue, and by what name the site says so. */
	readonly maxJobsPerUser: SiteLimit;
	/** How many of them all users together may have. */
	readonly maxJobs: SiteLimit;
	/** Whether an array counts as one of them, however many elements it has. */
	readonly isArrayOneJob: boolean;
};

export type SiteLimit = {readonly name: string; readonly limit: number | undefined};
