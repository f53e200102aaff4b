/** A Grid Engine of a test file's own, whose master and nodes may be ill-treated while others use theirs. Needs root. */
import {execFile} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {vi} from 'vitest';
import {call} from './grid-engine.js';

const execute = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../engines/grid-engine.sh', import.meta.url));

export type OwnCluster = {
	/** Calls test/engines/grid-engine.sh for this cluster. */
	readonly do: (verb: string, ...args: readonly string[]) => Promise<string>;
	/** The letters that `qstat -f` shows for each node's queue instance, by host name; empty when all is well. */
	readonly nodeStates: () => Promise<ReadonlyMap<string, string>>;
	readonly remove: () => Promise<void>;
};

/** Numbers go round: there are a hundred. */
const instanceOf = (distance: number): string => String((Number(process.env.GRID_ENGINE_INSTANCE ?? 0) + distance) % 100);

/**
 * Brings it up, and puts its programs first on PATH until `remove`.
 *
 * @param distance - From the number of the cluster of all other tests; each file that runs at the same time has its own.
 */
export const bringUpCluster = async (distance: number, {nodes = 2, slots = 8} = {}): Promise<OwnCluster> => {
	const directory = mkdtempSync(join(tmpdir(), 'qmr-cluster-'));
	const env = {...process.env, GRID_ENGINE_INSTANCE: instanceOf(distance)};
	const run: OwnCluster['do'] = async (verb, ...args) => (await execute(SCRIPT, [verb, ...args], {env})).stdout;
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
	return {
		do: run,
		nodeStates: async () => {
			const listing = await call('qstat', ['-f', '-q', 'all.q']);
			// `all.q@node1  BIP  0/1/8  -NA-  lx-amd64  au`
			return new Map(
				[...listing.matchAll(/^all\.q@(\S+)(?:\s+\S+){4}[ \t]*(\S*)$/gm)].map(([, host, state]) => [host as string, state as string]),
			);
		},
		remove,
	};
};
