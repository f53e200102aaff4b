import type {Range} from './elements.js';

/** One queue-job in the queue. Names in capitals are those of `qstat -xml`. */
export type Job = {
	JB_job_number: number;
	JB_name: string;
	JB_owner: string;
	/** Its number in the array that it belongs to; absent when it is in none. */
	element?: number;
	/** The whole array, and how many of its elements may run at a time (0 for all). */
	array?: Range & {maxRunning: number};
	/** Whether qstat lists it among the running or the pending ones. */
	phase: 'pending' | 'running';
	/** The letters of the state, as `qw`, `hqw`, `Eqw`, `r`. Only `qw` and `Rq` are started, only `r` and `Rr` executed. */
	state: string;
	/** The priority as shown, `0.50500`. */
	JAT_prio: string;
	slots: number;
	/** Local time, `2026-11-21T02:14:57`. */
	JB_submission_time: string;
	JAT_start_time?: string;
	/** The worker-node; absent while it waits. */
	host?: string;
	/** What its host must match, all of them: `-l h=` and the host in `-q short.q@node1`. */
	hostRequests: string[];
	/** What it asks for by `-l`, as `h_rt=60`. */
	resources: string[];
	/** The name of the queue, without host. */
	queue: string;
	/** What is executed, and how. */
	command: JobCommand;
	/** `-o`; absent: a file named after the job in the directory it runs in. */
	outputPath?: string;
	/** `-e`; not used with `-j y`. */
	errorPath?: string;
	joinsOutput: boolean;
	/** `-wd`, or the caller's directory with `-cwd`; absent: the home directory. */
	workingDirectory?: string;
	/** The directory in which qsub was called. */
	submitDirectory: string;
	/** What `-v` and `-V` hand over. */
	environment: Record<string, string>;
	/** The options that change nothing here, as they were given: `-l`, `-p`, `-m`, … */
	requested: string[];
	/** The numbers of the queue-jobs it waits for (`-hold_jid`). */
	holds: number[];
	/** Held by `-h`, until a test sets this to false. */
	userHold: boolean;
	/** How often it went back to the queue with exit status 99. */
	restarts: number;
	/** Why it is in an error state. */
	errorReason?: ErrorReason;
	/** Set while a call of qstat executes it. */
	execution?: Execution;
	/** Letters that a fault shows in place of the state, for so many calls of qstat. The job rests meanwhile. */
	shown?: {rawState: string; pollsLeft: number};
	/** Set by qdel when a fault lets the job linger: it stays listed as deleting for so many calls of qstat. */
	deleting?: {
		pollsLeft: number /** It was running on a node that can't be reached: the accounting learns of it when that is back. */;
		isUnaccounted?: true;
	};
	/** Set by a fault: the job is not listed any more, but is executed only after so many calls of qstat. */
	unlisted?: {pollsLeft: number};
	/** A queue-job of someone else: it is listed, never started, and qdel is denied. */
	foreign?: true;
	/** How often qdel was tried on a foreign queue-job. */
	numDeleteAttempts?: number;
};

export type JobCommand = {
	/** `-b y`: the words are a command line. Otherwise `path` is the copy of the script in the spool. */
	kind: 'script' | 'binary';
	/** The copy of the script, without extension; or the program. */
	path: string;
	/** The script as named in the call of qsub. */
	original: string;
	arguments: string[];
	/** `-S`; absent: /bin/sh. */
	shell?: string;
	/** `-shell n` starts a program without a shell around it. */
	usesShell: boolean;
};

export type ErrorReason = {reason: string; time: string; uid: number; pid: number};

/** The call of qstat (`runnerPid`) that executes a queue-job, and the process group it runs in, once there is one. */
export type Execution = {runnerPid: number; pid?: number};

/** Whether the next call of qstat may start it. */
export const isStartable = (job: Job): boolean => job.phase === 'pending' && ['qw', 'Rq'].includes(job.state) && isAtRest(job);

/** Whether it is running and the next call of qstat may execute it. */
export const isExecutable = (job: Job): boolean =>
	job.phase === 'running' && ['r', 'Rr'].includes(job.state) && job.execution === undefined && isAtRest(job);

/** Whether it takes one of the slots. */
export const takesSlot = (job: Job): boolean => job.phase === 'running' && job.foreign === undefined && job.unlisted === undefined;

/** The letters qstat shows. */
export const shownState = (job: Job): string => {
	if (job.deleting) {
		return `d${job.state}`;
	}

	return job.shown?.rawState ?? job.state;
};

/** A queue-job of someone else (or of another program of the same user), to be put into `jobs`. */
export const createForeignJob = (job: Partial<Job> & Pick<Job, 'JB_job_number' | 'JB_name'>): Job => ({
	JB_owner: 'someone_else',
	phase: 'running',
	state: job.phase === 'pending' ? 'qw' : 'r',
	JAT_prio: '0.50500',
	slots: 1,
	JB_submission_time: '2026-11-21T00:00:00',
	JAT_start_time: '2026-11-21T00:00:01',
	hostRequests: [],
	resources: [],
	queue: 'dummy.q',
	command: {kind: 'binary', path: 'true', original: 'true', arguments: [], usesShell: false},
	joinsOutput: false,
	submitDirectory: '/',
	environment: {},
	requested: [],
	holds: [],
	userHold: false,
	restarts: 0,
	foreign: true,
	numDeleteAttempts: 0,
	...job,
});

const isAtRest = (job: Job): boolean =>
	job.foreign === undefined && job.shown === undefined && job.deleting === undefined && job.unlisted === undefined;
