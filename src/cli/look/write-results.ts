/** The results of a map as CSV, JSON or JSON lines, chunk by chunk: a million of them need not be in memory at once. */
import {stringify} from 'csv-stringify/sync';
import {createColumns, isPlainObject} from '../../experiments/table.js';
import {formatRanges} from '../../group-failures.js';
import {type OpenWorkDir, openWorkDir} from '../../read/open-work-dir.js';
import {readTasks, type TaskRecord} from '../../read/read-work-dir.js';
import {toJsonValue} from './json-value.js';

export const FORMATS = ['csv', 'json', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

export type ResultsRequest = {
	readonly workDir: string;
	readonly format: Format;
	/** Whether the tasks are written, too. */
	readonly hasTasks: boolean;
	/** Resolves when more may be written. */
	readonly write: (text: string) => Promise<void>;
};

export type WrittenResults = {
	readonly numTasks: number;
	readonly numWritten: number;
	/** Ascending. */
	readonly failed: readonly number[];
	/** Not computed, for the map was ended before; ascending. */
	readonly cancelled: readonly number[];
	/** Not finished; ascending. */
	readonly open: readonly number[];
	/** Of a stream that is not all written: the first task that is missing. */
	readonly firstMissing: number | undefined;
	readonly problems: readonly string[];
};

export const writeResults = async ({workDir, format, hasTasks, write}: ResultsRequest): Promise<WrittenResults> => {
	const map = await openWorkDir(workDir);
	const writer = format === 'csv' ? await createCsvWriter(map, hasTasks) : createJsonWriter(format, hasTasks);
	const failed: number[] = [];
	const cancelled: number[] = [];
	const open: number[] = [];
	let numTasks = 0;
	let numWritten = 0;
	if (writer.head !== '') await write(writer.head);
	for await (const tasks of read(map, hasTasks)) {
		const done: DoneTask[] = [];
		for (const task of tasks) {
			numTasks++;
			if (task.outcome?.status === 'rejected') (task.outcome.kind === 'cancelled' ? cancelled : failed).push(task.itask);
			else if (task.outcome === undefined || !writer.takes(task as DoneTask)) open.push(task.itask);
			else done.push(task as DoneTask);
		}
		for (let i = 0; i < done.length; i += BATCH) {
			const some = done.slice(i, i + BATCH);
			await write(writer.rows(some, numWritten === 0));
			numWritten += some.length;
		}
	}
	if (writer.foot !== '') await write(writer.foot);
	return {numTasks, numWritten, failed, cancelled, open, firstMissing: map.firstMissing, problems: map.problems};
};

/** So many rows become text at a time. */
const BATCH = 1000;

type DoneTask = TaskRecord & {readonly outcome: {readonly status: 'fulfilled'; readonly value: unknown}};

const isDone = (task: TaskRecord): task is DoneTask => task.outcome?.status === 'fulfilled';

type Writer = {
	readonly head: string;
	readonly foot: string;
	/** False for what has columns that came after they were gathered: it is for the next time. */
	readonly takes: (task: DoneTask) => boolean;
	readonly rows: (tasks: readonly DoneTask[], isFirst: boolean) => string;
};

const read = (map: OpenWorkDir, hasTasks: boolean): AsyncGenerator<TaskRecord[]> =>
	readTasks(map, {values: true, inputs: hasTasks, outputs: false});

const createJsonWriter = (format: 'json' | 'jsonl', hasTasks: boolean): Writer => {
	const isArray = format === 'json';
	const toLine = ({itask, input, outcome: {value}}: DoneTask): string =>
		JSON.stringify({itask, ...(hasTasks ? {task: toJsonValue(input)} : {}), result: toJsonValue(value)});
	return {
		head: isArray ? '[\n' : '',
		foot: isArray ? '\n]\n' : '',
		takes: () => true,
		rows: (tasks, isFirst) => (isArray ? `${isFirst ? '' : ',\n'}${tasks.map(toLine).join(',\n')}` : `${tasks.map(toLine).join('\n')}\n`),
	};
};

/** Reads all results once for the names of the columns, before the first line can be written. */
const createCsvWriter = async (map: OpenWorkDir, hasTasks: boolean): Promise<Writer> => {
	const columns = createColumns();
	const partsOf = ({input, outcome: {value}}: DoneTask): [task: unknown, result: unknown] => [
		hasTasks ? flatten(input) : {},
		flatten(value),
	];
	// What can't be read is told by the second reading.
	for await (const tasks of read({...map, problems: []}, hasTasks))
		for (const task of tasks) if (isDone(task)) columns.see(...partsOf(task));
	const names = columns.names();
	return {
		head: stringify([names]),
		foot: '',
		takes: task => columns.knows(...partsOf(task)),
		rows: tasks =>
			stringify(
				tasks.map(task => {
					const row = columns.toRow(task.itask, ...partsOf(task));
					return names.map(name => toCell(row[name]));
				}),
			),
	};
};

/** `{a: 1, b: {c: 2}}` -> `{a: 1, 'b.c': 2}`: what is deeper stays as it is. */
const flatten = (value: unknown): unknown => {
	if (!isPlainObject(value)) return value;
	const entries = Object.entries(value).flatMap(([key, inner]) => {
		const parts = isPlainObject(inner) ? Object.entries(inner) : [];
		return parts.length === 0 ? [[key, inner] as const] : parts.map(([name, part]) => [`${key}.${name}`, part] as const);
	});
	return Object.fromEntries(entries);
};

const toCell = (value: unknown): string => {
	switch (typeof value) {
		case 'string':
			return value;
		case 'undefined':
			return '';
		case 'object':
			if (value === null) return '';
			return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : JSON.stringify(toJsonValue(value));
		default:
			return String(value);
	}
};

/** What is missing, in a line or two; undefined when nothing is. */
export const formatMissing = ({failed, cancelled, open, firstMissing}: WrittenResults): string | undefined => {
	const parts = [
		...(failed.length === 0 ? [] : [`${failed.length} failed: ${formatTasks(failed)}`]),
		...(cancelled.length === 0 ? [] : [`${cancelled.length} cancelled: ${formatTasks(cancelled)}`]),
		...(open.length === 0 ? [] : [`${open.length} not finished: ${formatTasks(open)}`]),
		...(firstMissing === undefined ? [] : [`those from task ${firstMissing} on are not written yet`]),
	];
	return parts.length === 0 ? undefined : parts.join('; ');
};

const formatTasks = (itasks: readonly number[]): string => `${itasks.length === 1 ? 'task' : 'tasks'} ${formatRanges(itasks)}`;
