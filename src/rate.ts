/** How many tasks a second, and how long the rest will take: from the recent past. Pure but for what it remembers. */

export type RateMeter = {
	/** @param numEnded - Tasks that have ended so far. What was there at the first call counts for nothing: a map that is resumed has not computed it now. */
	readonly note: (elapsedMs: number, numEnded: number) => void;
	/** Tasks per second; undefined as long as none has ended. */
	readonly rate: (elapsedMs: number) => number | undefined;
};

/** Of short tasks so long a time is looked at: the rate is that of now, and does not jump. */
const WINDOW_MS = 60_000;
/** Of long ones the time in which so many ended. */
const WINDOW_TASKS = 20;
/** So many samples tell of the window what there is to tell. */
const SAMPLE_EVERY_MS = 1000;

type Sample = {readonly elapsedMs: number; readonly numEnded: number};

export const createRateMeter = (): RateMeter => {
	const samples: Sample[] = [];
	let last: Sample | undefined;
	return {
		note: (elapsedMs, numEnded) => {
			if (numEnded === last?.numEnded) return;
			last = {elapsedMs, numEnded};
			const previous = samples.at(-1);
			if (previous === undefined || elapsedMs - previous.elapsedMs >= SAMPLE_EVERY_MS) samples.push(last);
			// The second one is old enough, and has seen enough, to begin the window.
			while (samples[1] !== undefined && elapsedMs - samples[1].elapsedMs >= WINDOW_MS && numEnded - samples[1].numEnded >= WINDOW_TASKS)
				samples.shift();
		},
		rate: elapsedMs => {
			const [first] = samples;
			if (first === undefined || last === undefined || last.numEnded <= first.numEnded || elapsedMs <= first.elapsedMs) return undefined;
			return ((last.numEnded - first.numEnded) / (elapsedMs - first.elapsedMs)) * 1000;
		},
	};
};

/** Milliseconds; undefined when it can't be said. */
export const remainingMs = (numLeft: number, rate: number | undefined): number | undefined => {
	if (numLeft === 0) return 0;
	return rate === undefined ? undefined : Math.round((numLeft / rate) * 1000);
};
