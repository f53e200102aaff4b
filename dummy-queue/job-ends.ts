import {constants} from 'node:os';
import type {Job} from './job.js';
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
export const endJob = (state: QueueState, job: Job, {exitCode, signal}: ProcessEnd): void => {
	const current = state.jobs.find(other => other.JB_job_number === job.JB_job_number);
	delete current?.execution;
	if (signal !== undefined) {
		record(state, job, {failed: 100, exitStatus: 128 + constants.signals[signal], signal});
		removeJob(state, current);
	} else if (exitCode === EXIT_REQUEUE && current && !current.deleting) {
		record(state, job, {failed: 25, exitStatus: exitCode});
		current.restarts += 1;
		current.phase = 'pending';
		current.state = 'Rq';
		delete current.JAT_start_time;
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
	delete job.unlisted;
};

/** The accounting of a job that was running when qdel removed it. */
export const recordDeletion = (state: QueueState, job: Job): void =>
	record(state, job, {failed: 100, exitStatus: 128 + constants.signals.SIGKILL, signal: 'SIGKILL'});

const record = (state: QueueState, job: Job, end: Pick<EndedJob, 'failed' | 'exitStatus' | 'signal'>): void => {
	state.ended.push({
		JB_job_number: job.JB_job_number,
		JB_name: job.JB_name,
		JB_owner: job.JB_owner,
		queue: job.queue,
		host: state.host,
		slots: job.slots,
		JB_submission_time: job.JB_submission_time,
		...(job.JAT_start_time !== undefined && {JAT_start_time: job.JAT_start_time}),
		endTime: localTime(),
		...end,
	});
};

/** A job that lingers as deleted stays listed, and is removed when its polls are counted down. */
const removeJob = (state: QueueState, job: Job | undefined): void => {
	if (job !== undefined && job.deleting === undefined) {
		state.jobs = state.jobs.filter(other => other !== job);
	}
};
