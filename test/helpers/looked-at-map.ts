/** Maps that are there to be looked at, made by the built package in this process. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, type PoolOptions} from 'queue-map-reduce';
import {type DummyQueue, initQueueState, type QueueState} from 'queue-map-reduce/dummy-queue';
import {createTestDirectory} from './engines.js';

export type LookedAt = {
	/** With the module of the function; its work_root is `.qmr` there. */
	readonly directory: string;
	readonly workDir: string;
	readonly remove: () => void;
};

export type LookedAtPlan = {
	/** Of a module that exports `fn`. */
	readonly source: string;
	readonly tasks: readonly unknown[];
	readonly options?: PoolOptions;
};

const NAME = 'run';

/** A map that has ended, on this machine unless options say otherwise. Its work_dir is `.qmr/run`. */
export const makeEndedMap = async ({source, tasks, options = {}}: LookedAtPlan): Promise<LookedAt> => {
	const {path: directory, remove} = createTestDirectory('qmr-look-');
	await addMap(directory, {source, tasks, options});
	return {directory, workDir: workDirIn(directory), remove};
};

export const workDirIn = (directory: string, name: string = NAME): string => join(directory, '.qmr', name);

/** One more in that directory. */
export const addMap = async (directory: string, {source, tasks, options = {}}: LookedAtPlan): Promise<void> => {
	await mapIn(directory, source, options).mapSettled({module: join(directory, 'fn.mjs'), name: 'fn'}, tasks);
};

export type QueuedMap = LookedAt & {readonly queue: DummyQueue; readonly run: Awaited<ReturnType<Pool['submit']>>};

/** A map whose queue-jobs are in a dummy queue, in which nothing happens before it is asked: by the map itself after 1, 2 and 4 s, and then seldom. */
export const submitMap = async ({source, tasks, options = {}}: LookedAtPlan, state: Partial<QueueState> = {}): Promise<QueuedMap> => {
	const {path: directory, remove} = createTestDirectory('qmr-look-');
	const queue = initQueueState(join(directory, 'queue'), state);
	const pool = mapIn(directory, source, {
		engine: 'grid-engine',
		...queue,
		qalterPath: queue.qalterPath,
		pollingIntervalMs: 3_600_000,
		// One at a time: the first ones are the first in the queue.
		submitConcurrency: 1,
		...options,
	});
	const run = await pool.submit({module: join(directory, 'fn.mjs'), name: 'fn'}, tasks);
	return {directory, workDir: workDirIn(directory), queue, run, remove};
};

const mapIn = (directory: string, source: string, options: PoolOptions): Pool => {
	writeFileSync(join(directory, 'fn.mjs'), source);
	return new Pool({
		...{engine: 'local', slots: 2, pollingIntervalMs: 50, graceMs: 300, config: false, handleSignals: false, keepWorkDir: true},
		...{workDir: workDirIn(directory), ...options},
	});
};
