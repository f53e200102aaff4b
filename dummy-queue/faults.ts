import type {Job} from './job.js';
import type {ProgramName} from './state.js';

/** Something that is to go wrong. Set them in the state, in `faults`. */
export type Fault = ProgramFault | JobFault;

type Counted = {
	/** How often it is still to happen; counts down. Give a large number for "always". */
	times: number;
	/** How often it has happened; counts up. A test should assert it, or it may test nothing. */
	seen?: number;
};

type OfProgram = Counted & {
	program: ProgramName;
	/** So many calls of the program are spared first; counts down. */
	after?: number;
};

/** A fault of a program. */
export type ProgramFault =
	/** It prints `stdout` and `stderr` and exits with `exitCode`. With the effect `done` it does its work all the same: a qsub whose answer got lost. */
	| (OfProgram & {kind: 'fail'; exitCode: number; stdout?: string; stderr?: string; effect?: 'nothing' | 'done'})
	/** It never answers, until it is killed. */
	| (OfProgram & {kind: 'hang'; effect?: 'nothing' | 'done'})
	/** It works, but also prints `stderr`. */
	| (OfProgram & {kind: 'warning'; stderr: string})
	/** It works, but prints `stdout` in place of its answer: nothing at all, or garbage. */
	| (OfProgram & {kind: 'output'; stdout: string})
	/** It works, but only the first `bytes` of its answer arrive; a negative number counts from the end. */
	| (OfProgram & {kind: 'cut-output'; bytes: number})
	/** qstat works, but lists nothing. */
	| (OfProgram & {kind: 'stale-list'});

type OfJob = Counted & {
	/** Text that the name of the queue-job contains. Without it and `jobPattern` any job is meant. */
	jobName?: string;
	/** A regular expression that the name matches. */
	jobPattern?: string;
	/** Only this element of an array. */
	element?: number;
	/** Only on these worker-nodes, of a job that is started or runs there. */
	hosts?: string[];
};

/** How a queue-job is killed, and what the accounting makes of it. */
export type KillFault = {
	/** SIGKILL by default. */
	signal?: NodeJS.Signals;
	/** Not at once, but as soon as this file exists. */
	onceExists?: string;
	/** Grid Engine's code in the accounting, 100 by default: 37 for a limit of time or memory, 18 or 19 for a node that crashed. */
	failed?: number;
	wallclockSeconds?: number;
	maxvmemBytes?: number;
	/** The accounting never learns of it. */
	isUnaccounted?: boolean;
};

/** A fault of a queue-job, found by its name. */
export type JobFault =
	/** In place of being started it gets into the state `Eqw`. */
	| (OfJob & {kind: 'error-state'; reason: string})
	/** It leaves the queue when it should be executed, and leaves no trace, not even in the accounting. */
	| (OfJob & {kind: 'vanish'})
	/** It is executed but killed. */
	| (OfJob & KillFault & {kind: 'kill'})
	/** It is deleted as by somebody's qdel while it waits or runs, and stays listed as deleting for so many calls of qstat (0). */
	| (OfJob & {kind: 'delete'; phase: 'pending' | 'running'; polls?: number})
	/** The node it runs on can't be reached for so many calls of qstat: all that runs there rests meanwhile. */
	| (OfJob & {kind: 'unreachable'; polls: number})
	/** For so many calls of qstat it is shown with these letters and rests. Letters with `q` or `w` meet it when it is pending, others when it is running. */
	| (OfJob & {kind: 'state'; rawState: string; polls: number})
	/** After qdel it stays listed as deleting (`dr`, `dqw`, `dEqw`) for so many calls of qstat. */
	| (OfJob & {kind: 'linger'; polls: number})
	/** It is not listed any more when it should be executed, but is executed only so many calls of qstat later: its files come late. */
	| (OfJob & {kind: 'late-files'; polls: number});

/** The fault that this call of a program meets, counted as seen. */
export const takeProgramFault = (faults: readonly Fault[], program: ProgramName): ProgramFault | undefined => {
	for (const fault of faults) {
		if (!('program' in fault) || fault.program !== program || fault.times <= 0) {
			continue;
		}

		if (fault.after !== undefined && fault.after > 0) {
			fault.after -= 1;
			continue;
		}

		countFault(fault);
		return fault;
	}

	return undefined;
};

/** The fault of this kind that the queue-job meets, counted as seen. */
export const takeJobFault = <Kind extends JobFault['kind']>(
	faults: readonly Fault[],
	kind: Kind,
	job: Job,
	isMeant: (fault: JobFault & {kind: Kind}) => boolean = () => true,
): (JobFault & {kind: Kind}) | undefined => {
	const fault = faults.find(
		(candidate): candidate is JobFault & {kind: Kind} =>
			candidate.kind === kind &&
			!('program' in candidate) &&
			candidate.times > 0 &&
			matchesName(candidate, job.JB_name) &&
			(candidate.element === undefined || candidate.element === job.element) &&
			(candidate.hosts === undefined || candidate.hosts.includes(job.host ?? '')) &&
			isMeant(candidate as JobFault & {kind: Kind}),
	);
	if (fault) {
		countFault(fault);
	}

	return fault;
};

const matchesName = (fault: JobFault, name: string): boolean =>
	name.includes(fault.jobName ?? '') && (fault.jobPattern === undefined || new RegExp(fault.jobPattern).test(name));

const countFault = (fault: Fault): void => {
	fault.times -= 1;
	fault.seen = (fault.seen ?? 0) + 1;
};
