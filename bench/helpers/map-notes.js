/**
 * Maps tasks that note when they begin and end, for measurements that kill the process in the middle: `map-notes.js JSON`.
 *
 * @typedef {{directory: string, numTasks: number, takesMs: number, numChunks: number}} NotesMap
 */
import path from 'node:path';
import {pathToFileURL} from 'node:url';
import {Pool} from 'queue-map-reduce';
import {note} from '../storm/task.js';

/** @type {(directory: string, numTasks: number, takesMs: number) => {events: string, takesMs: number, value: number}[]} */
export const createTasks = (directory, numTasks, takesMs) =>
	Array.from({length: numTasks}, (_, value) => ({events: path.join(directory, 'events'), takesMs, value}));

/** @type {(map: NotesMap) => Promise<void>} */
export const mapNotes = async ({directory, numTasks, takesMs, numChunks}) => {
	const workDir = path.join(directory, 'work_dir');
	await new Pool({workDir, keepWorkDir: true, numChunks}).map(note, createTasks(directory, numTasks, takesMs));
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await mapNotes(JSON.parse(process.argv[2] ?? ''));
