/** Comes back to a map whose process has ended or has left it. */
import {resolve} from 'node:path';
import {mergeOptions} from './check-options.js';
import {compareShared} from './compare-shared.js';
import {compareWithMap, type MeantMap} from './compare-tasks.js';
import type {Engine} from './engines/engine.js';
import {PoolError} from './errors.js';
import {feedTasks} from './feed-tasks.js';
import {findMap} from './find-map.js';
import {openJournal, parseJournal} from './journal.js';
import {claimMap, wholeOf} from './later/claim-map.js';
import {JOURNAL} from './layout.js';
import {findLeftJobs, leaveSlots, withLeftJobs} from './left-jobs.js';
import type {Manifest} from './manifest.js';
import type {MapHooks} from './map-hooks.js';
import type {OpenMap} from './map-run.js';
import {chunkOf, createMapState, toMapOptions} from './map-state.js';
import {maskEngine} from './mask-engine.js';
import {maskFor} from './mask-environment.js';
import type {PoolOptions} from './options.js';
import {createPorts, realFiles} from './ports.js';
import {realProcesses} from './processes.js';
import {type FoundChunks, findChunks} from './read/read-manifest.js';
import {createTaskReader} from './read/read-tasks.js';
import {readWhole} from './read/read-whole.js';
import {DEFINING, recordedOptions, requireEngine} from './recorded-options.js';
import {createReducer, type Keep} from './reduce.js';
import {restoreMap} from './restore-map.js';

export type ReturnToMap = {
	readonly workDir: string;
	/** What the caller says; all else is as it was. */
	readonly options: PoolOptions;
	readonly chooseEngine: (options: PoolOptions) => Promise<Engine>;
	readonly keep: Keep;
	/** What the caller believes to be in the work_dir; undefined to take what is there. */
	readonly meant: MeantMap | undefined;
	/** Nothing will be submitted: what could not be written down is not needed. */
	readonly isEnding?: boolean;
	readonly hooks?: MapHooks | undefined;
};

/** @throws PoolError `ERR_POOL_RESUME` when there is nothing to go on with, `ERR_POOL_OWNED` when another process is at it, `ERR_POOL_WORK_DIR` when others could have written there; the reason of `signal` when it was aborted. */
export const resumeMap = async (
	{workDir: path, options: given, chooseEngine, keep, meant, isEnding = false, hooks}: ReturnToMap,
	signal: AbortSignal,
): Promise<OpenMap> => {
	const {manifest, workDir} = await findMap(resolve(path));
	const comparison = meant === undefined ? undefined : compareWithMap(meant, workDir, manifest, realFiles, signal);
	await comparison?.compare(await findWritten(manifest, workDir));
	if (given.shared !== undefined) await compareShared(given.shared, workDir, manifest, realFiles);
	const options = mergeOptions(
		recordedOptions(manifest, given, workDir, isEnding ? new Set([...DEFINING, ...manifest.incompleteOptions]) : DEFINING),
		given,
	);
	const engine = await chooseEngine({...options, engine: requireEngine(manifest, given, workDir)});
	const mask = maskFor(options);
	const own = createPorts(maskEngine(engine, mask));
	const explain = (error: unknown): unknown => {
		if (error instanceof PoolError || !(error instanceof Error && 'syscall' in error)) return error;
		return new PoolError('ERR_POOL_RESUME', `${workDir} can't be read or written: ${error.message}. Try again when it can.`, {
			workDir,
			cause: error,
		});
	};
	const owner = await claimMap({manifest, workDir}, own, realProcesses, signal).catch((error: unknown) => {
		throw explain(error);
	});
	try {
		const {session} = manifest;
		// Now that nobody else can write there.
		const found = await findWritten(manifest, workDir);
		const {chunks, firstMissing} = found;
		// Another process may have written more of a stream before it ended.
		await comparison?.compare(found);
		const journal = openJournal(`${workDir}/${JOURNAL}`, own.files, own.clock, {owner: owner.number, mask, onEvent: hooks?.onEvent});
		const left = await findLeftJobs({workDir, owner}, own, realProcesses);
		const mapOptions = leaveSlots({...toMapOptions(options), numJobs: manifest.worker.numJobs ?? undefined}, left, options);
		const state = createMapState({session, workDir, options: mapOptions, owner, journal, chunks});
		state.firstMissing = firstMissing;
		const taskAt = createTaskReader(workDir, session, itask => chunkOf(state, itask), own.files);
		const reducer = createReducer({session, workDir, keep, taskAt, files: own.files});
		const ports = left === undefined ? own : withLeftJobs(own, left, state);
		await restoreMap(state, ports, reducer, left);
		const {stream: chunking} = manifest;
		const feed =
			firstMissing === undefined || comparison === undefined || chunking === undefined
				? undefined
				: feedTasks({
						...{stream: comparison.rest, chunking, chunks, workDir, manifest},
						...{
							journal,
							isResumed: true,
							files: ports.files,
							clock: ports.clock,
							tell: ports.tell,
							outageLimitMs: state.options.outageLimitMs,
							checkOwner: owner.check,
						},
					});
		const partOf = wholeOf(manifest);
		return {place: {workDir, root: undefined, ...(partOf === undefined ? {} : {partOf})}, state, reducer, ports, options, feed};
	} catch (error) {
		await owner.release().catch(() => undefined);
		throw explain(error);
	}
};

const findWritten = async (manifest: Manifest, workDir: string): Promise<FoundChunks> => {
	const names = await realFiles.list(workDir);
	const journal = parseJournal((await readWhole(realFiles, `${workDir}/${JOURNAL}`))?.toString() ?? '');
	return findChunks(manifest, workDir, names, journal, realFiles);
};
