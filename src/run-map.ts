/** One map from its tasks to its outcomes, in steps: chunk, work_dir, submit and poll, reduce, remove or keep the work_dir. */
import {hostname} from 'node:os';
import {type Chunking, cutChunks} from './chunks.js';
import {abandonMap, concludeMap} from './end-map.js';
import type {Engine} from './engines/engine.js';
import {captureEnvironment} from './environment.js';
import type {FunctionReference} from './function-reference.js';
import {findGitCommit} from './git-commit.js';
import {openJournal} from './journal.js';
import {createLauncher} from './launcher.js';
import {createSession, JOURNAL} from './layout.js';
import {MANIFEST_FORMAT, type Manifest} from './manifest.js';
import {createChunkStates, type MapState} from './map-state.js';
import {maskEngine} from './mask-engine.js';
import {createMask, type Mask, maskData} from './mask-environment.js';
import {workerNodeArguments} from './node-arguments.js';
import type {PoolOptions} from './options.js';
import {poll} from './poll.js';
import {createPorts, type Ports} from './ports.js';
import {createProgress} from './progress.js';
import {createReducer, type Reducer} from './reduce.js';
import {userName} from './user-name.js';
import {VERSION} from './version.js';
import {createWorkDir, placeWorkDir, type WorkDirPlace} from './work-dir.js';

export type MapCall = {
	readonly call: 'map' | 'starmap';
	readonly reference: FunctionReference;
	/** At least one. */
	readonly tasks: readonly unknown[];
	readonly options: PoolOptions;
	readonly engine: Engine;
};

/** A map that ran to its end: every task has its outcome. */
export type FinishedMap = {readonly reducer: Reducer; readonly workDir: string; readonly session: string};

/** @throws PoolError when the map could not be begun or carried on; `signal.reason` when it was aborted. */
export const runMap = async (mapCall: MapCall): Promise<FinishedMap> => {
	const mask = createMask({...process.env, ...ownVariables(mapCall.options)});
	const ports = createPorts(maskEngine(mapCall.engine, mask));
	const {place, state, reducer} = await prepare(mapCall, ports, mask);
	const progress = createProgress(state, reducer, mapCall.tasks.length, mapCall.options);
	try {
		await poll(state, ports, reducer, {onRound: progress.update, signal: mapCall.options.signal ?? NEVER_ABORTED});
	} catch (error) {
		await abandonMap(state, ports, error);
		throw error;
	} finally {
		progress.end();
	}
	await concludeMap(place, state, reducer, mapCall.options, ports);
	return {reducer, workDir: state.workDir, session: state.session};
};

const NEVER_ABORTED = new AbortController().signal;

const prepare = async (
	{call, reference, tasks, options, engine}: MapCall,
	ports: Ports,
	mask: Mask,
): Promise<{place: WorkDirPlace; state: MapState; reducer: Reducer}> => {
	const createdMs = ports.clock.nowMs();
	const session = createSession(createdMs, ports.random.bytes(3));
	const chunks = cutChunks(tasks.length, toChunking(options, engine));
	const environment = captureEnvironment(options.env ?? true);
	const place = await placeWorkDir(session, options);
	const {workDir} = place;
	const manifest: Manifest = {
		format: MANIFEST_FORMAT,
		library: {name: 'queue-map-reduce', version: VERSION},
		node: process.version,
		session,
		createdAt: new Date(createdMs).toISOString(),
		message: mask(options.message ?? ''),
		function: reference,
		call,
		seed: String(options.seed ?? session),
		engine: engine.name,
		numTasks: tasks.length,
		numChunks: chunks.length,
		worker: {
			maxNumResubmissions: options.maxNumResubmissions ?? 10,
			retries: options.retries ?? 0,
			taskLimitMs: options.taskLimitMs ?? null,
			onCodeChange: options.onCodeChange ?? 'fail',
		},
		options: maskData(toRecord(options), mask) as Record<string, unknown>,
		processNode: {host: hostname(), user: userName(), pid: process.pid, cwd: process.cwd(), command: process.argv.map(mask)},
		...withGitCommit(),
	};
	const launcher = createLauncher({
		workDir,
		cwd: process.cwd(),
		nodePath: options.nodePath ?? process.execPath,
		// Node's own warnings are kept in the result file: on stderr they would look like the task's.
		nodeArguments: ['--no-warnings', ...workerNodeArguments()],
		umask: process.umask(),
	});
	await createWorkDir(place, {manifest, launcher, environment, chunks, tasks}, ports.files, options.signal);
	const chunkStates = createChunkStates(chunks);
	const state: MapState = {
		session,
		workDir,
		options: {
			pollingIntervalMs: options.pollingIntervalMs ?? 5000,
			maxNumResubmissions: options.maxNumResubmissions ?? 10,
			graceMs: options.graceMs ?? 90_000,
			outageLimitMs: options.outageLimitMs ?? 6 * 3_600_000,
			stopOnError: options.stopOnError ?? false,
		},
		journal: openJournal(`${workDir}/${JOURNAL}`, ports.files, ports.clock, mask),
		chunks: chunkStates,
		toSubmit: new Set(chunkStates),
		anyWorkerStarted: false,
		needsSweep: false,
	};
	state.journal.note({event: 'tasks-complete', message: `${tasks.length} tasks in ${chunks.length} chunks for the engine ${engine.name}`});
	const reducer = createReducer({session, workDir, numTasks: tasks.length, taskAt: itask => tasks[itask], files: ports.files});
	return {place, state, reducer};
};

const toChunking = ({numChunks, chunkSize}: PoolOptions, engine: Engine): Chunking => {
	if (numChunks !== undefined) return {kind: 'num-chunks', numChunks};
	return chunkSize === undefined ? {kind: 'at-most', numChunks: engine.maxDefaultChunks} : {kind: 'chunk-size', chunkSize};
};

/** Values that the option `env` gives are as much a secret as those of the environment. */
const ownVariables = ({env}: PoolOptions): Readonly<Record<string, string>> =>
	typeof env === 'object' && !Array.isArray(env) ? (env as Readonly<Record<string, string>>) : {};

/** What can be written of the options; of the environment only names, for its values may be secrets. */
const toRecord = ({env, signal: _signal, onProgress: _onProgress, ...options}: PoolOptions): Record<string, unknown> => ({
	...options,
	...(env === undefined ? {} : {env: typeof env === 'object' && !Array.isArray(env) ? Object.keys(env) : env}),
});

const withGitCommit = (): {gitCommit?: string} => {
	const gitCommit = findGitCommit(process.cwd());
	return gitCommit === undefined ? {} : {gitCommit};
};
