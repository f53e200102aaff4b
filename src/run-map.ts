/** One map, in steps: make its work_dir or come back to it, drive it until every task has its outcome, conclude it. */
import type {Arrivals} from './arrivals.js';
import type {MeantMap} from './compare-tasks.js';
import {createMap, type MapCall} from './create-map.js';
import type {Taker} from './drive-map.js';
import type {Engine} from './engines/engine.js';
import {type RerunOptions, rerunMap} from './later/rerun-map.js';
import type {MapHooks} from './map-hooks.js';
import {type LaunchedMap, launch, type OpenMap} from './map-run.js';
import type {PoolOptions} from './options.js';
import {resumeMap} from './resume-map.js';
import {createStopping} from './stopping.js';
import {beginStream, collectTasks, type TaskSource} from './task-source.js';

export type ChooseEngine = (options: PoolOptions) => Promise<Engine>;

export type MapRequest = MeantMap & Pick<MapCall, 'keep' | 'configFiles' | 'hooks'>;

/**
 * @returns Undefined for a map without tasks: nothing is written, and the queue is not touched.
 * @throws PoolError when the map could not be begun, or gone on with; the reason when it was aborted before that.
 */
export const startMap = async (
	{tasks: source, keep, configFiles, hooks, ...meant}: MapRequest,
	options: PoolOptions,
	chooseEngine: ChooseEngine,
	taker?: (arrivals: Arrivals) => Taker,
): Promise<LaunchedMap | undefined> => {
	const {resume: workDir} = options;
	try {
		if (workDir !== undefined) {
			const comeBack = (stop: AbortSignal): Promise<OpenMap> =>
				resumeMap({workDir, options, chooseEngine, keep, meant: {...meant, tasks: source}, hooks}, stop);
			return await run(options, comeBack, {taker, hooks});
		}
		const tasks = await settleSource(source, options);
		if (tasks === undefined) return undefined;
		return await run(
			options,
			async stop => createMap({...meant, tasks, configFiles, options, keep, hooks, engine: await chooseEngine(options)}, stop),
			{taker, hooks},
		);
	} catch (error) {
		// It may hold a file or a connection open.
		if (source.kind === 'stream') source.close();
		throw error;
	}
};

/** @throws PoolError when the map could not be gone on with; the reason when it was aborted before that. */
export const returnToMap = (workDir: string, options: PoolOptions, chooseEngine: ChooseEngine): Promise<LaunchedMap> =>
	run(options, signal => resumeMap({workDir, options, chooseEngine, keep: 'outcomes', meant: undefined}, signal));

/** @returns Undefined when no task is to be computed. @throws PoolError when the map can't be run again; the reason when it was aborted before that. */
export const runAgain = (workDir: string, options: RerunOptions, chooseEngine: ChooseEngine): Promise<LaunchedMap | undefined> =>
	run(options, signal => rerunMap({workDir, options, chooseEngine, keep: 'outcomes'}, signal));

/** With `numChunks` it must be known how many tasks there are: a stream is read to its end then. Undefined when there are none. */
const settleSource = async (source: TaskSource, {numChunks, signal}: PoolOptions): Promise<TaskSource | undefined> => {
	if (source.kind === 'stream' && numChunks === undefined) return beginStream(source, signal);
	const tasks = await collectTasks(source, signal);
	return tasks.length === 0 ? undefined : {kind: 'at-hand', tasks};
};

const run = async <Opened extends OpenMap | undefined>(
	options: PoolOptions,
	open: (signal: AbortSignal) => Promise<Opened>,
	{taker, hooks}: {readonly taker?: ((arrivals: Arrivals) => Taker) | undefined; readonly hooks?: MapHooks | undefined} = {},
): Promise<LaunchedMap | Exclude<Opened, OpenMap>> => {
	const stopping = createStopping(options);
	const opened = await open(stopping.signal).catch(async error => {
		await stopping.over();
		throw stopping.reasonOf(error);
	});
	if (opened === undefined) {
		await stopping.over();
		return opened as Exclude<Opened, OpenMap>;
	}
	stopping.hasWorkDir(opened.state.workDir);
	hooks?.onWorkDir?.(opened.state.workDir);
	return launch(opened, stopping, {taker, whyKeep: hooks?.whyKeep});
};
