/** Records of work_dirs, as readWorkDir gives them, made in memory. */
import type {JournalEvent, JournalLine} from '../../src/journal.js';
import type {Manifest} from '../../src/manifest.js';
import type {AttemptRecord, TaskRecord} from '../../src/read-work-dir.js';
import type {ReportInput} from '../../src/report/collect-report.js';
import {BEGAN_AT_MS} from './made-work-dir.js';

/** Milliseconds after the map began. */
export const at = (ms: number): Date => new Date(BEGAN_AT_MS + ms);

export const line = (ms: number, event: JournalEvent): JournalLine => ({time: at(ms).toISOString(), ...event});

export const attempt = (fields: Partial<AttemptRecord> = {}): AttemptRecord => ({
	attempt: 1,
	jobName: undefined,
	jobId: '937',
	host: 'node1',
	submittedAt: undefined,
	lastEvent: 'result',
	reason: undefined,
	...fields,
});

export const doneTask = (itask: number, fields: Partial<TaskRecord> = {}): TaskRecord => ({
	itask,
	ichunk: itask,
	state: 'done',
	attempts: [attempt()],
	input: undefined,
	outcome: {status: 'fulfilled', value: undefined},
	attempt: 1,
	jobId: '937',
	host: 'node1',
	startedAt: at(1000),
	elapsedMs: 500,
	stdout: '',
	stderr: '',
	rerun: undefined,
	...fields,
});

export const failedTask = (itask: number, message: string, fields: Partial<TaskRecord> = {}): TaskRecord =>
	doneTask(itask, {state: 'failed', outcome: {status: 'rejected', kind: 'exception', message}, ...fields});

export const waitingTask = (itask: number, fields: Partial<TaskRecord> = {}): TaskRecord => {
	const {startedAt: _, elapsedMs: __, ...rest} = doneTask(itask);
	return {...rest, state: 'pending', outcome: undefined, attempt: undefined, startedAt: undefined, elapsedMs: undefined, ...fields};
};

export const record = (
	tasks: readonly TaskRecord[],
	journal: readonly JournalLine[] = [],
	manifest: Partial<Manifest> = {},
): ReportInput => ({
	workDir: '/w/s',
	manifest: {
		session: 's',
		createdAt: at(0).toISOString(),
		message: '',
		tags: [],
		function: {kind: 'global', name: 'sqrt', path: ['Math', 'sqrt']},
		engine: 'grid-engine',
		node: process.version,
		options: {},
		processNode: {host: 'login', user: 'ada', pid: 1, cwd: '/', command: ['node', 'main.js']},
		...manifest,
	} as Manifest,
	tasks,
	chunks: [...new Map(tasks.map(({ichunk, attempts}) => [ichunk, {ichunk, attempts}])).values()],
	journal,
	problems: [],
	isLeft: false,
});
