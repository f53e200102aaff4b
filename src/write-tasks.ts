/** Writes the tasks of one chunk to its file. */
import {hostname} from 'node:os';
import type {Chunk} from './chunks.js';
import {PoolError} from './errors.js';
import type {Manifest} from './manifest.js';
import type {Files} from './ports.js';
import {UnserialisableError} from './unserialisable.js';
import {createBlockFileEncoder} from './v8-serialize-helpers.js';

/**
 * @param tasks - Those of the chunk.
 * @throws PoolError `ERR_POOL_TASKS` naming the task and the path inside it that can't be serialised.
 */
export const writeTasks = (
	path: string,
	chunk: Chunk,
	tasks: readonly unknown[],
	{session, node, createdAt}: Pick<Manifest, 'session' | 'node' | 'createdAt'>,
	files: Pick<Files, 'create'>,
): Promise<void> => files.create(path, encode(chunk, tasks, {session, node, createdAt}));

function* encode(
	chunk: Chunk,
	tasks: readonly unknown[],
	{session, node, createdAt}: Pick<Manifest, 'session' | 'node' | 'createdAt'>,
): Generator<readonly Buffer[]> {
	const encoder = createBlockFileEncoder({
		kind: 'tasks',
		format: 1,
		node,
		session,
		ichunk: chunk.ichunk,
		firstTask: chunk.firstTask,
		numTasks: chunk.numTasks,
		host: hostname(),
		pid: process.pid,
		writtenAt: createdAt,
	});
	yield [encoder.begin()];
	for (let i = 0; i < chunk.numTasks; i++) {
		const itask = chunk.firstTask + i;
		try {
			encoder.addValue(tasks[i]);
		} catch (error) {
			if (!(error instanceof UnserialisableError)) throw error;
			throw new PoolError('ERR_POOL_TASKS', `Task ${itask} can't be written to a file for the worker: ${error.message}`, {cause: error});
		}
		if (encoder.isFull()) yield encoder.takeBlock() as Buffer[];
	}
	const last = encoder.takeBlock();
	if (last !== undefined) yield last;
	yield encoder.end({});
}
