/** One map, in steps: make its work_dir or come back to it, drive it until every task has its outcome, conclude it. */
import type {MeantMap} from './compare-tasks.js';
import {createMap} from './create-map.js';
import type {Engine} from './engines/engine.js';
import {launch, type MapRun, type OpenMap, runOfNothing} from './map-run.js';
import type {PoolOptions} from './options.js';
import {resumeMap} from './resume-map.js';
import {createStopping} from './stopping.js';

export type ChooseEngine = (options: PoolOptions) => Promise<Engine>;

/** @throws PoolError when the map could not be begun, or gone on with; the reason when it was aborted before that. */
export const startMap = async (meant: MeantMap, options: PoolOptions, chooseEngine: ChooseEngine): Promise<MapRun<unknown>> => {
	const {resume: workDir} = options;
	if (workDir !== undefined) return run(options, signal => resumeMap({workDir, options, chooseEngine, meant}, signal));
	// Nothing is written, and the queue is not touched.
	if (meant.tasks.length === 0) return runOfNothing();
	return run(options, async signal => createMap({...meant, options, engine: await chooseEngine(options)}, signal));
};

/** @throws PoolError when the map could not be gone on with; the reason when it was aborted before that. */
export const returnToMap = (workDir: string, options: PoolOptions, chooseEngine: ChooseEngine): Promise<MapRun<unknown>> =>
	run(options, signal => resumeMap({workDir, options, chooseEngine, meant: undefined}, signal));

const run = async (options: PoolOptions, open: (signal: AbortSignal) => Promise<OpenMap>): Promise<MapRun<unknown>> => {
	const stopping = createStopping(options);
	const opened = await open(stopping.signal).catch(async error => {
		await stopping.over();
		throw stopping.reasonOf(error);
	});
	stopping.hasWorkDir(opened.state.workDir);
	return launch(opened, stopping);
};
