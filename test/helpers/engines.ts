/**
 * The engines that the chain suite runs on: `local` and the dummy queue by default; others by the variable QMR_TEST_ENGINES, as
 * `QMR_TEST_ENGINES=grid-engine,slurm`, when their programs are on PATH.
 */
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {PoolOptions} from 'queue-map-reduce';
import {initQueueState} from 'queue-map-reduce/dummy-queue';

export type EngineName = 'local' | 'dummy' | 'grid-engine' | 'slurm';

export const ENGINES: readonly EngineName[] = (process.env.QMR_TEST_ENGINES ?? 'local,dummy').split(',') as EngineName[];

/** An engine, and whether chunks go to it as arrays. */
export type Column = {readonly engine: EngineName; readonly arrayJobs: boolean};

/** Every engine, and those that have arrays with them, too. */
export const COLUMNS: readonly (readonly [name: string, column: Column])[] = ENGINES.flatMap(engine => [
	[engine, {engine, arrayJobs: false}] as const,
	...(engine === 'local' ? [] : [[`${engine} with arrays`, {engine, arrayJobs: true}] as const]),
]);

/** Each call of a program is a process: whole maps that are not about single states need not see all of them. */
const TURNS_PER_LIST = 5;

/** Options for a pool on an engine, quick enough for tests. */
export const poolOptions = (engine: EngineName, directory: string): PoolOptions => {
	const common: PoolOptions = {workRoot: join(directory, 'work'), graceMs: 500};
	if (engine === 'local') return {...common, engine: 'local', slots: 2, pollingIntervalMs: 100};
	if (engine === 'dummy')
		return {...common, ...initQueueState(join(directory, 'queue'), {turnsPerList: TURNS_PER_LIST}), pollingIntervalMs: 50};
	return {...common, engine, pollingIntervalMs: 500};
};

/** An empty directory, removed by `remove`. */
export const createTestDirectory = (name = 'qmr-test-'): {path: string; remove: () => void} => {
	const path = mkdtempSync(join(tmpdir(), name));
	return {path, remove: () => removeAtLast(path)};
};

const MAX_REMOVALS = 150;

/** Workers that a queue is ending write until they have ended. (What `rmSync` itself tries again is the last step only.) */
const removeAtLast = (path: string): void => {
	for (let i = 0; ; i++) {
		try {
			rmSync(path, {recursive: true, force: true});
			return;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || i === MAX_REMOVALS) throw error;
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
		}
	}
};

/** The work_dirs below a directory that were kept. */
export const keptWorkDirs = (workRoot: string): string[] => {
	try {
		return readdirSync(workRoot).map(name => join(workRoot, name));
	} catch {
		return [];
	}
};
