/** Slurm: queue-jobs by sbatch, watched by squeue, removed by scancel, explained by scontrol and, where there is an accounting, by sacct. */
import {PoolError} from '../errors.js';
import type {Engine, JobStatus} from './engine.js';
import {keepCluster} from './keep-cluster.js';
import {createMaxElements} from './max-elements.js';
import {removeInSlices} from './remove-in-slices.js';
import {type ProgramResult, runProgram} from './run-program.js';
import {shareStatus} from './share-status.js';
import {listArguments, parseListing} from './slurm-answers.js';
import {formatElementId, groupIds} from './slurm-elements.js';
import {slurmEnvironment} from './slurm-environment.js';
import {createExplain, type ExplainOptions, type Run} from './slurm-explain.js';
import {createNodeWatch} from './slurm-nodes.js';
import {createSubmitter, NO_ANSWER, NO_MASTER, type SubmitOptions} from './slurm-submit.js';

export type SlurmOptions = SubmitOptions &
	ExplainOptions & {
		/** Absolute path. */
		readonly scancelPath: string;
	};

export const createSlurmEngine = (options: SlurmOptions): Engine => {
	const cluster = keepCluster();
	const environment = (): NodeJS.ProcessEnv => slurmEnvironment(cluster.environment());
	const run: Run = (program, args) => runProgram(program, args, {timeoutMs: options.programTimeoutMs, environment: environment()});
	const {squeuePath, scontrolPath, user, programTimeoutMs} = options;
	const {submitAll, submitArray, describe} = createSubmitter(options, environment);
	return {
		name: 'slurm',
		statusCost: 'call',
		outlivesProcess: true,
		maxDefaultChunks: 1000,
		submit: submitAll,
		describe: async requests => requests.map(describe),
		arrays: {
			elementVariable: 'SLURM_ARRAY_TASK_ID',
			maxElements: createMaxElements(
				scontrolPath === undefined ? undefined : () => run(scontrolPath, ['show', 'config']),
				parseMaxElements,
			),
			submit: submitArray,
			describe: async request => describe(request),
			elementId: formatElementId,
		},
		status: shareStatus(JSON.stringify([squeuePath, scontrolPath, user, programTimeoutMs, cluster.key]), () => createAsk(run, options)),
		// `--quiet`: those that are gone are no errors.
		remove: ids => removeInSlices(groupIds(ids), async slice => whyUnheard(await run(options.scancelPath, ['--quiet', ...slice]))),
		explain: createExplain(run, options),
	};
};

/** Asks for all queue-jobs; what was read of a text that has not changed since is not read again. */
const createAsk = (run: Run, options: SlurmOptions): (() => Promise<readonly JobStatus[]>) => {
	const markUnreachable = createNodeWatch(run, options.scontrolPath);
	let last = {text: '', jobs: [] as readonly JobStatus[]};
	return async () => {
		const {default: retry} = await import('p-retry');
		// A second try at once: one lost answer should not delay the news by a whole polling interval.
		const text = await retry(async () => readListing(await run(options.squeuePath, listArguments(options.user)), options), {
			retries: 1,
			minTimeout: 200,
			shouldRetry: ({error}) => !(error instanceof PoolError || error instanceof SlowError),
		});
		if (text !== last.text) last = {text, jobs: parseListing(text)};
		return markUnreachable(last.jobs);
	};
};

/** In the output of `scontrol show config`: MaxArraySize is one more than the highest number of an element, 0 for no arrays; `max_array_tasks` may lower it. */
export const parseMaxElements = (text: string): number | undefined => {
	const size = /^MaxArraySize\s*=\s*(\d+)\s*$/m.exec(text)?.[1];
	if (size === undefined) return undefined;
	const lowered = /^SchedulerParameters\s*=.*\bmax_array_tasks=(\d+)/m.exec(text)?.[1];
	return Math.max(1, Math.min(Number(size) - 1, Number(lowered ?? Number.POSITIVE_INFINITY)));
};

/** Its exit status decides nothing: only that the controller has not heard of it at all. */
const whyUnheard = ({exitCode, stderr, ending}: ProgramResult): string | undefined => {
	if (ending === 'not-started') return `scancel can't be started: ${stderr}`;
	if (ending !== 'exited') return `scancel ${ending === 'timed-out' ? 'did not answer in time' : 'was killed'}`;
	const isUnheard = exitCode !== 0 && (NO_ANSWER.test(stderr) || NO_MASTER.test(stderr));
	return isUnheard ? stderr.trim().replaceAll(/\s*\n\s*/g, ' ') : undefined;
};

class SlowError extends Error {}

const readListing = ({exitCode, stdout, stderr, ending}: ProgramResult, {programTimeoutMs}: SlurmOptions): string => {
	if (ending === 'timed-out') throw new SlowError(`squeue did not answer within ${programTimeoutMs / 1000} s`);
	if (ending !== 'exited' || exitCode !== 0) throw new Error(`squeue ended with exit status ${exitCode}: ${stderr.trim()}`);
	// While the directory service is away it says so, lists nothing, and ends as if all were well.
	if (/error:/i.test(stderr) && stdout.trim() === '') throw new Error(`squeue listed nothing, and said: ${stderr.trim()}`);
	return stdout;
};
