/** Reads tasks back from their files. */
import type {Chunk} from '../chunks.js';
import {tasksPath} from '../layout.js';
import type {Files} from '../ports.js';
import {type BlockFile, openBlockFile} from '../v8-serialize-helpers.js';

export type TasksFile = BlockFile & {readonly close: () => Promise<void>};

/** @throws Error when the file can't be read, or is another chunk's. */
export const openTasks = async (
	workDir: string,
	session: string,
	{ichunk, numTasks}: Pick<Chunk, 'ichunk' | 'numTasks'>,
	files: Pick<Files, 'openSource'>,
): Promise<TasksFile> => {
	const source = await files.openSource(tasksPath(workDir, ichunk));
	try {
		const file = await openBlockFile(source);
		const {header} = file;
		if (header.kind !== 'tasks' || header.session !== session || header.ichunk !== ichunk || file.numEntries !== numTasks) {
			throw new Error(`it holds ${file.numEntries} ${header.kind} of chunk ${header.ichunk} of the session ${header.session}`);
		}
		return {...file, close: () => source.close()};
	} catch (error) {
		await source.close();
		throw error;
	}
};

/** Gives single tasks. They are asked for in order, more often than not: those of one block are kept. */
export const createTaskReader = (
	workDir: string,
	session: string,
	chunkOf: (itask: number) => Chunk,
	files: Pick<Files, 'openSource'>,
): ((itask: number) => Promise<unknown>) => {
	let kept: {readonly first: number; readonly values: readonly unknown[]} = {first: 0, values: []};
	return async itask => {
		if (itask < kept.first || itask >= kept.first + kept.values.length) {
			const chunk = chunkOf(itask);
			const file = await openTasks(workDir, session, chunk, files);
			try {
				const iblock = file.firsts.findLastIndex(first => chunk.firstTask + first <= itask);
				const block = await file.readBlock(iblock);
				kept = {first: chunk.firstTask + block.first, values: block.values};
			} finally {
				await file.close();
			}
		}
		return kept.values[itask - kept.first];
	};
};

/** One for each task of the chunk: undefined where it can't be read, and why is added to the problems. */
export const readInputs = async (
	workDir: string,
	session: string,
	chunk: Chunk,
	files: Pick<Files, 'openSource'>,
	problems: string[],
): Promise<unknown[]> => {
	const path = tasksPath(workDir, chunk.ichunk);
	const inputs: unknown[] = new Array(chunk.numTasks).fill(undefined);
	const note = (error: unknown): void => void problems.push(`${path}: ${(error as Error).message}`);
	try {
		const file = await openTasks(workDir, session, chunk, files);
		try {
			for (let i = 0; i < file.numBlocks; i++) {
				// Of a damaged file the other blocks are still good.
				const block = await file.readBlock(i).catch(note);
				for (const [j, value] of block?.values.entries() ?? []) inputs[(block?.first ?? 0) + j] = value;
			}
		} finally {
			await file.close();
		}
	} catch (error) {
		note(error);
	}
	return inputs;
};
