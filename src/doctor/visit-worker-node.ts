/** The one task of `qmr doctor`: looks around on the worker-node, and exchanges two files with the process-node. */
import {mkdtempSync, readdirSync, readFileSync, renameSync, rmdirSync, writeFileSync} from 'node:fs';
import {hostname, tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {getHeapStatistics} from 'node:v8';
import {taskContext} from '../task-context.js';

/** The task: how long the process-node's answer is waited for. */
export type Visit = {readonly answerWaitMs: number};

/** Moments are epoch milliseconds of the worker-node's clock. */
export type WorkerFacts = {
	readonly host: string;
	readonly nodeVersion: string;
	readonly cwd: string;
	readonly umask: number;
	/** Undefined for no limit, or when it is not known. */
	readonly addressSpaceBytes: number | undefined;
	readonly maxOpenFiles: number | undefined;
	readonly cgroupMemoryBytes: number | undefined;
	readonly heapLimitBytes: number;
	readonly environmentBytes: number;
	readonly scratch: {readonly path: string; readonly problem: string | undefined};
	/** When launch.sh began; undefined where the system does not tell. */
	readonly launcherStartedMs: number | undefined;
	readonly nodeStartedMs: number;
	readonly nodeReadyMs: number;
	readonly taskStartedMs: number;
	/** When the file for the process-node was there. */
	readonly greetedMs: number;
	/** When the answer was seen; undefined when it was not within `answerWaitMs`. */
	readonly answerSeenMs: number | undefined;
	readonly taskEndedMs: number;
};

/** In `taskDir`: the worker-node's file, and that of the process-node. */
export const GREETING = 'greeting';
export const ANSWER = 'answer';

export const visitWorkerNode = async ({answerWaitMs}: Visit): Promise<WorkerFacts> => {
	const taskStartedMs = nowMs();
	const {taskDir} = taskContext();
	writeFileSync(join(taskDir, `${GREETING}.new`), '', {mode: 0o600});
	renameSync(join(taskDir, `${GREETING}.new`), join(taskDir, GREETING));
	const greetedMs = nowMs();
	const answerSeenMs = await untilAnswer(taskDir, greetedMs + answerWaitMs);
	const limits = readText('/proc/self/limits');
	return {
		host: hostname(),
		nodeVersion: process.version,
		cwd: process.cwd(),
		umask: process.umask(),
		addressSpaceBytes: parseLimit(limits, 'Max address space'),
		maxOpenFiles: parseLimit(limits, 'Max open files'),
		cgroupMemoryBytes: findCgroupMemory(readText('/proc/self/cgroup'), readText),
		heapLimitBytes: getHeapStatistics().heap_size_limit,
		environmentBytes: Object.entries(process.env).reduce((sum, [name, value = '']) => sum + Buffer.byteLength(`${name}=${value}`) + 1, 0),
		scratch: tryScratch(),
		launcherStartedMs: findProcessStart(readText('/proc/self/stat'), readText('/proc/uptime'), nowMs()),
		nodeStartedMs: performance.timeOrigin,
		nodeReadyMs: performance.timeOrigin + performance.nodeTiming.bootstrapComplete,
		taskStartedMs,
		greetedMs,
		answerSeenMs,
		taskEndedMs: nowMs(),
	};
};

/** By one clock that does not jump, so that durations are true. */
const nowMs = (): number => performance.timeOrigin + performance.now();

/** As often the directory is looked at. To list it refreshes what a network file system knows of it. */
const LOOK_EVERY_MS = 20;

const untilAnswer = async (directory: string, untilMs: number): Promise<number | undefined> => {
	while (nowMs() < untilMs) {
		if (readdirSync(directory).includes(ANSWER)) return nowMs();
		await sleep(LOOK_EVERY_MS);
	}
	return undefined;
};

const readText = (path: string): string => {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
};

/** The soft limit in the text of /proc/self/limits. */
export const parseLimit = (limits: string, name: string): number | undefined => {
	const value = new RegExp(`^${name}\\s+(\\d+)\\s`, 'm').exec(limits)?.[1];
	return value === undefined ? undefined : Number(value);
};

/** The smallest limit of memory that holds for a control group or those above it. */
export const findCgroupMemory = (cgroup: string, read: (path: string) => string): number | undefined => {
	const [, unified] = /^0::(.*)$/m.exec(cgroup) ?? [];
	const [, memory] = /^\d+:(?:[\w,]*,)?memory(?:,[\w,]*)?:(.*)$/m.exec(cgroup) ?? [];
	const files = [
		...(unified === undefined ? [] : withParents(unified).map(path => join('/sys/fs/cgroup', path, 'memory.max'))),
		...(memory === undefined ? [] : withParents(memory).map(path => join('/sys/fs/cgroup/memory', path, 'memory.limit_in_bytes'))),
	];
	const limits = files.map(file => Number.parseInt(read(file), 10)).filter(limit => limit > 0 && limit < NO_CGROUP_LIMIT);
	return limits.length === 0 ? undefined : Math.min(...limits);
};

/** Version 1 shows a number near 2^63 for no limit. */
const NO_CGROUP_LIMIT = 2 ** 60;

const withParents = (path: string): string[] =>
	path === '/' || path === '' ? ['/'] : [path, ...withParents(path.slice(0, path.lastIndexOf('/')))];

/** Ticks of a second in /proc, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** launch.sh becomes Node by exec, so the process is as old as the launcher is. */
export const findProcessStart = (stat: string, uptime: string, atMs: number): number | undefined => {
	// The name of the program, in parentheses, may hold anything.
	const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
	const upSeconds = Number.parseFloat(uptime);
	return ticks > 0 && upSeconds > 0 ? atMs - (upSeconds - ticks / TICKS_PER_SECOND) * 1000 : undefined;
};

const tryScratch = (): WorkerFacts['scratch'] => {
	const path = tmpdir();
	try {
		rmdirSync(mkdtempSync(join(path, 'qmr-doctor-')));
		return {path, problem: undefined};
	} catch (error) {
		return {path, problem: (error as Error).message};
	}
};
