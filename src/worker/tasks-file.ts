/** Reads the chunk's tasks, block by block. */
import {type FileHandle, open} from 'node:fs/promises';
import {tasksPath} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {readFully} from '../read-fully.js';
import {type BlockFile, openBlockFile} from '../v8-serialize-helpers.js';
import type {ChunkId} from './chunk-id.js';

export type Tasks = {
	/** The index of the chunk's first task among all tasks. */
	readonly firstTask: number;
	readonly numTasks: number;
	/** The tasks in order, some at a time. */
	readonly blocks: () => AsyncGenerator<readonly unknown[]>;
};

/** @throws Error when the file is damaged or belongs to another session. */
export const openTasks = async ({workDir, ichunk}: ChunkId, manifest: Manifest): Promise<Tasks> => {
	const path = tasksPath(workDir, ichunk);
	const handle = await open(path, 'r');
	const file = await openBlockFile({size: (await handle.stat()).size, read: (position, length) => readFully(handle, position, length)});
	const {header} = file;
	if (header.kind !== 'tasks' || header.session !== manifest.session || header.ichunk !== ichunk) {
		throw new Error(
			`Expected ${path} to hold the tasks of chunk ${ichunk} of ${manifest.session}, got ${header.kind} of chunk ${header.ichunk} of ${header.session}.`,
		);
	}
	return {firstTask: header.firstTask, numTasks: header.numTasks, blocks: () => readBlocks(file, handle)};
};

async function* readBlocks(file: BlockFile, handle: FileHandle): AsyncGenerator<readonly unknown[]> {
	for (let i = 0; i < file.numBlocks; i++) yield (await file.readBlock(i)).values;
	await handle.close();
}
