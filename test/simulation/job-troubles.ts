/** What goes wrong with a queue-job while it waits and while it runs. */
import type {JobEnd} from '../../src/engines/engine.js';
import type {Job} from './job.js';
import {HOUR, MINUTE, SECOND, type World} from './world.js';

export type NodeFault = 'node-cut-computing' | 'node-cut-stalled' | 'node-crashed';

/** What may be done to a queue-job that runs. */
export type RunningJob = {
	/** Does something in a while, if it still runs by then. */
	readonly after: (ms: number, body: () => void) => void;
	/** @param end - Undefined when nothing will ever explain it. */
	readonly end: (end: JobEnd | undefined) => void;
	readonly cut: (kind: NodeFault) => void;
};

export const troubleWhileRunning = ({events, strikes, fault}: World, job: Job, {after, end, cut}: RunningJob): void => {
	const {dice} = job;
	const anyTime = (): number => dice.int(10, dice.pick([SECOND, MINUTE, 10 * MINUTE]));
	if (strikes('job-killed', dice)) {
		after(anyTime(), () => {
			fault('job-killed');
			const kind = dice.pick(['killed', 'out-of-memory', 'wall-time'] as const);
			end({failed: true, kind, reason: kind, ...(job.node && {host: job.node.host})});
		});
	}
	if (strikes('job-vanished', dice)) {
		after(anyTime(), () => {
			fault('job-vanished');
			end(undefined);
		});
	}
	if (strikes('job-suspended', dice)) {
		after(dice.int(10, MINUTE), () => {
			fault('job-suspended', job.id);
			job.suspendedUntilMs = events.nowMs() + dice.int(SECOND, HOUR);
			job.process?.freezeUntil(job.suspendedUntilMs);
		});
	}
	for (const kind of ['node-cut-computing', 'node-cut-stalled', 'node-crashed'] as const) {
		if (strikes(kind, dice)) after(dice.int(0, 10 * MINUTE), () => cut(kind));
	}
};

/** Some queue-jobs never start; some chunks never will. */
export const goesIntoError = (world: World, job: Job, host: string, onCleared: () => void): boolean => {
	const {events, scenario, strikes, fault} = world;
	const chunkDice = world.dice.fork(`chunk ${job.ichunk}`);
	const stays = !world.isCalm() && chunkDice.chance(scenario.rates['error-state-stays'] / 3);
	const isPermanent = !world.isCalm() && chunkDice.chance(scenario.rates['error-state-permanent'] / 3);
	if (!stays && !isPermanent && !strikes('error-state-heals', job.dice)) return false;
	fault(isPermanent ? 'error-state-permanent' : stays ? 'error-state-stays' : 'error-state-heals', job.id);
	job.state = 'error';
	job.excuse = 'in an error state';
	job.end = {
		failed: true,
		reason: 'error reason 1: simulated',
		...(isPermanent ? {isPermanent, kind: 'start-failed'} : {}),
		...(job.dice.chance(0.7) ? {host} : {}),
	};
	job.explainedMs = events.nowMs() + explanationDelay(world, job);
	if (strikes('error-state-cleared', job.dice)) {
		events.at(events.nowMs() + job.dice.int(SECOND, MINUTE), () => {
			if (job.state !== 'error' || job.isDeleting) return;
			fault('error-state-cleared', job.id);
			job.state = 'pending';
			job.end = undefined;
			onCleared();
		});
	}
	return true;
};

/** So long after the end of a queue-job the accounting knows of it. */
export const explanationDelay = ({scenario, strikes, fault}: World, {dice}: Job): number => {
	if (!scenario.hasAccounting || strikes('explain-nothing', dice)) {
		fault('explain-nothing');
		return Number.POSITIVE_INFINITY;
	}
	if (!strikes('explain-late', dice)) return dice.int(0, 3 * SECOND);
	fault('explain-late');
	return dice.int(3 * SECOND, MINUTE);
};

export type WaitingJob = {
	/** Looks for worker-nodes that have a slot. */
	readonly dispatch: () => void;
	readonly remove: () => void;
};

export const troubleWhileWaiting = ({events, strikes, fault}: World, job: Job, {dispatch, remove}: WaitingJob): void => {
	const {dice} = job;
	if (strikes('job-held', dice)) {
		fault('job-held', job.id);
		job.state = 'held';
		events.at(events.nowMs() + dice.int(SECOND, HOUR), () => {
			if (job.state !== 'held') return;
			job.state = 'pending';
			dispatch();
		});
	} else if (strikes('job-waits-long', dice)) {
		fault('job-waits-long', job.id);
		job.suspendedUntilMs = events.nowMs() + dice.int(MINUTE, 40 * MINUTE);
		events.at(job.suspendedUntilMs, dispatch);
	}
	for (const kind of ['job-deleted-waiting', 'job-deleted-running'] as const) {
		if (!strikes(kind, dice)) continue;
		events.at(events.nowMs() + dice.int(SECOND, 10 * MINUTE), () => {
			const isRight = kind === 'job-deleted-running' ? job.state === 'running' : job.state === 'pending' || job.state === 'held';
			if (!isRight || job.isDeleting) return;
			fault(kind, job.id);
			remove();
		});
	}
};
