/** A project of a user, in which the snippets of one section are run. It sees no scheduler, whatever this machine has. */
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, realpath, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {type Finished, run} from './packed.js';
import {ROOT} from './source-files.js';

export type SnippetProject = {
	readonly directory: string;
	readonly write: (file: string, text: string) => Promise<void>;
	/** Runs a file by node; a `.ts` file is compiled before. */
	readonly runFile: (file: string) => Promise<Finished>;
	readonly runShell: (script: string) => Promise<Finished>;
	readonly remove: () => Promise<void>;
};

/** All that is on PATH beside node; some is for the scripts of the contract of an engine, and some for the guides. */
const PROGRAMS = [...['sh', 'sleep', 'cat', 'ls', 'env'], ...['mv', 'dd', 'readlink'], ...['head']];

const TSC = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node', '--skipLibCheck', '--pretty', 'false'];

export const createSnippetProject = async (): Promise<SnippetProject> => {
	if (!existsSync(join(ROOT, 'dist/src/index.js'))) throw new Error('Expected the package to be built: npm run build');
	const directory = await realpath(await mkdtemp(join(tmpdir(), 'qmr-snippets-')));
	const bin = join(directory, 'bin');
	const modules = join(directory, 'node_modules');
	for (const made of [bin, join(modules, '.bin'), join(modules, '@types'), join(directory, 'tmp')]) await mkdir(made, {recursive: true});
	await symlink(process.execPath, join(bin, 'node'));
	for (const program of PROGRAMS) await symlink(findOnPath(program), join(bin, program));
	await symlink(ROOT, join(modules, 'queue-map-reduce'));
	// As npm makes it when it installs the package.
	await symlink(join('..', 'queue-map-reduce', 'dist/src/cli/main.js'), join(modules, '.bin', 'qmr'));
	await symlink(join(ROOT, 'examples'), join(directory, 'examples'));
	for (const name of ['@types/node', 'undici-types']) await symlink(join(ROOT, 'node_modules', name), join(modules, name));
	await writeFile(join(directory, 'package.json'), '{"private": true, "type": "module"}');

	const clean = ['-i', `PATH=${[bin, join(modules, '.bin')].join(delimiter)}`, `HOME=${directory}`, `TMPDIR=${join(directory, 'tmp')}`];
	const runClean = (...command: readonly string[]): Promise<Finished> => run(join(bin, 'env'), [...clean, ...command], directory);
	return {
		directory,
		write: (file, text) => writeFile(join(directory, file), `${text}\n`),
		runFile: async file => {
			if (!file.endsWith('.ts')) return runClean('node', file);
			const compiled = await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...TSC, file], directory);
			return compiled.exitCode === 0 ? runClean('node', file.replace(/\.ts$/, '.js')) : compiled;
		},
		runShell: script => runClean('sh', '-eu', '-c', script),
		remove: () => rm(directory, {recursive: true, force: true}),
	};
};

const findOnPath = (program: string): string => {
	const directories = (process.env.PATH ?? '').split(delimiter);
	const found = directories.map(directory => join(directory, program)).find(path => existsSync(path));
	if (found === undefined) throw new Error(`Expected ${program} to be on PATH`);
	return found;
};
