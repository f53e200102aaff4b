/** The engines of a pool: equal options have one engine, which is chosen once. */
import {type ChosenEngine, chooseEngine, clusterOf} from './choose-engine.js';
import type {Engine} from './engines/engine.js';
import {sayBeside} from './live-lines.js';
import type {PoolOptions} from './options.js';
import type {ChooseEngine} from './run-map.js';

export const createEngineCache = (): ChooseEngine => {
	const engines = new Map<string, Promise<ChosenEngine>>();
	/** Engines that the caller has brought: no key can be made of what they are. */
	const brought: object[] = [];

	const nameEngine = (engine: PoolOptions['engine']): string | number | undefined => {
		if (typeof engine !== 'object') return engine;
		if (!brought.includes(engine)) brought.push(engine);
		return brought.indexOf(engine);
	};

	return async (options: PoolOptions): Promise<Engine> => {
		const wanted: PoolOptions = Object.fromEntries(Object.entries(options).filter(([name]) => ENGINE_OPTIONS.has(name)));
		// A map that is begun after the environment has named another cluster is for that one.
		const key = JSON.stringify({...wanted, engine: nameEngine(wanted.engine), cluster: clusterOf(wanted)});
		const known = engines.get(key);
		if (known !== undefined) return (await known).engine;
		const chosen = chooseEngine(wanted);
		engines.set(key, chosen);
		chosen.then(
			({why}) => why !== undefined && sayBeside(`queue-map-reduce: ${why}`),
			// The caller is told; the next map asks again.
			() => engines.delete(key),
		);
		return (await chosen).engine;
	};
};

/** The options that make an engine. */
const ENGINE_OPTIONS: ReadonlySet<string> = new Set<keyof PoolOptions>([
	'engine',
	'queueName',
	'qsubArgs',
	'qsubPath',
	'qstatPath',
	'qdelPath',
	'qacctPath',
	'qalterPath',
	'qconfPath',
	'sbatchArgs',
	'sbatchPath',
	'squeuePath',
	'scancelPath',
	'scontrolPath',
	'sacctPath',
	'errorStateIndicator',
	'slots',
	'programTimeoutMs',
	'submitConcurrency',
]);
