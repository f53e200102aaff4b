#!/usr/bin/env node
/** The command `qmr`: runs what was typed, and ends with its exit code. */
import {CommanderError} from 'commander';
import {PoolError, type PoolErrorCode} from '../errors.js';
import {CommandError, EXIT_FAILED, EXIT_USAGE} from './command-error.js';
import {createProgram} from './program.js';
import {coloursFor, endWhenNobodyReads, say} from './terminal.js';

const main = async (): Promise<void> => {
	endWhenNobodyReads();
	try {
		await createProgram().parseAsync();
	} catch (error) {
		process.exitCode = explain(error);
	}
};

/** Bad input: what was asked for was not begun. */
const REFUSALS: ReadonlySet<PoolErrorCode> = new Set([
	'ERR_POOL_OPTION',
	'ERR_POOL_TASKS',
	'ERR_POOL_FN_TYPE',
	'ERR_POOL_FN_BOUND',
	'ERR_POOL_FN_CLOSURE',
	'ERR_POOL_MAIN_UNGUARDED',
	'ERR_POOL_FN_MISSING',
	'ERR_POOL_ENVIRONMENT',
	'ERR_POOL_WORK_DIR',
	'ERR_POOL_RESUME',
	'ERR_POOL_OWNED',
]);

/** Says what is wrong, unless it is said already, and returns the exit code. */
const explain = (error: unknown): number => {
	// Commander has said it; asked for help or its version, it ends with 0.
	if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
	const {red} = coloursFor(process.stderr);
	const tell = (message: string): void => say(`${red('qmr:')} ${message}`);
	if (error instanceof CommandError) {
		if (error.message !== '') tell(error.message);
		return error.exitCode;
	}
	// Thrown while a map read its tasks: it is about the lines, or about who reads ours.
	if (error instanceof PoolError && error.cause instanceof CommandError) return explain(error.cause);
	if (error instanceof PoolError) {
		tell(error.message);
		return REFUSALS.has(error.code) ? EXIT_USAGE : EXIT_FAILED;
	}
	if ((error as NodeJS.ErrnoException | undefined)?.syscall === 'uv_cwd') {
		tell('The current directory is not there any more. Go to another one: cd');
		return EXIT_USAGE;
	}
	// What the file system says is about the user's files, and not about where we were.
	if (error instanceof Error && 'syscall' in error) {
		tell(error.message);
		return EXIT_FAILED;
	}
	tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
	return EXIT_FAILED;
};

await main();
