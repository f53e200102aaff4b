/** Which engine runs the queue-jobs, and why. The only file that knows them by name. */
import {accessSync, constants, statSync} from 'node:fs';
import {delimiter, resolve} from 'node:path';
import type {Engine, SiteFacts} from './engines/engine.js';
import {createGridEngine, type GridEngineOptions, isGridEngine} from './engines/grid-engine.js';
import {askGridEngine} from './engines/grid-engine-facts.js';
import {keepCluster} from './engines/keep-cluster.js';
import {createLocalEngine, defaultSlots} from './engines/local.js';
import {createSlurmEngine, type SlurmOptions} from './engines/slurm.js';
import {requireOneCluster} from './engines/slurm-environment.js';
import {askSlurm} from './engines/slurm-facts.js';
import {PoolError} from './errors.js';
import {guardEngine} from './guard-engine.js';
import {sayBeside} from './live-lines.js';
import type {PoolOptions} from './options.js';
import {userName} from './user-name.js';

export type ChosenEngine = {
	readonly engine: Engine;
	/** One line for people; undefined when the user has named the engine. */
	readonly why: string | undefined;
	/** Asks the scheduler about its site; undefined when there is none that could be asked. */
	readonly askSite: (() => Promise<SiteFacts>) | undefined;
};

/** The defaults of the options `programTimeoutMs` and `submitConcurrency`. */
const PROGRAM_TIMEOUT_MS = 60_000;
// 100 calls of qsub took a real Grid Engine 4.8 s one by one, 3.7 s by twos, 3.2 s by fours and 2.3 s by eights.
const SUBMIT_CONCURRENCY = 8;

const GRID_ENGINE_OPTIONS = ['qsubPath', 'qstatPath', 'qdelPath'] as const;
const SLURM_OPTIONS = ['sbatchPath', 'squeuePath', 'scancelPath'] as const;

/**
 * Any of `qsubPath`, `qstatPath`, `qdelPath` means Grid Engine, any of `sbatchPath`, `squeuePath`, `scancelPath` Slurm; `queueName` means
 * Grid Engine unless a Slurm is on PATH; else the scheduler whose programs are on PATH, Grid Engine before Slurm; `local` only when there is none. A scheduler that is there but does not
 * answer is an outage, never a reason to compute on the login node.
 *
 * @throws PoolError `ERR_POOL_PROGRAM_MISSING` when a program of the engine does not exist; `ERR_POOL_OPTION` when there is a scheduler that is not supported, or the environment names several clusters.
 */
export const chooseEngine = async (options: PoolOptions): Promise<ChosenEngine> => {
	if (typeof options.engine === 'object') return {...foreign(options.engine, options), why: undefined};
	if (options.engine === 'local') return {...local(options), why: undefined};
	if (options.engine === 'grid-engine') return {...gridEngine(options), why: undefined};
	if (options.engine === 'slurm') return {...slurm(options), why: undefined};
	const isGiven = (name: keyof PoolOptions): boolean => options[name] !== undefined;
	const asked = GRID_ENGINE_OPTIONS.find(isGiven);
	if (asked !== undefined) return {...gridEngine(options), why: `engine grid-engine, for \`${asked}\` is given`};
	const askedSlurm = SLURM_OPTIONS.find(isGiven);
	if (askedSlurm !== undefined) return {...slurm(options), why: `engine slurm, for \`${askedSlurm}\` is given`};
	const sbatch = findProgram('sbatch');
	if (sbatch === undefined && isGiven('queueName')) return {...gridEngine(options), why: 'engine grid-engine, for `queueName` is given'};
	const qsub = findProgram('qsub');
	if (qsub !== undefined && (await isGridEngine(findProgram('qstat')))) {
		return {...gridEngine(options), why: `engine grid-engine, for ${qsub} is on PATH`};
	}
	// Before a qsub of another product: Slurm ships one, too.
	if (sbatch !== undefined) return {...slurm(options), why: `engine slurm, for ${sbatch} is on PATH`};
	if (qsub !== undefined) {
		throw new PoolError(
			'ERR_POOL_OPTION',
			`Expected a Grid Engine, a Slurm or no scheduler, got ${qsub} on PATH, which belongs to a scheduler that is not supported. To compute on this machine, pass {engine: 'local'}.`,
		);
	}
	return {
		...local(options),
		why: `engine local, for no qsub and no sbatch is on PATH: computing on this machine, ${localSlots(options)} queue-jobs at once`,
	};
};

/** As far as the environment says which cluster it is: the slots of this machine, and an engine of the caller's own, are the same whatever it says. */
export const clusterOf = ({engine}: PoolOptions): string => (engine === 'local' || typeof engine === 'object' ? '' : keepCluster().key);

/** So many queue-jobs run at once on `local`. */
export const localSlots = ({slots = defaultSlots()}: PoolOptions): number => slots;

type Made = Omit<ChosenEngine, 'why'>;

const foreign = (engine: Engine, {programTimeoutMs = PROGRAM_TIMEOUT_MS}: PoolOptions): Made => ({
	engine: guardEngine(engine, {timeoutMs: programTimeoutMs, tell: line => sayBeside(line)}),
	askSite: undefined,
});

const local = (options: PoolOptions): Made => ({engine: createLocalEngine({slots: localSlots(options)}), askSite: undefined});

const gridEngine = (options: PoolOptions): Made => {
	const settings: GridEngineOptions = {
		qsubPath: requireProgram('qsubPath', options.qsubPath ?? 'qsub'),
		qstatPath: requireProgram('qstatPath', options.qstatPath ?? 'qstat'),
		qdelPath: requireProgram('qdelPath', options.qdelPath ?? 'qdel'),
		// The accounting of another scheduler would explain other jobs.
		qacctPath: findProgram(options.qacctPath ?? (options.qstatPath === undefined ? 'qacct' : '')),
		// That of another scheduler might even change other jobs.
		qalterPath: findProgram(options.qalterPath ?? (options.qstatPath === undefined ? 'qalter' : '')),
		qconfPath: findProgram(options.qconfPath ?? (options.qstatPath === undefined ? 'qconf' : '')),
		queueName: options.queueName,
		qsubArgs: options.qsubArgs ?? [],
		errorStateIndicator: options.errorStateIndicator ?? 'E',
		programTimeoutMs: options.programTimeoutMs ?? PROGRAM_TIMEOUT_MS,
		submitConcurrency: options.submitConcurrency ?? SUBMIT_CONCURRENCY,
		user: userName(),
	};
	return {engine: createGridEngine(settings), askSite: () => askGridEngine(settings)};
};

const slurm = (options: PoolOptions): Made => {
	requireOneCluster(process.env);
	const settings: SlurmOptions = {
		sbatchPath: requireProgram('sbatchPath', options.sbatchPath ?? 'sbatch'),
		squeuePath: requireProgram('squeuePath', options.squeuePath ?? 'squeue'),
		scancelPath: requireProgram('scancelPath', options.scancelPath ?? 'scancel'),
		// Those of another cluster would explain other jobs.
		scontrolPath: findProgram(options.scontrolPath ?? (options.squeuePath === undefined ? 'scontrol' : '')),
		sacctPath: findProgram(options.sacctPath ?? (options.squeuePath === undefined ? 'sacct' : '')),
		queueName: options.queueName,
		sbatchArgs: options.sbatchArgs ?? [],
		programTimeoutMs: options.programTimeoutMs ?? PROGRAM_TIMEOUT_MS,
		submitConcurrency: options.submitConcurrency ?? SUBMIT_CONCURRENCY,
		user: userName(),
	};
	return {engine: createSlurmEngine(settings), askSite: () => askSlurm(settings)};
};

const requireProgram = (option: (typeof GRID_ENGINE_OPTIONS | typeof SLURM_OPTIONS)[number], name: string): string => {
	const path = findProgram(name);
	if (path !== undefined) return path;
	throw new PoolError(
		'ERR_POOL_PROGRAM_MISSING',
		`Expected \`${option}\` to be a program that can be executed, got ${JSON.stringify(name)}. Give its absolute path, or set PATH. To compute on this machine, pass {engine: 'local'}.`,
	);
};

const findProgram = (name: string): string | undefined => {
	if (name === '') return undefined;
	if (name.includes('/')) return isExecutable(resolve(name)) ? resolve(name) : undefined;
	const directories = (process.env.PATH ?? '').split(delimiter).filter(directory => directory !== '');
	// PATH may hold relative directories, and the program may go elsewhere before a map ends.
	return directories.map(directory => resolve(directory, name)).find(isExecutable);
};

const isExecutable = (path: string): boolean => {
	try {
		accessSync(path, constants.X_OK);
		return statSync(path).isFile();
	} catch {
		return false;
	}
};
