import {constants} from 'node:os';
import {isSameJob} from './elements.js';
import type {KillFault} from './faults.js';
import {hostOf, isReachable} from './hosts.js';
import type {Job} from './job.js';
import {killGroup} from './processes.js';
import type {EndedJob, QueueState} from './state.js';
import {localTime} from './times.js';

/** Why a queue-job can't be started: Grid Engine's code and its words. */
export type Problem = {failed: number; reason: string};

/** How a process ended. */
export type ProcessEnd = {exitCode: number; signal: NodeJS.Signals | undefined};

// What Grid Engine makes of the exit status of a job.
const EXIT_REQUEUE = 99;
const EXIT_ERROR_STATE = 100;

/** Records the end of a job's process; the job leaves the queue, goes back to it, or gets into an error state. */
export const endJob = (state: QueueState, job: Job, {exitCode, signal}: ProcessEnd, kill?: KillFault): void => {
	const current = state.jobs.find(other => isSameJob(other, job));
	delete current?.execution;
	if (signal !== undefined && kill !== undefined) {
		recordKill(state, job, kill);
		removeJob(state, current);
	} else if (signal !== undefined) {
		record(state, job, {failed: 100, exitStatus: 128 + constants.signals[signal], signal});
		removeJob(state, current);
	} else if (exitCode === EXIT_REQUEUE && current && !current.deleting) {
		record(state, job, {failed: 25, exitStatus: exitCode});
		current.restarts += 1;
		current.phase = 'pending';
		current.state = 'Rq';
		delete current.JAT_start_time;
		delete current.host;
		delete current.unlisted;
	} else if (exitCode === EXIT_ERROR_STATE && current && !current.deleting) {
		putIntoErrorState(state, current, {failed: 30, reason: `exit_status of job start = ${exitCode}`}, exitCode);
	} else {
		record(state, job, {failed: 0, exitStatus: exitCode});
		removeJob(state, current);
	}
};

/** The job stays in the queue as `Eqw` until somebody deletes it. */
export const putIntoErrorState = (state: QueueState, job: Job, problem: Problem, exitStatus = 0): void => {
	record(state, job, {failed: problem.failed, exitStatus});
	job.phase = 'pending';
	job.state = 'Eqw';
	job.errorReason = {reason: problem.reason, time: localTime(), uid: process.getuid?.() ?? 0, pid: process.pid};
	delete job.execution;
	delete job.JAT_start_time;
	delete job.host;
	delete job.unlisted;
};

/** Removes a job, as qdel does. With `polls` it stays listed as deleting for so many calls of qstat; on a node that can't be reached at least until that is back. */
export const deleteJob = (state: QueueState, job: Job, polls: number): void => {
	const isLost = job.phase === 'running' && !isReachable(hostOf(state, job));
	if (polls > 0 || isLost) {
		job.deleting = {pollsLeft: polls};
	} else {
		state.jobs = state.jobs.filter(other => other !== job);
	}

	if (job.execution?.pid !== undefined) {
		// The call of qstat that executes it sees the end and records it.
		killGroup(job.execution.pid, 'SIGKILL');
	} else if (isLost && job.deleting) {
		job.deleting.isUnaccounted = true;
	} else if (job.phase === 'running' && job.execution === undefined) {
		recordDeletion(state, job);
	}
};

/** The accounting of a job that was running when qdel removed it. */
export const recordDeletion = (state: QueueState, job: Job): void =>
	record(state, job, {failed: 100, exitStatus: 128 + constants.signals.SIGKILL, signal: 'SIGKILL'});

/** What Grid Engine writes when the node of a job has crashed: it does not even know when it began. */
const NODE_CRASHED: readonly number[] = [18, 19, 21];

const recordKill = (state: QueueState, job: Job, fault: KillFault): void => {
	const {signal = 'SIGKILL', failed = 100, wallclockSeconds, maxvmemBytes, isUnaccounted = false} = fault;
	if (isUnaccounted) {
		return;
	}

	if (NODE_CRASHED.includes(failed)) {
		const {JAT_start_time: _, ...unbegun} = job;
		record(state, unbegun, {failed, exitStatus: 0});
		return;
	}

	record(state, job, {
		failed,
		exitStatus: 128 + constants.signals[signal],
		signal,
		...(wallclockSeconds !== undefined && {wallclockSeconds}),
		...(maxvmemBytes !== undefined && {maxvmemBytes}),
	});
};

type End = Pick<EndedJob, 'failed' | 'exitStatus' | 'signal' | 'wallclockSeconds' | 'maxvmemBytes'>;

const record = (state: QueueState, job: Job, end: End): void => {
	state.ended.push({
		JB_job_number: job.JB_job_number,
		...(job.element !== undefined && {element: job.element}),
		JB_name: job.JB_name,
		JB_owner: job.JB_owner,
		queue: job.queue,
		host: hostOf(state, job).name,
		slots: job.slots,
		JB_submission_time: job.JB_submission_time,
		...(job.JAT_start_time !== undefined && {JAT_start_time: job.JAT_start_time}),
		endTime: localTime(),
		resources: job.resources,
		...end,
	});
};

/** A job that lingers as deleted stays listed, and is removed when its polls are counted down. */
const removeJob = (state: QueueState, job: Job | undefined): void => {
	if (job !== undefined && job.deleting === undefined) {
		state.jobs = state.jobs.filter(other => other !== job);
	}
};
