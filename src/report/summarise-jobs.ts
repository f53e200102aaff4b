/** Rows of queue-jobs -> figures of hosts, of slots, and of what was asked for. Pure. */
import type {Asked} from './asked-resources.js';
import type {CollectedJobs} from './collect-jobs.js';
import type {AskFacts, HostFacts, JobRow, SlotFacts} from './report-data.js';
import {countAtATime, maxOf, medianOf, type Stretch, sumOf} from './statistics.js';

/** @param nowMs - Until when queue-jobs hold their slots that have not ended. */
export const summariseHosts = ({jobs, hosts, clocks}: CollectedJobs, nowMs: number): HostFacts[] =>
	hosts.map((name, i) => {
		const own = jobs.filter(({host}) => host === i);
		return {
			name,
			clockAheadMs: clocks.get(name) ?? 0,
			numJobs: groupByJob(own).length,
			numFailedJobs: own.filter(({state}) => state === 'failed').length,
			numTasks: sumOf(own.map(({numTasks}) => numTasks)),
			heldMs: sumOf(own.map(job => lengthOf(toStretch(job, nowMs)))),
			computingMs: sumOf(own.map(({computingMs}) => computingMs)),
			memoryBytes: maxOf(own.flatMap(({memoryBytes}) => memoryBytes ?? [])),
			atMost: mostAtATime(own, nowMs),
		};
	});

export const summariseSlots = (jobs: readonly JobRow[], asks: readonly Asked[], nowMs: number): SlotFacts => {
	const stretches = jobs.map(job => toStretch(job, nowMs));
	const slotsOf = ({ask}: JobRow): number => asks[ask]?.slots ?? 1;
	const held = (job: JobRow): number => slotsOf(job) * lengthOf(toStretch(job, nowMs));
	const ended = jobs.filter(({state, beganMs}) => beganMs !== null && state !== 'running');
	const counted = ended.filter(({state}) => state === 'done');
	const known = counted.filter(({cpuMs}) => cpuMs !== null);
	const waits = jobs.flatMap(({submittedMs, beganMs}) => (submittedMs === null || beganMs === null ? [] : [beganMs - submittedMs]));
	const atMost = mostAtATime(jobs, nowMs);
	const submissions = jobs.flatMap(({submittedMs, attempt}) => (submittedMs === null || attempt > 1 ? [] : [submittedMs]));
	const firstMs = jobs.reduce((least, {submittedMs}) => Math.min(least, submittedMs ?? least), Number.POSITIVE_INFINITY);
	const busyMs = sumOf(stretches.map(lengthOf));
	const spanMs = (maxOf(stretches.map(({toMs}) => toMs)) ?? 0) - (Number.isFinite(firstMs) ? firstMs : 0);
	return {
		numJobs: groupByJob(jobs).length,
		heldMs: sumOf(ended.map(held)),
		lostMs: sumOf(ended.filter(({state}) => state !== 'done').map(held)),
		computingMs: sumOf(counted.map(({computingMs}) => computingMs)),
		cpuMs: known.length === 0 ? null : sumOf(known.map(({cpuMs}) => cpuMs ?? 0)),
		cpuHeldMs: sumOf(known.map(held)),
		waitingMs: sumOf(waits),
		medianWaitMs: medianOf(waits),
		longestWaitMs: maxOf(waits),
		medianHeldMs: medianOf(heldByJob(counted, nowMs)),
		atMost,
		onAverage: spanMs > 0 ? busyMs / spanMs : 0,
		tailMs: findTail(jobs, atMost, nowMs),
		submittingMs: (maxOf(submissions) ?? 0) - (submissions.reduce<number | null>((least, ms) => Math.min(least ?? ms, ms), null) ?? 0),
	};
};

export const summariseAsks = (jobs: readonly JobRow[], asks: readonly Asked[], nowMs: number): AskFacts[] =>
	asks.map((asked, i) => {
		const own = jobs.filter(({ask}) => ask === i);
		const done = own.filter(({state}) => state === 'done');
		const memory = own.flatMap(({memoryBytes}) => memoryBytes ?? []);
		const held = heldByJob(done, nowMs);
		const known = done.filter(({cpuMs}) => cpuMs !== null);
		const knownMs = sumOf(known.map(job => lengthOf(toStretch(job, nowMs))));
		return {
			...asked,
			numJobs: groupByJob(own).length,
			medianMemoryBytes: medianOf(memory),
			maxMemoryBytes: maxOf(memory),
			medianHeldMs: medianOf(held),
			maxHeldMs: maxOf(held),
			busyProcessors: knownMs === 0 ? null : sumOf(known.map(({cpuMs}) => cpuMs ?? 0)) / knownMs,
		};
	});

/** With dynamic chunks a queue-job has a row for each chunk that it computed. */
const groupByJob = (jobs: readonly JobRow[]): JobRow[][] => {
	const groups = new Map<string, JobRow[]>();
	for (const job of jobs) {
		// Of which the number is not known may be any.
		const key = job.jobId ?? `${job.ichunk}/${job.attempt}`;
		const group = groups.get(key);
		if (group === undefined) groups.set(key, [job]);
		else group.push(job);
	}
	return [...groups.values()];
};

/** For how long each queue-job held its slots. */
const heldByJob = (jobs: readonly JobRow[], nowMs: number): number[] =>
	groupByJob(jobs).map(rows => sumOf(rows.map(row => lengthOf(toStretch(row, nowMs)))));

const toStretch = ({state, beganMs, endedMs}: JobRow, nowMs: number): Stretch => {
	if (beganMs === null) return {fromMs: 0, toMs: 0};
	return {fromMs: beganMs, toMs: endedMs ?? (state === 'running' ? Math.max(nowMs, beganMs) : beganMs)};
};

const lengthOf = ({fromMs, toMs}: Stretch): number => toMs - fromMs;

const mostAtATime = (jobs: readonly JobRow[], nowMs: number): number =>
	maxOf(countAtATime(jobs.map(job => toStretch(job, nowMs))).map(({count}) => count)) ?? 0;

const findTail = (jobs: readonly JobRow[], atMost: number, nowMs: number): number => {
	const steps = countAtATime(jobs.map(job => toStretch(job, nowMs)));
	const lastMs = steps.at(-1)?.atMs ?? 0;
	const busy = steps.findLastIndex(({count}) => count >= atMost / 2);
	// As long as some wait it is the queue that does not give more.
	const waitedUntilMs = maxOf(jobs.flatMap(({submittedMs, beganMs}) => (submittedMs === null ? [] : (beganMs ?? [])))) ?? 0;
	return Math.max(0, lastMs - Math.max(steps[busy + 1]?.atMs ?? lastMs, waitedUntilMs));
};
