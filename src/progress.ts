/** Tells how far a map is: to `onProgress`, and to the person at the terminal. */
import {countKnownTasks, type MapState} from './map-state.js';
import type {PoolOptions, Progress} from './options.js';
import type {Clock} from './ports.js';
import {createRateMeter, remainingMs} from './rate.js';
import type {Reducer} from './reduce.js';
import {createProgressDisplay, type ProgressDisplay} from './show-progress.js';
import type {TaskCounts} from './task-counts.js';

export type ProgressReport = {
	/** The numbers as they are now. */
	readonly read: () => Progress;
	/** Tells the numbers if they have changed. */
	readonly update: () => void;
	/** Ends the live line. */
	readonly end: () => void;
};

export type ProgressInput = {
	readonly state: MapState;
	readonly reducer: Reducer;
	readonly clock: Pick<Clock, 'elapsedMs'>;
	/** Whether all tasks are known: of a stream nobody knows how many there will be. */
	readonly isWhole: () => boolean;
	/** One line for the person at the terminal. */
	readonly tell: (line: string) => void;
};

export const createProgress = (
	{state, reducer, clock, isWhole, tell}: ProgressInput,
	{onProgress, progress = false}: Pick<PoolOptions, 'onProgress' | 'progress'>,
	createDisplay: () => ProgressDisplay = createProgressDisplay,
): ProgressReport => {
	const meter = createRateMeter();
	const display = progress ? createDisplay() : undefined;
	let last = '';
	let hasComplained = false;
	const note = (): void => {
		// What was cancelled has taken no time.
		const {done, failed} = reducer.counts();
		meter.note(clock.elapsedMs(), done + failed);
	};
	// What a resumed map has to begin with.
	note();
	const read = (): Progress => {
		note();
		const counts = countTasks(state, reducer);
		const rate = meter.rate(clock.elapsedMs());
		return {...counts, rate, remainingMs: isWhole() ? remainingMs(counts.running + counts.pending, rate) : undefined};
	};
	/** A map of days does not end for a faulty display. */
	const tellCaller = async (numbers: Progress): Promise<void> => {
		try {
			await onProgress?.(numbers);
		} catch (error) {
			if (!hasComplained) tell(`queue-map-reduce: onProgress failed: ${error instanceof Error ? error.message : String(error)}`);
			hasComplained = true;
		}
	};
	return {
		read,
		update: () => {
			if (onProgress === undefined && display === undefined) return;
			const numbers = read();
			// The rate alone changes from moment to moment.
			const counts = JSON.stringify(countsOf(numbers));
			// Of a stream the first task is still to come.
			if (numbers.total > 0) display?.show(numbers, clock.elapsedMs());
			if (counts === last) return;
			last = counts;
			tellCaller(numbers);
		},
		end: () => display?.end(),
	};
};

const countsOf = ({rate: _rate, remainingMs: _remainingMs, ...counts}: Progress): TaskCounts => counts;

/** Of a map that is running, or of what it has come to. */
const countTasks = (state: MapState, reducer: Reducer): TaskCounts => {
	const total = countKnownTasks(state);
	const {done, failed, cancelled} = reducer.counts();
	let running = 0;
	for (const {chunk, attempts, decision} of state.chunks) {
		const job = attempts.at(-1)?.job;
		if (decision.kind === 'open' && job?.kind === 'listed' && job.state === 'running') running += chunk.numTasks;
	}
	return {total, done, failed, cancelled, running, pending: total - done - failed - cancelled - running};
};
