/** Waits for what a stream is to give, unless it keeps us waiting while there is something better to do. */
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Clock} from './ports.js';

export type QuietWatch = {
	/** What `next` resolves to; undefined when nothing came for a while, and there is room. Then `next` may be waited for again. */
	readonly wait: <T>(next: Promise<T>) => Promise<T | undefined>;
};

export type QuietWatchInput = {
	/** Asked when nothing has come for a while, and again after each further while. */
	readonly isRoom: () => boolean;
	readonly clock: Pick<Clock, 'sleep'>;
	/** Ends the watching: what is waited for is waited for without end then. */
	readonly signal: AbortSignal;
};

/** A stream that is only held up for a moment has gone on by then; what is quiet for longer is slow by nature, as a person or an instrument. */
export const QUIET_MS = 1000;

export const createQuietWatch = ({isRoom, clock, signal}: QuietWatchInput): QuietWatch => {
	let numWaits = 0;
	let isWatching = false;
	let giveUp: (() => void) | undefined;

	/** Looks now and then, as long as something is waited for: a timer for each task would cost more than many a task. */
	const watch = async (): Promise<void> => {
		isWatching = true;
		while (giveUp !== undefined && !signal.aborted) {
			const numBefore = numWaits;
			await clock.sleep(QUIET_MS, signal);
			// When this process was held up there may be something by now.
			await nextTurn();
			if (!signal.aborted && giveUp !== undefined && numWaits === numBefore && isRoom()) giveUp();
		}
		isWatching = false;
	};

	return {
		wait: <T>(next: Promise<T>) =>
			new Promise<T | undefined>((resolve, reject) => {
				numWaits++;
				giveUp = () => {
					giveUp = undefined;
					resolve(undefined);
				};
				next.then(
					value => {
						giveUp = undefined;
						resolve(value);
					},
					(error: unknown) => {
						giveUp = undefined;
						reject(error);
					},
				);
				if (!isWatching) void watch();
			}),
	};
};
