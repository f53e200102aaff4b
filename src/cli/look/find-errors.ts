/** All failures of a map, grouped; and the queue-jobs that were given up on the way. Words for them are in tell-errors.ts. */
import {ADVICE} from '../../advice.js';
import {findRanges, toLine} from '../../group-failures.js';
import type {JournalLine} from '../../journal.js';
import type {Manifest} from '../../manifest.js';
import {openWorkDir} from '../../read/open-work-dir.js';
import {readTasks} from '../../read/read-work-dir.js';
import {UsageError} from '../command-error.js';
import {createErrorGroups, type ErrorGroup} from './error-groups.js';
import {toJsonValue} from './json-value.js';

export type FoundErrors = {
	readonly workDir: string;
	/** As `run.json` has them. */
	readonly options: Manifest['options'];
	readonly numTasks: number;
	readonly numFailed: number;
	/** Not computed, for the map was ended before. They are in `groups`, too. */
	readonly numCancelled: number;
	/** Tasks that have no outcome yet. */
	readonly numOpen: number;
	/** Of which kind they are to be; undefined for all. */
	readonly kind: string | undefined;
	readonly groups: readonly ErrorGroup[];
	/** Of other kinds. */
	readonly others: readonly ErrorGroup[];
	/** Why queue-jobs were submitted again, by reason. */
	readonly givenUp: readonly GivenUp[];
	readonly problems: readonly string[];
};

export type GivenUp = {readonly reason: string; readonly kind: string; readonly ichunks: readonly number[]; readonly numAttempts: number};

/** @param kind - Only failures of this kind. */
export const findErrors = async (workDir: string, kind?: string): Promise<FoundErrors> => {
	if (kind !== undefined && !Object.hasOwn(ADVICE, kind))
		throw new UsageError(`Expected --kind to be one of ${Object.keys(ADVICE).join(', ')}, got ${kind}.`);
	const map = await openWorkDir(workDir);
	const groups = createErrorGroups();
	let [numTasks, numOpen, numCancelled] = [0, 0, 0];
	for await (const tasks of readTasks(map, {values: false})) {
		for (const task of tasks) {
			numTasks++;
			if (task.outcome === undefined) numOpen++;
			else if (task.outcome.status === 'rejected' && task.outcome.kind === 'cancelled') numCancelled++;
			groups.add(task);
		}
	}
	const isMeant = (group: {readonly kind: string}): boolean => kind === undefined || group.kind === kind;
	const all = groups.all();
	return {
		...{
			workDir: map.workDir,
			options: map.manifest.options,
			numTasks,
			numOpen,
			numCancelled,
			numFailed: groups.numFailures() - numCancelled,
			kind,
			problems: map.problems,
		},
		groups: all.filter(isMeant),
		others: all.filter(group => !isMeant(group)),
		givenUp: groupGivenUp(map.journal).filter(isMeant),
	};
};

const groupGivenUp = (journal: readonly JournalLine[]): GivenUp[] => {
	const groups = new Map<string, {reason: string; kind: string; ichunks: Set<number>; numAttempts: number}>();
	for (const {event, ichunk, kind = 'lost', reason: words = ''} of journal) {
		if (ichunk === undefined || (event !== 'lost' && event !== 'error-state' && event !== 'start-failed')) continue;
		const reason = toLine(words);
		const key = `${kind} ${reason}`;
		const group = groups.get(key) ?? {reason, kind, ichunks: new Set(), numAttempts: 0};
		groups.set(key, group);
		group.ichunks.add(ichunk);
		group.numAttempts++;
	}
	return [...groups.values()]
		.map(({ichunks, ...rest}) => ({...rest, ichunks: [...ichunks].sort((a, b) => a - b)}))
		.sort((a, b) => b.numAttempts - a.numAttempts);
};

export const toErrorsJson = ({workDir, numTasks, numFailed, numCancelled, numOpen, groups, givenUp, problems}: FoundErrors): object => ({
	...{workDir, numTasks, numFailed, numCancelled, numOpen},
	failures: groups.map(({itasks, example, ...group}) => ({
		...group,
		example: {...example, remote: toJsonValue(example.remote ?? null)},
		numTasks: itasks.length,
		itasks: findRanges(itasks),
		advice: ADVICE[group.kind] ?? null,
	})),
	givenUp: givenUp.map(({ichunks, ...group}) => ({...group, ichunks: findRanges(ichunks)})),
	problems,
});
