/** A work_dir as a map over a made-up cluster would leave it: hosts with slots, queue-jobs that wait, compute, fail and are submitted again. The files are written by the library's own encoders. */
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {JournalEvent} from '../../src/journal.js';
import {attemptPath, createSession, jobName, tasksPath} from '../../src/layout.js';
import {type BlockFileEncoder, createBlockFileEncoder, type FileHeader, type TaskFailure} from '../../src/v8-serialize-helpers.js';

export type MadeMap = {
	readonly numChunks: number;
	readonly tasksPerChunk: number;
	readonly numHosts: number;
	readonly slotsPerHost: number;
	/** Of a task, on average. */
	readonly taskMs: number;
	/** @default A name for each host. */
	readonly hostName?: (ihost: number) => string;
	/** Of the chunks, from 0 to 1. */
	readonly lostShare?: number;
	readonly failedShare?: number;
	/** What failed tasks say and write. */
	readonly failure?: TaskFailure;
	readonly stderr?: string;
	readonly task?: (itask: number) => unknown;
	readonly manifest?: object;
	readonly resources?: object;
	readonly memoryBytes?: number;
	/** As if the map were looked at when it is so far; 1 for a map that has ended. */
	readonly until?: number;
};

export const BEGAN_AT_MS: number = Date.UTC(2026, 10, 21, 0, 20, 7);
const SUBMIT_MS = 12;
const START_MS = 140;
const SEEN_MS = 400;

export const writeMadeWorkDir = (workDir: string, map: MadeMap): void => {
	const {numChunks, tasksPerChunk, numHosts, slotsPerHost, taskMs, until = 1} = map;
	const session = createSession(BEGAN_AT_MS, new Uint8Array([0xa1, 0x0c, 0xda]));
	const random = createRandom();
	mkdirSync(workDir, {recursive: true, mode: 0o700});
	chmodSync(workDir, 0o700);
	const events: {readonly atMs: number; readonly event: JournalEvent}[] = [];
	const note = (atMs: number, event: JournalEvent): void => void events.push({atMs, event});
	/** When each slot is free. */
	const slots = Array.from({length: numHosts * slotsPerHost}, (_, i) => ({
		host: map.hostName?.(i % numHosts) ?? `node${i % numHosts}`,
		freeMs: 0,
	}));
	const due = Array.from({length: numChunks}, (_, ichunk) => ({ichunk, attempt: 1, submittedMs: SUBMIT_MS * (ichunk + 1)}));
	const plans: {ichunk: number; attempt: number; host: string; beganMs: number; elapsedMs: number[]; endedMs: number; isLost: boolean}[] =
		[];
	for (const job of due) {
		const slot = slots.reduce((best, each) => (each.freeMs < best.freeMs ? each : best));
		const beganMs = Math.max(slot.freeMs, job.submittedMs) + 300 + 700 * random();
		const elapsedMs = Array.from({length: tasksPerChunk}, () => taskMs * (0.4 + random() + (random() < 0.02 ? 4 : 0)));
		const endedMs = beganMs + START_MS + elapsedMs.reduce((sum, ms) => sum + ms, 0);
		const isLost = job.attempt === 1 && random() < (map.lostShare ?? 0);
		slot.freeMs = endedMs;
		plans.push({...job, host: slot.host, beganMs, elapsedMs, endedMs, isLost});
		if (isLost) due.push({...job, attempt: job.attempt + 1, submittedMs: endedMs + SEEN_MS});
	}
	const endMs = plans.reduce((most, {endedMs}) => Math.max(most, endedMs), 0) + SEEN_MS;
	const nowMs = until * endMs;
	const submittedMs = new Map(due.map(({ichunk, attempt, submittedMs: atMs}) => [`${ichunk}.${attempt}`, atMs]));
	for (const {ichunk, attempt, host, beganMs, elapsedMs, endedMs, isLost} of plans) {
		const who = {ichunk, attempt, jobId: String(90_000 + ichunk + attempt * 100_000)};
		const atMs = submittedMs.get(`${ichunk}.${attempt}`) ?? 0;
		note(atMs - 5, {
			event: 'submitting',
			ichunk,
			attempt,
			jobName: jobName(session, ichunk, attempt),
			...(map.resources && {resources: map.resources}),
		});
		note(atMs, {event: 'submitted', ...who});
		note(beganMs + 250, {event: 'running', ...who, host, state: 'running', rawState: 'r'});
		const reason = `the queue-job ended on ${host} without a result: killed by SIGKILL`;
		note(endedMs + SEEN_MS, isLost ? {event: 'lost', ...who, host, kind: 'killed', reason} : {event: 'result', ...who, host});
		if (beganMs > nowMs) continue;
		const header = {
			kind: 'outcomes',
			format: 1,
			node: process.version,
			session,
			ichunk,
			firstTask: ichunk * tasksPerChunk,
			numTasks: tasksPerChunk,
			attempt,
			host,
			jobId: who.jobId,
			pid: 4711,
			writtenAt: time(beganMs + START_MS),
		} as const satisfies FileHeader;
		const encoder = createBlockFileEncoder(header);
		if (isLost || endedMs > nowMs) {
			writeFileSync(attemptPath(workDir, ichunk, attempt, 'part'), encoder.begin());
			continue;
		}
		const pieces = [encoder.begin(), ...addOutcomes(encoder, map, elapsedMs, BEGAN_AT_MS + beganMs + START_MS, random)];
		const trailer = {
			beganAt: time(beganMs),
			endedAt: time(endedMs),
			stdoutBytes: 0,
			stderrBytes: 0,
			warnings: [],
			sources: [],
			usage: {maxRssBytes: (map.memoryBytes ?? 2 ** 28) * (0.8 + 0.2 * random()), userMs: 0.9 * (endedMs - beganMs), systemMs: 20},
		};
		writeFileSync(attemptPath(workDir, ichunk, attempt, 'out'), Buffer.concat([...pieces, ...encoder.end(trailer)]));
		if (map.stderr !== undefined) writeFileSync(attemptPath(workDir, ichunk, attempt, 'e'), map.stderr);
	}
	for (let ichunk = 0; ichunk < numChunks; ichunk++) writeTasks(workDir, session, ichunk, map);
	if (until >= 1) note(endMs, {event: 'ended', message: 'all is done'});
	const seen = events.filter(({atMs}) => atMs <= nowMs || until >= 1).sort((a, b) => a.atMs - b.atMs);
	writeFileSync(join(workDir, 'log.jsonl'), seen.map(({atMs, event}) => `${JSON.stringify({time: time(atMs), ...event})}\n`).join(''));
	writeFileSync(join(workDir, 'run.json'), JSON.stringify({...describe(workDir, session, map), ...map.manifest}));
};

const time = (ms: number): string => new Date(BEGAN_AT_MS + ms).toISOString();

const addOutcomes = (
	encoder: BlockFileEncoder,
	map: MadeMap,
	elapsedMs: readonly number[],
	firstMs: number,
	random: () => number,
): Buffer[] => {
	let startedAtMs = firstMs;
	for (const ms of elapsedMs) {
		const hasFailed = random() < (map.failedShare ?? 0);
		const output = map.stderr === undefined ? undefined : ({stdout: [0, 0], stderr: [0, Buffer.byteLength(map.stderr)]} as const);
		if (hasFailed) encoder.addFailure(map.failure ?? {kind: 'exception', message: 'RangeError: boom'}, startedAtMs, ms, output);
		else encoder.addValue(Math.round(ms), startedAtMs, ms);
		startedAtMs += ms;
	}
	return encoder.takeBlock() ?? [];
};

const writeTasks = (workDir: string, session: string, ichunk: number, {tasksPerChunk, task = itask => ({alpha: itask})}: MadeMap): void => {
	const firstTask = ichunk * tasksPerChunk;
	const encoder = createBlockFileEncoder({
		kind: 'tasks',
		format: 1,
		node: process.version,
		session,
		ichunk,
		firstTask,
		numTasks: tasksPerChunk,
		host: 'login',
		pid: 4711,
		writtenAt: time(0),
	});
	for (let i = 0; i < tasksPerChunk; i++) encoder.addValue(task(firstTask + i));
	const bytes = Buffer.concat([encoder.begin(), ...(encoder.takeBlock() ?? []), ...encoder.end({})]);
	writeFileSync(tasksPath(workDir, ichunk), bytes);
};

const describe = (workDir: string, session: string, {numChunks, tasksPerChunk}: MadeMap): object => ({
	format: 1,
	library: {name: 'queue-map-reduce', version: '0.1.0'},
	node: process.version,
	session,
	workDir,
	createdAt: time(0),
	message: '',
	tags: [],
	function: {kind: 'module', name: 'measure', url: 'file:///home/ada/measure.js', exportPath: ['measure']},
	call: 'map',
	seed: session,
	engine: 'grid-engine',
	numTasks: numChunks * tasksPerChunk,
	numChunks,
	worker: {},
	options: {queueName: 'short.q'},
	incompleteOptions: [],
	configFiles: [],
	processNode: {host: 'login1', user: 'ada', pid: 4711, cwd: '/home/ada', command: ['node', 'main.js']},
});

/** The same numbers in every run. */
const createRandom = (): (() => number) => {
	let state = 1;
	return () => {
		state = (state * 48_271) % 2_147_483_647;
		return state / 2_147_483_647;
	};
};
