/** `qmr run`: lines of jobs in, lines with their results out. */
import {readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {type CommandPool, createCommandPool} from '../../command-map.js';
import {PoolError} from '../../errors.js';
import type {FunctionMark} from '../../function-reference.js';
import {parseChunkFile} from '../../layout.js';
import type {MapHooks} from '../../map-hooks.js';
import type {PoolOptions} from '../../options.js';
import type {Outcome} from '../../outcome.js';
import type {CommandResult} from '../../run-command.js';
import {CommandError} from '../command-error.js';
import {type Channel, createChannel} from './channel.js';
import {createGate, type Gate} from './gate.js';
import {placeHosts, readHosts} from './host-sets.js';
import type {JsonLine} from './json-lines.js';
import {listSlurmNodes} from './list-slurm-nodes.js';
import {createRunLog, type LoggedResult, type RunLog} from './run-log.js';
import {openRunMaps, type RunMaps} from './run-maps.js';
import {setMember} from './splice-json.js';
import type {Streams} from './stream-flags.js';

/** @throws CommandError, silently, unless all jobs returned 0; whatever has ended a map before its time. */
export const runJobs = async (options: PoolOptions, {lines, output, log, close}: Streams): Promise<void> => {
	const runLog = createRunLog(log);
	const stopping = new AbortController();
	const run: Run = {
		pool: createCommandPool({...options, signal: stopping.signal}),
		maps: await openRunMaps(options),
		gate: createGate(),
		runLog,
		log,
		write: output.write,
		groups: new Map(),
		stop: error => {
			stopping.abort(error);
			close();
			run.gate.open();
			for (const group of run.groups.values()) if ('jobs' in group) group.jobs.end();
		},
	};
	try {
		await feed(run, lines).catch(error => run.stop(error));
		const ends = await Promise.allSettled([...run.groups.values()].flatMap(group => ('ended' in group ? [group.ended] : [])));
		if (stopping.signal.aborted) throw stopping.signal.reason;
		for (const end of ends) if (end.status === 'rejected') throw end.reason;
		output.finish();
	} finally {
		close();
		output.close();
	}
	if (!runLog.end()) throw new CommandError('');
};

type Run = {
	readonly pool: CommandPool;
	readonly maps: RunMaps;
	/** Where all maps wait, with their results taken and their work_dirs there, for those that are not so far. */
	readonly gate: Gate;
	readonly runLog: RunLog;
	readonly log: (text: string) => void;
	readonly write: (line: string) => Promise<void>;
	/** By the hosts that may run their jobs. */
	readonly groups: Map<string, Group>;
	/** Ends all maps. */
	readonly stop: (error: unknown) => void;
};

/** Jobs that are tasks of one map; or that no host will ever run. */
type Group = {readonly jobs: Channel<Job>; readonly ended: Promise<void>} | {readonly problem: string};

type AnsweredJob = {readonly line: number; readonly text: string};

type Job = AnsweredJob & {readonly value: unknown};

/** So much text of jobs may be waiting to be taken by a map: mostly it is known early how many there are. */
const MAX_WAITING = 2 ** 22;
/** What a short one needs all the same. */
const JOB_WEIGHT = 200;

/** Hands each line to the map of its hosts, and begins that map at its first one. */
const feed = async (run: Run, lines: AsyncIterable<JsonLine>): Promise<void> => {
	let numLines = 0;
	// As long as there are lines there may be further maps.
	const isRead = run.gate.expect();
	try {
		for await (const line of lines) {
			numLines++;
			if (line.kind === 'faulty') {
				const {problem} = line;
				const result = unrunnable(`line ${line.line}: ${problem}`);
				await run.write(JSON.stringify({line: line.line, result: {index: line.line - 1, ...result}}));
				run.runLog.faulty(line.line, problem);
				continue;
			}
			const job = {line: line.line, text: line.text ?? '', value: line.value};
			const group = await findGroup(run, job);
			if ('problem' in group) await answer(run, job, unrunnable(group.problem));
			else await group.jobs.put(job, job.text.length + JOB_WEIGHT);
		}
		run.runLog.total(numLines);
		// They have jobs, whose results nobody would hear of.
		const missed = run.maps.there.find(({hosts}) => !run.groups.has(hosts.join('|')));
		if (missed !== undefined) throw refuseInput(missed.workDir);
	} finally {
		for (const group of run.groups.values()) if ('jobs' in group) group.jobs.end();
		isRead();
	}
};

const refuseInput = (workDir: string): PoolError =>
	new PoolError('ERR_POOL_RESUME', `${workDir} has jobs of this run, and the input has none of them. Give the same input as before.`, {
		workDir,
	});

const findGroup = async (run: Run, {value}: Job): Promise<Group> => {
	const hosts = readHosts(value);
	if (hosts.kind === 'faulty') return {problem: hosts.problem};
	const names = hosts.kind === 'any' ? [] : hosts.names;
	const key = names.join('|');
	const known = run.groups.get(key);
	if (known !== undefined) return known;
	const group = names.length === 0 ? beginGroup(run, names, {}) : await placeGroup(run, names);
	run.groups.set(key, group);
	return group;
};

const placeGroup = async (run: Run, names: readonly string[]): Promise<Group> => {
	const {name: engine} = await run.pool.engine();
	const {options} = run.pool;
	const placed = await placeHosts(names, {engine, options, listNodes: () => listSlurmNodes(options)});
	if (placed.kind === 'nowhere') return {problem: placed.problem};
	if (placed.kind === 'here') return findGroup(run, {line: 0, text: '', value: undefined});
	return beginGroup(run, names, {...placed.options, engine: engine as NonNullable<PoolOptions['engine']>});
};

/** @param options - Of this map alone. */
const beginGroup = (run: Run, names: readonly string[], options: PoolOptions): Group => {
	const place = run.maps.placeOf(names);
	if (place.kind === 'unclear') return {problem: place.problem};
	const {workDir: _, resume: __, ...others} = run.pool.options;
	const pool = createCommandPool({...others, ...options, ...(place.kind === 'there' ? {resume: place.workDir} : place.options)});
	const jobs = createChannel<Job>(MAX_WAITING);
	const ended = mapJobs(run, pool, jobs, names).catch(error => run.stop(error));
	return {jobs, ended};
};

/** One map, of jobs that may run on the same hosts. */
const mapJobs = async (run: Run, pool: CommandPool, {values}: Channel<Job>, names: readonly string[]): Promise<void> => {
	const isTaken = run.gate.expect();
	/** Those that have no result yet, by the index of their task. There may be many: of each only what is needed. */
	const open = new Map<number, AnsweredJob>();
	const submittedAt = new Map<string, string>();
	let workDir: string | undefined;
	let hasFailed = false;
	const tasks = async function* (): AsyncGenerator<unknown> {
		let itask = 0;
		for await (const job of values()) {
			open.set(itask++, {line: job.line, text: job.text});
			yield job.value;
		}
	};
	const hooks: MapHooks = {
		commandRun: run.maps.markOf(names),
		beforeEnd: () => {
			isTaken();
			return run.gate.opened;
		},
		onWorkDir: path => {
			workDir = path;
			const which = names.length === 0 ? '' : `for ${names.join(', ')}; `;
			run.log(`work_dir: ${path} (${which}if this is interrupted, the same command with --resume ${path} goes on)`);
		},
		onEvent: ({event, jobId}) => {
			if (event !== 'submitted' || jobId === undefined) return;
			submittedAt.set(jobId, new Date().toISOString());
			run.runLog.submitted(jobId);
		},
		whyKeep: () => {
			if (hasFailed) return 'a command did not return 0';
			return workDir !== undefined && hasStdout(workDir) ? 'a command wrote to stdout, and has no `out`' : undefined;
		},
	};
	try {
		for await (const outcome of pool.iterate({call: 'map', fn: RUN_COMMAND, tasks: tasks(), isOrdered: false, hooks})) {
			const job = open.get(outcome.itask) as AnsweredJob;
			open.delete(outcome.itask);
			const result = toResult(outcome, submittedAt.get(outcome.jobId ?? ''));
			hasFailed ||= result.code !== 0;
			await answer(run, job, result);
		}
	} catch (error) {
		if (names.length === 0 || !(error instanceof PoolError) || error.code !== 'ERR_POOL_SUBMIT_REJECTED') throw error;
		// Only these jobs can't be had where they are to run.
		for (const job of open.values()) await answer(run, job, unrunnable(error.message));
		for await (const job of values()) await answer(run, job, unrunnable(error.message));
	} finally {
		isTaken();
	}
};

export const RUN_COMMAND: FunctionMark = {module: new URL('../../run-command.js', import.meta.url), name: 'runCommand'};

/** Of what a worker could not say. */
type Result = LoggedResult & Readonly<Record<string, unknown>>;

const unrunnable = (error: string): Result => ({
	code: null,
	signal: null,
	error,
	started: null,
	completed: null,
	elapsed: null,
	host: null,
});

const toResult = (outcome: Outcome<unknown>, submitted: string | undefined): Result => {
	const {itask, attempt, jobId = null, host = null, startedAt, elapsedMs} = outcome;
	const others = {submitted: submitted ?? null, received: new Date().toISOString(), jobId, attempt, itask};
	if (outcome.status === 'fulfilled') return {...(outcome.value as CommandResult), ...others};
	const {kind, reason} = outcome.reason;
	const started = startedAt?.toISOString() ?? null;
	const elapsed = elapsedMs === undefined ? null : elapsedMs / 1000;
	return {
		code: null,
		signal: null,
		error: reason.startsWith(kind) ? reason : `${kind}: ${reason}`,
		kind,
		started,
		completed: null,
		elapsed,
		host,
		...others,
	};
};

const answer = async ({write, runLog}: Run, {line, text}: AnsweredJob, result: Result): Promise<void> => {
	const value: unknown = JSON.parse(text);
	const json = JSON.stringify({index: line - 1, ...result});
	const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
	await write(isObject ? setMember(text, 'result', json) : `{"job":${text},"result":${json}}`);
	const cmd: unknown = isObject ? (value as {readonly cmd?: unknown}).cmd : undefined;
	runLog.returned(typeof cmd === 'string' ? cmd : undefined, result);
};

const hasStdout = (workDir: string): boolean =>
	readdirSync(workDir).some(name => parseChunkFile(name)?.kind === 'o' && statSync(join(workDir, name)).size > 0);
