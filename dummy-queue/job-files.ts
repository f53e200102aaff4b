import {accessSync, closeSync, constants, openSync, readFileSync, statSync} from 'node:fs';
import path from 'node:path';
import {getSystemErrorMap} from 'node:util';
import {hostOf} from './hosts.js';
import type {Job} from './job.js';
import type {Problem} from './job-ends.js';
import type {QueueState} from './state.js';
import {callingUser} from './user.js';

const DEFAULT_SHELL = '/bin/sh';

/** The directory a job runs in: not the one qsub was called in, unless it was asked for. */
export const directoryOf = (job: Job): string => job.workingDirectory ?? callingUser().home;

/** The shell that runs a job; undefined when none does. */
export const shellOf = (state: QueueState, {command}: Job): string | undefined => {
	if (command.kind === 'binary') {
		return command.usesShell ? (command.shell ?? DEFAULT_SHELL) : undefined;
	}

	if (state.shellStartMode !== 'unix_behavior') {
		return command.shell ?? DEFAULT_SHELL;
	}

	return readFileSync(command.path).subarray(0, 2).toString() === '#!' ? undefined : DEFAULT_SHELL;
};

/** Why the job can't be started, in Grid Engine's words. Makes its output files, as starting it does. */
export const findProblem = (state: QueueState, job: Job): Problem | undefined => {
	const directory = directoryOf(job);
	const directoryError = catchErrno(() => {
		if (!statSync(directory).isDirectory()) {
			throw Object.assign(new Error(), {code: 'ENOTDIR'});
		}

		accessSync(directory, constants.X_OK);
	});
	if (directoryError !== undefined) {
		return {failed: 28, reason: `error: can't chdir to ${directory}: ${directoryError}`};
	}

	const shell = shellOf(state, job);
	if (shell !== undefined && catchErrno(() => accessSync(path.resolve(directory, shell), constants.X_OK)) !== undefined) {
		return {failed: 27, reason: `unable to find shell "${shell}"`};
	}

	for (const file of Object.values(outputPathsOf(state, job))) {
		const fileError = catchErrno(() => closeSync(openForAppend(file)));
		if (fileError !== undefined) {
			return {failed: 26, reason: `error: can't open output file "${file}": ${fileError}`};
		}
	}

	return undefined;
};

/** Where the job writes. */
export const outputPathsOf = (state: QueueState, job: Job): {stdout: string; stderr: string} => {
	const stdout = outputPath(state, job, job.outputPath, 'o');
	return {stdout, stderr: job.joinsOutput ? stdout : outputPath(state, job, job.errorPath, 'e')};
};

/** Grid Engine appends: what an earlier job wrote to the same file stays. */
export const openForAppend = (file: string): number => openSync(file, 'a', 0o644);

const outputPath = (state: QueueState, job: Job, asked: string | undefined, letter: 'o' | 'e'): string => {
	const standard = `${job.JB_name}.${letter}${job.JB_job_number}${job.element === undefined ? '' : `.${job.element}`}`;
	if (asked === undefined) {
		return path.join(directoryOf(job), standard);
	}

	const expanded = path.resolve(directoryOf(job), expandVariables(state, job, asked.slice(asked.indexOf(':') + 1)));
	const isDirectory = statSync(expanded, {throwIfNoEntry: false})?.isDirectory() ?? false;
	return isDirectory ? path.join(expanded, standard) : expanded;
};

const expandVariables = (state: QueueState, job: Job, text: string): string => {
	const {name, home} = callingUser();
	const values: Record<string, string> = {
		HOME: home,
		USER: name,
		JOB_ID: String(job.JB_job_number),
		JOB_NAME: job.JB_name,
		HOSTNAME: hostOf(state, job).name,
		TASK_ID: String(job.element),
	};
	return text.replaceAll(/\$(HOME|USER|JOB_ID|JOB_NAME|HOSTNAME|TASK_ID)/g, (_, variable: string) => values[variable]!);
};

/** The text of the system's error, as `No such file or directory`. */
const catchErrno = (action: () => void): string | undefined => {
	try {
		action();
		return undefined;
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		const [, text = message] = [...getSystemErrorMap().values()].find(([name]) => name === code) ?? [];
		return text.charAt(0).toUpperCase() + text.slice(1);
	}
};
