/** What `qmr doctor` asks of this machine: Node, the umask, and the place of the work_dirs. */
import {constants} from 'node:fs';
import {access, stat, statfs} from 'node:fs/promises';
import {hostname} from 'node:os';
import {dirname, resolve} from 'node:path';
import type {PoolOptions} from '../options.js';
import {trustPath} from '../trust-work-dir.js';

export type MachineFacts = {
	readonly host: string;
	readonly nodeVersion: string;
	readonly umask: number;
	readonly workRoot: WorkRootFacts;
};

export type WorkRootFacts = {
	/** Where work_dirs are made. */
	readonly path: string;
	/** Why none can be made there. */
	readonly problem: string | undefined;
	/** Undefined when the file system does not tell. */
	readonly fileSystem: FileSystemFacts | undefined;
};

/** Of a file system without a limit, or without a count of files, as some show it, the numbers are undefined. */
export type FileSystemFacts = {
	readonly type: number;
	readonly freeBytes: number | undefined;
	readonly freeFiles: number | undefined;
};

/** The default of the option. */
export const DEFAULT_WORK_ROOT = '.qmr';

export const readMachine = async ({workRoot = DEFAULT_WORK_ROOT}: Pick<PoolOptions, 'workRoot'>): Promise<MachineFacts> => {
	const path = resolve(workRoot);
	const existing = await findExisting(path);
	return {
		host: hostname(),
		nodeVersion: process.version,
		umask: process.umask(),
		workRoot: {path, problem: await findProblem(path, existing), fileSystem: await readFileSystem(existing)},
	};
};

/** What is there already of a path. */
const findExisting = async (path: string): Promise<string> => {
	const isThere = await stat(path).then(
		() => true,
		() => false,
	);
	return isThere || dirname(path) === path ? path : findExisting(dirname(path));
};

const findProblem = async (path: string, existing: string): Promise<string | undefined> => {
	try {
		if (!(await stat(existing)).isDirectory()) return `${existing} is no directory`;
		await access(existing, constants.W_OK | constants.X_OK);
		await trustPath(path);
		return undefined;
	} catch (error) {
		return (error as Error).message;
	}
};

const readFileSystem = async (path: string): Promise<FileSystemFacts | undefined> => {
	try {
		const {type, bsize, blocks, bavail, files, ffree} = await statfs(path);
		return {type, freeBytes: blocks === 0 ? undefined : bavail * bsize, freeFiles: files === 0 ? undefined : ffree};
	} catch {
		return undefined;
	}
};
