/**
 * Maps whose process-node sees what the worker-nodes write as late as on a network file system with long caches: a real one, see late-files.sh. Needs root.
 */
import {spawn} from 'node:child_process';
import {mkdirSync, readdirSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import {type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeAll, beforeEach, expect, test, vi} from 'vitest';
import {createTestDirectory, poolOptions} from '../helpers/engines.js';
import {call, untilGone} from '../helpers/grid-engine.js';
import {processesWith} from '../helpers/processes.js';

const LATE_FILES = fileURLToPath(new URL('late-files.sh', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../fixtures/map-late.mjs', import.meta.url));

/** How old names, attributes and listings may be. */
const LATENESS_SECONDS = 10;

let directory: ReturnType<typeof createTestDirectory>;
let shared: string;
let workDir: string;

beforeAll(() => call(LATE_FILES, ['install']));
beforeEach(() => {
	directory = createTestDirectory();
	shared = join(directory.path, 'shared');
	workDir = join(shared, 'run');
	mkdirSync(shared);
});
afterEach(() => {
	// All of it, should the test have failed.
	for (const pid of started.splice(0)) endGroup(pid);
	directory.remove();
});

const started: number[] = [];
const endGroup = (pid: number): void => {
	try {
		process.kill(-pid, 'SIGTERM');
	} catch {
		// It has ended already.
	}
};

/** They end one after the other, through more than one life of what is cached. */
const TASKS = Array.from({length: 24}, (_, i) => ({ms: 600 * (i + 1), answer: `answer ${i}`}));
const ANSWERS = TASKS.map(({answer}) => answer);
const NUM_CHUNKS = 12;

/** @returns What the program printed, and the result files that were there while it was shown a listing without them. */
const mapLate = async (options: PoolOptions): Promise<{printed: string; said: string; late: ReadonlySet<string>}> => {
	const all = {...poolOptions('grid-engine', directory.path), workDir, keepWorkDir: true, chunkSize: 2, ...options};
	const program = [process.execPath, PROGRAM, JSON.stringify(TASKS), JSON.stringify(all)];
	const child = spawn(LATE_FILES, ['run', shared, String(LATENESS_SECONDS), ...program], {
		stdio: ['ignore', 'pipe', 'pipe'],
		detached: true,
	});
	if (child.pid !== undefined) started.push(child.pid);
	const ended = Promise.all([text(child.stdout), text(child.stderr)]);
	let isOver = false;
	void ended.finally(() => {
		isOver = true;
	});
	const late = new Set<string>();
	const seen = new Set<string>();
	const lookForNews = async (): Promise<void> => {
		const news = listResults().filter(name => !seen.has(name));
		if (news.length === 0) return;
		for (const name of news) seen.add(name);
		const pid = processElsewhere();
		// It has ended, and what it saw is being taken down.
		if (pid === undefined) return;
		const shown = await listAs(pid);
		for (const name of news) if (!shown.includes(name)) late.add(name);
	};
	await vi.waitUntil(
		async () => {
			if (!isOver) await lookForNews();
			return isOver;
		},
		{timeout: 150_000, interval: 200},
	);
	const [printed, said] = await ended;
	return {printed, said, late};
};

const listResults = (): string[] => {
	try {
		return readdirSync(workDir).filter(name => name.endsWith('.out'));
	} catch {
		return [];
	}
};

/** Undefined when it has ended. */
const namespaceOf = (pid: number | 'self'): string | undefined => {
	try {
		return readlinkSync(`/proc/${pid}/ns/mnt`);
	} catch {
		return undefined;
	}
};

/** The program itself is the one that sees other mounts than we do. */
const processElsewhere = (): number | undefined =>
	processesWith(PROGRAM).find(pid => ![undefined, namespaceOf('self')].includes(namespaceOf(pid)));

const listAs = async (pid: number): Promise<string[]> =>
	(await call('nsenter', [`--mount=/proc/${pid}/ns/mnt`, 'ls', workDir]).catch(() => '')).split('\n');

const countEvents = async (...events: readonly string[]): Promise<number[]> => {
	const {journal} = await readWorkDir(workDir);
	return events.map(event => journal.filter(line => line.event === event).length);
};

test('results that are seen ten seconds late are waited for: nothing is lost, and nothing is computed twice', async () => {
	// The default, for poolOptions has one that is quick.
	const {printed, said, late} = await mapLate({graceMs: 90_000});
	expect([said, JSON.parse(printed)]).toEqual([expect.stringContaining('the work_dir is kept'), ANSWERS]);
	expect(late.size).toBeGreaterThan(0);
	expect(await countEvents('submitted', 'result', 'lost', 'resubmitted')).toEqual([NUM_CHUNKS, NUM_CHUNKS, 0, 0]);
	const {tasks, problems} = await readWorkDir(workDir);
	expect(problems).toEqual([]);
	expect(tasks.map(({state, attempts}) => [state, attempts.length])).toEqual(TASKS.map(() => ['done', 1]));
});

test('results that are later than `graceMs` are computed again, which costs time and no result', async () => {
	const {printed, late} = await mapLate({graceMs: 500});
	expect(JSON.parse(printed)).toEqual(ANSWERS);
	expect(late.size).toBeGreaterThan(0);
	const [numResults, numLost = 0, numResubmitted] = await countEvents('result', 'lost', 'resubmitted');
	expect(numLost).toBeGreaterThan(0);
	expect([numResults, numResubmitted]).toEqual([NUM_CHUNKS, numLost]);
	// What was submitted once too often does not stay in the queue.
	const {manifest} = await readWorkDir(workDir);
	await untilGone(({name}) => name.startsWith(`q${manifest.session}#`));
});
