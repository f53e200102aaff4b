/** The table of all queue-jobs, which can be searched. */
import {bytesInWords, msInWords} from '../in-words.js';
import type {JobRow, ReportData} from '../report-data.js';
import {stateMark} from './details.js';
import {element, section} from './dom.js';
import {type Column, createTable} from './table.js';

const STATES: readonly JobRow['state'][] = ['done', 'failed', 'cancelled', 'running', 'waiting'];

export const createJobsTable = ({jobs, hosts, wallMs}: ReportData): HTMLElement => {
	const hostOf = ({host}: JobRow): string | null => (host === null ? null : (hosts[host]?.name ?? null));
	const waitOf = ({submittedMs, beganMs}: JobRow): number | null =>
		submittedMs === null || beganMs === null ? null : beganMs - submittedMs;
	const ranOf = ({beganMs, endedMs}: JobRow): number | null => (beganMs === null ? null : (endedMs ?? wallMs) - beganMs);
	const duration = (value: (job: JobRow) => number | null): Pick<Column<JobRow>, 'value' | 'show' | 'isNumber'> => ({
		isNumber: true,
		value,
		show: job => {
			const ms = value(job);
			return ms === null ? '–' : msInWords(ms);
		},
	});
	const columns: Column<JobRow>[] = [
		{title: 'Chunk', isNumber: true, value: ({ichunk}) => ichunk},
		{title: 'Attempt', isNumber: true, value: ({attempt}) => attempt},
		{title: 'Queue-job', value: ({jobId}) => jobId},
		{title: 'State', value: ({state}) => state, show: ({state}) => stateMark(state)},
		{title: 'Host', value: hostOf},
		{title: 'Began', ...duration(({beganMs}) => beganMs)},
		{title: 'Waited', ...duration(waitOf)},
		{title: 'Ran', ...duration(ranOf)},
		{title: 'In tasks', ...duration(({computingMs, numTasks}) => (numTasks === 0 ? null : computingMs))},
		{title: 'Tasks', isNumber: true, value: ({numTasks}) => numTasks},
		{title: 'failed', isNumber: true, value: ({numFailed}) => numFailed},
		{
			title: 'Memory',
			isNumber: true,
			value: ({memoryBytes}) => memoryBytes,
			show: ({memoryBytes}) => (memoryBytes === null ? '–' : bytesInWords(memoryBytes)),
		},
		{title: 'Why it failed', isWide: true, value: ({reason}) => reason},
	];
	const table = createTable({caption: 'All queue-jobs; with dynamic chunks a row for each chunk that one computed', columns, rows: jobs});
	const search = element('input', {type: 'search', id: 'jobs-search', placeholder: 'id, host, chunk or reason'});
	const state = element('select', {id: 'jobs-state'}, element('option', {value: ''}, 'all'));
	for (const name of STATES) {
		const count = jobs.filter(job => job.state === name).length;
		if (count > 0) state.append(element('option', {value: name}, `${name} (${count.toLocaleString('en')})`));
	}
	const texts = new Map(jobs.map(job => [job, `${job.jobId ?? ''}\n${hostOf(job) ?? ''}\n${job.reason ?? ''}`.toLowerCase()]));
	const update = (): void => {
		const wanted = search.value.trim().toLowerCase();
		table.setRows(
			jobs.filter(
				job =>
					(state.value === '' || job.state === state.value) &&
					(wanted === '' || String(job.ichunk) === wanted || (texts.get(job) ?? '').includes(wanted)),
			),
		);
	};
	search.addEventListener('input', update);
	state.addEventListener('change', update);
	const filters = element(
		'div',
		{class: 'toolbar', role: 'search', 'aria-label': 'Queue-jobs'},
		element('label', {for: 'jobs-search'}, 'Find', search),
		element('label', {for: 'jobs-state'}, 'State', state),
	);
	return section('jobs', 'Queue-jobs', element('div', {class: 'card'}, filters, table.node));
};
