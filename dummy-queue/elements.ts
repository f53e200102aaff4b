import type {Job} from './job.js';

/** What `-t` asks for: `2-6:2` is an array of three queue-jobs, its elements 2, 4 and 6. Grid Engine calls them tasks. */
export type Range = {first: number; last: number; step: number};

/** `3`, `3-5`, `1-5:2`, and `5-3`, which is `3-5`; undefined when it is none. */
export const parseRange = (text: string): Range | undefined => {
	const match = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(text);
	if (match === null) {
		return undefined;
	}

	const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
	return {first: Math.min(from, to), last: Math.max(from, to), step: Math.max(1, Number(match[3] ?? 1))};
};

export const formatRange = ({first, last, step}: Range): string => `${first}-${last}:${step}`;

export const elementsOf = ({first, last, step}: Range): number[] =>
	Array.from({length: Math.floor((last - first) / step) + 1}, (_, i) => first + i * step);

/** The elements, in rising order, as Grid Engine prints them: neighbours are joined first, then what stands alone at equal distances. */
export const formatElements = (elements: readonly number[]): string => {
	const runs: Range[] = [];
	for (const element of elements) {
		const run = runs.at(-1);
		if (run !== undefined && run.last + 1 === element) {
			run.last = element;
		} else {
			runs.push({first: element, last: element, step: 1});
		}
	}

	const joined: Range[] = [];
	for (const run of runs) {
		const before = joined.at(-1);
		const isAlone = run.first === run.last;
		if (before !== undefined && isAlone && before.first === before.last) {
			joined[joined.length - 1] = {first: before.first, last: run.last, step: run.first - before.first};
		} else if (before !== undefined && isAlone && before.step > 1 && before.last + before.step === run.first) {
			before.last = run.last;
		} else {
			joined.push({...run});
		}
	}

	return joined.map(formatShortly).join(',');
};

/** Two are told one by one. */
const formatShortly = (range: Range): string => {
	const elements = elementsOf(range);
	return elements.length > 2 ? formatRange(range) : elements.join(',');
};

/** The elements of an array share a number and a name. */
export const isSameJob = (a: Pick<Job, 'JB_job_number' | 'element'>, b: Pick<Job, 'JB_job_number' | 'element'>): boolean =>
	a.JB_job_number === b.JB_job_number && a.element === b.element;

/** Whether one more element may run (`-tc`). One in an error state counts as if it ran, as with Grid Engine. */
export const hasRoomInArray = (jobs: readonly Job[], {JB_job_number, array}: Job): boolean => {
	const {maxRunning = 0} = array ?? {};
	const isBusy = (job: Job): boolean => job.JB_job_number === JB_job_number && (job.phase === 'running' || job.state.includes('E'));
	return maxRunning === 0 || jobs.filter(isBusy).length < maxRunning;
};
