/** Tells how far a map is: to `onProgress`, and to the person at the terminal. */
import {countKnownTasks, type MapState} from './map-state.js';
import type {PoolOptions, Progress} from './options.js';
import type {Reducer} from './reduce.js';

export type ProgressReport = {
	/** Tells the numbers if they have changed. */
	readonly update: () => void;
	/** Ends the live line. */
	readonly end: () => void;
};

export const createProgress = (
	state: MapState,
	reducer: Reducer,
	{onProgress, progress = false}: Pick<PoolOptions, 'onProgress' | 'progress'>,
	terminal: Pick<NodeJS.WriteStream, 'write' | 'isTTY'> = process.stderr,
): ProgressReport => {
	let last = '';
	let hasComplained = false;
	/** A map of days does not end for a faulty display. */
	const tellCaller = async (numbers: Progress): Promise<void> => {
		try {
			await onProgress?.(numbers);
		} catch (error) {
			if (!hasComplained)
				terminal.write(`queue-map-reduce: onProgress failed: ${error instanceof Error ? error.message : String(error)}\n`);
			hasComplained = true;
		}
	};
	return {
		update: () => {
			if (onProgress === undefined && !progress) return;
			const numbers = countTasks(state, reducer);
			const line = formatProgress(numbers);
			if (line === last) return;
			last = line;
			tellCaller(numbers);
			if (progress) terminal.write(terminal.isTTY ? `\r\x1B[2K${line}` : `${line}\n`);
		},
		end: () => {
			if (progress && terminal.isTTY && last !== '') terminal.write('\n');
		},
	};
};

/** Of a map that is running, or of what it has come to. */
export const countTasks = (state: MapState, reducer: Reducer): Progress => {
	const total = countKnownTasks(state);
	const {done, failed} = reducer.counts();
	let running = 0;
	for (const {chunk, attempts, decision} of state.chunks) {
		const job = attempts.at(-1)?.job;
		if (decision.kind === 'open' && job?.kind === 'listed' && job.state === 'running') running += chunk.numTasks;
	}
	return {total, done, failed, running, pending: total - done - failed - running};
};

const BAR_WIDTH = 24;

const formatProgress = ({total, done, failed, running, pending}: Progress): string => {
	const filled = total === 0 ? 0 : Math.floor((BAR_WIDTH * (done + failed)) / total);
	const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
	return `${bar} ${done} of ${total} done, ${failed} failed, ${running} running, ${pending} pending`;
};
