/** Programs that other packages bring, and what they print. */
import {execFile} from 'node:child_process';
import {accessSync, constants, statSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {promisify} from 'node:util';

const execute = promisify(execFile);

/** @type {(program: string, args: readonly string[], options?: import('node:child_process').ExecFileOptions) => Promise<string>} */
export const run = async (program, args, options = {}) => {
	const {stdout} = await execute(program, args, {maxBuffer: 2 ** 28, ...options, encoding: 'utf8'});
	return stdout;
};

/** @type {(name: string) => string | undefined} */
export const findProgram = name =>
	(process.env.PATH ?? '')
		.split(delimiter)
		.map(directory => join(directory, name))
		.find(isProgram);

const isProgram = (/** @type {string} */ path) => {
	try {
		accessSync(path, constants.X_OK);
		return statSync(path).isFile();
	} catch {
		return false;
	}
};

/** Seconds. @type {(body: () => Promise<unknown>) => Promise<number>} */
export const time = async body => {
	const startedMs = performance.now();
	await body();
	return (performance.now() - startedMs) / 1000;
};
