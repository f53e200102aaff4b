/** Grid Engine (Son of, Univa, Open Grid Scheduler, Gridware): queue-jobs by qsub, watched by qstat -xml, removed by qdel. */
import {PoolError} from '../errors.js';
import type {Engine, JobRequest, SubmitOutcome} from './engine.js';
import {type Listing, parseListing} from './grid-engine-answers.js';
import {createExplain} from './grid-engine-explain.js';
import {type ProgramResult, runProgram} from './run-program.js';

export type GridEngineOptions = {
	/** Absolute paths. */
	readonly qsubPath: string;
	readonly qstatPath: string;
	readonly qdelPath: string;
	readonly qacctPath: string | undefined;
	readonly qalterPath: string | undefined;
	readonly queueName: string | undefined;
	readonly qsubArgs: readonly string[];
	readonly errorStateIndicator: string;
	readonly programTimeoutMs: number;
	/** Whose queue-jobs are listed. */
	readonly user: string;
};

/** qdel takes many ids; this many keep the argument list short. */
const REMOVE_SLICE = 100;

export const createGridEngine = (options: GridEngineOptions): Engine => {
	const run = (program: string, args: readonly string[], timeoutMs = options.programTimeoutMs): Promise<ProgramResult> =>
		runProgram(program, args, {timeoutMs, environment: process.env});
	const call = async (args: readonly string[]): Promise<SubmitOutcome> =>
		judgeSubmission(
			await runProgram(options.qsubPath, args, {timeoutMs: options.programTimeoutMs, environment: submitEnvironment(process.env)}),
		);
	const submit = async (request: JobRequest): Promise<SubmitOutcome> => {
		const args = submitArguments(options, request);
		if (request.avoidHosts.length === 0) return call(args);
		const outcome = await call(avoidingArguments(options, request));
		// No other host would ever take it: then rather one where it has failed than none.
		return outcome.kind === 'permanent' ? call(args) : outcome;
	};
	return {
		name: 'grid-engine',
		statusCost: 'call',
		outlivesProcess: true,
		maxDefaultChunks: 1000,
		submit: async requests => {
			const outcomes: SubmitOutcome[] = [];
			for (const request of requests) {
				const outcome = await submit(request).catch((error: unknown): SubmitOutcome => {
					// What was submitted before must not be forgotten for a program that has vanished: the next call tells of it.
					if (outcomes.length === 0) throw error;
					return {kind: 'temporary', reason: (error as Error).message};
				});
				outcomes.push(outcome);
				if (outcome.kind !== 'submitted') break;
			}
			return requests.map((_, i) => outcomes[i] ?? {kind: 'untried'});
		},
		status: async () => {
			const {default: retry} = await import('p-retry');
			// A second try at once: one lost answer should not delay the news by a whole polling interval.
			const list = (args: readonly string[]): Promise<Listing> =>
				retry(async () => readListing(await run(options.qstatPath, args), options), {
					retries: 1,
					minTimeout: 200,
					shouldRetry: ({error}) => !(error instanceof PoolError || error instanceof TimeoutError),
				});
			// `-ne` leaves out the queue instances without queue-jobs, of which a site may have thousands.
			const ours = await list(['-f', '-ne', '-xml', '-u', options.user]);
			if (!ours.reachesNone) return ours.jobs;
			const all = await list(['-f', '-xml', '-u', options.user]);
			if (!all.reachesNone) return all.jobs;
			// A master that was restarted a moment ago has heard of no node yet, or its network is down: that is no evidence about any queue-job.
			throw new Error('the scheduler reaches none of its nodes: qstat shows every queue instance in the state u (unknown)');
		},
		remove: async ids => {
			let unheard: string | undefined;
			for (let i = 0; i < ids.length; i += REMOVE_SLICE) {
				const result = await run(options.qdelPath, ids.slice(i, i + REMOVE_SLICE));
				unheard ??= whyUnheard(result);
			}
			if (unheard !== undefined) throw new Error(unheard);
		},
		explain: createExplain(run, options),
	};
};

/** Whether the qstat at this path belongs to a Grid Engine: Torque and Slurm have one, too. */
export const isGridEngine = async (qstatPath: string | undefined): Promise<boolean> => {
	if (qstatPath === undefined) return false;
	const {stdout, stderr} = await runProgram(qstatPath, ['-help'], {timeoutMs: 10_000, environment: process.env});
	return /^\s*(?:SGE|GE|OGS|UGE|AGE|OCS|GCS|Grid Engine)\b|grid ?engine/i.test(`${stdout}\n${stderr}`);
};

/**
 * Everything a site's or a user's default request file (`.sge_request`) could say otherwise is said here; each was tried on 8.1.9. `-C ''`: no line of
 * the script holds options. `-wd /`: a job starts in $HOME else, which need not exist on the worker-node; the launcher goes to the caller's directory by
 * itself. Output is the launcher's business, too.
 */
export const submitArguments = (options: SubmitOptions, request: JobRequest): string[] => [
	...fixedArguments(options, request),
	...options.qsubArgs,
	request.script,
	...request.scriptArguments,
];

/**
 * The same, away from the hosts to be avoided. `-w e`: qsub refuses what no host could take even if all of them were free, as when the user has asked for
 * one of these hosts by `-q short.q@node1`. An `-l h=` of the user's own comes later and replaces this one.
 */
export const avoidingArguments = (options: SubmitOptions, request: JobRequest): string[] => [
	...fixedArguments(options, request),
	...['-l', `h=${request.avoidHosts.map(host => `!${host}`).join('&')}`],
	...options.qsubArgs,
	...['-w', 'e'],
	request.script,
	...request.scriptArguments,
];

type SubmitOptions = Pick<GridEngineOptions, 'queueName' | 'qsubArgs'>;

const fixedArguments = ({queueName}: SubmitOptions, {name, resources: {memoryBytes, timeSeconds}}: JobRequest): string[] => [
	...['-terse', '-N', name, '-C', '', '-S', '/bin/sh', '-b', 'n', '-shell', 'y', '-j', 'n', '-r', 'n', '-now', 'n'],
	...['-i', '/dev/null', '-o', '/dev/null', '-e', '/dev/null', '-wd', '/'],
	...(queueName === undefined ? [] : ['-q', queueName]),
	...(memoryBytes === undefined ? [] : ['-l', `h_vmem=${memoryBytes}`]),
	...(timeSeconds === undefined ? [] : ['-l', `h_rt=${timeSeconds}`]),
];

/**
 * What qsub itself needs to know of the environment. With `-V` in a default request file it would copy all that it is given to where every user can
 * read it (`qstat -j`), and no option takes that back.
 */
export const submitEnvironment = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
	Object.fromEntries(
		Object.entries(environment).filter(([name]) =>
			/^(?:PATH|HOME|USER|LOGNAME|SHELL|TZ|LD_LIBRARY_PATH|KRB5CCNAME|(?:SGE|GE|OCS)_\w+)$/.test(name),
		),
	);

const NO_ANSWER = /time-?out|got read error|receive/i;
const NO_MASTER = /send (?:error|message)|commlib|qmaster|connect/i;

/** What a call of qsub has brought about; facts in the manual page (exit status 25) and seen on 8.1.9. */
export const judgeSubmission = ({exitCode, stdout, stderr, ending}: ProgramResult): SubmitOutcome => {
	const reason =
		[stderr, stdout]
			.join('\n')
			.trim()
			.replaceAll(/\s*\n\s*/g, ' ') || `qsub ended with exit status ${exitCode}`;
	if (ending === 'not-started') return {kind: 'temporary', reason: `qsub can't be started: ${stderr}`};
	if (ending !== 'exited') return {kind: 'unanswered', reason: `qsub ${ending === 'timed-out' ? 'did not answer in time' : 'was killed'}`};
	const id = stdout
		.split('\n')
		.findLast(line => /^\d+\s*$/.test(line))
		?.trim();
	if (exitCode === 0) return id === undefined ? {kind: 'unanswered', reason: `qsub told no number: ${reason}`} : {kind: 'submitted', id};
	// The limit of jobs per user or per site.
	if (exitCode === 25 || /only \d+ jobs are allowed/i.test(stderr)) return {kind: 'full', reason};
	// A job that no queue takes yet is queued, with a warning that reads as a refusal.
	if (id !== undefined || /has been submitted/.test(stderr)) return {kind: 'unanswered', reason};
	// What the user has named is no evidence: a queue may be called `timeout.q`.
	const said = stderr.replaceAll(/"[^"]*"|\/\S*/g, '');
	// The request may have arrived although its answer did not.
	if (NO_ANSWER.test(said)) return {kind: 'unanswered', reason};
	if (NO_MASTER.test(said)) return {kind: 'temporary', reason};
	return {kind: 'permanent', reason};
};

/** It exits with 1 also when one of them is gone already, so its exit status decides nothing: only that the master has not heard of it at all. */
const whyUnheard = ({exitCode, stderr, ending}: ProgramResult): string | undefined => {
	if (ending === 'not-started') return `qdel can't be started: ${stderr}`;
	if (ending !== 'exited') return `qdel ${ending === 'timed-out' ? 'did not answer in time' : 'was killed'}`;
	const isUnheard = exitCode !== 0 && (NO_ANSWER.test(stderr) || NO_MASTER.test(stderr));
	return isUnheard ? `qdel: ${stderr.trim().replaceAll(/\s*\n\s*/g, ' ')}` : undefined;
};

class TimeoutError extends Error {}

const readListing = ({exitCode, stdout, stderr, ending}: ProgramResult, options: GridEngineOptions): Promise<Listing> => {
	if (ending === 'timed-out') throw new TimeoutError(`qstat did not answer within ${options.programTimeoutMs / 1000} s`);
	if (ending !== 'exited' || exitCode !== 0) throw new Error(`qstat ended with exit status ${exitCode}: ${stderr.trim()}`);
	return parseListing(stdout, options);
};
