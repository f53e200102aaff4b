/** Asks the scheduler which queue-jobs of a map it has, and what they wait for. It only looks: nothing is changed there. */
import {isForeign} from '../../check-engine.js';
import {mergeOptions} from '../../check-options.js';
import {chooseEngine} from '../../choose-engine.js';
import type {Engine, JobStatus} from '../../engines/engine.js';
import {parseJobName} from '../../layout.js';
import type {Manifest} from '../../manifest.js';
import type {PoolOptions} from '../../options.js';

export type QueueAnswer =
	| {readonly kind: 'answer'; readonly jobs: readonly QueuedJob[]}
	/** It can't be asked, or gave no answer. */
	| {readonly kind: 'unknown'; readonly reason: string};

export type QueuedJob = Pick<JobStatus, 'id' | 'name' | 'state' | 'rawState' | 'host'> & {
	/** The chunk that it was submitted for. */
	readonly ichunk: number;
	/** Why it waits or is in an error state, in the words of the scheduler; only of the first few. */
	readonly reason?: string;
};

export type QueueQuestion = {
	readonly manifest: Manifest;
	/** Why is asked for these first. @default the first that wait */
	readonly ichunk?: number;
	/** Where the programs of the scheduler are, and whatever else the manifest does not hold here. */
	readonly options?: PoolOptions;
};

/** Each is a call or two of a program; those that wait wait for the same thing, as a rule. */
const MAX_QUESTIONS = 3;

export const askScheduler = async ({manifest, ichunk, options = {}}: QueueQuestion): Promise<QueueAnswer> => {
	const {engine: name, session} = manifest;
	if (name === 'local')
		return {kind: 'unknown', reason: 'the engine is local: its queue-jobs are child processes of the process that works in it'};
	if (isForeign(name)) return {kind: 'unknown', reason: `the engine ${name} is none of this library: ask it in your program`};
	try {
		const {engine} = await chooseEngine(mergeOptions({...recorded(manifest), engine: name as NonNullable<PoolOptions['engine']>}, options));
		const jobs = (await engine.status()).flatMap((job): QueuedJob[] => {
			const parts = parseJobName(session, job.name);
			return parts === undefined ? [] : [{...job, ichunk: parts.first + (job.element ?? 1) - 1}];
		});
		jobs.sort((a, b) => a.ichunk - b.ichunk);
		return {kind: 'answer', jobs: await explain(engine, jobs, ichunk)};
	} catch (error) {
		return {kind: 'unknown', reason: error instanceof Error ? error.message : String(error)};
	}
};

/** What was written down whole. */
const recorded = ({options, incompleteOptions}: Manifest): PoolOptions =>
	Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'env' && name !== 'resume' && !incompleteOptions.includes(name)));

const explain = async (engine: Engine, jobs: readonly QueuedJob[], ichunk: number | undefined): Promise<QueuedJob[]> => {
	const waiting = jobs.filter(({state}) => state === 'error' || state === 'pending' || state === 'held');
	const meant = ichunk === undefined ? waiting : waiting.filter(job => job.ichunk === ichunk);
	// Those in an error state first: they need somebody.
	const asked = [...meant.filter(({state}) => state === 'error'), ...meant.filter(({state}) => state !== 'error')].slice(0, MAX_QUESTIONS);
	const reasons = new Map<QueuedJob, string>();
	for (const job of asked) {
		const {id, name, state} = job;
		const answer = await engine.explain({id, name, state: state === 'error' ? 'error' : 'pending', resources: {}});
		if (answer !== undefined) reasons.set(job, answer.reason);
	}
	return jobs.map(job => {
		const reason = reasons.get(job);
		return reason === undefined ? job : {...job, reason};
	});
};
