/** What is known of a map, in words for people. */

import {basename} from 'node:path';
import {fileURLToPath} from 'node:url';
import {formatDuration} from '../../format-duration.js';
import type {FunctionReference} from '../../function-reference.js';
import type {JournalLine} from '../../journal.js';
import type {ChunkSummary} from '../../later/summarise-map.js';
import type {OwnerView} from '../../look-at-owner.js';
import type {Manifest} from '../../manifest.js';
import {shellWord} from '../../quote-for-shell.js';

export const formatFunction = (reference: FunctionReference): string => {
	switch (reference.kind) {
		case 'module':
			return `${reference.exportPath.join('.') || 'module.exports'} of ${toPath(reference.url)}`;
		case 'builtin':
			return `${reference.exportPath.join('.')} of ${reference.module}`;
		case 'global':
			return reference.path.join('.');
		case 'source':
			return reference.file === undefined
				? reference.name
				: `${reference.name} of ${toPath(reference.file)}${reference.line === undefined ? '' : `:${reference.line}`}`;
	}
};

const toPath = (url: string): string => {
	try {
		return url.startsWith('file:') ? fileURLToPath(url) : url;
	} catch {
		// One of another system, or damaged.
		return url;
	}
};

/** The same in a word or two, for tables. */
export const formatFunctionShort = (reference: FunctionReference): string => {
	const file = reference.kind === 'module' ? reference.url : reference.kind === 'source' ? reference.file : undefined;
	return file === undefined ? reference.name : `${basename(toPath(file))}#${reference.name}`;
};

/** `2026-11-21 00:20:07`, UTC: as sessions and logs have it. */
export const formatTime = (date: Date): string => (Number.isNaN(date.getTime()) ? '?' : date.toISOString().slice(0, 19).replace('T', ' '));

export const formatAge = (fromMs: number, nowMs: number): string => {
	const ms = Math.max(0, nowMs - fromMs);
	return ms >= 2 * DAY_MS ? `${Math.floor(ms / DAY_MS)} days` : formatDuration(ms);
};

const DAY_MS = 86_400_000;

/** The same in one word, for tables: `12s`, `4m`, `6h`, `3d`. */
export const formatAgeShort = (fromMs: number, nowMs: number): string => {
	const seconds = Math.max(0, Math.floor((nowMs - fromMs) / 1000));
	if (seconds < 60) return `${seconds}s`;
	if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
	return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
};

/** How what was cancelled is computed. A map that has ended at a failure would do so again. */
export const formatGoOn = (workDir: string, {stopOnError}: Manifest['options'], numFailed: number): string =>
	`qmr resume ${shellWord(workDir)}${stopOnError === true && numFailed > 0 ? ' --no-stop-on-error' : ''}`;

/** Whether anybody works in it, and how to go on when nobody does. `isOver`: nothing is left to be computed. */
export const formatOwner = (owner: OwnerView, {workDir, isOver, nowMs}: {workDir: string; isOver: boolean; nowMs: number}): string => {
	const goOn = `qmr resume ${shellWord(workDir)}`;
	switch (owner.kind) {
		case 'alive':
			return `the process ${owner.pid} on ${owner.host} works in it`;
		case 'elsewhere':
			return `the process ${owner.pid} on ${owner.host}, which can't be seen from here, gave its last sign of life ${formatAge(owner.lastSignAt.getTime(), nowMs)} ago (one is due every 15 s)`;
		case 'dead':
			return `the process ${owner.pid} on ${owner.host} has died${isOver ? '' : `. To go on: ${goOn}`}`;
		case 'released':
			return isOver ? 'it has ended' : `nobody works in it: its process has left it. To go on: ${goOn}`;
		case 'unknown':
			return isOver ? 'it has ended' : `nobody is known to work in it. To go on: ${goOn}`;
	}
};

const STATES: Readonly<Record<ChunkSummary['state'], string>> = {
	done: 'done',
	failed: 'given up',
	'to-submit': 'to be submitted',
	pending: 'pending',
	running: 'running',
	held: 'held',
	suspended: 'suspended',
	error: 'in an error state',
	deleting: 'being deleted',
	unreachable: 'on a node that can not be reached',
};

export const formatState = (state: ChunkSummary['state']): string => STATES[state];

/** One event of the journal, without its time, chunk and attempt. */
export const formatEvent = ({event, jobId, host, state, rawState, kind, reason, message, numTasks, numFailed}: JournalLine): string => {
	const job = jobId === undefined ? 'the queue-job' : `the queue-job ${jobId}`;
	const on = host === undefined ? '' : ` on ${host}`;
	const why = [kind, reason ?? message].filter(text => text !== undefined).join(': ');
	const because = why === '' ? '' : ` (${why})`;
	switch (event) {
		case 'chunk-cut':
			return `it was closed with ${numTasks} ${numTasks === 1 ? 'task' : 'tasks'}`;
		case 'submitting':
			return 'a queue-job is being submitted';
		case 'submitted':
			return `submitted as ${job}${because}`;
		case 'claimed':
			return `${job}${on} has claimed the chunk${because}`;
		case 'not-submitted':
			return `not submitted${because}`;
		case 'running':
			return `${job} runs${on}`;
		case 'queue-state':
			return `${job} is ${state === undefined ? 'in the queue' : STATES[state]}${rawState === undefined ? '' : ` (${rawState})`}`;
		case 'error-state':
			return `${job} was given up in an error state${because}`;
		case 'deleted':
			return `${job} was removed${because}`;
		case 'resubmitted':
			return `it is submitted again${because}`;
		case 'result':
			return `the result is there${numFailed === undefined ? '' : `, with ${numFailed} failed ${numFailed === 1 ? 'task' : 'tasks'}`}`;
		case 'result-damaged':
			return `the result can't be read${because}`;
		case 'start-failed':
			return `the worker could not begin${on}${because}`;
		case 'lost':
			return `${job} was given up${on}${because}`;
		case 'chunk-failed':
			if (kind === 'cancelled') return `its tasks without a result were ${reason ?? 'cancelled'}`;
			return `its tasks without a result have failed${because}`;
		case 'waiting':
			return `${job} waits${because}`;
		case 'set-aside':
			return `a file was set aside${because}`;
		default:
			return `${event}${because}`;
	}
};
