/** Says what a map waits for that another process has left: without a word it would stand still for the grace time. */
import {formatDuration} from './format-duration.js';
import {type ChunkState, type MapState, openChunks} from './map-state.js';
import type {Ports} from './ports.js';

/**
 * To be made before anything is submitted by this process, and called when the queue was asked and the work_dir was listed after that. Says it once: what is lost
 * later was seen in the queue.
 */
export const createAbsenceTeller = (state: MapState, {tell}: Pick<Ports, 'tell'>): (() => void) => {
	// The first process submits all that it waits for.
	const left = state.owner.number === 1 ? [] : openChunks(state);
	const inherited = new Map(left.map(chunk => [chunk, chunk.attempts.at(-1)]));
	let isSaid = left.length === 0;
	return () => {
		if (isSaid || state.answeredMs === Number.NEGATIVE_INFINITY) return;
		isSaid = true;
		const absent = left.filter(chunk => chunk.attempts.at(-1) === inherited.get(chunk) && isWaitedFor(state, chunk));
		if (absent.length === 0) return;
		const whose =
			absent.length === 1 ? `the queue-job of chunk ${absent[0]?.chunk.ichunk} is` : `the queue-jobs of ${absent.length} chunks are`;
		const reason = `${whose} not in the queue any more, and left no result that can be seen: waiting up to ${formatDuration(state.options.graceMs)} (\`graceMs\`) for one`;
		state.journal.note({event: 'warning', reason});
		tell(`queue-map-reduce: ${reason}`);
	};
};

/** Nothing is known of how it ended, so its result may only be late. */
const isWaitedFor = ({toSubmit}: Pick<MapState, 'toSubmit'>, chunk: ChunkState): boolean => {
	const last = chunk.attempts.at(-1);
	const isGone = last?.job.kind === 'absent' && !last.isRemoved && last.end === undefined;
	return isGone && last.result.kind !== 'start-failed' && chunk.decision.kind === 'open' && !toSubmit.has(chunk);
};
