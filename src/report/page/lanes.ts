/** Where queue-jobs are in the timeline: which lane each one is in. Pure. */
import type {JobRow} from '../report-data.js';

export type Placed = {readonly job: JobRow; readonly lane: number};

/** Consecutive lanes of one host. */
export type Band = {readonly label: string; readonly firstLane: number; readonly numLanes: number};

export type Lanes = {readonly placed: readonly Placed[]; readonly bands: readonly Band[]; readonly numLanes: number};

/** Each host has as many lanes as queue-jobs ran on it at a time. What never ran is in none. */
export const placeByHost = (jobs: readonly JobRow[], hosts: readonly string[], nowMs: number): Lanes => {
	const byHost = new Map<number, JobRow[]>();
	for (const job of jobs) {
		if (job.beganMs === null) continue;
		const host = job.host ?? hosts.length;
		const own = byHost.get(host);
		if (own === undefined) byHost.set(host, [job]);
		else own.push(job);
	}
	const placed: Placed[] = [];
	const bands: Band[] = [];
	let numLanes = 0;
	for (const [host, own] of [...byHost].sort(([a], [b]) => a - b)) {
		const firstLane = numLanes;
		/** When each lane is free again. */
		const freeMs: number[] = [];
		for (const job of own.sort((a, b) => (a.beganMs ?? 0) - (b.beganMs ?? 0))) {
			const found = freeMs.findIndex(ms => ms <= (job.beganMs ?? 0));
			const lane = found === -1 ? freeMs.length : found;
			freeMs[lane] = job.endedMs ?? nowMs;
			placed.push({job, lane: firstLane + lane});
		}
		numLanes += freeMs.length;
		bands.push({label: hosts[host] ?? 'host not known', firstLane, numLanes: freeMs.length});
	}
	return {placed, bands, numLanes};
};

/** One lane for each, in the order in which they were submitted. */
export const placeByOrder = (jobs: readonly JobRow[]): Lanes => {
	const sorted = [...jobs].sort((a, b) => (a.submittedMs ?? a.beganMs ?? 0) - (b.submittedMs ?? b.beganMs ?? 0) || a.ichunk - b.ichunk);
	return {placed: sorted.map((job, lane) => ({job, lane})), bands: [], numLanes: sorted.length};
};

/** The steps of an axis over this many milliseconds: easy numbers, as many as there is room for. */
export const axisStep = (spanMs: number, maxTicks: number): number => {
	const least = spanMs / Math.max(1, maxTicks);
	return NICE_STEPS.find(step => step >= least) ?? Math.ceil(least / DAY_MS) * DAY_MS;
};

/** In the unit of the steps, so that one sees how far apart they are. */
export const axisLabel = (ms: number, stepMs: number): string => {
	if (stepMs >= DAY_MS) return `${Math.round(ms / DAY_MS)} d`;
	if (stepMs >= 3_600_000) return `${Math.round(ms / 3_600_000)} h`;
	if (stepMs >= 60_000) return ms < 2 * 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${clock(ms / 60_000)} h`;
	if (stepMs >= 1000) return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${clock(ms / 1000)} min`;
	return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(3)} s`;
};

/** `90` -> `1:30`. */
const clock = (units: number): string => `${Math.floor(Math.round(units) / 60)}:${String(Math.round(units) % 60).padStart(2, '0')}`;

const DAY_MS = 86_400_000;
const NICE_STEPS: readonly number[] = [
	...[1, 2, 5, 10, 20, 50, 100, 200, 500],
	...[1, 2, 5, 10, 15, 30].map(seconds => 1000 * seconds),
	...[1, 2, 5, 10, 15, 30].map(minutes => 60_000 * minutes),
	...[1, 2, 3, 6, 12].map(hours => 3_600_000 * hours),
	...[1, 2, 5, 10].map(days => DAY_MS * days),
];
