/** Removes queue-jobs by their numbers, but none of somebody else. */
import type {MapState} from './map-state.js';
import type {Ports} from './ports.js';

/** What the queue has not heard of is tried again with the next ones, with the next question, and at the end. */
export const removeJobs = async (
	state: MapState,
	{engine, clock}: Pick<Ports, 'engine' | 'clock'>,
	ids: readonly string[],
): Promise<void> => {
	for (const id of ids) state.unremoved.add(id);
	if (state.unremoved.size === 0) return;
	try {
		// What the queue said a moment ago will do: it is asked for this seldom, and then once for all.
		const strangers = await findStrangers(state, state.unremoved, engine, clock.elapsedMs() - state.options.pollingIntervalMs);
		await engine.remove([...state.unremoved].filter(id => !strangers.has(id)));
		state.unremoved.clear();
	} catch (error) {
		state.journal.note({event: 'warning', reason: (error as Error).message});
	}
};

/**
 * Between two processes of a map a scheduler may have begun its numbers anew: what is not called like ours is somebody else's.
 *
 * @param notBeforeMs - As for `Engine.status`.
 */
export const findStrangers = async (
	state: MapState,
	ids: ReadonlySet<string>,
	engine: Ports['engine'],
	notBeforeMs?: number,
): Promise<ReadonlySet<string>> => {
	if (ids.size === 0 || !engine.outlivesProcess || state.owner.number === 1) return new Set();
	const names = new Map(
		state.chunks.flatMap(({attempts}) => attempts.flatMap(({jobId, jobName}) => (jobId === undefined ? [] : [[jobId, jobName] as const]))),
	);
	const listed = await engine.status(notBeforeMs);
	return new Set(listed.filter(({id, name}) => ids.has(id) && names.get(id) !== name).map(({id}) => id));
};
