/** Maps on behalf of the command `qmr`: as `imap` does it, and with what only a command asks for. */
import {checkSchedule, mergeOptions} from './check-options.js';
import {withConfig} from './config.js';
import {createMap} from './create-map.js';
import {createEngineCache} from './engine-cache.js';
import type {Engine} from './engines/engine.js';
import {PoolError} from './errors.js';
import {type FunctionMark, referenceFunction} from './function-reference.js';
import {iterateMap} from './iterate-map.js';
import type {MapHooks} from './map-hooks.js';
import type {PoolOptions} from './options.js';
import type {Outcome} from './outcome.js';
import {startMap} from './run-map.js';
import {createStopping} from './stopping.js';
import {describeSubmission} from './submit.js';
import {collectTasks, takeTasks} from './task-source.js';

export type CommandMap = {
	readonly call: 'map' | 'starmap';
	readonly fn: FunctionMark;
	readonly tasks: AsyncIterable<unknown>;
	/** In task order; else as they come. */
	readonly isOrdered: boolean;
	/** Over those of the pool. */
	readonly options?: PoolOptions;
	readonly hooks?: MapHooks;
};

/** What was prepared and not submitted. */
export type DryRun = {
	readonly workDir: string;
	readonly engine: string;
	readonly numTasks: number;
	/** For each submission a program and its arguments; undefined when the engine can't say. */
	readonly calls: readonly (readonly string[])[] | undefined;
};

export type CommandPool = {
	/** Outcomes as they come: the reading of tasks, and the map, begin when the first one is asked for. */
	readonly iterate: (map: CommandMap) => AsyncIterable<Outcome<unknown>>;
	/** Makes the work_dir, as complete as it is before the first queue-job is submitted, and leaves it. Undefined without tasks. */
	readonly prepare: (map: CommandMap) => Promise<DryRun | undefined>;
	/** What runs queue-jobs with these options. */
	readonly engine: () => Promise<Engine>;
	/** With what the configuration files say. */
	readonly options: PoolOptions;
};

/** @throws PoolError `ERR_POOL_OPTION` */
export const createCommandPool = (given: PoolOptions): CommandPool => {
	const {options: settled, configFiles} = withConfig(mergeOptions(given));
	const chooseEngine = createEngineCache();
	const settle = (over: PoolOptions = {}): PoolOptions => {
		const options = mergeOptions(settled, over);
		checkSchedule(options);
		return options;
	};
	settle();
	return {
		options: settled,
		engine: () => chooseEngine(settled),
		iterate: ({call, fn, tasks, isOrdered, options: over, hooks}) =>
			iterateMap({
				isOrdered,
				isSettled: true,
				beforeEnd: hooks?.beforeEnd,
				begin: async taker => {
					const options = settle(over);
					const reference = await referenceFunction(fn);
					const source = takeTasks(tasks);
					return startMap({call, reference, tasks: source, keep: 'nothing', configFiles, hooks}, options, chooseEngine, taker);
				},
			}) as AsyncIterable<Outcome<unknown>>,
		prepare: async ({call, fn, tasks: source, options: over}) => {
			const options = settle(over);
			if (options.resume !== undefined)
				throw new PoolError('ERR_POOL_OPTION', 'Expected `resume` to be left out: what is gone on with is prepared already.');
			const reference = await referenceFunction(fn);
			const stopping = createStopping(options);
			try {
				const tasks = await collectTasks(takeTasks(source), stopping.signal);
				if (tasks.length === 0) return undefined;
				const engine = await chooseEngine(options);
				const {state} = await createMap(
					{call, reference, tasks: {kind: 'at-hand', tasks}, configFiles, options, engine, keep: 'nothing'},
					stopping.signal,
				);
				const calls = await describeSubmission(state, engine).finally(async () => {
					await state.journal.flush({durable: false});
					await state.owner.release();
				});
				return {workDir: state.workDir, engine: engine.name, numTasks: tasks.length, calls};
			} catch (error) {
				throw stopping.reasonOf(error);
			} finally {
				await stopping.over();
			}
		},
	};
};
