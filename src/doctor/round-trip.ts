/** Sends one task to a worker-node and back, as any map does, and watches it from both sides. Nothing of it is left behind. */
import {readFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Engine} from '../engines/engine.js';
import {PoolError} from '../errors.js';
import {formatDuration} from '../format-duration.js';
import {type JournalLine, parseJournal} from '../journal.js';
import {JOURNAL} from '../layout.js';
import type {MapRun} from '../map-run.js';
import type {PoolOptions} from '../options.js';
import type {Outcome} from '../outcome.js';
import {realFiles} from '../ports.js';
import {removeWorkDir} from '../work-dir.js';
import type {Sightings} from './compare-clocks.js';
import {type LookedUp, leaveQueue, lookUp} from './look-up.js';
import {DEFAULT_WORK_ROOT} from './machine-facts.js';
import {meetWorker} from './meet-worker.js';
import {removeCores} from './remove-cores.js';
import {sendVisit} from './send-visit.js';
import type {WorkerFacts} from './visit-worker-node.js';

export type TripFailure =
	/** The map could not be begun, or no worker can begin. */
	| {readonly kind: 'refused'; readonly code: PoolError['code'] | undefined; readonly reason: string}
	/** The task has no result. */
	| {readonly kind: 'failed'; readonly taskError: TaskFailure}
	/** Nothing has happened for too long. */
	| ({readonly kind: 'timed-out'; readonly afterMs: number} & LookedUp);

export type TaskFailure = {
	readonly kind: string;
	readonly reason: string;
	readonly host: string | undefined;
	readonly stderrTail: string;
	/** Whether any file of the worker-node has been seen. */
	readonly hasFiles: boolean;
};

export type Trip = {
	readonly result: {readonly kind: 'done'; readonly worker: WorkerFacts} | TripFailure;
	readonly seen: Sightings;
	/** Queue-jobs that may still be there, and what else could not be taken away. */
	readonly left: readonly string[];
	/** Kept, as was asked for. */
	readonly workDir: string | undefined;
};

export type TripOptions = {
	/** How long its queue-job may wait until it runs. */
	readonly timeoutMs: number;
	/** How long it may run. */
	readonly runLimitMs: number;
	/** Whether the work_dir stays after a failure. */
	readonly keep: boolean;
	readonly signal: AbortSignal;
	/** Told what is being waited for, when it takes a while. */
	readonly tell: (line: string) => void;
};

/** When the signal is aborted it ends as soon as all is cleared away. */
export const makeRoundTrip = async (options: PoolOptions, engine: Engine, trip: TripOptions): Promise<Trip> => {
	const begunMs = Date.now();
	const late = new AbortController();
	let isRunning = false;
	const onProgress: PoolOptions['onProgress'] = ({running}) => {
		isRunning ||= running > 0;
	};
	const run = await sendVisit(options, engine, {signal: AbortSignal.any([trip.signal, late.signal]), onProgress}).catch(toRefusal);
	if ('kind' in run) return {result: run, seen: nothingSeen(begunMs), left: [], workDir: undefined};
	const watching = new AbortController();
	const meeting = meetWorker(run.workDir, watching.signal);
	const settled = run.outcomes().then(([outcome]) => outcome as Outcome<WorkerFacts>, toRefusal);
	const isLate = await untilLate(settled, () => isRunning || meeting.hasSigns(), trip);
	let timedOut: TripFailure | undefined;
	if (isLate !== undefined) {
		timedOut = {kind: 'timed-out', ...isLate, ...(await lookUp(run.workDir, engine, options))};
		late.abort(new Error('it took too long'));
	}
	const outcome = toResult(await settled, meeting.hasSigns());
	const endedMs = Date.now();
	watching.abort();
	const met = await meeting.ended;
	// It may have come while the queue was asked where it was.
	const result = outcome.kind === 'done' ? outcome : (timedOut ?? outcome);
	const seen: Sightings = {begunMs, ...findSubmission(await readJournal(run.workDir)), ...met, endedMs};
	const isKept = trip.keep && result.kind !== 'done' && !trip.signal.aborted;
	const left = await cleanUp(run, result.kind === 'done' ? undefined : engine, options, isKept);
	return {result, seen, left, workDir: isKept ? run.workDir : undefined};
};

/** Resolves to undefined when the round trip is over, or to be ended; else to how long nothing has happened. */
const untilLate = async (
	settled: Promise<unknown>,
	isRunning: () => boolean,
	{timeoutMs, runLimitMs, signal, tell}: TripOptions,
): Promise<{readonly afterMs: number} | undefined> => {
	const isOver = settled.then(() => true);
	const tellOnce = createTellOnce(tell);
	let sinceMs = performance.now();
	let hasRun = false;
	while (!(await Promise.race([isOver, sleep(CHECK_EVERY_MS, false)]))) {
		if (signal.aborted) continue;
		if (!hasRun && isRunning()) {
			hasRun = true;
			sinceMs = performance.now();
		}
		const afterMs = performance.now() - sinceMs;
		if (afterMs > TELL_AFTER_MS)
			tellOnce(hasRun ? RUNS : `the queue-job waits in the queue (for ${formatDuration(timeoutMs)} at the most, see --timeout)`);
		if (afterMs > (hasRun ? runLimitMs : timeoutMs)) return {afterMs};
	}
	return undefined;
};

const CHECK_EVERY_MS = 100;

/** Who waits for longer wants to know for what. */
const TELL_AFTER_MS = 5000;

const RUNS = 'the queue-job runs, but its result is not to be seen yet: the node waits a minute for files that come late';

const createTellOnce = (tell: (line: string) => void): ((line: string) => void) => {
	const told = new Set<string>();
	return line => {
		if (!told.has(line)) tell(line);
		told.add(line);
	};
};

const toRefusal = (error: unknown): TripFailure & {kind: 'refused'} => ({
	kind: 'refused',
	code: error instanceof PoolError ? error.code : undefined,
	reason: error instanceof Error ? error.message : String(error),
});

const toResult = (outcome: Outcome<WorkerFacts> | TripFailure, hasFiles: boolean): Trip['result'] => {
	if ('kind' in outcome) return outcome;
	if (outcome.status === 'fulfilled') return {kind: 'done', worker: outcome.value};
	const {kind, reason, host, stderrTail} = outcome.reason;
	return {kind: 'failed', taskError: {kind, reason, host, stderrTail, hasFiles}};
};

const nothingSeen = (begunMs: number): Sightings => ({
	begunMs,
	submittingMs: undefined,
	submittedMs: undefined,
	greetingSeenMs: undefined,
	answeredMs: undefined,
	resultSeenMs: undefined,
	endedMs: Date.now(),
});

const readJournal = (workDir: string): Promise<JournalLine[]> => readFile(join(workDir, JOURNAL), 'utf8').then(parseJournal, () => []);

const findSubmission = (journal: readonly JournalLine[]): Pick<Sightings, 'submittingMs' | 'submittedMs'> => {
	const timeOf = (wanted: JournalLine['event']): number | undefined => {
		const found = journal.find(({event}) => event === wanted);
		return found === undefined ? undefined : Date.parse(found.time);
	};
	return {submittingMs: timeOf('submitting'), submittedMs: timeOf('submitted')};
};

/** @param engine - Undefined after a round trip that went well: its queue-job leaves the queue by itself. */
const cleanUp = async (
	{workDir, session}: MapRun<unknown>,
	engine: Engine | undefined,
	{workRoot = DEFAULT_WORK_ROOT}: PoolOptions,
	isKept: boolean,
): Promise<string[]> => {
	const left = engine === undefined ? [] : await leaveQueue(session, engine);
	// What goes well leaves none.
	if (engine !== undefined) await removeCores(process.cwd(), session);
	if (isKept) return left;
	try {
		await removeWorkDir({workDir, root: resolve(workRoot)}, realFiles);
		return left;
	} catch (error) {
		return [...left, `the directory ${workDir}: ${(error as Error).message}`];
	}
};
