import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {createQueueState, type QueueState} from './state.js';
import {clearCalls, writeQueueState} from './store.js';

export type {Fault, JobFault, KillFault, ProgramFault} from './faults.js';
export type {Host} from './hosts.js';
export type {ErrorReason, Execution, Job, JobCommand} from './job.js';
export {createForeignJob} from './job.js';
export type {EndedJob, KnownNames, ProgramName, QueueState, ShellStartMode} from './state.js';
export {type ProgramCall, readCalls, readQueueState, updateQueueState} from './store.js';

/** The programs of one dummy queue, to be spread into the options of a Pool. */
export type DummyQueue = {
	readonly qsubPath: string;
	readonly qstatPath: string;
	readonly qdelPath: string;
	/** Not enumerable: it is not spread. */
	readonly qacctPath: string;
	/** Not enumerable: it is not spread. */
	readonly qalterPath: string;
	/** Not enumerable: it is not spread. */
	readonly qconfPath: string;
	/** Where the state of the queue is. Not enumerable: it is not spread. */
	readonly directory: string;
};

/**
 * Makes an empty dummy queue in `directory`, which is created when it is missing: a state file and the executables qsub, qstat, qdel, qacct, qalter and qconf.
 * A queue that is there already is emptied.
 *
 * @example
 * const pool = new Pool({...initQueueState('/tmp/my-queue'), pollingIntervalMs: 50});
 */
export const initQueueState = (directory: string, options: Partial<QueueState> = {}): DummyQueue => {
	const absolute = path.resolve(directory);
	for (const folder of ['spool/job_scripts', 'spool/active_jobs', 'tmp']) {
		mkdirSync(path.join(absolute, folder), {recursive: true});
	}

	clearCalls(absolute);
	writeQueueState(absolute, createQueueState(options));
	const writeProgram = (name: string): string => writeExecutable(absolute, name);
	const queue = {qsubPath: writeProgram('qsub'), qstatPath: writeProgram('qstat'), qdelPath: writeProgram('qdel')};
	return Object.defineProperties(queue, {
		qacctPath: {value: writeProgram('qacct')},
		qalterPath: {value: writeProgram('qalter')},
		qconfPath: {value: writeProgram('qconf')},
		directory: {value: absolute},
	}) as DummyQueue;
};

const writeExecutable = (directory: string, name: string): string => {
	const file = path.join(directory, name);
	const words = [process.execPath, fileURLToPath(new URL('program.cjs', import.meta.url)), directory, name].map(quoteForShell);
	writeFileSync(file, `${executableLines(words).join('\n')}\n`);
	// Apart, because the mode of a new file is cut by the umask and that of an old one stays.
	chmodSync(file, 0o755);
	return file;
};

/** The caller's NODE_OPTIONS are meant for its own processes, but `qsub -V` has to hand them over. */
const executableLines = (words: readonly string[]): string[] => [
	'#!/bin/sh',
	'if [ -n "${NODE_OPTIONS+set}" ]; then',
	'\tDUMMY_QUEUE_NODE_OPTIONS=$NODE_OPTIONS',
	'\texport DUMMY_QUEUE_NODE_OPTIONS',
	'\tunset NODE_OPTIONS',
	'fi',
	`exec ${words.join(' ')} "$@"`,
];

const quoteForShell = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
