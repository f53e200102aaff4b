import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {type Answer, answerOf, deny, Refusal} from './answer.js';
import {elementsOf, formatRange} from './elements.js';
import {allowsHost} from './hosts.js';
import type {Job} from './job.js';
import {embeddedWords, parseQsubArguments, type QsubOptions} from './qsub-arguments.js';
import {checkArray, checkJobName, checkKnown, checkOutputPath} from './qsub-checks.js';
import type {QueueState} from './state.js';
import {updateQueueState} from './store.js';
import {localTime} from './times.js';
import {callingUser} from './user.js';

/** Puts one queue-job into the queue, or an array of them. */
export const qsub = (directory: string, words: readonly string[]): Answer =>
	answerOf(() => {
		const {options, script, original} = readRequest(words);
		const name = options.name ?? (original === undefined ? 'STDIN' : path.basename(original));
		checkJobName(name);
		checkOutputPath(options.outputPath);
		checkOutputPath(options.errorPath);
		const id = updateQueueState(directory, state => {
			checkKnown(state.known, options);
			checkArray(options, state.maxElements);
			const spooled = path.join(directory, 'spool/job_scripts', String(state.nextJobId));
			const job = createJob(state, options, {name, original, spooled});
			checkLimit(state, job);
			if (options.isVerified && !state.hosts.some(host => allowsHost(job.hostRequests, host.name))) {
				throw deny('error: no suitable queues');
			}

			if (script !== undefined) {
				// A copy, without extension, in another directory, which every local user can read: as Grid Engine does it.
				writeFileSync(spooled, script, {mode: 0o755});
			}

			state.jobs.push(...toElements(job, options));
			state.nextJobId += 1;
			return job.JB_job_number;
		});
		const number = options.range === undefined ? String(id) : `${id}.${formatRange(options.range)}`;
		return options.terse
			? `${number}\n`
			: `Your job${options.range === undefined ? '' : '-array'} ${number} ("${name}") has been submitted\n`;
	});

const toElements = (job: Job, {range, maxRunning = 0}: QsubOptions): Job[] =>
	range === undefined ? [job] : elementsOf(range).map(element => ({...structuredClone(job), element, array: {...range, maxRunning}}));

const EXIT_LIMIT = 25;

const checkLimit = ({jobs, maxUserJobs}: QueueState, {JB_owner}: Job): void => {
	const count = new Set(jobs.filter(job => job.JB_owner === JB_owner).map(({JB_job_number}) => JB_job_number)).size;
	if (maxUserJobs > 0 && count >= maxUserJobs) {
		const reason = `job rejected: only ${maxUserJobs} jobs are allowed per user (current job count: ${count})`;
		throw new Refusal(EXIT_LIMIT, `Unable to run job: ${reason}\nExiting.`);
	}
};

/** The last `-l h=` counts, as with Grid Engine; `short.q@node1` restricts it further. */
const hostRequestsOf = ({resources, queue}: QsubOptions): string[] => {
	const asked = resources.map(request => /^(?:h|hostname)=(.*)$/.exec(request)?.[1]).findLast(request => request !== undefined);
	const instances = queue?.split(',').map(name => name.split('@')[1]) ?? [];
	const named = instances.some(host => host === undefined) ? [] : [instances.join('|')];
	return [...(asked === undefined ? [] : [asked]), ...named].filter(request => request !== '');
};

type Request = {options: QsubOptions; script: Buffer | undefined; original: string | undefined};

const readRequest = (words: readonly string[]): Request => {
	const options = parseQsubArguments(words);
	const [original] = options.operands;
	if (options.isBinary) {
		if (original === undefined) {
			throw new Refusal(2, 'qsub: command required for a binary job');
		}

		return {options, script: undefined, original};
	}

	const script = readScript(original);
	return {options: parseQsubArguments(words, embeddedWords(script.toString(), options.directivePrefix)), script, original};
};

const readScript = (file: string | undefined): Buffer => {
	if (file === undefined) {
		const script = readFileSync(0);
		if (script.length === 0) {
			throw new Refusal(4, 'Unable to read script file because of error: no input read from stdin');
		}

		return script;
	}

	const script = openScript(file);
	if (script.length === 0) {
		throw deny('job rejected: no script in your request');
	}

	return script;
};

const openScript = (file: string): Buffer => {
	try {
		return readFileSync(file);
	} catch (error) {
		const reasons: Record<string, string> = {
			ENOENT: `error opening ${file}: No such file or directory`,
			EACCES: `error opening ${file}: Permission denied`,
			EISDIR: `error reading from file ${file}`,
		};
		const {code = '', message} = error as NodeJS.ErrnoException;
		throw new Refusal(14, `Unable to read script file because of error: ${reasons[code] ?? message}`);
	}
};

type Submitted = {name: string; original: string | undefined; spooled: string};

const createJob = (state: QueueState, options: QsubOptions, {name, original, spooled}: Submitted): Job => {
	const holds = findHolds(state, options.holdIds);
	const isHeld = options.isHeld || holds.length > 0;
	const workingDirectory = options.workingDirectory ?? (options.usesCallersDirectory ? process.cwd() : undefined);
	return {
		JB_job_number: state.nextJobId,
		JB_name: name,
		JB_owner: callingUser().name,
		phase: 'pending',
		state: isHeld ? 'hqw' : 'qw',
		JAT_prio: isHeld ? '0.00000' : '0.50500',
		slots: options.parallelEnvironment?.slots ?? 1,
		JB_submission_time: localTime(),
		hostRequests: hostRequestsOf(options),
		resources: options.resources,
		queue: options.queue?.split(/[@,]/)[0] ?? 'dummy.q',
		command: {
			kind: options.isBinary ? 'binary' : 'script',
			path: options.isBinary ? original! : spooled,
			original: original ?? 'STDIN',
			arguments: options.operands.slice(1),
			usesShell: options.usesShell,
			...(options.shell !== undefined && {shell: options.shell}),
		},
		...(options.outputPath !== undefined && {outputPath: options.outputPath}),
		...(options.errorPath !== undefined && {errorPath: options.errorPath}),
		joinsOutput: options.joinsOutput,
		...(workingDirectory !== undefined && {workingDirectory}),
		submitDirectory: process.cwd(),
		environment: exportedEnvironment(options),
		requested: options.requested,
		holds,
		userHold: options.isHeld,
		restarts: 0,
	};
};

/** Ids and names of jobs that are in the queue; others hold nothing, as with Grid Engine. */
const findHolds = (state: QueueState, wanted: readonly string[]): number[] => [
	...new Set(
		state.jobs.filter(job => wanted.includes(String(job.JB_job_number)) || wanted.includes(job.JB_name)).map(job => job.JB_job_number),
	),
];

const exportedEnvironment = ({exportsAll, variables}: QsubOptions): Record<string, string> => {
	const {DUMMY_QUEUE_NODE_OPTIONS: nodeOptions, ...rest} = process.env;
	const own: NodeJS.ProcessEnv = nodeOptions === undefined ? rest : {...rest, NODE_OPTIONS: nodeOptions};
	const named = variables.map((variable): [string, string] => {
		const [name = '', ...value] = variable.split('=');
		return [name, value.length > 0 ? value.join('=') : (own[name] ?? '')];
	});
	return {...(exportsAll ? (own as Record<string, string>) : {}), ...Object.fromEntries(named)};
};
