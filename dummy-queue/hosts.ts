import type {Job} from './job.js';
import type {QueueState} from './state.js';

/** A worker-node. */
export type Host = {
	name: string;
	/** The letters that `qstat -f` shows for its queue instances: empty when all is well, `u` when it can't be reached, `d` disabled, `E` error. */
	state: string;
	/** Set by a fault: after so many calls of qstat all is well again. */
	pollsLeft?: number;
};

/** Where a queue-job is, or would be told to be. */
export const hostOf = (state: QueueState, job: Job): Host => state.hosts.find(({name}) => name === job.host) ?? state.hosts[0]!;

/** What runs on a node that can't be reached rests, and ends only when it is back. */
export const isReachable = (host: Host): boolean => !host.state.includes('u');

/** The host that a queue-job would be started on now: of those that it allows and that are well, the one with the fewest queue-jobs. */
export const chooseHost = (state: QueueState, job: Job): Host | undefined =>
	state.hosts
		// A load alarm (`a`) passes.
		.filter(host => allowsHost(job.hostRequests, host.name) && !/[^aA]/.test(host.state))
		.map(host => ({host, numJobs: state.jobs.filter(other => other.phase === 'running' && other.host === host.name).length}))
		.sort((a, b) => a.numJobs - b.numJobs)[0]?.host;

/** Whether a host is allowed by all of these expressions: `node1`, `!node1&!node2`, `node*|other`. */
export const allowsHost = (requests: readonly string[], host: string): boolean =>
	requests.every(request => request.split('|').some(terms => terms.split('&').every(term => matchesTerm(term, host))));

const matchesTerm = (term: string, host: string): boolean => {
	const isNegated = term.startsWith('!');
	const pattern = (isNegated ? term.slice(1) : term)
		.replaceAll(/[.+^$(){}[\]\\]/g, '\\$&')
		.replaceAll('*', '.*')
		.replaceAll('?', '.');
	return new RegExp(`^${pattern}$`).test(host) !== isNegated;
};
