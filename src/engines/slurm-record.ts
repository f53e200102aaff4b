/** How a queue-job ended, from what Slurm remembers of it (`scontrol show job`) or has in its accounting (`sacct`). */
import type {JobEnd} from './engine.js';
import {describeExitStatus, type ExitWords} from './exit-status.js';

export type JobRecord = {
	/** As `COMPLETED`, `TIMEOUT`. */
	readonly state: string;
	/** Status and signal, as `0:9`. */
	readonly exitCode: string;
	/** As Slurm writes it, with `_` for blanks in it. */
	readonly reason: string | undefined;
	/** Undefined when it has never been on one. */
	readonly host: string | undefined;
	readonly timeLimit: string | undefined;
	/** Undefined when it asked for none. */
	readonly memory: string | undefined;
};

/** The record of one queue-job in the output of `scontrol -o show job ID`. Numbers are used again, so its name must agree. */
export const parseRecord = (text: string, name: string): JobRecord | undefined => {
	// Of several lines, as for an array, the one that was asked for is the only one with this id; all have the same name.
	const line = text.split('\n').find(candidate => fieldOf(candidate, 'JobName') === name);
	const state = line === undefined ? undefined : fieldOf(line, 'JobState');
	if (line === undefined || state === undefined) return undefined;
	const memory = fieldOf(line, 'MinMemoryNode');
	return {
		state,
		exitCode: fieldOf(line, 'ExitCode') ?? '',
		reason: toKnown(fieldOf(line, 'Reason')),
		host: toKnown(fieldOf(line, 'BatchHost') ?? fieldOf(line, 'NodeList')),
		timeLimit: toKnown(fieldOf(line, 'TimeLimit')),
		memory: memory === '0' ? undefined : toKnown(memory),
	};
};

export const accountingArguments = (id: string): string[] => [
	'-X',
	'-n',
	'-P',
	'-j',
	id,
	'-o',
	'State,ExitCode,NodeList,Timelimit,ReqMem,JobName',
];

/** The record of one queue-job in the output of sacct with `accountingArguments`. */
export const parseAccounting = (text: string, name: string): JobRecord | undefined => {
	const line = text.split('\n').findLast(candidate => candidate.endsWith(`|${name}`));
	if (line === undefined) return undefined;
	const [state = '', exitCode = '', host, timeLimit, memory] = line.split('|');
	// `CANCELLED by 1000`
	return {
		state: state.split(' ')[0] as string,
		exitCode,
		reason: undefined,
		host: toKnown(host),
		timeLimit: toKnown(timeLimit),
		memory: toKnown(memory),
	};
};

/** Undefined for a queue-job that has not ended. */
export const toJobEnd = (record: JobRecord): JobEnd | undefined => {
	const words = explainState(record);
	return words && {...words, ...(record.host === undefined ? {} : {host: record.host})};
};

const fieldOf = (line: string, name: string): string | undefined => new RegExp(`(?:^|\\s)${name}=(\\S*)`).exec(line)?.[1];

const toKnown = (value: string | undefined): string | undefined =>
	value === undefined || ['', '(null)', 'None', 'N/A', 'n/a', 'None assigned', 'Unknown'].includes(value) ? undefined : value;

const explainState = (record: JobRecord): ExitWords | undefined => {
	const {state, host, timeLimit, memory} = record;
	switch (state) {
		case 'COMPLETED':
			return {failed: false, reason: 'exit status 0'};
		case 'FAILED':
			return explainFailure(record);
		case 'TIMEOUT':
			return {failed: true, kind: 'wall-time', reason: `it ran longer than it may${timeLimit === undefined ? '' : ` (${timeLimit})`}`};
		case 'DEADLINE':
			return {failed: true, kind: 'wall-time', reason: 'its deadline has passed'};
		case 'OUT_OF_MEMORY':
			return {failed: true, kind: 'out-of-memory', reason: `it used more memory than it may${memory === undefined ? '' : ` (${memory})`}`};
		case 'NODE_FAIL':
			return {failed: true, kind: 'node-lost', reason: `its node ${host ?? ''} failed, or did not respond for too long`};
		case 'BOOT_FAIL':
		case 'LAUNCH_FAILED':
		case 'RECONFIG_FAIL':
			return {failed: true, kind: 'start-failed', reason: `Slurm could not start it (${state})`};
		case 'PREEMPTED':
			return {failed: true, kind: 'killed', reason: 'it had to make room for others (PREEMPTED)'};
		case 'CANCELLED':
			return explainCancellation(record);
		default:
			return undefined;
	}
};

const explainFailure = ({exitCode, reason}: JobRecord): ExitWords => {
	const {status, signal} = parseExitCode(exitCode);
	if (signal !== 0) return describeExitStatus(128 + signal);
	if (status !== 0) return describeExitStatus(status);
	return {failed: true, kind: 'start-failed', reason: `Slurm could not start it${reason === undefined ? '' : ` (${reason})`}`};
};

/**
 * By somebody's scancel; but also when a prolog fails on the node and it may not be put back: it has a node then, and nothing of it has ever run. (Seen on
 * 22.05; a scancel that comes before the script has begun, or while the node is out of reach, looks the same.)
 */
const explainCancellation = ({exitCode, host}: JobRecord): ExitWords => {
	const {status, signal} = parseExitCode(exitCode);
	if (host !== undefined && status === 0 && signal === 0) {
		return {
			failed: true,
			kind: 'start-failed',
			reason: 'it was cancelled before it began there, as Slurm does when the prolog of a node fails',
		};
	}
	return {failed: true, kind: 'deleted', reason: 'it was cancelled'};
};

const parseExitCode = (text: string): {status: number; signal: number} => {
	const [status = 0, signal = 0] = text.split(':').map(Number);
	return {status: status || 0, signal: signal || 0};
};
