import {hostname} from 'node:os';
import type {Fault} from './faults.js';
import type {Job} from './job.js';

/** Everything the dummy queue knows: the content of `queue_state.json`. Tests may change any of it with `updateQueueState`. */
export type QueueState = {
	/** The number of the next queue-job. */
	nextJobId: number;
	/** How many queue-jobs can be in the state running at once; a call of qstat executes one when all of these are taken. */
	maxRunning: number;
	/** The name of the one worker-node, shown as `dummy.q@HOST` and given to queue-jobs as HOSTNAME. */
	host: string;
	/** How the queue starts a script. `unix_behavior` ignores `-S` and obeys the `#!` line; `script_from_stdin` feeds the script to the shell. */
	shellStartMode: ShellStartMode;
	/** Whether shells are started as login shells (argv[0] is `-sh`), as Grid Engine does by default. Off, so that nobody's `.profile` changes a test. */
	loginShells: boolean;
	/** Whether qstat lists the jobs of all users whatever `-u` says. */
	listsAllUsers: boolean;
	/** Whether qacct knows ended queue-jobs. Many sites keep no accounting. */
	accounting: boolean;
	/** Letters shown for the queue instance by `qstat -f`, such as `u` for a node that can't be reached. Empty is a healthy node. */
	queueInstanceState: string;
	/** The names qsub accepts; a list that is absent accepts every name. */
	known: KnownNames;
	/** How often each program was called. `qstat` counts lists only, `qstat -j` is counted apart. Every call with its arguments is in `calls.jsonl`. */
	calls: Record<ProgramName, number>;
	/** What is to go wrong, in order of precedence. */
	faults: Fault[];
	/** The queue-jobs in the queue, oldest first. */
	jobs: Job[];
	/** The queue-jobs that have left the queue after they were started, oldest first: what qacct tells. */
	ended: EndedJob[];
};

export type ShellStartMode = 'posix_compliant' | 'unix_behavior' | 'script_from_stdin';

export type KnownNames = {
	queues?: string[];
	resources?: string[];
	parallelEnvironments?: string[];
	projects?: string[];
};

/** The programs a fault can be set for and whose calls are counted. */
export type ProgramName = 'qsub' | 'qstat' | 'qstat -j' | 'qdel' | 'qacct';

/** One record of the accounting. A queue-job that was started several times has several. */
export type EndedJob = {
	JB_job_number: number;
	JB_name: string;
	JB_owner: string;
	queue: string;
	host: string;
	slots: number;
	JB_submission_time: string;
	/** Absent when the queue-job could not be started. */
	JAT_start_time?: string;
	endTime: string;
	/** Grid Engine's code: 0 for an orderly end, 100 when a signal killed the job, 25 when it went back to the queue, below 30 when it couldn't be started. */
	failed: number;
	/** The exit status of the job; 128 + n when signal n killed it. */
	exitStatus: number;
	/** The signal's name when one killed the job. */
	signal?: string;
};

/** An empty queue. */
export const createQueueState = (options: Partial<QueueState> = {}): QueueState => ({
	nextJobId: 1,
	maxRunning: 10,
	host: hostname(),
	shellStartMode: 'posix_compliant',
	loginShells: false,
	listsAllUsers: false,
	accounting: true,
	queueInstanceState: '',
	known: {},
	calls: {qsub: 0, qstat: 0, 'qstat -j': 0, qdel: 0, qacct: 0},
	faults: [],
	jobs: [],
	ended: [],
	...options,
});
