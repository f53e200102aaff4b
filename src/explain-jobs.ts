/** Asks the scheduler why queue-jobs are in an error state, why they ended without a result, and why they wait. */
import type {JobQuestion} from './engines/engine.js';
import {formatDuration} from './format-duration.js';
import {type AttemptState, type ChunkState, type MapState, openChunks} from './map-state.js';
import {resourcesOf} from './next-attempt.js';
import type {Ports} from './ports.js';

/**
 * After so many answers without it a queue-job is asked for in the accounting. Not at the first: most jobs that leave the queue have written
 * their result, and show it a moment later.
 */
const EXPLAIN_AFTER_ANSWERS = 2;
/**
 * Accounting is written seconds after the end of a job, or much later on a master under load, if at all. Each time twice as many answers are waited for:
 * with the intervals by default this lasts as long as the grace time, with shorter ones half a minute.
 */
const MAX_EXPLANATIONS = 6;
/** So long at the most between two looks at the queue: accounting files can be gigabytes, and a thousand queue-jobs in an error state are as many questions. */
const EXPLAIN_FOR_MS = 5000;

/** Those that it does not come to are asked about next time. */
export const explainJobs = async (state: MapState, ports: Pick<Ports, 'engine' | 'clock' | 'tell'>): Promise<void> => {
	const {engine, clock} = ports;
	const untilMs = clock.elapsedMs() + EXPLAIN_FOR_MS;
	let longest: {chunk: ChunkState; current: AttemptState; sinceMs: number} | undefined;
	for (const chunk of openChunks(state)) {
		const current = chunk.attempts.at(-1);
		if (current?.jobId === undefined || state.toSubmit.has(chunk)) continue;
		const {job} = current;
		if (job.kind === 'listed' && isWaiting(current) && job.sinceMs < (longest?.sinceMs ?? Number.POSITIVE_INFINITY))
			longest = {chunk, current, sinceMs: job.sinceMs};
		const question = toQuestion(current);
		if (question === undefined || current.end !== undefined || current.numExplanations >= MAX_EXPLANATIONS) continue;
		if (clock.elapsedMs() >= untilMs) return;
		current.numExplanations++;
		current.end = await engine.explain(ask(state, chunk, current, question));
		current.host ??= current.end?.host;
	}
	if (longest !== undefined) await explainWaiting(state, ports, longest);
};

const toQuestion = ({job, result, numExplanations}: AttemptState): 'error' | 'ended' | undefined => {
	if (job.kind === 'listed') return job.state === 'error' ? 'error' : undefined;
	const isDue = job.kind === 'absent' && job.answers >= EXPLAIN_AFTER_ANSWERS * 2 ** numExplanations;
	return isDue && result.kind === 'none' ? 'ended' : undefined;
};

const ask = (
	state: MapState,
	chunk: ChunkState,
	{jobId = '', jobName, attempt, home}: AttemptState,
	question: JobQuestion['state'],
): JobQuestion => {
	const submittedFor = home === undefined ? undefined : state.chunks[home.ichunk];
	return {
		id: jobId,
		name: jobName,
		state: question,
		resources: resourcesOf(state, submittedFor ?? chunk, home?.attempt ?? attempt),
	};
};

const isWaiting = ({job, isWaitExplained}: AttemptState): boolean =>
	job.kind === 'listed' && (job.state === 'pending' || job.state === 'held') && !isWaitExplained;

/** One queue-job between two looks at the queue: a thousand that wait for the same thing are no reason for a thousand questions at once. */
const explainWaiting = async (
	state: MapState,
	{engine, clock, tell}: Pick<Ports, 'engine' | 'clock' | 'tell'>,
	{chunk, current, sinceMs}: {chunk: ChunkState; current: AttemptState; sinceMs: number},
): Promise<void> => {
	const {pendingWarnMs} = state.options;
	const forMs = clock.elapsedMs() - sinceMs;
	if (pendingWarnMs === false || forMs < pendingWarnMs) return;
	current.isWaitExplained = true;
	const answer = await engine.explain(ask(state, chunk, current, 'pending'));
	const reason = answer?.reason ?? 'the queue does not say why';
	const {ichunk} = chunk.chunk;
	state.journal.note({event: 'waiting', ichunk, attempt: current.attempt, jobId: current.jobId as string, reason});
	// Once for each reason: the journal has it for every queue-job.
	if (state.toldWaits.has(reason)) return;
	state.toldWaits.add(reason);
	tell(`queue-map-reduce: the queue-job ${current.jobId} of chunk ${ichunk} has waited for ${formatDuration(forMs)}: ${reason}`);
};
