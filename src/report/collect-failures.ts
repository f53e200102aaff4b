/** Failed tasks -> groups of those that failed alike, with the words of a few. Pure. */
import {stripVTControlCharacters} from 'node:util';
import {findRanges} from '../group-failures.js';
import type {TaskRecord} from '../read/read-work-dir.js';
import type {FailureGroup, TaskRow} from './report-data.js';

export type CollectedFailures = {readonly failures: readonly FailureGroup[]; readonly numOtherFailures: number};

/** More kinds of failure than these nobody reads in a report; `qmr errors` has them all. */
const MAX_GROUPS = 100;
const MAX_SAMPLES = 3;
const MAX_TEXT = 4000;
const MAX_RANGES = 40;

export const collectFailures = (tasks: readonly TaskRecord[], toRow: (task: TaskRecord) => TaskRow): CollectedFailures => {
	const groups = new Map<string, TaskRecord[]>();
	for (const task of tasks) {
		if (task.outcome?.status !== 'rejected') continue;
		const key = `${task.outcome.kind} ${task.outcome.message}`;
		const group = groups.get(key);
		if (group === undefined) groups.set(key, [task]);
		else group.push(task);
	}
	// What was only cancelled tells nothing of why.
	const sorted = [...groups.values()].sort((a, b) => rank(a) - rank(b) || b.length - a.length);
	const failures = sorted.slice(0, MAX_GROUPS).flatMap((group): FailureGroup[] => {
		const outcome = group[0]?.outcome;
		if (outcome?.status !== 'rejected') return [];
		return [
			{
				kind: outcome.kind,
				message: firstPart(outcome.message),
				stack: outcome.remote?.stack === undefined ? null : firstPart(outcome.remote.stack),
				numTasks: group.length,
				itasks: formatRanges(group.map(({itask}) => itask)),
				samples: chooseSamples(group).map(task => ({...toRow(task), stdout: lastPart(task.stdout), stderr: lastPart(task.stderr)})),
			},
		];
	});
	return {failures, numOtherFailures: Math.max(0, sorted.length - MAX_GROUPS)};
};

const rank = ([first]: readonly TaskRecord[]): number =>
	first?.outcome?.status === 'rejected' && first.outcome.kind === 'cancelled' ? 1 : 0;

/** Those that have said something first. */
const chooseSamples = (group: readonly TaskRecord[]): TaskRecord[] => {
	const spoken = group.filter(({stderr}) => stderr !== '').slice(0, MAX_SAMPLES);
	return spoken.length > 0 ? spoken : group.slice(0, MAX_SAMPLES);
};

/** Colours and moves of a terminal are noise here. */
const firstPart = (text: string): string => {
	const plain = stripVTControlCharacters(text);
	return plain.length > MAX_TEXT ? `${plain.slice(0, MAX_TEXT)}…` : plain;
};

/** The end of what was written says why. */
const lastPart = (text: string): string => {
	const plain = stripVTControlCharacters(text);
	return plain.length > MAX_TEXT ? `…${plain.slice(-MAX_TEXT)}` : plain;
};

const formatRanges = (numbers: readonly number[]): string => {
	const ranges = findRanges(numbers);
	const shown = ranges.slice(0, MAX_RANGES).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
	return `${shown.join(', ')}${ranges.length > MAX_RANGES ? ', …' : ''}`;
};
