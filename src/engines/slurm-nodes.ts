/**
 * Which nodes Slurm does not reach. Its squeue goes on saying RUNNING of what is on such a node, for minutes by default, and COMPLETING of what was cancelled
 * there.
 */
import type {JobStatus} from './engine.js';
import type {Run} from './slurm-explain.js';

/** Asked not more often than this, and only about nodes where a queue-job has run for so long: maps of short tasks cost no further call. */
const ASK_EVERY_MS = 30_000;

export type MarkUnreachable = (jobs: readonly JobStatus[]) => Promise<readonly JobStatus[]>;

/** Makes `unreachable` of what is on a node that does not respond. */
export const createNodeWatch = (
	run: Run,
	scontrolPath: string | undefined,
	elapsedMs: () => number = () => performance.now(),
): MarkUnreachable => {
	let askedMs = elapsedMs();
	/** Ids of queue-jobs: what comes to a node later than the question is not meant by its answer. */
	let then: ReadonlySet<string> = new Set();
	let unreachable: ReadonlySet<string> = new Set();
	return async jobs => {
		if (scontrolPath !== undefined && elapsedMs() - askedMs >= ASK_EVERY_MS) {
			const suspects = jobs.filter(job => isOnNode(job) && then.has(job.id));
			unreachable = (await findUnreachable(run, scontrolPath, suspects)) ?? unreachable;
			then = new Set(jobs.filter(isOnNode).map(({id}) => id));
			askedMs = elapsedMs();
		}
		return jobs.map(job =>
			isOnNode(job) && unreachable.has(job.id) ? {...job, state: 'unreachable', rawState: `${job.rawState}, node not responding`} : job,
		);
	};
};

const isOnNode = ({state, host}: JobStatus): boolean => host !== undefined && (state === 'running' || state === 'suspended');

/** Undefined when there is no answer: that a node is silent is only a hint, and so is that nobody says so. */
const findUnreachable = async (run: Run, scontrolPath: string, suspects: readonly JobStatus[]): Promise<Set<string> | undefined> => {
	const hosts = [...new Set(suspects.map(({host}) => host))];
	if (hosts.length === 0) return new Set();
	// `-a`: one that is in hidden partitions only is "not found" else.
	const result = await run(scontrolPath, ['-a', '-o', 'show', 'node', hosts.join(',')]).catch(() => undefined);
	if (result?.exitCode !== 0) return undefined;
	const silent = parseSilentNodes(result.stdout);
	return new Set(suspects.filter(({host}) => silent.has(host as string)).map(({id}) => id));
};

/**
 * The names in the output of `scontrol -o show node` of nodes that do not respond: `State=MIXED+NOT_RESPONDING`, `State=ALLOCATED*`, `State=DOWN*+DRAIN`.
 */
export const parseSilentNodes = (text: string): Set<string> =>
	new Set(
		text.split('\n').flatMap(line => {
			const [name, state] = ['NodeName', 'State'].map(field => new RegExp(`(?:^|\\s)${field}=(\\S*)`).exec(line)?.[1]);
			return name !== undefined && state !== undefined && /NOT_RESPONDING|\*/.test(state) ? [name] : [];
		}),
	);
