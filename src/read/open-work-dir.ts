/** What is known of a map before any of its tasks is read: its manifest, its journal, and which files its chunks have. */
import {join, resolve} from 'node:path';
import type {Chunk} from '../chunks.js';
import {PoolError} from '../errors.js';
import {type JournalLine, parseJournal} from '../journal.js';
import {type ChunkFile, JOURNAL, MANIFEST, parseChunkFile, SHARED_VALUE} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {realFiles} from '../ports.js';
import {trustWorkDir} from '../trust-work-dir.js';
import {findChunks, readManifest} from './read-manifest.js';
import {readWhole} from './read-whole.js';

export type OpenWorkDir = {
	/** Absolute. */
	readonly workDir: string;
	readonly manifest: Manifest;
	readonly journal: readonly JournalLine[];
	readonly chunks: readonly KnownChunk[];
	/** Of a stream that is not all written: the first task that is missing. */
	readonly firstMissing: number | undefined;
	/** The file with the value of the option `shared`. */
	readonly sharedPath: string | undefined;
	/** The names of its files. */
	readonly names: readonly string[];
	/** What can't be read, and why; it grows as more is read. */
	readonly problems: string[];
};

export type KnownChunk = {
	readonly chunk: Chunk;
	/** What the journal says of it. */
	readonly events: readonly JournalLine[];
	readonly files: readonly ChunkFile[];
};

/** @throws PoolError `ERR_POOL_WORK_DIR` when it is no work_dir of a format that this version knows, or others could have written there. */
export const openWorkDir = async (path: string): Promise<OpenWorkDir> => {
	const workDir = resolve(path);
	await trustWorkDir(workDir, 'read');
	const manifest = await requireManifest(workDir);
	const problems: string[] = [];
	const names = await realFiles.list(workDir);
	const journal = await readJournal(workDir, names, problems);
	const eventsByChunk = groupByChunk(journal);
	const filesByChunk = groupByChunk(names.flatMap(name => parseChunkFile(name) ?? []));
	const found = await findChunks(manifest, workDir, names, journal, realFiles);
	if (found.firstMissing !== undefined) problems.push(`task ${found.firstMissing} and those after it are not written (yet)`);
	const sharedPath = manifest.sharedBytes === undefined ? undefined : join(workDir, SHARED_VALUE);
	if (sharedPath !== undefined && !names.includes(SHARED_VALUE)) problems.push(`${sharedPath}: it is missing`);
	const chunks = found.chunks.map(chunk => ({
		chunk,
		events: eventsByChunk.get(chunk.ichunk) ?? [],
		files: filesByChunk.get(chunk.ichunk) ?? [],
	}));
	return {workDir, manifest, journal, chunks, firstMissing: found.firstMissing, sharedPath, names, problems};
};

const readJournal = async (workDir: string, names: readonly string[], problems: string[]): Promise<JournalLine[]> => {
	const path = join(workDir, JOURNAL);
	const text = (await readWhole(realFiles, path))?.toString();
	if (text === undefined && names.includes(JOURNAL)) problems.push(`${path}: it can't be read`);
	const journal = parseJournal(text ?? '');
	// The last one may still be being written.
	const numDamaged =
		(text ?? '')
			.split('\n')
			.slice(0, -1)
			.filter(line => line !== '').length - journal.length;
	if (numDamaged > 0) problems.push(`${path}: ${numDamaged} of its lines can't be read`);
	return journal;
};

const groupByChunk = <Item extends {readonly ichunk?: number}>(items: readonly Item[]): Map<number, Item[]> => {
	const groups = new Map<number, Item[]>();
	for (const item of items) {
		if (item.ichunk === undefined) continue;
		const group = groups.get(item.ichunk);
		if (group === undefined) groups.set(item.ichunk, [item]);
		else group.push(item);
	}
	return groups;
};

const requireManifest = async (workDir: string): Promise<Manifest> => {
	const found = await readManifest(workDir, realFiles);
	if (found.kind === 'found') return found.manifest;
	const problem = found.kind === 'missing' ? `Expected a work_dir, got ${workDir}, which has no ${MANIFEST}.` : found.reason;
	throw new PoolError('ERR_POOL_WORK_DIR', problem, {workDir});
};
