/** A row for every queue-job, from the journal and from what the workers say. Pure. */
import type {JournalLine} from '../journal.js';
import type {AttemptRecord, TaskRecord} from '../read-work-dir.js';
import {type Asked, askedResources} from './asked-resources.js';
import type {ReportInput} from './collect-report.js';
import {type ClockSample, estimateClocks} from './host-clocks.js';
import {type AttemptNote, keyOf, noteAttempts} from './note-attempts.js';
import type {JobRow} from './report-data.js';

export type CollectedJobs = {
	readonly jobs: readonly JobRow[];
	/** By name, in their order. */
	readonly hosts: readonly string[];
	readonly clocks: ReadonlyMap<string, number>;
	readonly asks: readonly Asked[];
};

/** @param beganAtMs - When the map began: where times begin. */
export const collectJobs = ({tasks, chunks, journal, manifest}: ReportInput, beganAtMs: number): CollectedJobs => {
	const notes = noteAttempts(journal);
	const ended = endedAtMs(journal);
	const attempts = chunks.flatMap(({ichunk, attempts: records}) =>
		records.flatMap(record => {
			const note = notes.get(keyOf(ichunk, record.attempt)) ?? {};
			// What was never submitted is no queue-job.
			return isThere(record, note) ? [{ichunk, record, note}] : [];
		}),
	);
	const clocks = estimateClocks(attempts.flatMap(({record, note}) => toSample(record, note)));
	const hosts = [...new Set(attempts.flatMap(({record: {host}}) => host ?? []))].sort((a, b) => a.localeCompare(b, 'en', {numeric: true}));
	const hostIndex = new Map(hosts.map((host, i) => [host, i]));
	const work = sumWork(tasks);
	const asks = new Map<string, {readonly index: number; readonly asked: Asked}>();
	const jobs = attempts.map(({ichunk, record, note}): JobRow => {
		// A claimed chunk has what its queue-job was submitted with.
		const submitted = note.home === undefined ? note : notes.get(keyOf(note.home.ichunk, note.home.attempt));
		const asked = askedResources(submitted?.resources, manifest.options);
		const askKey = JSON.stringify(asked);
		const ask = asks.get(askKey) ?? {index: asks.size, asked};
		asks.set(askKey, ask);
		const times = placeTimes(record, note, clocks.get(record.host ?? '') ?? 0, ended);
		const fromStart = (ms: number | undefined): number | null => (ms === undefined ? null : Math.max(0, Math.round(ms - beganAtMs)));
		return {
			ichunk,
			attempt: record.attempt,
			jobId: record.jobId ?? null,
			host: hostIndex.get(record.host ?? '') ?? null,
			state: times.state,
			submittedMs: fromStart(times.submittedMs),
			beganMs: fromStart(times.beganMs),
			endedMs: fromStart(times.endedMs),
			...(work.get(keyOf(ichunk, record.attempt)) ?? {numTasks: 0, numFailed: 0, computingMs: 0}),
			cpuMs: record.usage === undefined ? null : record.usage.userMs + record.usage.systemMs,
			memoryBytes: record.usage?.maxRssBytes ?? null,
			ask: ask.index,
			reason: times.state === 'failed' ? (note.reason ?? record.reason ?? null) : null,
		};
	});
	return {jobs, hosts, clocks, asks: [...asks.values()].map(({asked}) => asked)};
};

/** When the map ended; undefined while it goes on, also again. */
export const endedAtMs = (journal: readonly JournalLine[]): number | undefined => {
	const last = journal.findLast(({event}) => event === 'ended' || event === 'resumed');
	return last?.event === 'ended' ? Date.parse(last.time) : undefined;
};

const isThere = ({startedAt}: AttemptRecord, {submittedMs, claimedMs, runningMs, doneMs}: AttemptNote): boolean =>
	[submittedMs, claimedMs, runningMs, doneMs, startedAt].some(time => time !== undefined);

const toSample = ({host, startedAt, endedAt}: AttemptRecord, {submittingMs, submittedMs, doneMs}: AttemptNote): ClockSample[] =>
	host === undefined
		? []
		: [
				{
					host,
					beganAtMs: startedAt?.getTime(),
					endedAtMs: endedAt?.getTime(),
					submittedAtMs: submittingMs ?? submittedMs,
					seenAtMs: doneMs,
				},
			];

type PlacedTimes = Pick<JobRow, 'state'> & {
	readonly submittedMs: number | undefined;
	readonly beganMs: number | undefined;
	readonly endedMs: number | undefined;
};

/** What a worker says is better than when the process-node saw it, but must fit between what that noted. */
const placeTimes = (
	{startedAt, endedAt}: AttemptRecord,
	note: AttemptNote,
	aheadMs: number,
	mapEndedMs: number | undefined,
): PlacedTimes => {
	const {submittingMs, claimedMs, runningMs, doneMs, failedMs, deletedMs} = note;
	const noBefore = (ms: number | undefined, least: number | undefined): number | undefined =>
		ms === undefined ? undefined : Math.max(ms, least ?? ms);
	const saidMs = startedAt === undefined ? undefined : startedAt.getTime() - aheadMs;
	const beganMs = noBefore(saidMs ?? runningMs ?? claimedMs ?? doneMs, submittingMs ?? note.submittedMs);
	// Many are submitted before that is noted of any: the first may have begun by then.
	const submittedMs = note.submittedMs === undefined ? undefined : Math.min(note.submittedMs, beganMs ?? note.submittedMs);
	const goneMs = doneMs ?? failedMs ?? deletedMs ?? mapEndedMs;
	const workerEndedMs = endedAt === undefined ? undefined : Math.min(endedAt.getTime() - aheadMs, goneMs ?? Number.POSITIVE_INFINITY);
	const endedMs = noBefore(workerEndedMs ?? goneMs, beganMs ?? submittedMs);
	const state =
		doneMs !== undefined
			? 'done'
			: failedMs !== undefined
				? 'failed'
				: note.isCancelled || deletedMs !== undefined || mapEndedMs !== undefined
					? 'cancelled'
					: endedMs !== undefined
						? 'done'
						: beganMs !== undefined
							? 'running'
							: 'waiting';
	return {state, submittedMs, beganMs, endedMs};
};

type Work = Pick<JobRow, 'numTasks' | 'numFailed' | 'computingMs'>;

const sumWork = (tasks: readonly TaskRecord[]): Map<string, Work> => {
	const sums = new Map<string, {numTasks: number; numFailed: number; computingMs: number}>();
	for (const {ichunk, attempt, state, elapsedMs, outcome, rerun} of tasks) {
		// What a rerun has computed is not the work of these queue-jobs.
		if (attempt === undefined || outcome === undefined || rerun !== undefined) continue;
		const key = keyOf(ichunk, attempt);
		const sum = sums.get(key) ?? {numTasks: 0, numFailed: 0, computingMs: 0};
		sums.set(key, sum);
		sum.numTasks++;
		if (state === 'failed') sum.numFailed++;
		sum.computingMs += elapsedMs ?? 0;
	}
	return sums;
};
