/** The processes of this machine, as /proc tells of them. */
import {readFileSync, readlinkSync} from 'node:fs';
import {hostname} from 'node:os';
import type {Processes, ProcessIdentity} from './owner.js';

export const realProcesses: Processes = {
	self: () => {
		const {bootId, pidNamespace} = readPlace();
		return {host: hostname(), bootId, pidNamespace, pid: process.pid, startTime: readStartTime('self') ?? ''};
	},
	isAlive: other => {
		const {bootId, pidNamespace} = readPlace();
		// Without /proc nothing is known of anybody.
		if (bootId === '' || other.bootId !== bootId || other.pidNamespace !== pidNamespace) return undefined;
		return readStartTime(String(other.pid)) === other.startTime;
	},
};

const readPlace = (): Pick<ProcessIdentity, 'bootId' | 'pidNamespace'> => {
	try {
		return {bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), pidNamespace: readlinkSync('/proc/self/ns/pid')};
	} catch {
		return {bootId: '', pidNamespace: ''};
	}
};

/** Undefined when there is no such process, or it is dead and only waits for its parent. */
const readStartTime = (pid: string): string | undefined => {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		// The second field is the program's name in brackets, which may hold anything; the third is the state, the 22nd the start.
		const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
	} catch {
		return undefined;
	}
};
