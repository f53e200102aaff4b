/**
 * Maps again and again until it is told to stop; it may be killed at any moment, and is then started again:
 *
 *     node process-node.js DIRECTORY NUMBER
 *
 * What it is at is in `current.NUMBER`, so that the next one goes on with it; what came of its maps is in `maps.NUMBER`, a line of JSON for each.
 */
import {appendFileSync, existsSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {Pool, PoolError} from 'queue-map-reduce';
import {note} from './task.js';

const [directory = '', number = ''] = process.argv.slice(2);
const file = (/** @type {string} */ name) => path.join(directory, `${name}.${number}`);

const NUM_TASKS = 12;
const options = {
	engine: /** @type {const} */ ('grid-engine'),
	pollingIntervalMs: 1000,
	// The file system is this machine's own.
	graceMs: 5000,
	unreachableAfterMs: 15_000,
	// A storm has more faults than tries.
	maxNumResubmissions: 100,
	keepWorkDir: true,
};

/** @type {(numMaps: number) => {workDir: string, tasks: import('./task.js').StormTask[]}} */
const nextMap = numMaps => ({
	workDir: path.join(directory, 'maps', `${number}-${numMaps}`),
	tasks: Array.from({length: NUM_TASKS}, (_, i) => ({
		events: path.join(directory, 'events'),
		takesMs: 300 + ((i * 7919 + numMaps * 104_729) % 1200),
		value: 1000 * numMaps + i,
	})),
});

/** @type {(workDir: string) => Promise<number[] | undefined>} */
const goOn = async workDir => {
	try {
		/** @type {import('queue-map-reduce').MapRun<number>} */
		const run = await Pool.resume(workDir, {keepWorkDir: true});
		return await run.results();
	} catch (error) {
		// It was killed while it wrote the tasks.
		if (error instanceof PoolError && error.code === 'ERR_POOL_RESUME') return undefined;
		throw error;
	}
};

let numMaps = existsSync(file('current')) ? Number(readFileSync(file('current'), 'utf8')) : 0;
while (!existsSync(path.join(directory, 'stop'))) {
	const {workDir, tasks} = nextMap(numMaps);
	const wasBegun = existsSync(file('current'));
	writeFileSync(file('next'), String(numMaps));
	renameSync(file('next'), file('current'));
	/** @type {string} */
	let outcome;
	try {
		const results = (wasBegun ? await goOn(workDir) : undefined) ?? (await new Pool(options).map(note, tasks, {workDir, numChunks: 4}));
		outcome = results.length === NUM_TASKS && results.every((result, i) => result === 2 * (tasks[i]?.value ?? 0)) ? 'right' : 'wrong';
	} catch (error) {
		outcome = String(error);
	}
	appendFileSync(file('maps'), `${JSON.stringify({workDir, outcome})}\n`);
	numMaps++;
	// Killed from here on, it begins with the next one.
	writeFileSync(file('next'), String(numMaps));
	renameSync(file('next'), file('current'));
}
