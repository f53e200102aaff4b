/** The package as npm would publish it, unpacked into projects of its own. */
import {execFile} from 'node:child_process';
import {mkdir, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {ROOT} from './source-files.js';

const execute = promisify(execFile);

export type Finished = {readonly exitCode: number; readonly stdout: string; readonly stderr: string};

/** Runs a program with an environment that vitest has not touched. Never rejects for its exit code. */
export const run = async (program: string, args: readonly string[], cwd: string): Promise<Finished> => {
	const {NODE_OPTIONS: _, NODE_PATH: __, ...env} = process.env;
	try {
		return {exitCode: 0, ...(await execute(program, args, {cwd, env, encoding: 'utf8', maxBuffer: 2 ** 26}))};
	} catch (error) {
		const {code, stdout, stderr} = error as {code: unknown; stdout?: string; stderr?: string};
		if (typeof code !== 'number') throw error;
		return {exitCode: code, stdout: stdout ?? '', stderr: stderr ?? ''};
	}
};

export type Manifest = {
	readonly name: string;
	readonly version: string;
	readonly bin: Readonly<Record<string, string>>;
	readonly dependencies: Readonly<Record<string, string>>;
};

export const readManifest = async (): Promise<Manifest> => JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest;

export type Packed = {
	readonly directory: string;
	readonly tarball: string;
	/** As `dist/src/index.js`. */
	readonly files: readonly string[];
	/** Makes a project that has the package, unpacked, and links to the named packages of this repository; returns its directory. */
	readonly createProject: (name: string, packages: readonly string[]) => Promise<string>;
	readonly remove: () => Promise<void>;
};

/** Packs what has been built; building it again would take the files from under the other tests. */
export const pack = async (): Promise<Packed> => {
	const directory = await mkdtemp(join(tmpdir(), 'qmr-package-'));
	const {exitCode, stdout, stderr} = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], ROOT);
	if (exitCode !== 0) throw new Error(`npm pack failed: ${stderr}`);
	const [packed] = JSON.parse(stdout) as [{filename: string; files: {path: string}[]}];
	const tarball = join(directory, packed.filename);
	return {
		directory,
		tarball,
		files: packed.files.map(({path}) => path).sort(),
		createProject: async (name, packages) => {
			const project = join(directory, name);
			const modules = join(project, 'node_modules');
			const unpacked = join(modules, 'queue-map-reduce');
			await mkdir(unpacked, {recursive: true});
			await execute('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1']);
			for (const dependency of packages) {
				await mkdir(dirname(join(modules, dependency)), {recursive: true});
				await symlink(join(ROOT, 'node_modules', dependency), join(modules, dependency));
			}
			await writeFile(join(project, 'package.json'), '{"private": true}');
			return project;
		},
		remove: () => rm(directory, {recursive: true, force: true}),
	};
};
