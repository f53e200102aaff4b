/** Elements of Slurm's job arrays: their ids, and the lists in which scancel takes them. */
import {type ElementId, groupElements} from './group-elements.js';

/** `937_14`, the form that squeue lists and scancel and scontrol take. */
export const formatElementId = (jobId: string, element: number): string => `${jobId}_${element}`;

const parseElementId = (id: string): ElementId => {
	const match = /^(\d+)_(\d+)$/.exec(id);
	return match === null ? {jobId: id, element: undefined} : {jobId: match[1] as string, element: Number(match[2])};
};

/** So many runs in one list keep it far below what the kernel takes as one argument (128 KiB). */
const MAX_RUNS = 1000;

/**
 * As few arguments for scancel as possible: `937_[1-5,7]`, `938`. For each of them it asks the controller once; of a list those that are gone are passed over, and the others removed.
 */
export const groupIds = (ids: readonly string[]): string[] => {
	const {single, arrays} = groupElements(ids, parseElementId);
	return [
		...single,
		...arrays.flatMap(({jobId, elements}) => {
			const [only] = elements;
			if (elements.length === 1) return [formatElementId(jobId, only as number)];
			const runs = toRuns(elements);
			return Array.from(
				{length: Math.ceil(runs.length / MAX_RUNS)},
				(_, i) => `${jobId}_[${runs.slice(i * MAX_RUNS, (i + 1) * MAX_RUNS).join(',')}]`,
			);
		}),
	];
};

/** Numbers in rising order: `1-5`, `7`. */
const toRuns = (numbers: readonly number[]): string[] => {
	const runs: string[] = [];
	for (let i = 0; i < numbers.length; ) {
		const first = numbers[i] as number;
		let length = 1;
		while (numbers[i + length] === first + length) length++;
		runs.push(length === 1 ? String(first) : `${first}-${first + length - 1}`);
		i += length;
	}
	return runs;
};
