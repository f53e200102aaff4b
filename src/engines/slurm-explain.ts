/** Asks the programs of Slurm why a queue-job is in an error state, how it ended, or what it waits for. */
import type {JobEnd, JobQuestion} from './engine.js';
import type {ProgramResult} from './run-program.js';
import {describePendingReason} from './slurm-reasons.js';
import {accountingArguments, type JobRecord, parseAccounting, parseRecord, toJobEnd} from './slurm-record.js';

export type ExplainOptions = {
	readonly scontrolPath: string | undefined;
	readonly sacctPath: string | undefined;
};

export type Run = (program: string, args: readonly string[]) => Promise<ProgramResult>;

export const createExplain = (run: Run, options: ExplainOptions): ((job: JobQuestion) => Promise<JobEnd | undefined>) => {
	const askAccounting = createAccounting(run, options);
	return async job => {
		try {
			const memory = await askMemory(run, options, job);
			if (job.state !== 'ended') return memory.kind === 'record' ? explainListed(memory.record, job) : undefined;
			if (memory.kind === 'record') return toJobEnd(memory.record);
			const accounted = await askAccounting(job);
			if (accounted !== undefined) return toJobEnd(accounted);
			return memory.kind === 'forgotten' ? FORGOTTEN : undefined;
		} catch {
			// It only adds to a message: a program that is missing decides nothing here.
			return undefined;
		}
	};
};

/**
 * It remembers a queue-job for minutes after its end (MinJobAge, 300 s by default), also one that somebody has removed while it waited: so this one was lost in
 * a crash of the controller, or its end is long past. That it failed is not said by that.
 */
const FORGOTTEN: JobEnd = {failed: false, reason: 'Slurm does not know it any more'};

type Memory = {readonly kind: 'record'; readonly record: JobRecord} | {readonly kind: 'forgotten'} | {readonly kind: 'silent'};

const askMemory = async (run: Run, {scontrolPath}: ExplainOptions, {id, name}: JobQuestion): Promise<Memory> => {
	if (scontrolPath === undefined) return {kind: 'silent'};
	const {stdout, stderr} = await run(scontrolPath, ['-o', 'show', 'job', id]);
	const record = parseRecord(stdout, name);
	if (record !== undefined) return {kind: 'record', record};
	return /Invalid job id specified/i.test(stderr) ? {kind: 'forgotten'} : {kind: 'silent'};
};

/** Many sites have no accounting: they are asked once. */
const createAccounting = (run: Run, {sacctPath}: ExplainOptions): ((job: JobQuestion) => Promise<JobRecord | undefined>) => {
	let isThere = true;
	return async ({id, name}) => {
		if (sacctPath === undefined || !isThere) return undefined;
		const {stdout, stderr} = await run(sacctPath, accountingArguments(id));
		if (/accounting storage is disabled/i.test(stderr)) isThere = false;
		return parseAccounting(stdout, name);
	};
};

/** Of one that is in an error state its host is forgotten; nothing of Slurm's reasons lasts on every host. */
const explainListed = ({reason}: JobRecord, {state}: JobQuestion): JobEnd | undefined => {
	if (reason === undefined) return undefined;
	return state === 'error' ? {failed: true, reason: reason.replaceAll('_', ' ')} : {failed: false, reason: describePendingReason(reason)};
};
