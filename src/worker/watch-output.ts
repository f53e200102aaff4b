/** Finds which bytes of the attempt's stdout and stderr a task has written. */
import {fstatSync} from 'node:fs';
import type {OutputRange} from '../v8-serialize-helpers.js';
import {systemCodeOf} from './worker-error.js';

export type OutputWatch = {
	/** What was written since the last call; undefined when nothing was. */
	readonly rangeOfTask: (elapsedMs: number, hasFailed: boolean) => OutputRange | undefined;
};

/**
 * Asking the file system costs more than a tiny task. Of shorter ones Node's streams are watched, and the last words of a failed one are always asked for;
 * what a short task writes in another way, as by `fs.writeSync(1, …)`, is told with the next task that is asked for.
 */
const ASK_ABOVE_MS = 1;

export const watchOutput = (warn: (message: string) => void): OutputWatch => {
	let hasWritten = false;
	let hasWarned = false;
	const warnOnce = (message: string): void => {
		if (!hasWarned) warn(message);
		hasWarned = true;
	};
	for (const stream of [process.stdout, process.stderr]) {
		const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
		stream.write = (...args: unknown[]) => {
			hasWritten = true;
			try {
				return write(...args);
			} catch (error) {
				// A full disk: what a task says is lost, the task is not.
				if (systemCodeOf(error) === undefined) throw error;
				warnOnce(`what tasks wrote to their output is not complete: ${(error as Error).message}`);
				return true;
			}
		};
	}
	let stdout = outputBytes(1);
	let stderr = outputBytes(2);
	return {
		rangeOfTask: (elapsedMs, hasFailed) => {
			if (!hasWritten && !hasFailed && elapsedMs < ASK_ABOVE_MS) return undefined;
			hasWritten = false;
			const before = {stdout, stderr};
			stdout = outputBytes(1);
			stderr = outputBytes(2);
			if (stdout === before.stdout && stderr === before.stderr) return undefined;
			return {stdout: [before.stdout, stdout], stderr: [before.stderr, stderr]};
		},
	};
};

/** The size of the file that a descriptor writes to. */
export const outputBytes = (fd: 1 | 2): number => fstatSync(fd).size;
