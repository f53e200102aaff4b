/** Tasks that were computed again, each in the work_dir of its rerun -> what counts of a task of the first map. */
import {MANIFEST, parseRerunName, rerunPath} from '../layout.js';
import {realFiles} from '../ports.js';
import {type KnownChunk, type OpenWorkDir, openWorkDir} from '../read/open-work-dir.js';
import {readWhole} from '../read/read-whole.js';
import type {TaskRecord} from '../read/read-work-dir.js';

export type OpenRerun = {readonly number: number; readonly map: OpenWorkDir};

/** Oldest first. What can't be read of them is added to the problems of the first map. */
export const openReruns = async ({workDir, names, problems}: OpenWorkDir): Promise<OpenRerun[]> => {
	const reruns: OpenRerun[] = [];
	for (const {number, path} of listReruns(workDir, names)) {
		// It is being made, or its process ended before it was.
		if ((await readWhole(realFiles, `${path}/${MANIFEST}`)) === undefined) continue;
		try {
			reruns.push({number, map: {...(await openWorkDir(path)), problems}});
		} catch (error) {
			problems.push(`${path}: ${(error as Error).message}`);
		}
	}
	return reruns;
};

/** Oldest first. */
export const listReruns = (workDir: string, names: readonly string[]): readonly {readonly number: number; readonly path: string}[] =>
	names
		.flatMap(name => parseRerunName(name) ?? [])
		.sort((a, b) => a - b)
		.map(number => ({number, path: rerunPath(workDir, number)}));

/**
 * Gives of a task what there is of it in each rerun, the oldest first. Tasks are asked for in order, more often than not: of each rerun one chunk is kept in memory.
 *
 * @param read - The tasks of one chunk of a rerun.
 */
export const createRerunReader = (
	reruns: readonly OpenRerun[],
	read: (map: OpenWorkDir, chunk: KnownChunk) => Promise<readonly TaskRecord[]>,
): ((itask: number) => Promise<readonly TaskRecord[]>) => {
	const readers = reruns.map(({number, map}) => {
		const chunkOf = new Map(map.chunks.flatMap(chunk => (chunk.chunk.itasks ?? []).map(itask => [itask, chunk] as const)));
		let kept: {readonly chunk: KnownChunk; readonly tasks: ReadonlyMap<number, TaskRecord>} | undefined;
		return async (itask: number): Promise<TaskRecord[]> => {
			const chunk = chunkOf.get(itask);
			if (chunk === undefined) return [];
			if (kept?.chunk !== chunk) {
				const tasks = await read(map, chunk);
				kept = {chunk, tasks: new Map(tasks.map(task => [task.itask, {...task, rerun: number}]))};
			}
			const task = kept.tasks.get(itask);
			return task === undefined ? [] : [task];
		};
	});
	return async itask => {
		const found: TaskRecord[] = [];
		for (const reader of readers) found.push(...(await reader(itask)));
		return found;
	};
};

/**
 * The last success counts; without one, what came last. That a rerun was cancelled says less of a task than how it had failed before.
 *
 * @param again - The same task in reruns, the oldest first.
 */
export const mergeTask = (first: TaskRecord, again: readonly TaskRecord[]): TaskRecord => {
	if (again.length === 0) return first;
	const all = [first, ...again];
	const last = all.at(-1) as TaskRecord;
	const counts = all.findLast(({state}) => state === 'done') ?? all.findLast(record => !isCancelled(record)) ?? last;
	return {...counts, input: first.input ?? counts.input};
};

const isCancelled = ({outcome}: TaskRecord): boolean => outcome?.status === 'rejected' && outcome.kind === 'cancelled';
