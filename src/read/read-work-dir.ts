/** Reads a work_dir, also one that is still being worked in or is damaged: what ran where, when, how long, how often, with what and to what end. */
import {checkPath} from '../check-options.js';
import {type Chunk, itaskOf} from '../chunks.js';
import type {RemoteError, TaskErrorKind} from '../errors.js';
import type {JournalEvent, JournalLine} from '../journal.js';
import {createRerunReader, mergeTask, openReruns} from '../later/merge-reruns.js';
import {attemptPath, type ChunkFile} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {realFiles} from '../ports.js';
import {readClaim} from '../take-claims.js';
import type {Block} from '../v8-serialize-helpers.js';
import type {WorkerUsage} from '../worker/outcomes-trailer.js';
import {findOutcome} from './find-outcome.js';
import {type KnownChunk, type OpenWorkDir, openWorkDir} from './open-work-dir.js';
import {readAhead} from './read-ahead.js';
import {readAttempts} from './read-attempts.js';
import {type Finished, readFinished} from './read-finished.js';
import {type AttemptRun, readOutcomeFile} from './read-outcomes.js';
import {type ChunkOutputs, readOutputs} from './read-outputs.js';
import {readInputs} from './read-tasks.js';

/** What `readWorkDir` tells of one map. */
export type WorkDirRecord = {
	readonly workDir: string;
	/** run.json. */
	readonly manifest: Manifest;
	/** In task order. */
	readonly tasks: readonly TaskRecord[];
	/** The file with the value of the option `shared`; undefined when it was not given. */
	readonly sharedPath: string | undefined;
	/** log.jsonl. */
	readonly journal: readonly JournalLine[];
	/** Files that could not be read, and why. */
	readonly problems: readonly string[];
};

/** One task. */
export type TaskRecord = {
	readonly itask: number;
	readonly ichunk: number;
	/** `done` and `failed` are final; `running` and `pending` are what the journal knew last. */
	readonly state: 'done' | 'failed' | 'running' | 'pending';
	/** Every queue-job of its chunk. */
	readonly attempts: readonly AttemptRecord[];
	/** The task itself; undefined when its file can't be read (see `problems`). */
	readonly input: unknown;
	/** Undefined as long as there is none. */
	readonly outcome: TaskOutcomeRecord | undefined;
	/** The attempt, its queue-job and its host that the outcome is from. */
	readonly attempt: number | undefined;
	readonly jobId: string | undefined;
	readonly host: string | undefined;
	/** When `fn` was called, and how long it took. */
	readonly startedAt: Date | undefined;
	readonly elapsedMs: number | undefined;
	/** What the task itself has written; as long as it has no outcome of its own, the last lines of its chunk's last attempt. */
	readonly stdout: string;
	readonly stderr: string;
	/** Of a task that was computed again: all but its input is from the rerun of this number, whose files are in `rerun.<number>`. */
	readonly rerun: number | undefined;
};

export type TaskOutcomeRecord =
	| {readonly status: 'fulfilled'; readonly value: unknown}
	| {readonly status: 'rejected'; readonly kind: TaskErrorKind; readonly message: string; readonly remote?: RemoteError};

/** One queue-job of a chunk, as the journal tells it. */
export type AttemptRecord = {
	readonly attempt: number;
	readonly jobName: string | undefined;
	readonly jobId: string | undefined;
	readonly host: string | undefined;
	readonly submittedAt: string | undefined;
	/** What was noted of it last. */
	readonly lastEvent: JournalEvent['event'];
	/** Why it was given up. */
	readonly reason: string | undefined;
	/** When its worker began and ended, by the clock of its host; absent as long as it has not said so. */
	readonly startedAt?: Date;
	readonly endedAt?: Date;
	/** What its worker used; absent when it died, and says nothing of programs that tasks start. */
	readonly usage?: WorkerUsage;
};

export type ReadWorkDirOptions = {
	/**
	 * `false` leaves out what may be large: the tasks' inputs and values, and what those have written that have a value.
	 *
	 * @default true
	 */
	readonly values?: boolean;
};

/**
 * @param workDir - The directory of one map.
 * @throws PoolError `ERR_POOL_WORK_DIR` when it is no work_dir of a format that this version knows, or others could have written there; `ERR_POOL_OPTION` when it is no path.
 */
export const readWorkDir = async (workDir: string, {values = true}: ReadWorkDirOptions = {}): Promise<WorkDirRecord> => {
	checkPath('workDir', workDir);
	const map = await openWorkDir(workDir);
	const tasks: TaskRecord[] = [];
	for await (const chunk of readTasks(map, {values})) for (const task of chunk) tasks.push(task);
	return {workDir: map.workDir, manifest: map.manifest, tasks, sharedPath: map.sharedPath, journal: map.journal, problems: map.problems};
};

export type ReadTasksOptions = ReadWorkDirOptions & {
	/** Whether the tasks themselves are read. @default as `values` */
	readonly inputs?: boolean;
	/** Whether what they have written is read. @default true */
	readonly outputs?: boolean;
	/** These chunks. @default all */
	readonly only?: readonly KnownChunk[];
};

/**
 * Chunk by chunk, in task order: a million tasks need not be in memory at once. What can't be read is added to the problems of the map.
 */
export const readTasks = async function* (
	map: OpenWorkDir,
	{values = true, inputs = values, outputs = true, only = map.chunks}: ReadTasksOptions = {},
): AsyncGenerator<TaskRecord[]> {
	const {problems} = map;
	const read = ({workDir, manifest}: OpenWorkDir, chunk: KnownChunk): Promise<TaskRecord[]> =>
		readChunk(workDir, manifest, chunk, problems, {values, inputs, outputs});
	const readAgain = createRerunReader(await openReruns(map), read);
	// Values may be large: of those no more than one chunk is in memory.
	for await (const tasks of readAhead(only, values ? 1 : CHUNKS_AHEAD, chunk => read(map, chunk))) {
		const merged: TaskRecord[] = [];
		for (const task of tasks) merged.push(mergeTask(task, await readAgain(task.itask)));
		yield merged;
	}
};

const CHUNKS_AHEAD = 8;

const readChunk = async (
	workDir: string,
	manifest: Manifest,
	{chunk, events, files}: KnownChunk,
	problems: string[],
	wanted: {readonly values: boolean; readonly inputs: boolean; readonly outputs: boolean},
): Promise<TaskRecord[]> => {
	const {session} = manifest;
	const {ichunk, numTasks} = chunk;
	for (const file of files) {
		if (file.kind === 'damaged')
			problems.push(`${attemptPath(workDir, ichunk, file.attempt, 'damaged')}: it was set aside, for it could not be read`);
	}
	const inputs = wanted.inputs
		? await readInputs(workDir, session, chunk, realFiles, problems)
		: new Array<undefined>(numTasks).fill(undefined);
	const counted = events.findLast(({event}) => event === 'result')?.attempt;
	const found = await readOutcomes(workDir, manifest, {ichunk, numTasks}, counted, files, problems);
	const out = wanted.values ? found : {...found, blocks: found.blocks.map(withoutValues)};
	const attempts = await readAttempts(realFiles, events, {workDir, session, ichunk, files, runs: found.runs});
	const failed = findFailure(events);
	const last = attempts.at(-1);
	const homes = new Map(out.sources.flatMap(({attempt, home}) => (home === undefined ? [] : [[attempt, home] as const])));
	const claim = files.some(({kind}) => kind === 'claim') ? await readClaim(realFiles, workDir, ichunk) : undefined;
	if (claim !== undefined && claim.home.ichunk !== ichunk) homes.set(1, claim.home);
	const isWhole = out.blocks.reduce((sum, {count}) => sum + count, 0) === numTasks;
	const outputs = wanted.outputs
		? // Where each task has an outcome of its own nobody wants to know what was written last.
			await readOutputs(realFiles, {workDir, ichunk, blocks: out.blocks, lastAttempt: isWhole ? undefined : last?.attempt, homes})
		: NO_OUTPUTS;
	const isRunning = last?.lastEvent === 'running' || last?.lastEvent === 'claimed';
	return inputs.map((input, i): TaskRecord => {
		const own = findOutcome(out.blocks, i, events);
		const outcome = own?.outcome ?? (failed && chunkFailure(failed));
		const attempt = own?.attempt ?? last?.attempt;
		const source = attempts.find(record => record.attempt === attempt);
		return {
			itask: itaskOf(chunk, i),
			ichunk,
			state: outcome === undefined ? (isRunning ? 'running' : 'pending') : outcome.status === 'fulfilled' ? 'done' : 'failed',
			attempts,
			input,
			outcome,
			attempt: outcome && attempt,
			jobId: source?.jobId ?? out.sources.find(known => known.attempt === attempt)?.jobId,
			// The worker itself knows best where it ran.
			host: out.sources.find(known => known.attempt === attempt)?.host ?? source?.host,
			startedAt: own?.startedAt,
			elapsedMs: own?.elapsedMs,
			...(own === undefined ? outputs.last : outputs.of(own.attempt, own.output)),
			rerun: undefined,
		};
	});
};

const NO_OUTPUTS: ChunkOutputs = {of: () => NO_OUTPUTS.last, last: {stdout: '', stderr: ''}};

/** Of what a task has written only that of a failed one is left. */
const withoutValues = (block: Block): Block => ({
	...block,
	values: [],
	outputs: new Map([...block.outputs].filter(([index]) => block.failures.has(index))),
});

/** The outcomes of the attempt that counts; while none does, of the first that is whole, or what those that are not have finished. */
const readOutcomes = async (
	workDir: string,
	{session}: Manifest,
	{ichunk, numTasks}: Pick<Chunk, 'ichunk' | 'numTasks'>,
	counted: number | undefined,
	files: readonly ChunkFile[],
	problems: string[],
): Promise<Finished & {readonly runs: ReadonlyMap<number, AttemptRun>}> => {
	const attempts = files
		.flatMap(file => (file.kind === 'out' && (counted ?? file.attempt) === file.attempt ? [file.attempt] : []))
		.sort((a, b) => a - b);
	if (counted !== undefined && attempts.length === 0) problems.push(`${attemptPath(workDir, ichunk, counted, 'out')}: it is missing`);
	for (const attempt of attempts) {
		const path = attemptPath(workDir, ichunk, attempt, 'out');
		const file = await readOutcomeFile(realFiles, path, {session, ichunk, attempt, numTasks});
		if (file.kind === 'whole') return {...file, runs: new Map([[attempt, file.run]])};
		problems.push(file.reason);
	}
	const all = new Set(files.flatMap(file => (file.kind === 'tasks' ? [] : [file.attempt])));
	const begun = [...all].sort((a, b) => a - b).map(attempt => ({attempt}));
	return {...(await readFinished(realFiles, {session, workDir}, {ichunk}, begun)), runs: new Map()};
};

/** What was cancelled may have been submitted again since, when its map was resumed. */
const findFailure = (events: readonly JournalLine[]): JournalLine | undefined => {
	const last = events.findLast(({event}) => event === 'chunk-failed' || event === 'submitting');
	return last?.event === 'chunk-failed' ? last : undefined;
};

const chunkFailure = ({kind = 'lost', reason = ''}: JournalLine): TaskOutcomeRecord => ({status: 'rejected', kind, message: reason});
