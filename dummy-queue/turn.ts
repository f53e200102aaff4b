import {hasRoomInArray} from './elements.js';
import {type KillFault, takeJobFault} from './faults.js';
import {chooseHost, type Host, hostOf, isReachable} from './hosts.js';
import {isExecutable, isStartable, type Job, takesSlot} from './job.js';
import {deleteJob, endJob, putIntoErrorState, recordDeletion} from './job-ends.js';
import {findProblem} from './job-files.js';
import {isAlive} from './processes.js';
import type {QueueState} from './state.js';
import {localTime} from './times.js';

/** A queue-job that the caller is to execute, and how a fault kills it. */
export type Claim = {job: Job; kill?: KillFault};

/**
 * What one turn of the queue lets happen: ONE queue-job is started or executed. A call of qstat takes one, so that a test counts calls instead of seconds: N
 * good jobs take 2N calls. Faults may let nothing happen, or bring a late job on top. Returns the jobs to be executed, which no other call will get.
 */
export const takeTurn = (state: QueueState): Claim[] => {
	endOrphans(state);
	updateHolds(state);
	healHosts(state);
	deleteByFault(state);
	const late = countPolls(state);
	loseHosts(state);
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

const healHosts = (state: QueueState): void => {
	for (const host of state.hosts.filter(({pollsLeft}) => pollsLeft !== undefined)) {
		host.pollsLeft = host.pollsLeft! - 1;
		if (host.pollsLeft <= 0) {
			host.state = '';
			delete host.pollsLeft;
		}
	}
};

const loseHosts = (state: QueueState): void => {
	for (const job of state.jobs.filter(candidate => isExecutable(candidate) && isReachable(hostOf(state, candidate)))) {
		const fault = takeJobFault(state.faults, 'unreachable', job);
		if (fault) {
			Object.assign(hostOf(state, job), {state: 'u', pollsLeft: fault.polls} satisfies Partial<Host>);
		}
	}
};

const deleteByFault = (state: QueueState): void => {
	for (const job of state.jobs.filter(candidate => isStartable(candidate) || isExecutable(candidate))) {
		const fault = takeJobFault(state.faults, 'delete', job, ({phase}) => phase === job.phase);
		if (fault) {
			deleteJob(state, job, fault.polls ?? 0);
		}
	}
};

/** What was running when it was deleted, on a node that could not be reached, ends when that is back. */
const isDeleted = (state: QueueState, job: Job): boolean =>
	job.deleting !== undefined && job.deleting.pollsLeft <= 0 && (job.phase === 'pending' || isReachable(hostOf(state, job)));

/** Returns the late jobs whose time has come. */
const countPolls = (state: QueueState): Job[] => {
	const gone = state.jobs.filter(job => isDeleted(state, job));
	for (const job of gone.filter(({deleting}) => deleting?.isUnaccounted)) {
		recordDeletion(state, job);
	}

	state.jobs = state.jobs.filter(job => !gone.includes(job));
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
	const startable = state.jobs.find(job => isStartable(job) && hasRoomInArray(state.jobs, job) && chooseHost(state, job) !== undefined);
	if (!isFull && startable) {
		start(state, startable);
		return [];
	}

	const executable = state.jobs.find(job => isExecutable(job) && isReachable(hostOf(state, job)));
	return executable && !endsByFault(state, executable) ? [executable] : [];
};

const start = (state: QueueState, job: Job): void => {
	job.host = chooseHost(state, job)!.name;
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
		...(fault && {kill: fault}),
	};
};
