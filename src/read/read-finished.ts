/** What the attempts at a chunk have on the disk, also those that died: how far each came, and the outcomes themselves. */
import {type PartScan, readBlocks, scanPart} from '../block-file/scan-part.js';
import type {Chunk} from '../chunks.js';
import type {ProgressFacts} from '../judge.js';
import {type AttemptFileKind, attemptPath} from '../layout.js';
import type {Files} from '../ports.js';
import {type Block, BlockFileError, type Source, sourceOfHeader} from '../v8-serialize-helpers.js';

type Place = {readonly session: string; readonly workDir: string};

/**
 * How far an attempt came; undefined when it has no file that can be read.
 *
 * @throws What the file system says when it can't read just now: what is finished must not count as lost for that.
 */
export const readProgress = async (
	files: Pick<Files, 'openSource'>,
	place: Place,
	{ichunk}: Pick<Chunk, 'ichunk'>,
	attempt: number,
): Promise<ProgressFacts | undefined> => {
	const found = await withPart(files, place, ichunk, attempt, async scan => scan, rejectOutage);
	return found && {numFinished: found.numFinished, mark: found.mark, over: found.over?.index};
};

export type Finished = {
	readonly blocks: readonly Block[];
	/** Where the attempts ran that these are from. */
	readonly sources: readonly Source[];
};

/** The longest row of outcomes that any attempt has finished; each takes over what it finds of earlier ones. */
export const readFinished = async (
	files: Pick<Files, 'openSource'>,
	place: Place,
	{ichunk}: Pick<Chunk, 'ichunk'>,
	attempts: readonly {readonly attempt: number}[],
): Promise<Finished> => {
	let best: Finished = {blocks: [], sources: []};
	let numFinished = 0;
	for (const {attempt} of attempts) {
		const found = await withPart(files, place, ichunk, attempt, async (scan, read) =>
			scan.numFinished > numFinished ? {blocks: await read(scan), sources: sourcesOf(scan)} : undefined,
		);
		const last = found?.blocks.at(-1);
		if (found === undefined || last === undefined || last.first + last.count <= numFinished) continue;
		best = found;
		numFinished = last.first + last.count;
	}
	return best;
};

/** What an attempt that may still be at work has finished from the task with this index on. What can't be read is read another time. */
export const readGrowth = async (
	files: Pick<Files, 'openSource'>,
	place: Place,
	{ichunk}: Pick<Chunk, 'ichunk'>,
	attempt: number,
	from: number,
): Promise<Finished> => {
	const found = await withPart(files, place, ichunk, attempt, async (scan, read) => {
		const frames = scan.frames.filter(({first, count}) => first + count > from);
		return {blocks: await read({...scan, frames}), sources: sourcesOf(scan)};
	});
	return found ?? {blocks: [], sources: []};
};

const sourcesOf = ({header}: PartScan): Source[] => [...(header.sources ?? []), sourceOfHeader(header)];

/** Under which name an attempt's outcomes may be. */
const NAMES: readonly AttemptFileKind[] = ['out', 'part', 'damaged'];

const withPart = async <T>(
	files: Pick<Files, 'openSource'>,
	{session, workDir}: Place,
	ichunk: number,
	attempt: number,
	use: (scan: PartScan, read: (scan: PartScan) => Promise<readonly Block[]>) => Promise<T>,
	onError: (error: Error) => void = () => undefined,
): Promise<T | undefined> => {
	for (const kind of NAMES) {
		try {
			const source = await files.openSource(attemptPath(workDir, ichunk, attempt, kind));
			try {
				return await use(await scanPart(source, {session, ichunk}), ({frames}) => readBlocks(source, frames));
			} finally {
				await source.close();
			}
		} catch (error) {
			// Not there under this name, or nothing of it can be trusted: then it is as if it were not there.
			if (!(error instanceof BlockFileError || (error instanceof Error && 'code' in error))) throw error;
			onError(error);
		}
	}
	return undefined;
};

/** These say that there is no such file of a worker, and will not pass. */
const LASTING: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP']);

const rejectOutage = (error: NodeJS.ErrnoException): void => {
	if (error.syscall !== undefined && !LASTING.has(error.code)) throw error;
};
