import type {Answer} from './answer.js';
import {formatRange, hasRoomInArray} from './elements.js';
import {isStartable, type Job} from './job.js';
import type {QueueState} from './state.js';
import {longTime, slashedTime} from './times.js';
import {callingUser} from './user.js';

/** What `qstat -j` prints for these numbers or names. */
export const describeJobs = (state: QueueState, wanted: readonly string[]): Answer => {
	const isWanted = (job: Job, name: string): boolean => name === String(job.JB_job_number) || name === job.JB_name;
	const listed = state.jobs.filter(job => job.unlisted === undefined);
	const found = listed.filter(job => wanted.some(name => isWanted(job, name)));
	if (found.length > 0) {
		const numbers = [...new Set(found.map(({JB_job_number}) => JB_job_number))];
		return {
			stdout: numbers.map(number => describeJob(found.filter(({JB_job_number}) => JB_job_number === number))).join(''),
			stderr: '',
			exitCode: 0,
		};
	}

	return {stdout: '', stderr: `Following jobs do not exist: \n${wanted.join('\n')}\n`, exitCode: 1};
};

/** A queue-job, or what is left of an array. */
const describeJob = (elements: readonly Job[]): string => {
	const [job] = elements as [Job];
	const {uid, home} = callingUser();
	const {command, array} = job;
	const fields: readonly (readonly [string, string | undefined])[] = [
		['job_number', String(job.JB_job_number)],
		['exec_file', command.kind === 'script' ? `job_scripts/${job.JB_job_number}` : undefined],
		['submission_time', longTime(job.JB_submission_time)],
		['owner', job.JB_owner],
		['uid', String(uid)],
		['sge_o_home', home],
		['sge_o_log_name', job.JB_owner],
		['sge_o_workdir', job.submitDirectory],
		['sge_o_host', 'qmaster'],
		['account', 'sge'],
		['cwd', job.workingDirectory],
		['stderr_path_list', job.errorPath && `NONE:NONE:${job.errorPath}`],
		['mail_list', `${job.JB_owner}@qmaster`],
		['notify', String(job.requested.includes('-notify')).toUpperCase()],
		['job_name', job.JB_name],
		['stdout_path_list', job.outputPath && `NONE:NONE:${job.outputPath}`],
		['jobshare', '0'],
		['shell_list', command.shell && `NONE:${command.shell}`],
		['job_args', command.arguments.length > 0 ? command.arguments.join(',') : undefined],
		['script_file', command.original],
		['job-array tasks', array && formatRange(array)],
		['maximum concurrency', array && array.maxRunning > 0 ? String(array.maxRunning) : undefined],
		['jid_predecessor_list', job.holds.length > 0 ? job.holds.join(' ') : undefined],
		['binding', 'NONE'],
		['job_type', 'NONE'],
	];
	return [
		'='.repeat(62),
		...fields.flatMap(([name, value]) => (value === undefined ? [] : [`${`${name}:`.padEnd(28)}${value}`])),
		...elements.flatMap(describeErrorReason),
		`scheduling info:            ${schedulingInfo(elements).join(`\n${' '.repeat(28)}`)}`,
		'',
	].join('\n');
};

const describeErrorReason = ({element = 1, errorReason}: Job): string[] =>
	errorReason === undefined
		? []
		: [
				`error reason ${String(element).padStart(10)}:      ${slashedTime(errorReason.time)} [${errorReason.uid}:${errorReason.pid}]: ${errorReason.reason}`,
			];

const schedulingInfo = (elements: readonly Job[]): string[] => {
	const [job] = elements as [Job];
	const messages = [
		...(elements.some(({errorReason}) => errorReason !== undefined) ? ['Job is in error state'] : []),
		...(elements.some(({userHold, phase}) => userHold && phase === 'pending') ? ['Job is in hold state'] : []),
		...(elements.some(isStartable) && !hasRoomInArray(elements, job)
			? ["not all array tasks may be started due to 'max_aj_instances'"]
			: []),
	];
	if (messages.length > 0) {
		return messages;
	}

	return [job.holds.length > 0 ? 'job dropped because of job dependencies' : 'There are no messages available'];
};
