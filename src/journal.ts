/**
 * log.jsonl: what happened in a map, one event a line. People read it, and it says which attempts there were and which one counts.
 */
import type {JobResources, JobState} from './engines/engine.js';
import type {TaskErrorKind} from './errors.js';
import type {Home} from './layout.js';
import type {Mask} from './mask-environment.js';
import type {Clock, Files} from './ports.js';
import {readWhole} from './read/read-whole.js';

export type JournalEvent = {
	readonly event:
		| 'tasks-complete'
		| 'chunk-cut'
		| 'submitting'
		| 'submitted'
		| 'claimed'
		| 'not-submitted'
		| 'running'
		| 'queue-state'
		| 'error-state'
		| 'deleted'
		| 'resubmitted'
		| 'result'
		| 'result-damaged'
		| 'start-failed'
		| 'lost'
		| 'chunk-failed'
		| 'waiting'
		| 'set-aside'
		| 'queue-silent'
		| 'queue-answers'
		| 'warning'
		| 'resumed'
		| 'detached'
		| 'ended';
	readonly ichunk?: number;
	readonly attempt?: number;
	readonly jobId?: string;
	readonly jobName?: string;
	readonly host?: string;
	/** Of a claimed chunk: what its queue-job was submitted for. */
	readonly home?: Home;
	readonly state?: JobState;
	/** The scheduler's own letters, as `Eqw`. */
	readonly rawState?: string;
	/** Why a queue-job or a chunk has failed: what is said of its tasks. */
	readonly kind?: TaskErrorKind;
	/** Why, in words. */
	readonly reason?: string;
	/** Of `submitting`: what is asked for, when there is anything. */
	readonly resources?: JobResources;
	/** Of `tasks-complete` and `ended`: of them all. Of `chunk-cut`: of that chunk, whatever the rule is by which the stream is cut. */
	readonly numTasks?: number;
	/** Of `result`, `chunk-failed` and `ended`: how many of the tasks of the chunk, or of the map, have no result; absent for none. */
	readonly numFailed?: number;
	/** Of `chunk-failed` and `ended`: how many of those were only not computed, for the map was ended before; absent for none. */
	readonly numCancelled?: number;
	/** For people. */
	readonly message?: string;
};

/** A line of log.jsonl. */
export type JournalLine = JournalEvent & {
	/** UTC. */
	readonly time: string;
	/** Who wrote it, by the number of the owner; absent for the first. */
	readonly owner?: number;
};

export type Journal = {
	/** Notes events; they are written, in order, by the next `flush`. */
	readonly note: (...events: readonly JournalEvent[]) => void;
	/** Writes what was noted; with `durable` it is on the disk when the promise resolves. May be called again before that. */
	readonly flush: (options: {readonly durable: boolean}) => Promise<void>;
};

export type JournalWriter = {
	/** The number of the owner who writes: what one notes who has lost the work_dir is told from what the next one does. */
	readonly owner?: number;
	/** For the words of programs and of workers; all else is of our own making. */
	readonly mask?: Mask;
	/** Told of every event that is noted. */
	readonly onEvent?: ((event: JournalEvent) => void) | undefined;
};

export const openJournal = (
	path: string,
	files: Pick<Files, 'append' | 'openSource'>,
	clock: Clock,
	{owner = 1, mask = text => text, onEvent}: JournalWriter = {},
): Journal => {
	const by = owner === 1 ? {} : {owner};
	// A crash, or a disk that was full, may have torn off the last line: the next one must not be lost with it.
	let mayBeTorn = owner > 1;
	let lines = '';
	let isDurable = false;
	/** Of the last flush, as long as it is under way. */
	let last: Promise<void> | undefined;

	const write = async (): Promise<void> => {
		if (lines === '') return;
		const text = mayBeTorn && (await isTorn(path, files)) ? `\n${lines}` : lines;
		const numTaken = lines.length;
		const durable = isDurable;
		isDurable = false;
		try {
			await files.append(path, text, {durable});
		} catch (error) {
			// The next flush tries again: an event that was noted is not lost to a disk that is full for a while.
			mayBeTorn = true;
			isDurable ||= durable;
			throw error;
		}
		mayBeTorn = false;
		lines = lines.slice(numTaken);
	};

	return {
		note: (...events) => {
			const time = new Date(clock.nowMs()).toISOString();
			for (const event of events) {
				lines += `${JSON.stringify({time, ...by, ...event, ...maskWords(event, mask)})}\n`;
				onEvent?.(event);
			}
		},
		flush: ({durable}) => {
			// Whoever writes first writes all that was noted, also what somebody else wants to be durable.
			isDurable ||= durable && lines !== '';
			// One after the other: two at a time would write the same lines twice.
			const flushed = last === undefined ? write() : last.then(write);
			const clear = (): void => {
				if (last === over) last = undefined;
			};
			const over = flushed.then(clear, clear);
			last = over;
			return flushed;
		},
	};
};

const isTorn = async (path: string, files: Pick<Files, 'openSource'>): Promise<boolean> => {
	const text = await readWhole(files, path);
	return text !== undefined && text.length > 0 && text.at(-1) !== NEWLINE;
};

const NEWLINE = 0x0a;

const maskWords = ({reason, message}: JournalEvent, mask: Mask): Pick<JournalEvent, 'reason' | 'message'> => ({
	...(reason === undefined ? {} : {reason: mask(reason)}),
	...(message === undefined ? {} : {message: mask(message)}),
});

/** Reads a journal's text; a last line that was torn off by a crash, and whatever else is no event, is left out. */
export const parseJournal = (text: string): JournalLine[] => {
	const lines = text.split('\n');
	// Whole lines end with a newline, so the last piece is empty or torn; so may be the last line of every owner before.
	lines.pop();
	return lines.flatMap(line => {
		try {
			const event: unknown = JSON.parse(line);
			return isJournalLine(event) ? [event] : [];
		} catch {
			return [];
		}
	});
};

const isJournalLine = (line: unknown): line is JournalLine =>
	typeof line === 'object' &&
	line !== null &&
	'event' in line &&
	Object.entries(line).every(([name, value]) => value !== null && typeof value === (TYPES[name as keyof JournalLine] ?? typeof value));

/** A line that was changed by hand, or by a disk, is none. */
const TYPES: {readonly [Name in keyof JournalLine]: string} = {
	...{event: 'string', time: 'string', owner: 'number', ichunk: 'number', attempt: 'number', numTasks: 'number', numFailed: 'number'},
	...{
		numCancelled: 'number',
		jobId: 'string',
		jobName: 'string',
		host: 'string',
		state: 'string',
		rawState: 'string',
		kind: 'string',
		reason: 'string',
	},
	...{message: 'string', home: 'object', resources: 'object'},
};
