/** What is mapped in a storm of faults: a task that says when it begins and when it ends. */
import {appendFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {taskContext} from 'queue-map-reduce';

/** @typedef {{event: 'begin' | 'end', timeMs: number, session: string, itask: number, attempt: number, pid: number, ppid: number}} TaskEvent */

/** @typedef {{events: string, takesMs: number, firstTakesMs?: number, value: number}} StormTask - the first attempt may take longer */

export const note = async (/** @type {StormTask} */ {events, takesMs, firstTakesMs = takesMs, value}) => {
	const {session, itask, attempt} = taskContext();
	const tell = (/** @type {TaskEvent['event']} */ event) => {
		/** @type {TaskEvent} */
		const line = {event, timeMs: Date.now(), session, itask, attempt, pid: process.pid, ppid: process.ppid};
		// In one write, so that lines of several workers do not mix.
		appendFileSync(events, `${JSON.stringify(line)}\n`);
	};
	tell('begin');
	await sleep(attempt === 1 ? firstTakesMs : takesMs);
	tell('end');
	return 2 * value;
};
