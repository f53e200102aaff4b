/** Reads run.json, which may be missing, damaged, or of another version. */
import {basename} from 'node:path';
import {type Chunk, type Chunking, cutChunks, streamChunkSize, withItasks} from '../chunks.js';
import type {JournalLine} from '../journal.js';
import {MANIFEST, tasksPath} from '../layout.js';
import {MANIFEST_FORMAT, type Manifest} from '../manifest.js';
import type {Files} from '../ports.js';
import {BlockFileError, openBlockFile} from '../v8-serialize-helpers.js';
import {readWhole} from './read-whole.js';

export type FoundManifest =
	| {readonly kind: 'found'; readonly manifest: Manifest}
	| {readonly kind: 'missing'}
	| {readonly kind: 'damaged'; readonly reason: string}
	| {readonly kind: 'other-format'; readonly reason: string};

export const readManifest = async (workDir: string, files: Pick<Files, 'openSource'>): Promise<FoundManifest> => {
	const path = `${workDir}/${MANIFEST}`;
	const text = (await readWhole(files, path))?.toString();
	if (text === undefined) return {kind: 'missing'};
	let manifest: Manifest | null;
	try {
		manifest = JSON.parse(text) as Manifest | null;
	} catch (error) {
		return {kind: 'damaged', reason: `${path} is damaged: ${(error as Error).message}`};
	}
	if (manifest?.format === MANIFEST_FORMAT) {
		// Chunks can't be found without these.
		const isWhole = typeof manifest.session === 'string' && typeof manifest.options === 'object' && manifest.options !== null;
		return isWhole ? {kind: 'found', manifest} : {kind: 'damaged', reason: `${path} is damaged: it lacks what every map has`};
	}
	const reason = `Expected ${path} to be of format ${MANIFEST_FORMAT}, got ${manifest?.format}. It was written by another version.`;
	return {kind: 'other-format', reason};
};

export type FoundChunks = {
	readonly chunks: Chunk[];
	/** Of a stream whose process ended before it was all written: the first task that is missing. */
	readonly firstMissing: number | undefined;
};

/**
 * The chunks of a map, as they were cut: also of a chunk whose file is damaged it is known which tasks it holds.
 *
 * @param names - Of the files of the work_dir: of a stream they tell how far it came.
 * @param journal - Of a stream it tells how many tasks there are, once it is all written, and how long the chunks are that were closed before they were full.
 */
export const findChunks = async (
	manifest: Pick<Manifest, 'session' | 'numTasks' | 'numChunks' | 'options' | 'stream' | 'itasks'>,
	workDir: string,
	names: readonly string[],
	journal: readonly JournalLine[],
	files: Pick<Files, 'openSource'>,
): Promise<FoundChunks> => {
	const {stream, options} = manifest;
	if (manifest.numTasks !== null && manifest.numChunks !== null) {
		const chunking: Chunking =
			typeof options.chunkSize === 'number'
				? {kind: 'chunk-size', chunkSize: options.chunkSize}
				: {kind: 'num-chunks', numChunks: manifest.numChunks};
		return {chunks: withItasks(cutChunks(manifest.numTasks, chunking), manifest.itasks), firstMissing: undefined};
	}
	const numTasks = completeTasks(journal);
	const cutSizes = findCutSizes(journal);
	const written = new Set(names);
	const chunks: Chunk[] = [];
	let firstTask = 0;
	// Once it is known how many there are a file that is missing hides none of those behind it.
	const isThere = (ichunk: number): boolean =>
		numTasks === undefined ? written.has(basename(tasksPath('', ichunk))) : firstTask < numTasks;
	for (let ichunk = 0; stream !== undefined && isThere(ichunk); ichunk++) {
		const chunk = {
			ichunk,
			firstTask,
			numTasks: Math.min(cutSizes.get(ichunk) ?? streamChunkSize(firstTask, stream), (numTasks ?? Number.POSITIVE_INFINITY) - firstTask),
		};
		chunks.push(chunk);
		firstTask += chunk.numTasks;
	}
	if (numTasks !== undefined) return {chunks, firstMissing: undefined};
	// The last of a stream that had just come to its end may be shorter.
	const last = chunks.pop();
	if (last === undefined) return {chunks, firstMissing: 0};
	const numInLast = await countTasks(workDir, last, files);
	chunks.push({...last, numTasks: numInLast});
	// One that is shorter was the last: only its process had no time to say so.
	return {chunks, firstMissing: numInLast < last.numTasks ? undefined : last.firstTask + numInLast};
};

/** Of a damaged file it must be supposed that it is full. */
const countTasks = async (workDir: string, {ichunk, numTasks}: Chunk, files: Pick<Files, 'openSource'>): Promise<number> => {
	const source = await files.openSource(tasksPath(workDir, ichunk));
	try {
		return (await openBlockFile(source)).numEntries;
	} catch (error) {
		if (error instanceof BlockFileError) return numTasks;
		throw error;
	} finally {
		await source.close();
	}
};

/** How many tasks a stream had, when the journal tells. */
const completeTasks = (journal: readonly JournalLine[]): number | undefined =>
	journal.find(({event, numTasks}) => event === 'tasks-complete' && numTasks !== undefined)?.numTasks;

/** By ichunk. The last word counts: a process may have ended before it wrote the chunk. */
const findCutSizes = (journal: readonly JournalLine[]): ReadonlyMap<number, number> => {
	const sizes = new Map<number, number>();
	let owner = 1;
	for (const {event, ichunk, numTasks, owner: by = 1} of journal) {
		// Who has lost the work_dir and did not know it yet has written no chunk.
		if (by < owner) continue;
		owner = by;
		if (event === 'chunk-cut' && ichunk !== undefined && numTasks !== undefined) sizes.set(ichunk, numTasks);
	}
	return sizes;
};
