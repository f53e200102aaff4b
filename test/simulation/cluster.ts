/** The true state of the queue and its worker-nodes. */
import type {ArrayRequest, JobEnd, JobRequest, JobState, JobStatus} from '../../src/engines/engine.js';
import {parseJobName} from '../../src/layout.js';
import {createJobs, DELETED_BY_HAND, type Job, type Node, RAW_STATES} from './job.js';
import {
	explanationDelay,
	goesIntoError,
	type NodeFault,
	type RunningJob,
	troubleWhileRunning,
	troubleWhileWaiting,
} from './job-troubles.js';
import {isHeldByArray, isQueueFull, noteServed} from './queue-rules.js';
import {createSimProcess, type SimProcess} from './sim-process.js';
import {MINUTE, SECOND, type World} from './world.js';

/** The number of the first queue-job. */
const FIRST_ID = 101;

export type Cluster = {
	/** @returns The number of the queue-job, or of the array; undefined when the user has as many queue-jobs as one may have. */
	readonly submit: (request: JobRequest | ArrayRequest, by: SimProcess) => string | undefined;
	/** All worker-nodes are back on the network. */
	readonly healAll: () => void;
	readonly jobs: () => readonly Job[];
	/** Of the queue-jobs of a chunk the one with this attempt. */
	readonly find: (id: string) => Job | undefined;
	readonly listing: () => JobStatus[];
	/** A process has got this answer. */
	readonly serve: (listing: readonly JobStatus[], process: SimProcess) => void;
	readonly remove: (job: Job, by: 'us' | 'somebody') => void;
	/** Whether it can be seen in the queue, in which a job stays for a second longer. */
	readonly stateOf: (job: Job) => JobState | undefined;
	/** Since when the master says that it can't reach the job's node. */
	readonly unreachableForMs: (job: Job) => number;
};

export type ClusterInput = {
	readonly session: string;
	/** What a queue-job does; it ends with what this resolves to. */
	readonly runWorker: (job: Job, process: SimProcess) => Promise<JobEnd>;
	/** Before it is in the queue. */
	readonly onSubmit: (job: Job, all: readonly Job[]) => void;
	/** One of them has begun to run. */
	readonly onStart: (all: readonly Job[]) => void;
};

/** A queue-job stays listed for so long after its end. */
const LISTED_AFTER_END_MS = 1000;

export const createCluster = (world: World, {session, runWorker, onSubmit, onStart}: ClusterInput): Cluster => {
	const {events, scenario, strikes, fault} = world;
	const jobs: Job[] = [];
	let numSubmitted = 0;
	/** Queue-jobs of the same user that have nothing to do with the map. */
	const foreign: JobStatus[] = [];
	const nodes: Node[] = scenario.nodes.map(({host, slots, isBlackHole}) => ({
		host,
		isBlackHole,
		freeSlots: slots,
		cutMs: undefined,
		healMs: 0,
	}));
	const nodeDice = world.dice.fork('nodes');

	const trace = (job: Job, what: string): void => world.trace(`job ${job.id}`, `chunk ${job.ichunk} attempt ${job.attempt}: ${what}`);

	const dispatch = (): void => {
		for (const job of jobs) {
			if (job.state !== 'pending' || job.isDeleting || events.nowMs() < job.suspendedUntilMs || isHeldByArray(job, jobs)) continue;
			const free = nodes.filter(node => node.freeSlots > 0 && node.cutMs === undefined && !job.avoidHosts.includes(node.host));
			// A node that fails whatever it gets is always free.
			const node = free.find(({isBlackHole}) => isBlackHole) ?? free.sort((a, b) => b.freeSlots - a.freeSlots)[0];
			if (node !== undefined) start(job, node);
		}
	};

	const dispatchSoon = (maxMs: number): void => {
		events.at(events.nowMs() + nodeDice.int(100, maxMs), dispatch);
	};

	const start = (job: Job, node: Node): void => {
		if (goesIntoError(world, job, node.host, () => dispatchSoon(SECOND))) return;
		job.state = 'running';
		job.node = node;
		job.startedMs = events.nowMs();
		onStart(jobs);
		node.freeSlots--;
		trace(job, `runs on ${node.host}`);
		const after: RunningJob['after'] = (ms, body) => {
			events.at(events.nowMs() + ms, () => job.state === 'running' && job.node === node && body());
		};
		if (node.isBlackHole) {
			fault('black-hole');
			after(job.dice.int(10, 500), () => end(job, {failed: true, kind: 'start-failed', reason: 'exit status 1', host: node.host}));
			return;
		}
		if (strikes('job-ends-without-result', job.dice)) {
			fault('job-ends-without-result');
			job.excuse = 'ends without a result';
			after(job.dice.int(10, 5000), () => end(job, {failed: false, reason: 'exit status 0', host: node.host}));
			return;
		}
		const process = createSimProcess(`worker ${job.name} ${job.id}`, node.host, events);
		job.process = process;
		job.kill = () => end(job, {failed: true, kind: 'killed', reason: 'killed by SIGKILL', host: node.host});
		runWorker(job, process).then(
			outcome => job.state === 'running' && end(job, {...outcome, host: node.host}),
			error => world.offend('the worker throws nothing but a WorkerError', String(error?.stack)),
		);
		troubleWhileRunning(world, job, {after, end: jobEnd => end(job, jobEnd), cut: kind => cut(node, kind)});
	};

	/** @param jobEnd - Undefined when nothing will ever explain it. */
	const end = (job: Job, jobEnd: JobEnd | undefined): void => {
		if (job.state === 'ended') return;
		job.process?.kill();
		if (jobEnd?.failed !== false) job.excuse ??= 'has failed';
		trace(job, `ends: ${jobEnd?.reason ?? 'unexplained'}`);
		if (job.node !== undefined) {
			if (job.node.cutMs !== undefined) {
				// The master hears of it when the node is back.
				job.isEndUnheard = true;
				job.end = jobEnd;
				return;
			}
			job.node.freeSlots++;
		}
		job.state = 'ended';
		job.endedMs = events.nowMs();
		job.end = jobEnd;
		job.explainedMs = jobEnd === undefined ? Number.POSITIVE_INFINITY : events.nowMs() + explanationDelay(world, job);
		dispatchSoon(5 * SECOND);
		if (strikes('foreign-job', job.dice)) {
			// The numbers have begun anew, and somebody has got this one.
			events.at(events.nowMs() + 2 * LISTED_AFTER_END_MS, () => {
				fault('foreign-job', job.id);
				foreign.push({id: job.id, name: 'other', state: 'running', rawState: 'r', host: 'elsewhere'});
			});
		}
	};

	const cut = (node: Node, kind: NodeFault): void => {
		if (node.cutMs !== undefined || world.isCalm()) return;
		fault(kind, node.host);
		node.cutMs = events.nowMs();
		const isForEver = node !== nodes[0] && scenario.options.unreachableAfterMs !== false && strikes('node-gone-for-ever', nodeDice);
		if (isForEver) fault('node-gone-for-ever');
		node.healMs = isForEver ? Number.POSITIVE_INFINITY : events.nowMs() + nodeDice.int(SECOND, nodeDice.pick([MINUTE, 20 * MINUTE]));
		for (const job of jobs.filter(each => each.node === node && each.state === 'running')) {
			if (kind === 'node-cut-stalled') job.process?.freezeUntil(node.healMs);
			if (kind !== 'node-crashed') continue;
			job.process?.kill();
			job.excuse ??= 'its node has crashed';
			job.isEndUnheard = true;
			job.end = {failed: true, kind: 'node-lost', reason: 'failed 19: before writing exit_status', host: node.host};
		}
		if (kind === 'node-crashed' && world.disk.crash(node.host, unsynced => nodeDice.int(0, unsynced)) > 0) fault('unsynced-lost');
		if (node.healMs !== Number.POSITIVE_INFINITY) events.at(node.healMs, () => heal(node));
	};

	const heal = (node: Node): void => {
		world.trace(node.host, 'is back');
		node.cutMs = undefined;
		for (const job of jobs.filter(each => each.node === node && each.state === 'running')) {
			if (job.isEndUnheard) end(job, job.end);
			else if (job.isDeleting) end(job, {failed: true, kind: 'killed', reason: 'killed by SIGKILL', host: node.host});
		}
		dispatchSoon(5 * SECOND);
	};

	const remove = (job: Job, by: 'us' | 'somebody'): void => {
		if (job.state === 'ended' || job.isDeleting) return;
		job.isDeleting = true;
		job.deletedBy = by;
		if (by === 'somebody') job.excuse ??= DELETED_BY_HAND;
		trace(job, `is deleted by ${by}`);
		if (job.state !== 'running') end(job, undefined);
		if (job.state !== 'running' || job.node?.cutMs !== undefined) return;
		events.at(events.nowMs() + job.dice.int(10, job.dice.pick([500, 20 * SECOND, MINUTE])), () =>
			end(job, {failed: true, kind: 'killed', reason: 'killed by SIGKILL', ...(job.node && {host: job.node.host})}),
		);
	};

	const unreachableForMs = (job: Job): number => {
		const nowMs = events.nowMs();
		if (job.state !== 'running') return 0;
		const cutMs = job.node?.cutMs;
		return cutMs === undefined ? 0 : Math.max(0, nowMs - cutMs - scenario.maxUnheardMs);
	};

	/** Then the master says of every node that it can't reach it. */
	const isAfterRestart = (): boolean => {
		const nowMs = events.nowMs();
		return !world.isCalm() && scenario.masterRestarts.some(({fromMs, untilMs}) => fromMs <= nowMs && nowMs < untilMs);
	};

	const stateOf = (job: Job): JobState | undefined => {
		switch (job.state) {
			case 'ended':
				return events.nowMs() - job.endedMs < LISTED_AFTER_END_MS ? (job.isDeleting ? 'deleting' : 'running') : undefined;
			case 'running':
				if (job.isDeleting) return 'deleting';
				if (unreachableForMs(job) > 0 || isAfterRestart()) return 'unreachable';
				return events.nowMs() < job.suspendedUntilMs ? 'suspended' : 'running';
			default:
				return job.state;
		}
	};

	return {
		jobs: () => jobs,
		find: id => jobs.find(job => job.id === id),
		remove,
		stateOf,
		unreachableForMs,
		healAll: () => {
			for (const node of nodes) if (node.cutMs !== undefined) heal(node);
		},
		submit: (request, by) => {
			if (parseJobName(session, request.name) === undefined) throw new Error(`Expected a name of ours, got ${request.name}`);
			const id = String(FIRST_ID + numSubmitted++);
			const submitted = createJobs(request, world, id, by);
			if (isQueueFull(world, jobs, submitted.length)) return undefined;
			for (const job of submitted) {
				onSubmit(job, jobs);
				jobs.push(job);
				trace(job, `is in the queue as ${request.name}`);
				troubleWhileWaiting(world, job, {dispatch, remove: () => remove(job, 'somebody')});
				dispatchSoon(job.dice.pick([SECOND, 15 * SECOND]));
			}
			return id;
		},
		serve: (listing, process) => noteServed(jobs, listing, process),
		listing: () => [
			...foreign,
			...jobs.flatMap(job => {
				const state = stateOf(job);
				if (state === undefined) return [];
				const limitMs = scenario.options.unreachableAfterMs;
				if (state !== 'unreachable') job.unreachableSinceMs = undefined;
				else job.unreachableSinceMs ??= events.nowMs();
				if (limitMs !== false && events.nowMs() - (job.unreachableSinceMs ?? Number.POSITIVE_INFINITY) >= limitMs)
					job.excuse ??= 'unreachable for too long';
				if (isAfterRestart()) fault('master-restarted');
				const {id, name, element, node} = job;
				return [{id, name, state, rawState: RAW_STATES[state], ...(element && {element}), ...(node && {host: node.host})}];
			}),
		],
	};
};
