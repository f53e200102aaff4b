import {formatElements} from './elements.js';
import {type Host, hostOf, isReachable} from './hosts.js';
import {type Job, shownState} from './job.js';
import type {QstatOptions} from './qstat-arguments.js';
import type {QueueState} from './state.js';
import {slashedTime} from './times.js';

const OPENING = '<job_info  xmlns:xsd="http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qstat/qstat.xsd">';

/** What `qstat -xml` prints: the same elements, in the same order, with the same blanks. */
export const listAsXml = (state: QueueState, jobs: readonly Job[], options: QstatOptions): string => {
	const lines = toLines(jobs, options);
	const running = lines.filter(({job}) => job.phase === 'running');
	const pending = lines.filter(({job}) => job.phase === 'pending');
	return [
		"<?xml version='1.0'?>",
		OPENING,
		'  <queue_info>',
		...(options.isFull ? queueInstances(state, running, options) : running.flatMap(line => jobElement(state, line, options, '    '))),
		'  </queue_info>',
		'  <job_info>',
		...pending.flatMap(line => jobElement(state, line, options, '    ')),
		'  </job_info>',
		'</job_info>',
		'',
	].join('\n');
};

/** What `qstat` prints for people. */
export const listAsTable = (state: QueueState, jobs: readonly Job[], options: QstatOptions): string => {
	if (jobs.length === 0) {
		return '';
	}

	const header = 'job-ID  prior   name       user         state submit/start at     queue                          slots ja-task-ID ';
	return [header, '-'.repeat(header.length - 1), ...toLines(jobs, options).map(line => tableLine(state, line)), ''].join('\n');
};

/** What is listed as one: a queue-job, or those elements of an array that wait in the same state. */
type Line = {job: Job; elements: string};

const toLines = (jobs: readonly Job[], {listsElements}: QstatOptions): Line[] => {
	const groups = new Map<string, Job[]>();
	for (const job of jobs) {
		const isAlone = job.element === undefined || job.phase === 'running' || listsElements;
		const key = [job.JB_job_number, isAlone ? job.element : shownState(job)].join(' ');
		groups.set(key, [...(groups.get(key) ?? []), job]);
	}

	return [...groups.values()].map(group => ({job: group[0]!, elements: formatElements(group.flatMap(({element}) => element ?? []))}));
};

const queueInstances = (state: QueueState, running: readonly Line[], options: QstatOptions): string[] => {
	const queues = [...new Set(running.map(({job}) => job.queue))];
	return (queues.length === 0 ? ['dummy.q'] : queues).flatMap(queue =>
		state.hosts.flatMap(host => {
			const lines = running.filter(({job}) => job.queue === queue && hostOf(state, job) === host);
			return lines.length === 0 && options.hidesEmptyQueues ? [] : queueInstance(state, {queue, host}, lines, options);
		}),
	);
};

const queueInstance = (
	state: QueueState,
	{queue, host}: {queue: string; host: Host},
	lines: readonly Line[],
	options: QstatOptions,
): string[] => [
	'    <Queue-List>',
	`      <name>${escapeXml(`${queue}@${host.name}`)}</name>`,
	'      <qtype>BIP</qtype>',
	`      <slots_used>${lines.reduce((sum, {job}) => sum + job.slots, 0)}</slots_used>`,
	'      <slots_resv>0</slots_resv>',
	`      <slots_total>${state.maxRunning}</slots_total>`,
	...(isReachable(host) ? ['      <load_avg>0.01000</load_avg>'] : []),
	'      <arch>lx-amd64</arch>',
	...(host.state === '' ? [] : [`      <state>${escapeXml(host.state)}</state>`]),
	...(options.asksForAttributes ? ['h_rt', 'h_vmem'].map(name => `      <resource name="${name}" type="qf">infinity</resource>`) : []),
	...lines.flatMap(line => jobElement(state, line, options, '      ')),
	'    </Queue-List>',
];

const jobElement = (state: QueueState, {job, elements}: Line, {isFull}: QstatOptions, indent: string): string[] => {
	const isRunning = job.phase === 'running';
	const queueName = isRunning ? `${job.queue}@${hostOf(state, job).name}` : '';
	return [
		`<job_list state="${job.phase}">`,
		`  <JB_job_number>${job.JB_job_number}</JB_job_number>`,
		`  <JAT_prio>${escapeXml(job.JAT_prio)}</JAT_prio>`,
		`  <JB_name>${escapeXml(job.JB_name)}</JB_name>`,
		`  <JB_owner>${escapeXml(job.JB_owner)}</JB_owner>`,
		`  <state>${escapeXml(shownState(job))}</state>`,
		isRunning
			? `  <JAT_start_time>${job.JAT_start_time ?? job.JB_submission_time}</JAT_start_time>`
			: `  <JB_submission_time>${job.JB_submission_time}</JB_submission_time>`,
		...(isFull ? [] : [`  <queue_name>${escapeXml(queueName)}</queue_name>`]),
		`  <slots>${job.slots}</slots>`,
		...(elements === '' ? [] : [`  <tasks>${elements}</tasks>`]),
		'</job_list>',
	].map(line => indent + line);
};

const ENTITIES: Record<string, string> = {
	'&': '&amp;',
	// Not a slip: this is what the real program prints.
	'<': '%lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&apos;',
};

const escapeXml = (text: string): string => text.replaceAll(/[&<>"']/g, character => ENTITIES[character]!);

const tableLine = (state: QueueState, {job, elements}: Line): string => {
	const time = slashedTime(job.JAT_start_time ?? job.JB_submission_time);
	const queueName = job.phase === 'running' ? `${job.queue}@${hostOf(state, job).name}` : '';
	return [
		String(job.JB_job_number).padStart(7),
		job.JAT_prio,
		job.JB_name.slice(0, 10).padEnd(10),
		job.JB_owner.slice(0, 12).padEnd(12),
		shownState(job).padEnd(5),
		time,
		queueName.slice(0, 30).padEnd(30),
		String(job.slots).padStart(5),
		elements === '' ? '       ' : elements,
	].join(' ');
};
