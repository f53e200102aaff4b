/**
 * The outcomes of this attempt, as they grow on the disk: which task is to be begun next, and what has to be written before it may be. It takes over what
 * earlier attempts have finished, runs alone what was under way when they ended, and gives up a task in which too many workers have died.
 *
 * Nothing here knows processes, so that a simulation can run it.
 */
import {attemptPath, type Home} from '../layout.js';
import type {WorkerOptions} from '../manifest.js';
import {UnserialisableError} from '../unserialisable.js';
import {
	type BlockFileEncoder,
	BlockFileError,
	createBlockFileEncoder,
	type OutputRange,
	type Source,
	sourceOfHeader,
	type TaskFailure,
} from '../v8-serialize-helpers.js';
import type {ChunkId} from './chunk-id.js';
import {createDurableFile, type DurableFile} from './durable-file.js';
import {type EarlierAttempts, findEarlierAttempts, NO_EARLIER_ATTEMPTS} from './earlier-attempts.js';
import type {OutcomesTrailer} from './outcomes-trailer.js';
import {systemCodeOf} from './worker-error.js';
import type {WorkerPorts} from './worker-files.js';

export type ChunkProgress = {
	/** The index in the chunk of the task to be begun next; `numTasks` when none is left. It moves on with every outcome, and with `write`. */
	readonly next: () => number;
	/** Whether `write` must be called before the next task is begun. */
	readonly isWriteDue: (nowMs: number) => boolean;
	/** Writes what is finished, and says which tasks may be under way from now on. */
	readonly write: () => Promise<void>;
	/** The outcome of the task `next`. */
	readonly addValue: (value: unknown, startedAt: number, elapsedMs: number, output: OutputRange | undefined) => void;
	readonly addFailure: (failure: TaskFailure, startedAt: number, elapsedMs: number, output: OutputRange | undefined) => void;
	/** Turns an outcome that is not written yet into a failure; false when it is written already. */
	readonly replaceWithFailure: (index: number, failure: TaskFailure) => boolean;
	/** Writes the rest; from then on the file is the result of the chunk. */
	readonly finish: (trailer: Omit<OutcomesTrailer, 'sources'>) => Promise<void>;
};

export type ProgressInput = {
	readonly id: ChunkId;
	readonly session: string;
	readonly options: Pick<WorkerOptions, 'maxNumResubmissions' | 'taskLimitMs'>;
	/** Whether earlier attempts matter; without, all tasks are computed. */
	readonly takesOver: boolean;
	readonly firstTask: number;
	readonly numTasks: number;
	readonly writer: OutcomeWriter;
};

/** Who writes. */
export type OutcomeWriter = {
	readonly host: string;
	readonly jobId?: string;
	/** Of a claimed chunk. */
	readonly home?: Home;
	readonly pid: number;
	/** `process.version` */
	readonly node: string;
	readonly writtenAt: string;
};

/** So much finished work is at risk at most, beside the task under way; and so often is the disk waited for at most. */
export const FLUSH_MS = 2000;

/** Tasks that take longer together are not begun in one stretch again: a million tiny tasks have few marks, a long one has its own. */
export const STRETCH_MS = 250;

const STRETCH_GROWTH = 4;

/** As many as fit into one block. */
const MAX_STRETCH = 16_384;

/** @throws WorkerError when the file can't be made. */
export const openProgress = async (input: ProgressInput, ports: WorkerPorts): Promise<ChunkProgress> => {
	const {id, session, numTasks} = input;
	const {clock} = ports;
	const earlier = input.takesOver ? await findEarlierAttempts(id, session, ports) : NO_EARLIER_ATTEMPTS;
	const sources = sourcesOf(input, earlier);
	const encoder = createEncoder(input, sources.slice(0, -1));
	const file = await createDurableFile(path(id, 'part'), path(id, 'out'), ports);
	await file.append([encoder.begin()]);
	const damaged = new Set(earlier.damaged);
	if (earlier.longest !== undefined && !(await copyBlocks(earlier.longest, encoder, file, ports))) {
		damaged.add(earlier.longest.scan.header.attempt ?? 0);
	}
	const dead = createDeadList(earlier, damaged, input.options);

	// The watchdog would take the others of a stretch with it, and none may be begun again.
	const isOneByOne = input.options.taskLimitMs !== null && input.options.maxNumResubmissions === 0;
	let stretch = 1;
	let stretchFrom = encoder.numEntries;
	let begunUpTo = stretchFrom;
	let stretchBeganMs = clock.elapsedMs();
	let syncedMs = stretchBeganMs;

	const adaptStretch = (nowMs: number): void => {
		const numDone = encoder.numEntries - stretchFrom;
		const tookMs = nowMs - stretchBeganMs;
		if (tookMs > STRETCH_MS) stretch = Math.max(1, Math.floor((numDone * STRETCH_MS) / tookMs));
		else if (numDone > 0 && encoder.numEntries >= begunUpTo) stretch = Math.min(STRETCH_GROWTH * stretch, MAX_STRETCH);
	};

	return {
		next: () => encoder.numEntries,
		isWriteDue: nowMs => encoder.numEntries >= begunUpTo || nowMs - stretchBeganMs >= FLUSH_MS || encoder.isFull(),
		write: async () => {
			adaptStretch(clock.elapsedMs());
			let failure: TaskFailure | undefined;
			while (encoder.numEntries < numTasks) {
				failure = dead.failureOf(encoder.numEntries);
				if (failure === undefined) break;
				encoder.addFailure(failure, undefined, dead.elapsedMsOf(encoder.numEntries));
			}
			const block = encoder.takeBlock() ?? [];
			stretchFrom = encoder.numEntries;
			// What may kill its worker is alone when it does.
			const numDeaths = dead.numDeaths(stretchFrom);
			if (numDeaths > 0 || isOneByOne) stretch = 1;
			begunUpTo = Math.min(stretchFrom + stretch, numTasks);
			await file.append(stretchFrom < numTasks ? [...block, ...encoder.mark(begunUpTo)] : block);
			// What kills the whole node would take a mark with it that is not on the disk.
			if (numDeaths > 1 || clock.elapsedMs() - syncedMs >= FLUSH_MS) {
				await file.sync();
				syncedMs = clock.elapsedMs();
			}
			stretchBeganMs = clock.elapsedMs();
		},
		addValue: (value, startedAt, elapsedMs, output) => {
			try {
				encoder.addValue(value, startedAt, elapsedMs, output);
			} catch (error) {
				if (!(error instanceof UnserialisableError)) throw error;
				const failure: TaskFailure = {kind: 'result-unserialisable', message: `returned what can't be written to a file: ${error.message}`};
				encoder.addFailure(failure, startedAt, elapsedMs, output);
			}
		},
		addFailure: encoder.addFailure,
		replaceWithFailure: encoder.replaceWithFailure,
		finish: async trailer => {
			await file.append([...(encoder.takeBlock() ?? []), ...encoder.end({...trailer, sources} satisfies OutcomesTrailer)]);
			await file.finish();
		},
	};
};

/** Writes a result file without outcomes: this worker can't begin. It grows under a name of its own, for a `.part` tells that a worker could begin. */
export const writeStartFailure = async (
	input: ProgressInput,
	trailer: Omit<OutcomesTrailer, 'sources'> & {readonly startFailed: TaskFailure},
	ports: WorkerPorts,
): Promise<void> => {
	const encoder = createEncoder(input, []);
	const file = await createDurableFile(path(input.id, 'start'), path(input.id, 'out'), ports);
	await file.append([encoder.begin(), ...encoder.end({...trailer, sources: [sourceOf(input)]} satisfies OutcomesTrailer)]);
	await file.finish();
};

const path = ({workDir, ichunk, attempt}: ChunkId, kind: 'part' | 'start' | 'out'): string => attemptPath(workDir, ichunk, attempt, kind);

const createEncoder = ({id, session, firstTask, numTasks, writer}: ProgressInput, sources: readonly Source[]): BlockFileEncoder =>
	createBlockFileEncoder({
		kind: 'outcomes',
		format: 1,
		session,
		ichunk: id.ichunk,
		firstTask,
		numTasks,
		attempt: id.attempt,
		...writer,
		...(sources.length === 0 ? {} : {sources}),
	});

const sourceOf = ({id, writer: {host, jobId, home}}: ProgressInput): Source => ({
	attempt: id.attempt,
	host,
	...(jobId === undefined ? {} : {jobId}),
	...(home === undefined ? {} : {home}),
});

/** Where the outcomes may be from, this attempt last. */
const sourcesOf = (input: ProgressInput, {longest}: EarlierAttempts): Source[] => {
	if (longest === undefined) return [sourceOf(input)];
	const {header} = longest.scan;
	return [...(header.sources ?? []), sourceOfHeader(header), sourceOf(input)];
};

/** Copies the blocks as they are, one at a time. False when one has changed since it was scanned: it and what follows are left out. */
const copyBlocks = async (
	{path, scan}: NonNullable<EarlierAttempts['longest']>,
	encoder: BlockFileEncoder,
	file: DurableFile,
	{files}: WorkerPorts,
): Promise<boolean> => {
	const source = await files.openSource(path);
	try {
		for (const {position, length} of scan.frames) await file.append(encoder.copyBlock(await source.read(position, length)));
		return true;
	} catch (error) {
		if (error instanceof BlockFileError || systemCodeOf(error) !== undefined) return false;
		throw error;
	} finally {
		await source.close();
	}
};

type DeadList = {
	/** How many workers have ended while this task may have been under way. */
	readonly numDeaths: (index: number) => number;
	/** Why a task is not begun again; undefined when it may be. */
	readonly failureOf: (index: number) => TaskFailure | undefined;
	/** How long it took, if that is known. */
	readonly elapsedMsOf: (index: number) => number | undefined;
};

const createDeadList = (
	{begun, overs}: EarlierAttempts,
	damaged: ReadonlySet<number>,
	{maxNumResubmissions, taskLimitMs}: ProgressInput['options'],
): DeadList => {
	const deathsIn = (index: number): number[] =>
		begun
			.filter(({finished, begunUpTo}) => finished <= index && index < begunUpTo)
			.map(({attempt}) => attempt)
			.sort((a, b) => a - b);
	return {
		numDeaths: index => deathsIn(index).length,
		elapsedMsOf: index => overs.get(index)?.elapsedMs,
		failureOf: index => {
			const over = overs.get(index);
			if (over !== undefined) {
				const message = `it took longer than taskLimitMs, ${taskLimitMs} ms, and blocked its worker`;
				return {kind: 'task-limit', message, deadAttempts: [over.attempt]};
			}
			const deaths = deathsIn(index);
			// Of a damaged file it must be supposed that every task was begun.
			const attempts = [...new Set([...deaths, ...damaged])].sort((a, b) => a - b);
			if (attempts.length <= maxNumResubmissions) return undefined;
			const list = `attempt${attempts.length === 1 ? '' : 's'} ${attempts.join(', ')}`;
			return deaths.length === 0
				? {kind: 'result-unreadable', message: `its result was damaged: ${list}`}
				: {kind: 'killed', message: `its worker died in it: ${list}`, deadAttempts: deaths};
		},
	};
};
