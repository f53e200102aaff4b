/** Computes tasks of a map again: some of them, in a work_dir of their own within that of the map; or all, as a new map. */
import {mkdir, rmdir} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {checkSchedule, mergeOptions} from './check-options.js';
import {createMap, type MapCall, type RunAgain} from './create-map.js';
import type {CapturedEnvironment} from './environment.js';
import {PoolError} from './errors.js';
import {findChanges} from './find-changes.js';
import {type FoundMap, findMapToRerun} from './find-map.js';
import {ENVIRONMENT_RECORD, ENVIRONMENT_SCRIPT, parseRerunName, rerunPath, SHARED_VALUE} from './layout.js';
import type {Manifest} from './manifest.js';
import type {OpenMap} from './map-run.js';
import {openWorkDir} from './open-work-dir.js';
import type {PoolOptions} from './options.js';
import {claimWorkDir} from './owner.js';
import {createPorts, realFiles} from './ports.js';
import {realProcesses} from './processes.js';
import {readWhole} from './read-whole.js';
import {readTasks} from './read-work-dir.js';
import {recordedOptions, requireEngine} from './recorded-options.js';
import type {Keep} from './reduce.js';
import type {ChooseEngine} from './run-map.js';
import {selectTasks, type TaskStatus} from './select-tasks.js';
import {decodeShared} from './shared-value.js';
import {tasksAgain, wantedTasks} from './tasks-again.js';
import type {WorkDirPlace} from './work-dir.js';

/** Options of `Pool.rerun`: those that are to be other than they were, and what is computed again. */
export type RerunOptions = PoolOptions & {
	/** These tasks, by their index in the map. @default all that have no result */
	readonly itasks?: readonly number[];
	/** The whole map again, as a new one beside it. @default false */
	readonly all?: boolean;
};

export type RerunRequest = {
	readonly workDir: string;
	readonly options: RerunOptions;
	readonly chooseEngine: ChooseEngine;
	readonly keep: Keep;
};

/**
 * @returns Undefined when no task is to be computed.
 * @throws PoolError `ERR_POOL_RESUME` when there is no map that can be run again, or tasks are wanted that may still be computed; `ERR_POOL_OWNED` when another process works in its work_dir;
 * `ERR_POOL_OPTION` for tasks that it does not have, and options that can't be other than they were.
 */
export const rerunMap = async (request: RerunRequest, signal: AbortSignal): Promise<OpenMap | undefined> => {
	const {itasks, all = false, ...given} = request.options;
	checkGiven(given, itasks, all);
	const map = await findMapToRerun(resolve(request.workDir));
	const {manifest, workDir} = map;
	const options = mergeOptions(recordedOptions(manifest, given, workDir, OF_ONE_MAP), given);
	checkSchedule(options);
	const engine = await request.chooseEngine({...options, engine: given.engine ?? requireEngine(manifest, {}, workDir)});
	const {reference, sentences} = await findChanges(manifest);
	const {tell, ...ports} = createPorts(engine);
	for (const sentence of sentences) tell(`queue-map-reduce: ${sentence}`);
	const begin = async (more: Pick<MapCall, 'tasks' | 'options'>, part: RunAgain['part']): Promise<OpenMap> =>
		createMap(
			{
				...{call: manifest.call, reference, engine, configFiles: manifest.configFiles, keep: request.keep, ...more},
				again: {
					rerunOf: {session: manifest.session, workDir},
					seed: manifest.seed,
					cwd: manifest.processNode.cwd,
					launch: launchOf(manifest, given),
					environment: given.env === undefined ? await readEnvironment(workDir) : undefined,
					part,
				},
			},
			signal,
		);
	const shared = await readShared(map);
	if (all) {
		const tasks = await tasksAgain(map, options, signal);
		return begin(
			{tasks, options: {...options, ...(given.workDir === undefined ? {workRoot: given.workRoot ?? join(workDir, '..')} : {}), ...shared}},
			undefined,
		);
	}
	const owner = await claimWorkDir(workDir, {...ports, tell}, realProcesses, signal);
	try {
		const wanted = selectTasks(workDir, await readStatuses(workDir), itasks ?? {within: map.within});
		if (wanted.length === 0) {
			await owner.release();
			return undefined;
		}
		const tasks = await wantedTasks(map, wanted);
		const place = await makePlace(workDir);
		try {
			return await begin({tasks: {kind: 'at-hand', tasks}, options: {...options, ...shared}}, {itasks: wanted, place, owner});
		} catch (error) {
			// If it is there, it is empty.
			await rmdir(place.workDir).catch(() => undefined);
			throw error;
		}
	} catch (error) {
		await owner.release().catch(() => undefined);
		throw error;
	}
};

/** A map that is run again has its own, or has them from files beside run.json. */
const OF_ONE_MAP: ReadonlySet<string> = new Set<keyof PoolOptions>([
	'engine',
	'env',
	'config',
	'gitDiff',
	'keepWorkDir',
	'resume',
	'seed',
	'shared',
	'workDir',
	'workRoot',
]);

/** These make it another experiment, … */
const NEVER_OTHER: readonly (keyof PoolOptions)[] = ['resume', 'seed', 'shared'];
/** … and these say where a map of its own is. */
const OF_NEW_MAPS: readonly (keyof PoolOptions)[] = ['workDir', 'workRoot'];

const checkGiven = (given: PoolOptions, itasks: RerunOptions['itasks'], all: boolean): void => {
	mergeOptions(given);
	const refuse = (message: string): PoolError => new PoolError('ERR_POOL_OPTION', message);
	if (typeof all !== 'boolean') throw refuse(`Expected \`all\` to be true or false, got ${typeof all}.`);
	if (all && itasks !== undefined) throw refuse('Expected `itasks` or `all`, got both. Leave one of them out.');
	if (itasks !== undefined && !(Array.isArray(itasks) && itasks.every(itask => Number.isSafeInteger(itask) && itask >= 0)))
		throw refuse('Expected `itasks` to be an array of task numbers, integers from 0 and up.');
	const other = [...NEVER_OTHER, ...(all ? [] : OF_NEW_MAPS)].find(name => given[name] !== undefined);
	if (other !== undefined)
		throw refuse(
			`Expected no \`${other}\`: what is computed again has that of the first map. Leave it out, or call \`map\` to begin another.`,
		);
};

/** The Node of then, if this process can read what it writes. */
const launchOf = ({launch, node}: Manifest, {nodePath}: PoolOptions): Manifest['launch'] => ({
	...launch,
	nodePath: nodePath ?? (majorOf(node) === majorOf(process.version) ? launch.nodePath : process.execPath),
});

const majorOf = (version: string): string | undefined => version.split('.')[0];

const readStatuses = async (workDir: string): Promise<readonly TaskStatus[]> => {
	const statuses: TaskStatus[] = [];
	for await (const tasks of readTasks(await openWorkDir(workDir), {values: false}))
		for (const {itask, state, rerun} of tasks) statuses.push({itask, state, rerun});
	return statuses;
};

const readFile = async (workDir: string, name: string): Promise<Buffer> => {
	const bytes = await readWhole(realFiles, join(workDir, name));
	if (bytes !== undefined) return bytes;
	throw new PoolError('ERR_POOL_RESUME', `${join(workDir, name)} can't be read. Without it the map can't be run again as it was.`, {
		workDir,
	});
};

const readEnvironment = async (workDir: string): Promise<CapturedEnvironment> => ({
	script: await readFile(workDir, ENVIRONMENT_SCRIPT),
	record: (await readFile(workDir, ENVIRONMENT_RECORD)).toString(),
});

const readShared = async ({manifest, workDir}: FoundMap): Promise<Pick<PoolOptions, 'shared'>> => {
	if (manifest.sharedBytes === undefined) return {};
	const bytes = await readFile(workDir, SHARED_VALUE);
	try {
		return {shared: decodeShared(bytes, manifest.session)};
	} catch (cause) {
		throw new PoolError('ERR_POOL_RESUME', `${join(workDir, SHARED_VALUE)} can't be read: ${(cause as Error).message}`, {workDir, cause});
	}
};

/** The next number that nobody has: the directory is there, and empty, when the promise resolves. */
const makePlace = async (partOf: string): Promise<WorkDirPlace> => {
	const numbers = (await realFiles.list(partOf)).flatMap(name => parseRerunName(name) ?? []);
	for (let number = Math.max(0, ...numbers) + 1; ; number++) {
		const workDir = rerunPath(partOf, number);
		try {
			await mkdir(workDir, PRIVATE);
			return {workDir, root: undefined, partOf};
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		}
	}
};

const PRIVATE = 0o700;
