/** A process-node that can be killed: a program of its own that maps test/fixtures/faulty.mjs. */
import {type ChildProcess, spawn} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {PoolOptions} from 'queue-map-reduce';
import {createProject, type Ran, withoutVitest} from './programs.js';
import {writtenOutput} from './written-output.js';

export type Plan = {
	/** Of `compute`. */
	readonly tasks?: readonly object[];
	readonly options?: PoolOptions;
	/** A work_dir to go on with, instead of a new map. */
	readonly resume?: string;
	/** It kills itself as soon as it has read the results of so many tasks. */
	readonly diesAtDone?: number;
	/** Its working directory, made for it below that of the program. */
	readonly cwd?: string;
};

export type ProcessNode = {
	readonly pid: number;
	readonly kill: (signal: NodeJS.Signals) => void;
	/** What it has said to stderr so far. */
	readonly said: () => string;
	readonly ended: Promise<Ran>;
};

const MAIN = `import {readFileSync} from 'node:fs';
import {Pool} from 'queue-map-reduce';
import {compute} from './faulty.mjs';
const {tasks, options, resume, diesAtDone} = JSON.parse(readFileSync(process.argv[2]));
const onProgress = ({done}) => done >= diesAtDone && process.kill(process.pid, 'SIGKILL');
const all = diesAtDone === undefined ? options : {...options, onProgress};
const results = resume === undefined ? await new Pool(all).map(compute, tasks) : await (await Pool.resume(resume, all)).results();
console.log(JSON.stringify(results));
`;

/** Makes the program in a directory. */
export const createProcessNode = (directory: string): void =>
	createProject(directory, {'main.mjs': MAIN, 'faulty.mjs': readFileSync(new URL('../fixtures/faulty.mjs', import.meta.url), 'utf8')});

let numStarted = 0;

export const startProcessNode = (directory: string, plan: Plan): ProcessNode => {
	numStarted++;
	// Plans may be longer than an argument.
	writeFileSync(join(directory, `plan-${numStarted}.json`), JSON.stringify(plan));
	const cwd = join(directory, plan.cwd ?? '');
	mkdirSync(cwd, {recursive: true});
	const output = writtenOutput(join(directory, `plan-${numStarted}`));
	const child: ChildProcess = spawn(process.execPath, [join(directory, 'main.mjs'), join(directory, `plan-${numStarted}.json`)], {
		cwd,
		env: withoutVitest(),
		stdio: output.stdio,
	});
	output.close();
	return {
		pid: child.pid as number,
		kill: signal => {
			child.kill(signal);
		},
		said: output.stderr,
		ended: new Promise((resolve, reject) => {
			child.once('error', reject);
			child.once('exit', (code, signal) => resolve({code, signal, stdout: output.stdout(), stderr: output.stderr()}));
		}),
	};
};
