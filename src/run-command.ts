/** A shell command as a task: `pool.map(runCommand, jobs)`, and what `qmr run` maps. */
import {type ChildProcess, spawn} from 'node:child_process';
import {type FileHandle, open, stat} from 'node:fs/promises';
import {hostname} from 'node:os';
import {resolve} from 'node:path';
import {killTree} from './kill-tree.js';
import {type TaskContext, workerState} from './task-context.js';

/** What is to be run. Further keys are the caller's own. */
export type CommandJob = {
	/** For bash, with `pipefail`: the exit code is that of the last part of a pipe that has failed. */
	readonly cmd: string;
	/** The working directory of this command. @default that of the process */
	readonly cd?: string;
	/** A file for what it writes to stdout, relative to `cd`; what was in it is gone. @default the stdout of the process */
	readonly out?: string;
	/** The same for stderr; it may be the same file. */
	readonly err?: string;
	/** For `qmr run`: the hosts that may run it. */
	readonly host?: string | readonly string[];
	readonly [key: string]: unknown;
};

/** What became of a command. */
export type CommandResult = {
	/** As bash tells it: 127 for a command that is not found, 128 + n when a program in it was killed by the signal n. Null when bash itself was killed, or could not be started. */
	readonly code: number | null;
	/** What has killed bash itself, as `SIGKILL`. */
	readonly signal: NodeJS.Signals | null;
	/** Why it could not be run at all. */
	readonly error?: string;
	/** ISO 8601, UTC. */
	readonly started: string;
	readonly completed: string;
	/** Seconds, by a clock that never goes back. */
	readonly elapsed: number;
	readonly host: string;
};

/**
 * Runs `bash -c 'set -o pipefail; <cmd>'` with nothing on its stdin. A job that can't be run, as one without `cmd` or with a directory that does not exist, gives a result with `error`: it throws for none.
 * When the queue-job or the task ends before the command does, as at `taskLimitMs`, the command is killed, with all that it has started.
 */
export const runCommand = async (job: CommandJob): Promise<CommandResult> => {
	endForgotten();
	const started = new Date().toISOString();
	const startedMs = performance.now();
	const ended = await run(job).catch((error: unknown) => failure(error instanceof Error ? error.message : String(error)));
	const elapsed = Math.round((performance.now() - startedMs) * MICROSECONDS) / (MICROSECONDS * 1000);
	return {...ended, started, completed: new Date().toISOString(), elapsed, host: hostname()};
};

type Ended = Pick<CommandResult, 'code' | 'signal' | 'error'>;

/** In a millisecond: finer than that no clock is. */
const MICROSECONDS = 1000;

const failure = (error: string): Ended => ({code: null, signal: null, error});

const run = async (job: unknown): Promise<Ended> => {
	const fault = findFault(job);
	if (fault !== undefined) return failure(fault);
	const {cmd, cd, out, err} = job as CommandJob;
	const directory = resolve(cd ?? '.');
	if (!(await isDirectory(directory))) return failure(`\`cd\`: there is no directory ${directory}`);
	const files: FileHandle[] = [];
	const openOutput = async (name: 'out' | 'err', path: string | undefined): Promise<FileHandle | undefined> => {
		if (path === undefined || path === null) return undefined;
		try {
			const file = await open(resolve(directory, path), 'w');
			files.push(file);
			return file;
		} catch (error) {
			throw new Error(`\`${name}\` can't be opened: ${(error as Error).message}`);
		}
	};
	try {
		const stdout = await openOutput('out', out);
		// Opened twice, each would write over what the other has written.
		const isSame = stdout !== undefined && typeof err === 'string' && resolve(directory, err) === resolve(directory, out ?? '');
		const stderr = isSame ? stdout : await openOutput('err', err);
		return await runBash(cmd, directory, [stdout?.fd ?? 'inherit', stderr?.fd ?? 'inherit']);
	} finally {
		for (const file of files) await file.close();
	}
};

const TEXTS = ['cd', 'out', 'err'] as const;

const findFault = (job: unknown): string | undefined => {
	if (typeof job !== 'object' || job === null || Array.isArray(job)) return 'Expected a job to be an object as {"cmd": "hostname"}';
	const given = job as Readonly<Record<string, unknown>>;
	if (typeof given.cmd !== 'string')
		return given.cmd === undefined ? 'The job has no `cmd`, the command to run' : 'Expected `cmd` to be a text, the command to run';
	const wrong = TEXTS.find(
		name => given[name] !== undefined && given[name] !== null && (typeof given[name] !== 'string' || given[name] === ''),
	);
	return wrong === undefined ? undefined : `Expected \`${wrong}\` to be a path`;
};

const isDirectory = async (path: string): Promise<boolean> =>
	stat(path).then(
		stats => stats.isDirectory(),
		() => false,
	);

const runBash = (cmd: string, cwd: string, output: readonly (number | 'inherit')[]): Promise<Ended> =>
	new Promise(resolve => {
		// In the process group of the worker: what suspends or removes a queue-job means the whole group.
		const child = remember(() => spawn('bash', ['-c', `set -o pipefail; ${cmd}`], {cwd, stdio: ['ignore', ...output]}));
		child.once('error', (error: NodeJS.ErrnoException) => {
			forget(child);
			resolve(failure(explainSpawn(error)));
		});
		child.once('exit', (code, signal) => {
			forget(child);
			resolve({code, signal});
		});
	});

const explainSpawn = (error: NodeJS.ErrnoException): string =>
	error.code === 'ENOENT' ? 'bash is not there: it is looked up on PATH' : `bash can't be started: ${error.message}`;

/** Commands that run, and whose task each is; undefined outside a queue-job. */
const running = new Map<ChildProcess, TaskContext | undefined>();

/** What ends a process that does not listen to it, without an `exit` event. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Listens before there is a child: a signal that ends this process in between would leave it running. */
const remember = (start: () => ChildProcess): ChildProcess => {
	if (running.size === 0) {
		process.on('exit', killRunning);
		for (const signal of ENDING_SIGNALS) process.on(signal, endBySignal);
	}
	try {
		const child = start();
		running.set(child, workerState()?.currentTask());
		return child;
	} finally {
		listenNoLonger();
	}
};

const forget = (child: ChildProcess): void => {
	running.delete(child);
	listenNoLonger();
};

/** When nothing runs. */
const listenNoLonger = (): void => {
	if (running.size > 0) return;
	process.off('exit', killRunning);
	for (const signal of ENDING_SIGNALS) process.off(signal, endBySignal);
};

/** A worker computes one task at a time: what runs for another one is of a task that was ended before it was done. */
const endForgotten = (): void => {
	const task = workerState()?.currentTask();
	if (task === undefined) return;
	for (const [child, of] of running) if (of !== task && child.pid !== undefined) killTree(child.pid);
};

const killRunning = (): void => {
	for (const {pid} of running.keys()) if (pid !== undefined) killTree(pid);
};

const endBySignal = (signal: NodeJS.Signals): void => {
	// What becomes of this process is for others to say, if anybody else listens.
	if (process.listenerCount(signal) > 1) return;
	killRunning();
	process.off(signal, endBySignal);
	process.kill(process.pid, signal);
};
