import {type ChildProcess, spawn} from 'node:child_process';
import {closeSync, existsSync, mkdirSync, openSync, rmSync} from 'node:fs';
import path from 'node:path';
import {isSameJob} from './elements.js';
import type {Job} from './job.js';
import {endJob, type ProcessEnd, putIntoErrorState} from './job-ends.js';
import {environmentOf, jobSpoolDirectoryOf, scratchDirectoryOf} from './job-environment.js';
import {directoryOf, findProblem, openForAppend, outputPathsOf, shellOf} from './job-files.js';
import {killGroup} from './processes.js';
import type {QueueState} from './state.js';
import {onRemoval, readQueueState, updateQueueState} from './store.js';
import type {Claim} from './turn.js';

const KILL_CHECK_INTERVAL_MS = 5;

/** Executes a claimed queue-job to its end. The state is not locked meanwhile: the job may be slow, and may itself call qsub. */
export const executeJob = async (directory: string, {job, kill}: Claim): Promise<void> => {
	const state = readQueueState(directory);
	const problem = findProblem(state, job);
	if (problem) {
		changeJob(directory, job, (current, changed) => putIntoErrorState(changed, current, problem));
		return;
	}

	const ownDirectories = [scratchDirectoryOf(directory, job), jobSpoolDirectoryOf(directory, job)];
	for (const own of ownDirectories) {
		mkdirSync(own, {recursive: true});
	}

	const child = spawnJob(directory, state, job);
	const {pid} = child;
	if (pid !== undefined) {
		child.once(
			'exit',
			onRemoval(directory, () => killGroup(pid, 'SIGKILL')),
		);
		registerProcess(directory, job, pid);
		killByFault(child, pid, kill);
	}

	const end = await waitForEnd(child);
	for (const own of ownDirectories) {
		rmSync(own, {recursive: true, force: true});
	}

	if (end instanceof Error) {
		const reason = `error: ${end.message}`;
		changeJob(directory, job, (current, changed) => putIntoErrorState(changed, current, {failed: 27, reason}));
	} else {
		updateQueueState(directory, changed => endJob(changed, job, end, kill));
	}
};

const changeJob = (directory: string, wanted: Job, change: (job: Job, state: QueueState) => void): void =>
	updateQueueState(directory, state => {
		const job = state.jobs.find(other => isSameJob(other, wanted));
		if (job) {
			change(job, state);
		}
	});

const spawnJob = (directory: string, state: QueueState, job: Job): ChildProcess => {
	const outputs = outputPathsOf(state, job);
	const stdin = openSync(
		state.shellStartMode === 'script_from_stdin' && job.command.kind === 'script' ? job.command.path : '/dev/null',
		'r',
	);
	const stdout = openForAppend(outputs.stdout);
	const stderr = outputs.stderr === outputs.stdout ? stdout : openForAppend(outputs.stderr);
	const [program, ...words] = commandOf(state, job);
	const shell = shellOf(state, job);
	// A job gets this one whatever the caller's is.
	const umask = process.umask(0o022);
	try {
		return spawn(program!, words, {
			cwd: directoryOf(job),
			env: environmentOf(directory, state, job),
			stdio: [stdin, stdout, stderr],
			// A session and a process group of its own: what ends qstat does not end the job, and qdel can end all of it.
			detached: true,
			...(shell !== undefined && {argv0: `${state.loginShells ? '-' : ''}${path.basename(shell)}`}),
		});
	} finally {
		process.umask(umask);
		for (const descriptor of new Set([stdin, stdout, stderr])) {
			closeSync(descriptor);
		}
	}
};

const commandOf = (state: QueueState, job: Job): string[] => {
	const {command} = job;
	const words = [command.path, ...command.arguments];
	const shell = shellOf(state, job);
	if (shell === undefined) {
		return words;
	}

	if (command.kind === 'binary') {
		// Joined, as Grid Engine does it: blanks and stars in the arguments meet the shell.
		return [shell, '-c', words.join(' ')];
	}

	return state.shellStartMode === 'script_from_stdin' ? [shell, '-s', ...command.arguments] : [shell, ...words];
};

/** Lets qdel find the process. If qdel came first, the process ends here. */
const registerProcess = (directory: string, wanted: Job, pid: number): void => {
	const isWanted = updateQueueState(directory, state => {
		const job = state.jobs.find(other => isSameJob(other, wanted));
		if (job?.execution === undefined || job.deleting) {
			return false;
		}

		job.execution.pid = pid;
		return true;
	});
	if (!isWanted) {
		killGroup(pid, 'SIGKILL');
	}
};

const killByFault = (child: ChildProcess, pid: number, kill: Claim['kill']): void => {
	if (kill === undefined) {
		return;
	}

	const {signal = 'SIGKILL', onceExists} = kill;
	if (onceExists === undefined) {
		killGroup(pid, signal);
		return;
	}

	const timer = setInterval(() => {
		if (existsSync(onceExists)) {
			clearInterval(timer);
			killGroup(pid, signal);
		}
	}, KILL_CHECK_INTERVAL_MS);
	child.once('exit', () => clearInterval(timer));
};

const waitForEnd = async (child: ChildProcess): Promise<ProcessEnd | Error> =>
	new Promise(resolve => {
		child.once('error', resolve);
		child.once('exit', (exitCode, signal) => resolve({exitCode: exitCode ?? 0, signal: signal ?? undefined}));
	});
