/** Submits to Grid Engine by qsub: its arguments, and what its answers mean. */
import {createAvoidance} from './avoid-hosts.js';
import type {ArrayRequest, SubmitOutcome} from './engine.js';
import {runGridEngineProgram} from './grid-engine-program.js';
import {type PlacedRequest, resourceArguments} from './grid-engine-resources.js';
import type {ProgramResult} from './run-program.js';
import {createTurns, submitInOrder} from './submit-in-order.js';

export type SubmitOptions = {
	/** Absolute path. */
	readonly qsubPath: string;
	readonly queueName: string | undefined;
	readonly qsubArgs: readonly string[];
	readonly programTimeoutMs: number;
	/** So many calls of qsub at a time, arrays included. */
	readonly submitConcurrency: number;
};

export type Submitter = {
	readonly submitAll: (requests: readonly PlacedRequest[]) => Promise<readonly SubmitOutcome[]>;
	readonly submitArray: (request: PlacedRequest<ArrayRequest>) => Promise<SubmitOutcome>;
	readonly describe: (request: PlacedRequest | PlacedRequest<ArrayRequest>) => readonly string[];
};

/** @param environment - Of which qsub gets what it needs. */
export const createSubmitter = (options: SubmitOptions, environment: () => NodeJS.ProcessEnv): Submitter => {
	const takeTurn = createTurns(options.submitConcurrency);
	const call = async (args: readonly string[], numElements?: number): Promise<SubmitOutcome> => {
		const settings = {timeoutMs: options.programTimeoutMs, environment: submitEnvironment(environment())};
		return judgeSubmission(await runGridEngineProgram(options.qsubPath, args, settings), numElements);
	};
	const submitOne = createAvoidance<PlacedRequest>((request, isAvoiding) =>
		call(isAvoiding ? avoidingArguments(options, request) : submitArguments(options, request)),
	);
	return {
		submitAll: requests => submitInOrder(requests, takeTurn, submitOne),
		submitArray: request => takeTurn(() => call(arrayArguments(options, request), request.numElements)),
		describe: request => [
			options.qsubPath,
			...('numElements' in request ? arrayArguments(options, request) : submitArguments(options, request)),
		],
	};
};

/**
 * Everything a site's or a user's default request file (`.sge_request`) could say otherwise is said here; each was tried on 8.1.9. `-C ''`: no line of
 * the script holds options. `-wd /`: a job starts in $HOME else, which need not exist on the worker-node; the launcher goes to the caller's directory by
 * itself. Output is the launcher's business, too.
 */
export const submitArguments = (options: ArgumentOptions, request: PlacedRequest): string[] => [
	...fixedArguments(options, request),
	...options.qsubArgs,
	request.script,
	...request.scriptArguments,
];

/**
 * The same, away from the hosts to be avoided. `-w e`: qsub refuses what no host could take even if all of them were free, as when the user has asked for
 * one of these hosts by `-q short.q@node1`. An `-l h=` of the user's own comes later and replaces this one.
 */
export const avoidingArguments = (options: ArgumentOptions, request: PlacedRequest): string[] => [
	...fixedArguments(options, request),
	...['-l', `h=${request.avoidHosts.map(host => `!${host}`).join('&')}`],
	...options.qsubArgs,
	...['-w', 'e'],
	request.script,
	...request.scriptArguments,
];

/** As many elements as asked for, whatever the user's own arguments say. */
export const arrayArguments = (options: ArgumentOptions, request: PlacedRequest<ArrayRequest>): string[] => [
	...fixedArguments(options, request),
	...options.qsubArgs,
	...['-t', `1-${request.numElements}`],
	...(request.maxRunning === undefined ? [] : ['-tc', String(request.maxRunning)]),
	request.script,
	...request.scriptArguments,
];

type ArgumentOptions = Pick<SubmitOptions, 'queueName' | 'qsubArgs'>;

const fixedArguments = ({queueName}: ArgumentOptions, {name, resources}: PlacedRequest): string[] => [
	...['-terse', '-N', name, '-C', '', '-S', '/bin/sh', '-b', 'n', '-shell', 'y', '-j', 'n', '-r', 'n', '-now', 'n'],
	...['-i', '/dev/null', '-o', '/dev/null', '-e', '/dev/null', '-wd', '/'],
	...resourceArguments(queueName, resources),
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

/**
 * What a call of qsub has brought about; facts in the manual page (exit status 25) and seen on 8.1.9.
 *
 * @param numElements - Of the array; undefined for a single queue-job. The number that is told must be that of what was asked for.
 */
export const judgeSubmission = ({exitCode, stdout, stderr, ending}: ProgramResult, numElements?: number): SubmitOutcome => {
	const reason =
		[stderr, stdout]
			.join('\n')
			.trim()
			.replaceAll(/\s*\n\s*/g, ' ') || `qsub ended with exit status ${exitCode}`;
	if (ending === 'not-started') return {kind: 'temporary', reason: `qsub can't be started: ${stderr}`};
	if (ending !== 'exited') return {kind: 'unanswered', reason: `qsub ${ending === 'timed-out' ? 'did not answer in time' : 'was killed'}`};
	const id = findNumber(stdout, numElements);
	if (exitCode === 0) return id === undefined ? {kind: 'unanswered', reason: `qsub told no number: ${reason}`} : {kind: 'submitted', id};
	// The limit of jobs per user or per site.
	if (exitCode === 25 || /only \d+ jobs are allowed/i.test(stderr)) return {kind: 'full', reason};
	// Longer than the site allows: there is room for a shorter one.
	if (numElements !== undefined && /more than \d+ tasks/.test(stderr)) return {kind: 'full', reason};
	// A job that no queue takes yet is queued, with a warning that reads as a refusal.
	if (id !== undefined || /has been submitted/.test(stderr)) return {kind: 'unanswered', reason};
	// What the user has named is no evidence: a queue may be called `timeout.q`.
	const said = stderr.replaceAll(/"[^"]*"|\/\S*/g, '');
	// The request may have arrived although its answer did not.
	if (NO_ANSWER.test(said)) return {kind: 'unanswered', reason};
	if (NO_MASTER.test(said) || PASSING.test(said)) return {kind: 'temporary', reason};
	return {kind: 'permanent', reason};
};

/** On a line of its own: `937`; of an array `962.1-3:1`, of which the number is that of the array. */
const findNumber = (stdout: string, numElements: number | undefined): string | undefined => {
	const range = numElements === undefined ? '' : `.1-${numElements}:1`;
	return stdout
		.split('\n')
		.map(line => /^(\d+)(\S*)\s*$/.exec(line))
		.findLast(match => match?.[2] === range)?.[1];
};

/** The disk of the master is full, the site's own check (JSV) says "not now", or the directory service does not know who this is. */
const PASSING =
	/because it (?:can't|couldn't) be written|spooling database|rejected temporarily|temporarily rejected|can't get password entry/i;

export const NO_ANSWER: RegExp = /time-?out|got read error|receive/i;
/** Also when no host is found by its name for a moment: `sge_gethostbyname failed`. */
export const NO_MASTER: RegExp = /send (?:error|message)|commlib|qmaster|connect|gethostbyname/i;
