import type {Answer} from './answer.js';
import type {Job} from './job.js';
import type {QueueState} from './state.js';
import {longTime, slashedTime} from './times.js';
import {callingUser} from './user.js';

/** What `qstat -j` prints for these numbers or names. */
export const describeJobs = (state: QueueState, wanted: readonly string[]): Answer => {
	const isWanted = (job: Job, name: string): boolean => name === String(job.JB_job_number) || name === job.JB_name;
	const listed = state.jobs.filter(job => job.unlisted === undefined);
	const found = listed.filter(job => wanted.some(name => isWanted(job, name)));
	if (found.length > 0) {
		return {stdout: found.map(describeJob).join(''), stderr: '', exitCode: 0};
	}

	return {stdout: '', stderr: `Following jobs do not exist: \n${wanted.join('\n')}\n`, exitCode: 1};
};

const describeJob = (job: Job): string => {
	const {uid, home} = callingUser();
	const {command, errorReason} = job;
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
		['jid_predecessor_list', job.holds.length > 0 ? job.holds.join(' ') : undefined],
		['binding', 'NONE'],
		['job_type', 'NONE'],
	];
	return [
		'='.repeat(62),
		...fields.flatMap(([name, value]) => (value === undefined ? [] : [`${`${name}:`.padEnd(28)}${value}`])),
		...(errorReason
			? [`error reason          1:      ${slashedTime(errorReason.time)} [${errorReason.uid}:${errorReason.pid}]: ${errorReason.reason}`]
			: []),
		`scheduling info:            ${schedulingInfo(job)}`,
		'',
	].join('\n');
};

const schedulingInfo = (job: Job): string => {
	if (job.errorReason) {
		return 'Job is in error state';
	}

	if (job.userHold && job.phase === 'pending') {
		return 'Job is in hold state';
	}

	return job.holds.length > 0 ? 'job dropped because of job dependencies' : 'There are no messages available';
};
