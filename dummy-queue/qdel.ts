import type {Answer} from './answer.js';
import {takeJobFault} from './faults.js';
import {deleteJob} from './job-ends.js';
import type {QueueState} from './state.js';
import {updateQueueState} from './store.js';
import {callingUser} from './user.js';

/** Removes queue-jobs by number or name; several are separated by blanks or commas. */
export const qdel = (directory: string, words: readonly string[]): Answer => {
	const wanted = words.flatMap(word => word.split(',')).filter(word => word !== '' && word !== '-f');
	if (wanted.length === 0) {
		return {stdout: 'ERROR! no option argument\n', stderr: 'SGE 8.1.9\nusage: qdel [options] job_task_list\n', exitCode: 1};
	}

	const outcomes = updateQueueState(directory, state => wanted.map(word => deleteOne(state, word)));
	return {
		stdout: outcomes.map(({text}) => `${text}\n`).join(''),
		stderr: '',
		exitCode: outcomes.every(({isDone}) => isDone) ? 0 : 1,
	};
};

type Outcome = {text: string; isDone: boolean};

const deleteOne = (state: QueueState, wanted: string): Outcome => {
	const user = callingUser().name;
	const job = state.jobs.find(
		candidate => (String(candidate.JB_job_number) === wanted || candidate.JB_name === wanted) && candidate.unlisted === undefined,
	);
	if (job === undefined) {
		const isNumber = /^\d+$/.test(wanted);
		return {
			text: isNumber ? `denied: job "${wanted}" does not exist` : `The job ${wanted} of user(s) ${user} does not exist`,
			isDone: false,
		};
	}

	if (job.foreign) {
		job.numDeleteAttempts = (job.numDeleteAttempts ?? 0) + 1;
		return {text: `${user} - you do not have the necessary privileges to delete the job "${job.JB_job_number}"`, isDone: false};
	}

	if (job.deleting) {
		return {text: `job ${job.JB_job_number} is already in deletion`, isDone: true};
	}

	deleteJob(state, job, takeJobFault(state.faults, 'linger', job)?.polls ?? 0);
	return {
		text:
			job.phase === 'running'
				? `${user} has registered the job ${job.JB_job_number} for deletion`
				: `${user} has deleted job ${job.JB_job_number}`,
		isDone: true,
	};
};
