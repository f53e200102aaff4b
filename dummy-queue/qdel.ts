import type {Answer} from './answer.js';
import {elementsOf, formatElements, formatRange, parseRange, type Range} from './elements.js';
import {takeJobFault} from './faults.js';
import type {Job} from './job.js';
import {deleteJob} from './job-ends.js';
import type {QueueState} from './state.js';
import {updateQueueState} from './store.js';
import {callingUser} from './user.js';

/** Removes queue-jobs by number or name, and elements of arrays as `937.4`, `937.1-5:2` or `937 -t 1-5:2`; several are separated by blanks or commas. */
export const qdel = (directory: string, words: readonly string[]): Answer => {
	const wanted = parseWanted(words);
	if (wanted.length === 0) {
		return {stdout: 'ERROR! no option argument\n', stderr: 'SGE 8.1.9\nusage: qdel [options] job_task_list\n', exitCode: 1};
	}

	const outcomes = updateQueueState(directory, state => wanted.map(one => deleteWanted(state, one)));
	return {
		stdout: outcomes.flatMap(({texts}) => texts.map(text => `${text}\n`)).join(''),
		stderr: '',
		exitCode: outcomes.every(({isDone}) => isDone) ? 0 : 1,
	};
};

type Wanted = {name: string; range?: Range};

const parseWanted = (words: readonly string[]): Wanted[] => {
	const wanted: Wanted[] = [];
	const rest = words.flatMap(word => word.split(',')).filter(word => word !== '' && word !== '-f');
	for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
		const last = wanted.at(-1);
		const range = parseRange(word === '-t' ? (rest[0] ?? '') : (/^\d+\.(.*)$/.exec(word)?.[1] ?? ''));
		if (word === '-t' && last !== undefined && range !== undefined) {
			rest.shift();
			last.range = range;
		} else {
			wanted.push(range === undefined ? {name: word} : {name: word.slice(0, word.indexOf('.')), range});
		}
	}

	return wanted;
};

type Outcome = {texts: string[]; isDone: boolean};

const refusal = (text: string): Outcome => ({texts: [text], isDone: false});

const deleteWanted = (state: QueueState, {name, range}: Wanted): Outcome => {
	const user = callingUser().name;
	const isMeant = ({JB_job_number, JB_name, unlisted}: Job): boolean =>
		(String(JB_job_number) === name || JB_name === name) && unlisted === undefined;
	const first = state.jobs.find(isMeant);
	if (first === undefined) {
		const isNumber = /^\d+$/.test(name);
		return refusal(isNumber ? `denied: job "${name}" does not exist` : `The job ${name} of user(s) ${user} does not exist`);
	}

	const number = first.JB_job_number;
	if (first.foreign) {
		first.numDeleteAttempts = (first.numDeleteAttempts ?? 0) + 1;
		return refusal(`${user} - you do not have the necessary privileges to delete the job "${number}"`);
	}

	const elements = range && elementsOf(range);
	const jobs = state.jobs.filter(job => isMeant(job) && job.JB_job_number === number && (elements?.includes(job.element ?? 1) ?? true));
	if (range !== undefined && jobs.length === 0) {
		const isOne = range.first === range.last;
		return refusal(
			isOne
				? `job "${number}" task "${range.first}" does not exist`
				: `job "${number}" task id range "${formatRange(range)}" comprises no tasks`,
		);
	}

	const living = jobs.filter(({deleting}) => deleting === undefined);
	for (const job of living) {
		deleteJob(state, job, takeJobFault(state.faults, 'linger', job)?.polls ?? 0);
	}

	return {texts: living.length === 0 ? [`job ${number} is already in deletion`] : describeDeletion(user, living, range), isDone: true};
};

/** Elements that run are told one by one, those that waited together. */
const describeDeletion = (user: string, jobs: readonly Job[], range: Range | undefined): string[] => {
	const number = jobs[0]!.JB_job_number;
	const waited = jobs.filter(({phase}) => phase === 'pending').flatMap(({element}) => element ?? []);
	const registered = jobs
		.filter(({phase}) => phase === 'running')
		.map(
			({element}) =>
				`${user} has registered the job${element === undefined ? ` ${number}` : `-array task ${number}.${element}`} for deletion`,
		);
	const hasWaited = jobs.some(({phase}) => phase === 'pending');
	if (!hasWaited) {
		return registered;
	}

	if (range === undefined) {
		return [...registered, `${user} has deleted job ${number}`];
	}

	const what = waited.length === 1 ? `task ${number}.${waited[0]}` : `tasks ${formatElements(waited)} of job ${number}`;
	return [...registered, `${user} has deleted job-array ${what}`];
};
