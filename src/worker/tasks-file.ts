/** Reads the chunk's tasks, block by block. */
import {type FileHandle, open} from 'node:fs/promises';
import {tasksPath} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {readFully} from '../read/read-fully.js';
import {type BlockFile, openBlockFile} from '../v8-serialize-helpers.js';
import type {ChunkId} from './chunk-id.js';
import {readLate} from './late-files.js';

export type Tasks = {
	/** The index of the chunk's first task among all tasks. */
	readonly firstTask: number;
	readonly numTasks: number;
	/** The tasks in order, some at a time, without blocks that end before the task with this index in the chunk. */
	readonly blocks: (from: number) => AsyncGenerator<{readonly first: number; readonly values: readonly unknown[]}>;
};

/** @throws Error when the file is damaged or belongs to another session. */
export const openTasks = async ({workDir, ichunk}: ChunkId, manifest: Manifest): Promise<Tasks> => {
	const path = tasksPath(workDir, ichunk);
	const {handle, file} = await readLate(workDir, path, () => openTasksOnce(path));
	const {header} = file;
	if (header.kind !== 'tasks' || header.session !== manifest.session || header.ichunk !== ichunk) {
		throw new Error(
			`Expected ${path} to hold the tasks of chunk ${ichunk} of ${manifest.session}, got ${header.kind} of chunk ${header.ichunk} of ${header.session}.`,
		);
	}
	return {
		firstTask: header.firstTask,
		numTasks: header.numTasks,
		blocks: async function* (from) {
			for (let i = 0; i < file.numBlocks; i++) {
				const end = file.firsts[i + 1] ?? file.numEntries;
				if (end <= from) continue;
				yield await readLate(workDir, path, () => file.readBlock(i));
			}
			await handle.close();
		},
	};
};

const openTasksOnce = async (path: string): Promise<{handle: FileHandle; file: BlockFile}> => {
	const handle = await open(path, 'r');
	try {
		const {size} = await handle.stat();
		return {handle, file: await openBlockFile({size, read: (position, length) => readFully(handle, position, length)})};
	} catch (error) {
		await handle.close();
		throw error;
	}
};
