import {type Answer, answerOf, Refusal} from './answer.js';
import {chooseHost} from './hosts.js';
import type {Job} from './job.js';
import type {QueueState} from './state.js';
import {readQueueState} from './store.js';

/** Says whether a queue-job could start now, and why not: `qalter -w p ID`. It alters nothing. */
export const qalter = (directory: string, words: readonly string[]): Answer => {
	const [option, level, wanted] = words;
	if (option !== '-w' || level !== 'p' || wanted === undefined) {
		return answerOf(() => {
			throw new Refusal(1, 'SGE 8.1.9\nusage: qalter -w p job_id');
		});
	}

	const state = readQueueState(directory);
	if (/^\d+\.\d+$/.test(wanted)) {
		return {stdout: '', stderr: 'denied: the selected option works only on jobs and not on tasks\n', exitCode: 4};
	}

	// Of an array, what is said is said of the elements that wait.
	const found = state.jobs.filter(({JB_job_number}) => String(JB_job_number) === wanted);
	const job = found.find(({phase}) => phase === 'pending') ?? found[0];
	if (job === undefined) {
		return {stdout: `denied: job "${wanted}" does not exist\n`, stderr: '', exitCode: 1};
	}

	const reasons = reasonsOf(state, job);
	const verdict = verdictOf(state, job, reasons);
	return {
		stdout: [...reasons.map(reason => `Job ${wanted} ${reason}`), `verification: ${verdict}`, ''].join('\n'),
		stderr: '',
		exitCode: verdict === 'no suitable queues' ? 1 : 0,
	};
};

const isHeldOrRunning = (job: Job): boolean => job.phase === 'running' || job.userHold;

const verdictOf = (state: QueueState, job: Job, reasons: readonly string[]): string => {
	if (isHeldOrRunning(job)) {
		return 'job is already running or is held';
	}

	return reasons.length > 0 || chooseHost(state, job) === undefined ? 'no suitable queues' : 'found suitable queue(s)';
};

const reasonsOf = (state: QueueState, job: Job): string[] => {
	if (isHeldOrRunning(job)) {
		return [];
	}

	if (state.pendingReasons.length > 0) {
		return state.pendingReasons;
	}

	return chooseHost(state, job) === undefined ? state.hosts.map(({name, state: letters}) => reasonOf(job, name, letters)) : [];
};

const reasonOf = (job: Job, host: string, letters: string): string =>
	letters === ''
		? `(-l hostname=${job.hostRequests.join('&')}) cannot run in queue "${job.queue}@${host}" because it offers only qf:hostname=${host}`
		: `queue instance "${job.queue}@${host}" dropped because it is temporarily not available`;
