/** Consecutive tasks that one queue-job computes one after the other. */
export type Chunk = {readonly ichunk: number; readonly firstTask: number; readonly numTasks: number};

export type Chunking =
	| {readonly kind: 'num-chunks'; readonly numChunks: number}
	| {readonly kind: 'chunk-size'; readonly chunkSize: number}
	/** One task a chunk, but no more chunks than this. */
	| {readonly kind: 'at-most'; readonly numChunks: number};

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
