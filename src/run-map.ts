/** One map, in steps: make its work_dir or come back to it, drive it until every task has its outcome, conclude it. */
import {createMap} from './create-map.js';
import type {Engine} from './engines/engine.js';
import type {FunctionReference} from './function-reference.js';
import {launch, type MapRun, runOfNothing} from './map-run.js';
import type {PoolOptions} from './options.js';

export type StartOfMap = {
	readonly call: 'map' | 'starmap';
	readonly reference: FunctionReference;
	readonly tasks: readonly unknown[];
	readonly options: PoolOptions;
	readonly chooseEngine: (options: PoolOptions) => Promise<Engine>;
};

/** @throws PoolError when the map could not be begun; the reason of the option `signal` when it was aborted before. */
export const startMap = async ({options, chooseEngine, ...start}: StartOfMap): Promise<MapRun<unknown>> => {
	// Nothing is written, and the queue is not touched.
	if (start.tasks.length === 0) return runOfNothing();
	const engine = await chooseEngine(options);
	return launch(await createMap({...start, options, engine}, options.signal ?? NEVER_ABORTED));
};

const NEVER_ABORTED = new AbortController().signal;
