/** Runs small programs as a user would: files in a directory of their own, with this package installed beside them. */
import {spawn} from 'node:child_process';
import {cpSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Makes the files, and `node_modules/queue-map-reduce`: a link to this package, or a second copy of it. */
export const createProject = (directory: string, files: Readonly<Record<string, string>>, install: 'link' | 'copy' = 'link'): void => {
	mkdirSync(join(directory, 'node_modules'), {recursive: true});
	const target = join(directory, 'node_modules', 'queue-map-reduce');
	if (install === 'link') symlinkSync(packageRoot, target);
	else {
		cpSync(join(packageRoot, 'dist'), join(target, 'dist'), {recursive: true});
		cpSync(join(packageRoot, 'package.json'), join(target, 'package.json'));
		symlinkSync(join(packageRoot, 'node_modules'), join(target, 'node_modules'));
	}
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(dirname(join(directory, name)), {recursive: true});
		writeFileSync(join(directory, name), text);
	}
};

export type Ran = {readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stdout: string; readonly stderr: string};

/** Runs Node, the one that runs this test, to its end. */
export const runNode = (args: readonly string[], options: {readonly cwd: string; readonly env?: NodeJS.ProcessEnv}): Promise<Ran> =>
	new Promise((resolve, reject) => {
		const child = spawn(process.execPath, args, {
			cwd: options.cwd,
			env: {...withoutVitest(), ...options.env},
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		let stdout = '';
		let stderr = '';
		child.stdout.on('data', data => {
			stdout += String(data);
		});
		child.stderr.on('data', data => {
			stderr += String(data);
		});
		child.once('error', reject);
		child.once('close', (code, signal) => resolve({code, signal, stdout, stderr}));
	});

/** What vitest puts into the environment of its workers is not the user's. */
export const withoutVitest = (): NodeJS.ProcessEnv =>
	Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST|TINYPOOL|NODE_ENV$|TEST$)/.test(name)));
