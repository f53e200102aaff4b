/** Prints failures so that a thousand equal ones are one line. */

type Failure = {readonly itask: number; readonly reason: string};

const MAX_GROUPS = 10;
/** Of more ranges it is only said how many tasks they are. */
export const MAX_RANGES = 8;
const MAX_REASON_LENGTH = 300;

/** One line for each distinct reason, the most frequent first, as `  tasks 3, 7, 9-41: boom`. */
export const groupFailures = (failures: readonly Failure[]): string[] => {
	const groups = new Map<string, number[]>();
	for (const failure of failures) {
		const reason = toLine(failure.reason);
		const group = groups.get(reason);
		if (group === undefined) groups.set(reason, [failure.itask]);
		else group.push(failure.itask);
	}
	const sorted = [...groups].sort(([, a], [, b]) => b.length - a.length);
	const lines = sorted
		.slice(0, MAX_GROUPS)
		.map(([reason, itasks]) => `  ${itasks.length === 1 ? 'task' : 'tasks'} ${formatRanges(itasks)}: ${reason}`);
	if (sorted.length > MAX_GROUPS) lines.push(`  and ${sorted.length - MAX_GROUPS} further kinds of failure, see error.failures`);
	return lines;
};

/** To be said behind how many have failed: they have not, the map was ended before. */
export const andCancelled = (numCancelled: number): string =>
	numCancelled === 0 ? '' : ` and ${numCancelled} ${numCancelled === 1 ? 'was' : 'were'} cancelled`;

/** Messages may have many lines, or be as long as a file; the whole of them is in each failure. */
export const toLine = (reason: string): string => {
	const line = reason.replaceAll(/\s*\n\s*/g, ' ').trim();
	return line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH)}…` : line;
};

/** Ascending numbers -> first and last of those that follow each other. */
export const findRanges = (numbers: Iterable<number>): [from: number, to: number][] => {
	const ranges: [number, number][] = [];
	for (const number of numbers) {
		const last = ranges.at(-1);
		if (last !== undefined && last[1] === number - 1) last[1] = number;
		else ranges.push([number, number]);
	}
	return ranges;
};

/** Ascending numbers as `3, 7, 9-41`. @param what - Of what they are the numbers. */
export const formatRanges = (numbers: readonly number[], what: 'tasks' | 'chunks' = 'tasks'): string => {
	const ranges = findRanges(numbers);
	const shown = ranges.slice(0, MAX_RANGES).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
	return ranges.length > MAX_RANGES ? `${shown.join(', ')}, … (${numbers.length} ${what})` : shown.join(', ');
};
