/** Ends a task that takes longer than `taskLimitMs`: by a timer when it waits, by the watchdog when it blocks the event loop. */
import type {TaskFailure} from '../v8-serialize-helpers.js';
import type {ChunkId} from './chunk-id.js';
import type {TaskPhase} from './phases.js';
import {startWatchdog} from './watchdog.js';

export type TimeLimit = {
	readonly ms: number;
	/** A task begins; it may be called more than once before it ends. */
	readonly begin: (id: ChunkId, index: number) => void;
	/** This call of fn returned a promise that is waited for. */
	readonly watch: (phase: TaskPhase) => void;
	readonly end: () => void;
	/** Why the task that has just ended has failed, for it took too long; undefined when it did not. */
	readonly failure: () => TaskFailure | undefined;
};

/** @param warn - Told when the watchdog can't be had. */
export const createTimeLimit = (taskLimitMs: number | null, workDir: string, warn: (message: string) => void): TimeLimit => {
	if (taskLimitMs === null) return NO_LIMIT;
	const failure = taskLimitFailure(taskLimitMs);
	const watchdog = startWatchdog(taskLimitMs, workDir, warn);
	let timer: NodeJS.Timeout | undefined;
	let began = 0;
	let ended = 0;

	/** A clock that stands still with the process: a queue-job that is suspended loses nothing by that. */
	const nowMs = (): number => performance.now() - watchdog.stillMs();

	const arm = (phase: TaskPhase, waitMs: number): void => {
		timer = setTimeout(() => {
			// It may only have stood still, and the watchdog has not seen that yet.
			watchdog.look();
			const leftMs = taskLimitMs - (nowMs() - began);
			if (leftMs > 0) arm(phase, leftMs);
			else phase.interrupt?.(failure);
		}, waitMs);
		// Whether anything is left that could settle the promise is for the task's own work to say.
		timer.unref();
	};

	return {
		ms: taskLimitMs,
		begin: (id, index) => {
			began = nowMs();
			watchdog.begin(id, index);
		},
		watch: phase => {
			clearTimeout(timer);
			arm(phase, Math.max(1, taskLimitMs - (nowMs() - began)));
		},
		end: () => {
			watchdog.end();
			clearTimeout(timer);
			ended = performance.now();
		},
		failure: () => {
			const isOver = (): boolean => ended - watchdog.stillMs() - began > taskLimitMs;
			if (!isOver()) return undefined;
			watchdog.look();
			return isOver() ? failure : undefined;
		},
	};
};

const NO_LIMIT: TimeLimit = {
	ms: Number.POSITIVE_INFINITY,
	begin: () => undefined,
	watch: () => undefined,
	end: () => undefined,
	failure: () => undefined,
};

const taskLimitFailure = (taskLimitMs: number): TaskFailure => ({
	kind: 'task-limit',
	message: `it took longer than taskLimitMs, ${taskLimitMs} ms`,
});
