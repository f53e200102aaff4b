/** Which tasks of a map are computed again. */
import {PoolError} from '../errors.js';
import {formatRanges} from '../group-failures.js';
import {rerunPath} from '../layout.js';
import type {TaskRecord} from '../read/read-work-dir.js';

/** What is known of a task before it is read. */
export type TaskStatus = Pick<TaskRecord, 'itask' | 'state' | 'rerun'>;

/**
 * @param tasks - All that there are.
 * @param wanted - These; or all that have no result, within these.
 * @returns Their indices, in order.
 * @throws PoolError `ERR_POOL_OPTION` for one that there is not; `ERR_POOL_RESUME` for one that may still be being computed.
 */
export const selectTasks = (
	workDir: string,
	tasks: Iterable<TaskStatus>,
	wanted: readonly number[] | {readonly within: readonly number[] | undefined},
): number[] => {
	const named = 'within' in wanted ? undefined : new Set(wanted);
	const within = 'within' in wanted && wanted.within !== undefined ? new Set(wanted.within) : undefined;
	const selected: TaskStatus[] = [];
	let numTasks = 0;
	for (const {itask, state, rerun} of tasks) {
		numTasks = Math.max(numTasks, itask + 1);
		const isWanted = named === undefined ? state !== 'done' && (within?.has(itask) ?? true) : named.delete(itask);
		if (isWanted) selected.push({itask, state, rerun});
	}
	const [missing] = named ?? [];
	if (missing !== undefined)
		throw new PoolError('ERR_POOL_OPTION', `Expected the number of a task of ${workDir}, from 0 to ${numTasks - 1}, got ${missing}.`);
	const open = selected.filter(({state}) => state === 'pending' || state === 'running');
	if (open[0] !== undefined) throw undecided(workDir, open, open[0].rerun);
	return selected.map(({itask}) => itask);
};

const undecided = (workDir: string, open: readonly TaskStatus[], rerun: number | undefined): PoolError => {
	const where = rerun === undefined ? workDir : rerunPath(workDir, rerun);
	const tasks = `${open.length === 1 ? 'Task' : 'Tasks'} ${formatRanges(open.map(({itask}) => itask))}`;
	return new PoolError(
		'ERR_POOL_RESUME',
		`${tasks} of ${where} may still be computed by queue-jobs that its process has left. Go on with them: await Pool.resume(${JSON.stringify(where)}), or qmr resume ${where}. Or end them first: qmr cancel ${where}.`,
		{workDir},
	);
};
