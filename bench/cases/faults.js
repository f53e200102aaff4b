/**
 * What faults cost on a real Grid Engine, in tables of its own: deaths, cut nodes, resuming, and a storm of all of them. As root, on a cluster of
 * test/engines/grid-engine.sh whose programs are on PATH (`grid-engine.sh wrappers`), with its GRID_ENGINE_INSTANCE, which nobody else uses meanwhile.
 */
import {execFile, spawn} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {createTasks, mapNotes} from '../helpers/map-notes.js';
import {storm} from '../storm/storm.js';
import {note} from '../storm/task.js';

/** @typedef {import('../storm/task.js').TaskEvent} TaskEvent */

const execute = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../../test/engines/grid-engine.sh', import.meta.url));
const control = (/** @type {string} */ verb, /** @type {string[]} */ ...args) => execute(SCRIPT, [verb, ...args]);

const STORM_SECONDS = 240;

/** @type {(bench: import('../helpers/case.js').Bench) => import('../helpers/case.js').Report[]} */
export const createFaults = ({engine}) =>
	engine.name === 'grid-engine' ? [{name: 'faults', title: 'what faults cost, in tables of its own', report: reportFaults}] : [];

const reportFaults = async (/** @type {number} */ numRuns) => {
	await inDirectories(numRuns, 'from the death of a worker to the next attempt (s)', measureDeath);
	await inDirectories(
		numRuns,
		`from the cut of a node to the finished map (s), with unreachableAfterMs ${UNREACHABLE_AFTER_MS}`,
		measureCut,
	);
	await inDirectories(numRuns, '24 tasks of 4 s in 12 chunks, the process-node killed when half of them are done (s)', measureResume);
	await inDirectories(1, `three processes for ${STORM_SECONDS} s, seed ${process.pid}`, async directory => {
		const {faults, hung, lost, twice, ...rest} = await storm({
			directory,
			seconds: STORM_SECONDS,
			numProcesses: 3,
			seed: process.pid,
			control,
			env: process.env,
		});
		console.table(Object.fromEntries(Object.entries(faults).map(([name, times]) => [name, {times}])));
		return {faults: sum(Object.values(faults)), ...rest, lost: lost.length, 'computed twice': twice.length, hung: hung.length};
	});
};

const sum = (/** @type {number[]} */ values) => values.reduce((a, b) => a + b, 0);
const round = (/** @type {number} */ ms) => Math.round(ms / 10) / 100;

/** @type {(numRuns: number, title: string, body: (directory: string) => Promise<Record<string, unknown>>) => Promise<void>} */
const inDirectories = async (numRuns, title, body) => {
	const rows = [];
	for (let run = 0; run < numRuns; run++) {
		const directory = mkdtempSync(path.join(tmpdir(), 'qmr-bench-'));
		try {
			rows.push(await body(directory));
		} finally {
			rmSync(directory, {recursive: true});
		}
	}
	console.log(title);
	console.table(rows);
};

/** @type {(directory: string) => TaskEvent[]} */
const readEvents = directory => {
	const file = path.join(directory, 'events');
	return existsSync(file)
		? readFileSync(file, 'utf8')
				.trimEnd()
				.split('\n')
				.map(line => JSON.parse(line))
		: [];
};

/** @type {<T>(find: () => T | undefined | Promise<T | undefined>) => Promise<T>} */
const until = async find => {
	for (;;) {
		const found = await find();
		if (found !== undefined) return found;
		await sleep(50);
	}
};

/** With the options by default. @type {(directory: string) => Promise<Record<string, unknown>>} */
const measureDeath = async directory => {
	const workDir = path.join(directory, 'work_dir');
	const running = new Pool({workDir, keepWorkDir: true}).map(note, createTasks(directory, 1, 8000));
	const {pid} = await until(() => readEvents(directory)[0]);
	// In the middle of the task: the intervals of looking have grown by then.
	await sleep(4000);
	process.kill(pid, 'SIGKILL');
	const killedMs = Date.now();
	await running;
	const {journal} = await readWorkDir(workDir);
	const since = (/** @type {string} */ event, /** @type {number} */ attempt) =>
		round(Date.parse(journal.find(line => line.event === event && line.attempt === attempt)?.time ?? '') - killedMs);
	const again = readEvents(directory).find(({event, attempt}) => event === 'begin' && attempt === 2);
	return {recognised: since('lost', 1), 'submitted again': since('submitted', 2), 'begun again': round((again?.timeMs ?? 0) - killedMs)};
};

const UNREACHABLE_AFTER_MS = 15_000;

/** @type {(directory: string) => Promise<Record<string, unknown>>} */
const measureCut = async directory => {
	const workDir = path.join(directory, 'work_dir');
	const tasks = createTasks(directory, 1, 1000).map(task => ({...task, firstTakesMs: 600_000}));
	const running = new Pool({workDir, keepWorkDir: true, unreachableAfterMs: UNREACHABLE_AFTER_MS}).map(note, tasks);
	const host = await until(async () => (await journalOf(workDir)).find(({rawState}) => rawState === 'r')?.host);
	await control('cut', host);
	const cutMs = Date.now();
	try {
		await running;
		const finishedMs = Date.now();
		const journal = await journalOf(workDir);
		const since = (/** @type {string | undefined} */ time) => round(Date.parse(time ?? '') - cutMs);
		return {
			'seen as unreachable': since(journal.find(({state}) => state === 'unreachable')?.time),
			'given up': since(journal.find(({event}) => event === 'lost')?.time),
			finished: round(finishedMs - cutMs),
		};
	} finally {
		await control('heal', host);
		await until(async () => ((await execute('qstat', ['-u', '*'])).stdout === '' ? true : undefined));
	}
};

const NUM_TASKS = 24;
const MAP = {numTasks: NUM_TASKS, takesMs: 4000, numChunks: NUM_TASKS / 2};

const MAP_NOTES = fileURLToPath(new URL('../helpers/map-notes.js', import.meta.url));

/** @type {(directory: string) => Promise<Record<string, unknown>>} */
const measureResume = async directory => {
	const killed = path.join(directory, 'killed');
	const again = path.join(directory, 'again');
	for (const made of [killed, again]) mkdirSync(made);
	const child = spawn(process.execPath, [MAP_NOTES, JSON.stringify({...MAP, directory: killed})], {
		stdio: 'ignore',
	});
	const ended = new Promise(resolve => child.once('exit', resolve));
	const numEnded = () => readEvents(killed).filter(({event}) => event === 'end').length;
	await until(() => (numEnded() >= NUM_TASKS / 2 ? true : undefined));
	child.kill('SIGKILL');
	await ended;
	const resumedMs = performance.now();
	const run = await Pool.resume(path.join(killed, 'work_dir'), {keepWorkDir: true});
	await run.results();
	const tookMs = performance.now() - resumedMs;
	const numBegun = readEvents(killed).filter(({event}) => event === 'begin').length;
	const beganMs = performance.now();
	await mapNotes({...MAP, directory: again});
	return {resume: round(tookMs), 'starting again': round(performance.now() - beganMs), 'tasks begun again': numBegun - NUM_TASKS};
};

const journalOf = async (/** @type {string} */ workDir) => {
	try {
		return (await readWorkDir(workDir)).journal;
	} catch {
		return [];
	}
};
