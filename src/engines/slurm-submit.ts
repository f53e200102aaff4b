/** Submits to Slurm by sbatch: its arguments, and what its answers mean. */
import {createAvoidance} from './avoid-hosts.js';
import type {ArrayRequest, JobRequest, SubmitOutcome} from './engine.js';
import {type ProgramResult, runProgram} from './run-program.js';
import {createTurns, submitInOrder} from './submit-in-order.js';

export type SubmitOptions = {
	/** Absolute paths. */
	readonly sbatchPath: string;
	readonly squeuePath: string;
	/** The partition. */
	readonly queueName: string | undefined;
	readonly sbatchArgs: readonly string[];
	readonly programTimeoutMs: number;
	/** So many calls of sbatch at a time, arrays included. */
	readonly submitConcurrency: number;
	/** Whose queue-jobs are listed. */
	readonly user: string;
};

export type Submitter = {
	readonly submitAll: (requests: readonly JobRequest[]) => Promise<readonly SubmitOutcome[]>;
	readonly submitArray: (request: ArrayRequest) => Promise<SubmitOutcome>;
	readonly describe: (request: JobRequest | ArrayRequest) => readonly string[];
};

/** @param environment - In which sbatch and squeue are called. */
export const createSubmitter = (options: SubmitOptions, environment: () => NodeJS.ProcessEnv): Submitter => {
	const takeTurn = createTurns(options.submitConcurrency);
	const run = (program: string, args: readonly string[]): Promise<ProgramResult> =>
		runProgram(program, args, {
			timeoutMs: options.programTimeoutMs,
			environment: environment(),
			// What sbatch is given it hands on to the queue-job.
			isEnvironmentExact: true,
			giveUpAt: TRIES_AGAIN,
		});
	const call = async (request: JobRequest, args: readonly string[]): Promise<SubmitOutcome> => {
		const result = await run(options.sbatchPath, args);
		return result.ending === 'given-up'
			? settleGivenUp(result, await run(options.squeuePath, nameArguments(options, request)))
			: judgeSubmission(result);
	};
	const submitOne = createAvoidance((request, isAvoiding) => call(request, submitArguments(options, request, isAvoiding)));
	return {
		submitAll: requests => submitInOrder(requests, takeTurn, submitOne),
		submitArray: request => takeTurn(() => call(request, arrayArguments(options, request))),
		describe: request => [
			options.sbatchPath,
			...('numElements' in request ? arrayArguments(options, request) : submitArguments(options, request)),
		],
	};
};

type ArgumentOptions = Pick<SubmitOptions, 'queueName' | 'sbatchArgs'>;

/**
 * Everything that variables (`SBATCH_…`) or the site's defaults could say otherwise is said here. `--export=ALL`: of all values only this one neither starts a
 * login shell on the node, which takes seconds and may fail, nor sets SLURM_EXPORT_ENV, which srun in a task would obey; what is exported is next to nothing,
 * see slurmEnvironment. `--chdir=/`: a directory that is missing on the node is no error for Slurm; the launcher goes to the caller's by itself, and output is
 * its business, too. `--no-requeue`: an attempt is begun once.
 */
export const submitArguments = (options: ArgumentOptions, request: JobRequest, isAvoiding = false): string[] => [
	...fixedArguments(options, request),
	...(isAvoiding ? [`--exclude=${request.avoidHosts.join(',')}`] : []),
	...options.sbatchArgs,
	request.script,
	...request.scriptArguments,
];

/** As many elements as asked for, whatever the user's own arguments say. */
export const arrayArguments = (options: ArgumentOptions, request: ArrayRequest): string[] => [
	...fixedArguments(options, request),
	...options.sbatchArgs,
	`--array=1-${request.numElements}${request.maxRunning === undefined ? '' : `%${request.maxRunning}`}`,
	request.script,
	...request.scriptArguments,
];

const fixedArguments = ({queueName}: ArgumentOptions, {name, resources}: JobRequest): string[] => {
	const {memoryBytes, timeSeconds, slots = 1, gpus, queue = queueName, project} = resources;
	return [
		...['--parsable', `--job-name=${name}`, '--export=ALL', '--chdir=/', '--no-requeue', '--ignore-pbs'],
		...['--input=/dev/null', '--output=/dev/null', '--error=/dev/null'],
		...['--nodes=1', '--ntasks=1', `--cpus-per-task=${slots}`],
		...(memoryBytes === undefined ? [] : [`--mem=${Math.ceil(memoryBytes / 2 ** 20)}M`]),
		...(timeSeconds === undefined ? [] : [`--time=${toMinutes(timeSeconds)}`]),
		...(gpus === undefined ? [] : [`--gres=gpu:${gpus}`]),
		...(queue === undefined ? [] : [`--partition=${queue}`]),
		...(project === undefined ? [] : [`--account=${project}`]),
	];
};

/** `90:00` for minutes and seconds; Slurm counts whole minutes, and rounds up. */
const toMinutes = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;

/** Slurm has as many queue-jobs as it can hold: sbatch would try again for two minutes, waiting 1 s before the first time. */
const TRIES_AGAIN = /sleeping and retrying|temporarily disabled, retrying/i;

/** Also in a hidden partition (`-a`), and by the number of an array (`%F`): its elements that have begun have others of their own (`%A`). */
const nameArguments = ({user}: SubmitOptions, {name}: JobRequest): string[] => ['-h', '-a', '-u', user, '-n', name, '-o', '%F'];

/** It was killed while it slept, as far as one can tell; it may have been slower than that. */
const settleGivenUp = ({stderr}: ProgramResult, {ending, exitCode, stdout}: ProgramResult): SubmitOutcome => {
	const reason = oneLine(stderr);
	if (ending !== 'exited' || exitCode !== 0) return {kind: 'unanswered', reason};
	const id = /^\d+$/m.exec(stdout)?.[0];
	return id === undefined ? {kind: 'full', reason} : {kind: 'submitted', id};
};

/** Limits of how many may be in the queue: QOSMaxSubmitJobPerUserLimit, AssocMaxSubmitJobLimit, AssocGrpSubmitJobsLimit, QOSGrpSubmitJobsLimit, … */
const SUBMIT_LIMIT = /(?:QOS|Assoc)\w*Submit\w*/;
/** Other limits, which no waiting gets round. */
const OTHER_LIMIT = /\b(?:QOS|Assoc)[A-Z]\w+/;
/** Slurm's words for every limit; old versions do not name it. */
const SOME_LIMIT = /Job violates accounting\/QOS policy/;

/** Behind them stands one of Slurm's own sentences; before them, lines that repeat what the user has named. */
const VERDICT = /Batch job submission failed: (.*)/;
/** The request may have arrived although its answer did not. */
export const NO_ANSWER: RegExp =
	/timed out|Zero Bytes were transmitted|reset by peer|Broken pipe|receive failure|Transport endpoint|Insane message/i;
export const NO_MASTER: RegExp =
	/unable to contact slurm controller|connection (?:failure|refused)|connect failure|standby mode|unable to resolve|authentication|munge|Resource temporarily unavailable/i;

/**
 * What its administrators or its disk will see to: the disk of the controller is full, it takes no queue-jobs for now, the partition is drained, and without a
 * controller there are neither settings nor clusters to be had.
 */
const PASSING =
	/error writing script|create job record, try again|submissions disabled|partition not available \(inactive or drain\)|configuration source|talking to (?:the )?database|clusters can be reached/i;

/** What a call of sbatch has brought about, as seen on 22.05. */
export const judgeSubmission = ({exitCode, stdout, stderr, ending}: ProgramResult): SubmitOutcome => {
	if (ending === 'not-started') return {kind: 'temporary', reason: `sbatch can't be started: ${stderr}`};
	if (ending !== 'exited')
		return {kind: 'unanswered', reason: `sbatch ${ending === 'timed-out' ? 'did not answer in time' : 'was killed'}`};
	const reason = oneLine(`${stderr}\n${stdout}`) || `sbatch ended with exit status ${exitCode}`;
	if (exitCode === 0) {
		// `937`, or `937;cluster`. Sites print what they have to say before it.
		const id = [...stdout.matchAll(/^(\d+)(?:;\S*)?[ \t\r]*$/gm)].at(-1)?.[1];
		return id === undefined ? {kind: 'unanswered', reason: `sbatch told no number: ${reason}`} : {kind: 'submitted', id};
	}
	if (SUBMIT_LIMIT.test(stderr) || (SOME_LIMIT.test(stderr) && !OTHER_LIMIT.test(stderr))) return {kind: 'full', reason};
	const verdict = VERDICT.exec(stderr)?.[1] ?? stderr;
	if (NO_ANSWER.test(verdict)) return {kind: 'unanswered', reason};
	if (NO_MASTER.test(verdict) || PASSING.test(verdict)) return {kind: 'temporary', reason};
	return {kind: 'permanent', reason};
};

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, ' ');
