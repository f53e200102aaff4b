/** Where the lines of results go: a file, or stdout. Each is written whole before the next one is begun. */
import {accessSync, closeSync, constants, existsSync, fstatSync, ftruncateSync, openSync, statSync, writeSync} from 'node:fs';
import {dirname} from 'node:path';
import {liveBoard} from '../live-lines.js';
import {CommandError, UsageError} from './command-error.js';
import {whenWritingFails} from './terminal.js';

export type LineOutput = {
	/** @throws NobodyReads, or CommandError when the file takes no more; then nothing of this line is in it. */
	readonly write: (line: string) => Promise<void>;
	/** All is written: a file is there also when that was nothing. */
	readonly finish: () => void;
	readonly close: () => void;
};

/** What reads our output has seen enough, as `head`. */
export class NobodyReads extends CommandError {
	constructor() {
		super('');
	}
}

/** @param path - A file, which is emptied or made when its first line comes; undefined for stdout. @throws UsageError when it can't be. */
export const createLineOutput = (path: string | undefined): LineOutput => (path === undefined ? toStdout() : toFile(path));

const toFile = (path: string): LineOutput => {
	checkPlace(path);
	// Without a log the map goes on: its results are not lost.
	whenWritingFails(() => undefined);
	let opened: number | undefined;
	const open = (): number => {
		// What others add to it meanwhile, as a second process by mistake, is not written over.
		if (opened === undefined) closeSync(openSync(path, 'w'));
		opened ??= openSync(path, 'a');
		return opened;
	};
	return {
		write: async line => {
			const fd = open();
			const bytes = Buffer.from(`${line}\n`);
			const {size} = fstatSync(fd);
			try {
				for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
			} catch (error) {
				// Half a line would be taken for a whole one that is damaged.
				if (fstatSync(fd).isFile()) ftruncateSync(fd, size);
				throw new CommandError(`${path} can't be written: ${(error as Error).message}. What is finished stays in the work_dir.`);
			}
		},
		finish: open,
		close: () => {
			if (opened !== undefined) closeSync(opened);
			opened = undefined;
		},
	};
};

const checkPlace = (path: string): void => {
	try {
		if (existsSync(path) && statSync(path).isDirectory()) throw new Error(`${path} is a directory`);
		accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
	} catch (error) {
		throw new UsageError(`Expected --output to be a file that can be written: ${(error as Error).message}`);
	}
};

const toStdout = (): LineOutput => {
	let failed: NodeJS.ErrnoException | undefined;
	whenWritingFails((error, stream) => {
		if (stream === process.stdout) failed = error;
	});
	const explain = (error: NodeJS.ErrnoException): CommandError =>
		error.code === 'EPIPE'
			? new NobodyReads()
			: new CommandError(`stdout can't be written: ${error.message}. What is finished stays in the work_dir.`);
	return {
		write: line =>
			new Promise((resolve, reject) => {
				if (failed !== undefined) reject(explain(failed));
				else if (process.stdout.isTTY) {
					liveBoard.say(line, process.stdout);
					resolve();
				} else process.stdout.write(`${line}\n`, error => (error ? reject(explain(error)) : resolve()));
			}),
		finish: () => undefined,
		close: () => undefined,
	};
};
