/** All failures of a map, grouped; and the queue-jobs that were given up on the way. */
import {ADVICE} from '../../advice.js';
import {findRanges, formatRanges, toLine} from '../../group-failures.js';
import type {JournalLine} from '../../journal.js';
import {shellWord} from '../../quote-for-shell.js';
import {openWorkDir} from '../../read/open-work-dir.js';
import {readTasks} from '../../read/read-work-dir.js';
import {UsageError} from '../command-error.js';
import {toPlainLine} from '../plain-text.js';
import type {Colours} from '../terminal.js';
import {countGrouped, createErrorGroups, type ErrorGroup} from './error-groups.js';
import {formatErrorGroup} from './format-errors.js';
import {groupProblems} from './group-problems.js';
import {toJsonValue} from './json-value.js';

export type FoundErrors = {
	readonly workDir: string;
	readonly numTasks: number;
	readonly numFailed: number;
	/** Not computed, for the map was ended before. They are in `groups`, too. */
	readonly numCancelled: number;
	/** Tasks that have no outcome yet. */
	readonly numOpen: number;
	readonly groups: readonly ErrorGroup[];
	/** Why queue-jobs were submitted again, by reason. */
	readonly givenUp: readonly GivenUp[];
	readonly problems: readonly string[];
};

export type GivenUp = {readonly reason: string; readonly kind: string; readonly ichunks: readonly number[]; readonly numAttempts: number};

/** @param kind - Only failures of this kind. */
export const findErrors = async (workDir: string, kind?: string): Promise<FoundErrors> => {
	if (kind !== undefined && !(kind in ADVICE))
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
	return {
		...{workDir: map.workDir, numTasks, numOpen, numCancelled, numFailed: groups.numFailures() - numCancelled, problems: map.problems},
		groups: groups.all().filter(group => kind === undefined || group.kind === kind),
		givenUp: groupGivenUp(map.journal).filter(group => kind === undefined || group.kind === kind),
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

const MAX_GROUPS = 20;

export const formatErrors = ({workDir, numTasks, groups, givenUp, problems}: FoundErrors, colours: Colours): string => {
	const isCancelled = ({kind}: ErrorGroup): boolean => kind === 'cancelled';
	const failed = groups.filter(group => !isCancelled(group));
	const numCancelled = countGrouped(groups.filter(isCancelled));
	const first = (failed[0] ?? groups[0])?.itasks[0] ?? 0;
	const word = shellWord(workDir);
	const numMore = groups.length - MAX_GROUPS;
	return [
		...(failed.length === 0
			? []
			: [
					colours.bold(
						`${countGrouped(failed)} of ${numTasks} tasks have failed, ${failed.length === 1 ? 'all alike' : `in ${failed.length} ways`}.`,
					),
				]),
		...(numCancelled === 0 ? [] : [colours.bold(`${numCancelled} of ${numTasks} tasks were cancelled: the map was ended before.`)]),
		...groups.slice(0, MAX_GROUPS).flatMap(group => ['', formatErrorGroup(group, colours)]),
		...(numMore > 0 ? ['', `and ${numMore} further ways, see --json`] : []),
		...(givenUp.length === 0 ? [] : ['', 'Queue-jobs that were given up on the way:', ...givenUp.slice(0, MAX_GROUPS).map(formatGivenUp)]),
		...groupProblems(problems).map(problem => colours.yellow(`problem: ${problem}`)),
		'',
		`All of one task:          qmr show ${word} ${first}`,
		`Compute it here again:    qmr rerun ${word} ${first} --local`,
		`Compute all failed again: qmr rerun ${word}`,
		...(numCancelled > 0 ? [`Go on with the map:       qmr resume ${word}`] : []),
	].join('\n');
};

const formatGivenUp = ({reason, kind, ichunks, numAttempts}: GivenUp): string =>
	`  ${ichunks.length === 1 ? 'chunk' : 'chunks'} ${formatRanges(ichunks)}, ${numAttempts} ${numAttempts === 1 ? 'attempt' : 'attempts'}: ${kind}: ${toPlainLine(reason)}`;

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
