/**
 * Measures whole maps on a real Grid Engine and prints a table. To be run on a submit host, after `npm run build`:
 *
 *     node bench/grid-engine.js [--runs COUNT]
 */
import {execFile} from 'node:child_process';
import {chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs, promisify} from 'node:util';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {double} from './trivial.js';

const execute = promisify(execFile);

/**
 * @typedef {object} Measured
 * @property {number} seconds - from the call of `pool.map` to its results
 * @property {number} peakMegabytes - of the process-node
 * @property {[phase: string, seconds: number][]} phases
 * @property {number} numFiles - in the kept work_dir
 * @property {number} megabytes - of the kept work_dir
 * @property {Record<string, number>} calls - of each of the scheduler's programs
 */

const main = async () => {
	const {values} = parseArgs({options: {runs: {type: 'string', default: '3'}, measure: {type: 'string'}}});
	if (values.measure !== undefined) {
		console.log(JSON.stringify(await measure(JSON.parse(values.measure))));
		return;
	}
	const numRuns = Number(values.runs);
	await compareWithArray(numRuns);
	await compareManyTasks(numRuns);
};

/** (a) One queue-job a task, against one array of as many. */
const compareWithArray = async (/** @type {number} */ numRuns) => {
	/** @type {{map: number, array: number}[]} */
	const rows = [];
	/** @type {Measured | undefined} */
	let last;
	for (let run = 0; run < numRuns; run++) {
		last = await measureInChild({numTasks: 100, numChunks: 100});
		rows.push({map: last.seconds, array: await timeArray(100)});
	}
	const map = median(rows.map(row => row.map));
	const array = median(rows.map(row => row.array));
	console.log('100 trivial tasks, one chunk each, against qsub -t 1-100 -sync y -b y node -e 0');
	console.table(rows.map(row => ({'pool.map s': round(row.map), 'array s': round(row.array), ratio: round(row.map / row.array)})));
	console.log(`median: pool.map ${round(map)} s, array ${round(array)} s, ratio ${round(map / array)}`);
	if (last !== undefined) console.table(Object.fromEntries(last.phases.map(([phase, seconds]) => [phase, {seconds: round(seconds)}])));
};

/** (b) A million tasks in as many chunks as there are slots, against one task in each of as many. */
const compareManyTasks = async (/** @type {number} */ numRuns) => {
	/** @type {Measured[]} */
	const few = [];
	/** @type {Measured[]} */
	const many = [];
	for (let run = 0; run < numRuns; run++) {
		few.push(await measureInChild({numTasks: 48, numChunks: 48}));
		many.push(await measureInChild({numTasks: 1_000_000, numChunks: 48}));
	}
	console.log('\n48 tasks and 1,000,000 tasks, both in 48 chunks');
	const names = ['48 tasks', '1,000,000 tasks'];
	console.table(
		Object.fromEntries(
			[few, many].flatMap((measured, i) =>
				measured.map(({seconds, peakMegabytes, numFiles, megabytes, calls}, run) => [
					`${names[i]}, run ${run + 1}`,
					{seconds: round(seconds), 'peak RSS MB': Math.round(peakMegabytes), files: numFiles, 'work_dir MB': round(megabytes), ...calls},
				]),
			),
		),
	);
	const fewSeconds = median(few.map(({seconds}) => seconds));
	const manySeconds = median(many.map(({seconds}) => seconds));
	console.log(`median: ${round(fewSeconds)} s and ${round(manySeconds)} s, ratio ${round(manySeconds / fewSeconds)}`);
	const phases = [few.at(-1), many.at(-1)].map(measured => new Map(measured?.phases));
	console.table(
		Object.fromEntries(
			[...(phases[0]?.keys() ?? [])].map(phase => [
				phase,
				Object.fromEntries(phases.map((of, i) => [names[i], round(of.get(phase) ?? 0)])),
			]),
		),
	);
};

/** @type {(values: number[]) => number} */
const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const round = (/** @type {number} */ value) => Math.round(value * 100) / 100;

const timeArray = async (/** @type {number} */ count) => {
	const startedMs = performance.now();
	const output = ['-j', 'n', '-o', '/dev/null', '-e', '/dev/null', '-wd', '/'];
	await execute('qsub', ['-t', `1-${count}`, '-sync', 'y', '-b', 'y', ...output, process.execPath, '-e', '0'], {maxBuffer: 2 ** 26});
	return (performance.now() - startedMs) / 1000;
};

/** In a process of its own, for its peak of memory and its cold start. @type {(size: {numTasks: number, numChunks: number}) => Promise<Measured>} */
const measureInChild = async size => {
	const {stdout} = await execute(process.execPath, [fileURLToPath(import.meta.url), '--measure', JSON.stringify(size)], {
		maxBuffer: 2 ** 26,
	});
	return JSON.parse(stdout);
};

/** @type {(size: {numTasks: number, numChunks: number}) => Promise<Measured>} */
const measure = async ({numTasks, numChunks}) => {
	const directory = mkdtempSync(path.join(tmpdir(), 'qmr-bench-'));
	try {
		const workDir = path.join(directory, 'work_dir');
		const programs = await wrapPrograms(directory);
		const pool = new Pool({...programs.options, numChunks, workDir, keepWorkDir: true});
		const tasks = Array.from({length: numTasks}, (_, i) => i);
		const startMs = Date.now();
		const results = await pool.map(double, tasks);
		const endMs = Date.now();
		const peakMegabytes = process.resourceUsage().maxRSS / 1024;
		if (results.length !== numTasks || results.some((result, i) => result !== 2 * i)) throw new Error('wrong results');
		return {
			seconds: (endMs - startMs) / 1000,
			peakMegabytes,
			phases: await readPhases(workDir, startMs, endMs),
			...measureFiles(workDir),
			calls: programs.countCalls(),
		};
	} finally {
		rmSync(directory, {recursive: true});
	}
};

/** Programs that count their calls before they become the real ones. */
const wrapPrograms = async (/** @type {string} */ directory) => {
	const names = /** @type {const} */ (['qsub', 'qstat', 'qdel', 'qacct']);
	const wrap = async (/** @type {string} */ name) => {
		const real = (await execute('which', [name])).stdout.trim();
		const wrapper = path.join(directory, name);
		writeFileSync(wrapper, `#!/bin/sh\necho >>'${wrapper}.calls'\nexec '${real}' "$@"\n`);
		chmodSync(wrapper, 0o755);
		writeFileSync(`${wrapper}.calls`, '');
		return [`${name}Path`, wrapper];
	};
	/** @type {Record<string, string>} */
	const options = Object.fromEntries(await Promise.all(names.map(wrap)));
	return {
		options,
		countCalls: () => Object.fromEntries(names.map(name => [name, readFileSync(path.join(directory, `${name}.calls`)).length])),
	};
};

const measureFiles = (/** @type {string} */ workDir) => {
	const names = readdirSync(workDir);
	return {numFiles: names.length, megabytes: names.reduce((sum, name) => sum + statSync(path.join(workDir, name)).size, 0) / 1e6};
};

/** Where the time went, by what the map has noted. @type {(workDir: string, startMs: number, endMs: number) => Promise<[string, number][]>} */
const readPhases = async (workDir, startMs, endMs) => {
	const {journal, tasks} = await readWorkDir(workDir);
	const when = (/** @type {string} */ event) => journal.filter(line => line.event === event).map(({time}) => Date.parse(time));
	const starts = tasks.flatMap(({startedAt}) => startedAt?.getTime() ?? []);
	const ends = tasks.flatMap(({startedAt, elapsedMs}) => (startedAt === undefined ? [] : startedAt.getTime() + (elapsedMs ?? 0)));
	const minimum = (/** @type {number[]} */ times) => times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
	const maximum = (/** @type {number[]} */ times) => times.reduce((a, b) => Math.max(a, b), 0);
	/** @type {[string, number][]} */
	const moments = [
		['until the tasks are written', maximum(when('tasks-complete'))],
		['until the last queue-job is submitted', maximum(when('submitted'))],
		['until the first task begins', minimum(starts)],
		['until the last chunk’s first task begins', maximum(firstOfChunks(tasks))],
		['until the last task ends', maximum(ends)],
		['until the last result is read', maximum(when('result'))],
		['until map returns', endMs],
	];
	return moments.map(([phase, ms]) => [phase, (ms - startMs) / 1000]);
};

/** @type {(tasks: readonly import('queue-map-reduce').TaskRecord[]) => number[]} */
const firstOfChunks = tasks => {
	const first = new Map();
	for (const {ichunk, startedAt} of tasks) if (!first.has(ichunk)) first.set(ichunk, startedAt?.getTime());
	return [...first.values()];
};

await main();
