/** Sorts ids of queue-jobs by the arrays that they are elements of, as the programs that remove them take many in one word. */

/** Of a queue-job that is in no array only its number. */
export type ElementId = {readonly jobId: string; readonly element: number | undefined};

export type GroupedIds = {
	/** Those that are in no array. */
	readonly single: readonly string[];
	/** Elements in rising order. */
	readonly arrays: readonly {readonly jobId: string; readonly elements: readonly number[]}[];
};

export const groupElements = (ids: readonly string[], parseId: (id: string) => ElementId): GroupedIds => {
	const single: string[] = [];
	const arrays = new Map<string, number[]>();
	for (const id of new Set(ids)) {
		const {jobId, element} = parseId(id);
		const elements = arrays.get(jobId);
		if (element === undefined) single.push(id);
		else if (elements === undefined) arrays.set(jobId, [element]);
		else elements.push(element);
	}
	return {single, arrays: [...arrays].map(([jobId, elements]) => ({jobId, elements: elements.sort((a, b) => a - b)}))};
};
