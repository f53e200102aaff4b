/** Ends a process and all that descends from it, where they are in the process group of somebody else. */
import {readdirSync, readFileSync} from 'node:fs';

/** What has left its parent, as a daemon does, is not found. Without /proc only the process itself is ended. */
export const killTree = (pid: number): void => {
	const found = new Set<number>();
	for (let next = [pid]; next.length > 0; ) {
		for (const each of next) {
			// Stopped, it starts no other one while we look for those that it has.
			send(each, 'SIGSTOP');
			found.add(each);
		}
		next = listProcesses().flatMap(({child, parent}) => (found.has(parent) && !found.has(child) ? [child] : []));
	}
	for (const each of found) send(each, 'SIGKILL');
};

const send = (pid: number, signal: NodeJS.Signals): void => {
	try {
		process.kill(pid, signal);
	} catch {
		// It is gone already.
	}
};

const listProcesses = (): {readonly child: number; readonly parent: number}[] => {
	try {
		return readdirSync('/proc').flatMap(name => (/^\d+$/.test(name) ? readParent(name) : []));
	} catch {
		return [];
	}
};

/** `12 (a name) S 7 …`, and a name may hold brackets. */
const readParent = (name: string): {readonly child: number; readonly parent: number}[] => {
	try {
		const parent = /.*\) \S (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, 'latin1'))?.[1];
		return parent === undefined ? [] : [{child: Number(name), parent: Number(parent)}];
	} catch {
		return [];
	}
};
