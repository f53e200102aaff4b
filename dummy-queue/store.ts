import {appendFileSync, existsSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {withLock} from './lock.js';
import type {ProgramName, QueueState} from './state.js';

const STATE_NAME = 'queue_state.json';
const CALLS_NAME = 'calls.jsonl';
const REMOVAL_CHECK_INTERVAL_MS = 500;

/** One call of a program of the queue. */
export type ProgramCall = {time: string; pid: number; program: ProgramName; arguments: string[]};

/** The state of the queue in this directory. Needs no lock, as the file is replaced as a whole. */
export const readQueueState = (directory: string): QueueState => JSON.parse(readFileSync(path.join(directory, STATE_NAME), 'utf8'));

/**
 * Changes the state of the queue in this directory. No program of the queue reads or writes the state meanwhile, so `change` must be short and not call one.
 * Returns what `change` returns. When it throws, nothing is changed.
 */
export const updateQueueState = <T>(directory: string, change: (state: QueueState) => T): T =>
	withLock(directory, () => {
		const state = readQueueState(directory);
		const result = change(state);
		if (result instanceof Promise) {
			throw new TypeError(
				'Expected `change` to be a synchronous function, got one that returns a promise. Change the state at once, wait elsewhere.',
			);
		}

		writeQueueState(directory, state);
		return result;
	});

/** Replaces the state as a whole. */
export const writeQueueState = (directory: string, state: QueueState): void => {
	const file = path.join(directory, STATE_NAME);
	// 0600: with `-V` it holds the caller's environment.
	writeFileSync(`${file}.tmp`, `${JSON.stringify(state, undefined, 2)}\n`, {mode: 0o600});
	renameSync(`${file}.tmp`, file);
};

/** Every call of a program of the queue so far, oldest first. */
export const readCalls = (directory: string): ProgramCall[] =>
	readFileSync(path.join(directory, CALLS_NAME), 'utf8')
		.split('\n')
		.filter(line => line !== '')
		.map(line => JSON.parse(line));

/** Forgets all calls. */
export const clearCalls = (directory: string): void => writeFileSync(path.join(directory, CALLS_NAME), '', {mode: 0o600});

/** Records a call. */
export const appendCall = (directory: string, program: ProgramName, programArguments: readonly string[]): void => {
	const call = {time: new Date().toISOString(), pid: process.pid, program, arguments: programArguments};
	appendFileSync(path.join(directory, CALLS_NAME), `${JSON.stringify(call)}\n`, {mode: 0o600});
};

/** Calls `action` when the queue is removed, as at the end of a test: nothing it started may stay behind. Returns what ends the watch. */
export const onRemoval = (directory: string, action: () => void): (() => void) => {
	const timer = setInterval(() => {
		if (!existsSync(path.join(directory, STATE_NAME))) {
			clearInterval(timer);
			action();
		}
	}, REMOVAL_CHECK_INTERVAL_MS);
	return () => clearInterval(timer);
};
