/** Comes back to a map whose process has ended or has left it. */
import {readdir, stat} from 'node:fs/promises';
import {basename, dirname, resolve} from 'node:path';
import {mergeOptions} from './check-options.js';
import {compareWithMap, type MeantMap} from './compare-tasks.js';
import type {Engine} from './engines/engine.js';
import {PoolError} from './errors.js';
import {openJournal} from './journal.js';
import {JOURNAL, MANIFEST} from './layout.js';
import {IS_FUNCTION, type Manifest} from './manifest.js';
import type {OpenMap} from './map-run.js';
import {createMapState, toMapOptions} from './map-state.js';
import type {PoolOptions} from './options.js';
import {claimWorkDir} from './owner.js';
import {createPorts, realFiles} from './ports.js';
import {realProcesses} from './processes.js';
import {chunksOf, readManifest} from './read-manifest.js';
import {createTaskReader} from './read-tasks.js';
import {createReducer} from './reduce.js';
import {restoreMap} from './restore-map.js';

export type ReturnToMap = {
	readonly workDir: string;
	/** What the caller says; all else is as it was. */
	readonly options: PoolOptions;
	readonly chooseEngine: (options: PoolOptions) => Promise<Engine>;
	/** What the caller believes to be in the work_dir; undefined to take what is there. */
	readonly meant: MeantMap | undefined;
};

/** @throws PoolError `ERR_POOL_RESUME` when there is nothing to go on with, `ERR_POOL_OWNED` when another process is at it; the reason of `signal` when it was aborted. */
export const resumeMap = async (
	{workDir: path, options: given, chooseEngine, meant}: ReturnToMap,
	signal: AbortSignal,
): Promise<OpenMap> => {
	const {manifest, workDir} = await findMap(resolve(path));
	const chunks = chunksOf(manifest);
	if (meant !== undefined) await compareWithMap(meant, workDir, manifest, chunks, realFiles);
	const options = mergeOptions(recordedOptions(manifest, given, workDir), given);
	const engine = await chooseEngine({...options, engine: requireEngine(manifest, given, workDir)});
	const ports = createPorts(engine);
	const owner = await claimWorkDir(workDir, ports, realProcesses, signal);
	try {
		const {session, numTasks} = manifest;
		const journal = openJournal(`${workDir}/${JOURNAL}`, ports.files, ports.clock, owner.number);
		const state = createMapState({session, workDir, options: toMapOptions(options), owner, journal, chunks});
		const taskAt = meant === undefined ? createTaskReader(workDir, session, chunks, ports.files) : (itask: number) => meant.tasks[itask];
		const reducer = createReducer({session, workDir, numTasks, taskAt, files: ports.files});
		await restoreMap(state, ports, reducer);
		return {place: {workDir, root: undefined}, state, reducer, ports, numTasks, options};
	} catch (error) {
		await owner.release().catch(() => undefined);
		throw error;
	}
};

const findMap = async (workDir: string): Promise<{manifest: Manifest; workDir: string}> => {
	const refuse = (message: string): PoolError => new PoolError('ERR_POOL_RESUME', message, {workDir});
	const names = await readdir(workDir).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== 'ENOENT') throw refuse(`${workDir} can't be read: ${error.message}`);
		return undefined;
	});
	if (names === undefined) throw refuse(await explainAbsence(workDir));
	const found = await readManifest(workDir, realFiles);
	switch (found.kind) {
		case 'missing':
			if (names.includes(MANIFEST)) throw refuse(`${workDir}/${MANIFEST} can't be read.`);
			throw refuse(`${workDir} has no ${MANIFEST}: ${NEVER_COMPLETE}`);
		case 'damaged':
		case 'other-format':
			throw refuse(found.reason);
		case 'found':
			break;
	}
	const {manifest} = found;
	// By its other names on this machine it is the same; queue-jobs know it by this one.
	if (await isSameDirectory(workDir, manifest.workDir)) return {manifest, workDir: manifest.workDir};
	if (!names.includes(JOURNAL)) throw refuse(`${workDir} was to become ${manifest.workDir}, and did not: ${NEVER_COMPLETE}`);
	throw refuse(`${workDir} was made as ${manifest.workDir}, where its queue-jobs look for it. Move it back.`);
};

const NEVER_COMPLETE =
	'the tasks of its map were never all written, so nothing was submitted. Remove it, and call `map` without `resume` to begin anew.';

/** While tasks are written the work_dir has another name, beside its place. */
const explainAbsence = async (workDir: string): Promise<string> => {
	const siblings = await readdir(dirname(workDir)).catch(() => []);
	const scratch = siblings.find(name => name.startsWith(`.${basename(workDir).replaceAll('.', '_').slice(0, 40)}-`));
	return scratch === undefined
		? `There is no directory ${workDir}. A work_dir is removed when every task has succeeded, and it comes to be only when all tasks are written: if they never were, nothing was submitted.`
		: `There is no directory ${workDir}, but ${dirname(workDir)}/${scratch}: ${NEVER_COMPLETE}`;
};

const isSameDirectory = async (a: string, b: string): Promise<boolean> => {
	if (a === b) return true;
	try {
		const [first, second] = [await stat(a), await stat(b)];
		return first.dev === second.dev && first.ino === second.ino;
	} catch {
		return false;
	}
};

/** What defines a map is said once, when it is begun. */
const FIXED: ReadonlySet<string> = new Set<keyof PoolOptions>([
	'engine',
	'env',
	'message',
	'nodePath',
	'numChunks',
	'chunkSize',
	'resume',
	'seed',
	'workDir',
	'workRoot',
]);

const recordedOptions = ({options}: Manifest, given: PoolOptions, workDir: string): PoolOptions => {
	if (options.resources === IS_FUNCTION && given.resources === undefined) {
		const message = `The option \`resources\` of the map in ${workDir} was a function, which can't be read back from there: pass it again.`;
		throw new PoolError('ERR_POOL_RESUME', message, {workDir});
	}
	return Object.fromEntries(Object.entries(options).filter(([name, value]) => !FIXED.has(name) && value !== IS_FUNCTION));
};

const requireEngine = ({engine}: Manifest, given: PoolOptions, workDir: string): NonNullable<PoolOptions['engine']> => {
	if ((given.engine ?? engine) === engine) return engine as NonNullable<PoolOptions['engine']>;
	throw new PoolError(
		'ERR_POOL_RESUME',
		`The queue-jobs of ${workDir} belong to the engine ${engine}, not to ${given.engine}. Leave the option \`engine\` out.`,
		{
			workDir,
		},
	);
};
