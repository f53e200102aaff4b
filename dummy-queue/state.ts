import {hostname} from 'node:os';
import type {Fault} from './faults.js';
import type {Host} from './hosts.js';
import type {Job} from './job.js';

/** Everything the dummy queue knows: the content of `queue_state.json`. Tests may change any of it with `updateQueueState`. */
export type QueueState = {
	/** The number of the next queue-job. */
	nextJobId: number;
	/** How many queue-jobs can be in the state running at once; a call of qstat executes one when all of these are taken. */
	maxRunning: number;
	/** How many things a call of qstat lets happen, one after the other. With more than one a test needs fewer calls, and sees less of what is between. */
	turnsPerList: number;
	/** The worker-nodes, shown as `dummy.q@NAME` and given to queue-jobs as HOSTNAME. */
	hosts: Host[];
	/** How many queue-jobs a user may have, an array counting as one; qsub refuses more, with exit status 25. 0 is no limit. */
	maxUserJobs: number;
	/** How many elements an array may have; qsub refuses more. */
	maxElements: number;
	/** How the queue starts a script. `unix_behavior` ignores `-S` and obeys the `#!` line; `script_from_stdin` feeds the script to the shell. */
	shellStartMode: ShellStartMode;
	/** Whether shells are started as login shells (argv[0] is `-sh`), as Grid Engine does by default. Off, so that nobody's `.profile` changes a test. */
	loginShells: boolean;
	/** Whether qstat lists the jobs of all users whatever `-u` says. */
	listsAllUsers: boolean;
	/** Whether qacct knows ended queue-jobs. Many sites keep no accounting. */
	accounting: boolean;
	/** What `qalter -w p` says of why a queue-job can't start, line by line, without its number. Empty: what is true. */
	pendingReasons: string[];
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
export type ProgramName = 'qsub' | 'qstat' | 'qstat -j' | 'qstat -F' | 'qdel' | 'qacct' | 'qalter' | 'qconf';

/** One record of the accounting. A queue-job that was started several times has several. */
export type EndedJob = {
	JB_job_number: number;
	/** Of an array. */
	element?: number;
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
	/** What it asked for by `-l`, as `h_rt=60`. */
	resources: string[];
	/** Told by a fault, in place of how long it really ran. */
	wallclockSeconds?: number;
	/** Told by a fault. */
	maxvmemBytes?: number;
};

/** An empty queue. */
export const createQueueState = (options: Partial<QueueState> = {}): QueueState => ({
	nextJobId: 1,
	maxRunning: 10,
	turnsPerList: 1,
	hosts: [{name: hostname(), state: ''}],
	maxUserJobs: 0,
	maxElements: 75_000,
	shellStartMode: 'posix_compliant',
	loginShells: false,
	listsAllUsers: false,
	accounting: true,
	pendingReasons: [],
	known: {},
	calls: {qsub: 0, qstat: 0, 'qstat -j': 0, 'qstat -F': 0, qdel: 0, qacct: 0, qalter: 0, qconf: 0},
	faults: [],
	jobs: [],
	ended: [],
	...options,
});
