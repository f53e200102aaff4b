/** The embedded engine: queue-jobs are child processes of this machine, as many at once as there are slots. */
import {type ChildProcess, spawn} from 'node:child_process';
import {availableParallelism, hostname} from 'node:os';
import {isOwnedByJob} from '../environment-names.js';
import type {Engine, JobEnd, JobRequest, JobStatus} from './engine.js';
import {describeExitStatus, describeSignal, type ExitWords} from './exit-status.js';
import {killGroup} from './kill-group.js';
import {countMemoryKills} from './memory-kills.js';

/** Slots that a surrounding queue-job was given (Grid Engine, then Slurm), else the processors that this process may use. */
export const defaultSlots = (environment: NodeJS.ProcessEnv = process.env): number => {
	const granted = Number(environment.NSLOTS ?? environment.SLURM_CPUS_ON_NODE);
	return Number.isSafeInteger(granted) && granted > 0 ? granted : availableParallelism();
};

export const createLocalEngine = ({slots}: {readonly slots: number}): Engine => {
	const waiting = new Map<string, JobRequest>();
	const running = new Map<string, RunningJob>();
	const ended = new Map<string, JobEnd>();
	const removed = new Set<string>();
	/** Set while no process could be had. */
	let restTimer: NodeJS.Timeout | undefined;
	let numSubmitted = 0;

	/** Who asks for more than there are gets all. */
	const slotsOf = ({resources}: JobRequest): number => Math.min(resources.slots ?? 1, slots);

	const fillSlots = (): void => {
		while (restTimer === undefined) {
			// The first one afresh each time: what becomes of one changes who waits. Nobody overtakes one that waits for many slots.
			const [first] = waiting;
			if (first === undefined) return;
			const [id, request] = first;
			const numTaken = [...running.values()].reduce((sum, job) => sum + job.slots, 0);
			if (numTaken + slotsOf(request) > slots) return;
			waiting.delete(id);
			start(id, request);
		}
	};

	const start = (id: string, request: JobRequest): void => {
		// Before there is a child: a signal that ends this process in between would leave it running.
		watchForEnd();
		const numKillsBefore = countMemoryKills();
		const child = spawnShell(request);
		if (child instanceof Error) {
			watchNoLonger();
			putBack(id, request, child);
			return;
		}
		living.add(child);
		const gone = new Promise<void>(resolve => {
			const leave = (settle: () => void): void => {
				running.delete(id);
				// What tasks have left running belongs to its group.
				killGroup(child.pid);
				living.delete(child);
				watchNoLonger();
				settle();
				resolve();
			};
			child.once('error', error =>
				leave(() => {
					putBack(id, request, error);
					fillSlots();
				}),
			);
			child.once('exit', (code, signal) =>
				leave(() => {
					ended.set(id, {...describeEnd(code, signal, countMemoryKills() > numKillsBefore), host: hostname()});
					fillSlots();
				}),
			);
		});
		running.set(id, {child, name: request.name, slots: slotsOf(request), gone});
	};

	/** It never began: it waits for better times, unless this machine will never start it. */
	const putBack = (id: string, request: JobRequest, error: NodeJS.ErrnoException): void => {
		if (removed.has(id)) return;
		if (!isPassing(error)) {
			ended.set(id, {failed: true, kind: 'start-failed', reason: `it can't be started: ${error.message}`, host: hostname()});
			return;
		}
		// Before the others: the order is that of submission.
		const others = [...waiting];
		waiting.clear();
		for (const [otherId, other] of [[id, request] as const, ...others]) waiting.set(otherId, other);
		restTimer ??= setTimeout(() => {
			restTimer = undefined;
			fillSlots();
		}, REST_MS);
	};

	return {
		name: 'local',
		statusCost: 'none',
		outlivesProcess: false,
		maxDefaultChunks: 4 * slots,
		submit: async requests => {
			const outcomes = requests.map(request => {
				const id = `local-${process.pid}-${++numSubmitted}`;
				waiting.set(id, request);
				return {kind: 'submitted', id} as const;
			});
			fillSlots();
			return outcomes;
		},
		describe: async requests => requests.map(({script, scriptArguments}) => [SHELL, script, ...scriptArguments]),
		status: async () => [
			...[...running].map(([id, {name}]): JobStatus => ({id, name, state: 'running', rawState: 'running', host: hostname()})),
			...[...waiting].map(([id, {name}]): JobStatus => ({id, name, state: 'pending', rawState: 'waiting'})),
		],
		remove: async ids => {
			const killed = ids.flatMap(id => {
				waiting.delete(id);
				const job = running.get(id);
				if (job === undefined) return [];
				removed.add(id);
				killGroup(job.child.pid);
				return [job.gone];
			});
			await Promise.all(killed);
		},
		explain: async ({id, state}) =>
			state === 'pending' && waiting.has(id) ? explainWaiting(restTimer !== undefined, slots) : ended.get(id),
	};
};

const SHELL = '/bin/sh';

/** When this machine can start no program, it is tried again after so long. */
const REST_MS = 1000;

/** A process group of its own: Ctrl-C at the terminal is not meant for it, and removing it removes its children. */
const spawnShell = ({script, scriptArguments}: JobRequest): ChildProcess | NodeJS.ErrnoException => {
	try {
		return spawn(SHELL, [script, ...scriptArguments], {detached: true, stdio: 'ignore', cwd: '/', env: siteEnvironment(process.env)});
	} catch (error) {
		// Of some reasons (ENOMEM) it tells at once, of others (EAGAIN, EMFILE) by an event.
		return error as NodeJS.ErrnoException;
	}
};

/** No process, no memory or no file descriptor to be had just now. */
const isPassing = ({code}: NodeJS.ErrnoException): boolean => ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'].includes(code ?? '');

const explainWaiting = (isResting: boolean, slots: number): JobEnd => ({
	failed: false,
	reason: isResting ? 'this machine can start no process at the moment' : `all slots are taken (${slots} queue-jobs at once)`,
});

/** As in a batch system a queue-job begins with little: the caller's environment is brought by the launcher, as far as the option `env` says. */
const siteEnvironment = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
	Object.fromEntries(Object.entries(environment).filter(([name]) => isOwnedByJob(name) || /^(?:PATH|HOME|USER|LOGNAME|SHELL)$/.test(name)));

type RunningJob = {readonly child: ChildProcess; readonly name: string; readonly slots: number; readonly gone: Promise<void>};

/** Unlike those of a queue, child processes end with the process that maps: nobody would read their results. */
const living = new Set<ChildProcess>();

/** What ends a program that does not listen to it, without an `exit` event. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const watchForEnd = (): void => {
	if (living.size > 0) return;
	process.on('exit', killLiving);
	for (const signal of ENDING_SIGNALS) listenTo(signal);
};

/** Once there is no child left. */
const watchNoLonger = (): void => {
	if (living.size > 0) return;
	process.off('exit', killLiving);
	for (const signal of ENDING_SIGNALS) process.off(signal, endBySignal);
};

/** Before all other listeners, so that they see the process as it would be without this one. */
const listenTo = (signal: NodeJS.Signals): void => {
	if (!process.listeners(signal).includes(endBySignal)) process.prependListener(signal, endBySignal);
};

const endBySignal = (signal: NodeJS.Signals): void => {
	process.off(signal, endBySignal);
	if (process.listenerCount(signal) > 0) {
		// What becomes of this process is for others to say: they may end the map in an orderly way, or go on.
		setImmediate(() => living.size > 0 && listenTo(signal));
		return;
	}
	killLiving();
	// Nobody listens any more, so the signal does what it does to any program.
	process.kill(process.pid, signal);
};

const killLiving = (): void => {
	for (const child of living) killGroup(child.pid);
};

const describeEnd = (code: number | null, signal: NodeJS.Signals | null, wasMemoryKill: boolean): ExitWords => {
	if (signal === null) return describeExitStatus(code ?? 0);
	if (signal === 'SIGKILL' && wasMemoryKill) {
		return {
			failed: true,
			kind: 'out-of-memory',
			reason: 'killed by SIGKILL, while the system ended processes of this control group for want of memory',
		};
	}
	return describeSignal(signal);
};
