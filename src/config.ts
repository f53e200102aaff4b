/** `qmr.config.json`: options that a site, a user or a project has written down for all programs. */
import {readFileSync, type Stats, statSync} from 'node:fs';
import {homedir} from 'node:os';
import {dirname, isAbsolute, join, resolve} from 'node:path';
import {mergeOptions} from './check-options.js';
import {PoolError} from './errors.js';
import type {PoolOptions} from './options.js';

export type Config = {
	readonly options: PoolOptions;
	/** The files that options were taken from, the one that wins last. */
	readonly configFiles: readonly string[];
};

/** What a process knows of its surroundings. */
export type Surroundings = {
	readonly cwd: string;
	readonly home: string;
	readonly env: NodeJS.ProcessEnv /** Where a site keeps its settings. */;
	readonly site: string;
};

/**
 * Adds to the options of a call what the files say of those that it leaves open: `/etc/qmr.config.json` of the site, `$XDG_CONFIG_HOME/qmr.config.json` of the user (`~/.config`
 * without that variable), and the nearest `qmr.config.json` from the current directory upwards of the project. Of two files the later one wins. With `config: false`, or the variable
 * `QMR_CONFIG=off`, none is read.
 *
 * @throws PoolError `ERR_POOL_OPTION` when a file is no JSON object of options, or others than its owner may write it.
 */
export const withConfig = (options: PoolOptions, surroundings: Surroundings = realSurroundings()): Config => {
	const {env} = surroundings;
	if (options.config === false || env.QMR_CONFIG === 'off') return {options, configFiles: []};
	let merged: PoolOptions = {};
	const configFiles: string[] = [];
	for (const path of findFiles(surroundings)) {
		merged = mergeOptions(merged, readConfigFile(path));
		configFiles.push(path);
	}
	return {options: mergeOptions(merged, options), configFiles};
};

const NAME = 'qmr.config.json';

const realSurroundings = (): Surroundings => ({cwd: process.cwd(), home: homedir(), env: process.env, site: '/etc'});

const findFiles = ({cwd, home, env, site}: Surroundings): string[] => {
	const user = env.XDG_CONFIG_HOME !== undefined && isAbsolute(env.XDG_CONFIG_HOME) ? env.XDG_CONFIG_HOME : join(home, '.config');
	const paths = [join(site, NAME), join(user, NAME), findUpwards(cwd)];
	return [...new Set(paths)].filter(path => path !== undefined).filter(path => statOf(path) !== undefined);
};

const findUpwards = (directory: string): string | undefined => {
	const path = join(directory, NAME);
	if (statOf(path) !== undefined) return path;
	return dirname(directory) === directory ? undefined : findUpwards(dirname(directory));
};

/** A directory that may not be looked into has none. */
const statOf = (path: string): Stats | undefined => {
	try {
		return statSync(path);
	} catch {
		return undefined;
	}
};

/** Each of these is for one map, or can't be written in a file. */
const NOT_IN_FILES: readonly (keyof PoolOptions)[] = ['workDir', 'resume', 'config', 'signal', 'onProgress', 'shared'];

const readConfigFile = (path: string): PoolOptions => {
	const refuse = (problem: string): PoolError =>
		new PoolError(
			'ERR_POOL_OPTION',
			`${path}: ${problem} To do without it: the option \`config: false\`, --no-config of qmr, or the variable QMR_CONFIG=off.`,
		);
	const stats = statSync(path);
	// Whoever may write it decides what our queue-jobs run.
	if ((stats.mode & 0o022) !== 0 || (stats.uid !== 0 && stats.uid !== process.getuid?.()))
		throw refuse('Expected a file of yours or of root that nobody else may write: chmod go-w.');
	if (!stats.isFile()) throw refuse('Expected a file, and that is none.');
	let options: unknown;
	try {
		options = JSON.parse(readFileSync(path, 'utf8'));
	} catch (error) {
		throw refuse(`Expected JSON, and it is none: ${(error as Error).message}.`);
	}
	try {
		const checked = mergeOptions(options as PoolOptions);
		const misplaced = NOT_IN_FILES.find(name => checked[name] !== undefined);
		if (misplaced !== undefined) throw refuse(`Expected options for all maps, got \`${misplaced}\`, which is for one.`);
		return checked.workRoot === undefined ? checked : {...checked, workRoot: resolve(dirname(path), checked.workRoot)};
	} catch (error) {
		if (error instanceof PoolError && !error.message.startsWith(path)) throw refuse(error.message);
		throw error;
	}
};
