/** All of one task in words. Pure. */
import {inspect} from 'node:util';
import {formatDuration} from '../../format-duration.js';
import {formatRanges} from '../../group-failures.js';
import type {JournalLine} from '../../journal.js';
import {rerunPath} from '../../layout.js';
import {shellWord} from '../../quote-for-shell.js';
import type {AttemptRecord} from '../../read/read-work-dir.js';
import {toPlainLine, toPlainText} from '../plain-text.js';
import {formatTable} from '../print-table.js';
import type {Colours} from '../terminal.js';
import {formatAdvice, formatRemote, indent} from './format-errors.js';
import type {TaskView} from './look-at-task.js';
import {formatEvent, formatOwner, formatState, formatTime} from './words.js';

export const formatTask = (view: TaskView, colours: Colours): string => {
	const {map, task, known, chunk, numTasks, files} = view;
	const {itask, outcome, stdout, stderr} = task;
	const {firstTask, numTasks: numInChunk} = known.chunk;
	const range = known.chunk.itasks === undefined ? `${firstTask} to ${firstTask + numInChunk - 1}` : formatRanges(known.chunk.itasks);
	const here = `chunk ${known.chunk.ichunk}${numInChunk === 1 ? '' : ` (tasks ${range})`}`;
	const paint = task.state === 'failed' ? colours.red : colours.bold;
	const section = (title: string, text: string): string[] =>
		text.trim() === '' ? [] : ['', colours.bold(title), indent(text.trimEnd(), 2)];
	const remote = outcome?.status === 'rejected' ? outcome.remote : undefined;
	return [
		// A rerun has some tasks of another map, with the numbers that they have there.
		`${paint(`task ${itask}${known.chunk.itasks === undefined ? ` of ${numTasks}` : ''}: ${task.state}`)}, in ${here}`,
		...explainState(view).map(line => `  ${toPlainLine(line)}`),
		...section('input', formatValue(task.input)),
		...(outcome?.status === 'fulfilled' ? section('result', formatValue(outcome.value)) : []),
		...(remote === undefined ? [] : section('thrown', formatRemote(remote))),
		...section(outcome === undefined ? 'stdout (last lines of its chunk)' : 'stdout', formatOutput(stdout)),
		...section(outcome === undefined ? 'stderr (last lines of its chunk)' : 'stderr', formatOutput(stderr)),
		...section('attempts at its chunk (times in UTC)', formatAttempts(task.attempts, colours)),
		...section('what happened to its chunk (times in UTC)', formatEvents(known.events, chunk.numAttempts)),
		...section('files', files.map(({path, bytes}) => toPlainLine(`${path}${bytes === undefined ? '' : `  ${bytes} bytes`}`)).join('\n')),
		...map.problems.map(problem => colours.yellow(`problem: ${toPlainLine(problem)}`)),
		'',
		`To compute it again here, in the foreground: qmr rerun ${shellWord(map.workDir)} ${itask} --local`,
	].join('\n');
};

/** What became of it, or what it waits for. */
const explainState = (view: TaskView): string[] => {
	const {task, map, atMs, owner, chunk, numFinished, known, queue} = view;
	const {outcome, attempt, jobId, host, startedAt, elapsedMs} = task;
	const where = [
		...(attempt === undefined ? [] : [`attempt ${attempt}`]),
		...(jobId === undefined ? [] : [`queue-job ${jobId}`]),
		...(host === undefined ? [] : [`on ${host}`]),
		...(startedAt === undefined ? [] : [`begun ${formatTime(startedAt)} UTC`]),
		...(elapsedMs === undefined ? [] : [`took ${formatTook(elapsedMs)}`]),
	].join(', ');
	const again = task.rerun === undefined ? [] : [`computed again, in ${rerunPath(map.workDir, task.rerun)}, where all of that is`];
	if (outcome?.status === 'fulfilled') return [where, ...again];
	if (outcome !== undefined)
		return [`${outcome.message} (${outcome.kind})`, ...(where === '' ? [] : [where]), ...again, ...formatAdvice(outcome)];
	if (task.rerun !== undefined) {
		const place = rerunPath(map.workDir, task.rerun);
		return [
			`it is to be computed again: qmr show ${shellWord(place)} ${task.itask}`,
			`as to the map: ${formatOwner(owner, {workDir: place, isOver: false, nowMs: atMs})}`,
		];
	}
	const {numTasks} = known.chunk;
	const job = chunk.jobId === undefined ? 'its queue-job' : `its queue-job ${chunk.jobId}`;
	const inQueue = queue?.kind === 'answer' ? queue.jobs.find(({ichunk}) => ichunk === task.ichunk) : undefined;
	const waits = known.events.findLast(({event}) => event === 'waiting')?.reason;
	return [
		chunk.state === 'to-submit'
			? chunk.numAttempts === 0
				? 'its queue-job is not submitted yet'
				: `attempt ${chunk.numAttempts} was given up, the next one is to be submitted`
			: `${job} is ${formatState(chunk.state)}${chunk.rawState === undefined ? '' : ` (${chunk.rawState})`}${chunk.host === undefined ? '' : ` on ${chunk.host}`}, as was noted last`,
		...(chunk.state === 'held' ? ['whoever holds it has to release it (qrls, scontrol release)'] : []),
		...(numTasks === 1 || chunk.state !== 'running'
			? []
			: [`${numFinished} of the ${numTasks} tasks of its chunk are finished, one is computed after the other`]),
		...(chunk.reason === undefined ? [] : [`said last: ${chunk.reason}`]),
		...(waits === undefined || waits === chunk.reason ? [] : [`it has waited: ${waits}`]),
		...(inQueue === undefined ? [] : [`the queue says: ${inQueue.rawState}${inQueue.reason === undefined ? '' : `, ${inQueue.reason}`}`]),
		...(queue?.kind === 'answer' && inQueue === undefined ? ['the queue does not have it now'] : []),
		...(queue?.kind === 'unknown' ? [`the queue can't be asked: ${queue.reason}`] : []),
		`as to the map: ${formatOwner(owner, {workDir: map.workDir, isOver: false, nowMs: atMs})}`,
	];
};

const formatTook = (ms: number): string => (ms < 1000 ? `${ms.toFixed(1)} ms` : formatDuration(ms));

/** Enough to recognise it; `--input` and `--result` print all. */
const SHOWN = {depth: 4, maxArrayLength: 30, maxStringLength: 1000, breakLength: 100, customInspect: false} as const;
const MAX_LINES = 40;

const formatValue = (value: unknown): string => formatOutput(inspect(value, SHOWN), 'first');

/** As many lines as fit on a screen. */
const formatOutput = (text: string, which: 'first' | 'last' = 'last'): string => {
	const lines = toPlainText(text.trimEnd()).split('\n');
	const numMore = lines.length - MAX_LINES;
	if (numMore <= 0) return lines.join('\n');
	return which === 'first'
		? [...lines.slice(0, MAX_LINES), `… ${numMore} more lines`].join('\n')
		: [`… ${numMore} lines before`, ...lines.slice(-MAX_LINES)].join('\n');
};

const formatAttempts = (attempts: readonly AttemptRecord[], colours: Colours): string =>
	attempts.length === 0
		? ''
		: formatTable(
				attempts,
				[
					{name: 'ATTEMPT', of: ({attempt}) => attempt, isNumber: true},
					{name: 'JOB', of: ({jobId}) => jobId},
					{name: 'HOST', of: ({host}) => host},
					{name: 'SUBMITTED', of: ({submittedAt}) => submittedAt && formatTime(new Date(submittedAt))},
					{name: 'BEGAN', of: ({startedAt}) => startedAt && formatTime(startedAt)},
					{name: 'ENDED', of: ({endedAt}) => endedAt && formatTime(endedAt)},
					{name: 'MEMORY', of: ({usage}) => usage && `${Math.ceil(usage.maxRssBytes / 2 ** 20)} MiB`, isNumber: true},
					{name: 'LAST', of: ({lastEvent}) => lastEvent},
					{name: 'WHY', of: ({reason}) => reason},
				],
				colours,
			);

const formatEvents = (events: readonly JournalLine[], numAttempts: number): string => {
	const lines = events.map(line => {
		const which = line.attempt === undefined || numAttempts <= 1 ? '' : `attempt ${line.attempt}: `;
		return toPlainLine(`${formatTime(new Date(line.time))}  ${which}${formatEvent(line)}`);
	});
	return formatOutput(lines.join('\n'));
};
