/** Asks, and removes work_dirs one after the other. */
import {createInterface} from 'node:readline/promises';
import {createEngineCache} from '../../engine-cache.js';
import {cleanMap, type Examined} from '../../later/clean-map.js';
import type {PoolOptions} from '../../options.js';
import {formatCounts} from '../../task-counts.js';
import {CommandError, UsageError} from '../command-error.js';
import {formatAge} from '../look/words.js';

type Removable = Extract<Examined, {kind: 'removable'}>;

export type Removal = {
	/** Where its scheduler is, if that is other than it was. */
	readonly options: PoolOptions;
	readonly isDryRun: boolean;
	/** Nobody is asked. */
	readonly isSure: boolean;
	readonly tell: (line: string) => void;
};

export type Removed = {
	readonly removed: readonly {readonly workDir: string; readonly session: string}[];
	readonly failed: readonly {readonly workDir: string; readonly reason: string}[];
};

/** @throws UsageError when nobody can be asked; CommandError when the answer is no. */
export const removeWorkDirs = async (maps: readonly Removable[], {options, isDryRun, isSure, tell}: Removal): Promise<Removed> => {
	const removed = maps.map(({map}) => ({workDir: map.workDir, session: map.manifest.session}));
	if (maps.length === 0 || isDryRun) return {removed, failed: []};
	if (!isSure) await askFor(maps, tell);
	const chooseEngine = createEngineCache();
	const failed: {workDir: string; reason: string}[] = [];
	for (const {map} of maps) {
		try {
			await cleanMap(map, {options, chooseEngine, tell});
		} catch (error) {
			failed.push({workDir: map.workDir, reason: (error as Error).message});
		}
	}
	return {removed: removed.filter(({workDir}) => !failed.some(other => other.workDir === workDir)), failed};
};

const askFor = async (maps: readonly Removable[], tell: (line: string) => void): Promise<void> => {
	for (const {map, counts, lastAt} of maps)
		tell(`${map.workDir}: ${formatCounts(counts)}; last noted ${formatAge(lastAt.getTime(), Date.now())} ago`);
	if (!process.stdin.isTTY || !process.stderr.isTTY)
		throw new UsageError(
			`Expected --yes, for there is no terminal on which to ask whether ${what(maps)} may be removed. Nothing was removed.`,
		);
	const terminal = createInterface({input: process.stdin, output: process.stderr});
	try {
		const answer = await terminal.question(`Remove ${what(maps)} with all results in ${maps.length === 1 ? 'it' : 'them'}? [y/N] `);
		if (!/^y(?:es)?$/i.test(answer.trim())) throw new CommandError('Nothing was removed.');
	} finally {
		terminal.close();
	}
};

const what = ({length}: readonly Removable[]): string => (length === 1 ? 'this work_dir' : `these ${length} work_dirs`);
