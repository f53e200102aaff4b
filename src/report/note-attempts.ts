/** What the journal notes of every attempt, and when, by the clock of the process-node. Pure. */
import type {JournalLine} from '../journal.js';

/** When the process-node noted what, in epoch milliseconds. */
export type AttemptNote = {
	/** It is in the queue after that for certain. */
	submittingMs?: number;
	/** About when it was handed over. */
	submittedMs?: number;
	claimedMs?: number;
	runningMs?: number;
	doneMs?: number;
	failedMs?: number;
	deletedMs?: number;
	isCancelled?: boolean;
	reason?: string;
	resources?: JournalLine['resources'];
	home?: JournalLine['home'];
	jobName?: string;
};

export const keyOf = (ichunk: number, attempt: number): string => `${ichunk}.${attempt}`;

export const noteAttempts = (journal: readonly JournalLine[]): Map<string, AttemptNote> => {
	const notes = new Map<string, AttemptNote>();
	for (const line of journal) {
		if (line.ichunk === undefined || line.attempt === undefined || line.event === 'resubmitted') continue;
		const key = keyOf(line.ichunk, line.attempt);
		const note = notes.get(key) ?? {};
		notes.set(key, note);
		noteLine(note, line, Date.parse(line.time));
	}
	spreadSubmissions([...notes.values()]);
	return notes;
};

/** What is submitted together is noted together, before the first and after the last: in between one is handed over after the other. */
const spreadSubmissions = (notes: readonly AttemptNote[]): void => {
	const batches = new Map<string, AttemptNote[]>();
	for (const note of notes) {
		const {submittingMs, submittedMs} = note;
		if (submittingMs === undefined || submittedMs === undefined) continue;
		const key = `${submittingMs} ${submittedMs}`;
		const batch = batches.get(key);
		if (batch === undefined) batches.set(key, [note]);
		else batch.push(note);
	}
	for (const batch of batches.values()) {
		// The elements of an array have one name, and are handed over at once.
		const names = new Map([...new Set(batch.map(({jobName}) => jobName))].map((name, i) => [name, i]));
		for (const note of batch) {
			const {submittingMs = 0, submittedMs = 0} = note;
			const share = ((names.get(note.jobName) ?? 0) + 1) / names.size;
			note.submittedMs = Math.round(submittingMs + share * (submittedMs - submittingMs));
		}
	}
};

const noteLine = (note: AttemptNote, {event, kind, jobName, reason, resources, home}: JournalLine, timeMs: number): void => {
	if (jobName !== undefined) note.jobName = jobName;
	switch (event) {
		case 'submitting':
			note.submittingMs = timeMs;
			if (resources !== undefined) note.resources = resources;
			break;
		case 'submitted':
			note.submittedMs ??= timeMs;
			break;
		case 'claimed':
			note.claimedMs ??= timeMs;
			if (home !== undefined) note.home = home;
			break;
		case 'running':
			note.runningMs ??= timeMs;
			break;
		case 'result':
			note.doneMs = timeMs;
			break;
		case 'chunk-failed':
		case 'lost':
		case 'error-state':
		case 'start-failed':
			if (kind === 'cancelled') note.isCancelled = true;
			else {
				note.failedMs ??= timeMs;
				if (reason !== undefined) note.reason ??= reason;
			}
			break;
		case 'deleted':
			note.deletedMs ??= timeMs;
			break;
	}
};
