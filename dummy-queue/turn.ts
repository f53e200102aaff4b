import {takeJobFault} from './faults.js';
import {isExecutable, isStartable, type Job, takesSlot} from './job.js';
import {endJob, putIntoErrorState} from './job-ends.js';
import {findProblem} from './job-files.js';
import {isAlive} from './processes.js';
import type {QueueState} from './state.js';
import {localTime} from './times.js';

/** A queue-job that the caller is to execute, and the signal that a fault kills it with. */
export type Claim = {job: Job; kill?: {signal: NodeJS.Signals; onceExists?: string}};

/**
 * What one call of qstat lets happen: ONE queue-job is started or executed, so that a test counts calls instead of seconds. N good jobs take 2N calls.
 * Faults may let nothing happen, or bring a late job on top. Returns the jobs to be executed, which no other call will get.
 */
export const takeTurn = (state: QueueState): Claim[] => {
	endOrphans(state);
	updateHolds(state);
	const late = countPolls(state);
	showFaultyStates(state);
	return [...late, ...startOrExecute(state)].map(job => claim(state, job));
};

/** Jobs whose qstat was killed while it executed them: they run on, and leave the queue when they have ended. */
const endOrphans = (state: QueueState): void => {
	for (const job of [...state.jobs]) {
		if (job.execution === undefined || isAlive(job.execution.runnerPid)) {
			continue;
		}

		if (job.execution.pid === undefined) {
			delete job.execution;
		} else if (!isAlive(job.execution.pid)) {
			endJob(state, job, {exitCode: 0, signal: undefined});
		}
	}
};

const updateHolds = (state: QueueState): void => {
	const ids = new Set(state.jobs.map(job => job.JB_job_number));
	for (const job of state.jobs) {
		job.holds = job.holds.filter(id => ids.has(id));
		if (job.phase === 'pending' && ['qw', 'hqw'].includes(job.state) && job.foreign === undefined) {
			const isHeld = job.userHold || job.holds.length > 0;
			job.state = isHeld ? 'hqw' : 'qw';
			job.JAT_prio = isHeld ? '0.00000' : '0.50500';
		}
	}
};

/** Returns the late jobs whose time has come. */
const countPolls = (state: QueueState): Job[] => {
	state.jobs = state.jobs.filter(job => job.deleting === undefined || job.deleting.pollsLeft > 0);
	const late: Job[] = [];
	for (const job of state.jobs) {
		if (job.deleting) {
			job.deleting.pollsLeft -= 1;
		}

		if (job.shown) {
			job.shown.pollsLeft -= 1;
			if (job.shown.pollsLeft <= 0) {
				delete job.shown;
			}
		}

		if (job.unlisted && job.execution === undefined) {
			job.unlisted.pollsLeft -= 1;
			if (job.unlisted.pollsLeft <= 0) {
				late.push(job);
			}
		}
	}

	return late;
};

const showFaultyStates = (state: QueueState): void => {
	for (const job of state.jobs.filter(candidate => isStartable(candidate) || isExecutable(candidate))) {
		const fault = takeJobFault(state.faults, 'state', job, ({rawState}) => phaseOf(rawState) === job.phase);
		if (fault) {
			job.shown = {rawState: fault.rawState, pollsLeft: fault.polls};
		}
	}
};

const phaseOf = (rawState: string): Job['phase'] => (/[qw]/.test(rawState) ? 'pending' : 'running');

/** Returns the job to be executed, if it is one's turn. */
const startOrExecute = (state: QueueState): Job[] => {
	const isFull = state.jobs.filter(takesSlot).length >= state.maxRunning;
	const startable = state.jobs.find(isStartable);
	if (!isFull && startable) {
		start(state, startable);
		return [];
	}

	const executable = state.jobs.find(isExecutable);
	return executable && !endsByFault(state, executable) ? [executable] : [];
};

const start = (state: QueueState, job: Job): void => {
	const fault = takeJobFault(state.faults, 'error-state', job);
	const problem = fault ? {failed: 1, reason: fault.reason} : findProblem(state, job);
	if (problem) {
		putIntoErrorState(state, job, problem);
		return;
	}

	job.phase = 'running';
	job.state = job.restarts > 0 ? 'Rr' : 'r';
	job.JAT_start_time = localTime();
};

const endsByFault = (state: QueueState, job: Job): boolean => {
	if (takeJobFault(state.faults, 'vanish', job)) {
		state.jobs = state.jobs.filter(other => other !== job);
		return true;
	}

	const late = takeJobFault(state.faults, 'late-files', job);
	if (late) {
		job.unlisted = {pollsLeft: late.polls};
	}

	return late !== undefined;
};

const claim = (state: QueueState, job: Job): Claim => {
	job.execution = {runnerPid: process.pid};
	const fault = takeJobFault(state.faults, 'kill', job);
	return {
		job,
		...(fault && {kill: {signal: fault.signal ?? 'SIGKILL', ...(fault.onceExists !== undefined && {onceExists: fault.onceExists})}}),
	};
};
