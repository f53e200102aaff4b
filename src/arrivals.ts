/** Gives outcomes as they arrive, also those of chunks that are still being computed. What is not asked for is not read. */
import type {Chunk} from './chunks.js';
import {makePieces, type PieceInput} from './make-pieces.js';
import type {ChunkState, MapState} from './map-state.js';
import {type Outcome, type Piece, toOutcomes} from './outcome.js';
import type {Clock} from './ports.js';
import {readGrowth} from './read/read-finished.js';
import type {Reducer} from './reduce.js';

export type Arrivals = {
	/** In the order in which they come. */
	readonly unordered: () => AsyncGenerator<Outcome<unknown>>;
	/** In task order. */
	readonly ordered: () => AsyncGenerator<Outcome<unknown>>;
	/** How many chunks have been taken to their end. */
	readonly numTaken: () => number;
};

export type ArrivalsInput = PieceInput & {
	readonly state: MapState;
	readonly reducer: Reducer;
	readonly clock: Pick<Clock, 'elapsedMs' | 'sleep'>;
	/** Ends the waiting for a file that can't be read just now. */
	readonly signal: AbortSignal;
	/** Resolves when there may be something new. To be asked for before one looks. */
	readonly nextRound: () => Promise<void>;
	/** Whether nothing new will come. */
	readonly isOver: () => boolean;
};

/** Of chunks that were begun: the index of the task that is given next. Everybody who iterates has his own. */
type Cursors = Map<number, number>;

/** Chunks that are being computed are looked at no more often than this, … */
const LOOK_EVERY_MS = 1000;
/** … and for no more than this part of the time: there may be a thousand of them. */
const LOOK_SHARE = 0.1;

export const createArrivals = (input: ArrivalsInput): Arrivals => {
	const {state, reducer, clock, nextRound, isOver} = input;
	let numTaken = 0;
	let lookMs = Number.NEGATIVE_INFINITY;

	/** What a chunk has beyond what was given of it. */
	const takeFrom = async function* ({chunk, attempts, decision}: ChunkState, cursors: Cursors): AsyncGenerator<Outcome<unknown>> {
		let next = cursors.get(chunk.ichunk) ?? 0;
		if (next < chunk.numTasks) {
			const pieces = decision.kind === 'open' ? await growthOf(input, chunk, attempts, next) : readPatiently(input, chunk);
			for await (const piece of pieces) {
				next = Math.max(next, piece.first);
				for (const outcome of toOutcomes(piece, next)) {
					next++;
					cursors.set(chunk.ichunk, next);
					yield outcome;
				}
			}
		}
		// As long as it is not decided it is asked for again.
		if (decision.kind === 'open') return;
		cursors.delete(chunk.ichunk);
		reducer.forget(chunk.ichunk);
		numTaken++;
	};

	const isLookDue = (): boolean => clock.elapsedMs() >= lookMs;
	const hasLooked = (sinceMs: number): void => {
		const nowMs = clock.elapsedMs();
		lookMs = nowMs + Math.max(LOOK_EVERY_MS, (nowMs - sinceMs) / LOOK_SHARE);
	};

	return {
		numTaken: () => numTaken,
		ordered: async function* () {
			const cursors: Cursors = new Map();
			for (let ichunk = 0; ; ) {
				const wasOver = isOver();
				const round = nextRound();
				const chunk = state.chunks[ichunk];
				const isDecided = chunk !== undefined && chunk.decision.kind !== 'open';
				if (chunk !== undefined && (isDecided || isLookDue())) {
					const sinceMs = clock.elapsedMs();
					yield* takeFrom(chunk, cursors);
					if (!isDecided) hasLooked(sinceMs);
				}
				if (isDecided) ichunk++;
				else if (wasOver) return;
				else await round;
			}
		},
		unordered: async function* () {
			const cursors: Cursors = new Map();
			const open = new Set<ChunkState>();
			for (let numSeen = 0; ; ) {
				const wasOver = isOver();
				const round = nextRound();
				for (; numSeen < state.chunks.length; numSeen++) open.add(state.chunks[numSeen] as ChunkState);
				const decided = [...open].filter(({decision}) => decision.kind !== 'open');
				for (const chunk of decided) {
					open.delete(chunk);
					yield* takeFrom(chunk, cursors);
				}
				if (wasOver) return;
				if (isLookDue()) {
					const sinceMs = clock.elapsedMs();
					// One that was decided meanwhile is taken to its end in the next round, and only there.
					for (const chunk of open) if (isGrowing(chunk)) yield* takeFrom(chunk, cursors);
					hasLooked(sinceMs);
				}
				if (decided.length === 0) await round;
			}
		},
	};
};

const isGrowing = ({attempts, decision}: ChunkState): boolean => decision.kind === 'open' && attempts.at(-1)?.hasFiles === true;

/** A file that can't be read just now is tried again. */
const RETRY_MS = 5000;

/** From the beginning again when it was tried again: what was taken is passed over. */
const readPatiently = async function* ({state, reducer, clock, signal}: ArrivalsInput, {ichunk}: Chunk): AsyncGenerator<Piece> {
	const sinceMs = clock.elapsedMs();
	for (;;) {
		try {
			yield* reducer.piecesOf(ichunk);
			return;
		} catch (error) {
			if (signal.aborted || clock.elapsedMs() - sinceMs >= state.options.outageLimitMs) throw error;
			await clock.sleep(RETRY_MS, signal);
		}
	}
};

const growthOf = async (
	input: ArrivalsInput,
	chunk: Chunk,
	attempts: ChunkState['attempts'],
	from: number,
): Promise<Awaited<ReturnType<typeof makePieces>>> => {
	const attempt = attempts.at(-1)?.attempt;
	if (attempt === undefined) return [];
	const {blocks, sources} = await readGrowth(input.files, input.state, chunk, attempt, from);
	return makePieces(input, chunk, attempts, blocks, sources);
};
