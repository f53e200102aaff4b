/** The processes of this machine, as /proc tells of them. */
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {hostname} from 'node:os';
import type {Processes, ProcessIdentity} from './owner.js';

export const realProcesses: Processes = {
	self: () => {
		const {bootId, pidNamespace} = readPlace();
		return {host: hostname(), bootId, pidNamespace, pid: process.pid, startTime: readStat('self')?.startTime ?? ''};
	},
	isAlive: other => {
		const {bootId, pidNamespace} = readPlace();
		// Without /proc nothing is known of anybody.
		if (bootId === '' || other.bootId !== bootId || other.pidNamespace !== pidNamespace) return undefined;
		return isRunning(other);
	},
};

/** A process that leads a process group, told from those that get its number later. */
export type GroupLeader = {readonly pid: number; readonly startTime: string; readonly arguments: readonly string[]};

/** Those whose arguments may be read. */
export const listGroupLeaders = (): GroupLeader[] =>
	readdirSync('/proc').flatMap(pid => {
		const stat = /^\d+$/.test(pid) ? readStat(pid) : undefined;
		const words = stat?.group === pid ? readArguments(pid) : [];
		return stat === undefined || words.length === 0 ? [] : [{pid: Number(pid), startTime: stat.startTime, arguments: words}];
	});

export const isRunning = ({pid, startTime}: Pick<GroupLeader, 'pid' | 'startTime'>): boolean =>
	readStat(String(pid))?.startTime === startTime;

const readArguments = (pid: string): string[] => {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
	} catch {
		return [];
	}
};

const readPlace = (): Pick<ProcessIdentity, 'bootId' | 'pidNamespace'> => {
	try {
		return {bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), pidNamespace: readlinkSync('/proc/self/ns/pid')};
	} catch {
		return {bootId: '', pidNamespace: ''};
	}
};

/** Undefined when there is no such process, or it is dead and only waits for its parent. */
const readStat = (pid: string): {readonly group: string; readonly startTime: string} | undefined => {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		// The second field is the program's name in brackets, which may hold anything; the third is the state, the fifth the group, the 22nd the start.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		const [state, , group = ''] = fields;
		return state === 'Z' || state === 'X' ? undefined : {group, startTime: fields[19] ?? ''};
	} catch {
		return undefined;
	}
};
