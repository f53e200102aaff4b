/** What `qmr show --json` prints of a task. */
import {adviceOn} from './format-errors.js';
import {toJsonValue} from './json-value.js';
import type {TaskView} from './look-at-task.js';

export const toTaskJson = ({map, task, known, chunk, owner, files, queue}: TaskView): object => {
	const {itask, ichunk, state, outcome, attempt = null, jobId = null, host = null, startedAt = null, elapsedMs = null} = task;
	return {
		...{workDir: map.workDir, session: map.manifest.session, itask, ichunk, state, attempt, jobId, host, startedAt, elapsedMs},
		task: toJsonValue(task.input),
		...(outcome?.status === 'fulfilled' ? {result: toJsonValue(outcome.value)} : {}),
		...(outcome?.status === 'rejected'
			? {error: {kind: outcome.kind, message: outcome.message, remote: toJsonValue(outcome.remote ?? null), advice: adviceOn(outcome.kind)}}
			: {}),
		...{stdout: task.stdout, stderr: task.stderr, attempts: task.attempts, chunk, events: known.events, owner, files},
		...(queue === undefined ? {} : {queue}),
		problems: map.problems,
	};
};
