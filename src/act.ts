/** Does what judge said of one chunk. */
import {noteLeaving} from './capacity.js';
import {PoolError} from './errors.js';
import type {FailureCause, Verdict} from './judge.js';
import {attemptPath, outputFile} from './layout.js';
import type {AttemptFailure, AttemptState, ChunkState, MapState} from './map-state.js';
import type {Ports} from './ports.js';
import type {Reducer} from './reduce.js';
import {refineFailure} from './refine-failure.js';

/**
 * @returns The ids of queue-jobs that are to be removed.
 * @throws PoolError `ERR_POOL_START_FAILED` when no worker of this map can begin.
 */
export const actOn = async (
	state: MapState,
	chunk: ChunkState,
	verdict: Exclude<Verdict, {kind: 'wait'}>,
	{files}: Pick<Ports, 'files'>,
	reducer: Reducer,
): Promise<string[]> => {
	const {ichunk} = chunk.chunk;
	const current = chunk.attempts.at(-1) as AttemptState;
	switch (verdict.kind) {
		case 'done': {
			const counted = chunk.attempts[verdict.attempt - 1] as AttemptState;
			chunk.decision = {kind: 'done', attempt: verdict.attempt};
			// A chunk that is done needs no further attempt.
			state.toSubmit.delete(chunk);
			if (counted.jobId !== undefined) noteLeaving(state, counted.jobId);
			const numFailed = reducer.numFailedIn(ichunk);
			const failed = numFailed === 0 ? {} : {numFailed};
			state.journal.note({event: 'result', ichunk, attempt: verdict.attempt, ...whereIt(counted), ...failed});
			return chunk.attempts.filter(attempt => attempt !== counted).flatMap(attempt => remove(state, ichunk, attempt));
		}
		case 'relax': {
			current.isVoid = true;
			const removed = remove(state, ichunk, current);
			resubmit(state, chunk, verdict.reason);
			return removed;
		}
		case 'resubmit': {
			await giveUp(state, chunk, current, verdict, files);
			const numGivenUp = chunk.attempts.filter(({isVoid}) => !isVoid).length;
			const removed = verdict.isLeft ? [] : remove(state, ichunk, current);
			resubmit(state, chunk, `Resubmitting ${numGivenUp} of ${state.options.maxNumResubmissions}`);
			return removed;
		}
		case 'fail': {
			const failure = await giveUp(state, chunk, current, verdict, files);
			if (verdict.endsMap) {
				throw new PoolError('ERR_POOL_START_FAILED', `No worker can begin: ${failure.reason}`, {workDir: state.workDir});
			}
			const tries = chunk.attempts.length === 1 ? '' : ` (${chunk.attempts.length} attempts)`;
			const last: AttemptFailure = {kind: failure.kind, reason: `${failure.reason}${tries}`};
			await reducer.fail(chunk.chunk, chunk.attempts, last);
			chunk.decision = {kind: 'failed', attempt: current.attempt};
			state.journal.note({
				event: 'chunk-failed',
				ichunk,
				attempt: current.attempt,
				...whereIt(current),
				...last,
				numFailed: reducer.numFailedIn(ichunk),
			});
			return chunk.attempts.flatMap(attempt => remove(state, ichunk, attempt));
		}
	}
};

const whereIt = ({jobId, host}: AttemptState): {jobId?: string; host?: string} => ({
	...(jobId === undefined ? {} : {jobId}),
	...(host === undefined ? {} : {host}),
});

const giveUp = async (
	state: MapState,
	{chunk: {ichunk}}: ChunkState,
	current: AttemptState,
	{cause, reason}: {readonly cause: FailureCause; readonly reason: string},
	files: Ports['files'],
): Promise<AttemptFailure> => {
	const failure = await refineFailure({kind: cause, reason}, outputFile(state.workDir, ichunk, current, 'e'), files);
	current.failure = failure;
	const who = {ichunk, attempt: current.attempt, ...whereIt(current)};
	state.journal.note({event: cause === 'error-state' || cause === 'start-failed' ? cause : 'lost', ...who, ...failure});
	// A queue-job that was given up may come back, and one that was removed may stay.
	state.needsSweep = true;
	if (cause === 'result-unreadable') await setAside(state, ichunk, current, files);
	return failure;
};

/** What can't be read is kept, for whoever wants to know why; under another name, so that nobody takes it for a result. */
const setAside = async (state: MapState, ichunk: number, {attempt}: AttemptState, files: Ports['files']): Promise<void> => {
	const from = attemptPath(state.workDir, ichunk, attempt, 'out');
	const to = attemptPath(state.workDir, ichunk, attempt, 'damaged');
	const reason = await files.rename(from, to).then(
		() => `${from} is now ${to}`,
		(error: Error) => `${from} can't be set aside: ${error.message}`,
	);
	state.journal.note({event: 'set-aside', ichunk, attempt, reason});
};

const resubmit = (state: MapState, chunk: ChunkState, message: string): void => {
	state.journal.note({event: 'resubmitted', ichunk: chunk.chunk.ichunk, attempt: chunk.attempts.length + 1, message});
	state.toSubmit.add(chunk);
};

/** With dynamic chunks a queue-job may have more attempts than this one. */
const attemptsOfJob = (state: MapState, attempt: AttemptState): AttemptState[] =>
	state.options.numJobs === undefined
		? [attempt]
		: state.chunks.flatMap(({attempts}) => attempts.filter(({jobId, jobName}) => jobId === attempt.jobId && jobName === attempt.jobName));

const remove = (state: MapState, ichunk: number, attempt: AttemptState): string[] => {
	if (attempt.jobId === undefined || attempt.isRemoved || attempt.job.kind === 'absent') return [];
	// It is at another chunk by now, or about to end.
	if (state.options.numJobs !== undefined && attempt.hasEnded) return [];
	for (const each of attemptsOfJob(state, attempt)) each.isRemoved = true;
	noteLeaving(state, attempt.jobId);
	// It may not work.
	state.needsSweep = true;
	state.journal.note({event: 'deleted', ichunk, attempt: attempt.attempt, jobId: attempt.jobId});
	return [attempt.jobId];
};
