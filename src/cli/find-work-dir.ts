/** Which work_dir is meant: by its path, by its session or the beginning of that, or the newest one. */
import {existsSync, readdirSync, type Stats, statSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {Option} from 'commander';
import {withConfig} from '../config.js';
import {DEFAULT_WORK_ROOT, MANIFEST} from '../layout.js';
import {UsageError} from './command-error.js';
import {toPlainLine} from './plain-text.js';

/**
 * @param argument - A path; or a session, or its beginning, of a work_dir in `root`; undefined for the newest one there.
 * @param root - Where work_dirs are made. @default `workRoot` of `qmr.config.json`, else `.qmr`
 * @throws UsageError when there is none, or more than one.
 */
export const findWorkDir = (argument: string | undefined, root: string = defaultRoot()): string => {
	if (argument === '') throw new UsageError('Expected a work_dir, got an empty text. (A variable that is not set?)');
	if (argument !== undefined && existsSync(join(argument, MANIFEST))) return resolve(argument);
	const names = listWorkDirs(root);
	if (argument === undefined) {
		const newest = names.at(-1);
		if (newest === undefined)
			throw new UsageError(`Expected a work_dir, and there is none in ${resolve(root)}. Name one, or its parent by --root.`);
		return join(resolve(root), newest);
	}
	// One that is called so is meant, also when another one's name begins alike.
	const meant = names.includes(argument) ? [argument] : names.filter(name => name.startsWith(argument));
	if (meant.length > 1)
		throw new UsageError(
			`${JSON.stringify(argument)} is the beginning of ${meant.length} sessions in ${resolve(root)}: ${formatNames(meant)}. Type more of it.`,
		);
	if (meant[0] !== undefined) return join(resolve(root), meant[0]);
	throw new UsageError(`Expected a work_dir, got ${JSON.stringify(argument)}, ${whyNot(argument, root)}`);
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
		return readdirSync(root);
	} catch (error) {
		const {code, message} = error as NodeJS.ErrnoException;
		if (code === 'ENOENT') return [];
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

const whyNot = (argument: string, root: string): string => {
	const stats = statOf(argument);
	if (stats?.isDirectory()) return `which has no ${MANIFEST}.`;
	if (stats !== undefined) return 'which is a file. Name the directory of the map.';
	return `which is neither a directory nor the beginning of a session in ${resolve(root)}. A work_dir is removed when every task has succeeded, unless it is to be kept.`;
};
