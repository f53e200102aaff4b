/** The map of one task by which `qmr doctor` gets to a worker-node. */
import type {Engine} from '../engines/engine.js';
import {referenceFunction} from '../function-reference.js';
import type {LaunchedMap} from '../map-run.js';
import type {PoolOptions} from '../options.js';
import {startMap} from '../run-map.js';
import type {Visit} from './visit-worker-node.js';

/** So long the worker-node waits for the answer of the process-node: network file systems show a new file after a minute at worst, and more than this is late enough. */
export const ANSWER_WAIT_MS = 30_000;

/** @throws PoolError when the map can't be begun. */
export const sendVisit = async (
	options: PoolOptions,
	engine: Engine,
	watched: Pick<PoolOptions, 'signal' | 'onProgress'>,
): Promise<LaunchedMap['run']> => {
	const module = new URL('./visit-worker-node.js', import.meta.url).href;
	const visit: Visit = {answerWaitMs: ANSWER_WAIT_MS};
	const launched = await startMap(
		{
			call: 'map',
			reference: await referenceFunction({module, name: 'visitWorkerNode'}),
			tasks: {kind: 'at-hand', tasks: [visit]},
			keep: 'outcomes',
			configFiles: [],
			// What a map says of its work_dir, which goes away, would lead nowhere.
			hooks: {tell: () => undefined},
		},
		{...toMapOptions(options), ...watched},
		async () => engine,
	);
	// It has a task.
	return (launched as LaunchedMap).run;
};

/** How often the queue is asked at the most: there is only this one queue-job, and somebody waits. */
const MAX_POLLING_INTERVAL_MS = 1000;

/** Only what decides how a queue-job is run: nothing of how many tasks are cut and counted. */
const toMapOptions = ({pollingIntervalMs = MAX_POLLING_INTERVAL_MS, ...options}: PoolOptions): PoolOptions => {
	const {workDir, resume, shared, schedule, numJobs, numChunks, chunkSize, taskLimitMs, pendingLimitMs, gitDiff, ...kept} = options;
	return {
		...kept,
		pollingIntervalMs: Math.min(pollingIntervalMs, MAX_POLLING_INTERVAL_MS),
		maxNumResubmissions: 0,
		retries: 0,
		pendingWarnMs: false,
		keepWorkDir: true,
		handleSignals: false,
		progress: false,
	};
};
