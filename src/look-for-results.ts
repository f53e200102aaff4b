/** Lists the work_dir and reads the results that have come. */
import {PoolError} from './errors.js';
import {attemptPath, parseCancelName, parseChunkFile} from './layout.js';
import {type AttemptState, type ChunkState, type MapState, openChunks} from './map-state.js';
import type {Ports} from './ports.js';
import type {Reducer} from './reduce.js';
import {takeClaims} from './take-claims.js';

/** @returns Whether there was anything new. @throws PoolError `ERR_POOL_CANCELLED` when somebody has asked for that. */
export const lookForResults = async (
	state: MapState,
	{files, clock}: Pick<Ports, 'files' | 'clock'>,
	reducer: Reducer,
): Promise<'changed' | 'same'> => {
	const open = new Map<number, ChunkState>(openChunks(state).map(chunk => [chunk.chunk.ichunk, chunk]));
	let outcome: 'changed' | 'same' = 'same';
	// A listing, not a question for each file: it refreshes what a network file system remembers of the directory.
	const names = await files.list(state.workDir);
	if (names.some(name => parseCancelName(name) === state.owner.number)) throw cancelled(state.workDir);
	const found = names.flatMap(name => parseChunkFile(name) ?? []);
	// First: what a claimed chunk has left belongs to an attempt that is known by its claim alone.
	if (await takeClaims(state, found, {files})) outcome = 'changed';
	for (const file of found) {
		// A worker makes it when it has fn.
		if (file.kind === 'part') state.anyWorkerStarted = true;
		if (file.kind === 'tasks' || file.kind === 'claim') continue;
		const chunk = open.get(file.ichunk);
		const attempt = chunk?.attempts[file.attempt - 1];
		if (chunk === undefined || attempt === undefined) continue;
		attempt.hasFiles = true;
		if (file.kind === 'out' || file.kind === 'damaged') attempt.hasEnded = true;
		// One whole result is enough; a start that failed has no more to say.
		if (file.kind !== 'out' || attempt.result.kind === 'start-failed') continue;
		if (chunk.attempts.some(({result}) => result.kind === 'whole')) continue;
		const before = attempt.result;
		await read(state, chunk, attempt, clock.elapsedMs(), reducer);
		if (attempt.result.kind !== before.kind) outcome = 'changed';
	}
	return outcome;
};

const cancelled = (workDir: string): PoolError =>
	new PoolError('ERR_POOL_CANCELLED', `Somebody has cancelled the map by \`qmr cancel\`. To go on with it: qmr resume ${workDir}`, {
		workDir,
	});

const read = async (state: MapState, chunk: ChunkState, attempt: AttemptState, nowMs: number, reducer: Reducer): Promise<void> => {
	const path = attemptPath(state.workDir, chunk.chunk.ichunk, attempt.attempt, 'out');
	const collected = await reducer.collect(chunk.chunk, chunk.attempts, attempt.attempt, path);
	if (collected.kind === 'damaged') {
		const before = attempt.result;
		attempt.result = {kind: 'damaged', reason: collected.reason, sinceMs: before.kind === 'damaged' ? before.sinceMs : nowMs};
		if (before.kind !== 'damaged') {
			state.journal.note({event: 'result-damaged', ichunk: chunk.chunk.ichunk, attempt: attempt.attempt, reason: collected.reason});
		}
		return;
	}
	attempt.host = collected.host;
	attempt.result = collected.kind === 'whole' ? {kind: 'whole'} : {kind: 'start-failed', cause: collected.cause, reason: collected.reason};
	if (collected.kind === 'whole') state.anyWorkerStarted = true;
};
