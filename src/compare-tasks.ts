/** Whether a call means the map that is in a work_dir. */
import {isDeepStrictEqual} from 'node:util';
import {deserialiseValue, serialiseValue} from './block-file/v8-values.js';
import type {Chunk} from './chunks.js';
import {PoolError} from './errors.js';
import type {FunctionReference} from './function-reference.js';
import type {Manifest} from './manifest.js';
import type {Files} from './ports.js';
import type {FoundChunks} from './read/read-manifest.js';
import {openTasks} from './read/read-tasks.js';
import {streamOf, type TaskSource, type TaskStream, takeNext} from './task-source.js';

export type MeantMap = {readonly call: 'map' | 'starmap'; readonly reference: FunctionReference; readonly tasks: TaskSource};

export type Comparison = {
	/**
	 * Compares with what was found in the work_dir, as far as it was not compared before.
	 *
	 * @throws PoolError `ERR_POOL_RESUME` naming the first difference, `ERR_POOL_TASKS` when the iterator of the tasks throws; the reason of the signal.
	 */
	readonly compare: (found: FoundChunks) => Promise<void>;
	/** The tasks behind those that were compared. */
	readonly rest: TaskStream;
};

/** Of a stream never more tasks are held than those of one block: it may have no end. */
export const compareWithMap = (
	{call, reference, tasks}: MeantMap,
	workDir: string,
	manifest: Manifest,
	files: Pick<Files, 'openSource'>,
	signal: AbortSignal,
): Comparison => {
	const rest = tasks.kind === 'at-hand' ? streamOf(tasks.tasks) : tasks;
	let numCompared = 0;
	let isAtEnd = false;

	const refuse = (difference: string): PoolError =>
		new PoolError('ERR_POOL_RESUME', `${workDir} holds another map: ${difference}. Call \`map\` without \`resume\` to begin anew.`, {
			workDir,
		});

	const compare = async ({chunks, firstMissing}: FoundChunks): Promise<void> => {
		if (call !== manifest.call) throw refuse(`it was begun by \`${manifest.call}\`, not by \`${call}\``);
		const difference = compareFunctions(reference, manifest);
		if (difference !== undefined) throw refuse(difference);
		const last = chunks.at(-1);
		const numTasks = last === undefined ? 0 : last.firstTask + last.numTasks;
		// Of a stream that was left halfway the rest may be given now.
		const isComplete = firstMissing === undefined;
		const refuseNumber = (given: number | string): PoolError => refuse(`it has ${numTasks} tasks, not ${given}`);
		if (tasks.kind === 'at-hand') {
			const {length} = tasks.tasks;
			if (isComplete ? length !== numTasks : length < numTasks) throw refuseNumber(length);
		}
		for (const chunk of chunks.slice(numCompared)) {
			let itask = chunk.firstTask;
			for await (const written of readChunk(workDir, manifest.session, chunk, files)) {
				signal.throwIfAborted();
				for (const value of written) {
					const next = await takeNext(rest, signal);
					if (next.done) throw refuseNumber(itask);
					if (!isSame(next.task, value)) throw refuse(`task ${itask} is not what it was`);
					itask++;
				}
			}
			numCompared++;
		}
		if (!isComplete || isAtEnd) return;
		isAtEnd = (await takeNext(rest, signal)).done;
		if (!isAtEnd) throw refuseNumber('more');
	};
	return {compare, rest};
};

const compareFunctions = (reference: FunctionReference, {function: before, worker}: Manifest): string | undefined => {
	const [now, then] = [reference, before].map(withoutHash);
	if (!isDeepStrictEqual(now, then)) return `its function is ${describe(before)}, not ${describe(reference)}`;
	const isChanged = hashOf(reference) !== hashOf(before);
	return isChanged && worker.onCodeChange === 'fail' ? `the module of its function was changed since: ${describe(before)}` : undefined;
};

/** What names the function, without what may change around it. */
const withoutHash = (reference: FunctionReference): object => ({...reference, sha256: undefined, crc32: undefined, line: undefined});

const hashOf = (reference: FunctionReference): string | undefined => (reference.kind === 'module' ? reference.sha256 : undefined);

const describe = (reference: FunctionReference): string => {
	const {name} = reference;
	if (reference.kind === 'module') return `${name} of ${reference.url}`;
	return reference.kind === 'source' ? `${name === '' ? 'a function' : name} with the text ${shorten(reference.source)}` : name;
};

const MAX_SOURCE_LENGTH = 80;

const shorten = (text: string): string => (text.length > MAX_SOURCE_LENGTH ? `${text.slice(0, MAX_SOURCE_LENGTH)}…` : text);

/** The tasks of a chunk, a block at a time. */
async function* readChunk(
	workDir: string,
	session: string,
	chunk: Chunk,
	files: Pick<Files, 'openSource'>,
): AsyncGenerator<readonly unknown[]> {
	try {
		const file = await openTasks(workDir, session, chunk, files);
		try {
			for (let i = 0; i < file.numBlocks; i++) yield (await file.readBlock(i)).values;
		} finally {
			await file.close();
		}
	} catch (error) {
		const message = `The tasks of chunk ${chunk.ichunk} can't be read from ${workDir}: ${(error as Error).message}`;
		throw new PoolError('ERR_POOL_RESUME', message, {workDir, cause: error});
	}
}

/** By their bytes, as they are in the file; one value may have several, so values that were read are compared then. */
export const isSame = (given: unknown, written: unknown): boolean => {
	if (Object.is(given, written)) return true;
	if (!isObject(given) || !isObject(written)) return false;
	try {
		const bytes = serialiseValue(given);
		return bytes.equals(serialiseValue(written)) || isDeepStrictEqual(deserialiseValue(bytes), written);
	} catch {
		// What can't be written was not written.
		return false;
	}
};

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
