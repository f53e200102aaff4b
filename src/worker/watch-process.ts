/**
 * Keeps one bad task from taking the process with it: what would end a Node process (process.exit, an error that nobody catches, an event loop with
 * nothing left to do) ends the task that it came from.
 */
import {syncBuiltinESMExports} from 'node:module';
import type {RemoteError, TaskErrorKind} from '../errors.js';
import {toRemoteError} from '../remote-error.js';
import type {TaskFailure} from '../v8-serialize-helpers.js';
import type {WorkerReport} from './outcomes-trailer.js';
import type {Phase, Phases, TaskPhase} from './phases.js';
import {outputBytes} from './watch-output.js';

export type ProcessWatch = {
	/** What is to be said at the end of a result file: what has come since the one before. */
	readonly report: () => WorkerReport;
	/** Something that the user should know, and that is nobody's failure. */
	readonly warn: (message: string) => void;
};

/** Of a chunk, whose tasks may each warn of something else. */
const MAX_WARNINGS = 100;

/** @param replaceWithFailure - Turns the outcome of a task into a failure; false when it is too late for that. */
export const watchProcess = (phases: Phases, replaceWithFailure: (phase: TaskPhase, failure: TaskFailure) => boolean): ProcessWatch => {
	const warnings = new Set<string>();
	const notices = new Set<string>();
	let reported = {stdout: 0, stderr: 0, warnings: 0, notices: 0, userMs: 0, systemMs: 0, atMs: performance.timeOrigin};
	const exit = process.exit.bind(process);
	/** Whether listeners are being told of an error that nobody caught. */
	let isUncaught = false;

	/** What comes from no phase that we know of is laid to the one that runs. */
	const blame = (): Phase | undefined => phases.ofCaller() ?? phases.current();

	const end = (phase: Phase | undefined, kind: TaskErrorKind, what: string, remote?: RemoteError): void => {
		const failure: TaskFailure = {
			kind: phase?.kind === 'import' ? 'start-failed' : kind,
			message: what,
			...(remote === undefined ? {} : {remote}),
		};
		if (phase?.kind === 'task' && phase.isRetried) return;
		if (phase === undefined) printLate('after the last task', failure);
		else if (phase.kind === 'import') {
			if (phase.interrupt === undefined) printLate(`after ${phase.url} was imported`, failure);
			else phase.interrupt({...failure, message: `${phase.url} can't be imported: ${what}`});
		}
		// Told before its outcome is recorded, while it is not on the disk yet, or too late.
		else if (phases.current() === phase) {
			phase.failure ??= failure;
			phase.interrupt?.(failure);
		} else if (!replaceWithFailure(phase, failure)) printLate(`task ${phase.itask}, after its outcome was recorded`, failure);
	};

	process.exit = (code?: number | string | null) => {
		const phase = blame();
		if (phase === undefined) return exit(code);
		const shown = code ?? process.exitCode ?? 0;
		end(phase, 'exit', `called process.exit(${shown})`);
		// What is thrown there would end the process for good.
		if (isUncaught) return undefined as never;
		// Thrown to end the caller, too; whoever catches it goes on in a task that has failed.
		throw new Error(`process.exit(${shown}) was called in a task: it ends the task, not the worker`);
	};
	// `import {exit} from 'node:process'` would still be the real one.
	syncBuiltinESMExports();

	process.on('uncaughtException', thrown => {
		// Listeners of the user's own come after this one, and call process.exit as a rule.
		isUncaught = true;
		queueMicrotask(() => {
			isUncaught = false;
		});
		const remote = toRemoteError(thrown);
		end(blame(), 'uncaught-exception', `uncaught ${remote.name}: ${remote.message}`, remote);
	});
	process.on('unhandledRejection', thrown => {
		const remote = toRemoteError(thrown);
		end(blame(), 'unhandled-rejection', `unhandled rejection with ${remote.name}: ${remote.message}`, remote);
	});
	process.on('beforeExit', () => {
		const phase = phases.current();
		if (phase === undefined) return;
		const what = phase.kind === 'import' ? 'it never finished' : 'its promise was not settled, and nothing was left that could settle it';
		end(phase, 'never-settled', what);
	});
	process.on('warning', ({name, message}) => {
		if (warnings.size - reported.warnings < MAX_WARNINGS) warnings.add(`${name}: ${message}`);
	});
	// Sent ahead of a suspension or a kill by some queues: the one would open Node's inspector, the other end it.
	for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined);
	process.on('exit', code => {
		// Grid Engine takes them for "queue me again" and "error state".
		if (code === 99 || code === 100) process.exitCode = 1;
	});

	return {
		warn: message => void notices.add(message),
		report: () => {
			const before = reported;
			const {maxRSS, userCPUTime, systemCPUTime} = process.resourceUsage();
			reported = {
				stdout: outputBytes(1),
				stderr: outputBytes(2),
				warnings: warnings.size,
				notices: notices.size,
				userMs: userCPUTime / 1000,
				systemMs: systemCPUTime / 1000,
				atMs: Date.now(),
			};
			const newNotices = [...notices].slice(before.notices);
			return {
				beganAt: new Date(before.atMs).toISOString(),
				endedAt: new Date(reported.atMs).toISOString(),
				// A task may have truncated them.
				stdoutBytes: Math.max(0, reported.stdout - before.stdout),
				stderrBytes: Math.max(0, reported.stderr - before.stderr),
				warnings: [...warnings].slice(before.warnings),
				...(newNotices.length === 0 ? {} : {notices: newNotices}),
				usage: {
					maxRssBytes: maxRSS * 1024,
					userMs: Math.round(reported.userMs - before.userMs),
					systemMs: Math.round(reported.systemMs - before.systemMs),
				},
			};
		},
	};
};

const printLate = (when: string, failure: TaskFailure): void => {
	process.stderr.write(`queue-map-reduce: ${when}: ${failure.message}\n${failure.remote?.stack ?? ''}\n`);
};
