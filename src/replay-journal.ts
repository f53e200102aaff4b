/** log.jsonl -> what is known of every chunk: how a map goes on in another process. */
import type {JournalLine} from './journal.js';
import {elementOf} from './layout.js';
import {type AttemptFailure, type AttemptState, type ChunkState, isUnclaimed, type MapState} from './map-state.js';
import {nextAttempt} from './next-attempt.js';

export type Replay = {
	/** Why the chunks failed whose decision is `failed`. */
	readonly failures: ReadonlyMap<ChunkState, AttemptFailure>;
	/** Chunks whose next attempt is to be submitted, whatever becomes of those that there are. */
	readonly due: ReadonlySet<ChunkState>;
};

/** These ended with the map, not with the chunk: when it goes on they are computed. */
const NOT_FINAL: ReadonlySet<string | undefined> = new Set(['cancelled', 'code-changed']);

/** Writes into chunks of which nothing is known what the journal knows of them. The decision `done` is the journal's word: whether its result can be read is for the caller to see. */
export const replayJournal = (lines: readonly JournalLine[], state: MapState): Replay => {
	const failures = new Map<ChunkState, AttemptFailure>();
	const dueAttempts = new Map<ChunkState, number>();
	let owner = 1;
	for (const line of lines) {
		// Who has lost the work_dir and did not know it yet submits nothing; what it noted all the same is not what happened.
		if ((line.owner ?? 1) < owner) continue;
		owner = line.owner ?? 1;
		const {ichunk, attempt: number} = line;
		const chunk = ichunk === undefined ? undefined : state.chunks[ichunk];
		if (chunk === undefined) continue;
		if (line.event === 'chunk-failed') {
			if (NOT_FINAL.has(line.kind)) {
				const last = chunk.attempts.at(-1);
				// What could not be removed is there, and may bring the result.
				const isThere = last !== undefined && last.failure === undefined && !last.isRemoved;
				if (!isThere && !isUnclaimed(state, chunk)) dueAttempts.set(chunk, chunk.attempts.length + 1);
				continue;
			}
			chunk.decision = {kind: 'failed', attempt: number ?? 0};
			failures.set(chunk, failureOf(line));
			continue;
		}
		if (number === undefined) continue;
		if (line.event === 'resubmitted') {
			dueAttempts.set(chunk, number);
			const before = chunk.attempts[number - 2];
			// What was not given up for a failure was taken back while it waited.
			if (before !== undefined) before.isVoid = before.failure === undefined;
		} else replayAttempt(line, number, chunk, state);
	}
	return {failures, due: new Set([...dueAttempts].flatMap(([chunk, number]) => (number > chunk.attempts.length ? [chunk] : [])))};
};

const replayAttempt = (line: JournalLine, number: number, chunk: ChunkState, state: MapState): void => {
	if (line.event === 'not-submitted') {
		// Its number is free again.
		if (chunk.attempts.length === number && chunk.attempts.at(-1)?.jobId === undefined) chunk.attempts.pop();
		return;
	}
	const attempt = attemptOf(number, chunk, state);
	if (line.jobName !== undefined) {
		attempt.jobName = line.jobName;
		if (line.event === 'claimed') attempt.home = line.home;
		attempt.element = elementOf(state.session, line.jobName, (attempt.home ?? chunk.chunk).ichunk);
	}
	attempt.jobId = line.jobId ?? attempt.jobId;
	attempt.host = line.host ?? attempt.host;
	if (line.state !== undefined) attempt.seenStates.add(line.state);
	switch (line.event) {
		case 'deleted':
			attempt.isRemoved = true;
			break;
		case 'lost':
		case 'error-state':
		case 'start-failed':
			attempt.failure = failureOf(line);
			break;
		case 'result':
			chunk.decision = {kind: 'done', attempt: number};
			break;
	}
};

const failureOf = ({kind = 'lost', reason = ''}: JournalLine): AttemptFailure => ({kind, reason});

/** An attempt that is known to have been; those before it were, too, whatever is known of them. */
export const attemptOf = (number: number, chunk: ChunkState, state: MapState): AttemptState => {
	while (chunk.attempts.length < number) chunk.attempts.push(nextAttempt(state, chunk));
	return chunk.attempts[number - 1] as AttemptState;
};
