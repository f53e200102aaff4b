/** The sections with failures, times, slots, resources, and the tables of tasks and of queue-jobs. */
import {bytesInWords, msInWords, percentInWords} from '../in-words.js';
import type {AskFacts, FailureGroup, FailureSample, HostFacts, JobRow, ReportData, TaskRow} from '../report-data.js';
import {createHistogram, createStack} from './charts.js';
import {element, facts, section, withSwatch} from './dom.js';
import {type Column, createTable} from './table.js';

export const createFailures = ({failures, numOtherFailures, counts}: ReportData): HTMLElement =>
	section(
		'failures',
		'Failures',
		failures.length === 0
			? element('p', {}, 'No task failed.')
			: element(
					'p',
					{},
					`${counts.failed.toLocaleString('en')} tasks failed${counts.cancelled === 0 ? '' : ` and ${counts.cancelled.toLocaleString('en')} were cancelled`}, grouped by what they say.`,
				),
		failures.length === 0 ? null : element('div', {class: 'card'}, ...failures.map(describeGroup)),
		numOtherFailures === 0 ? null : element('p', {class: 'muted'}, `And ${numOtherFailures} further kinds, which \`qmr errors\` lists.`),
	);

const describeGroup = ({kind, message, stack, numTasks, itasks, samples}: FailureGroup, i: number): HTMLElement =>
	element(
		'details',
		i === 0 ? {open: ''} : {},
		element('summary', {}, element('h3', {}, `${numTasks.toLocaleString('en')} × ${kind}: ${firstLine(message)}`)),
		element('p', {}, `${numTasks === 1 ? 'Task' : 'Tasks'} ${itasks}`),
		...(message.includes('\n') || message.length > MAX_LINE ? [element('pre', {}, message)] : []),
		...(stack === null ? [] : [element('pre', {}, stack)]),
		...samples.flatMap((sample, n) => describeSample(sample, samples[n - 1])),
	);

const MAX_LINE = 240;
const firstLine = (text: string): string => {
	const line = text.split('\n')[0] ?? '';
	return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line;
};

const describeSample = (sample: FailureSample, before: FailureSample | undefined): HTMLElement[] => {
	const {itask, host, jobId, attempt, input, elapsedMs} = sample;
	const where = [
		host === null ? '' : ` on ${host}`,
		jobId === null ? '' : `, queue-job ${jobId}`,
		attempt === null ? '' : `, attempt ${attempt}`,
	];
	const after = elapsedMs === null ? '' : `, after ${msInWords(elapsedMs)}`;
	const said = (['stderr', 'stdout'] as const).filter(name => sample[name] !== '');
	return [
		element(
			'p',
			{class: 'sample'},
			element('strong', {}, `Task ${itask}`),
			`${where.join('')}${after}`,
			...(input === null ? [] : [': ', element('code', {}, input)]),
		),
		...said.flatMap(name => {
			const text = sample[name];
			if (text === before?.[name]) return [element('p', {class: 'muted small'}, `Its ${name} is the same.`)];
			const title = text.startsWith('…') ? `The end of its ${name}` : `Its ${name}`;
			return [
				element('p', {class: 'muted small'}, title),
				element('pre', {tabindex: '0', role: 'region', 'aria-label': `${name} of task ${itask}`}, text),
			];
		}),
	];
};

export const createTimes = ({slots, durations}: ReportData): HTMLElement => {
	const keptMs = slots.heldMs - slots.lostMs;
	return section(
		'times',
		'Where the time went',
		element('p', {}, 'Of all queue-jobs together: how long they waited, and what the slots did that they held.'),
		element(
			'div',
			{class: 'columns'},
			element(
				'div',
				{class: 'card'},
				createStack('Waiting against computing', [
					{label: 'waiting in the queue', colour: 'waiting', ms: slots.waitingMs},
					{label: 'computing tasks', colour: 'computing', ms: slots.computingMs},
					{label: 'starting, ending, and slots not used', colour: 'overhead', ms: Math.max(0, keptMs - slots.computingMs)},
					{label: 'lost, as it was computed again or given up', colour: 'failed', ms: slots.lostMs},
				]),
				facts([
					['waited, median', slots.medianWaitMs === null ? 'not known' : msInWords(slots.medianWaitMs)],
					['waited, longest', slots.longestWaitMs === null ? 'not known' : msInWords(slots.longestWaitMs)],
					['ran, median', slots.medianHeldMs === null ? 'not known' : msInWords(slots.medianHeldMs)],
					['submitting', msInWords(slots.submittingMs)],
					[
						'processors busy',
						slots.cpuMs === null || slots.cpuHeldMs === 0
							? 'not known'
							: `${percentInWords(slots.cpuMs / slots.cpuHeldMs)} of the slots’ time, without programs that tasks start`,
					],
				]),
			),
			durations.count === 0 ? null : element('div', {class: 'card'}, createHistogram('How long tasks took', durations)),
		),
	);
};

export const createHosts = ({hosts}: ReportData): HTMLElement => {
	const columns: Column<HostFacts>[] = [
		{title: 'Host', value: ({name}) => name},
		{title: 'Queue-jobs', isNumber: true, value: ({numJobs}) => numJobs},
		{title: 'failed', isNumber: true, value: ({numFailedJobs}) => numFailedJobs},
		{title: 'At a time', isNumber: true, value: ({atMost}) => atMost},
		{title: 'Tasks', isNumber: true, value: ({numTasks}) => numTasks},
		{title: 'Held', isNumber: true, value: ({heldMs}) => heldMs, show: ({heldMs}) => msInWords(heldMs)},
		{title: 'In tasks', isNumber: true, value: shareOf, show: host => words(shareOf(host), percentInWords)},
		{title: 'Per task', isNumber: true, value: meanOf, show: host => words(meanOf(host), msInWords)},
		{
			title: 'Most memory',
			isNumber: true,
			value: ({memoryBytes}) => memoryBytes,
			show: ({memoryBytes}) => words(memoryBytes, bytesInWords),
		},
		{
			title: 'Clock ahead',
			isNumber: true,
			value: ({clockAheadMs}) => clockAheadMs,
			show: ({clockAheadMs}) => (clockAheadMs === 0 ? '0' : msInWords(clockAheadMs)),
		},
	];
	const table = createTable({caption: 'What each host did', columns, rows: hosts});
	return section('hosts', 'Hosts', element('div', {class: 'card'}, table.node));
};

const shareOf = ({heldMs, computingMs}: HostFacts): number | null => (heldMs === 0 ? null : Math.min(1, computingMs / heldMs));
const meanOf = ({numTasks, computingMs}: HostFacts): number | null => (numTasks === 0 ? null : computingMs / numTasks);
const words = (value: number | null, say: (value: number) => string): string => (value === null ? '–' : say(value));

export const createAsks = ({asks}: ReportData): HTMLElement => {
	const columns: Column<AskFacts>[] = [
		{title: 'Queue-jobs', isNumber: true, value: ({numJobs}) => numJobs},
		{
			title: 'Memory asked',
			isNumber: true,
			value: ({memoryBytes}) => memoryBytes,
			show: ({memoryBytes}) => words(memoryBytes, bytesInWords),
		},
		{title: 'used, median', isNumber: true, value: ask => ask.medianMemoryBytes, show: ask => words(ask.medianMemoryBytes, bytesInWords)},
		{title: 'used, most', isNumber: true, value: ask => ask.maxMemoryBytes, show: ask => words(ask.maxMemoryBytes, bytesInWords)},
		{
			title: 'Time asked',
			isNumber: true,
			value: ask => ask.timeSeconds,
			show: ask => words(ask.timeSeconds, seconds => msInWords(1000 * seconds)),
		},
		{title: 'ran, median', isNumber: true, value: ask => ask.medianHeldMs, show: ask => words(ask.medianHeldMs, msInWords)},
		{title: 'ran, longest', isNumber: true, value: ask => ask.maxHeldMs, show: ask => words(ask.maxHeldMs, msInWords)},
		{title: 'Slots asked', isNumber: true, value: ({slots}) => slots},
		{
			title: 'busy, average',
			isNumber: true,
			value: ask => ask.busyProcessors,
			show: ask => words(ask.busyProcessors, busy => busy.toFixed(2)),
		},
	];
	return section(
		'asked',
		'Asked and used',
		element('p', {}, 'By the workers themselves. What programs used that tasks started is not in it. “–”: not asked for, or not known.'),
		element('div', {class: 'card'}, createTable({caption: 'What queue-jobs asked for, and what they used', columns, rows: asks}).node),
	);
};

export const createSlowest = ({slowest}: ReportData): HTMLElement => {
	const columns: Column<TaskRow>[] = [
		{title: 'Task', isNumber: true, value: ({itask}) => itask},
		{title: 'Took', isNumber: true, value: ({elapsedMs}) => elapsedMs, show: ({elapsedMs}) => words(elapsedMs, msInWords)},
		{title: 'State', value: ({state}) => state, show: ({state}) => stateMark(state)},
		{title: 'Host', value: ({host}) => host},
		{
			title: 'Chunk',
			isNumber: true,
			value: ({ichunk}) => ichunk,
			show: ({ichunk, rerun}) => (rerun === null ? String(ichunk) : `rerun.${rerun}: ${ichunk}`),
		},
		{title: 'Queue-job', value: ({jobId}) => jobId},
		{title: 'Input', isWide: true, value: ({input}) => input, show: ({input}) => element('code', {}, input ?? '')},
	];
	const table = createTable({caption: `The ${slowest.length} tasks that took longest`, columns, rows: slowest, sortedBy: 1});
	return section('slowest', 'Slowest tasks', element('div', {class: 'card'}, table.node));
};

const STATE_COLOURS: Readonly<Record<JobRow['state'] | TaskRow['state'], string>> = {
	done: 'computing',
	failed: 'failed',
	cancelled: 'cancelled',
	running: 'running',
	waiting: 'waiting',
	pending: 'waiting',
};

export const stateMark = (state: JobRow['state'] | TaskRow['state']): HTMLElement =>
	withSwatch(element('span', {class: 'state'}, state), STATE_COLOURS[state]);
