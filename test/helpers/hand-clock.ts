import type {Clock} from '../../src/ports.js';

export type HandClock = Clock & {
	/** Lets time go by. */
	readonly advance: (ms: number) => void;
};

/** A clock that stands still unless it is moved by hand; its people's time began at 2026-11-21T00:20:07Z. */
export const createHandClock = (): HandClock => {
	let elapsedMs = 1000;
	return {
		nowMs: () => Date.UTC(2026, 10, 21, 0, 20, 7) + elapsedMs - 1000,
		elapsedMs: () => elapsedMs,
		sleep: async ms => {
			elapsedMs += ms;
		},
		advance: ms => {
			elapsedMs += ms;
		},
	};
};
