/** A time-out for what others do, which lets be heard what has come before it fires. */

/**
 * After a standstill of this process (Ctrl-Z, a task list that takes long to be made) Node looks at its timers first: whoever has answered in time
 * would count as late. So all that has come is looked at once more before `onTimeout` is called.
 *
 * @returns Ends the wait.
 */
export const setPatientTimeout = (onTimeout: () => void, timeoutMs: number): (() => void) => {
	let immediate: NodeJS.Immediate | undefined;
	const timer = setTimeout(() => {
		immediate = setImmediate(onTimeout);
	}, timeoutMs);
	return () => {
		clearTimeout(timer);
		clearImmediate(immediate);
	};
};
