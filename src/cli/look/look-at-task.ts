/** All that is known of one task of a map. */
import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {Chunk} from '../../chunks.js';
import {formatRanges} from '../../group-failures.js';
import {type ChunkSummary, summariseMap} from '../../later/summarise-map.js';
import {TASK_DIRS} from '../../layout.js';
import {lookAtOwner, type OwnerView} from '../../look-at-owner.js';
import {type KnownChunk, type OpenWorkDir, openWorkDir} from '../../read/open-work-dir.js';
import {readTasks, type TaskRecord} from '../../read/read-work-dir.js';
import {requireWhole} from '../act/require-whole.js';
import {UsageError} from '../command-error.js';
import {askScheduler, type QueueAnswer} from './ask-scheduler.js';

export type TaskView = {
	readonly map: OpenWorkDir;
	readonly task: TaskRecord;
	readonly known: KnownChunk;
	readonly chunk: ChunkSummary;
	/** Tasks of its chunk that have their outcome. */
	readonly numFinished: number;
	readonly numTasks: number;
	readonly owner: OwnerView;
	readonly files: readonly FoundFile[];
	readonly queue: QueueAnswer | undefined;
	readonly atMs: number;
};

export type FoundFile = {readonly path: string; readonly bytes: number | undefined};

/** @throws UsageError when there is no such task. */
export const lookAtTask = async (workDir: string, itask: number, {queue}: {readonly queue: boolean}): Promise<TaskView> => {
	const map = await openWorkDir(workDir);
	requireWhole(map.workDir, map.manifest);
	const known = map.chunks.find(({chunk}) => holds(chunk, itask));
	const last = map.chunks.at(-1)?.chunk;
	const numTasks = last === undefined ? 0 : last.firstTask + last.numTasks;
	if (known === undefined) {
		const {itasks} = map.manifest;
		const range = itasks === undefined ? `0 to ${numTasks - 1}` : formatRanges(itasks);
		const which = numTasks === 0 ? 'has no tasks yet' : `has the tasks ${range}`;
		throw new UsageError(`Expected a task of ${map.workDir}, which ${which}, got ${itask}.`);
	}
	const atMs = Date.now();
	const [chunk] = summariseMap({journal: [], chunks: [known]}, atMs).chunks as [ChunkSummary];
	let records: TaskRecord[] = [];
	for await (const tasks of readTasks(map, {only: [known]})) records = tasks;
	const task = records.find(record => record.itask === itask) as TaskRecord;
	return {
		...{map, task, known, chunk, numTasks, atMs},
		numFinished: records.filter(({outcome}) => outcome !== undefined).length,
		owner: await lookAtOwner(map.workDir, map.names),
		files: await findFiles(map, known, itask),
		queue: queue ? await askScheduler({manifest: map.manifest, ichunk: known.chunk.ichunk}) : undefined,
	};
};

const holds = ({firstTask, numTasks, itasks}: Chunk, itask: number): boolean =>
	itasks === undefined ? itask >= firstTask && itask < firstTask + numTasks : itasks.includes(itask);

/** Of its chunk, and the directories that the task itself may have filled. */
const findFiles = async ({workDir, names}: OpenWorkDir, {chunk: {ichunk}}: KnownChunk, itask: number): Promise<FoundFile[]> => {
	const ofChunk = names.filter(name => Number(/^(\d{9,})\./.exec(name)?.[1] ?? Number.NaN) === ichunk).sort();
	const taskDirs = await readdir(join(workDir, TASK_DIRS)).catch(() => []);
	const ofTask = taskDirs.filter(name => name.startsWith(`${itask}.`)).map(name => join(TASK_DIRS, name));
	return Promise.all(
		[...ofChunk, ...ofTask].map(async name => {
			const path = join(workDir, name);
			const stats = await stat(path).catch(() => undefined);
			return {path, bytes: stats?.isFile() ? stats.size : undefined};
		}),
	);
};
