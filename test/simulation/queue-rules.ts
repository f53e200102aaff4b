/** What the scheduler takes, lets run at a time, and has told to whom. */
import type {JobStatus} from '../../src/engines/engine.js';
import type {Job} from './job.js';
import type {SimProcess} from './sim-process.js';
import type {World} from './world.js';

/** Whether a user has as many queue-jobs as one may have. What can't be removed for a silent node does not count. */
export const isQueueFull = ({scenario, isCalm, fault}: World, jobs: readonly Job[], numMore: number): boolean => {
	const numQueued = jobs.filter(job => job.state !== 'ended' && !job.isDeleting && job.node?.cutMs === undefined).length;
	if (isCalm() || numQueued + numMore <= scenario.queue.maxUserJobs) return false;
	fault('queue-full', `${numQueued} and ${numMore} more`);
	return true;
};

/** Whether as many elements of its array run as may. */
export const isHeldByArray = ({name, element, maxRunning}: Job, jobs: readonly Job[]): boolean =>
	element !== undefined &&
	jobs.filter(other => other.name === name && other.element !== undefined && other.state === 'running').length >= maxRunning;

/** A process has got this answer. */
export const noteServed = (jobs: readonly Job[], listing: readonly JobStatus[], process: SimProcess): void => {
	for (const {id, name, state} of listing) {
		const job = jobs.find(each => each.id === id && each.name === name);
		if (job === undefined) continue;
		const served = job.served.get(state) ?? new Set();
		served.add(process.name);
		job.served.set(state, served);
	}
};
