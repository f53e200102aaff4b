/** A running map in the hands of its caller. */
import {isHeldBack} from './capacity.js';
import {driveMap} from './drive-map.js';
import {resumeCall} from './end-map.js';
import {MapError, PoolError} from './errors.js';
import type {MapState} from './map-state.js';
import type {PoolOptions, Progress} from './options.js';
import type {Ports} from './ports.js';
import {countTasks, createProgress} from './progress.js';
import type {Outcome, Reducer} from './reduce.js';
import type {Stopping} from './stopping.js';
import type {WorkDirPlace} from './work-dir.js';

/** What `pool.submit` and `Pool.resume` give. Iterated over, it gives the outcomes of the tasks as they arrive; it throws when the map is ended before its time. */
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
	 * @throws MapError when any task has no result; PoolError when the map could not be carried on; the reason when it was cancelled.
	 */
	readonly results: () => Promise<R[]>;
	/**
	 * What became of every task, in task order. Does not reject for a task.
	 *
	 * @throws PoolError when the map could not be carried on; the reason when it was cancelled.
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
	readonly numTasks: number;
	readonly options: PoolOptions;
};

type End = {readonly kind: 'complete'} | {readonly kind: 'stopped'; readonly reason: unknown};

/** Begins to drive a map. @returns When every chunk is submitted, as far as the map's own limits allow, or the map has ended before. */
export const launch = async (
	{place, state, reducer, ports, numTasks, options}: OpenMap,
	{signal, stop, over}: Pick<Stopping, 'signal' | 'stop' | 'over'>,
): Promise<MapRun<unknown>> => {
	const {workDir, session} = state;
	const rounds = createBell();
	const progress = createProgress(state, reducer, numTasks, options);
	let end: End | undefined;

	const driveToEnd = async (): Promise<End> => {
		try {
			const onRound = (): void => {
				progress.update();
				rounds.ring();
			};
			await driveMap(state, ports, reducer, {place, keepWorkDir: options.keepWorkDir ?? false, onRound, signal});
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
	};
	const run: MapRun<unknown> = {
		workDir,
		session,
		status: () => ({...countTasks(state, reducer, numTasks), isOver: end !== undefined}),
		// Without the holes of those that are not decided.
		settledSoFar: () => reducer.outcomes().filter(() => true),
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
			const message = `The map was left to itself. To come back to it: ${resumeCall(workDir, ports.engine.name)}`;
			stop({kind: 'detach', reason: new PoolError('ERR_POOL_DETACHED', message, {workDir})});
			await ended;
		},
		async *[Symbol.asyncIterator]() {
			for (let numTaken = 0; ; ) {
				// Asked before: what came last is seen when it is over.
				const isOver = end !== undefined;
				const nextRound = rounds.next();
				const arrived = reducer.arrivals(numTaken);
				numTaken += arrived.length;
				for (const outcomes of arrived) yield* outcomes;
				if (isOver) break;
				if (arrived.length === 0) await nextRound;
			}
			await whole();
		},
	};
	// What waits for queue-jobs of this map to end is not waited for.
	while (end === undefined && state.toSubmit.size > 0 && !isHeldBack(state)) await rounds.next();
	return run;
};

/** A map without tasks is over before it begins. */
export const runOfNothing = (): MapRun<unknown> => ({
	workDir: '',
	session: '',
	status: () => ({total: 0, done: 0, failed: 0, running: 0, pending: 0, isOver: true}),
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
