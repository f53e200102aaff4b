/** The tasks of a map, from its files, to be computed again. */
import type {Chunk} from '../chunks.js';
import {PoolError} from '../errors.js';
import type {FoundMap} from '../find-map.js';
import {parseJournal} from '../journal.js';
import {JOURNAL} from '../layout.js';
import type {PoolOptions} from '../options.js';
import {realFiles} from '../ports.js';
import {type FoundChunks, findChunks} from '../read/read-manifest.js';
import {createTaskReader, openTasks} from '../read/read-tasks.js';
import {readWhole} from '../read/read-whole.js';
import {collectTasks, type TaskSource, takeTasks} from '../task-source.js';

/**
 * All of them: as a stream when they were one.
 *
 * @throws PoolError `ERR_POOL_RESUME` when they were never all written.
 */
export const tasksAgain = async (map: FoundMap, {numChunks}: PoolOptions, signal: AbortSignal): Promise<TaskSource> => {
	const {manifest, workDir} = map;
	const {chunks, firstMissing} = await findWritten(map);
	if (firstMissing !== undefined)
		throw new PoolError(
			'ERR_POOL_RESUME',
			`The tasks of ${workDir} were never all written: task ${firstMissing} is the first that is missing.`,
			{
				workDir,
			},
		);
	const stream = takeTasks(readAll(map, chunks));
	if (manifest.numTasks === null && numChunks === undefined) return stream;
	return {kind: 'at-hand', tasks: await collectTasks(stream, signal)};
};

const readAll = async function* ({manifest, workDir}: FoundMap, chunks: readonly Chunk[]): AsyncGenerator<unknown> {
	for (const chunk of chunks) {
		const file = await openTasks(workDir, manifest.session, chunk, realFiles);
		try {
			for (let i = 0; i < file.numBlocks; i++) yield* (await file.readBlock(i)).values;
		} finally {
			await file.close();
		}
	}
};

/**
 * No others are read into memory.
 *
 * @param itasks - In order.
 * @throws PoolError `ERR_POOL_TASKS` naming the task that can't be read.
 */
export const wantedTasks = async (map: FoundMap, itasks: readonly number[]): Promise<readonly unknown[]> => {
	const {manifest, workDir} = map;
	const {chunks} = await findWritten(map);
	const taskAt = createTaskReader(workDir, manifest.session, itask => chunkWith(chunks, itask), realFiles);
	const tasks: unknown[] = [];
	for (const itask of itasks) {
		try {
			tasks.push(await taskAt(itask));
		} catch (cause) {
			throw new PoolError('ERR_POOL_TASKS', `Task ${itask} can't be read from ${workDir}: ${(cause as Error).message}`, {workDir, cause});
		}
	}
	return tasks;
};

/** Where a task is. */
export const findTask = async (map: FoundMap, itask: number): Promise<{readonly ichunk: number; readonly index: number} | undefined> => {
	const {chunks} = await findWritten(map);
	const last = chunks.at(-1);
	if (last === undefined || itask >= last.firstTask + last.numTasks) return undefined;
	const {ichunk, firstTask} = chunkWith(chunks, itask);
	return {ichunk, index: itask - firstTask};
};

const findWritten = async ({manifest, workDir}: FoundMap): Promise<FoundChunks> => {
	const names = await realFiles.list(workDir);
	const journal = parseJournal((await readWhole(realFiles, `${workDir}/${JOURNAL}`))?.toString() ?? '');
	return findChunks(manifest, workDir, names, journal, realFiles);
};

const chunkWith = (chunks: readonly Chunk[], itask: number): Chunk => chunks.findLast(({firstTask}) => firstTask <= itask) as Chunk;
