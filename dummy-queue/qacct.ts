import {type Answer, answerOf, Refusal} from './answer.js';
import {elementsOf, formatRange, parseRange, type Range} from './elements.js';
import type {EndedJob} from './state.js';
import {readQueueState} from './store.js';
import {longTime} from './times.js';

/** Tells of ended queue-jobs: `qacct -j ID`; of elements of an array: `qacct -j ID -t RANGE`. */
export const qacct = (directory: string, words: readonly string[]): Answer =>
	answerOf(() => {
		const [option, wanted, elementOption, range] = words;
		const elements = parseRange(range ?? '');
		if (option !== '-j' || wanted === undefined || (elementOption !== undefined && (elementOption !== '-t' || elements === undefined))) {
			throw new Refusal(1, 'SGE 8.1.9\nusage: qacct -j job_id [-t task_id_range]');
		}

		const {accounting, ended} = readQueueState(directory);
		const found = accounting ? ended.filter(job => String(job.JB_job_number) === wanted || job.JB_name === wanted) : [];
		if (elements !== undefined) {
			return describeElements(found, wanted, elements);
		}

		if (found.length === 0) {
			throw new Refusal(1, `error: job ${/^\d+$/.test(wanted) ? 'id' : 'name'} ${wanted} not found`);
		}

		return found.map(describeEnd).join('');
	});

const describeElements = (found: readonly EndedJob[], wanted: string, elements: Range): string => {
	const numbers = elementsOf(elements);
	const meant = found.filter(({element}) => element !== undefined && numbers.includes(element));
	if (meant.length === 0) {
		throw new Refusal(1, `error: Job-array tasks ${wanted}.${formatRange(elements)} not found`);
	}

	return meant.map(describeEnd).join('');
};

const REASONS: Record<number, string> = {
	1: 'assumedly before job',
	18: 'shepherd exited',
	19: 'before writing exit_status',
	21: 'in recognising job',
	25: 'rescheduling',
	26: 'opening input/output file',
	27: 'searching requested shell',
	28: 'changing into working directory',
	30: 'application error returned',
	37: 'qmaster enforced h_rt, h_cpu, or h_vmem limit',
	100: 'assumedly after job',
};

// The words that Grid Engine puts behind the exit status of a killed job.
const SIGNAL_WORDS: Record<string, string> = {
	SIGKILL: 'Killed',
	SIGTERM: 'Terminated',
	SIGUSR2: 'User defined signal 2',
	SIGSEGV: 'Segmentation fault',
};

const describeEnd = (job: EndedJob): string => {
	const [start, end] = [job.JAT_start_time, job.endTime];
	const elapsedSeconds = job.wallclockSeconds ?? (start === undefined ? 0 : (Date.parse(end) - Date.parse(start)) / 1000);
	const signal = job.signal === undefined ? '' : `                  (${SIGNAL_WORDS[job.signal] ?? job.signal})`;
	const fields: readonly (readonly [string, string])[] = [
		['qname', job.queue],
		['hostname', job.host],
		['owner', job.JB_owner],
		['jobname', job.JB_name],
		['jobnumber', String(job.JB_job_number)],
		['taskid', String(job.element)],
		['account', 'sge'],
		['qsub_time', longTime(job.JB_submission_time)],
		['start_time', start === undefined ? '-/-' : longTime(start)],
		['end_time', start === undefined ? '-/-' : longTime(end)],
		['slots', String(job.slots)],
		['failed', job.failed === 0 ? '0' : `${String(job.failed).padEnd(3)} : ${REASONS[job.failed] ?? 'unknown'}`],
		['exit_status', `${job.exitStatus}${signal}`],
		['ru_wallclock', `${elapsedSeconds}s`],
		['cpu', '0.000s'],
		['maxvmem', `${((job.maxvmemBytes ?? 0) / 2 ** 20).toFixed(3)}MB`],
		['category', job.resources.length === 0 ? 'NONE' : `-l ${job.resources.join(',')}`],
	];
	return ['='.repeat(62), ...fields.map(([name, value]) => `${name.padEnd(13)}${value}`), ''].join('\n');
};
