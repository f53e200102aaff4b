/** Asks the programs of Grid Engine why a queue-job is in an error state, how it ended, or what it waits for. */
import type {JobEnd, JobQuestion} from './engine.js';
import {isForUnknownLimit, type JobRecord, parseAccounting, toJobEnd} from './grid-engine-accounting.js';
import {parseElementId} from './grid-engine-elements.js';
import {LIMIT_NAMES, limitsOfQueue} from './grid-engine-limits.js';
import {isPermanentReason, parseErrorReason, parsePendingReason} from './grid-engine-reasons.js';
import type {ProgramResult} from './run-program.js';

export type ExplainOptions = {
	readonly qstatPath: string;
	readonly qacctPath: string | undefined;
	readonly qalterPath: string | undefined;
	readonly programTimeoutMs: number;
};

/** Calls a program and waits for it so long at the most. */
export type Run = (program: string, args: readonly string[], timeoutMs: number) => Promise<ProgramResult>;

export const createExplain =
	(run: Run, options: ExplainOptions) =>
	async (job: JobQuestion): Promise<JobEnd | undefined> => {
		try {
			if (job.state === 'error') return await explainError(run, options, job);
			return await (job.state === 'ended' ? explainEnd(run, options, job) : explainPending(run, options, job));
		} catch {
			// It only adds to a message: a program that is missing decides nothing here.
			return undefined;
		}
	};

/** The accounting may be a file of gigabytes; for the name of a host alone it is not worth more. */
const HOST_TIMEOUT_MS = 5000;

const explainError = async (run: Run, options: ExplainOptions, job: JobQuestion): Promise<JobEnd | undefined> => {
	const {jobId, element} = parseElementId(job.id);
	const [{stdout}, record] = await Promise.all([
		run(options.qstatPath, ['-j', jobId], options.programTimeoutMs),
		// A queue-job in an error state is on no host any more: only the accounting knows where it could not be started.
		findRecord(run, options, job, Math.min(HOST_TIMEOUT_MS, options.programTimeoutMs)).catch(() => undefined),
	]);
	const reason = parseErrorReason(stdout, element);
	if (reason === undefined) return undefined;
	return {failed: true, reason, isPermanent: isPermanentReason(reason), ...(record?.host === undefined ? {} : {host: record.host})};
};

const explainEnd = async (run: Run, options: ExplainOptions, job: JobQuestion): Promise<JobEnd | undefined> => {
	const record = await findRecord(run, options, job, options.programTimeoutMs);
	if (record === undefined) return undefined;
	if (record.queueInstance === undefined || !isForUnknownLimit(record)) return toJobEnd(record);
	const args = ['-f', '-F', LIMIT_NAMES, '-xml', '-q', record.queueInstance];
	const limits = await run(options.qstatPath, args, options.programTimeoutMs).then(
		({stdout}) => limitsOfQueue(stdout),
		() => ({}),
	);
	return toJobEnd(record, limits);
};

const findRecord = async (run: Run, options: ExplainOptions, job: JobQuestion, timeoutMs: number): Promise<JobRecord | undefined> => {
	if (options.qacctPath === undefined) return undefined;
	const {jobId, element} = parseElementId(job.id);
	const {stdout} = await run(options.qacctPath, ['-j', jobId, ...(element === undefined ? [] : ['-t', String(element)])], timeoutMs);
	return parseAccounting(stdout, job, element);
};

const explainPending = async (run: Run, options: ExplainOptions, {id}: JobQuestion): Promise<JobEnd | undefined> => {
	// The queue tells of an array as a whole what its elements wait for.
	const {jobId} = parseElementId(id);
	const call = async (program: string | undefined, args: readonly string[]): Promise<string> =>
		program === undefined ? '' : (await run(program, args, options.programTimeoutMs)).stdout;
	const [verification, details] = await Promise.all([
		// Whether it could start now, with the cluster as full as it is; it changes nothing.
		call(options.qalterPath, ['-w', 'p', jobId]).catch(() => ''),
		call(options.qstatPath, ['-j', jobId]).catch(() => ''),
	]);
	const reason = parsePendingReason(verification, details);
	return reason === undefined ? undefined : {failed: false, reason};
};
