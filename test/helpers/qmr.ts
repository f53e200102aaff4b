/** Runs `qmr` as a user would: the built program, in a process of its own. */
import {type ChildProcess, spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {onTestFinished} from 'vitest';
import {withoutVitest} from './programs.js';

export const QMR: string = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export type QmrRun = {
	readonly exitCode: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly stdout: string;
	readonly stderr: string;
};

export type QmrInput = {
	readonly cwd: string;
	/** Added to the environment; undefined takes a variable away. */
	readonly env?: Readonly<Record<string, string | undefined>>;
	/** All that it reads. @default nothing */
	readonly stdin?: string;
};

/** Colours and files of the site's or the user's configuration play no part, unless `env` brings them in. */
export const runQmr = (args: readonly string[], {stdin = '', ...input}: QmrInput): Promise<QmrRun> => {
	const {child, ended} = startQmr(args, input);
	child.stdin?.end(stdin);
	return ended;
};

export type StartedQmr = {
	readonly child: ChildProcess;
	/** What it has written so far. */
	readonly stdout: () => string;
	readonly stderr: () => string;
	readonly ended: Promise<QmrRun>;
};

/** The same, with an input that stays open. A test that ends before it does ends it. */
export const startQmr = (args: readonly string[], {cwd, env = {}}: Omit<QmrInput, 'stdin'>): StartedQmr => {
	const child = spawn(process.execPath, [QMR, ...args], {
		cwd,
		env: {...withoutVitest(), FORCE_COLOR: '', QMR_CONFIG: 'off', ...env},
		stdio: ['pipe', 'pipe', 'pipe'],
	});
	let stdout = '';
	let stderr = '';
	child.stdout.setEncoding('utf8').on('data', text => {
		stdout += text;
	});
	child.stderr.setEncoding('utf8').on('data', text => {
		stderr += text;
	});
	// It may end before it has read all.
	child.stdin.on('error', () => undefined);
	onTestFinished(() => void child.kill('SIGKILL'));
	const ended = new Promise<QmrRun>((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (exitCode, signal) => resolve({exitCode, signal, stdout, stderr}));
	});
	return {child, stdout: () => stdout, stderr: () => stderr, ended};
};
