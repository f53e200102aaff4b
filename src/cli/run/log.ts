/** The log of a command: lines with their time, for people. */
import {appendFileSync} from 'node:fs';
import {sayBeside} from '../../live-lines.js';
import {UsageError} from '../command-error.js';

export type Log = (text: string) => void;

/** @param path - A file that is added to; undefined for stderr. @throws UsageError when it can't be written. */
export const createLog = (path: string | undefined): Log => {
	if (path !== undefined) append(path, '');
	return text => {
		const line = `${new Date().toISOString()} ${printable(text)}`;
		if (path === undefined) sayBeside(line);
		else append(path, `${line}\n`);
	};
};

const append = (path: string, text: string): void => {
	try {
		appendFileSync(path, text);
	} catch (error) {
		// Of a disk that is full the results are told elsewhere; the log does not end them.
		if (text === '') throw new UsageError(`Expected --log to be a file that can be written: ${(error as Error).message}`);
		sayBeside(`${text.trimEnd()} (the log can't be written: ${(error as Error).message})`);
	}
};

/** What a job says of itself could do things to a terminal. */
const printable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
