/** Consecutive tasks that one queue-job computes one after the other. */
export type Chunk = {
	readonly ichunk: number;
	readonly firstTask: number;
	readonly numTasks: number;
	/** Of some tasks of another map, computed again: which ones these are there. */
	readonly itasks?: readonly number[];
};

/** What a task is called by people: of a task that is computed again, its index in the first map. */
export const itaskOf = ({firstTask, itasks}: Chunk, index: number): number => itasks?.[index] ?? firstTask + index;

/** Tells chunks which tasks of another map they hold; `itasks`: of all chunks together. */
export const withItasks = (chunks: readonly Chunk[], itasks: readonly number[] | undefined): Chunk[] =>
	chunks.map(chunk => (itasks === undefined ? chunk : {...chunk, itasks: itasks.slice(chunk.firstTask, chunk.firstTask + chunk.numTasks)}));

export type Chunking =
	| {readonly kind: 'num-chunks'; readonly numChunks: number}
	| {readonly kind: 'chunk-size'; readonly chunkSize: number}
	/** One task a chunk, but no more chunks than this. */
	| {readonly kind: 'at-most'; readonly numChunks: number};

/** How a stream of tasks is cut, whose number nobody knows. */
export type StreamChunking =
	| Extract<Chunking, {kind: 'chunk-size'}>
	/** A chunk holds this part of the tasks that came before it, at least one: a short stream is spread over many queue-jobs, and a long one does not make too many. */
	| {readonly kind: 'growing'; readonly share: number};

/** A longer chunk is begun too late, and is too much in the hands of one queue-job. */
const MAX_GROWN_CHUNK = 65_536;

/** The most tasks that the chunk has which begins with this one. */
export const streamChunkSize = (firstTask: number, chunking: StreamChunking): number =>
	chunking.kind === 'chunk-size' ? chunking.chunkSize : Math.min(MAX_GROWN_CHUNK, Math.max(1, Math.floor(firstTask / chunking.share)));

/**
 * Tasks 0 to `numTasks - 1` cut into chunks, every task in exactly one, in order. No chunk is empty, so there are never more chunks than
 * tasks; `numChunks` chunks differ in size by one task at most, the larger ones first; with `chunkSize` only the last may be smaller.
 */
export const cutChunks = (numTasks: number, chunking: Chunking): Chunk[] =>
	chunking.kind === 'chunk-size' ? cutBySize(numTasks, chunking.chunkSize) : cutEvenly(numTasks, chunking.numChunks);

const cutBySize = (numTasks: number, chunkSize: number): Chunk[] =>
	Array.from({length: Math.ceil(numTasks / chunkSize)}, (_, ichunk) => {
		const firstTask = ichunk * chunkSize;
		return {ichunk, firstTask, numTasks: Math.min(chunkSize, numTasks - firstTask)};
	});

const cutEvenly = (numTasks: number, wanted: number): Chunk[] => {
	const numChunks = Math.min(wanted, numTasks);
	const size = Math.floor(numTasks / numChunks);
	const numLarger = numTasks % numChunks;
	return Array.from({length: numChunks}, (_, ichunk) => ({
		ichunk,
		firstTask: ichunk * size + Math.min(ichunk, numLarger),
		numTasks: ichunk < numLarger ? size + 1 : size,
	}));
};
