/** Sends one task to a worker-node and back, as any map does, and watches it from both sides. Nothing of it is left behind. */
import {readFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Engine} from '../engines/engine.js';
import {PoolError} from '../errors.js';
import {formatDuration} from '../format-duration.js';
import {referenceFunction} from '../function-reference.js';
import {type JournalLine, parseJournal} from '../journal.js';
import {JOURNAL} from '../layout.js';
import type {LaunchedMap} from '../map-run.js';
import type {PoolOptions} from '../options.js';
import type {Outcome} from '../outcome.js';
import {realFiles} from '../ports.js';
import {startMap} from '../run-map.js';
import {removeWorkDir} from '../work-dir.js';
import type {Sightings} from './compare-clocks.js';
import {type LookedUp, leaveQueue, lookUp} from './look-up.js';
import {meetWorker} from './meet-worker.js';
import {removeCores} from './remove-cores.js';
import type {Visit, WorkerFacts} from './visit-worker-node.js';

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
	/** Whether the work_dir stays after a failure. */
	readonly keep: boolean;
	readonly signal: AbortSignal;
	/** Told what is being waited for, when it takes a while. */
	readonly tell: (line: string) => void;
};

/** When the signal is aborted it ends as soon as all is cleared away. */
export const makeRoundTrip = async (options: PoolOptions, engine: Engine, {timeoutMs, keep, signal, tell}: TripOptions): Promise<Trip> => {
	const controller = new AbortController();
	const onAbort = (): void => controller.abort(signal.reason);
	signal.addEventListener('abort', onAbort);
	if (signal.aborted) onAbort();
	const begunMs = Date.now();
	let runningSinceMs: number | undefined;
	try {
		const mapOptions: PoolOptions = {
			...toMapOptions(options),
			signal: controller.signal,
			onProgress: ({running}) => {
				if (running > 0) runningSinceMs ??= performance.now();
			},
		};
		const launched = await launch(mapOptions, engine).catch(toRefusal);
		if ('kind' in launched) return {result: launched, seen: nothingSeen(begunMs), left: [], workDir: undefined};
		const {run} = launched;
		const watching = new AbortController();
		const meeting = meetWorker(run.workDir, watching.signal);
		const settled = run.outcomes().then(([outcome]) => outcome as Outcome<WorkerFacts>, toRefusal);
		const isOver = settled.then(() => true);
		const sinceMs = performance.now();
		const waiting = createWaitingLines(tell);
		let timedOut: TripFailure | undefined;
		while (!(await Promise.race([isOver, sleep(CHECK_EVERY_MS, false)]))) {
			const nowMs = performance.now();
			if (meeting.hasSigns()) runningSinceMs ??= nowMs;
			waiting(nowMs - (runningSinceMs ?? sinceMs), runningSinceMs === undefined ? timeoutMs : undefined);
			const isLate = runningSinceMs === undefined ? nowMs - sinceMs > timeoutMs : nowMs - runningSinceMs > RUN_LIMIT_MS;
			if (!isLate || controller.signal.aborted) continue;
			timedOut = {kind: 'timed-out', afterMs: nowMs - (runningSinceMs ?? sinceMs), ...(await lookUp(run.workDir, engine, options))};
			controller.abort(new Error('it took too long'));
		}
		const outcome = await settled;
		const endedMs = Date.now();
		watching.abort();
		const met = await meeting.ended;
		const result = timedOut ?? toResult(outcome, meeting.hasSigns());
		const seen: Sightings = {begunMs, ...findSubmission(await readJournal(run.workDir)), ...met, endedMs};
		const isKept = keep && result.kind !== 'done' && !signal.aborted;
		const left = await cleanUp(run, result.kind === 'done' ? undefined : engine, options, isKept);
		return {result, seen, left, workDir: isKept ? run.workDir : undefined};
	} finally {
		signal.removeEventListener('abort', onAbort);
	}
};

const CHECK_EVERY_MS = 100;

/** Who waits for longer wants to know for what. */
const TELL_AFTER_MS = 5000;

/** Each line once. */
const createWaitingLines = (tell: (line: string) => void): ((forMs: number, timeoutMs: number | undefined) => void) => {
	const told = new Set<string>();
	return (forMs, timeoutMs) => {
		if (forMs < TELL_AFTER_MS) return;
		const line =
			timeoutMs === undefined
				? 'the queue-job runs, but its result is not to be seen yet: the node waits a minute for files that come late'
				: `the queue-job waits in the queue (for ${formatDuration(timeoutMs)} at the most, see --timeout)`;
		if (!told.has(line)) tell(line);
		told.add(line);
	};
};

/** The launcher waits for its files for a minute, and a result may be a minute and a half late (\`graceMs\`). */
const RUN_LIMIT_MS = 180_000;

/** So long the worker-node waits for the answer of the process-node: network file systems show a new file after a minute at worst, and more than this is late enough. */
export const ANSWER_WAIT_MS = 30_000;

/** How often the queue is asked at the most: there is only this one queue-job, and somebody waits. */
const MAX_POLLING_INTERVAL_MS = 1000;

/** Only what decides how a queue-job is run: nothing of how many tasks are cut and counted. */
const toMapOptions = ({pollingIntervalMs = MAX_POLLING_INTERVAL_MS, ...options}: PoolOptions): PoolOptions => {
	const {workDir, resume, shared, schedule, numJobs, numChunks, chunkSize, taskLimitMs, pendingLimitMs, gitDiff, ...kept} = options;
	return {
		...kept,
		pollingIntervalMs: Math.min(pollingIntervalMs, MAX_POLLING_INTERVAL_MS),
		maxNumResubmissions: 0,
		retries: 0,
		pendingWarnMs: false,
		keepWorkDir: true,
		handleSignals: false,
		progress: false,
	};
};

const launch = async (options: PoolOptions, engine: Engine): Promise<LaunchedMap> => {
	const module = new URL('./visit-worker-node.js', import.meta.url).href;
	const visit: Visit = {answerWaitMs: ANSWER_WAIT_MS};
	const launched = await startMap(
		{
			call: 'map',
			reference: await referenceFunction({module, name: 'visitWorkerNode'}),
			tasks: {kind: 'at-hand', tasks: [visit]},
			keep: 'outcomes',
			configFiles: [],
			// What a map says of its work_dir, which goes away, would lead nowhere.
			tell: () => undefined,
		},
		options,
		async () => engine,
	);
	return launched as LaunchedMap;
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
	{workDir, session}: LaunchedMap['run'],
	engine: Engine | undefined,
	{workRoot = '.qmr'}: PoolOptions,
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
