/** How a queue-job ended, from its record in the accounting of Grid Engine (`qacct -j`) and from what it was allowed. */
import type {JobEnd, JobEndKind, JobResources} from './engine.js';
import {describeExitStatus} from './exit-status.js';
import {findExceeded, type Limits, limitsOfRequest, type Usage} from './grid-engine-limits.js';

export type JobRecord = {
	/** Grid Engine's own code of what failed: 0 for nothing, 100 for a signal. */
	readonly failureCode: number;
	/** The code with its words, as `37  : qmaster enforced h_rt, h_cpu, or h_vmem limit`. */
	readonly failed: string;
	/** 128 + its number for a death by signal. */
	readonly exitStatus: number;
	readonly host: string | undefined;
	/** Where it ran, as `short.q@node1`. */
	readonly queueInstance: string | undefined;
	readonly usage: Usage;
	/** What it was submitted with. */
	readonly requested: Limits;
};

/**
 * The last record of a queue-job in the output of `qacct -j`; numbers are used again after a million jobs, so its name must agree.
 *
 * @param element - Of an array, all elements of which have its number and name.
 */
export const parseAccounting = (
	text: string,
	{name, resources}: {readonly name: string; readonly resources: JobResources},
	element?: number,
): JobRecord | undefined => {
	const fields = text
		.split(/^={10,}\s*$/m)
		.map(parseFields)
		.findLast(record => record.get('jobname') === name && (element === undefined || record.get('taskid') === String(element)));
	if (fields === undefined) return undefined;
	const failed = fields.get('failed') ?? '';
	const failureCode = Number.parseInt(failed, 10);
	// `137                  (Killed)`
	const exitStatus = Number.parseInt(fields.get('exit_status') ?? '', 10);
	// Cut off, or still being written: it does not tell how the job ended.
	if (Number.isNaN(failureCode) || Number.isNaN(exitStatus)) return undefined;
	const [host, queue] = ['hostname', 'qname'].map(key => fields.get(key)).map(value => (value === 'UNKNOWN' ? undefined : value));
	return {
		failureCode,
		failed: failed.replace(/\s+:\s*/, ': '),
		exitStatus,
		host,
		queueInstance: host === undefined || queue === undefined ? undefined : `${queue}@${host}`,
		usage: {
			wallclock: fields.get('ru_wallclock') ?? '',
			cpu: fields.get('cpu') ?? '',
			maxvmem: fields.get('maxvmem') ?? '',
			slots: fields.get('slots') ?? '',
		},
		requested: limitsOfRequest(fields.get('category') ?? '', resources),
	};
};

/** Whether only the limits of its queue can tell for what it was killed: the queue-job itself asked for none that it has reached. */
export const isForUnknownLimit = (record: JobRecord): boolean =>
	record.failureCode === ENFORCED_LIMIT && findExceeded(record.usage, record.requested) === undefined;

/**
 * @param limits - Those of the queue, where they are known; what the queue-job itself asked for goes before them.
 */
export const toJobEnd = (record: JobRecord, limits: Limits = {}): JobEnd => ({
	...explainRecord(record, {...limits, ...record.requested}),
	...(record.host === undefined ? {} : {host: record.host}),
});

/** Also when it was s_rt or h_cpu. */
const ENFORCED_LIMIT = 37;
const AFTER_JOB = 100;

const explainRecord = (record: JobRecord, limits: Limits): Omit<JobEnd, 'host'> => {
	const {failureCode, failed, exitStatus} = record;
	const exit = describeExitStatus(exitStatus, limits.h_vmem);
	if (failureCode === ENFORCED_LIMIT || isKill(exitStatus)) {
		const exceeded = findExceeded(record.usage, limits);
		if (exceeded !== undefined) return {failed: true, ...exceeded};
	}
	if (failureCode === 0 || isAfterTheJob(failureCode)) return exit;
	if (failureCode === AFTER_JOB) return exit.failed ? exit : {failed: true, reason: `failed ${failed}`};
	if (failureCode === ENFORCED_LIMIT)
		return {failed: true, kind: 'killed', reason: `killed for a limit of time or memory (failed ${failed})`};
	const {kind, words} = FAILURES[failureCode] ?? UNKNOWN_FAILURE;
	return {failed: true, ...(kind === undefined ? {} : {kind}), reason: `${words} (failed ${failed})`};
};

/** SIGKILL; and what comes at a soft limit, or before SIGKILL with `-notify`: SIGUSR1, SIGUSR2, SIGXCPU. */
const isKill = (exitStatus: number): boolean => [137, 138, 140, 152].includes(exitStatus);

/** In what is run behind a job (stop of a parallel environment, epilog, release of processors): how the job itself ended is another matter. */
const isAfterTheJob = (failureCode: number): boolean => failureCode >= 12 && failureCode <= 16;

type Failure = {readonly kind?: JobEndKind; readonly words: string};

const BEFORE_THE_JOB: Failure = {kind: 'start-failed', words: 'Grid Engine could not start it on that host'};
const PUT_BACK: Failure = {words: 'it was put back into the queue, and removed there'};
const UNKNOWN_FAILURE: Failure = {words: 'Grid Engine says that it failed'};

/** The codes of sge_status(5). Seen on 8.1.9: 19 (shepherd killed; node crashed), 25 (exit status 99), 26, 27, 28, 30 (exit status 100), 37, 100. */
const FAILURES: Readonly<Record<number, Failure>> = {
	...Object.fromEntries(Array.from({length: 11}, (_, i) => [i + 1, BEFORE_THE_JOB])),
	17: BEFORE_THE_JOB,
	18: {kind: 'node-lost', words: 'its node crashed, or what watches it there was killed'},
	// The worker itself may even run on, when it was only the shepherd that was killed.
	19: {kind: 'node-lost', words: 'its node crashed, or what watches it there was killed'},
	21: {kind: 'node-lost', words: 'its node did not know it any more, as after a restart'},
	24: PUT_BACK,
	25: PUT_BACK,
	26: {kind: 'start-failed', words: 'its input or output could not be opened'},
	27: {kind: 'start-failed', words: 'its shell was not found'},
	28: {kind: 'start-failed', words: 'its directory could not be entered'},
	29: BEFORE_THE_JOB,
	30: {words: 'it asked for the error state'},
	36: BEFORE_THE_JOB,
	38: BEFORE_THE_JOB,
};

const parseFields = (text: string): Map<string, string> =>
	new Map(
		text.split('\n').flatMap(line => {
			const match = /^(\S+)\s+(.*?)\s*$/.exec(line);
			return match === null ? [] : [[match[1] as string, match[2] as string] as const];
		}),
	);
