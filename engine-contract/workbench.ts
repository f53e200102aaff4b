/** What a case works with: an engine under a limit of time, scripts to be submitted, and a way to wait. Leaves nothing behind. */
import {randomBytes} from 'node:crypto';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Engine, JobRequest, JobStatus, SubmitOutcome} from '../src/index.js';
import {createWatch} from './watch.js';

export type ContractHooks = {
	/** A directory that the hosts of the queue-jobs share with this process; each case makes its own in it. @default the system's directory for temporary files */
	readonly directory?: string;
	/** Milliseconds that one case may take. @default 60000 */
	readonly timeoutMs?: number;
	/** How many hosts there are for queue-jobs. With more than one, a host to be avoided must be avoided. @default 1 */
	readonly numHosts?: number;
	/** Whether the engine tells of every end how it was, sooner or later. @default false */
	readonly explainsEnds?: boolean;
	/** Makes an engine whose queue refuses everything for good, as by the name of a queue that there is not. Without it that promise is not tried. */
	readonly makeRefusingEngine?: () => Engine;
};

export type Case = {
	readonly title: string;
	readonly body: (bench: Workbench) => Promise<void>;
	/** Always, if there is none. */
	readonly canBeTried?: (engine: Engine, hooks: ContractHooks) => boolean;
};

export type Job = {readonly id: string; readonly name: string};

export type Workbench = {
	/** Each of its calls must be answered within the time of the case. */
	readonly engine: Engine;
	readonly hooks: ContractHooks;
	/** Writes a script, which runs in the directory of this case, and says what to submit. */
	readonly request: (script: string, more?: Partial<JobRequest>) => JobRequest;
	/** Submits scripts, all of which must be taken. */
	readonly submit: (...requests: readonly JobRequest[]) => Promise<readonly Job[]>;
	/** Waits until it gives something; meanwhile the queue is asked all the time, and its newest answer handed over. */
	readonly until: <T>(what: string, look: (listing: readonly JobStatus[] | undefined) => T | undefined) => Promise<T>;
	/** Waits until none of them is listed. */
	readonly untilGone: (...ids: readonly string[]) => Promise<void>;
	/** What a queue-job has written; undefined if it has not. */
	readonly read: (file: string) => string | undefined;
	readonly untilWritten: (file: string) => Promise<string>;
	readonly write: (file: string, text?: string) => void;
	/** Waits until a file has not grown for so long that nobody can be writing to it every 0.1 s. */
	readonly untilStill: (file: string) => Promise<void>;
	readonly directory: string;
};

const TIMEOUT_MS = 60_000;
/** Ten times what passes between two beats of a queue-job that is alive. */
const STILL_MS = 1000;
/** What is left of a case may take so long to go, at the most. */
const CLEAN_UP_MS = 30_000;

/** @throws Error that names the promise and how it was broken. */
export const runOnWorkbench = async (title: string, body: Case['body'], makeEngine: () => Engine, hooks: ContractHooks): Promise<void> => {
	// Work_dirs have such names, too.
	const directory = mkdtempSync(join(hooks.directory ?? tmpdir(), "an engine's contract "));
	const ids = new Set<string>();
	const timeoutMs = hooks.timeoutMs ?? TIMEOUT_MS;
	const watch = createWatch(noting(makeEngine(), ids), timeoutMs);
	const bench = createWorkbench(watch, directory, hooks);
	const told = (error: unknown): Error => new Error(`Not kept: ${title}.\n${(error as Error).message}`, {cause: error});
	let failure: Error | undefined;
	await body(bench).catch((error: unknown) => {
		failure = told(error);
	});
	await cleanUp(watch, ids, Math.min(timeoutMs, CLEAN_UP_MS)).catch((error: unknown) => {
		failure ??= told(error);
	});
	rmSync(directory, {recursive: true, force: true, maxRetries: 10});
	if (failure !== undefined) throw failure;
};

const cleanUp = async (watch: ReturnType<typeof createWatch>, ids: ReadonlySet<string>, limitMs: number): Promise<void> => {
	watch.extend(limitMs);
	if (ids.size > 0) await watch.engine.remove([...ids]);
	await watch.until('an empty queue', listing => listing?.every(({id}) => !ids.has(id)) || undefined);
	await watch.end();
};

/** The same engine; what it has taken is noted. */
const noting = (engine: Engine, ids: Set<string>): Engine => {
	const note = (outcome: SubmitOutcome | undefined): string | undefined => {
		if (outcome?.kind !== 'submitted') return undefined;
		ids.add(outcome.id);
		return outcome.id;
	};
	const {arrays} = engine;
	return {
		name: engine.name,
		statusCost: engine.statusCost,
		outlivesProcess: engine.outlivesProcess,
		maxDefaultChunks: engine.maxDefaultChunks,
		submit: async requests => {
			const outcomes = await engine.submit(requests);
			if (Array.isArray(outcomes)) for (const outcome of outcomes) note(outcome);
			return outcomes;
		},
		status: notBeforeMs => engine.status(notBeforeMs),
		remove: removed => engine.remove(removed),
		explain: job => engine.explain(job),
		...(arrays === undefined
			? {}
			: {
					arrays: {
						elementVariable: arrays.elementVariable,
						maxElements: () => arrays.maxElements(),
						elementId: (id, element) => arrays.elementId(id, element),
						submit: async request => {
							const outcome = await arrays.submit(request);
							const id = note(outcome);
							for (let element = 1; id !== undefined && element <= request.numElements; element++) ids.add(arrays.elementId(id, element));
							return outcome;
						},
					},
				}),
	};
};

const createWorkbench = (watch: ReturnType<typeof createWatch>, directory: string, hooks: ContractHooks): Workbench => {
	// As the library names its queue-jobs.
	const session = `q${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}_${randomBytes(3).toString('hex')}`;
	let numRequests = 0;
	const pathOf = (file: string): string => join(directory, file);
	const read = (file: string): string | undefined => (existsSync(pathOf(file)) ? readFileSync(pathOf(file), 'utf8') : undefined);
	const {engine, until} = watch;
	return {
		engine,
		hooks,
		directory,
		until,
		read,
		request: (script, more = {}) => {
			const name = `${session}#${String(numRequests++).padStart(9, '0')}.1`;
			const path = pathOf(`launch ${numRequests}.sh`);
			writeFileSync(path, `#!/bin/sh\ncd '${directory.replaceAll("'", "'\\''")}' || exit 9\n${script}\n`, {mode: 0o600});
			return {name, script: path, scriptArguments: [], avoidHosts: [], resources: {}, ...more};
		},
		submit: async (...requests) => {
			const outcomes = await engine.submit(requests);
			hold(outcomes.length === requests.length, `\`submit\` gave ${outcomes.length} outcomes for ${requests.length} requests.`);
			return outcomes.map((outcome, i) => {
				if (outcome.kind !== 'submitted') throw new Error(`A queue-job was not taken: ${JSON.stringify(outcome)}`);
				return {id: outcome.id, name: (requests[i] as JobRequest).name};
			});
		},
		untilGone: async (...ids) => {
			await until(`queue-jobs that are not listed any more (${ids.join(', ')})`, listing => {
				const isGone = listing?.every(({id}) => !ids.includes(id));
				return isGone || undefined;
			});
		},
		untilWritten: file => until(`the file ${file}, which a queue-job writes`, () => read(file)),
		write: (file, text = '') => writeFileSync(pathOf(file), text),
		untilStill: async file => {
			for (let before = read(file)?.length; ; ) {
				await sleep(STILL_MS);
				const now = read(file)?.length;
				if (now === before) return;
				before = now;
				watch.check(`the end of what writes to the file ${file}`);
			}
		},
	};
};

/** @throws Error with these words unless it is kept. */
export function hold(isKept: boolean, broken: string): asserts isKept {
	if (!isKept) throw new Error(broken);
}

/**
 * A queue-job that lives until somebody writes the file, and not for ever if nobody does: at the latest it ends with its directory. A network file system has
 * to be made to look.
 */
export const waitFor = (file: string): string => `while [ ! -e ${file} ] && [ -d "$PWD" ]; do : *; sleep 0.1; done`;

/** Writes a file at once as a whole. */
export const put = (file: string, command: string): string => `{ ${command}; } >${file}.part && mv ${file}.part ${file}`;

/** A line every 0.1 s, at the longest until the directory is gone. */
export const beat = (file: string): string => `while echo x >>${file}; do sleep 0.1; done`;
