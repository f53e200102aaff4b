/** Finds which bytes of the attempt's stdout and stderr a task has written. */
import {fstatSync} from 'node:fs';
import type {OutputRange} from '../v8-serialize-helpers.js';

export type OutputWatch = {
	/** What was written since the last call; undefined when nothing was. */
	readonly rangeOfTask: (elapsedMs: number) => OutputRange | undefined;
};

/**
 * Asking the file system costs more than a tiny task. A task that was shorter can have written through Node's streams only, which are watched; a child
 * process or native code that writes by itself takes longer than this to begin.
 */
const ASK_ABOVE_MS = 1;

export const watchOutput = (): OutputWatch => {
	let hasWritten = false;
	for (const stream of [process.stdout, process.stderr]) {
		const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
		stream.write = (...args: unknown[]) => {
			hasWritten = true;
			return write(...args);
		};
	}
	let stdout = outputBytes(1);
	let stderr = outputBytes(2);
	return {
		rangeOfTask: elapsedMs => {
			if (!hasWritten && elapsedMs < ASK_ABOVE_MS) return undefined;
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
