/** How many tasks came to what. */
import type {Progress} from './options.js';

export type TaskCounts = Omit<Progress, 'rate' | 'remainingMs'>;

/** What is asked of a task to count it. */
export type CountedTask = {
	readonly state: 'done' | 'failed' | 'running' | 'pending';
	readonly outcome: {readonly status: 'fulfilled'} | {readonly status: 'rejected'; readonly kind: string} | undefined;
};

export const countTasks = (tasks: readonly CountedTask[]): TaskCounts => {
	const counts = {total: tasks.length, done: 0, failed: 0, cancelled: 0, running: 0, pending: 0};
	for (const {state, outcome} of tasks) counts[outcome?.status === 'rejected' && outcome.kind === 'cancelled' ? 'cancelled' : state]++;
	return counts;
};

/** Of cancelled ones only when there are any: most maps are never ended before their time. */
export const formatCounts = ({total, done, failed, cancelled, running, pending}: TaskCounts): string =>
	`${done} of ${total} done, ${failed} failed, ${cancelled === 0 ? '' : `${cancelled} cancelled, `}${running} running, ${pending} pending`;
