/** Hands chunks to the engine, and writes down who is who before and after. */
import {countLiving, growArrays, holdBack, shrinkArrays} from './capacity.js';
import type {ArrayJobs, ArrayRequest, JobRequest, JobResources, SubmitOutcome} from './engines/engine.js';
import {PoolError} from './errors.js';
import {arrayName, LAUNCHER} from './layout.js';
import type {AttemptState, ChunkState, MapState} from './map-state.js';
import {hostsToAvoid, nextAttempt, resourcesOf} from './next-attempt.js';
import {type Plan, planSubmission} from './plan-submission.js';
import type {Ports} from './ports.js';

/** Why the scheduler has not taken all that it was given. */
export type Refusal = {readonly kind: 'temporary' | 'full' | 'unanswered'; readonly reason: string};

export type Submission = {readonly numTaken: number; readonly refusal: Refusal | undefined};

/**
 * Submits the next attempts of some chunks in `state.toSubmit`, as many as there is room for; what could not be submitted stays there. Without any room the state is held back.
 *
 * @throws PoolError `ERR_POOL_SUBMIT_REJECTED` when the scheduler refused for good; `ERR_POOL_OWNED` when the work_dir is another process's now.
 */
export const submitNext = async (state: MapState, ports: Pick<Ports, 'engine' | 'clock'>): Promise<Submission> => {
	const {engine, clock} = ports;
	const arrays = state.options.arrayJobs ? engine.arrays : undefined;
	const maxElements = arrays === undefined ? 1 : Math.min(state.maxElements, await arrays.maxElements());
	const numLiving = countLiving(state);
	// First of all: the user's function for resources may throw.
	const plan = planSubmission(findCandidates(state, arrays !== undefined), {...state.options, numLiving, maxElements});
	if (plan.kind === 'held-back') {
		holdBack(state, numLiving);
		return {numTaken: 0, refusal: undefined};
	}
	state.heldBack = undefined;
	const entries = plan.candidates;
	if (plan.kind === 'array') nameElements(state, entries);
	await state.owner.check();
	for (const {ichunk, next, resources} of entries) {
		const asked = Object.keys(resources).length === 0 ? {} : {resources};
		state.journal.note({event: 'submitting', ichunk, attempt: next.attempt, jobName: next.jobName, ...asked});
	}
	// On the disk before qsub runs: whoever comes after a crash then knows which names to look for.
	await state.journal.flush({durable: true});
	// The disk may have kept us waiting for so long that somebody else has taken over.
	await state.owner.check();
	const outcomes = await handOver(state, engine, arrays, plan);
	state.submittedMs = clock.elapsedMs();
	return takeAll(state, plan, outcomes);
};

/**
 * All calls by which an engine would submit what is to be submitted, if it took everything at once. Nothing is noted or submitted.
 *
 * @returns Undefined when the engine can't say.
 */
export const describeSubmission = async (state: MapState, engine: Ports['engine']): Promise<readonly (readonly string[])[] | undefined> => {
	if (engine.describe === undefined) return undefined;
	const arrays = state.options.arrayJobs && engine.arrays?.describe !== undefined ? engine.arrays : undefined;
	const maxElements = arrays === undefined ? 1 : await arrays.maxElements();
	const rest: MapState = {...state, toSubmit: new Set(state.toSubmit)};
	const calls: (readonly string[])[] = [];
	while (rest.toSubmit.size > 0) {
		const plan = planSubmission(findCandidates(rest, arrays !== undefined), {...state.options, numLiving: 0, maxElements});
		if (plan.kind === 'held-back') break;
		if (plan.kind === 'jobs' || arrays === undefined)
			calls.push(...(await engine.describe(plan.candidates.map(entry => toRequest(state, entry)))));
		else {
			nameElements(state, plan.candidates);
			calls.push((await arrays.describe?.(toArrayRequest(state, plan, arrays))) ?? []);
		}
		for (const {chunk} of plan.candidates) rest.toSubmit.delete(chunk);
	}
	return calls;
};

type Entry = {
	readonly chunk: ChunkState;
	readonly ichunk: number;
	readonly next: AttemptState;
	readonly attempt: number;
	readonly avoidHosts: readonly string[];
	readonly resources: JobResources;
};

type Submittable = Exclude<Plan<Entry>, {kind: 'held-back'}>;

/** @param isSorted - Whether chunks that follow each other are to stand behind each other, whenever they came. */
function* findCandidates(state: MapState, isSorted: boolean): Iterable<Entry> {
	const chunks = isSorted ? [...state.toSubmit].sort((a, b) => a.chunk.ichunk - b.chunk.ichunk) : state.toSubmit;
	for (const chunk of chunks) {
		const next = nextAttempt(state, chunk);
		const {attempt} = next;
		yield {
			chunk,
			ichunk: chunk.chunk.ichunk,
			next,
			attempt,
			avoidHosts: hostsToAvoid(state, chunk),
			resources: resourcesOf(state, chunk, attempt),
		};
	}
}

const nameElements = ({session}: MapState, entries: readonly Entry[]): void => {
	const [first, last] = [entries[0] as Entry, entries.at(-1) as Entry];
	const name = arrayName(session, first.ichunk, last.ichunk, first.attempt);
	for (const [i, {next}] of entries.entries()) {
		next.jobName = name;
		next.element = i + 1;
	}
};

/** @returns As many outcomes as there are chunks. */
const handOver = async (
	state: MapState,
	engine: Ports['engine'],
	arrays: ArrayJobs | undefined,
	plan: Submittable,
): Promise<readonly SubmitOutcome[]> => {
	if (plan.kind === 'jobs' || arrays === undefined) return engine.submit(plan.candidates.map(entry => toRequest(state, entry)));
	const outcome = await arrays.submit(toArrayRequest(state, plan, arrays));
	if (outcome.kind !== 'submitted') return plan.candidates.map(() => outcome);
	return plan.candidates.map((_, i) => ({kind: 'submitted', id: arrays.elementId(outcome.id, i + 1)}));
};

const toRequest = (state: MapState, {ichunk, next, avoidHosts, resources}: Entry): JobRequest => ({
	name: next.jobName,
	script: `${state.workDir}/${LAUNCHER}`,
	scriptArguments: launcherArguments({ichunk, next, resources}),
	avoidHosts,
	resources,
});

const toArrayRequest = (
	state: MapState,
	{candidates, maxRunning}: Extract<Submittable, {kind: 'array'}>,
	{elementVariable}: ArrayJobs,
): ArrayRequest => ({
	...toRequest(state, candidates[0] as Entry),
	scriptArguments: launcherArguments(candidates[0] as Entry, elementVariable),
	numElements: candidates.length,
	maxRunning,
});

const MEBIBYTE = 2 ** 20;

/** See the head of launch.sh. */
const launcherArguments = ({ichunk, next, resources}: Pick<Entry, 'ichunk' | 'next' | 'resources'>, variable = '-'): string[] => {
	const who = [String(ichunk), String(next.attempt)];
	if (resources.memoryBytes !== undefined) return [...who, variable, String(Math.max(1, Math.floor(resources.memoryBytes / MEBIBYTE)))];
	return variable === '-' ? who : [...who, variable];
};

const takeAll = (state: MapState, plan: Submittable, outcomes: readonly SubmitOutcome[]): Submission => {
	let numTaken = 0;
	let refusal: Refusal | undefined;
	let rejected: {readonly jobName: string; readonly reason: string} | undefined;
	for (const [i, outcome] of outcomes.entries()) {
		const entry = plan.candidates[i] as Entry;
		take(state, entry, outcome);
		if (outcome.kind === 'submitted') numTaken++;
		else if (outcome.kind === 'permanent') rejected ??= {jobName: entry.next.jobName, reason: outcome.reason};
		else if (outcome.kind !== 'untried') refusal ??= outcome;
	}
	// Not before all others are taken: several are submitted at a time, and what is in the queue must be removed.
	if (rejected !== undefined) {
		const {jobName, reason} = rejected;
		const {workDir} = state;
		throw new PoolError('ERR_POOL_SUBMIT_REJECTED', `The scheduler refused the queue-job ${jobName}: ${reason}`, {workDir});
	}
	const size = plan.kind === 'array' ? plan.candidates.length : 1;
	if (numTaken > 0) growArrays(state, size);
	if (refusal?.kind === 'full' && plan.kind === 'array') {
		shrinkArrays(state, size);
		return {numTaken, refusal: undefined};
	}
	return {numTaken, refusal};
};

const take = (state: MapState, {chunk, ichunk, next}: Entry, outcome: SubmitOutcome): void => {
	const who = {ichunk, attempt: next.attempt, jobName: next.jobName};
	switch (outcome.kind) {
		case 'submitted':
			next.jobId = outcome.id;
			accept(state, chunk, next);
			state.journal.note({event: 'submitted', ...who, jobId: outcome.id});
			break;
		case 'unanswered':
			// It may be in the queue, whose listing tells it by its name.
			state.needsSweep = true;
			accept(state, chunk, next);
			state.journal.note({event: 'warning', ...who, reason: `no answer to the submission: ${outcome.reason}`});
			break;
		case 'temporary':
		case 'full':
		case 'permanent':
			state.journal.note({event: 'not-submitted', ...who, reason: outcome.reason});
			break;
		case 'untried':
			state.journal.note({event: 'not-submitted', ...who, reason: 'not tried after the one before'});
			break;
	}
};

const accept = (state: MapState, chunk: ChunkState, attempt: AttemptState): void => {
	chunk.attempts.push(attempt);
	state.toSubmit.delete(chunk);
};
