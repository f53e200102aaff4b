/** Ends a process and all in its group; fine when it never began or has ended. */
export const killGroup = (pid: number | undefined): void => {
	if (pid === undefined) return;
	try {
		process.kill(-pid, 'SIGKILL');
	} catch {
		// It ended a moment ago.
	}
};
