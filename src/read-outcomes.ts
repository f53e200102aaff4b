/** Reads a result file, and trusts nothing in it before it is known to be whole and to belong here. */
import type {Files} from './ports.js';
import {type Block, BlockFileError, openBlockFile, type Source, sourceOfHeader} from './v8-serialize-helpers.js';
import type {OutcomesTrailer} from './worker/outcomes-trailer.js';

export type OutcomeFile =
	| {
			readonly kind: 'whole';
			readonly host: string;
			readonly jobId: string | undefined;
			readonly stderrBytes: number;
			readonly notices: readonly string[];
			/** Where the attempts ran that the outcomes are from. */
			readonly sources: readonly Source[];
			readonly blocks: readonly Block[];
	  }
	/** The worker could begin no task. */
	| {readonly kind: 'start-failed'; readonly cause: 'start-failed' | 'code-changed'; readonly host: string; readonly reason: string}
	| {readonly kind: 'damaged'; readonly reason: string};

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
			return {kind: 'whole', host, jobId, stderrBytes, notices, sources, blocks};
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
