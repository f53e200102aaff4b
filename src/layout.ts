/**
 * Every file name of a work_dir, every queue-job name and the session id: made here and read back here, nowhere else.
 */
import {join} from 'node:path';

/** Where work_dirs are made, in the current directory. */
export const DEFAULT_WORK_ROOT = '.qmr';

export const MANIFEST = 'run.json';
export const JOURNAL = 'log.jsonl';
export const LAUNCHER = 'launch.sh';
export const ENVIRONMENT_SCRIPT = 'environment.sh';
export const ENVIRONMENT_RECORD = 'environment.json';
export const WORKER_SCRIPT = 'worker_node_script.cjs';
/** The value of the option `shared`, when there is one. */
export const SHARED_VALUE = 'shared.v8';
/** What differed from the git commit, when the option `gitDiff` asked for it. */
export const GIT_DIFF = 'git.diff';

/** The files of one attempt at one chunk; `part`, or `start` when fn could not be had, becomes `out` once it is whole. An `out` that can't be read is set aside as `damaged`. A `claim` says who has taken the chunk. */
export type AttemptFileKind = 'part' | 'start' | 'out' | 'damaged' | 'o' | 'e' | 'claim';

const CHUNK_DIGITS = 9;

/** `13` -> `000000013`: file names sort as chunks do. */
export const chunkName = (ichunk: number): string => String(ichunk).padStart(CHUNK_DIGITS, '0');

export const tasksPath = (workDir: string, ichunk: number): string => join(workDir, `${chunkName(ichunk)}.tasks`);

/** Where the tasks of a chunk are written while the map runs already; they become `.tasks` once they are whole. */
export const newTasksPath = (workDir: string, ichunk: number): string => join(workDir, `${chunkName(ichunk)}.new`);

export const attemptPath = (workDir: string, ichunk: number, attempt: number, kind: AttemptFileKind): string =>
	join(workDir, `${chunkName(ichunk)}.${attempt}.${kind}`);

/** Made exclusively by whoever is to compute the first attempt at a chunk that anybody may claim. */
export const claimPath = (workDir: string, ichunk: number): string => attemptPath(workDir, ichunk, 1, 'claim');

/** Of a claimed chunk: the attempt that its queue-job was submitted for, whose `o` and `e` hold all that the queue-job writes; and how long they were when it was claimed. */
export type Home = {readonly ichunk: number; readonly attempt: number; readonly stdoutFrom: number; readonly stderrFrom: number};

/** Where the output of an attempt is: in this file, from this byte on. */
export type OutputFile = {readonly path: string; readonly from: number};

/** Finds what an attempt has written to stdout (`o`) or stderr (`e`), which for a claimed chunk is in the files of its queue-job's home. */
export const outputFile = (
	workDir: string,
	ichunk: number,
	{attempt, home}: {readonly attempt: number; readonly home?: Home | undefined},
	kind: 'o' | 'e',
): OutputFile =>
	home === undefined
		? {path: attemptPath(workDir, ichunk, attempt, kind), from: 0}
		: {path: attemptPath(workDir, home.ichunk, home.attempt, kind), from: kind === 'o' ? home.stdoutFrom : home.stderrFrom};

/** In a work_dir: the directories that tasks may fill with files. */
export const TASK_DIRS = 'tasks';

/** The directory that one attempt at one task may fill with files; made when `taskContext().taskDir` is first read. */
export const taskDirPath = (workDir: string, itask: number, attempt: number): string => join(workDir, TASK_DIRS, `${itask}.${attempt}`);

/** Made by the process that works in the work_dir; whoever takes over makes the next. */
export const ownerPath = (workDir: string, number: number): string => join(workDir, `owner.${number}`);

/** The number of an owner's file; undefined for any other name. */
export const parseOwnerName = (name: string): number | undefined => numberAfter('owner.', name);

/** Where some tasks of a map are computed again: a work_dir in its work_dir, from 1. */
export const rerunPath = (workDir: string, number: number): string => join(workDir, `rerun.${number}`);

/** The number of a rerun; undefined for any other name. */
export const parseRerunName = (name: string): number | undefined => numberAfter('rerun.', name);

/** Asks the owner of this number to cancel the map: made by another process. */
export const cancelPath = (workDir: string, owner: number): string => join(workDir, `cancel.${owner}`);

/** Of which owner it asks that; undefined for any other name. */
export const parseCancelName = (name: string): number | undefined => numberAfter('cancel.', name);

const numberAfter = (prefix: string, name: string): number | undefined => {
	const digits = name.startsWith(prefix) ? name.slice(prefix.length) : '';
	return /^[1-9]\d*$/.test(digits) ? Number(digits) : undefined;
};

export type ChunkFile = {readonly ichunk: number} & ({readonly kind: 'tasks'} | {readonly kind: AttemptFileKind; readonly attempt: number});

/** Reads a file name back; undefined for a file that belongs to no chunk, or would be called otherwise. */
export const parseChunkFile = (name: string): ChunkFile | undefined => {
	const match = /^(\d{9}|[1-9]\d{9,})\.(?:(tasks)|([1-9]\d*)\.(part|start|out|damaged|o|e|claim))$/.exec(name);
	if (match === null) return undefined;
	const ichunk = Number(match[1]);
	return match[2] === 'tasks' ? {ichunk, kind: 'tasks'} : {ichunk, kind: match[4] as AttemptFileKind, attempt: Number(match[3])};
};

/** Whether a map may have made a file of this name in its work_dir; `.nfs…` is what a network file system makes of a file that is removed while it is open. */
export const isOfWorkDir = (name: string): boolean =>
	OF_EVERY_MAP.has(name) ||
	[parseChunkFile, parseOwnerName, parseRerunName, parseCancelName].some(parse => parse(name) !== undefined) ||
	/^(?:\.rerun_[1-9]\d*-.*|\.nfs.*|(?:\d{9}|[1-9]\d{9,})\.new)$/.test(name);

const OF_EVERY_MAP: ReadonlySet<string> = new Set<string>([
	...[MANIFEST, JOURNAL, LAUNCHER, ENVIRONMENT_SCRIPT, ENVIRONMENT_RECORD, WORKER_SCRIPT, SHARED_VALUE],
	...['tasks', 'git.diff'],
]);

/**
 * The id of one map: UTC time for people, and 24 random bits so that two maps begun in one second differ.
 * No `:`, for it is part of file names and of queue-job names.
 */
export const createSession = (nowMs: number, randomBytes: Uint8Array): string => {
	const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-');
	return `${time}_${Buffer.from(randomBytes.subarray(0, 3)).toString('hex')}`;
};

/** `q<session>#<ichunk>.<attempt>`: unique, starts with a letter, and made of characters that Grid Engine takes in a name. */
export const jobName = (session: string, ichunk: number, attempt: number): string =>
	`${namePrefix(session)}${chunkName(ichunk)}.${attempt}`;

/** `q<session>#<first ichunk>-<last ichunk>.<attempt>`: the name of all elements of an array. */
export const arrayName = (session: string, first: number, last: number, attempt: number): string =>
	`${namePrefix(session)}${chunkName(first)}-${chunkName(last)}.${attempt}`;

const namePrefix = (session: string): string => `q${session}#`;

/** Whether a name begins as those of all queue-jobs of a session do. */
export const isNameOf = (session: string, name: string): boolean => name.startsWith(namePrefix(session));

/** The chunks that a submission is for, one after the other; a plain queue-job is for one. */
export type JobNameParts = {readonly first: number; readonly last: number; readonly attempt: number};

/** Reads a queue-job name back; undefined when it belongs to another session or to nobody of ours. */
export const parseJobName = (session: string, name: string): JobNameParts | undefined => {
	if (!isNameOf(session, name)) return undefined;
	const match = /^(\d{9}|[1-9]\d{9,})(?:-(\d{9}|[1-9]\d{9,}))?\.([1-9]\d*)$/.exec(name.slice(namePrefix(session).length));
	if (match === null) return undefined;
	const first = Number(match[1]);
	const last = Number(match[2] ?? first);
	// An array has two elements at least.
	return match[2] === undefined || first < last ? {first, last, attempt: Number(match[3])} : undefined;
};

/** The number of a chunk's element in the array of this name, from 1; undefined when that is a plain queue-job. */
export const elementOf = (session: string, name: string, ichunk: number): number | undefined => {
	const parts = parseJobName(session, name);
	return parts === undefined || parts.first === parts.last ? undefined : ichunk - parts.first + 1;
};

/** By what a queue-job can be found whose number is not known. No name has a `/`. */
export const jobKey = (name: string, element: number | undefined): string => (element === undefined ? name : `${name}/${element}`);
