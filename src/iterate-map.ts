/** `imap` and `imapUnordered`: a map whose results are handed out as they arrive, and kept nowhere but in the work_dir. */
import type {Arrivals} from './arrivals.js';
import type {Taker} from './drive-map.js';
import type {TaskError} from './errors.js';
import type {LaunchedMap} from './map-run.js';

export type Iteration = {
	/** In task order; else as they come, each with the index of its task. */
	readonly isOrdered: boolean;
	/** Gives outcomes, and throws for no task. */
	readonly isSettled: boolean;
	/** Called when all outcomes are taken; until it resolves the map is not ended. */
	readonly beforeEnd?: (() => Promise<void>) | undefined;
	/** Undefined for a map without tasks. */
	readonly begin: (taker: (arrivals: Arrivals) => Taker) => Promise<LaunchedMap | undefined>;
};

/** So many chunks may be written beyond those that were taken to their end: a stream without end is read no faster than its results are wanted. */
const MAX_CHUNKS_AHEAD = 1000;

/** @throws TaskError in the place of a result; whatever ends the map before its time. */
export async function* iterateMap({isOrdered, isSettled, beforeEnd, begin}: Iteration): AsyncGenerator<unknown> {
	let finish: () => void = () => undefined;
	const finished = new Promise<void>(resolve => {
		finish = resolve;
	});
	const launched = await begin(({numTaken}) => ({
		chunksWanted: () => numTaken() + MAX_CHUNKS_AHEAD,
		done: () => finished,
	}));
	if (launched === undefined) return;
	const {run, arrivals, whole} = launched;
	let reason: unknown = new DOMException('The results of the map were not wanted any more.', 'AbortError');
	let cancelled: TaskError | undefined;
	let isComplete = false;
	try {
		for await (const outcome of isOrdered ? arrivals.ordered() : arrivals.unordered()) {
			if (isSettled) yield outcome;
			else if (outcome.status === 'rejected') {
				if (outcome.reason.kind !== 'cancelled') throw outcome.reason;
				// Of a map that was ended before its time the reason says more than that this task was cancelled …
				finish();
				await whole();
				// … and with `stopOnError` the failure that has ended it, which may come behind this task.
				cancelled ??= outcome.reason;
			} else if (cancelled === undefined) yield isOrdered ? outcome.value : [outcome.itask, outcome.value];
		}
		if (cancelled !== undefined) throw cancelled;
		await beforeEnd?.();
		isComplete = true;
	} catch (error) {
		reason = error;
		throw error;
	} finally {
		finish();
		// Also when the caller leaves its loop: nobody would take the rest.
		if (!isComplete) await run.cancel(reason);
	}
	await whole();
}
