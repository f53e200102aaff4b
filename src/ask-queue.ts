/** Asks the queue about all our queue-jobs in one call, and writes what it says into the state. */
import {forgetLeft} from './capacity.js';
import type {JobStatus} from './engines/engine.js';
import {PoolError} from './errors.js';
import {isNameOf, jobKey} from './layout.js';
import {type AttemptState, type ChunkState, type MapState, openChunks} from './map-state.js';
import type {Ports} from './ports.js';

/** `numFound`: submissions without an answer that the queue lists; `listing`: what is called like queue-jobs of this map. */
export type Answer =
	| {readonly kind: 'changed' | 'same'; readonly numFound: number; readonly listing: readonly JobStatus[]}
	| {readonly kind: 'silent'; readonly reason: string};

/** @throws PoolError `ERR_POOL_PROGRAM_MISSING`. */
export const askQueue = async (state: MapState, ports: Pick<Ports, 'engine' | 'clock'>): Promise<Answer> => {
	let listing: readonly JobStatus[];
	try {
		listing = await ports.engine.status(notBeforeMs(state, ports.clock.elapsedMs()));
	} catch (error) {
		if (error instanceof PoolError) throw error;
		return {kind: 'silent', reason: error instanceof Error ? error.message : String(error)};
	}
	state.answeredMs = ports.clock.elapsedMs();
	// The same user may have an array of a hundred thousand elements beside this map.
	const ours = listing.filter(({name}) => isNameOf(state.session, name));
	const byId = new Map(ours.map(job => [job.id, job]));
	const byName = new Map(ours.map(job => [jobKey(job.name, job.element), job]));
	forgetLeft(state, byId, state.answeredMs);
	let hasChanged = false;
	let numFound = 0;
	for (const chunk of openChunks(state)) {
		const current = chunk.attempts.at(-1);
		if (current === undefined) continue;
		// Another number under our name is not the queue-job that we submitted, nor is another name under our number.
		const {jobName, element, jobId} = current;
		const job = jobId === undefined ? byName.get(jobKey(jobName, element)) : byId.get(jobId);
		hasChanged = observe(state, chunk, current, job?.name === jobName ? job : undefined, ports.clock.elapsedMs()) || hasChanged;
		if (jobId === undefined && current.jobId !== undefined) numFound++;
	}
	return {kind: hasChanged ? 'changed' : 'same', numFound, listing: ours};
};

/** What was asked before the last submission does not list it; an answer that was heard is not heard again; and what another map has asked should not be too old. */
const notBeforeMs = ({submittedMs, answeredMs, options}: MapState, nowMs: number): number =>
	Math.max(submittedMs, answeredMs, nowMs - options.pollingIntervalMs / 2);

const observe = (state: MapState, chunk: ChunkState, current: AttemptState, job: JobStatus | undefined, nowMs: number): boolean => {
	const who = {ichunk: chunk.chunk.ichunk, attempt: current.attempt};
	const before = current.job;
	if (job === undefined) {
		current.job = before.kind === 'absent' ? {...before, answers: before.answers + 1} : {kind: 'absent', answers: 1, sinceMs: nowMs};
		return before.kind !== 'absent';
	}
	if (current.jobId === undefined) {
		current.jobId = job.id;
		state.journal.note({event: 'submitted', ...who, jobId: job.id, reason: 'found by its name, its qsub gave no answer'});
	}
	const sinceMs = before.kind === 'listed' && before.state === job.state ? before.sinceMs : nowMs;
	current.job = {kind: 'listed', state: job.state, rawState: job.rawState, sinceMs};
	current.seenStates.add(job.state);
	current.host = job.host ?? current.host;
	// A queue-job that is in the queue again has not ended, whatever was said of it meanwhile.
	if (before.kind === 'absent') {
		current.end = undefined;
		current.numExplanations = 0;
	}
	if (before.kind === 'listed' && before.rawState === job.rawState && before.state === job.state) return false;
	state.journal.note({
		event: job.state === 'running' ? 'running' : 'queue-state',
		...who,
		jobId: job.id,
		state: job.state,
		rawState: job.rawState,
		...(job.host === undefined ? {} : {host: job.host}),
	});
	return true;
};
