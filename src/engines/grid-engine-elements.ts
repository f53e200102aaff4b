/** Elements of Grid Engine's job arrays: their ids, and the lists in which qstat tells them and qdel takes them. */
import {type ElementId, groupElements} from './group-elements.js';

/** `937.14`, the form that qdel and qacct take. */
export const formatElementId = (jobId: string, element: number): string => `${jobId}.${element}`;

export const parseElementId = (id: string): ElementId => {
	const match = /^(\d+)\.(\d+)$/.exec(id);
	return match === null ? {jobId: id, element: undefined} : {jobId: match[1] as string, element: Number(match[2])};
};

/**
 * The numbers in `<tasks>`: `2` of one that runs, `3-5:1`, `1-5:2`, `2,4,6-13:1` of those that wait.
 *
 * @throws Error when it is no such list.
 */
export const parseElements = (text: string): number[] =>
	text.split(',').flatMap(part => {
		const match = /^\s*(\d+)(?:-(\d+)(?::(\d+))?)?\s*$/.exec(part);
		if (match === null) throw new Error(`qstat printed tasks that are no list of numbers: ${JSON.stringify(text)}`);
		const [first, last, step] = [Number(match[1]), Number(match[2] ?? match[1]), Number(match[3] ?? 1)];
		return Array.from({length: Math.floor((last - first) / Math.max(1, step)) + 1}, (_, i) => first + i * Math.max(1, step));
	});

/** As few arguments for qdel as possible: `937.14-16:1`, `937.1-5:2`, `938`. Grid Engine passes over those of a range that are gone. */
export const groupIds = (ids: readonly string[]): string[] => {
	const {single, arrays} = groupElements(ids, parseElementId);
	return [...single, ...arrays.flatMap(({jobId, elements}) => toRanges(elements).map(range => `${jobId}.${range}`))];
};

/** Numbers in rising order as runs of equal steps, each as long as it can be. */
const toRanges = (numbers: readonly number[]): string[] => {
	const ranges: string[] = [];
	for (let i = 0; i < numbers.length; ) {
		const first = numbers[i] as number;
		const step = (numbers[i + 1] ?? first + 1) - first;
		let length = 1;
		while (numbers[i + length] === first + length * step) length++;
		// Two far apart may each belong to a longer run.
		const isRun = length > 2 || (length === 2 && step === 1);
		ranges.push(isRun ? `${first}-${first + (length - 1) * step}:${step}` : String(first));
		i += isRun ? length : 1;
	}
	return ranges;
};
