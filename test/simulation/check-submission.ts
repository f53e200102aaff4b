/** Held whenever a queue-job is submitted: what it follows is over, and the chunk has no result yet. */
import {JOURNAL} from '../../src/layout.js';
import type {Cluster} from './cluster.js';
import {DELETED_BY_HAND, type Hold, type Job} from './job.js';
import type {Ledger} from './ledger.js';
import {MINUTE, SECOND, type World} from './world.js';

/** As judge.ts says: then a queue-job that avoids hosts may be taken back. */
const MAX_AVOIDING_MS: number = 10 * MINUTE;

/** Between the decision to submit and the arrival in the queue, when qsub is not answered in time. */
const QSUB_MS: number = 25 * SECOND;

/** An attempt is about to be submitted: those before it at the same chunk must be such that they will not bring a result, or can't be waited for. */
export const checkGivenUp = (world: World, cluster: Cluster, ledger: Ledger, next: Job): void => {
	if (hasNotedResult(world, next)) {
		world.offend('nothing is submitted for a chunk that has its result', `attempt ${next.attempt} at chunk ${next.ichunk}`);
	}
	for (const {job, hold} of ledger.holdsAt(next.ichunk)) {
		// It was frozen between its last look and its qsub: nothing can prevent that.
		if (isByFrozen(job, world) || isByFrozen(next, world)) continue;
		if (hold.attempt === next.attempt) world.offend('no attempt is submitted twice', `attempt ${hold.attempt} at chunk ${hold.ichunk}`);
		else if (hold.attempt < next.attempt) checkExcused(world, cluster, ledger, job, hold, next.submittedBy.name);
		checkNotDone(world, ledger, job, hold, next);
	}
};

/** The journal is on the disk before anything is submitted. A result that has counted may turn out to be unreadable later: that is noted, too. */
const hasNotedResult = ({disk}: World, {ichunk, attempt}: Job): boolean => {
	const file = disk.all().find(({name}) => name === JOURNAL);
	if (file === undefined) return false;
	const bytes = disk.bytesOf(file);
	const result = bytes.indexOf(`"event":"result","ichunk":${ichunk},`);
	// It may come to the queue long after qsub was called.
	const submitting = bytes.lastIndexOf(`"event":"submitting","ichunk":${ichunk},"attempt":${attempt},`);
	return result !== -1 && result < submitting && !bytes.includes(`"event":"result-damaged","ichunk":${ichunk},`);
};

/** It was submitted by a process that was frozen a moment before, and could not know who had taken over. */
export const isByFrozen = ({submittedMs, submittedBy}: Job, {scenario}: World): boolean =>
	submittedMs - submittedBy.frozenUntilMs() < scenario.maxNamesLagMs + MINUTE;

/** A chunk that has its result, for so long that everybody must know, needs no further attempt. */
const checkNotDone = ({scenario, events, offend}: World, ledger: Ledger, job: Job, hold: Hold, next: Job): void => {
	const {maxNamesLagMs, maxContentLagMs, maxHiddenMs, ioErrors, options} = scenario;
	if (ioErrors.length > 0 || !ledger.hasWholeResult(job, hold)) return;
	const lateMs = maxNamesLagMs + maxContentLagMs + 2 * maxHiddenMs + 2 * options.pollingIntervalMs + QSUB_MS;
	const knownMs = Math.max(Math.min(job.endedMs, hold.finishedMs), next.submittedBy.frozenUntilMs());
	if (events.nowMs() - knownMs > lateMs) {
		offend('nothing is submitted for a chunk that has its result', `attempt ${next.attempt} at chunk ${hold.ichunk}`);
	}
};

const checkExcused = (world: World, cluster: Cluster, ledger: Ledger, job: Job, hold: Hold, by: string): void => {
	const isSeenDeleting = job.served.get('deleting')?.has(by) === true;
	if (job.excuse === DELETED_BY_HAND && isSeenDeleting && !ledger.hasAnyResult(hold)) {
		world.offend('what somebody has deleted is not brought back', `attempt ${hold.attempt} at chunk ${hold.ichunk} (job ${job.id})`);
	}
	const excuse = job.excuse ?? hold.excuse ?? findExcuse(world, cluster, ledger, job, hold);
	if (excuse !== undefined) {
		hold.excuse = excuse;
		return;
	}
	// Removed by a process that ended the map: another one may go on with it.
	if (job.removedBy !== undefined && job.removedBy.name !== by) return;
	const what = `attempt ${hold.attempt} at chunk ${hold.ichunk} (job ${job.id}, ${cluster.stateOf(job) ?? job.state})`;
	if (job.state === 'ended') world.offend('a result that is on the disk is waited for', what);
	else world.offend('a queue-job that may bring its result is not given up', what);
};

/** Why a queue-job may be given up; undefined when it may not. */
export const findExcuse = ({scenario, events}: World, cluster: Cluster, ledger: Ledger, job: Job, hold: Hold): string | undefined => {
	const {unreachableAfterMs, pendingLimitMs} = scenario.options;
	const waitedMs = Math.min(events.nowMs(), job.startedMs) - job.submittedMs;
	// It may have begun since the queue was asked last.
	const lateMs = 8 * scenario.options.pollingIntervalMs;
	const hasWaited = (job.avoidHosts.length > 0 && waitedMs + lateMs >= MAX_AVOIDING_MS) || waitedMs + lateMs >= pendingLimitMs;
	switch (job.state) {
		case 'ended':
			return ledger.hasWholeResult(job, hold) ? undefined : 'ended without a result';
		case 'running':
			if (hasWaited && events.nowMs() - job.startedMs < lateMs) return 'waited for too long';
			return unreachableAfterMs !== false && cluster.unreachableForMs(job) >= unreachableAfterMs ? 'unreachable' : undefined;
		case 'pending':
			return hasWaited ? 'waited for too long' : undefined;
		default:
			return undefined;
	}
};
