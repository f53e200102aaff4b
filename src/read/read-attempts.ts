/** The queue-jobs of one chunk: what the journal tells of them, and what they themselves say in their files. */
import type {JournalLine} from '../journal.js';
import {attemptPath, type ChunkFile} from '../layout.js';
import type {Files} from '../ports.js';
import {type AttemptRun, readRun} from './read-outcomes.js';
import type {AttemptRecord} from './read-work-dir.js';

export type AttemptFiles = {
	readonly workDir: string;
	readonly session: string;
	readonly ichunk: number;
	readonly files: readonly ChunkFile[];
	/** Of attempts whose file was read already. */
	readonly runs: ReadonlyMap<number, AttemptRun>;
};

export const readAttempts = async (
	files: Pick<Files, 'openSource'>,
	events: readonly JournalLine[],
	{workDir, session, ichunk, files: chunkFiles, runs}: AttemptFiles,
): Promise<AttemptRecord[]> =>
	Promise.all(
		replayAttempts(events).map(async (record): Promise<AttemptRecord> => {
			const file = chunkFiles.find(({kind, ...rest}) => HAS_HEADER.has(kind) && 'attempt' in rest && rest.attempt === record.attempt);
			const run =
				runs.get(record.attempt) ??
				(file && (await readRun(files, attemptPath(workDir, ichunk, record.attempt, file.kind as 'out'), session, record.attempt)));
			if (run === undefined) return record;
			// The worker itself knows best where it ran.
			return {...record, ...run};
		}),
	);

/** Files at whose beginning a worker says who it is. */
const HAS_HEADER: ReadonlySet<ChunkFile['kind']> = new Set(['out', 'part', 'start', 'damaged']);

const replayAttempts = (events: readonly JournalLine[]): AttemptRecord[] => {
	const attempts = new Map<number, AttemptRecord>();
	for (const {event, attempt, jobName, jobId, host, time, reason} of events) {
		// `resubmitted` only announces the next attempt; `submitting` begins it.
		if (attempt === undefined || event === 'resubmitted') continue;
		const before = attempts.get(attempt);
		attempts.set(attempt, {
			attempt,
			jobName: jobName ?? before?.jobName,
			jobId: jobId ?? before?.jobId,
			host: host ?? before?.host,
			submittedAt: event === 'submitted' ? time : before?.submittedAt,
			lastEvent: event,
			reason: reason ?? before?.reason,
		});
	}
	return [...attempts.values()];
};
