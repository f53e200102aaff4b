/** An engine under a limit of time, which is asked again and again while something is waited for. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Engine, JobStatus} from '../src/index.js';

export type Watch = {
	/** Rejects with words what is not answered in time. */
	readonly engine: Engine;
	readonly until: <T>(what: string, look: (listing: readonly JobStatus[] | undefined) => T | undefined) => Promise<T>;
	/** @throws Error when the time is over. */
	readonly check: (what: string) => void;
	/** From now on there is so much time. */
	readonly extend: (ms: number) => void;
	/** Waits for the answers that are under way. */
	readonly end: () => Promise<void>;
};

type Answers = {
	newest: {readonly askedMs: number; readonly listing: readonly JobStatus[]} | undefined;
	lastError: unknown;
};

/** Between two looks. */
const LOOK_MS = 100;
/**
 * So many questions are under way at the most. More than one, for there are queues in which things happen only while somebody asks, and the one who asks waits for them.
 */
const MAX_UNDER_WAY = 8;

export const createWatch = (engine: Engine, timeoutMs: number): Watch => {
	let limitMs = timeoutMs;
	let untilMs = performance.now() + timeoutMs;
	const answers: Answers = {newest: undefined, lastError: undefined};
	const underWay = new Set<Promise<void>>();

	const late = (what: string): Error => {
		const listed =
			answers.newest === undefined
				? '`status` has not answered yet'
				: `The last answer of \`status\`: ${JSON.stringify(answers.newest.listing)}`;
		const failed = answers.lastError === undefined ? '' : `; it has failed by: ${(answers.lastError as Error).message}`;
		return new Error(`Waited ${limitMs / 1000} s for ${what}. ${listed}${failed}.`);
	};
	const check = (what: string): void => {
		if (performance.now() >= untilMs) throw late(what);
	};
	const inTime = async <T>(member: string, body: () => Promise<T>): Promise<T> => {
		let timer: NodeJS.Timeout | undefined;
		const timeout = new Promise<never>((_, reject) => {
			timer = setTimeout(() => reject(late(`an answer of \`${member}\``)), untilMs - performance.now());
		});
		try {
			return await Promise.race([body(), timeout]);
		} finally {
			clearTimeout(timer);
		}
	};

	const ask = (): void => {
		if (underWay.size >= MAX_UNDER_WAY) return;
		const askedMs = performance.now();
		const question = (async () => {
			try {
				const listed = await engine.status(askedMs);
				if (answers.newest === undefined || answers.newest.askedMs < askedMs) answers.newest = {askedMs, listing: listed};
			} catch (error) {
				answers.lastError = error;
			}
		})();
		underWay.add(question);
		question.then(() => underWay.delete(question));
	};

	const listing = (): readonly JobStatus[] | undefined => answers.newest?.listing;
	const {arrays} = engine;
	return {
		engine: {
			...engine,
			submit: requests => inTime('submit', async () => engine.submit(requests)),
			status: notBeforeMs => inTime('status', async () => engine.status(notBeforeMs)),
			remove: ids => inTime('remove', async () => engine.remove(ids)),
			explain: job => inTime('explain', async () => engine.explain(job)),
			...(arrays === undefined
				? {}
				: {
						arrays: {
							...arrays,
							maxElements: () => inTime('arrays.maxElements', async () => arrays.maxElements()),
							submit: request => inTime('arrays.submit', async () => arrays.submit(request)),
						},
					}),
		},
		check,
		until: async (what, look) => {
			// What was answered before is not news.
			answers.newest = undefined;
			for (;;) {
				const found = look(listing());
				if (found !== undefined) return found;
				check(what);
				ask();
				await sleep(LOOK_MS);
			}
		},
		extend: ms => {
			limitMs = ms;
			untilMs = performance.now() + ms;
		},
		end: async () => {
			await inTime('status', () => Promise.all(underWay));
		},
	};
};
