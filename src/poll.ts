/**
 * Watches a map until every chunk is decided: submit what is to be submitted, ask the queue, look for results, judge, act; then sleep until
 * something is due.
 */
import {actOn} from './act.js';
import {askQueue} from './ask-queue.js';
import {createMapBeats} from './beat.js';
import {hasRoom, isHeldBack, isRoomNear} from './capacity.js';
import {PoolError} from './errors.js';
import {explainJobs} from './explain-jobs.js';
import type {Feed} from './feed-tasks.js';
import {judge, type Verdict} from './judge.js';
import {lookForResults} from './look-for-results.js';
import {addChunks, type ChunkState, type MapState, noteComplete, openChunks} from './map-state.js';
import {createOutage, type Outage, shareOutage} from './outage.js';
import type {Ports} from './ports.js';
import {readProgress} from './read/read-finished.js';
import type {Reducer} from './reduce.js';
import {createRefill} from './refill.js';
import {removeJobs} from './remove-jobs.js';
import {type Submission, submitNext} from './submit.js';
import {createAbsenceTeller} from './tell-absent.js';

export type Watch = {
	/** Called after each round. */
	readonly onRound: () => void;
	/** Ends the watching; its reason is thrown. */
	readonly signal: AbortSignal;
	/** Brings further chunks; undefined when all are there. */
	readonly feed: Feed | undefined;
	/** So many chunks may be there, for whoever takes the outcomes; asked each round. */
	readonly chunksWanted: () => number;
};

/** @throws PoolError `ERR_POOL_TASKS` when a stream of tasks fails, `ERR_POOL_SUBMIT_REJECTED`, `ERR_POOL_PROGRAM_MISSING`, `ERR_POOL_OUTAGE`, `ERR_POOL_START_FAILED` or `ERR_POOL_WORK_DIR`. */
export const poll = async (
	state: MapState,
	ports: Ports,
	reducer: Reducer,
	{onRound, signal, feed, chunksWanted}: Watch,
): Promise<void> => {
	const beats = createMapBeats(ports, state.options.pollingIntervalMs, ports.engine.statusCost);
	const submitOutage = createOutage('the scheduler takes no queue-jobs', state, ports);
	const statusOutage = createOutage('the queue does not answer', state, ports);
	const fileOutage = shareOutage(createOutage("the work_dir can't be read or written", state, ports));
	const refill = createRefill(state, ports, reducer);
	const tellAbsent = createAbsenceTeller(state, ports);
	let listedMs = ports.clock.elapsedMs();
	let isInSight = true;

	const submit = async (): Promise<void> => {
		submitOutage.resume();
		const submission = await withFiles(state, fileOutage('write'), () => submitNext(state, ports));
		// What was taken ends the row of refusals: the next one is waited for as if it were the first.
		if (submission !== undefined && (submission.refusal === undefined || submission.numTaken > 0)) beats.submission.done('changed');
		if (submission?.refusal !== undefined || submission === undefined) beats.submission.done('same');
		if (submission === undefined) return;
		if (!isHeldBack(state)) {
			if (isSubmitting(state, submission)) submitOutage.worked();
			else submitOutage.failed(submission.refusal?.reason ?? '');
		}
		if (!isToSubmit(state)) submitOutage.rest();
	};

	const ask = async (): Promise<void> => {
		const answer = await askQueue(state, ports);
		beats.status.done(answer.kind === 'changed' ? 'changed' : 'same');
		beats.room.done(answer.kind === 'silent' ? 'same' : 'changed');
		if (answer.kind === 'silent') statusOutage.failed(answer.reason);
		else {
			statusOutage.worked();
			refill.answered(answer.listing);
			// It had been taken, though nobody said so.
			if (answer.numFound > 0) submitOutage.worked();
		}
	};

	const look = async (): Promise<void> => {
		const found = await withFiles(state, fileOutage('list'), () => lookForResults(state, ports, reducer));
		isInSight = found !== undefined;
		if (isInSight) listedMs = ports.clock.elapsedMs();
		beats.listing.done(found ?? 'same');
	};

	let isFed = feed === undefined;
	const takeFed = (): void => {
		if (feed === undefined || isFed) return;
		feed.allow(Math.min(numBegun(state) + CHUNKS_AHEAD, chunksWanted()));
		// Asked before: what came last is taken then, too.
		const end = feed.end();
		addChunks(state, feed.take());
		feed.offerRoom(hasRoom(state));
		if (end?.kind === 'failed') throw end.error;
		isFed = end !== undefined;
		if (isFed) noteComplete(state, ports.engine);
	};

	takeFed();
	while (!isFed || openChunks(state).length > 0) {
		signal.throwIfAborted();
		if (isToSubmit(state) && beats.submission.isDue()) await submit();
		// The queue before the files: of a job that ends in between we then see the result, not only that it is gone.
		const isAsking = beats.status.isDue() || (isRoomNear(state) && beats.room.isDue());
		if (isAsking) await ask();
		if (beats.listing.isDue() || isAsking) await look();
		if (isAsking) {
			await explainJobs(state, ports);
			if (isInSight) tellAbsent();
			// They may be what the queue is full of.
			await removeJobs(state, ports, []);
		}
		// What can't be seen now may have been finished.
		if (isInSight) await withFiles(state, fileOutage('read'), () => decide(state, ports, reducer, listedMs));
		if (isAsking && isInSight) await withFiles(state, fileOutage('claim'), refill.fill);
		await withFiles(state, fileOutage('write'), () => state.journal.flush({durable: false}));
		onRound();
		if (state.options.stopOnError && reducer.counts().failed > 0) return;
		takeFed();
		const untilMs = Math.min(beats.status.untilDueMs(), beats.listing.untilDueMs());
		const untilSubmitMs = isToSubmit(state) ? beats.submission.untilDueMs() : untilMs;
		const sleep = isFed ? ports.clock.sleep : (feed?.sleep ?? ports.clock.sleep);
		if (!isFed || openChunks(state).length > 0) await sleep(Math.min(untilMs, untilSubmitMs), signal);
	}
};

/** So many chunks of a stream are written that are not submitted yet: enough to keep a scheduler busy until the next look. */
const CHUNKS_AHEAD = 100;

const numBegun = ({chunks}: MapState): number => chunks.filter(({attempts}) => attempts.length > 0).length;

const isToSubmit = (state: MapState): boolean => state.toSubmit.size > 0 && !isHeldBack(state);

/** Whether submission goes on. A queue that is full of our own queue-jobs is at work; one that is full while none of ours is in it is not. */
const isSubmitting = (state: MapState, {numTaken, refusal}: Submission): boolean => {
	if (refusal === undefined || numTaken > 0) return true;
	return (
		refusal.kind === 'full' &&
		openChunks(state).some(({attempts}) => attempts.some(({jobId, job}) => jobId !== undefined && job.kind !== 'absent'))
	);
};

/**
 * Does something with the files of the work_dir. A full disk or a network file system that stalls is an outage, waited for like one of the queue;
 * only a work_dir that stays away is gone.
 *
 * @returns Undefined when it failed for now.
 */
const withFiles = async <T>(state: MapState, outage: Pick<Outage, 'failed' | 'worked'>, body: () => Promise<T>): Promise<T | undefined> => {
	try {
		const result = await body();
		outage.worked();
		return result;
	} catch (error) {
		const {code, syscall, message} = error as NodeJS.ErrnoException;
		if (error instanceof PoolError || syscall === undefined) throw error;
		const lastedMs = outage.failed(message);
		if (code !== 'ENOENT' || lastedMs < state.options.graceMs) return undefined;
		throw new PoolError('ERR_POOL_WORK_DIR', `The work_dir ${state.workDir} is gone: ${message}`, {workDir: state.workDir, cause: error});
	}
};

/** @throws What the file system says, once all others are decided, when it can't be seen how far a chunk came: that one is left as it is. */
const decide = async (state: MapState, ports: Ports, reducer: Reducer, listedMs: number): Promise<void> => {
	const toRemove: string[] = [];
	let unread: unknown;
	for (const chunk of openChunks(state)) {
		let verdict = judgeChunk(state, chunk, listedMs);
		if (verdict.kind === 'resubmit' || verdict.kind === 'fail') {
			try {
				// Only now does it count how far its attempts came.
				for (const attempt of chunk.attempts) attempt.progress = await readProgress(ports.files, state, chunk.chunk, attempt.attempt);
			} catch (error) {
				unread ??= error;
				continue;
			}
			verdict = judgeChunk(state, chunk, listedMs);
		}
		if (verdict.kind !== 'wait') toRemove.push(...(await actOn(state, chunk, verdict, ports, reducer)));
	}
	if (toRemove.length > 0) await removeJobs(state, ports, toRemove);
	if (unread !== undefined) throw unread;
};

const judgeChunk = (state: MapState, chunk: ChunkState, listedMs: number): Verdict =>
	judge(
		{
			numTasks: chunk.chunk.numTasks,
			attempts: chunk.attempts,
			isNextDue: state.toSubmit.has(chunk),
			nowMs: listedMs,
			answeredMs: state.answeredMs,
			anyWorkerStarted: state.anyWorkerStarted,
		},
		state.options,
	);
