/**
 * Other programs that do equivalent work, and that any Debian machine can have.
 *
 * @typedef {{numTasks: number, numChunks: number, arrays: boolean}} BatchtoolsSize
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {userInfo} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {feed} from './engines.js';
import {findProgram, run, time} from './programs.js';
import {Skip} from './skip.js';

const PACKAGES = {parallel: 'parallel', Rscript: 'r-cran-batchtools'};

/** What is missing is fetched by apt-get. */
export const installPeers = async () => {
	const missing = Object.entries(PACKAGES).flatMap(([program, name]) => (findProgram(program) === undefined ? [name] : []));
	if (missing.length === 0) return;
	await run('apt-get', ['update', '-qq']);
	await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
		env: {...process.env, DEBIAN_FRONTEND: 'noninteractive'},
	});
};

/** @type {() => string[]} */
export const missingPeers = () =>
	Object.entries(PACKAGES).flatMap(([program, name]) =>
		findProgram(program) === undefined ? [`${program} is not installed: left out. With --install the bench fetches ${name}.`] : [],
	);

/** GNU parallel on this machine: so many `node -e CODE`. @type {(slots: number, count: number, code: string) => Promise<number>} */
export const timeParallel = async (slots, count, code) => {
	if (findProgram('parallel') === undefined) throw new Skip('not installed');
	// It prints a citation notice to terminals only.
	return time(() => feed('parallel', ['-j', String(slots), '-N', '1', '-q', process.execPath, '-e', code], count));
};

const SCRIPT = fileURLToPath(new URL('batchtools.R', import.meta.url));

/** R batchtools on the same queue: from an empty registry to the list of results. @type {(engine: string, directory: string, slots: number) => (size: BatchtoolsSize) => Promise<number>} */
export const createBatchtools =
	(engine, directory, slots) =>
	async ({numTasks, numChunks, arrays}) => {
		if (findProgram('Rscript') === undefined) throw new Skip('not installed');
		if (arrays && engine === 'grid-engine') throw new Skip('has no arrays on Grid Engine');
		const registry = mkdtempSync(path.join(directory, 'batchtools-'));
		try {
			// It asks the queue for `$USER`, which not every environment has.
			const env = {...process.env, USER: userInfo().username};
			const args = [engine, registry, numTasks, numChunks, arrays ? 'arrays' : 'singles', slots].map(String);
			const seconds = /^seconds (\S+)$/m.exec(await run('Rscript', ['--vanilla', SCRIPT, ...args], {cwd: registry, env}))?.[1];
			if (seconds === undefined) throw new Error('batchtools.R has printed no time');
			return Number(seconds);
		} finally {
			rmSync(registry, {recursive: true});
		}
	};
