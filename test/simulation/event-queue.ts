/** The clock of a simulated world: it jumps from one event to the next, and runs whatever was waiting for it. */

export type EventQueue = {
	readonly nowMs: () => number;
	/** @returns What takes the event back. */
	readonly at: (ms: number, body: () => void) => () => void;
	/**
	 * Runs events until something is over, nothing is left to happen, or too much has.
	 *
	 * @throws What an event throws.
	 */
	readonly run: (limits: RunLimits) => Promise<RunEnd>;
	readonly numEvents: () => number;
};

export type RunLimits = {readonly isOver: () => boolean; readonly untilMs: number; readonly maxEvents: number};

/** `idle`: nothing would ever happen again. */
export type RunEnd = 'over' | 'idle' | 'late' | 'busy';

type Event = {readonly ms: number; readonly number: number; body: (() => void) | undefined};

export const createEventQueue = (): EventQueue => {
	const heap: Event[] = [];
	let nowMs = 0;
	let numMade = 0;
	let numRun = 0;

	return {
		nowMs: () => nowMs,
		numEvents: () => numRun,
		at: (ms, body) => {
			const event: Event = {ms: Math.max(ms, nowMs), number: numMade++, body};
			push(heap, event);
			return () => {
				event.body = undefined;
			};
		},
		run: ({isOver, untilMs, maxEvents}) =>
			new Promise((resolve, reject) => {
				const step = (): void => {
					try {
						const end = runNext();
						if (end === undefined) queueMicrotask(nextStep);
						else resolve(end);
					} catch (error) {
						reject(error);
					}
				};
				const runNext = (): RunEnd | undefined => {
					if (isOver()) return 'over';
					while (heap[0] !== undefined && heap[0].body === undefined) pop(heap);
					const event = heap[0];
					if (event === undefined) return 'idle';
					if (event.ms > untilMs) return 'late';
					if (numRun >= maxEvents) return 'busy';
					pop(heap);
					numRun++;
					nowMs = event.ms;
					event.body?.();
					return undefined;
				};
				// Node runs all promises that can go on, also those that only now can, before the next callback of `process.nextTick`, and takes a
				// tenth of the time that a turn of the event loop takes.
				const nextStep = (): void => process.nextTick(step);
				// From a callback of the event loop these would come before the promises.
				queueMicrotask(nextStep);
			}),
	};
};

const isBefore = (a: Event, b: Event): boolean => a.ms < b.ms || (a.ms === b.ms && a.number < b.number);

const push = (heap: Event[], event: Event): void => {
	let at = heap.length;
	heap.push(event);
	while (at > 0) {
		const above = (at - 1) >> 1;
		if (!isBefore(event, heap[above] as Event)) break;
		heap[at] = heap[above] as Event;
		at = above;
	}
	heap[at] = event;
};

const pop = (heap: Event[]): void => {
	const last = heap.pop() as Event;
	if (heap.length === 0) return;
	let at = 0;
	for (;;) {
		let below = 2 * at + 1;
		if (below >= heap.length) break;
		if (below + 1 < heap.length && isBefore(heap[below + 1] as Event, heap[below] as Event)) below++;
		if (!isBefore(heap[below] as Event, last)) break;
		heap[at] = heap[below] as Event;
		at = below;
	}
	heap[at] = last;
};
