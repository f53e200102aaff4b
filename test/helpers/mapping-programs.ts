/** A program that maps over a dummy queue and can be killed at chosen points; what it leaves behind is gone on with by the test. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {PoolOptions} from 'queue-map-reduce';
import {type DummyQueue, initQueueState, type QueueState, readQueueState} from 'queue-map-reduce/dummy-queue';
import {onTestFinished, vi} from 'vitest';
import {createTestDirectory} from './engines.js';
import {killProcessesWith} from './processes.js';
import {createProject, withoutVitest} from './programs.js';
import {writtenOutput} from './written-output.js';

const WORK = `import {appendFileSync} from 'node:fs';
import {taskContext} from 'queue-map-reduce';
export const double = x => {
	appendFileSync(new URL('computed', import.meta.url), taskContext().itask + '\\n');
	return 2 * x;
};
`;

/** Options and tasks come as JSON; \`inFlight\` is a statement that sees the numbers of onProgress. */
const main = (whenProgress: string, around: string): string => `import {Pool} from 'queue-map-reduce';
import {double} from './work.mjs';
const options = JSON.parse(process.env.OPTIONS);
const die = () => process.kill(process.pid, 'SIGKILL');
const tasks = JSON.parse(process.env.TASKS);
const onProgress = ({done, running, pending, total}) => { ${whenProgress} };
${around}
`;

const MAP = "console.log(JSON.stringify(await new Pool(options).map(double, tasks, {workDir: 'run', onProgress})));";

export type MappingProgram = {
	readonly queue: DummyQueue;
	readonly directory: string;
	readonly workDir: string;
	readonly options: PoolOptions;
	readonly start: (overrides?: PoolOptions) => RunningProgram;
	/** The itask of every call of the function, in order. */
	readonly computed: () => number[];
	/** How often each program was called. */
	readonly calls: () => QueueState['calls'];
	readonly jobsLeft: () => number;
	readonly journal: () => string;
};

export type RunningProgram = {
	readonly child: ChildProcess;
	readonly ended: Promise<{code: number | null; signal: NodeJS.Signals | null}>;
	readonly stdout: () => string;
	readonly stderr: () => string;
};

export type ProgramPlan = {
	/** Statements for onProgress, which may call `die()`. */
	readonly whenProgress?: string;
	/** The program itself; it may use `Pool, double, options, tasks, onProgress, die`. */
	readonly program?: string;
	readonly tasks?: readonly unknown[];
	readonly options?: PoolOptions;
	readonly state?: Partial<QueueState>;
	/** Lines of sh in front of the real qsub, whose path is in \`$QSUB\`; once only. */
	readonly insteadOfQsub?: string;
};

export const TASKS = [1, 2, 3, 4, 5, 6];
export const DOUBLED = [2, 4, 6, 8, 10, 12];

export const makeMappingProgram = ({
	whenProgress = '',
	program = MAP,
	tasks = TASKS,
	options = {},
	state = {},
	insteadOfQsub,
}: ProgramPlan = {}): MappingProgram => {
	const {path: directory, remove} = createTestDirectory();
	const queue = initQueueState(join(directory, 'queue'), state);
	onTestFinished(() => {
		// What hangs in the name of a fault.
		killProcessesWith(directory);
		remove();
	});
	createProject(directory, {'work.mjs': WORK, 'main.mjs': main(whenProgress, program)});
	const qsubPath = insteadOfQsub === undefined ? queue.qsubPath : wrapQsub(directory, queue.qsubPath, insteadOfQsub);
	const poolOptions: PoolOptions = {...queue, qsubPath, pollingIntervalMs: 50, graceMs: 300, ...options};
	return {
		queue,
		directory,
		workDir: join(directory, 'run'),
		options: poolOptions,
		start: overrides => startProgram(directory, {...poolOptions, ...overrides}, tasks),
		computed: () =>
			readText(join(directory, 'computed'))
				.split('\n')
				.filter(line => line !== '')
				.map(Number),
		calls: () => readQueueState(queue.directory).calls,
		jobsLeft: () => readQueueState(queue.directory).jobs.filter(({foreign}) => !foreign).length,
		journal: () => readText(join(directory, 'run', 'log.jsonl')),
	};
};

const wrapQsub = (directory: string, qsub: string, lines: string): string => {
	const path = join(directory, 'wrapped-qsub');
	writeFileSync(
		path,
		`#!/bin/sh\nQSUB='${qsub}'\nif mkdir '${directory}/qsub-was-wrapped' 2>/dev/null; then\n${lines}\nexit 1\nfi\nexec "$QSUB" "$@"\n`,
	);
	chmodSync(path, 0o755);
	return path;
};

let numStarted = 0;

const startProgram = (directory: string, options: PoolOptions, tasks: readonly unknown[]): RunningProgram => {
	const output = writtenOutput(join(directory, `program-${++numStarted}`));
	const child = spawn(process.execPath, ['main.mjs'], {
		cwd: directory,
		env: {...withoutVitest(), OPTIONS: JSON.stringify(options), TASKS: JSON.stringify(tasks)},
		stdio: output.stdio,
	});
	output.close();
	const ended = once(child, 'exit').then(([code, signal]) => ({code: code as number | null, signal: signal as NodeJS.Signals | null}));
	return {child, ended, stdout: output.stdout, stderr: output.stderr};
};

const readText = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Waits for something that another process does. */
export const until = (isSo: () => boolean): Promise<unknown> => vi.waitUntil(isSo, {interval: 20, timeout: 90_000});
