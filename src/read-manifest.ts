/** Reads run.json, which may be missing, damaged, or of another version. */
import {type Chunk, cutChunks} from './chunks.js';
import {MANIFEST} from './layout.js';
import {MANIFEST_FORMAT, type Manifest} from './manifest.js';
import type {Files} from './ports.js';
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
	if (manifest?.format === MANIFEST_FORMAT) return {kind: 'found', manifest};
	const reason = `Expected ${path} to be of format ${MANIFEST_FORMAT}, got ${manifest?.format}. It was written by another version.`;
	return {kind: 'other-format', reason};
};

/** As they were cut: also of a chunk whose file is damaged it is known which tasks it holds. */
export const chunksOf = ({numTasks, numChunks, options: {chunkSize}}: Pick<Manifest, 'numTasks' | 'numChunks' | 'options'>): Chunk[] =>
	cutChunks(numTasks, typeof chunkSize === 'number' ? {kind: 'chunk-size', chunkSize} : {kind: 'num-chunks', numChunks});
