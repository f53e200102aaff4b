/** Replaces queue-jobs that have ended between two chunks: no chunk misses them, but there are fewer now to claim what is left. */
import {hostname} from 'node:os';
import {encodeClaim} from './claim-file.js';
import type {JobStatus} from './engines/engine.js';
import {MISSED_ANSWERS} from './judge.js';
import {claimPath, parseJobName} from './layout.js';
import {type ChunkState, isUnclaimed, type MapState, openChunks} from './map-state.js';
import type {Ports} from './ports.js';
import type {Reducer} from './reduce.js';

export type Refill = {
	/** The queue has answered. */
	readonly answered: (listing: readonly JobStatus[]) => void;
	/** Claims chunks for as many queue-jobs as are missing, and has them submitted. To be called when the work_dir was listed since the last answer, and all chunks are judged. */
	readonly fill: () => Promise<void>;
};

export const createRefill = (state: MapState, ports: Pick<Ports, 'files' | 'clock'>, reducer: Reducer): Refill => {
	const {numJobs, unreachableAfterMs} = state.options;
	if (numJobs === undefined) return {answered: () => undefined, fill: async () => undefined};
	let listing: readonly JobStatus[] | undefined;
	/** How many were missing in the last answers, one after the other. */
	let missing: number[] = [];
	const unreachableSinceMs = new Map<string, number>();
	const wereDeleted = findDeleted(state);

	/** What is in an error state or being deleted will claim nothing more, nor, as far as is known, what can't be reached. */
	const isLiving = ({id, name, state: jobState}: JobStatus, nowMs: number): boolean => {
		if (parseJobName(state.session, name) === undefined || jobState === 'deleting' || jobState === 'error') return false;
		if (jobState !== 'unreachable') return unreachableSinceMs.delete(id) || true;
		const sinceMs = unreachableSinceMs.get(id) ?? nowMs;
		unreachableSinceMs.set(id, sinceMs);
		return unreachableAfterMs === false || nowMs - sinceMs < unreachableAfterMs;
	};

	return {
		answered: answer => {
			listing = answer;
		},
		fill: async () => {
			const answer = listing;
			listing = undefined;
			if (answer === undefined) return;
			const nowMs = ports.clock.elapsedMs();
			const living = new Set(answer.flatMap(job => (isLiving(job, nowMs) ? [job.id] : [])));
			// Those that were given up may stay where they are.
			for (const id of findRemoved(state)) living.delete(id);
			// One that has left the queue under a chunk is replaced when that is submitted again.
			for (const id of findExpected(state)) living.add(id);
			missing = [...missing, numJobs - living.size - state.toSubmit.size].slice(-MISSED_ANSWERS);
			// A stream may bring some later.
			const unclaimed = state.chunks.filter(chunk => isUnclaimed(state, chunk));
			if (missing.length < MISSED_ANSWERS || unclaimed.length === 0) return;
			// What somebody has deleted is not brought back.
			const numDeleted = [...findDeleted(state)].filter(id => !wereDeleted.has(id)).length;
			const numMissing = Math.min(...missing) - numDeleted;
			if (numMissing > 0) {
				missing = [];
				await claim(state, unclaimed, numMissing, ports);
			} else if (Math.min(...missing) === numJobs) await failDeleted(state, unclaimed, reducer);
		},
	};
};

/** The queue-jobs that have a chunk which is not decided. */
const findExpected = (state: MapState): string[] =>
	openChunks(state).flatMap(chunk => {
		const current = chunk.attempts.at(-1);
		return current === undefined || state.toSubmit.has(chunk) ? [] : [current.jobId ?? current.jobName];
	});

const findRemoved = ({chunks}: MapState): string[] =>
	chunks.flatMap(({attempts}) => attempts.flatMap(({isRemoved, jobId}) => (isRemoved && jobId !== undefined ? [jobId] : [])));

/** The queue-jobs that were deleted under a chunk, and not by this map. */
const findDeleted = ({chunks}: MapState): Set<string> =>
	new Set(chunks.flatMap(({attempts}) => attempts.flatMap(({failure, jobId}) => (failure?.kind === 'deleted' && jobId ? [jobId] : []))));

const failDeleted = async (state: MapState, unclaimed: readonly ChunkState[], reducer: Reducer): Promise<void> => {
	const failure = {kind: 'deleted', reason: 'all queue-jobs of the map were deleted, and not by this map'} as const;
	for (const chunk of unclaimed) {
		await reducer.fail(chunk.chunk, chunk.attempts, failure);
		chunk.decision = {kind: 'failed', attempt: 0};
		state.journal.note({event: 'chunk-failed', ichunk: chunk.chunk.ichunk, ...failure, numFailed: chunk.chunk.numTasks});
	}
};

/** Of those that others have claimed meanwhile the next listing tells. */
const claim = async (
	state: MapState,
	unclaimed: readonly ChunkState[],
	numWanted: number,
	{files}: Pick<Ports, 'files'>,
): Promise<void> => {
	let numClaimed = 0;
	for (const chunk of unclaimed) {
		if (numClaimed === numWanted) break;
		const {ichunk} = chunk.chunk;
		const home = {ichunk, attempt: 1, stdoutFrom: 0, stderrFrom: 0};
		try {
			await files.create(claimPath(state.workDir, ichunk), [[encodeClaim({host: hostname(), home})]]);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
			throw error;
		}
		state.toSubmit.add(chunk);
		state.journal.note({event: 'warning', ichunk, reason: 'a queue-job is missing: this chunk is submitted in its place'});
		numClaimed++;
	}
};
