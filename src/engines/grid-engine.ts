/** Grid Engine (Son of, Univa, Open Grid Scheduler, Gridware): queue-jobs by qsub, watched by qstat -xml, removed by qdel. */
import {PoolError} from '../errors.js';
import type {Engine, JobStatus} from './engine.js';
import {createListingReader, type Listing} from './grid-engine-answers.js';
import {formatElementId, groupIds} from './grid-engine-elements.js';
import {createExplain, type Run} from './grid-engine-explain.js';
import {runGridEngineProgram} from './grid-engine-program.js';
import {createPlacing, submitPlaced} from './grid-engine-site.js';
import {createSubmitter, NO_ANSWER, NO_MASTER, type SubmitOptions} from './grid-engine-submit.js';
import {keepCluster} from './keep-cluster.js';
import {createMaxElements} from './max-elements.js';
import {removeInSlices} from './remove-in-slices.js';
import {type ProgramResult, runProgram} from './run-program.js';
import {shareStatus} from './share-status.js';

export type GridEngineOptions = SubmitOptions & {
	/** Absolute paths. */
	readonly qstatPath: string;
	readonly qdelPath: string;
	readonly qacctPath: string | undefined;
	readonly qalterPath: string | undefined;
	readonly qconfPath: string | undefined;
	readonly errorStateIndicator: string;
	/** Whose queue-jobs are listed. */
	readonly user: string;
};

export const createGridEngine = (options: GridEngineOptions): Engine => {
	const cluster = keepCluster();
	const run: Run = (program, args, timeoutMs) => runGridEngineProgram(program, args, {timeoutMs, environment: cluster.environment()});
	const place = createPlacing((program, args) => run(program, args, options.programTimeoutMs), options);
	const {qstatPath, qconfPath, user, errorStateIndicator, programTimeoutMs} = options;
	const {submitAll, submitArray, describe} = submitPlaced(createSubmitter(options, cluster.environment), place);
	return {
		name: 'grid-engine',
		statusCost: 'call',
		outlivesProcess: true,
		maxDefaultChunks: 1000,
		submit: submitAll,
		describe: async requests => {
			const described: (readonly string[])[] = [];
			// One after the other: the first one may ask the site, and all others know then.
			for (const request of requests) described.push(await describe(request));
			return described;
		},
		arrays: {
			elementVariable: 'SGE_TASK_ID',
			maxElements: createMaxElements(
				qconfPath === undefined ? undefined : () => run(qconfPath, ['-sconf'], options.programTimeoutMs),
				parseMaxElements,
			),
			submit: submitArray,
			describe,
			elementId: formatElementId,
		},
		status: shareStatus(JSON.stringify([qstatPath, user, errorStateIndicator, programTimeoutMs, cluster.key]), () =>
			createAsk(run, options),
		),
		remove: ids => removeInSlices(groupIds(ids), async slice => whyUnheard(await run(options.qdelPath, slice, options.programTimeoutMs))),
		explain: createExplain(run, options),
	};
};

/** Whether the qstat at this path belongs to a Grid Engine: Torque and Slurm have one, too. */
export const isGridEngine = async (qstatPath: string | undefined): Promise<boolean> => {
	if (qstatPath === undefined) return false;
	const {stdout, stderr} = await runProgram(qstatPath, ['-help'], {timeoutMs: 10_000, environment: process.env});
	return /^\s*(?:SGE|GE|OGS|UGE|AGE|OCS|GCS|Grid Engine)\b|grid ?engine/i.test(`${stdout}\n${stderr}`);
};

/** Grid Engine numbers no further, also where `max_aj_tasks` is 0 for no limit. */
const MAX_ELEMENTS = 9_999_999;

const parseMaxElements = (text: string): number | undefined => {
	const limit = /^max_aj_tasks\s+(\d+)\s*$/m.exec(text)?.[1];
	if (limit === undefined) return undefined;
	return limit === '0' ? MAX_ELEMENTS : Number(limit);
};

/** It exits with 1 also when one of them is gone already, so its exit status decides nothing: only that the master has not heard of it at all. */
const whyUnheard = ({exitCode, stderr, ending}: ProgramResult): string | undefined => {
	if (ending === 'not-started') return `qdel can't be started: ${stderr}`;
	if (ending !== 'exited') return `qdel ${ending === 'timed-out' ? 'did not answer in time' : 'was killed'}`;
	const isUnheard = exitCode !== 0 && (NO_ANSWER.test(stderr) || NO_MASTER.test(stderr));
	return isUnheard ? `qdel: ${stderr.trim().replaceAll(/\s*\n\s*/g, ' ')}` : undefined;
};

const createAsk = (run: Run, options: GridEngineOptions): (() => Promise<readonly JobStatus[]>) => {
	const readListing = createListingReader(options);
	const list = async (args: readonly string[]): Promise<Listing> => {
		const {default: retry} = await import('p-retry');
		// A second try at once: one lost answer should not delay the news by a whole polling interval.
		return retry(async () => readListing(checkAnswer(await run(options.qstatPath, args, options.programTimeoutMs), options)), {
			retries: 1,
			minTimeout: 200,
			shouldRetry: ({error}) => !(error instanceof PoolError || error instanceof TimeoutError),
		});
	};
	return async () => {
		// `-ne` leaves out the queue instances without queue-jobs, of which a site may have thousands.
		const ours = await list(['-f', '-ne', '-xml', '-u', options.user]);
		if (!ours.reachesNone) return ours.jobs;
		const all = await list(['-f', '-xml', '-u', options.user]);
		if (!all.reachesNone) return all.jobs;
		// A master that was restarted a moment ago has heard of no node yet, or its network is down: that is no evidence about any queue-job.
		throw new Error('the scheduler reaches none of its nodes: qstat shows every queue instance in the state u (unknown)');
	};
};

class TimeoutError extends Error {}

const checkAnswer = ({exitCode, stdout, stderr, ending}: ProgramResult, {programTimeoutMs}: GridEngineOptions): string => {
	if (ending === 'timed-out') throw new TimeoutError(`qstat did not answer within ${programTimeoutMs / 1000} s`);
	if (ending !== 'exited' || exitCode !== 0) throw new Error(`qstat ended with exit status ${exitCode}: ${stderr.trim()}`);
	return stdout;
};
