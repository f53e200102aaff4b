/** What `qmr status` prints of a map. Pure. */
import {formatDuration} from '../../format-duration.js';
import {formatRanges, toLine} from '../../group-failures.js';
import type {ChunkSummary, MapSummary} from '../../later/summarise-map.js';
import {shellWord} from '../../quote-for-shell.js';
import {formatCounts, type TaskCounts} from '../../task-counts.js';
import {toPlainLine} from '../plain-text.js';
import {formatTable} from '../print-table.js';
import type {Colours} from '../terminal.js';
import type {QueueAnswer} from './ask-scheduler.js';
import {countGrouped} from './error-groups.js';
import {formatItasks} from './format-errors.js';
import {groupProblems} from './group-problems.js';
import {isComplete, type MapView} from './look-at-map.js';
import {formatAge, formatAgeShort, formatFunction, formatGoOn, formatOwner, formatState, formatTime} from './words.js';

export type StatusParts = {readonly chunks: boolean; readonly queue: QueueAnswer | undefined};

export const formatStatus = (view: MapView, {chunks, queue}: StatusParts, colours: Colours): string => {
	const {map, summary, owner, atMs} = view;
	const {manifest, workDir} = map;
	const {processNode, message, tags} = manifest;
	const startedMs = Date.parse(manifest.createdAt);
	const rows: readonly (readonly [string, string])[] = [
		['work_dir', workDir],
		['function', `${formatFunction(manifest.function)} (${manifest.call})`],
		...(tags.length === 0 ? [] : [['tags', tags.join(', ')] as const]),
		['engine', manifest.engine],
		[
			'started',
			`${formatTime(new Date(startedMs))} UTC, ${formatAge(startedMs, atMs)} ago, by ${processNode.user} on ${processNode.host} (pid ${processNode.pid})`,
		],
		['process', formatOwner(owner, {workDir: view.openDir, isOver: isComplete(view), nowMs: atMs})],
		['tasks', formatCounts(summary.counts)],
		...formatJobs(summary),
		...formatSpeed(summary),
	];
	return [
		[colours.bold(manifest.session), ...(message === '' ? [] : [toPlainLine(message)])].join('  '),
		...rows.map(([name, text]) => `${colours.dim(name.padEnd(NAME_WIDTH))}${toPlainLine(text)}`),
		...(summary.hosts.length === 0 ? [] : ['', formatHosts(summary, colours)]),
		...formatFailures(view, colours),
		...(queue === undefined ? [] : ['', ...formatQueue(queue, colours)]),
		...(chunks ? ['', formatChunks(summary.chunks, atMs, colours)] : []),
		...groupProblems(map.problems, MAX_PROBLEMS).map(problem => colours.yellow(`problem: ${problem}`)),
	].join('\n');
};

const NAME_WIDTH = 12;
const MAX_PROBLEMS = 5;
const MAX_GROUPS = 5;

const formatJobs = ({jobs, givenUp, numResubmissions}: MapSummary): [string, string][] => {
	const states = Object.entries(jobs).map(([state, number]) => `${number} ${formatState(state as ChunkSummary['state'])}`);
	const reasons = Object.entries(givenUp).map(([kind, number]) => `${number} ${kind}`);
	return [
		...(states.length === 0 ? [] : [['queue-jobs', states.join(', ')] as [string, string]]),
		...(reasons.length === 0
			? []
			: [
					['given up', `${reasons.join(', ')}; submitted again ${numResubmissions === 1 ? 'once' : `${numResubmissions} times`}`] as [
						string,
						string,
					],
				]),
	];
};

const formatSpeed = ({rate, remainingMs}: MapSummary): [string, string][] => {
	if (rate === undefined || remainingMs === undefined) return [];
	const speed = rate >= 1 ? `${rate.toFixed(1)} tasks a second` : `a task every ${formatDuration(1000 / rate)}`;
	return [['speed', `${speed}, about ${formatDuration(remainingMs)} left`]];
};

const formatHosts = ({hosts}: MapSummary, colours: Colours): string =>
	formatTable(
		hosts,
		[
			{name: 'HOST', of: ({host}) => host},
			{name: 'RUNNING', of: ({running}) => running, isNumber: true},
			{name: 'DONE', of: ({done}) => done, isNumber: true},
			{name: 'GIVEN UP', of: ({givenUp}) => givenUp, isNumber: true},
		],
		colours,
	);

const formatFailures = ({groups, map: {workDir, manifest}, summary: {counts}}: MapView, {red}: Colours): string[] => {
	if (groups.length === 0) return [];
	const lines = groups.slice(0, MAX_GROUPS).map(({reason, itasks}) => `  ${formatItasks(itasks)}: ${red(toPlainLine(toLine(reason)))}`);
	const numMore = groups.length - MAX_GROUPS;
	const numTold = countGrouped(groups);
	const isPart = numTold < counts.failed + counts.cancelled;
	return [
		'',
		`${formatTotals(counts)}${isPart ? `; of the first ${numTold}` : ''}:`,
		...lines,
		...(numMore > 0 ? [`  and ${isPart ? 'at least ' : ''}${numMore} further ${numMore === 1 ? 'kind' : 'kinds'} of failure`] : []),
		`Why: qmr errors ${shellWord(workDir)}`,
		groups.some(({kind}) => kind === 'cancelled')
			? `To go on: ${formatGoOn(workDir, manifest.options, counts.failed)}`
			: `To compute them again: qmr rerun ${shellWord(workDir)}`,
	];
};

/** `2 failed, 3 cancelled`, of which there are. */
const formatTotals = ({failed, cancelled}: TaskCounts): string =>
	[...(failed === 0 ? [] : [`${failed} failed`]), ...(cancelled === 0 ? [] : [`${cancelled} cancelled`])].join(', ');

const formatQueue = (answer: QueueAnswer, colours: Colours): string[] => {
	if (answer.kind === 'unknown') return [`The queue: ${toPlainLine(answer.reason)}`];
	return [
		`The queue has ${answer.jobs.length} of its queue-jobs${answer.jobs.length === 0 ? '.' : ':'}`,
		...(answer.jobs.length === 0
			? []
			: [
					formatTable(
						answer.jobs.slice(0, MAX_JOBS),
						[
							{name: 'JOB', of: ({id}) => id},
							{name: 'CHUNK', of: ({ichunk}) => ichunk, isNumber: true},
							{name: 'STATE', of: ({rawState}) => rawState},
							{name: 'HOST', of: ({host}) => host},
							{name: 'WHY', of: ({reason}) => reason},
						],
						colours,
					),
				]),
		...(answer.jobs.length > MAX_JOBS ? [`and ${answer.jobs.length - MAX_JOBS} more`] : []),
	];
};

const MAX_JOBS = 20;

const formatChunks = (chunks: readonly ChunkSummary[], nowMs: number, colours: Colours): string =>
	formatTable(
		chunks,
		[
			{name: 'CHUNK', of: ({ichunk}) => ichunk, isNumber: true},
			{name: 'TASKS', of: tasksOf},
			{name: 'JOB', of: ({jobId}) => jobId},
			{name: 'STATE', of: ({state, rawState}) => formatState(state) + (rawState === undefined ? '' : ` (${rawState})`)},
			{name: 'FAILED', of: ({numFailed}) => numFailed || undefined, isNumber: true},
			{name: 'ATTEMPTS', of: ({numAttempts}) => numAttempts, isNumber: true},
			{name: 'HOST', of: ({host}) => host},
			{name: 'ELAPSED', of: chunk => elapsedOf(chunk, nowMs), isNumber: true},
			{name: 'WHY', of: ({reason}) => (reason === undefined ? undefined : toLine(reason))},
		],
		colours,
	);

const tasksOf = ({firstTask, numTasks, itasks}: ChunkSummary): string => {
	if (itasks !== undefined) return formatRanges(itasks);
	return numTasks === 1 ? `${firstTask}` : `${firstTask}-${firstTask + numTasks - 1}`;
};

/** Of what runs until now; of what was never seen running since it was submitted. */
const elapsedOf = ({state, startedAt, submittedAt, endedAt}: ChunkSummary, nowMs: number): string | undefined => {
	const from = startedAt ?? submittedAt;
	const until = endedAt?.getTime() ?? (state === 'running' ? nowMs : undefined);
	return from === undefined || until === undefined ? undefined : formatAgeShort(from.getTime(), until);
};
