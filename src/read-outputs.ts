/** What the attempts at a chunk have written to stdout and stderr, task by task. */
import {attemptPath} from './layout.js';
import type {Files} from './ports.js';
import {readWhole} from './read-whole.js';
import {readTail} from './stderr-tail.js';
import type {Block, OutputRange} from './v8-serialize-helpers.js';

export type TaskOutput = {readonly stdout: string; readonly stderr: string};

export type ChunkOutputs = {
	/** What a task itself has written. */
	readonly of: (attempt: number, range: OutputRange | undefined) => TaskOutput;
	/** Of tasks that have no outcome of their own: the last lines of the last attempt, which may tell why. */
	readonly last: TaskOutput;
};

/** @param lastAttempt - Undefined when there was none. */
export const readOutputs = async (
	files: Pick<Files, 'openSource'>,
	workDir: string,
	ichunk: number,
	blocks: readonly Block[],
	lastAttempt: number | undefined,
): Promise<ChunkOutputs> => {
	const path = (attempt: number, kind: 'o' | 'e'): string => attemptPath(workDir, ichunk, attempt, kind);
	const whole = new Map<number, {readonly stdout: Buffer | undefined; readonly stderr: Buffer | undefined}>();
	for (const attempt of new Set(blocks.map(block => block.attempt))) {
		whole.set(attempt, {stdout: await readWhole(files, path(attempt, 'o')), stderr: await readWhole(files, path(attempt, 'e'))});
	}
	return {
		of: (attempt, range) => ({
			stdout: cut(whole.get(attempt)?.stdout, range?.stdout),
			stderr: cut(whole.get(attempt)?.stderr, range?.stderr),
		}),
		last:
			lastAttempt === undefined
				? NOTHING
				: {stdout: await readTail(files, path(lastAttempt, 'o')), stderr: await readTail(files, path(lastAttempt, 'e'))},
	};
};

const NOTHING: TaskOutput = {stdout: '', stderr: ''};

const cut = (bytes: Buffer | undefined, range: readonly [from: number, to: number] | undefined): string =>
	bytes === undefined || range === undefined ? '' : bytes.subarray(...range).toString();
