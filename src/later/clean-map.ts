/** Removes the work_dir of a map, with all that is in it, when it is one of ours and nobody needs it. */
import {lstat} from 'node:fs/promises';
import {homedir} from 'node:os';
import {basename, dirname, join, resolve, sep} from 'node:path';
import {PoolError} from '../errors.js';
import {type FoundMap, findMap} from '../find-map.js';
import {DEFAULT_WORK_ROOT, isOfWorkDir, MANIFEST} from '../layout.js';
import {lookAtOwner} from '../look-at-owner.js';
import {realFiles, realPorts} from '../ports.js';
import {realProcesses} from '../processes.js';
import {openWorkDir} from '../read/open-work-dir.js';
import {readManifest} from '../read/read-manifest.js';
import type {TaskCounts} from '../task-counts.js';
import {type CancelRequest, cancelMap} from './cancel-map.js';
import {claimMap, wholeOf} from './claim-map.js';
import {listReruns} from './merge-reruns.js';
import {summariseMap} from './summarise-map.js';

export type CleanOptions = {
	/** Ends a map that is not over. */
	readonly cancel: boolean;
	/** Also what is not finished, or holds files that no map has made. */
	readonly force: boolean;
};

export type Examined =
	| {readonly kind: 'refused'; readonly workDir: string; readonly reason: string}
	| {
			readonly kind: 'removable';
			readonly map: FoundMap;
			readonly counts: TaskCounts;
			readonly isFinished: boolean;
			/** When something was noted of it last. */
			readonly lastAt: Date;
	  };

/** Looks, and changes nothing. */
export const examineForCleaning = async (path: string, options: CleanOptions): Promise<Examined> => {
	const workDir = resolve(path);
	try {
		return await examine(workDir, options);
	} catch (error) {
		if (!(error instanceof PoolError) && (error as NodeJS.ErrnoException).syscall === undefined) throw error;
		return {kind: 'refused', workDir, reason: (error as Error).message};
	}
};

const examine = async (workDir: string, {cancel, force}: CleanOptions): Promise<Examined> => {
	const refuse = (reason: string): Examined => ({kind: 'refused', workDir, reason});
	const stats = await lstat(workDir).catch(() => undefined);
	if (stats === undefined) return refuse('there is nothing');
	if (stats.isSymbolicLink()) return refuse('it is a symbolic link: name the directory itself');
	const found = stats.isDirectory() ? await readManifest(workDir, realFiles) : undefined;
	if (found?.kind !== 'found') return refuse(`it is no work_dir, for it has no ${MANIFEST} of this library that can be read`);
	const above = [process.cwd(), homedir()].find(directory => `${directory}${sep}`.startsWith(`${workDir}${sep}`));
	if (above !== undefined)
		return refuse(`${above === workDir ? 'it is' : 'in it is'} ${above === homedir() ? 'your home' : 'the current directory'}`);
	const map = await findMap(workDir);
	const whole = wholeOf(map.manifest);
	if (whole !== undefined) return refuse(`it is a part of ${whole}, which goes as a whole`);
	const names = await realFiles.list(workDir);
	const strange = names.filter(name => !isOfWorkDir(name));
	if (strange.length > 0 && !force)
		return refuse(`in it are files that no map has made: ${shorten(strange)}. Move them elsewhere, or remove them with it by --force`);
	const owner = await lookAtOwner(workDir, names);
	if ((owner.kind === 'alive' || owner.kind === 'elsewhere') && !cancel)
		return refuse(`the process ${owner.pid} on ${owner.host} works in it: end the map first, by qmr cancel or --cancel`);
	const open = await openWorkDir(workDir);
	const summary = summariseMap(open, Date.now());
	const reruns = await Promise.all(listReruns(workDir, names).map(({path}) => isRerunOver(path)));
	const isFinished = summary.end === 'ended' && reruns.every(Boolean);
	const {counts} = summary;
	if (!isFinished && !cancel && !force) {
		const what = counts.done === counts.total ? 'its process has not ended it' : `${counts.done} of ${counts.total} tasks are done`;
		return refuse(`it is not finished (${what}): qmr resume goes on with it; --cancel or --force removes it all the same`);
	}
	return {kind: 'removable', map, counts, isFinished, lastAt: new Date(open.journal.at(-1)?.time ?? map.manifest.createdAt)};
};

const isRerunOver = async (path: string): Promise<boolean> => {
	const found = await readManifest(path, realFiles);
	return found.kind === 'missing' || summariseMap(await openWorkDir(path), Date.now()).end === 'ended';
};

const MAX_NAMES = 5;

const shorten = (names: readonly string[]): string =>
	`${names
		.slice(0, MAX_NAMES)
		.map(name => JSON.stringify(name))
		.join(', ')}${names.length > MAX_NAMES ? `, … (${names.length})` : ''}`;

/**
 * Removes its queue-jobs, then the directory. What a symbolic link in it points to stays.
 *
 * @throws PoolError when its queue-jobs can't be removed, or a process works in it; what the file system says. The rest can be removed by calling it again.
 */
export const cleanMap = async (map: FoundMap, request: Omit<CancelRequest, 'workDir'>): Promise<void> => {
	const {workDir} = map;
	await cancelMap({...request, workDir});
	// All had succeeded while its process was asked to end it, and went with that.
	const names = await realFiles.list(workDir).catch(() => []);
	if (!names.some(name => name === MANIFEST)) return;
	const owner = await claimMap(map, {...realPorts, tell: request.tell}, realProcesses, new AbortController().signal);
	// A heartbeat would put its file back.
	await owner.rest();
	const children = (await realFiles.list(workDir)).filter(name => name !== MANIFEST);
	for (let i = 0; i < children.length; i += MAX_AT_ONCE)
		await Promise.all(children.slice(i, i + MAX_AT_ONCE).map(name => realFiles.removeTree(join(workDir, name))));
	// Last: with it what is left can be removed by the same command.
	await realFiles.removeTree(workDir);
	if (basename(dirname(workDir)) === DEFAULT_WORK_ROOT) await realFiles.removeIfEmpty(dirname(workDir));
};

/** On a network file system each waits for its server. */
const MAX_AT_ONCE = 16;
