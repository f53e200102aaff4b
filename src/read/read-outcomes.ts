/** Reads a result file, and trusts nothing in it before it is known to be whole and to belong here. */
import {readHeader} from '../block-file/block-file-header.js';
import {createReader} from '../block-file/byte-source.js';
import type {Files} from '../ports.js';
import {type Block, BlockFileError, type FileHeader, openBlockFile, type Source, sourceOfHeader} from '../v8-serialize-helpers.js';
import type {OutcomesTrailer, WorkerUsage} from '../worker/outcomes-trailer.js';

export type OutcomeFile =
	| {
			readonly kind: 'whole';
			readonly host: string;
			readonly jobId: string | undefined;
			readonly run: AttemptRun;
			readonly stderrBytes: number;
			readonly notices: readonly string[];
			/** Where the attempts ran that the outcomes are from. */
			readonly sources: readonly Source[];
			readonly blocks: readonly Block[];
	  }
	/** The worker could begin no task. */
	| {readonly kind: 'start-failed'; readonly cause: 'start-failed' | 'code-changed'; readonly host: string; readonly reason: string}
	| {readonly kind: 'damaged'; readonly reason: string};

/** What a worker says of its time at a chunk, by the clock of its host. */
export type AttemptRun = {readonly host: string; readonly startedAt: Date; readonly endedAt?: Date; readonly usage?: WorkerUsage};

export type ExpectedFile = {readonly session: string; readonly ichunk: number; readonly attempt: number; readonly numTasks: number};

export const readOutcomeFile = async (files: Pick<Files, 'openSource'>, path: string, expected: ExpectedFile): Promise<OutcomeFile> => {
	try {
		const source = await files.openSource(path);
		try {
			const file = await openBlockFile(source);
			const {header} = file;
			const stranger = findMismatch(header, expected);
			if (stranger !== undefined) return {kind: 'damaged', reason: `${path}: ${stranger}`};
			const trailer = file.trailer as OutcomesTrailer;
			if (trailer.startFailed !== undefined) {
				const {kind, message} = trailer.startFailed;
				const cause = kind === 'code-changed' ? kind : 'start-failed';
				return {kind: 'start-failed', cause, host: header.host, reason: `on ${header.host}: ${message}`};
			}
			if (file.numEntries !== expected.numTasks) {
				return {kind: 'damaged', reason: `${path}: it holds ${file.numEntries} of ${expected.numTasks} outcomes`};
			}
			const blocks: Block[] = [];
			for (let i = 0; i < file.numBlocks; i++) blocks.push(await file.readBlock(i));
			const {stderrBytes, notices = []} = trailer;
			const {host, jobId} = header;
			const own = sourceOfHeader(header);
			const sources = [...trailer.sources.filter(({attempt}) => attempt !== own.attempt), own];
			return {kind: 'whole', host, jobId, run: runOf(header, trailer), stderrBytes, notices, sources, blocks};
		} finally {
			await source.close();
		}
	} catch (error) {
		// Whatever can't be read may be a stale view of a network file system: it is looked at again.
		if (error instanceof BlockFileError) return {kind: 'damaged', reason: `${path}: ${error.message}`};
		if (error instanceof Error && 'code' in error) return {kind: 'damaged', reason: error.message};
		throw error;
	}
};

/** As far as its file tells, which may still grow or have been cut off. Undefined when there is none that can be read. */
export const readRun = async (
	files: Pick<Files, 'openSource'>,
	path: string,
	session: string,
	attempt: number,
): Promise<AttemptRun | undefined> => {
	try {
		const source = await files.openSource(path);
		try {
			const {header} = await readHeader(await createReader(source), source.size);
			if (header.session !== session || header.attempt !== attempt) return undefined;
			const trailer = await openBlockFile(source).then(
				file => file.trailer as OutcomesTrailer,
				() => undefined,
			);
			return runOf(header, trailer);
		} finally {
			await source.close();
		}
	} catch (error) {
		if (error instanceof BlockFileError || (error instanceof Error && 'code' in error)) return undefined;
		throw error;
	}
};

const runOf = ({host, writtenAt}: FileHeader, trailer: OutcomesTrailer | undefined): AttemptRun => ({
	host,
	startedAt: new Date(trailer?.beganAt ?? writtenAt),
	...(trailer === undefined ? {} : {endedAt: new Date(trailer.endedAt)}),
	...(trailer?.usage === undefined ? {} : {usage: trailer.usage}),
});

const findMismatch = (
	header: {kind: string; session: string; ichunk: number; attempt?: number},
	expected: ExpectedFile,
): string | undefined => {
	if (header.kind !== 'outcomes') return `it holds ${header.kind}, not outcomes`;
	if (header.session !== expected.session) return `it belongs to the session ${header.session}`;
	return header.ichunk === expected.ichunk && header.attempt === expected.attempt
		? undefined
		: `it belongs to attempt ${header.attempt} at chunk ${header.ichunk}`;
};
