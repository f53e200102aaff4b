/** A record of a work_dir -> all that a report shows. Pure. */
import {inspect} from 'node:util';
import type {Manifest} from '../manifest.js';
import type {AttemptRecord, TaskRecord, WorkDirRecord} from '../read/read-work-dir.js';
import {countTasks} from '../task-counts.js';
import {VERSION} from '../version.js';
import {collectFailures} from './collect-failures.js';
import {collectJobs, endedAtMs} from './collect-jobs.js';
import type {MapFacts, ReportData, TaskRow} from './report-data.js';
import {describeDurations} from './statistics.js';
import {summariseAsks, summariseHosts, summariseSlots} from './summarise-jobs.js';

const NUM_SLOWEST = 50;
const MAX_PROBLEMS = 100;

export type ReportInput = Pick<WorkDirRecord, 'workDir' | 'manifest' | 'journal' | 'tasks' | 'problems'> & {
	/** Of the map itself, whatever was computed again since. */
	readonly chunks: readonly {readonly ichunk: number; readonly attempts: readonly AttemptRecord[]}[];
	/** Whether it is certain that no process works in it. */
	readonly isLeft: boolean;
};

/** @param nowMs - Epoch milliseconds: when the report is made. */
export const collectReport = (record: ReportInput, nowMs: number): ReportData => {
	const {tasks, chunks, journal, manifest, problems} = record;
	const beganAtMs = Date.parse(manifest.createdAt);
	const endMs = endedAtMs(journal);
	const wallMs = Math.max(0, (endMs ?? nowMs) - beganAtMs);
	const collected = collectJobs(record, beganAtMs);
	const {jobs, clocks, asks} = collected;
	const toRow = (task: TaskRecord): TaskRow => {
		const aheadMs = clocks.get(task.host ?? '') ?? 0;
		return {
			itask: task.itask,
			ichunk: task.ichunk,
			rerun: task.rerun ?? null,
			attempt: task.attempt ?? null,
			jobId: task.jobId ?? null,
			host: task.host ?? null,
			state: task.state,
			startedMs: task.startedAt === undefined ? null : Math.max(0, Math.round(task.startedAt.getTime() - aheadMs - beganAtMs)),
			elapsedMs: task.elapsedMs ?? null,
			input: null,
		};
	};
	return {
		generatedAtMs: nowMs,
		libraryVersion: VERSION,
		map: {
			...describeMap(manifest, record.workDir),
			beganAtMs,
			state: endMs === undefined ? 'running' : 'ended',
			isLeft: endMs === undefined && record.isLeft,
			lastNoteMs: Math.max(0, Date.parse(journal.at(-1)?.time ?? manifest.createdAt) - beganAtMs),
			numChunks: chunks.length,
		},
		counts: countTasks(tasks),
		numRerun: tasks.reduce((sum, {rerun}) => (rerun === undefined ? sum : sum + 1), 0),
		wallMs,
		hosts: summariseHosts(collected, wallMs),
		jobs,
		slots: summariseSlots(jobs, asks, wallMs),
		durations: describeDurations(Float64Array.from(tasks.flatMap(({elapsedMs}) => elapsedMs ?? []))),
		slowest: findSlowest(tasks).map(toRow),
		...collectFailures(tasks, toRow),
		asks: summariseAsks(jobs, asks, wallMs),
		problems: problems.slice(0, MAX_PROBLEMS),
	};
};

/** The tasks whose inputs are shown. */
export const tasksToShow = ({slowest, failures}: ReportData): ReadonlySet<number> =>
	new Set([...slowest, ...failures.flatMap(({samples}) => samples)].map(({itask}) => itask));

/** @param inputs - In one short line, by itask. */
export const withInputs = (data: ReportData, inputs: ReadonlyMap<number, string>): ReportData => {
	const add = <Row extends TaskRow>(row: Row): Row => ({...row, input: inputs.get(row.itask) ?? row.input});
	return {
		...data,
		slowest: data.slowest.map(add),
		failures: data.failures.map(group => ({...group, samples: group.samples.map(add)})),
	};
};

const describeMap = (
	manifest: Manifest,
	workDir: string,
): Omit<MapFacts, 'beganAtMs' | 'state' | 'isLeft' | 'lastNoteMs' | 'numChunks'> => {
	const {session, message, tags = [], engine, node, gitCommit, processNode, options} = manifest;
	return {
		session,
		workDir,
		message,
		tags,
		function: manifest.function.name,
		engine,
		host: processNode.host,
		user: processNode.user,
		node,
		gitCommit: gitCommit ?? null,
		command: processNode.command.join(' '),
		options: inspect(options, {breakLength: Number.POSITIVE_INFINITY, depth: 4}),
	};
};

const findSlowest = (tasks: readonly TaskRecord[]): TaskRecord[] => {
	const slowest: TaskRecord[] = [];
	let leastMs = Number.NEGATIVE_INFINITY;
	for (const task of tasks) {
		if (task.elapsedMs === undefined || task.elapsedMs <= leastMs) continue;
		slowest.push(task);
		// Sorted now and then only: there may be a million tasks.
		if (slowest.length < 2 * NUM_SLOWEST) continue;
		keepSlowest(slowest);
		leastMs = slowest.at(-1)?.elapsedMs ?? leastMs;
	}
	return keepSlowest(slowest);
};

const keepSlowest = (tasks: TaskRecord[]): TaskRecord[] => {
	tasks.sort((a, b) => (b.elapsedMs ?? 0) - (a.elapsedMs ?? 0));
	tasks.length = Math.min(tasks.length, NUM_SLOWEST);
	return tasks;
};
