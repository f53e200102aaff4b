/** Numbers of tasks as they are printed and typed: `3`, `3,7,9-41`. */
import {UsageError} from '../command-error.js';

/** So many are typed by nobody: it is a slip. */
const MAX_RANGE = 10_000_000;

/** @throws UsageError for what is no number of a task. */
export const parseItasks = (words: readonly string[]): number[] => {
	const itasks = new Set<number>();
	for (const part of words.flatMap(word => word.split(',')).filter(word => word !== '')) {
		const match = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part);
		const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
		if (match === null || to < from || to - from > MAX_RANGE)
			throw new UsageError(`Expected the number of a task, as 3 or 3,7,9-41, got ${JSON.stringify(part)}.`);
		for (let itask = from; itask <= to; itask++) itasks.add(itask);
	}
	return [...itasks].sort((a, b) => a - b);
};
