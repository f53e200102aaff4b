/** `qmr doctor`: asks this machine, the scheduler and one worker-node, and says what to do about what it finds. */
import {dirname, resolve} from 'node:path';
import {mergeOptions} from '../check-options.js';
import {chooseEngine} from '../choose-engine.js';
import {withConfig} from '../config.js';
import {PoolError} from '../errors.js';
import type {PoolOptions} from '../options.js';
import {unlessAborted} from '../unless-aborted.js';
import {checkMachine} from './check-machine.js';
import {checkNoScheduler, checkScheduler} from './check-scheduler.js';
import {checkDone, checkFailure, checkLeft} from './check-trip.js';
import {checkWorkerNode} from './check-worker-node.js';
import {boundOffset, exchangeTime, measureTrip} from './compare-clocks.js';
import {type Finding, NO_TIMINGS, type SiteReport} from './finding.js';
import {type MachineFacts, readMachine} from './machine-facts.js';
import {makeRoundTrip, type Trip} from './round-trip.js';
import {askScheduler} from './scheduler-facts.js';
import {ANSWER_WAIT_MS} from './send-visit.js';

export type ExamineOptions = {
	/** How long the queue-job of the round trip may wait until it runs. */
	readonly timeoutMs: number;
	/** Leave the work_dir of a round trip that has failed. */
	readonly keep?: boolean;
	/** Ends it; nothing is left behind. */
	readonly signal?: AbortSignal;
	/** Told what is being waited for, when it takes a while. */
	readonly tell?: (line: string) => void;
};

/**
 * @throws PoolError `ERR_POOL_OPTION` when an option is wrong; the reason of the signal when it is aborted and nothing is left behind.
 */
export const examineSite = async (
	given: PoolOptions,
	{timeoutMs, keep = false, signal = new AbortController().signal, tell = () => undefined}: ExamineOptions,
): Promise<SiteReport> => {
	const {findings, timings} = await examine(given, {timeoutMs, keep, signal, tell});
	return {findings: findings.map(finding => ({...finding, found: toOneLine(finding.found)})), timings};
};

/** Schedulers speak in several. */
const toOneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, ' ');

const examine = async (given: PoolOptions, {timeoutMs, keep, signal, tell}: Required<ExamineOptions>): Promise<SiteReport> => {
	const {options: merged} = withConfig(mergeOptions(given));
	const options: PoolOptions = {
		...merged,
		...(merged.workDir === undefined ? {} : {workRoot: dirname(resolve(merged.workDir))}),
		// A program that never answers is not waited for longer than for the queue.
		programTimeoutMs: merged.programTimeoutMs ?? Math.min(PROGRAM_TIMEOUT_MS, timeoutMs),
	};
	const machine = await unlessAborted(readMachine(options), signal);
	const chosen = await unlessAborted(chooseEngine(options), signal).catch(toNoScheduler);
	if ('check' in chosen) return {findings: [...checkMachine(machine, true), chosen], timings: NO_TIMINGS};
	const scheduler = await unlessAborted(askScheduler(chosen), signal);
	const checkBefore = (seenBy?: string): Finding[] => [...checkMachine(machine, scheduler.hasQueue, seenBy), ...checkScheduler(scheduler)];
	const before = checkBefore();
	if (before.some(({level}) => level === 'error')) return {findings: before, timings: NO_TIMINGS};
	const trip = await makeRoundTrip(options, chosen.engine, {timeoutMs, runLimitMs: RUN_LIMIT_MS, keep, signal, tell});
	if (signal.aborted && trip.left.length > 0) return {findings: checkLeft(trip), timings: NO_TIMINGS};
	signal.throwIfAborted();
	const {findings, timings} = checkTrip(trip, machine, options);
	return {findings: [...checkBefore(seenBy(trip, machine)), ...findings, ...checkLeft(trip)], timings};
};

/** The default of the option. */
const PROGRAM_TIMEOUT_MS = 60_000;

/** The launcher waits for its files for a minute, and a result may be a minute and a half late (`graceMs`). */
const RUN_LIMIT_MS = 180_000;

const toNoScheduler = (error: unknown): Finding => {
	if (!(error instanceof PoolError)) throw error;
	return checkNoScheduler(error.code, error.message);
};

/** A node that is this very machine tells nothing of others. */
const seenBy = ({result}: Trip, {host}: MachineFacts): string | undefined =>
	result.kind === 'done' && result.worker.host !== host ? result.worker.host : undefined;

const checkTrip = ({result, seen}: Trip, machine: MachineFacts, {graceMs}: PoolOptions): SiteReport => {
	if (result.kind !== 'done') return {findings: [checkFailure(result)], timings: NO_TIMINGS};
	const {worker} = result;
	const timings = measureTrip(worker, seen);
	const meeting = {
		offset: boundOffset(worker, seen),
		exchangeMs: exchangeTime(worker, seen),
		resultMs: timings.resultMs,
		graceMs,
		answerWaitMs: ANSWER_WAIT_MS,
	};
	return {findings: [checkDone(worker.host, timings), ...checkWorkerNode(worker, machine, meeting)], timings};
};
