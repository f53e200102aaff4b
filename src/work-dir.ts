/**
 * Makes and removes the directory of one map. It is filled under another name beside its place and appears there whole, by rename; it is its
 * owner's alone, whatever the umask.
 */
import {chmod, lstat, mkdir, readdir, readFile, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {Chunk} from './chunks.js';
import type {CapturedEnvironment} from './environment.js';
import {PoolError} from './errors.js';
import {
	DEFAULT_WORK_ROOT,
	ENVIRONMENT_RECORD,
	ENVIRONMENT_SCRIPT,
	GIT_DIFF,
	LAUNCHER,
	MANIFEST,
	SHARED_VALUE,
	tasksPath,
	WORKER_SCRIPT,
} from './layout.js';
import type {Manifest} from './manifest.js';
import type {Files} from './ports.js';
import {isOurs, trustPath, trustWorkDir} from './trust-work-dir.js';
import {writeTasks} from './write-tasks.js';

export type WorkDirPlace = {
	/** Absolute path. */
	readonly workDir: string;
	/** The directory to remove when it is empty in the end, because the work_dir is made below it by default. */
	readonly root: string | undefined;
	/** The work_dir that it is a part of, with which it stays and goes. */
	readonly partOf?: string;
};

/**
 * Where the work_dir of a session will be.
 *
 * @throws PoolError `ERR_POOL_WORK_DIR` when something is there already, or when others could put something there.
 */
export const placeWorkDir = async (
	session: string,
	options: {readonly workDir?: string; readonly workRoot?: string},
): Promise<WorkDirPlace> => {
	if (options.workDir === undefined) {
		const root = refuseBackslash(resolve(options.workRoot ?? DEFAULT_WORK_ROOT));
		await trustPath(root);
		return {workDir: join(root, session), root};
	}
	const workDir = refuseBackslash(resolve(options.workDir));
	const found = await describeExisting(workDir);
	if (found === undefined) {
		await trustPath(workDir);
		return {workDir, root: undefined};
	}
	throw new PoolError(
		'ERR_POOL_WORK_DIR',
		`Expected \`workDir\` not to exist or to be an empty directory, but ${workDir} ${found}. Choose another path, or remove it.`,
	);
};

const refuseBackslash = (path: string): string => {
	if (!path.includes('\\')) return path;
	throw new PoolError(
		'ERR_POOL_WORK_DIR',
		`Expected the work_dir to have no backslash in its path, got ${path}: Node imports no module from there. Choose another place by \`workDir\` or \`workRoot\`.`,
	);
};

export type WorkDirContent = {
	readonly manifest: Manifest;
	readonly launcher: string;
	readonly environment: CapturedEnvironment;
	/** Those that are there from the beginning; a stream is written later. */
	readonly chunks: readonly Chunk[];
	readonly tasks: readonly unknown[];
	/** The file of what the tasks share; undefined when they share nothing. */
	readonly shared?: readonly Buffer[] | undefined;
	/** Undefined when it was not asked for, or could not be had. */
	readonly gitDiff?: Buffer | undefined;
};

/** @throws PoolError `ERR_POOL_TASKS` when a task can't be serialised, `ERR_POOL_WORK_DIR` when the directory can't be made; `signal.reason` when it was aborted. Nothing is left behind then. */
export const createWorkDir = async (
	place: WorkDirPlace,
	content: WorkDirContent,
	files: Files,
	signal: AbortSignal = NEVER_ABORTED,
): Promise<void> => {
	const parent = dirname(place.workDir);
	let scratch: string | undefined;
	try {
		scratch = await makeScratch(parent, basename(place.workDir));
		// Before anything is in it: on a file system that keeps no permissions everybody could read what follows.
		await trustWorkDir(scratch);
		await fill(scratch, content, files, signal);
		await files.rename(scratch, place.workDir);
	} catch (error) {
		if (scratch !== undefined) await files.removeTree(scratch);
		await removeMade(parent, files);
		throw signal.aborted ? error : explainFailure(place, error);
	}
};

/** Does the first thing in a work_dir that was just made; when that fails, nothing is left behind either. */
export const beginWorkDir = async <T>(place: WorkDirPlace, files: Files, begin: () => Promise<T>): Promise<T> => {
	try {
		return await begin();
	} catch (error) {
		await files.removeTree(place.workDir);
		await removeMade(dirname(place.workDir), files);
		throw explainFailure(place, error);
	}
};

const explainFailure = ({workDir}: WorkDirPlace, error: unknown): unknown => {
	if (error instanceof PoolError) return error;
	const {message, code = ''} = error as NodeJS.ErrnoException;
	return new PoolError('ERR_POOL_WORK_DIR', `The work_dir ${workDir} can't be made: ${message}. ${ADVICE[code] ?? ELSEWHERE}`, {
		cause: error,
	});
};

const ELSEWHERE = 'Choose another place by `workDir` or `workRoot`.';
const ADVICE: Readonly<Record<string, string>> = {
	ENOSPC: `The disk is full: make space there. ${ELSEWHERE}`,
	EDQUOT: `Your quota there is used up: make space. ${ELSEWHERE}`,
	EROFS: `The file system takes no changes. ${ELSEWHERE}`,
};

const NEVER_ABORTED = new AbortController().signal;

/** Removes the work_dir, and the directories above it if it is below the root by default, this process made them and nothing else is in them. */
export const removeWorkDir = async ({workDir, root}: WorkDirPlace, files: Files): Promise<void> => {
	await files.removeTree(workDir);
	if (root !== undefined) await removeMade(root, files);
};

/** Directories above work_dirs. */
const madeByUs = new Set<string>();

const removeMade = async (directory: string, files: Files): Promise<void> => {
	for (let current = directory; madeByUs.has(current); current = dirname(current)) await files.removeIfEmpty(current);
};

const describeExisting = async (path: string): Promise<string | undefined> => {
	try {
		const stats = await lstat(path);
		if (!stats.isDirectory()) return stats.isSymbolicLink() ? 'is a symbolic link' : 'is a file';
		if (!(await isOurs(path, stats))) return `belongs to somebody else (uid ${stats.uid})`;
		return (await readdir(path)).length === 0 ? undefined : 'is not empty';
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
		throw new PoolError('ERR_POOL_WORK_DIR', `Expected \`workDir\` to be a path that can be used, but ${(error as Error).message}`, {
			cause: error,
		});
	}
};

const makeScratch = async (parent: string, name: string): Promise<string> => {
	const tmp = (await import('tmp')).default;
	const makeDir = promisify<object, string>(tmp.dir);
	// For people. Two dots would not be taken, nor a name that is as long as a name may be.
	const prefix = `.${name.replaceAll('.', '_').slice(0, 40)}`;
	for (let triesLeft = 5; ; triesLeft--) {
		try {
			await makeDirectory(parent);
			const scratch = await makeDir({tmpdir: parent, prefix, mode: PRIVATE, keep: true});
			// The umask may have taken the owner's own rights away.
			await chmod(scratch, PRIVATE);
			return scratch;
		} catch (error) {
			// Another map may just have removed the root, empty for a moment.
			if (triesLeft === 0 || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
		}
	}
};

const PRIVATE = 0o700;

/** One level after the other: with a strict umask nothing could be made in a directory that was just made. */
const makeDirectory = async (path: string): Promise<void> => {
	if (await isDirectory(path)) return;
	if (path !== dirname(path)) await makeDirectory(dirname(path));
	try {
		await mkdir(path, PRIVATE);
		madeByUs.add(path);
		await chmod(path, PRIVATE);
	} catch (error) {
		// Another map may have made it in between; all else stands in the way.
		if (!(await isDirectory(path))) throw error;
	}
};

const isDirectory = (path: string): Promise<boolean> =>
	stat(path).then(
		stats => stats.isDirectory(),
		() => false,
	);

/** So many files are written at once: on a network file system each waits for its server. */
const MAX_FILES_AT_ONCE = 16;

const fill = async (directory: string, content: WorkDirContent, files: Files, signal: AbortSignal): Promise<void> => {
	const write = (name: string, text: string | Buffer): Promise<void> => files.create(join(directory, name), [[Buffer.from(text)]]);
	for (let i = 0; i < content.chunks.length; i += MAX_FILES_AT_ONCE) {
		signal.throwIfAborted();
		// Settled, not all: what fails is told when nobody writes there any more.
		const written = await Promise.allSettled(
			content.chunks
				.slice(i, i + MAX_FILES_AT_ONCE)
				.map(chunk =>
					writeTasks(
						tasksPath(directory, chunk.ichunk),
						chunk,
						content.tasks.slice(chunk.firstTask, chunk.firstTask + chunk.numTasks),
						content.manifest,
						files,
					),
				),
		);
		for (const outcome of written) if (outcome.status === 'rejected') throw outcome.reason;
	}
	if (content.shared !== undefined) await files.create(join(directory, SHARED_VALUE), [content.shared]);
	if (content.gitDiff !== undefined) await write(GIT_DIFF, content.gitDiff);
	await write(LAUNCHER, content.launcher);
	await write(ENVIRONMENT_SCRIPT, content.environment.script);
	await write(ENVIRONMENT_RECORD, content.environment.record);
	await write(WORKER_SCRIPT, await readFile(fileURLToPath(new URL('./worker/worker_node_script.cjs', import.meta.url))));
	await write(MANIFEST, `${JSON.stringify(content.manifest, null, '\t')}\n`);
};
