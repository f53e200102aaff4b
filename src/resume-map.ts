/** Comes back to a map whose process has ended or has left it. */
import {readdir, stat} from 'node:fs/promises';
import {basename, dirname, resolve} from 'node:path';
import {isForeign} from './check-engine.js';
import {mergeOptions} from './check-options.js';
import {compareShared} from './compare-shared.js';
import {compareWithMap, type MeantMap} from './compare-tasks.js';
import type {Engine} from './engines/engine.js';
import {PoolError} from './errors.js';
import {feedTasks} from './feed-tasks.js';
import {openJournal, parseJournal} from './journal.js';
import {JOURNAL, MANIFEST} from './layout.js';
import type {Manifest} from './manifest.js';
import type {MapHooks} from './map-hooks.js';
import type {OpenMap} from './map-run.js';
import {chunkOf, createMapState, toMapOptions} from './map-state.js';
import {maskEngine} from './mask-engine.js';
import {maskFor} from './mask-environment.js';
import type {PoolOptions} from './options.js';
import {claimWorkDir} from './owner.js';
import {createPorts, realFiles} from './ports.js';
import {realProcesses} from './processes.js';
import {completeTasks, type FoundChunks, findChunks, readManifest} from './read-manifest.js';
import {createTaskReader} from './read-tasks.js';
import {readWhole} from './read-whole.js';
import {createReducer, type Keep} from './reduce.js';
import {restoreMap} from './restore-map.js';
import {streamOf} from './task-source.js';
import {trustWorkDir} from './trust-work-dir.js';

export type ReturnToMap = {
	readonly workDir: string;
	/** What the caller says; all else is as it was. */
	readonly options: PoolOptions;
	readonly chooseEngine: (options: PoolOptions) => Promise<Engine>;
	readonly keep: Keep;
	/** What the caller believes to be in the work_dir; undefined to take what is there. */
	readonly meant: MeantMap | undefined;
	readonly hooks?: MapHooks | undefined;
};

/** @throws PoolError `ERR_POOL_RESUME` when there is nothing to go on with, `ERR_POOL_OWNED` when another process is at it, `ERR_POOL_WORK_DIR` when others could have written there; the reason of `signal` when it was aborted. */
export const resumeMap = async (
	{workDir: path, options: given, chooseEngine, keep, meant, hooks}: ReturnToMap,
	signal: AbortSignal,
): Promise<OpenMap> => {
	const {manifest, workDir} = await findMap(resolve(path));
	if (meant !== undefined) {
		const {chunks, firstMissing} = await findWritten(manifest, workDir);
		await compareWithMap(meant, workDir, manifest, {chunks, isComplete: firstMissing === undefined}, realFiles);
	}
	if (given.shared !== undefined) await compareShared(given.shared, workDir, manifest, realFiles);
	const options = mergeOptions(recordedOptions(manifest, given, workDir), given);
	const engine = await chooseEngine({...options, engine: requireEngine(manifest, given, workDir)});
	const mask = maskFor(options);
	const ports = createPorts(maskEngine(engine, mask));
	const explain = (error: unknown): unknown => {
		if (error instanceof PoolError || !(error instanceof Error && 'syscall' in error)) return error;
		return new PoolError('ERR_POOL_RESUME', `${workDir} can't be read or written: ${error.message}. Try again when it can.`, {
			workDir,
			cause: error,
		});
	};
	const owner = await claimWorkDir(workDir, ports, realProcesses, signal).catch((error: unknown) => {
		throw explain(error);
	});
	try {
		const {session} = manifest;
		// Now that nobody else can write there.
		const {chunks, firstMissing} = await findWritten(manifest, workDir);
		const journal = openJournal(`${workDir}/${JOURNAL}`, ports.files, ports.clock, {owner: owner.number, mask, onEvent: hooks?.onEvent});
		const mapOptions = {...toMapOptions(options), numJobs: manifest.worker.numJobs ?? undefined};
		const state = createMapState({session, workDir, options: mapOptions, owner, journal, chunks});
		state.firstMissing = firstMissing;
		const taskAt = createTaskReader(workDir, session, itask => chunkOf(state, itask), ports.files);
		const reducer = createReducer({session, workDir, keep, taskAt, files: ports.files});
		await restoreMap(state, ports, reducer);
		const {stream: chunking} = manifest;
		const feed =
			firstMissing === undefined || meant === undefined || chunking === undefined
				? undefined
				: feedTasks({
						...{stream: streamOf(meant.tasks, firstMissing), chunking, chunks, workDir, manifest},
						...{
							files: ports.files,
							clock: ports.clock,
							tell: ports.tell,
							outageLimitMs: state.options.outageLimitMs,
							checkOwner: owner.check,
						},
					});
		return {place: {workDir, root: undefined}, state, reducer, ports, options, feed};
	} catch (error) {
		await owner.release().catch(() => undefined);
		throw explain(error);
	}
};

const findWritten = async (manifest: Manifest, workDir: string): Promise<FoundChunks> => {
	const names = await realFiles.list(workDir);
	const journal = parseJournal((await readWhole(realFiles, `${workDir}/${JOURNAL}`))?.toString() ?? '');
	return findChunks(manifest, workDir, names, completeTasks(journal), realFiles);
};

const findMap = async (workDir: string): Promise<{manifest: Manifest; workDir: string}> => {
	const refuse = (message: string): PoolError => new PoolError('ERR_POOL_RESUME', message, {workDir});
	const names = await readdir(workDir).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== 'ENOENT') throw refuse(`${workDir} can't be read: ${error.message}`);
		return undefined;
	});
	if (names === undefined) throw refuse(await explainAbsence(workDir));
	await trustWorkDir(workDir);
	const found = await readManifest(workDir, realFiles);
	switch (found.kind) {
		case 'missing':
			if (names.includes(MANIFEST)) throw refuse(`${workDir}/${MANIFEST} can't be read.`);
			// It goes with the work_dir, when all has succeeded.
			if (names.includes(JOURNAL))
				throw refuse(`${workDir} has no ${MANIFEST} any more: its process was ended while it removed it, or somebody else has.`);
			throw refuse(`${workDir} has no ${MANIFEST}: ${NEVER_COMPLETE}`);
		case 'damaged':
		case 'other-format':
			throw refuse(found.reason);
		case 'found':
			break;
	}
	const {manifest} = found;
	// By its other names on this machine it is the same; queue-jobs know it by this one.
	if (await isSameDirectory(workDir, manifest.workDir)) {
		await trustWorkDir(manifest.workDir);
		return {manifest, workDir: manifest.workDir};
	}
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
	'config',
	'gitDiff',
	'schedule',
	'numJobs',
	'resume',
	'seed',
	'shared',
	'tags',
	'workDir',
	'workRoot',
]);

const recordedOptions = ({options, incompleteOptions}: Manifest, given: PoolOptions, workDir: string): PoolOptions => {
	const missing = incompleteOptions.filter(name => !FIXED.has(name) && given[name as keyof PoolOptions] === undefined);
	if (missing.length > 0) {
		const names = missing.map(name => `\`${name}\``).join(', ');
		throw new PoolError(
			'ERR_POOL_RESUME',
			`Pass ${names} again: a function, or a value with something of the environment in it, is not written down, so ${workDir} does not tell what it was.`,
			{workDir},
		);
	}
	return Object.fromEntries(Object.entries(options).filter(([name]) => !FIXED.has(name) && !incompleteOptions.includes(name)));
};

/** @throws PoolError `ERR_POOL_RESUME` unless it is the engine that has the queue-jobs of the map. One that the caller has brought can't be written down. */
const requireEngine = ({engine: name}: Manifest, {engine: given}: PoolOptions, workDir: string): NonNullable<PoolOptions['engine']> => {
	if (typeof given === 'object' && given.name === name) return given;
	const isBrought = isForeign(name);
	if (!isBrought && (given ?? name) === name) return name as NonNullable<PoolOptions['engine']>;
	const other = given === undefined ? '' : `, not to ${typeof given === 'object' ? given.name : given}`;
	const toDo = isBrought ? 'Pass the object of that name again, as the option `engine`.' : 'Leave the option `engine` out.';
	const whose = isBrought ? ', which is none of this library' : '';
	throw new PoolError('ERR_POOL_RESUME', `The queue-jobs of ${workDir} belong to the engine ${name}${whose}${other}. ${toDo}`, {workDir});
};
