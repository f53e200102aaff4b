import {readFileSync} from 'node:fs';

/** Whether a process with this id runs. One that has ended but was not waited for yet counts as ended. */
export const isAlive = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
	} catch (error) {
		// EPERM: it lives and belongs to someone else.
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}

	return !isZombie(pid);
};

/** Kills a process and everything it has started in its group. */
export const killGroup = (pid: number, signal: NodeJS.Signals): void => {
	try {
		process.kill(-pid, signal);
	} catch (error) {
		// ESRCH: it ended by itself just now.
		if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
			throw error;
		}
	}
};

const isZombie = (pid: number): boolean => {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		// The state follows the name, which is in brackets and may itself hold any character.
		return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
	} catch {
		// No /proc on this system, or the process is gone since.
		return false;
	}
};
