/** Ends a task that takes longer than `taskLimitMs`: by a timer when it waits, by the watchdog when it blocks the event loop. */
import type {TaskFailure} from '../v8-serialize-helpers.js';
import type {TaskPhase} from './phases.js';
import {startWatchdog} from './watchdog.js';

export type TimeLimit = {
	readonly ms: number;
	/** A task begins; it may be called more than once before it ends. */
	readonly begin: (index: number) => void;
	/** This call of fn returned a promise that is waited for. */
	readonly watch: (phase: TaskPhase, beganMs: number) => void;
	readonly end: (index: number) => void;
	/** Why a task that took so long has failed; undefined when it has not. */
	readonly failureOf: (elapsedMs: number) => TaskFailure | undefined;
};

/**
 * @param path - The file that grows.
 * @param warn - Told when the watchdog can't be had.
 */
export const createTimeLimit = (taskLimitMs: number | null, path: string, warn: (message: string) => void): TimeLimit => {
	if (taskLimitMs === null) return NO_LIMIT;
	const failure = taskLimitFailure(taskLimitMs);
	const watchdog = startWatchdog(taskLimitMs, path, warn);
	let timer: NodeJS.Timeout | undefined;
	return {
		ms: taskLimitMs,
		begin: watchdog.begin,
		watch: (phase, beganMs) => {
			clearTimeout(timer);
			timer = setTimeout(() => phase.interrupt?.(failure), taskLimitMs - (performance.now() - beganMs));
			// Whether anything is left that could settle the promise is for the task's own work to say.
			timer.unref();
		},
		end: index => {
			watchdog.end(index);
			clearTimeout(timer);
		},
		failureOf: elapsedMs => (elapsedMs > taskLimitMs ? failure : undefined),
	};
};

const NO_LIMIT: TimeLimit = {
	ms: Number.POSITIVE_INFINITY,
	begin: () => undefined,
	watch: () => undefined,
	end: () => undefined,
	failureOf: () => undefined,
};

const taskLimitFailure = (taskLimitMs: number): TaskFailure => ({
	kind: 'task-limit',
	message: `it took longer than taskLimitMs, ${taskLimitMs} ms`,
});
