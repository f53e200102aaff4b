/**
 * One map in a process of its own, for its cold start and its peak of memory: `measure-map.js JSON` prints what was measured as JSON.
 *
 * @typedef {object} MapToMeasure
 * @property {'map' | 'imap'} [call]
 * @property {'double' | 'describe' | 'wait' | 'copy'} task
 * @property {TasksToMake} tasks
 * @property {import('queue-map-reduce').PoolOptions & Record<string, unknown>} options
 *
 * @typedef {{kind: 'range', count: number} | {kind: 'same', count: number, value: number} | {kind: 'values', values: number[]} | {kind: 'bytes', count: number, bytes: number}} TasksToMake
 *
 * @typedef {object} MeasuredMap
 * @property {number} seconds - from the call to the last result
 * @property {number} peakMegabytes - of the process-node
 * @property {number} cpuSeconds - of the process-node
 *
 * @typedef {{measured: MeasuredMap} | {skip: string}} MapAnswer
 */
import {pathToFileURL} from 'node:url';
import {Pool, PoolError} from 'queue-map-reduce';
import {copy, describe, double, wait} from './tasks.js';

/** @type {Record<MapToMeasure['task'], (task: any) => unknown>} */
const FUNCTIONS = {copy, describe, double, wait};

/** @type {(map: MapToMeasure) => Promise<MapAnswer>} */
const measure = async ({call = 'map', task, tasks, options}) => {
	/** @type {Pool} */
	let pool;
	try {
		pool = new Pool(options);
	} catch (error) {
		// This version may not know an option of a measurement.
		const unknown = error instanceof PoolError && /a known option, got (\S+)\./.exec(error.message)?.[1];
		if (unknown) return {skip: `this version has no option ${unknown}`};
		throw error;
	}
	const fn = FUNCTIONS[task];
	const made = call === 'map' ? [...makeTasks(tasks)] : makeTasks(tasks);
	const cpuBefore = process.cpuUsage();
	const startMs = performance.now();
	let numRight = 0;
	let numResults = 0;
	for await (const result of call === 'map' ? await pool.map(fn, made) : imap(pool, fn, made)) {
		if (isRight(task, tasks, numResults++, result)) numRight++;
	}
	const seconds = (performance.now() - startMs) / 1000;
	const {user, system} = process.cpuUsage(cpuBefore);
	if (numRight !== numResults || numResults !== countOf(tasks)) throw new Error('wrong results');
	return {measured: {seconds, peakMegabytes: process.resourceUsage().maxRSS / 1024, cpuSeconds: (user + system) / 1e6}};
};

/** @type {(pool: Pool, fn: (task: unknown) => unknown, tasks: Iterable<unknown>) => AsyncIterable<unknown>} */
const imap = (pool, fn, tasks) => /** @type {any} */ (pool).imap(fn, tasks);

/** @type {(tasks: TasksToMake) => Generator<unknown>} */
function* makeTasks(tasks) {
	for (let i = 0; i < countOf(tasks); i++) {
		switch (tasks.kind) {
			case 'range':
				yield i;
				break;
			case 'same':
				yield tasks.value;
				break;
			case 'values':
				yield tasks.values[i];
				break;
			case 'bytes':
				yield new Uint8Array(tasks.bytes).fill(i % 256);
		}
	}
}

const countOf = (/** @type {TasksToMake} */ tasks) => (tasks.kind === 'values' ? tasks.values.length : tasks.count);

/** @type {(task: MapToMeasure['task'], tasks: TasksToMake, i: number, result: any) => boolean} */
const isRight = (task, tasks, i, result) => {
	switch (task) {
		case 'double':
			return tasks.kind === 'range' && result === 2 * i;
		case 'describe':
			return result.id === i && result.v === i / 2;
		case 'wait':
			return result === (tasks.kind === 'same' ? tasks.value : tasks.kind === 'values' && tasks.values[i]);
		case 'copy':
			return tasks.kind === 'bytes' && result.length === tasks.bytes && result.at(-1) === i % 256;
	}
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
	/** @type {MapToMeasure} */
	const map = JSON.parse(process.argv[2] ?? '');
	if (map.call === 'imap' && !('imap' in Pool.prototype)) console.log(JSON.stringify({skip: 'this version has no pool.imap'}));
	else console.log(JSON.stringify(await measure(map)));
}
