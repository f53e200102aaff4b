/** What it takes to bring a fault about at the right moment, and to see that it has happened. */
import {existsSync, readFileSync} from 'node:fs';
import {open, stat} from 'node:fs/promises';
import {readWorkDir} from 'queue-map-reduce';
import {vi} from 'vitest';
import {scanPart} from '../../src/block-file/scan-part.js';
import {attemptPath} from '../../src/layout.js';
import {call, type JournalLine, listJobs} from './grid-engine.js';

/** A begin of a task, as test/fixtures/faulty.mjs notes it. */
export type Begin = {
	readonly itask: number;
	readonly attempt: number;
	/** The worker's; its parent is the shepherd. */
	readonly pid: number;
	readonly ppid: number;
	readonly host: string;
};

export const readBegins = (path: string): Begin[] =>
	existsSync(path)
		? readFileSync(path, 'utf8')
				.split('\n')
				// What stands behind the last line break is still being written.
				.slice(0, -1)
				.map(line => JSON.parse(line) as Begin)
		: [];

/** How often each of the tasks was begun, in task order. */
export const countBegins = (path: string, numTasks: number): number[] => {
	const counts: number[] = new Array(numTasks).fill(0);
	for (const {itask} of readBegins(path)) counts[itask] = (counts[itask] ?? 0) + 1;
	return counts;
};

/** Grid Engine may take its time, and so may a machine with two processors. */
const TIMEOUT_MS = 90_000;

export const untilBegun = (path: string, isMeant: (begin: Begin) => boolean): Promise<Begin> =>
	vi.waitUntil(() => readBegins(path).find(isMeant), {timeout: TIMEOUT_MS, interval: 50});

/** Waits until an attempt has so many outcomes on the disk, as another process would find them. */
export const untilFinished = async (
	workDir: string,
	{ichunk = 0, attempt = 1, numFinished}: {ichunk?: number; attempt?: number; numFinished: number},
): Promise<void> => {
	const {session} = (await readWorkDir(workDir)).manifest;
	await vi.waitFor(
		async () => {
			const found = await countFinished(attemptPath(workDir, ichunk, attempt, 'part'), session, ichunk);
			if (found < numFinished) throw new Error(`${found} tasks are finished, not ${numFinished}`);
		},
		{timeout: TIMEOUT_MS, interval: 50},
	);
};

const countFinished = async (path: string, session: string, ichunk: number): Promise<number> => {
	const file = await open(path);
	try {
		const {size} = await stat(path);
		const read = async (position: number, length: number): Promise<Buffer> => {
			const buffer = Buffer.alloc(length);
			const {bytesRead} = await file.read(buffer, 0, length, position);
			return buffer.subarray(0, bytesRead);
		};
		return (await scanPart({size, read}, {session, ichunk})).numFinished;
	} finally {
		await file.close();
	}
};

export const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

/** Kills a process that must be what it is taken for, and waits until it is gone. */
export const killProcess = async (pid: number, command: string): Promise<void> => {
	if (commandOf(pid) !== command) throw new Error(`the process ${pid} is ${commandOf(pid)}, not ${command}`);
	process.kill(pid, 'SIGKILL');
	await untilDead(pid);
};

export const untilDead = async (pid: number): Promise<void> => {
	await vi.waitUntil(() => !isAlive(pid), {timeout: TIMEOUT_MS, interval: 50});
};

/** A dead process that nobody has waited for yet has ended, too. */
export const isAlive = (pid: number): boolean => {
	try {
		return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
};

/** Waits until qstat lists a queue-job with such letters; gives them. */
export const untilState = (id: string, letters: RegExp): Promise<string> =>
	vi.waitUntil(
		async () => {
			const state = (await listJobs().catch(() => [])).find(job => job.id === id)?.state;
			return state !== undefined && letters.test(state) && state;
		},
		{timeout: TIMEOUT_MS, interval: 200},
	);

/** The record of a queue-job in the accounting, by name of field, once it is there. */
export const untilInAccounting = (id: string): Promise<ReadonlyMap<string, string>> =>
	vi.waitUntil(
		async () => {
			const text = await call('qacct', ['-j', id]).catch(() => '');
			const fields = new Map([...text.matchAll(/^(\S+)[ \t]+(.*?)[ \t]*$/gm)].map(([, name, value]) => [name as string, value as string]));
			return fields.has('exit_status') && fields;
		},
		{timeout: TIMEOUT_MS, interval: 500},
	);

export const linesOf = async (workDir: string, event: JournalLine['event']): Promise<JournalLine[]> =>
	(await readWorkDir(workDir)).journal.filter(line => line.event === event);
