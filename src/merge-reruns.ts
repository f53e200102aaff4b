/** Tasks that were computed again, each in the work_dir of its rerun -> what counts of a task of the first map. */
import {MANIFEST, parseRerunName, rerunPath} from './layout.js';
import type {Files} from './ports.js';
import {readWhole} from './read-whole.js';
import type {TaskRecord} from './read-work-dir.js';

/** By their index in the first map; of each the oldest rerun first. */
export type RerunTasks = ReadonlyMap<number, readonly TaskRecord[]>;

/**
 * @param names - Of the files in the work_dir.
 * @param read - The tasks of one rerun.
 */
export const readReruns = async (
	workDir: string,
	names: readonly string[],
	read: (workDir: string) => Promise<readonly TaskRecord[]>,
	files: Pick<Files, 'openSource'>,
): Promise<RerunTasks> => {
	const tasks = new Map<number, TaskRecord[]>();
	for (const {number, path} of listReruns(workDir, names)) {
		// It is being made, or its process ended before it was.
		if ((await readWhole(files, `${path}/${MANIFEST}`)) === undefined) continue;
		for (const task of await read(path)) {
			const record = {...task, rerun: number};
			const before = tasks.get(task.itask);
			if (before === undefined) tasks.set(task.itask, [record]);
			else before.push(record);
		}
	}
	return tasks;
};

/** Oldest first. */
export const listReruns = (workDir: string, names: readonly string[]): readonly {readonly number: number; readonly path: string}[] =>
	names
		.flatMap(name => parseRerunName(name) ?? [])
		.sort((a, b) => a - b)
		.map(number => ({number, path: rerunPath(workDir, number)}));

/**
 * The last success counts; without one, what came last. That a rerun was cancelled says less of a task than how it had failed before.
 *
 * @param again - The same task in reruns, the oldest first.
 */
export const mergeTask = (first: TaskRecord, again: readonly TaskRecord[] = []): TaskRecord => {
	const all = [first, ...again];
	const counts = all.findLast(({state}) => state === 'done') ?? all.findLast(record => !isCancelled(record)) ?? (all.at(-1) as TaskRecord);
	return {...counts, input: first.input ?? counts.input};
};

const isCancelled = ({outcome}: TaskRecord): boolean => outcome?.status === 'rejected' && outcome.kind === 'cancelled';
