/**
 * Reads a stream of tasks while the map runs, and writes one chunk after the other into the work_dir. It runs beside the loop, for a stream may keep it
 * waiting; the loop says how far it may go, and takes over what is written. A stream that is slower than the queue does not have to fill its chunks.
 */
import {setImmediate as nextTurn} from 'node:timers/promises';
import {type Chunk, type StreamChunking, streamChunkSize} from './chunks.js';
import {PoolError} from './errors.js';
import type {Journal} from './journal.js';
import {newTasksPath, tasksPath} from './layout.js';
import type {Manifest} from './manifest.js';
import type {Clock, Files} from './ports.js';
import {createQuietWatch} from './quiet-watch.js';
import type {NextTask, TaskStream} from './task-source.js';
import {writeTasks} from './write-tasks.js';

export type Feed = {
	/** Chunks that were written since this was last called, in order. */
	readonly take: () => readonly Chunk[];
	/** What has become of the stream; undefined as long as there may be more. To be looked at before `take`. */
	readonly end: () => FeedEnd | undefined;
	/** So many chunks may have been written, all in all. */
	readonly allow: (numChunks: number) => void;
	/** Whether a chunk would be begun soon. As long as it would, what there is of a chunk does not wait long for the rest. */
	readonly offerRoom: (isThere: boolean) => void;
	/** Resolves after that time, when the signal is aborted, or when there is something new. */
	readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
	/** Reads and writes no more. Resolves when nothing is being written. */
	readonly close: () => Promise<void>;
};

export type FeedEnd = {readonly kind: 'complete'} | {readonly kind: 'failed'; readonly error: unknown};

export type FeedInput = {
	readonly stream: TaskStream;
	readonly chunking: StreamChunking;
	/** Those that are written already. */
	readonly chunks: readonly Chunk[];
	/** Says how long the chunks are that are shorter than `chunking` says. */
	readonly journal: Journal;
	/** Whether another process began to write this stream. */
	readonly isResumed: boolean;
	readonly workDir: string;
	readonly manifest: Pick<Manifest, 'session' | 'node' | 'createdAt' | 'call'>;
	readonly outageLimitMs: number;
	/** Rejects when the work_dir is another process's now, which may be writing the same chunk. */
	readonly checkOwner: () => Promise<void>;
	readonly files: Files;
	readonly clock: Clock;
	readonly tell: (line: string) => void;
};

/** A full disk is looked at again after so long. */
const RETRY_MS = 5000;

/** So long may the making of tasks hold up everything else. */
const TURN_EVERY_MS = 20;
/** To ask for the time costs more than many a task. */
const TURN_EVERY_TASKS = 256;

export const feedTasks = (input: FeedInput): Feed => {
	const {stream, chunking, chunks, journal, isResumed, workDir, manifest, outageLimitMs, checkOwner, files, clock, tell} = input;
	const stopping = new AbortController();
	let last = chunks.at(-1);
	let numAllowed = chunks.length;
	let written: Chunk[] = [];
	let end: FeedEnd | undefined;
	let isGathering = false;
	let isRoom = false;
	/** Whether the stream has given its last task. */
	let isRead = false;
	/** What the stream was asked for when a chunk was closed without it. */
	let asked: Promise<NextTask> | undefined;
	const quiet = createQuietWatch({isRoom: () => isRoom, clock, signal: stopping.signal});
	let ringLoop: () => void = () => undefined;
	let ringFeed: () => void = () => undefined;

	const isAllowed = (): Promise<void> | undefined => {
		const ichunk = last === undefined ? 0 : last.ichunk + 1;
		if (ichunk < numAllowed || stopping.signal.aborted) return undefined;
		return new Promise(resolve => {
			ringFeed = resolve;
		});
	};

	/** The tasks of a chunk: fewer than that at the end of the stream, and when it keeps us waiting. */
	const gather = async (firstTask: number, size: number): Promise<unknown[]> => {
		const tasks: unknown[] = [];
		let turnMs = clock.elapsedMs();
		while (tasks.length < size && !stopping.signal.aborted) {
			const next = asked ?? stream.next();
			asked = undefined;
			const taken = !(next instanceof Promise) ? next : await (tasks.length === 0 ? next : quiet.wait(next));
			if (taken === undefined) {
				asked = next as Promise<NextTask>;
				break;
			}
			if (taken.done) {
				isRead = true;
				break;
			}
			checkTask(taken.task, firstTask + tasks.length, manifest.call);
			tasks.push(taken.task);
			if (tasks.length % TURN_EVERY_TASKS === 0 && clock.elapsedMs() - turnMs > TURN_EVERY_MS) {
				await nextTurn();
				turnMs = clock.elapsedMs();
			}
		}
		return tasks;
	};

	/** A disk that is full is waited for: the tasks may not come again. */
	const write = async (chunk: Chunk, tasks: readonly unknown[], isCut: boolean): Promise<void> => {
		const sinceMs = clock.elapsedMs();
		if (isCut) journal.note({event: 'chunk-cut', ichunk: chunk.ichunk, numTasks: chunk.numTasks});
		const path = newTasksPath(workDir, chunk.ichunk);
		for (let isFirst = true; ; isFirst = false) {
			try {
				// Another try may have left it, or a process that has ended before it was whole.
				await files.removeTree(path);
				await writeTasks(path, chunk, tasks, manifest, files);
				// Before the chunk is there: whoever finds it must know which tasks those behind it hold.
				if (isCut) await journal.flush({durable: true});
				await checkOwner();
				await files.rename(path, tasksPath(workDir, chunk.ichunk));
				return;
			} catch (error) {
				const {syscall, message} = error as NodeJS.ErrnoException;
				if (error instanceof PoolError || syscall === undefined) {
					await files.removeTree(path);
					throw error;
				}
				if (stopping.signal.aborted || clock.elapsedMs() - sinceMs >= outageLimitMs) {
					throw new PoolError('ERR_POOL_WORK_DIR', `Task ${chunk.firstTask} and those after it can't be written: ${message}`, {
						workDir,
						cause: error,
					});
				}
				if (isFirst) tell(`queue-map-reduce: task ${chunk.firstTask} and those after it can't be written, trying again: ${message}`);
				await clock.sleep(RETRY_MS, stopping.signal);
			}
		}
	};

	const feed = async (): Promise<FeedEnd> => {
		for (;;) {
			await isAllowed();
			if (stopping.signal.aborted) return {kind: 'complete'};
			const ichunk = last === undefined ? 0 : last.ichunk + 1;
			const firstTask = last === undefined ? 0 : last.firstTask + last.numTasks;
			const size = streamChunkSize(firstTask, chunking);
			isGathering = true;
			const tasks = await gather(firstTask, size);
			isGathering = false;
			if (stopping.signal.aborted) return {kind: 'complete'};
			if (tasks.length > 0) {
				const chunk = {ichunk, firstTask, numTasks: tasks.length};
				// Another process may have noted a size for its next chunk, and have ended before that was written.
				const isCut = (tasks.length < size && !isRead) || (isResumed && last === chunks.at(-1));
				await write(chunk, tasks, isCut);
				last = chunk;
				isRoom = false;
				written.push(chunk);
				ringLoop();
			}
			if (isRead) return {kind: 'complete'};
		}
	};

	const fed = feed()
		.catch((error: unknown): FeedEnd => ({kind: 'failed', error}))
		.then(how => {
			end = how;
			stream.close();
			ringLoop();
		});

	return {
		take: () => {
			const taken = written;
			written = [];
			return taken;
		},
		end: () => end,
		allow: numChunks => {
			numAllowed = Math.max(numAllowed, numChunks);
			ringFeed();
		},
		offerRoom: isThere => {
			isRoom = isThere;
		},
		sleep: async (ms, signal) => {
			if (written.length > 0) return;
			const waker = new AbortController();
			const wake = (): void => waker.abort();
			ringLoop = wake;
			signal.addEventListener('abort', wake, {once: true});
			if (signal.aborted) wake();
			await clock.sleep(ms, waker.signal);
			signal.removeEventListener('abort', wake);
		},
		close: async () => {
			stopping.abort();
			ringFeed();
			stream.close();
			// A stream that never gives its next task is not waited for: nothing is written then.
			if (!isGathering) await fed;
		},
	};
};

const checkTask = (task: unknown, itask: number, call: Manifest['call']): void => {
	if (call !== 'starmap' || Array.isArray(task)) return;
	throw new PoolError(
		'ERR_POOL_TASKS',
		`Expected every task of \`starmap\` to be an array of arguments, got ${typeof task} as task ${itask}.`,
	);
};
