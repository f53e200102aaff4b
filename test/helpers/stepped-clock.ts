import type {Clock} from '../../src/ports.js';

export type SteppedClock = Clock & {
	/** Lets time go by, and everything happen that was slept for. */
	readonly advance: (ms: number) => Promise<void>;
};

/** A clock for what sleeps again and again: it stands still unless it is moved by hand. */
export const createSteppedClock = (): SteppedClock => {
	let elapsedMs = 1000;
	let sleepers: {readonly dueMs: number; readonly wake: () => void}[] = [];
	return {
		nowMs: () => Date.UTC(2026, 10, 21, 0, 20, 7) + elapsedMs,
		elapsedMs: () => elapsedMs,
		sleep: (ms, signal) =>
			new Promise(resolve => {
				if (signal.aborted) return resolve();
				const onAbort = (): void => {
					sleepers = sleepers.filter(other => other !== sleeper);
					resolve();
				};
				const sleeper = {
					dueMs: elapsedMs + ms,
					wake: () => {
						signal.removeEventListener('abort', onAbort);
						resolve();
					},
				};
				sleepers.push(sleeper);
				signal.addEventListener('abort', onAbort);
			}),
		advance: async ms => {
			const untilMs = elapsedMs + ms;
			for (;;) {
				await settle();
				const next = sleepers.toSorted((a, b) => a.dueMs - b.dueMs)[0];
				if (next === undefined || next.dueMs > untilMs) break;
				elapsedMs = Math.max(elapsedMs, next.dueMs);
				sleepers = sleepers.filter(other => other !== next);
				next.wake();
			}
			elapsedMs = untilMs;
		},
	};
};

/** So many turns of the event loop are more than anything in memory takes. */
const TURNS = 30;

const settle = async (): Promise<void> => {
	for (let turn = 0; turn < TURNS; turn++) await new Promise(resolve => setImmediate(resolve));
};
