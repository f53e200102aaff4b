import {inspect} from 'node:util';
import {PoolError} from './errors.js';

/**
 * The tasks of any iterable or async iterable, in order.
 *
 * @throws PoolError `ERR_POOL_TASKS` when it is neither, or when its iterator throws.
 */
export const collectTasks = async (tasks: unknown, signal?: AbortSignal): Promise<unknown[]> => {
	if (!isIterable(tasks)) {
		throw new PoolError(
			'ERR_POOL_TASKS',
			`Expected \`tasks\` to be an iterable or an async iterable, got ${tasks === null ? 'null' : typeof tasks}.`,
		);
	}
	const collected: unknown[] = [];
	try {
		// Not `for await` for both: it is slow, and would replace tasks that are promises by their values.
		if (Symbol.iterator in Object(tasks)) for (const task of tasks as Iterable<unknown>) collected.push(task);
		else {
			for await (const task of tasks) {
				if (signal?.aborted) break;
				collected.push(task);
			}
		}
	} catch (error) {
		throw new PoolError(
			'ERR_POOL_TASKS',
			`The iterator of \`tasks\` threw at task ${collected.length}: ${error instanceof Error ? error.message : inspect(error)}`,
			{cause: error},
		);
	}
	return collected;
};

const isIterable = (tasks: unknown): tasks is Iterable<unknown> | AsyncIterable<unknown> =>
	tasks !== null && tasks !== undefined && (Symbol.asyncIterator in Object(tasks) || Symbol.iterator in Object(tasks));
