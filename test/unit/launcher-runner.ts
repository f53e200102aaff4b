/** Makes a small work_dir with a stand-in worker and runs its launcher by the shells of this machine. */
import {type SpawnSyncReturns, spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {buildSync} from 'esbuild';
import {onTestFinished} from 'vitest';
import {type CapturedEnvironment, captureEnvironment} from '../../src/environment.js';
import {createLauncher, type LauncherOptions} from '../../src/launcher.js';
import {ENVIRONMENT_RECORD, ENVIRONMENT_SCRIPT, LAUNCHER, MANIFEST, tasksPath, WORKER_SCRIPT} from '../../src/layout.js';

export type Shell = readonly string[];

const isInstalled = ([program]: Shell): boolean =>
	(process.env.PATH ?? '').split(delimiter).some(directory => existsSync(join(directory, program!)));

/** dash and bash in both manners are on every Debian; the others are tried where they are. */
export const SHELLS: readonly Shell[] = [
	['dash'],
	['bash'],
	['bash', '--posix'],
	['busybox', 'sh'],
	['mksh'],
	['zsh', '--emulate', 'sh'],
].filter(isInstalled);

/** It has a sleep of its own: no test can shorten that. */
export const hasOwnSleep = ([program]: Shell): boolean => program === 'busybox';

/** As a scheduler would start a job: its own variables, and what only the site set. */
export const JOB_ENVIRONMENT = {
	PATH: '/usr/local/bin:/usr/bin:/bin',
	HOME: '/site-home',
	JOB_ID: '937',
	SGE_TASK_ID: 'undefined',
	SGE_NEWTHING: 'kept',
	TMPDIR: '/job-tmp',
	HOSTNAME: 'node1',
	SITE_ONLY: 'site',
} as const;

export type Dump = {
	readonly argv: readonly string[];
	readonly execArgv: readonly string[];
	readonly pid: number;
	readonly cwd: string;
	readonly umask: number;
	/** stdin, stdout, stderr: what they are linked to. */
	readonly stdio: readonly string[];
	/** The environment that node was started with, its bytes as latin1. */
	readonly initial: string;
	/** process.env after `applyEnvironment`. */
	readonly environment: Readonly<Record<string, string>>;
};

const STAND_IN_WORKER = `
import {readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import {applyEnvironment} from './apply-environment.ts';
const [workDir, ichunk, attempt] = process.argv.slice(2);
const initial = readFileSync('/proc/self/environ', 'latin1');
applyEnvironment(readFileSync(workDir + '/environment.json', 'utf8'));
const {argv, execArgv, pid} = process;
const stdio = [0, 1, 2].map(fd => readlinkSync('/proc/self/fd/' + fd));
writeFileSync(workDir + '/dump.' + ichunk + '.' + attempt, JSON.stringify({argv, execArgv, pid, cwd: process.cwd(), umask: process.umask(), stdio, initial, environment: {...process.env}}));
try { writeFileSync(workDir + '/started', 'x', {flag: 'r+'}); setInterval(() => {}, 1e6); } catch {}
`;

let worker: string | undefined;
const standInWorker = (): string => {
	worker ??= buildSync({
		stdin: {contents: STAND_IN_WORKER, resolveDir: fileURLToPath(new URL('../../src/worker', import.meta.url)), loader: 'js'},
		bundle: true,
		write: false,
		platform: 'node',
		format: 'cjs',
	}).outputFiles[0]!.text;
	return worker;
};

export const makeScratch = (): string => {
	const directory = mkdtempSync(join(tmpdir(), 'qmr-launcher-'));
	chmodSync(directory, 0o755);
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
	return directory;
};

export type WorkDirOptions = Partial<LauncherOptions> & {readonly captured?: CapturedEnvironment; readonly worker?: string};

/** A work_dir with chunk 13, private as the real one is. */
export const makeWorkDir = ({
	captured = captureEnvironment(true, {}),
	worker = standInWorker(),
	...options
}: WorkDirOptions = {}): string => {
	const workDir = options.workDir ?? join(makeScratch(), 'work');
	mkdirSync(workDir, {recursive: true, mode: 0o700});
	const write = (path: string, content: string | Buffer): void => writeFileSync(path, content, {mode: 0o600});
	write(join(workDir, MANIFEST), '{}');
	write(join(workDir, ENVIRONMENT_SCRIPT), captured.script);
	write(join(workDir, ENVIRONMENT_RECORD), captured.record);
	write(join(workDir, WORKER_SCRIPT), worker);
	write(tasksPath(workDir, 13), '');
	write(
		join(workDir, LAUNCHER),
		createLauncher({cwd: '/', nodePath: process.execPath, nodeArguments: [], umask: 0o022, coreFiles: true, ...options, workDir}),
	);
	return workDir;
};

export type RunOptions = {
	readonly environment?: Readonly<Record<string, string>>;
	readonly script?: string;
	readonly input?: string;
	readonly cwd?: string;
};

/** Runs `SHELL launch.sh …`, from `/` as a scheduler does. */
export const runLauncher = (shell: Shell, workDir: string, args: readonly string[], options: RunOptions = {}): SpawnSyncReturns<string> => {
	const {environment = JOB_ENVIRONMENT, script = join(workDir, LAUNCHER), input, cwd = '/'} = options;
	const [program, ...shellArgs] = shell;
	return spawnSync(program!, [...shellArgs, ...(input === undefined ? [script] : ['-s', '--']), ...args], {
		cwd,
		encoding: 'utf8',
		env: {...environment},
		...(input === undefined ? {} : {input}),
	});
};

export const readDump = (workDir: string, attempt = 1): Dump =>
	JSON.parse(readFileSync(join(workDir, `dump.13.${attempt}`), 'utf8')) as Dump;

/** `NAME=value` with NUL between, bytes as latin1. */
export const parseEnviron = (environ: string): Record<string, string> =>
	Object.fromEntries(
		environ
			.split('\0')
			.filter(entry => entry !== '')
			.map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
	);

export const toEnviron = (variables: Readonly<Record<string, Buffer>>): Buffer =>
	Buffer.concat(Object.entries(variables).flatMap(([name, value]) => [Buffer.from(`${name}=`), value, Buffer.from('\0')]));
