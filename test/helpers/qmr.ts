/** Runs `qmr` as a user would: the built program, in a process of its own. */
import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';
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
export const runQmr = (args: readonly string[], {cwd, env = {}, stdin = ''}: QmrInput): Promise<QmrRun> =>
	new Promise((resolve, reject) => {
		const child = spawn(process.execPath, [QMR, ...args], {
			cwd,
			env: {...withoutVitest(), FORCE_COLOR: '', QMR_CONFIG: 'off', ...env},
			stdio: ['pipe', 'pipe', 'pipe'],
		});
		let stdout = '';
		let stderr = '';
		child.stdout.on('data', data => {
			stdout += String(data);
		});
		child.stderr.on('data', data => {
			stderr += String(data);
		});
		// It may end before it has read all.
		child.stdin.on('error', () => undefined);
		child.stdin.end(stdin);
		child.once('error', reject);
		child.once('close', (exitCode, signal) => resolve({exitCode, signal, stdout, stderr}));
	});
