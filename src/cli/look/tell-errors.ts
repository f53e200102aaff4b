/** What `qmr errors` prints. Pure. */
import {formatRanges, MAX_RANGES} from '../../group-failures.js';
import {shellWord} from '../../quote-for-shell.js';
import {toPlainLine} from '../plain-text.js';
import type {Colours} from '../terminal.js';
import {countGrouped, type ErrorGroup} from './error-groups.js';
import type {FoundErrors, GivenUp} from './find-errors.js';
import {formatErrorGroup} from './format-errors.js';
import {groupProblems} from './group-problems.js';
import {formatGoOn} from './words.js';

const MAX_GROUPS = 20;

/** When there is any failure of the kind that is wanted. */
export const formatErrors = (found: FoundErrors, colours: Colours): string => {
	const {groups, problems} = found;
	const numMore = groups.length - MAX_GROUPS;
	return [
		...formatTitles(found).map(colours.bold),
		...groups.slice(0, MAX_GROUPS).flatMap(group => ['', formatErrorGroup(group, colours)]),
		...(numMore > 0 ? ['', `and ${numMore} further ways, see --json`] : []),
		...(found.givenUp.length === 0 ? [] : ['', formatGivenUp(found)]),
		...groupProblems(problems).map(problem => colours.yellow(`problem: ${problem}`)),
		'',
		...formatHints(found),
	].join('\n');
};

/** When there is none. */
export const formatNone = ({workDir, kind, numOpen, others}: FoundErrors): string => {
	const open = numOpen === 0 ? '' : ` so far; ${numOpen} ${numOpen === 1 ? 'is' : 'are'} not finished`;
	const what = kind === 'cancelled' ? 'was cancelled' : `has failed${kind === undefined ? '' : ` with ${kind}`}`;
	return `No task of ${workDir} ${what}${open}.${others.length === 0 ? '' : ` ${formatOthers(others)}.`}`;
};

/** Why queue-jobs were submitted again. */
export const formatGivenUp = ({givenUp}: Pick<FoundErrors, 'givenUp'>): string =>
	['Queue-jobs that were given up on the way:', ...givenUp.slice(0, MAX_GROUPS).map(formatOneGivenUp)].join('\n');

const isCancelled = ({kind}: ErrorGroup): boolean => kind === 'cancelled';
const isFailed = (group: ErrorGroup): boolean => !isCancelled(group);

const formatTitles = ({groups, others, numTasks, numOpen, kind}: FoundErrors): string[] => {
	const failed = groups.filter(isFailed);
	const numFailed = countGrouped(failed);
	const numCancelled = countGrouped(groups.filter(isCancelled));
	const withKind = kind === undefined ? '' : ` with ${kind}`;
	const how = numFailed === 1 ? '' : failed.length === 1 ? ', all alike' : `, in ${failed.length} ways`;
	const soFar = numOpen === 0 ? '' : ' so far';
	return [
		...(numFailed === 0 ? [] : [`${numFailed} of ${numTasks} tasks ${numFailed === 1 ? 'has' : 'have'} failed${withKind}${soFar}${how}.`]),
		...(numCancelled === 0
			? []
			: [`${numCancelled} of ${numTasks} tasks ${numCancelled === 1 ? 'was' : 'were'} cancelled: the map was ended before.`]),
		...(others.length === 0 ? [] : [`${formatOthers(others)}.`]),
	];
};

/** Of kinds that were not asked for. */
const formatOthers = (others: readonly ErrorGroup[]): string => {
	const kinds = [...new Set(others.map(({kind}) => kind))];
	return `Of other kinds: ${kinds.map(kind => `${countGrouped(others.filter(group => group.kind === kind))} ${toPlainLine(kind)}`).join(', ')}`;
};

const formatHints = ({workDir, options, numFailed, groups, others}: FoundErrors): string[] => {
	const failed = groups.filter(isFailed);
	const word = shellWord(workDir);
	const first = (failed[0] ?? groups[0])?.itasks[0] ?? 0;
	const itasks = failed.flatMap(group => group.itasks).sort((a, b) => a - b);
	const ranges = formatRanges(itasks).replaceAll(', ', ',');
	const again =
		others.length === 0
			? [`Compute all failed again: qmr rerun ${word}`]
			: // Of more it is not told which they are.
				ranges.split(',').length > MAX_RANGES
				? []
				: [`Compute these again:      qmr rerun ${word} ${ranges}`];
	return [
		`All of one task:          qmr show ${word} ${first}`,
		...(failed.length === 0 ? [] : [`Compute it here again:    qmr rerun ${word} ${first} --local`, ...again]),
		...(groups.some(isCancelled) ? [`Go on with the map:       ${formatGoOn(workDir, options, numFailed)}`] : []),
	];
};

const formatOneGivenUp = ({reason, kind, ichunks, numAttempts}: GivenUp): string =>
	`  ${ichunks.length === 1 ? 'chunk' : 'chunks'} ${formatRanges(ichunks, 'chunks')}, ${numAttempts} ${numAttempts === 1 ? 'attempt' : 'attempts'}: ${kind}: ${toPlainLine(reason)}`;
