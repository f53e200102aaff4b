/** Held whenever a queue-job is submitted or begins: there are never more than the map was told. */
import {findExcuse, isByFrozen} from './check-submission.js';
import type {Cluster} from './cluster.js';
import type {Hold, Job} from './job.js';
import type {Ledger} from './ledger.js';
import type {SimProcess} from './sim-process.js';
import type {World} from './world.js';

/** `next` is about to come to the queue. */
export const checkQueued = (world: World, cluster: Cluster, ledger: Ledger, next: Job, all: readonly Job[]): void => {
	const {arrayJobs, maxQueuedJobs, maxConcurrentJobs} = world.scenario.options;
	// More than may run are queued only as an array, which the scheduler holds to what may run.
	const limit = arrayJobs && world.scenario.queue.hasArrays ? maxQueuedJobs : Math.min(maxQueuedJobs, maxConcurrentJobs);
	hold(world, 'never more queue-jobs are in the queue than asked', limit, [
		...all.filter(job => job.ichunk !== next.ichunk && isLiving(world, cluster, ledger, job, next.submittedBy)),
		next,
	]);
};

/** A queue-job begins to run. */
export const checkRunning = (world: World, cluster: Cluster, ledger: Ledger, all: readonly Job[]): void => {
	const running = all.filter(job => job.state === 'running' && isLiving(world, cluster, ledger, job));
	hold(world, 'never more queue-jobs run than asked', world.scenario.options.maxConcurrentJobs, running);
};

const hold = (world: World, promise: string, limit: number, jobs: readonly Job[]): void => {
	if (jobs.length <= limit || jobs.some(job => isByFrozen(job, world))) return;
	world.offend(promise, `${jobs.length} (${jobs.map(({id}) => id).join(', ')}) with a limit of ${limit}`);
};

/** As the queue lists it. What may be given up need not count any more: not everybody may know of it, and a removal may fail. */
const isLiving = (world: World, cluster: Cluster, ledger: Ledger, job: Job, by?: SimProcess): boolean => {
	// What it is at.
	const last = job.holds.at(-1) as Hold;
	return (
		cluster.stateOf(job) !== undefined &&
		// It is listed for a moment longer, unless the master leaves it out.
		!(job.state === 'ended' && world.scenario.rates['status-leaves-out'] > 0) &&
		!job.isDeleting &&
		!job.isEndUnheard &&
		(job.excuse ?? findExcuse(world, cluster, ledger, job, last)) === undefined &&
		// Another process has seen its result, and ended.
		!(by !== job.submittedBy && ledger.hasWholeResult(job, last)) &&
		!ledger.holdsAt(last.ichunk).some(other => other.hold.attempt > last.attempt)
	);
};
