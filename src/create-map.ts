/** A new map, from its tasks to a work_dir in which everything is ready. */
import {hostname} from 'node:os';
import {isDeepStrictEqual} from 'node:util';
import {totalLength} from './block-file/block-frames.js';
import {type Chunking, cutChunks, type StreamChunking, withItasks} from './chunks.js';
import {leavesCoreFiles} from './core-files.js';
import type {Engine} from './engines/engine.js';
import {type CapturedEnvironment, captureEnvironment} from './environment.js';
import {feedTasks} from './feed-tasks.js';
import type {FunctionReference} from './function-reference.js';
import {findGitCommit} from './git-commit.js';
import {readGitDiff} from './git-diff.js';
import {openJournal} from './journal.js';
import {createLauncher} from './launcher.js';
import {createSession, JOURNAL, SHARED_VALUE} from './layout.js';
import {MANIFEST_FORMAT, type Manifest} from './manifest.js';
import type {MapHooks} from './map-hooks.js';
import type {OpenMap} from './map-run.js';
import {chunkOf, createMapState, noteComplete, numJobsOf, submitFirst, toMapOptions} from './map-state.js';
import {maskEngine} from './mask-engine.js';
import {type Mask, maskData, maskFor} from './mask-environment.js';
import {LAST_OF_LAUNCHER, workerNodeArguments} from './node-arguments.js';
import type {PoolOptions} from './options.js';
import {claimWorkDir, type Owner, withOwner} from './owner.js';
import {createPorts} from './ports.js';
import {realProcesses} from './processes.js';
import {createTaskReader} from './read/read-tasks.js';
import {createReducer, type Keep} from './reduce.js';
import {encodeShared} from './shared-value.js';
import type {TaskSource} from './task-source.js';
import {userName} from './user-name.js';
import {VERSION} from './version.js';
import {beginWorkDir, createWorkDir, placeWorkDir, type WorkDirPlace} from './work-dir.js';

export type MapCall = {
	readonly call: 'map' | 'starmap';
	readonly reference: FunctionReference;
	/** At least one task. */
	readonly tasks: TaskSource;
	/** Where options are from that the program has left open. */
	readonly configFiles: readonly string[];
	readonly options: PoolOptions;
	readonly engine: Engine;
	readonly keep: Keep;
	readonly hooks?: MapHooks | undefined;
	/** Of a map that is run again. */
	readonly again?: RunAgain;
};

/** What a map that is run again has from the first one. */
export type RunAgain = {
	readonly rerunOf: NonNullable<Manifest['rerunOf']>;
	readonly seed: string;
	readonly cwd: string;
	readonly launch: Manifest['launch'];
	/** Undefined for the caller's. */
	readonly environment: CapturedEnvironment | undefined;
	/** Of some of its tasks, computed again in its work_dir. */
	readonly part: {readonly itasks: readonly number[]; readonly place: WorkDirPlace; readonly owner: Owner} | undefined;
};

/**
 * Makes the work_dir of a new map: from then on it can be driven, by this process or by another.
 *
 * @throws PoolError when that can't be done; the reason of `signal` when it was aborted. Nothing is left behind then.
 */
export const createMap = async (
	{call, reference, tasks, configFiles, options, engine, keep, hooks, again}: MapCall,
	signal: AbortSignal,
): Promise<OpenMap> => {
	const mask = maskFor(options);
	const ports = createPorts(maskEngine(engine, mask), hooks?.tell);
	const createdMs = ports.clock.nowMs();
	const session = createSession(createdMs, ports.random.bytes(3));
	const atHand = tasks.kind === 'at-hand' ? tasks.tasks : [];
	const itasks = again?.part?.itasks;
	const chunks = atHand.length === 0 ? [] : withItasks(cutChunks(atHand.length, toChunking(options, engine)), itasks);
	const chunking = toStreamChunking(options, engine);
	const environment = again?.environment ?? captureEnvironment(options.env ?? true);
	const cwd = again?.cwd ?? process.cwd();
	const launch = again?.launch ?? ownLaunch(options);
	const writer = {session, node: process.version, host: hostname(), pid: process.pid, writtenAt: new Date(createdMs).toISOString()};
	const shared = options.shared === undefined ? undefined : encodeShared(options.shared, writer);
	const place = again?.part?.place ?? (await placeWorkDir(session, options));
	const {workDir} = place;
	const gitDiff = options.gitDiff === true ? await readGitDiff({directory: cwd, mask, tell: ports.tell, signal}) : undefined;
	const manifest: Manifest = {
		format: MANIFEST_FORMAT,
		library: {name: 'queue-map-reduce', version: VERSION},
		node: process.version,
		session,
		workDir,
		createdAt: new Date(createdMs).toISOString(),
		message: mask(options.message ?? ''),
		tags: (options.tags ?? []).map(mask),
		function: reference,
		call,
		seed: again?.seed ?? String(options.seed ?? session),
		engine: engine.name,
		...(tasks.kind === 'at-hand'
			? {numTasks: atHand.length, numChunks: chunks.length}
			: {numTasks: null, numChunks: null, stream: chunking}),
		...(shared === undefined ? {} : {sharedBytes: totalLength(shared)}),
		worker: {
			maxNumResubmissions: options.maxNumResubmissions ?? 10,
			retries: options.retries ?? 0,
			taskLimitMs: options.taskLimitMs ?? null,
			onCodeChange: options.onCodeChange ?? 'fail',
			numJobs: numJobsOf(options) ?? null,
			graceMs: toMapOptions(options).graceMs,
		},
		...recordOptions(options, mask),
		processNode: {host: hostname(), user: userName(), pid: process.pid, cwd, command: process.argv.map(mask)},
		launch,
		...withGitCommit(cwd),
		...(gitDiff === undefined ? {} : {gitDiffBytes: gitDiff.length}),
		configFiles,
		...(again === undefined ? {} : {rerunOf: again.rerunOf}),
		...(hooks?.commandRun === undefined ? {} : {commandRun: hooks.commandRun}),
		...(itasks === undefined ? {} : {itasks}),
	};
	const launcher = createLauncher({
		workDir,
		cwd,
		nodePath: launch.nodePath,
		nodeArguments: [LAST_OF_LAUNCHER, ...launch.nodeArguments],
		umask: launch.umask,
		// Not as it was for the first: who computes again may do so to get one.
		coreFiles: leavesCoreFiles(),
		moreFiles: shared === undefined ? [] : [SHARED_VALUE],
	});
	await createWorkDir(place, {manifest, launcher, environment, chunks, tasks: atHand, shared, gitDiff}, ports.files, signal);
	const own = await beginWorkDir(place, ports.files, () => claimWorkDir(workDir, ports, realProcesses));
	const owner = again?.part === undefined ? own : withOwner(own, again.part.owner);
	const journal = openJournal(`${workDir}/${JOURNAL}`, ports.files, ports.clock, {mask, onEvent: hooks?.onEvent});
	const state = createMapState({session, workDir, options: toMapOptions(options), owner, journal, chunks});
	submitFirst(state, state.chunks);
	if (tasks.kind === 'at-hand') noteComplete(state, engine);
	const taskAt = createTaskReader(workDir, session, itask => chunkOf(state, itask), ports.files);
	const reducer = createReducer({session, workDir, keep, taskAt, files: ports.files});
	const feed =
		tasks.kind === 'at-hand'
			? undefined
			: feedTasks({
					...{stream: tasks, chunking, chunks, workDir, manifest, files: ports.files, clock: ports.clock, tell: ports.tell},
					...{journal, isResumed: false},
					outageLimitMs: state.options.outageLimitMs,
					checkOwner: owner.check,
				});
	return {place, state, reducer, ports, options, feed};
};

const toChunking = ({numChunks, chunkSize}: PoolOptions, engine: Engine): Chunking => {
	if (numChunks !== undefined) return {kind: 'num-chunks', numChunks};
	return chunkSize === undefined ? {kind: 'at-most', numChunks: engine.maxDefaultChunks} : {kind: 'chunk-size', chunkSize};
};

/** So many chunks by default hold the tasks that came before any other: with more the last ones would be short, with fewer long. */
const MAX_STREAM_SHARE = 250;

const toStreamChunking = ({chunkSize}: PoolOptions, {maxDefaultChunks}: Engine): StreamChunking =>
	chunkSize === undefined ? {kind: 'growing', share: Math.min(MAX_STREAM_SHARE, maxDefaultChunks)} : {kind: 'chunk-size', chunkSize};

/** What can be written of the options; of the environment only names, for its values may be secrets. What tasks share has a file of its own. */
const recordOptions = (
	{env, engine, signal: _signal, onProgress: _onProgress, shared: _shared, ...others}: PoolOptions,
	mask: Mask,
): Pick<Manifest, 'options' | 'incompleteOptions'> => {
	const written = Object.entries(others).map(
		([name, value]) => [name, typeof value === 'function' ? '(a function)' : maskData(value, mask)] as const,
	);
	const environment = typeof env === 'object' && !Array.isArray(env) ? Object.keys(env) : env;
	return {
		// Of one that the caller has brought only the name can be written.
		options: {
			...(engine === undefined ? {} : {engine: typeof engine === 'string' ? engine : engine.name}),
			...Object.fromEntries(written),
			...(environment === undefined ? {} : {env: environment}),
		},
		incompleteOptions: written.flatMap(([name, value]) => (isDeepStrictEqual(value, others[name as keyof typeof others]) ? [] : [name])),
	};
};

const ownLaunch = ({nodePath = process.execPath}: PoolOptions): Manifest['launch'] => ({
	nodePath,
	nodeArguments: workerNodeArguments(),
	umask: process.umask(),
});

const withGitCommit = (cwd: string): {gitCommit?: string} => {
	const gitCommit = findGitCommit(cwd);
	return gitCommit === undefined ? {} : {gitCommit};
};
