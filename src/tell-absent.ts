/** Says what a map waits for that another process has left: without a word it would stand still for the grace time. */
import {formatDuration} from './format-duration.js';
import {type ChunkState, type MapState, openChunks} from './map-state.js';
import type {Ports} from './ports.js';

/** To be called when the queue was asked and the work_dir was listed after that. Says it once: of what is lost later this process sees the end itself. */
export const createAbsenceTeller = (state: MapState, {tell}: Pick<Ports, 'tell'>): (() => void) => {
	// The first process submits all that it waits for.
	let isSaid = state.owner.number === 1;
	return () => {
		if (isSaid || state.answeredMs === Number.NEGATIVE_INFINITY) return;
		isSaid = true;
		const ichunks = openChunks(state).flatMap(each => (isWaitedFor(state, each) ? [each.chunk.ichunk] : []));
		if (ichunks.length === 0) return;
		const whose = ichunks.length === 1 ? `the queue-job of chunk ${ichunks[0]} is` : `the queue-jobs of ${ichunks.length} chunks are`;
		const reason = `${whose} not in the queue any more, and left no result that can be seen: waiting up to ${formatDuration(state.options.graceMs)} (\`graceMs\`) for one`;
		state.journal.note({event: 'warning', reason});
		tell(`queue-map-reduce: ${reason}`);
	};
};

/** Nothing is known of how it ended, so its result may only be late. */
const isWaitedFor = ({toSubmit}: Pick<MapState, 'toSubmit'>, chunk: ChunkState): boolean => {
	const last = chunk.attempts.at(-1);
	return (
		last?.job.kind === 'absent' && !last.isRemoved && last.end === undefined && last.result.kind !== 'start-failed' && !toSubmit.has(chunk)
	);
};
