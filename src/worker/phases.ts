/**
 * What the running code belongs to: the import of fn's module, or one task. Node carries it along into timers, promises and callbacks, so that what
 * happens there is laid to the right task.
 */
import {AsyncLocalStorage} from 'node:async_hooks';
import {mkdirSync} from 'node:fs';
import {taskDirPath} from '../layout.js';
import type {Manifest} from '../manifest.js';
import type {TaskContext, WorkerState} from '../task-context.js';
import type {TaskFailure} from '../v8-serialize-helpers.js';
import type {ChunkId} from './chunk-id.js';

export type Phase = ImportPhase | TaskPhase;

export type ImportPhase = {
	readonly kind: 'import';
	readonly url: string;
	/** Ends the waiting for the import; undefined when it is over. */
	interrupt: ((failure: TaskFailure) => void) | undefined;
};

export type TaskPhase = {
	readonly kind: 'task';
	/** The attempt at its chunk: code of an earlier chunk may still run. */
	readonly id: ChunkId;
	readonly itask: number;
	/** Its index in the chunk. */
	readonly index: number;
	/** Ends the waiting for its promise; undefined while there is none. */
	interrupt: ((failure: TaskFailure) => void) | undefined;
	/** Why it has failed whatever it returns, as having called process.exit. */
	failure: TaskFailure | undefined;
	/** Fn was called for its task again: what this call has left behind changes nothing any more. */
	isRetried: boolean;
	context: TaskContext | undefined;
};

export type Phases = WorkerState & {
	/** The phase of the calling code. */
	readonly ofCaller: () => Phase | undefined;
	/** The phase that is being waited for now; undefined between two. */
	readonly current: () => Phase | undefined;
	/** Calls a function in a phase. Until the next call, or `end`, it is the current one. */
	readonly run: <T>(phase: Phase, body: (argument: unknown) => T, argument?: unknown) => T;
	readonly end: () => void;
};

/**
 * @param readShared - What all tasks share.
 * @param taskDirOf - Where a task may put its files.
 */
export const createPhases = (manifest: Manifest, readShared: () => unknown, taskDirOf: typeof taskDirPath = taskDirPath): Phases => {
	const storage = new AsyncLocalStorage<Phase>();
	let current: Phase | undefined;
	return {
		ofCaller: () => storage.getStore(),
		current: () => current,
		run: (phase, body, argument) => {
			current = phase;
			return storage.run(phase, body, argument);
		},
		end: () => {
			current = undefined;
		},
		currentTask: () => {
			const phase = storage.getStore();
			if (phase?.kind !== 'task') return undefined;
			phase.context ??= createContext(phase, manifest, readShared, taskDirOf);
			return phase.context;
		},
		importing: () => {
			const phase = storage.getStore();
			return phase?.kind === 'import' ? phase.url : undefined;
		},
	};
};

const createContext = (
	{itask: index, id: {workDir, ichunk, attempt}}: TaskPhase,
	{session, seed, itasks}: Manifest,
	readShared: () => unknown,
	taskDirOf: typeof taskDirPath,
): TaskContext => {
	// Of a task that is computed again: its index in the first map, so that it has its seed.
	const itask = itasks?.[index] ?? index;
	let taskDir: string | undefined;
	return {
		itask,
		ichunk,
		attempt,
		session,
		workDir,
		get taskDir() {
			if (taskDir === undefined) {
				taskDir = taskDirOf(workDir, itask, attempt);
				mkdirSync(taskDir, {recursive: true, mode: 0o700});
			}
			return taskDir;
		},
		get seed() {
			// Loading it takes 3 ms, which every queue-job would pay.
			const {createHash} = process.getBuiltinModule('node:crypto');
			return createHash('sha256').update(`${seed}:${itask}`).digest().readUIntBE(0, 6);
		},
		get shared() {
			return readShared();
		},
	};
};
