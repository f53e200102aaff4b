/** A running map in the hands of its caller. */
import {type Arrivals, createArrivals} from './arrivals.js';
import {isHeldBack} from './capacity.js';
import {driveMap, type Taker} from './drive-map.js';
import {howToGoOn} from './end-map.js';
import {MapError, PoolError} from './errors.js';
import type {Feed} from './feed-tasks.js';
import {chunkOf, type MapState} from './map-state.js';
import type {PoolOptions, Progress} from './options.js';
import type {Outcome} from './outcome.js';
import type {Ports} from './ports.js';
import {createProgress} from './progress.js';
import {createTaskReader} from './read/read-tasks.js';
import type {Reducer} from './reduce.js';
import type {Stopping} from './stopping.js';
import type {WorkDirPlace} from './work-dir.js';

/** What `pool.submit` and `Pool.resume` give. Iterated over, it gives the outcomes of the tasks as they arrive, also of chunks that are still being computed; it throws when the map is ended before its time. */
export type MapRun<R> = AsyncIterable<Outcome<R>> & {
	/** The directory of the map; empty for a map without tasks, which has none. */
	readonly workDir: string;
	/** The id of the map; empty for a map without tasks. */
	readonly session: string;
	readonly status: () => RunStatus;
	/** What became of the tasks that are decided so far, in task order. */
	readonly settledSoFar: () => Outcome<R>[];
	/**
	 * The results in task order, when all are there.
	 *
	 * @throws MapError when any task has no result; PoolError when the map could not be carried on, and `ERR_POOL_INCOMPLETE` when a stream of tasks was never read to its end; the reason when it was cancelled.
	 */
	readonly results: () => Promise<R[]>;
	/**
	 * What became of every task, in task order. Does not reject for a task.
	 *
	 * @throws PoolError as `results`; the reason when it was cancelled.
	 */
	readonly outcomes: () => Promise<Outcome<R>[]>;
	/**
	 * Ends the map: removes its queue-jobs, also those whose submission is under way. What is finished is kept in the work_dir.
	 *
	 * @param reason - What `results()` rejects with. @default an AbortError
	 * @returns When all is removed. Does not reject.
	 */
	readonly cancel: (reason?: unknown) => Promise<void>;
	/**
	 * Leaves the map: its queue-jobs go on, nobody watches them, and `Pool.resume(workDir)` comes back to them. The queue-jobs of the engine `local` end.
	 *
	 * @returns When any process may resume it. Does not reject.
	 */
	readonly detach: () => Promise<void>;
};

/** In numbers of tasks, as for `onProgress`. */
export type RunStatus = Progress & {
	/** Whether this process has stopped watching: every task is decided, or the map was cancelled, detached or could not be carried on. */
	readonly isOver: boolean;
};

/** A map that is ready to be driven, be it new or resumed. */
export type OpenMap = {
	readonly place: WorkDirPlace;
	readonly state: MapState;
	readonly reducer: Reducer;
	readonly ports: Ports;
	readonly options: PoolOptions;
	/** Brings further chunks; undefined when all are there. */
	readonly feed: Feed | undefined;
};

/** A map that was begun. */
export type LaunchedMap = {
	readonly run: MapRun<unknown>;
	/** Its outcomes as they arrive. */
	readonly arrivals: Arrivals;
	/** Resolves when every task has its outcome. Rejects with what ended the map before. */
	readonly whole: () => Promise<void>;
	/** Resolves when every chunk that is there is submitted, or the map has ended before. */
	readonly untilSubmitted: () => Promise<void>;
};

type End = {readonly kind: 'complete'} | {readonly kind: 'stopped'; readonly reason: unknown};

/**
 * Begins to drive a map.
 *
 * @param taker - Who takes its outcomes from the files of the work_dir, and holds the map up until they are taken.
 */
export const launch = (
	{place, state, reducer, ports, options, feed}: OpenMap,
	{signal, stop, over}: Pick<Stopping, 'signal' | 'stop' | 'over'>,
	{
		taker,
		whyKeep,
	}: {readonly taker?: ((arrivals: Arrivals) => Taker) | undefined; readonly whyKeep?: (() => string | undefined) | undefined} = {},
): LaunchedMap => {
	const {workDir, session} = state;
	const rounds = createBell();
	const isWhole = (): boolean => feed === undefined || feed.end() !== undefined;
	const progress = createProgress({state, reducer, clock: ports.clock, isWhole, tell: ports.tell}, options);
	let end: End | undefined;
	let isDecided = false;

	const arrivals = createArrivals({
		...{state, reducer, workDir, files: ports.files, clock: ports.clock},
		taskAt: createTaskReader(workDir, session, itask => chunkOf(state, itask), ports.files),
		nextRound: rounds.next,
		signal,
		isOver: () => isDecided || end !== undefined,
	});
	const taking = taker?.(arrivals);
	const waitForTaker = taking && {
		...taking,
		done: () => {
			// Nothing new comes from now on: whoever takes them gets to their end.
			isDecided = true;
			rounds.ring();
			return taking.done();
		},
	};

	const driveToEnd = async (): Promise<End> => {
		try {
			const onRound = (): void => {
				progress.update();
				rounds.ring();
			};
			const keepWorkDir = options.keepWorkDir ?? false;
			await driveMap(state, ports, reducer, {place, keepWorkDir, whyKeep, onRound, signal, feed, taker: waitForTaker});
			return {kind: 'complete'};
		} catch (reason) {
			return {kind: 'stopped', reason};
		}
	};

	const drive = async (): Promise<End> => {
		const how = await driveToEnd();
		// Of a map that is resumed when all is done there was no round.
		progress.update();
		progress.end();
		await over();
		end = how;
		rounds.ring();
		return how;
	};
	const ended = drive();
	const whole = async (): Promise<void> => {
		const how = await ended;
		if (how.kind === 'stopped') throw how.reason;
		const {firstMissing} = state;
		if (firstMissing !== undefined && reducer.counts().failed === 0) throw incomplete(workDir, firstMissing);
	};
	const run: MapRun<unknown> = {
		workDir,
		session,
		status: () => ({...progress.read(), isOver: end !== undefined}),
		settledSoFar: reducer.outcomes,
		results: async () => {
			await whole();
			const failures = reducer.failures();
			if (failures.length > 0) throw new MapError({failures, results: reducer.values(), workDir, session});
			return reducer.values();
		},
		outcomes: async () => {
			await whole();
			return reducer.outcomes();
		},
		cancel: async (reason = new DOMException('The map was cancelled.', 'AbortError')) => {
			stop({kind: 'cancel', reason});
			await ended;
		},
		detach: async () => {
			const message = `The map was left to itself. To come back to it: ${howToGoOn(workDir, ports.engine.name)}`;
			stop({kind: 'detach', reason: new PoolError('ERR_POOL_DETACHED', message, {workDir})});
			await ended;
		},
		async *[Symbol.asyncIterator]() {
			yield* arrivals.unordered();
			await whole();
		},
	};
	// What waits for queue-jobs of this map to end is not waited for.
	const untilSubmitted = async (): Promise<void> => {
		while (end === undefined && state.toSubmit.size > 0 && !isHeldBack(state)) await rounds.next();
	};
	return {run, arrivals, whole, untilSubmitted};
};

const incomplete = (workDir: string, firstMissing: number): PoolError =>
	new PoolError(
		'ERR_POOL_INCOMPLETE',
		`The tasks of this map were never all written: task ${firstMissing} is the first that is missing. Those before it are computed: iterate over the run, or take settledSoFar(). To go on with the stream, call \`map\` with the same function and tasks and {resume: ${JSON.stringify(workDir)}}.`,
		{workDir},
	);

/** A map without tasks is over before it begins. */
export const runOfNothing = (): MapRun<unknown> => ({
	workDir: '',
	session: '',
	status: () => ({total: 0, done: 0, failed: 0, cancelled: 0, running: 0, pending: 0, rate: undefined, remainingMs: 0, isOver: true}),
	settledSoFar: () => [],
	results: async () => [],
	outcomes: async () => [],
	cancel: async () => undefined,
	detach: async () => undefined,
	async *[Symbol.asyncIterator]() {},
});

type Bell = {readonly ring: () => void; readonly next: () => Promise<void>};

/** Wakes all who wait for the next ring. */
const createBell = (): Bell => {
	let waiting: (() => void)[] = [];
	return {
		ring: () => {
			const woken = waiting;
			waiting = [];
			for (const wake of woken) wake();
		},
		next: () => new Promise(resolve => waiting.push(resolve)),
	};
};
