/** Leaves no queue-job behind, however a map ends. */

import {parseJobName} from './layout.js';
import type {MapState} from './map-state.js';
import {openChunks} from './map-state.js';
import type {Ports} from './ports.js';

/** Removes the queue-jobs of chunks that are not decided, and whatever a submission without an answer may have left in the queue. */
export const endMap = async (state: MapState, {engine}: Pick<Ports, 'engine'>): Promise<void> => {
	const ids = openChunks(state).flatMap(({chunk, attempts}) =>
		attempts.flatMap(attempt => {
			if (attempt.jobId === undefined || attempt.isRemoved) return [];
			attempt.isRemoved = true;
			state.journal.note({event: 'deleted', ichunk: chunk.ichunk, attempt: attempt.attempt, jobId: attempt.jobId});
			return [attempt.jobId];
		}),
	);
	if (ids.length > 0) await engine.remove(ids);
	// A queue ends by itself what has brought its result; of child processes none is to be left when the map returns.
	if (engine.statusCost === 'none') await engine.remove(state.chunks.flatMap(({attempts}) => attempts.flatMap(({jobId}) => jobId ?? [])));
	if (state.anyUnanswered) await sweep(state, engine);
	await state.journal.flush({durable: false});
};

const sweep = async (state: MapState, engine: Ports['engine']): Promise<void> => {
	const known = new Set(state.chunks.flatMap(({attempts}) => attempts.flatMap(({jobId}) => jobId ?? [])));
	try {
		const strays = (await engine.status()).filter(({id, name, state: jobState}) => {
			return parseJobName(state.session, name) !== undefined && !known.has(id) && jobState !== 'deleting';
		});
		for (const {id, name} of strays)
			state.journal.note({event: 'deleted', jobId: id, jobName: name, reason: 'its submission had no answer'});
		if (strays.length > 0) await engine.remove(strays.map(({id}) => id));
	} catch (error) {
		// The map has ended all the same: say what may be left, and where it is to be seen.
		state.journal.note({
			event: 'warning',
			reason: `a queue-job named q${state.session}#… may be left in the queue: ${(error as Error).message}`,
		});
	}
};
