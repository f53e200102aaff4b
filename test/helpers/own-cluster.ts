/** A Grid Engine or a Slurm of a test file's own, whose master and nodes may be ill-treated while others use theirs. Needs root. */
import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {vi} from 'vitest';
import {call} from './grid-engine.js';

const execute = promisify(execFile);

const KINDS = {
	'grid-engine': {script: 'grid-engine.sh', variable: 'GRID_ENGINE_INSTANCE'},
	slurm: {script: 'slurm.sh', variable: 'SLURM_INSTANCE'},
} as const;

type Brought = {
	/** Calls its script in test/engines for this cluster. */
	readonly do: (verb: string, ...args: readonly string[]) => Promise<string>;
	readonly remove: () => Promise<void>;
};

export type OwnCluster = Brought & {
	/** The letters that `qstat -f` shows for each node's queue instance, by host name; empty when all is well. */
	readonly nodeStates: () => Promise<ReadonlyMap<string, string>>;
};

export type OwnSlurm = Brought & {
	/** The state of each node, as `IDLE` or `MIXED+NOT_RESPONDING`, by its name. */
	readonly nodeStates: () => Promise<ReadonlyMap<string, string>>;
};

type Size = {readonly nodes?: number; readonly slots?: number};

/**
 * Brings it up, and puts its programs first on PATH until `remove`.
 *
 * @param distance - From the number of the cluster of all other tests; each file that runs at the same time has its own.
 */
export const bringUpCluster = async (distance: number, size?: Size): Promise<OwnCluster> => ({
	...(await bringUp('grid-engine', distance, size)),
	nodeStates: async () => {
		const listing = await call('qstat', ['-f', '-q', 'all.q']);
		// `all.q@node1  BIP  0/1/8  -NA-  lx-amd64  au`
		return new Map(
			[...listing.matchAll(/^all\.q@(\S+)(?:\s+\S+){4}[ \t]*(\S*)$/gm)].map(([, host, state]) => [host as string, state as string]),
		);
	},
});

/** The same for a Slurm. */
export const bringUpSlurm = async (distance: number, size?: Size): Promise<OwnSlurm> => ({
	...(await bringUp('slurm', distance, size)),
	nodeStates: async () => {
		const listing = await call('scontrol', ['-o', 'show', 'node']);
		return new Map([...listing.matchAll(/^NodeName=(\S+) .*? State=(\S+)/gm)].map(([, host, state]) => [host as string, state as string]));
	},
});

const bringUp = async (kind: keyof typeof KINDS, distance: number, {nodes = 2, slots = 8}: Size = {}): Promise<Brought> => {
	const {script, variable} = KINDS[kind];
	const path = fileURLToPath(new URL(`../engines/${script}`, import.meta.url));
	const directory = mkdtempSync(join(tmpdir(), 'qmr-cluster-'));
	// Numbers go round: there are a hundred.
	const env = {...process.env, [variable]: String((Number(process.env[variable] ?? 0) + distance) % 100)};
	const run: Brought['do'] = async (verb, ...args) => (await execute(path, [verb, ...args], {env})).stdout;
	const remove = async (): Promise<void> => {
		vi.unstubAllEnvs();
		await run('down');
		rmSync(directory, {recursive: true});
	};
	try {
		await run('up', String(nodes), String(slots));
		await run('wrappers', directory);
	} catch (error) {
		await remove();
		throw error;
	}
	vi.stubEnv('PATH', `${directory}:${process.env.PATH}`);
	return {do: run, remove};
};
