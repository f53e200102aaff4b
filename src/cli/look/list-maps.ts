/** A line for each map below a directory. Fast for hundreds of them: of a map that has ended only the last lines of its journal are read. */
import {existsSync} from 'node:fs';
import {basename, join, resolve} from 'node:path';
import type {FunctionReference} from '../../function-reference.js';
import {type JournalLine, parseJournal} from '../../journal.js';
import {summariseMap} from '../../later/summarise-map.js';
import {JOURNAL, MANIFEST, parseRerunName} from '../../layout.js';
import {lookAtOwner, type OwnerView} from '../../look-at-owner.js';
import {realFiles} from '../../ports.js';
import {openWorkDir} from '../../read/open-work-dir.js';
import {readManifest} from '../../read/read-manifest.js';
import type {TaskCounts} from '../../task-counts.js';
import {trustWorkDir} from '../../trust-work-dir.js';
import {requireWhole} from '../act/require-whole.js';
import {listWorkDirs} from '../find-work-dir.js';
import {lookAtMap} from './look-at-map.js';

export type ListedMap = ReadableMap | DamagedMap;

export type ReadableMap = {
	readonly kind: 'map';
	readonly session: string;
	readonly workDir: string;
	readonly startedAt: string;
	readonly message: string;
	readonly tags: readonly string[];
	readonly engine: string;
	readonly function: FunctionReference;
	readonly counts: TaskCounts;
	readonly owner: OwnerView;
	readonly lastEvent: JournalLine | undefined;
};

/** What can't be told of, and why. */
export type DamagedMap = {readonly kind: 'damaged'; readonly session: string; readonly workDir: string; readonly problem: string};

/**
 * @param root - A directory with work_dirs, or a work_dir itself.
 * @returns Oldest first. A map that is removed meanwhile is left out.
 */
export const listMaps = async (root: string): Promise<ListedMap[]> => {
	const maps: ListedMap[] = [];
	const workDirs = existsSync(join(root, MANIFEST)) ? [resolve(root)] : listWorkDirs(root).map(name => join(resolve(root), name));
	for (const workDir of workDirs) {
		const session = basename(workDir);
		const map = await describe(workDir).catch((error: Error): DamagedMap => ({kind: 'damaged', session, workDir, problem: error.message}));
		if (map !== undefined) maps.push(map);
	}
	return maps;
};

const describe = async (workDir: string): Promise<ReadableMap | undefined> => {
	await trustWorkDir(workDir, 'read');
	const found = await readManifest(workDir, realFiles);
	if (found.kind === 'missing') return undefined;
	if (found.kind !== 'found') throw new Error(found.reason);
	const {session, createdAt, message, tags, engine, function: fn} = requireWhole(workDir, found.manifest);
	const lastEvent = await readLastEvent(join(workDir, JOURNAL));
	const names = await realFiles.list(workDir);
	const owner = await lookAtOwner(workDir, names);
	const counts = countOfEnded(lastEvent, names) ?? (await countAll(workDir, names, owner));
	return {kind: 'map', session, workDir, startedAt: createdAt, message, tags, engine, function: fn, counts, owner, lastEvent};
};

/** The last line is far shorter than this, but for the longest reasons. */
const END_BYTES = 16_384;

const readLastEvent = async (path: string): Promise<JournalLine | undefined> => {
	const source = await realFiles.openSource(path).catch(() => undefined);
	if (source === undefined) return undefined;
	try {
		const from = Math.max(0, source.size - END_BYTES);
		return parseJournal((await source.read(from, source.size - from)).toString()).at(-1);
	} finally {
		await source.close();
	}
};

/** Of a map that was computed again in part its end does not tell. */
const countOfEnded = (lastEvent: JournalLine | undefined, names: readonly string[]): TaskCounts | undefined => {
	if (lastEvent?.event !== 'ended' || lastEvent.numTasks === undefined || names.some(name => parseRerunName(name) !== undefined))
		return undefined;
	const {numTasks: total, numFailed = 0, numCancelled: cancelled = 0} = lastEvent;
	return {total, done: total - numFailed, failed: numFailed - cancelled, cancelled, running: 0, pending: 0};
};

/** Of tasks that were computed again only their files tell, and of what has ended since nobody works in it. */
const countAll = async (workDir: string, names: readonly string[], owner: OwnerView): Promise<TaskCounts> =>
	owner.kind !== 'alive' || names.some(name => parseRerunName(name) !== undefined)
		? (await lookAtMap(workDir)).summary.counts
		: summariseMap(await openWorkDir(workDir), Date.now()).counts;
