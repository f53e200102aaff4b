/** Which chunks are submitted next, and whether as an array or one by one. Pure. */
import {isDeepStrictEqual} from 'node:util';
import type {JobResources} from './engines/engine.js';

/** The next attempt at a chunk. */
export type Candidate = {
	readonly ichunk: number;
	readonly attempt: number;
	readonly avoidHosts: readonly string[];
	readonly resources: JobResources;
};

export type PlanLimits = {
	/** Of our own queue-jobs, elements of arrays included, those that wait or run. */
	readonly numLiving: number;
	/** The options of the same names; Infinity for none. */
	readonly maxQueuedJobs: number;
	readonly maxConcurrentJobs: number;
	/** How many elements an array may have; 1 when there are to be none. */
	readonly maxElements: number;
};

export type Plan<C extends Candidate> =
	/** Each as a queue-job of its own. */
	| {readonly kind: 'jobs'; readonly candidates: readonly C[]}
	/** Two or more, as elements 1, 2, … of one array. */
	| {readonly kind: 'array'; readonly candidates: readonly C[]; readonly maxRunning: number | undefined}
	/** Nothing more may be submitted as long as there are as many queue-jobs as there are. */
	| {readonly kind: 'held-back'};

/**
 * So many queue-jobs are submitted between two looks at the queue and the files. With four calls of qsub at a time, of 0.1 s each, results that are
 * there already are seen about every second.
 */
const SLICE = 32;

/**
 * The scheduler holds an array to `maxConcurrentJobs` by itself, but not two at once, and not an array and what is beside it. So one that is larger than the room that there is waits until
 * nothing else is left; queue-jobs of their own fill what an array leaves when fewer of its elements are left than may run.
 *
 * @param candidates - In the order in which they are to be submitted; read no further than need be.
 */
export const planSubmission = <C extends Candidate>(candidates: Iterable<C>, limits: PlanLimits): Plan<C> => {
	const numFree = Math.min(limits.maxQueuedJobs, limits.maxConcurrentJobs) - limits.numLiving;
	if (numFree <= 0) return {kind: 'held-back'};
	const numJobs = Math.min(numFree, SLICE);
	const jobs: C[] = [];
	for (const run of findRuns(candidates, limits.maxElements)) {
		const elements = run.length === 1 ? run : run.slice(0, numElements(run.length, numFree, limits));
		if (elements.length > 1) {
			const maxRunning = elements.length > limits.maxConcurrentJobs ? limits.maxConcurrentJobs : undefined;
			// Before queue-jobs that stand before it: it might have to wait for their end.
			return {kind: 'array', candidates: elements, maxRunning};
		}
		jobs.push(...elements);
		if (jobs.length === numJobs) break;
	}
	return jobs.length === 0 ? {kind: 'held-back'} : {kind: 'jobs', candidates: jobs};
};

/** How many of the chunks that could be one array may be submitted now. */
const numElements = (length: number, numFree: number, {numLiving, maxQueuedJobs, maxConcurrentJobs}: PlanLimits): number => {
	if (maxConcurrentJobs === Number.POSITIVE_INFINITY || numLiving === 0) return Math.min(length, maxQueuedJobs - numLiving);
	return length <= numFree ? length : 0;
};

/** Cuts candidates into runs that differ in nothing but consecutive numbers, none longer than this. */
function* findRuns<C extends Candidate>(candidates: Iterable<C>, maxLength: number): Iterable<readonly C[]> {
	let run: C[] = [];
	for (const candidate of candidates) {
		const last = run.at(-1);
		if (last !== undefined && !(run.length < maxLength && follows(candidate, last))) {
			yield run;
			run = [];
		}
		run.push(candidate);
	}
	if (run.length > 0) yield run;
}

const follows = (candidate: Candidate, last: Candidate): boolean =>
	candidate.ichunk === last.ichunk + 1 &&
	candidate.attempt === last.attempt &&
	candidate.avoidHosts.length === 0 &&
	last.avoidHosts.length === 0 &&
	isDeepStrictEqual(candidate.resources, last.resources);
