/** Does what judge said of one chunk. */
import {PoolError} from './errors.js';
import type {Verdict} from './judge.js';
import type {AttemptState, ChunkState, MapState} from './map-state.js';
import type {Reducer} from './reduce.js';

/**
 * @returns The ids of queue-jobs that are to be removed.
 * @throws PoolError `ERR_POOL_START_FAILED` when no worker of this map can begin.
 */
export const actOn = async (
	state: MapState,
	chunk: ChunkState,
	verdict: Exclude<Verdict, {kind: 'wait'}>,
	reducer: Reducer,
): Promise<string[]> => {
	const {ichunk} = chunk.chunk;
	const current = chunk.attempts.at(-1) as AttemptState;
	const who = {ichunk, attempt: current.attempt, ...whereIt(current)};
	switch (verdict.kind) {
		case 'done': {
			const counted = chunk.attempts[verdict.attempt - 1] as AttemptState;
			chunk.decision = {kind: 'done', attempt: verdict.attempt};
			// A chunk that is done needs no further attempt.
			state.toSubmit.delete(chunk);
			state.journal.note({event: 'result', ichunk, attempt: verdict.attempt, ...whereIt(counted)});
			return chunk.attempts.filter(attempt => attempt !== counted).flatMap(attempt => remove(state, ichunk, attempt));
		}
		case 'resubmit': {
			const {maxNumResubmissions} = state.options;
			state.journal.note({event: verdict.cause, ...who, reason: verdict.reason});
			// A queue-job that was given up may come back, and one that was removed may stay.
			state.needsSweep = true;
			const removed = remove(state, ichunk, current);
			state.journal.note({
				event: 'resubmitted',
				ichunk,
				attempt: current.attempt + 1,
				message: `Resubmitting ${current.attempt} of ${maxNumResubmissions}`,
			});
			state.toSubmit.add(chunk);
			return removed;
		}
		case 'fail': {
			state.journal.note({event: verdict.cause, ...who, reason: verdict.reason});
			if (verdict.endsMap) {
				throw new PoolError('ERR_POOL_START_FAILED', `No worker can begin: ${verdict.reason}`, {workDir: state.workDir});
			}
			chunk.decision = {kind: 'failed', attempt: current.attempt};
			state.needsSweep = true;
			const tries = chunk.attempts.length === 1 ? '' : ` (${chunk.attempts.length} attempts)`;
			await reducer.fail(chunk.chunk, current, verdict.cause, `${verdict.reason}${tries}`);
			state.journal.note({event: 'chunk-failed', ...who, kind: verdict.cause, reason: `${verdict.reason}${tries}`});
			return remove(state, ichunk, current);
		}
	}
};

const whereIt = ({jobId, host}: AttemptState): {jobId?: string; host?: string} => ({
	...(jobId === undefined ? {} : {jobId}),
	...(host === undefined ? {} : {host}),
});

const remove = (state: MapState, ichunk: number, attempt: AttemptState): string[] => {
	if (attempt.jobId === undefined || attempt.isRemoved || attempt.job.kind === 'absent') return [];
	attempt.isRemoved = true;
	state.journal.note({event: 'deleted', ichunk, attempt: attempt.attempt, jobId: attempt.jobId});
	return [attempt.jobId];
};
