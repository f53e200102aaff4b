import path from 'node:path';
import {hostOf} from './hosts.js';
import type {Job} from './job.js';
import {directoryOf, outputPathsOf} from './job-files.js';
import type {QueueState} from './state.js';
import {callingUser} from './user.js';

const PATH_ON_WORKER = '/usr/local/bin:/bin:/usr/bin';

/** The environment that Grid Engine gives to a job: hardly anything of the caller's, unless `-v` or `-V` say so. */
export const environmentOf = (directory: string, state: QueueState, job: Job): Record<string, string> => {
	const {name, home, shell} = callingUser();
	const outputs = outputPathsOf(state, job);
	const scratch = scratchDirectoryOf(directory, job);
	return {
		PATH: PATH_ON_WORKER,
		TERM: '',
		...job.environment,
		HOME: home,
		USER: name,
		LOGNAME: name,
		SHELL: shell,
		PWD: directoryOf(job),
		TMPDIR: scratch,
		TMP: scratch,
		HOSTNAME: hostOf(state, job).name,
		ENVIRONMENT: 'BATCH',
		ARC: 'lx-amd64',
		JOB_ID: String(job.JB_job_number),
		JOB_NAME: job.JB_name,
		JOB_SCRIPT: job.command.path,
		REQUEST: job.JB_name,
		REQNAME: job.JB_name,
		QUEUE: job.queue,
		NSLOTS: String(job.slots),
		NHOSTS: '1',
		NQUEUES: '1',
		RESTARTED: job.restarts > 0 ? '1' : '0',
		...sgeVariables(directory, job, outputs),
	};
};

/** A directory of its own for every job, removed at its end. */
export const scratchDirectoryOf = (directory: string, job: Job): string =>
	path.join(directory, 'tmp', `${job.JB_job_number}.${job.element ?? 1}.${job.queue}`);

/** Where Grid Engine keeps its own notes on a job while it runs. */
export const jobSpoolDirectoryOf = (directory: string, job: Job): string =>
	path.join(directory, 'spool/active_jobs', `${job.JB_job_number}.${job.element ?? 1}`);

const sgeVariables = (directory: string, job: Job, outputs: {stdout: string; stderr: string}): Record<string, string> => ({
	SGE_ACCOUNT: 'sge',
	SGE_ARCH: 'lx-amd64',
	SGE_BINARY_PATH: directory,
	SGE_CELL: 'default',
	SGE_CWD_PATH: directoryOf(job),
	SGE_EXECD_PORT: '6445',
	SGE_JOB_SPOOL_DIR: jobSpoolDirectoryOf(directory, job),
	SGE_O_HOME: callingUser().home,
	SGE_O_HOST: 'qmaster',
	SGE_O_LOGNAME: job.JB_owner,
	SGE_O_PATH: PATH_ON_WORKER,
	SGE_O_SHELL: callingUser().shell,
	SGE_O_WORKDIR: job.submitDirectory,
	SGE_QMASTER_PORT: '6444',
	SGE_ROOT: directory,
	SGE_STDERR_PATH: outputs.stderr,
	SGE_STDIN_PATH: '/dev/null',
	SGE_STDOUT_PATH: outputs.stdout,
	SGE_TASK_FIRST: String(job.array?.first),
	SGE_TASK_ID: String(job.element),
	SGE_TASK_LAST: String(job.array?.last),
	SGE_TASK_STEPSIZE: String(job.array?.step),
});
