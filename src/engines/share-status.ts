/** One question to a scheduler for all who want to know: the last answer and the one under way, shared by all maps of this process. */
import type {JobStatus} from './engine.js';

/** As `Engine.status`. */
export type AskStatus = (notBeforeMs?: number) => Promise<readonly JobStatus[]>;

type Shared = {
	readonly ask: () => Promise<readonly JobStatus[]>;
	answer: {readonly begunMs: number; readonly jobs: readonly JobStatus[]} | undefined;
	/** Never more than one. */
	underWay: {readonly begunMs: number; readonly jobs: Promise<readonly JobStatus[]>} | undefined;
	/** What comes after it, for those to whom it was begun too early. */
	next: Promise<readonly JobStatus[]> | undefined;
};

/** Engines come and go with the pools that use them; the scheduler is the same. */
const known = new Map<string, Shared>();

/**
 * @param key - Whoever gives the same one, asks for the same.
 * @param createAsk - Makes the function that asks the scheduler, once for all with this key.
 */
export const shareStatus = (key: string, createAsk: () => Shared['ask']): AskStatus => {
	const shared = known.get(key) ?? {ask: createAsk(), answer: undefined, underWay: undefined, next: undefined};
	known.set(key, shared);
	return async (notBeforeMs = performance.now()) => {
		const {answer, underWay, next} = shared;
		if (answer !== undefined && answer.begunMs >= notBeforeMs) return answer.jobs;
		if (underWay !== undefined && underWay.begunMs >= notBeforeMs) return underWay.jobs;
		if (next !== undefined) return next;
		if (underWay === undefined) return begin(shared);
		shared.next = underWay.jobs.then(
			() => begin(shared),
			() => begin(shared),
		);
		return shared.next;
	};
};

const begin = async (shared: Shared): Promise<readonly JobStatus[]> => {
	const begunMs = performance.now();
	const jobs = shared.ask();
	shared.underWay = {begunMs, jobs};
	shared.next = undefined;
	try {
		// A failure is told to those who wait for it, and to nobody else.
		shared.answer = {begunMs, jobs: await jobs};
		return shared.answer.jobs;
	} finally {
		shared.underWay = undefined;
	}
};
