/** What earlier attempts at this chunk have left: their finished tasks, and what was under way when they ended. */
import {basename} from 'node:path';
import {type PartScan, scanPart} from '../block-file/scan-part.js';
import {attemptPath} from '../layout.js';
import {BlockFileError} from '../v8-serialize-helpers.js';
import type {ChunkId} from './chunk-id.js';
import {systemCodeOf} from './worker-error.js';
import type {WorkerPorts} from './worker-files.js';

export type EarlierAttempts = {
	/** The file with the most finished tasks; undefined when there are none. */
	readonly longest: {readonly path: string; readonly scan: PartScan} | undefined;
	/** Of every attempt that did not come to its end: which tasks may have been under way. */
	readonly begun: readonly {readonly attempt: number; readonly finished: number; readonly begunUpTo: number}[];
	/** By index: the task for which its worker was ended, and how long it took. */
	readonly overs: ReadonlyMap<number, {readonly attempt: number; readonly elapsedMs: number}>;
	/** Attempts of which it is not known what they have begun. */
	readonly damaged: readonly number[];
};

export const NO_EARLIER_ATTEMPTS: EarlierAttempts = {longest: undefined, begun: [], overs: new Map(), damaged: []};

/** A file may be renamed, or not be visible yet, while it is looked for. */
const NUM_LOOKS = 3;
const LOOK_AGAIN_MS = 1000;

export const findEarlierAttempts = async (id: ChunkId, session: string, {files, clock}: WorkerPorts): Promise<EarlierAttempts> => {
	// Nothing is before the first one, and most chunks have no other.
	if (id.attempt === 1) return NO_EARLIER_ATTEMPTS;
	for (let look = 1; ; look++) {
		const found = await lookOnce(id, session, files);
		if (found.isComplete || look === NUM_LOOKS) return found;
		await clock.sleep(LOOK_AGAIN_MS);
	}
};

const lookOnce = async (
	{workDir, ichunk, attempt: own}: ChunkId,
	session: string,
	files: WorkerPorts['files'],
): Promise<EarlierAttempts & {readonly isComplete: boolean}> => {
	let longest: EarlierAttempts['longest'];
	const begun: {attempt: number; finished: number; begunUpTo: number}[] = [];
	const overs = new Map<number, {attempt: number; elapsedMs: number}>();
	const damaged: number[] = [];
	let isComplete = true;
	const listed = new Set(await files.list(workDir));
	// Asked for by name: of a network file system this host may have a listing that is older than they are.
	for (const {attempt, kind} of candidates(own)) {
		const path = attemptPath(workDir, ichunk, attempt, kind);
		const scan = await scanFile(path, {session, ichunk}, files);
		if (scan === 'missing' && !listed.has(basename(path))) continue;
		if (scan === 'missing' || scan === 'gone') isComplete = false;
		// Its worker ended before it could begin anything.
		else if (scan === 'empty' && kind === 'part') continue;
		else if (typeof scan === 'string') damaged.push(attempt);
		else {
			if (scan.isDamaged || (kind !== 'part' && !scan.isWhole)) damaged.push(attempt);
			// One that came to its end died in no task. What comes after the task that took too long was not begun.
			if (kind === 'part' && scan.mark !== undefined)
				begun.push({attempt, ...scan.mark, ...(scan.over && {begunUpTo: scan.over.index + 1})});
			if (scan.over !== undefined) overs.set(scan.over.index, {attempt, elapsedMs: scan.over.elapsedMs});
			if (scan.numFinished > (longest?.scan.numFinished ?? 0)) longest = {path, scan};
		}
	}
	return {longest, begun, overs, damaged, isComplete};
};

/** Under which names earlier attempts may have left outcomes; a file goes from one name to the next. */
const candidates = (own: number): {attempt: number; kind: 'part' | 'out' | 'damaged'}[] =>
	Array.from({length: own - 1}, (_, i) => (['part', 'out', 'damaged'] as const).map(kind => ({attempt: i + 1, kind}))).flat();

const scanFile = async (
	path: string,
	expected: {readonly session: string; readonly ichunk: number},
	files: WorkerPorts['files'],
): Promise<PartScan | 'missing' | 'gone' | 'empty' | 'unreadable'> => {
	try {
		const source = await files.openSource(path);
		try {
			return await scanPart(source, expected);
		} finally {
			await source.close();
		}
	} catch (error) {
		if (error instanceof BlockFileError) return error.reason === 'truncated' ? 'empty' : 'unreadable';
		const code = systemCodeOf(error);
		if (code === undefined) throw error;
		return code === 'ENOENT' ? 'missing' : 'gone';
	}
};
