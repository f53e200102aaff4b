/** How a queue-job ended, from its exit status or signal: the words and the kinds, the same for all engines. */
import {constants} from 'node:os';
import {EXIT_CODES} from '../exit-codes.js';
import {ADDRESS_SPACE_MIB, describeAddressSpace, OWN_MAJOR} from '../node-memory.js';
import type {JobEnd, JobEndKind} from './engine.js';

export type ExitWords = Pick<JobEnd, 'failed' | 'kind' | 'reason'>;

/**
 * What an exit status says. Shells and Grid Engine report a death by signal as 128 + its number.
 *
 * @param limitBytes - The limit of the address space, if there is one.
 */
export const describeExitStatus = (exitStatus: number, limitBytes?: number): ExitWords => {
	if (exitStatus === 0) return {failed: false, reason: 'exit status 0'};
	const words = START_FAILURES[exitStatus];
	if (words !== undefined) return {failed: true, kind: 'start-failed', reason: `${words} (exit status ${exitStatus})`};
	const signal = SIGNALS.get(exitStatus - 128);
	if (signal === undefined) return {failed: true, reason: `exit status ${exitStatus}`};
	const ended = describeSignal(signal, limitBytes);
	return {...ended, reason: `${ended.reason} (exit status ${exitStatus})`};
};

export const describeSignal = (signal: NodeJS.Signals, limitBytes?: number): ExitWords => {
	const {kind, hint} = explainSignal(signal, limitBytes);
	return {failed: true, kind, reason: `killed by ${signal}${hint === undefined ? '' : `: ${hint}`}`};
};

/** Of our own programs, and 126 and 127 of the launcher's shell. Tasks can't bring them about: whatever it was, they had no part in it. */
const START_FAILURES: Readonly<Record<number, string>> = {
	[EXIT_CODES.usage]: 'launch.sh was given wrong arguments',
	[EXIT_CODES.filesMissing]: 'the files of the work_dir could not be read on that host',
	[EXIT_CODES.internal]: 'the worker program failed, and says why on stderr',
	[EXIT_CODES.directoryMissing]: "the caller's working directory could not be entered on that host",
	[EXIT_CODES.outputRefused]: 'the output files of the attempt could not be made, or were there already',
	[EXIT_CODES.outputFailed]: 'the outcomes could not be written: no space, a quota, or a file system out of order',
	126: 'node could not be executed on that host',
	127: 'node was not found on that host',
};

const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map(
	// Some numbers have two names; the first is the usual one (SIGABRT, SIGIOT).
	Object.entries(constants.signals)
		.map(([name, number]) => [number, name as NodeJS.Signals] as const)
		.reverse(),
);

const explainSignal = (signal: NodeJS.Signals, limitBytes: number | undefined): {readonly kind: JobEndKind; readonly hint?: string} => {
	switch (signal) {
		case 'SIGKILL':
			return {kind: 'killed', hint: 'by hand, or by the system for want of memory'};
		case 'SIGXCPU':
			return {kind: 'wall-time', hint: 'it used up its processor time'};
		case 'SIGXFSZ':
			return {kind: 'killed', hint: 'a file became larger than allowed'};
		case 'SIGTRAP':
			// V8 ends so when it gets no address space, but also for other reasons: only a limit below what it needs is certain.
			return isTooSmallForNode(limitBytes)
				? {kind: 'out-of-memory', hint: `its limit of memory is too small, ${describeAddressSpace(OWN_MAJOR)}`}
				: {kind: 'killed', hint: `as Node ends when its limit of memory (h_vmem) is too small; ${describeAddressSpace(OWN_MAJOR)}`};
		case 'SIGABRT':
			return {kind: 'killed', hint: 'as Node ends when its heap is full, and says so on stderr'};
		default:
			return {kind: 'killed'};
	}
};

const isTooSmallForNode = (limitBytes: number | undefined): boolean => {
	const needed = ADDRESS_SPACE_MIB[OWN_MAJOR];
	return limitBytes !== undefined && needed !== undefined && limitBytes < needed * 2 ** 20;
};
