/** Failures that are alike, told once: which tasks, where, and one of them in full. */
import type {RemoteError, TaskErrorKind} from '../../errors.js';
import {toLine} from '../../group-failures.js';
import type {TaskRecord} from '../../read/read-work-dir.js';

export type ErrorGroup = {
	/** In one line, shortened. */
	readonly reason: string;
	readonly kind: TaskErrorKind;
	/** Ascending. */
	readonly itasks: readonly number[];
	readonly hosts: readonly string[];
	readonly example: {readonly itask: number; readonly message: string; readonly remote: RemoteError | undefined; readonly stderr: string};
};

export type ErrorGroups = {
	/** Tasks are to be added in their order; those that have not failed are passed over. */
	readonly add: (task: Pick<TaskRecord, 'itask' | 'outcome' | 'host' | 'stderr'>) => void;
	readonly numFailures: () => number;
	/** The most frequent first, and what was only cancelled behind all others: it tells nothing of why. */
	readonly all: () => ErrorGroup[];
};

/** How many tasks they tell of. */
export const countGrouped = (groups: readonly ErrorGroup[]): number => groups.reduce((sum, {itasks}) => sum + itasks.length, 0);

export const createErrorGroups = (): ErrorGroups => {
	const groups = new Map<string, ErrorGroup & {itasks: number[]; hosts: string[]}>();
	let numFailures = 0;
	return {
		add: ({itask, outcome, host, stderr}) => {
			if (outcome?.status !== 'rejected') return;
			numFailures++;
			const {kind, message, remote} = outcome;
			const reason = toLine(message);
			const key = `${kind} ${reason}`;
			const group = groups.get(key) ?? {reason, kind, itasks: [], hosts: [], example: {itask, message, remote, stderr}};
			groups.set(key, group);
			group.itasks.push(itask);
			if (host !== undefined && !group.hosts.includes(host)) group.hosts.push(host);
		},
		numFailures: () => numFailures,
		all: () => [...groups.values()].sort((a, b) => rank(a) - rank(b) || b.itasks.length - a.itasks.length),
	};
};

const rank = ({kind}: ErrorGroup): number => (kind === 'cancelled' ? 1 : 0);
