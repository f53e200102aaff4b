/** Which work_dir is meant: by its path, by its name, by its session or the beginning of either, or the newest one. */
import {existsSync, readdirSync, readFileSync, type Stats, statSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {Option} from 'commander';
import {withConfig} from '../config.js';
import {DEFAULT_WORK_ROOT, MANIFEST} from '../layout.js';
import {UsageError} from './command-error.js';
import {toPlainLine} from './plain-text.js';

/**
 * @param argument - A path; or of a work_dir in `root` its name or its session, or the beginning of either; undefined for the newest one there.
 * @param given - The directory in which work_dirs are looked for. Without it that is where they are made, `workRoot` of `qmr.config.json` or `.qmr`, and the current directory for those that were given a name of their own.
 * @throws UsageError when there is none, or more than one.
 */
export const findWorkDir = (argument: string | undefined, given?: string): string => {
	const root = resolve(given ?? defaultRoot());
	if (argument === '') throw new UsageError('Expected a work_dir, got an empty text. (A variable that is not set?)');
	if (argument !== undefined && existsSync(join(argument, MANIFEST))) return resolve(argument);
	const barred = argument === undefined ? undefined : whyBarred(join(argument, MANIFEST));
	if (barred !== undefined)
		throw new UsageError(`Expected a work_dir that you may read, got ${JSON.stringify(argument)}: ${barred}. Ask whoever has made it.`);
	const names = listWorkDirs(root);
	if (argument === undefined) {
		const newest = names.at(-1);
		if (newest === undefined) throw new UsageError(`Expected a work_dir, and there is none in ${root}. Name one, or its parent by --root.`);
		return join(root, newest);
	}
	// One that is called so is meant, also when another one's name begins alike.
	if (names.includes(argument)) return join(root, argument);
	const beside = given === undefined && root !== process.cwd() ? [process.cwd()] : [];
	const meant = [
		...names.map(name => ({name, path: join(root, name)})).filter(({name, path}) => name.startsWith(argument) || isOf(path, argument)),
		// By their names these are paths.
		...beside
			.flatMap(cwd => listReadable(cwd).map(name => ({name: `./${name}`, path: join(cwd, name)})))
			.filter(({path}) => isOf(path, argument)),
	];
	const where = [root, ...beside].join(' or ');
	if (meant.length > 1)
		throw new UsageError(
			`${JSON.stringify(argument)} is the beginning of ${meant.length} sessions in ${where}: ${formatNames(meant.map(({name}) => name))}. Type more of it, or one of these.`,
		);
	if (meant[0] !== undefined) return meant[0].path;
	throw new UsageError(`Expected a work_dir, got ${JSON.stringify(argument)}, ${whyNot(argument, where)}`);
};

/** Why nobody can tell whether that file is there, as in a directory of somebody else. */
const whyBarred = (path: string): string | undefined => {
	try {
		statSync(path);
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' ? undefined : message;
	}
	return undefined;
};

/** Whether the map there has a session that begins so: a work_dir may be called otherwise. */
const isOf = (workDir: string, beginning: string): boolean => {
	try {
		const {session} = JSON.parse(readFileSync(join(workDir, MANIFEST), 'utf8')) as {readonly session?: unknown};
		return typeof session === 'string' && session.startsWith(beginning);
	} catch {
		// What is wrong with it is told to whoever names it.
		return false;
	}
};

/** Nobody has said that there are work_dirs. */
const listReadable = (directory: string): string[] => {
	try {
		return listWorkDirs(directory);
	} catch {
		return [];
	}
};

/** Where maps of this directory are made. */
export const defaultRoot = (): string => withConfig({}).options.workRoot ?? DEFAULT_WORK_ROOT;

/** The flag that says where sessions are looked for. */
export const rootOption = (): Option =>
	new Option('--root <dir>', 'where sessions are looked for (default: `workRoot` of qmr.config.json, else .qmr)');

/**
 * The names of the work_dirs in a directory, oldest first.
 *
 * @throws UsageError when it is there and can't be read.
 */
export const listWorkDirs = (root: string): string[] =>
	readNames(root)
		.filter(name => !name.startsWith('.'))
		.flatMap(name => {
			const manifest = statOf(join(root, name, MANIFEST));
			return manifest === undefined ? [] : [{name, writtenMs: manifest.mtimeMs, begunMs: beginningIn(name) ?? manifest.mtimeMs}];
		})
		// Two may have been begun in the same second.
		.sort((a, b) => a.begunMs - b.begunMs || a.writtenMs - b.writtenMs)
		.map(({name}) => name);

const readNames = (root: string): string[] => {
	try {
		// The current directory may be full of files, of which none is looked at.
		return readdirSync(root, {withFileTypes: true}).flatMap(entry => (entry.isFile() ? [] : [entry.name]));
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		if (code === 'ENOENT') return [];
		if (code === 'ENOTDIR') throw new UsageError(`Expected a directory with work_dirs, got ${resolve(root)}, which is a file.`);
		throw new UsageError(`Expected a directory with work_dirs, got ${resolve(root)}, which can't be read: ${message}`);
	}
};

/** When its map was begun, as a session says; a work_dir that was given a name of its own has a file that is written once. */
const beginningIn = (name: string): number | undefined => {
	const [, date, hours, minutes, seconds] = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)_/.exec(name) ?? [];
	const begunMs = Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`);
	return Number.isNaN(begunMs) ? undefined : begunMs;
};

/** What can't be looked at is as if it were not there. */
const statOf = (path: string): Stats | undefined => {
	try {
		return statSync(path);
	} catch {
		return undefined;
	}
};

const MAX_NAMES = 10;

const formatNames = (names: readonly string[]): string => {
	const more = names.length > MAX_NAMES ? `, … and ${names.length - MAX_NAMES} more` : '';
	return toPlainLine(`${names.slice(0, MAX_NAMES).join(', ')}${more}`);
};

const whyNot = (argument: string, where: string): string => {
	const stats = statOf(argument);
	if (stats?.isDirectory()) return `which has no ${MANIFEST}.`;
	if (stats !== undefined) return 'which is a file. Name the directory of the map.';
	return `which is neither a directory nor the beginning of a session in ${where}. A work_dir is removed when every task has succeeded, unless it is to be kept.`;
};
