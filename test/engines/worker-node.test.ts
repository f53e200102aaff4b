/** What a task finds on a real worker-node, and what of a map can be seen on both sides while it runs and afterwards. */
import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {Pool} from 'queue-map-reduce';
import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {coreFileLimit, lookAround} from '../fixtures/on-node.mjs';
import {createTestDirectory, keptWorkDirs, poolOptions} from '../helpers/engines.js';
import {call, untilGone, untilNoted} from '../helpers/grid-engine.js';
import {countThreads, listeningSockets, processesWith} from '../helpers/processes.js';
import {createProject} from '../helpers/programs.js';

let directory: ReturnType<typeof createTestDirectory>;
const children: ChildProcess[] = [];

beforeEach(() => {
	directory = createTestDirectory();
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
	for (const child of children.splice(0)) child.kill('SIGKILL');
	vi.restoreAllMocks();
	vi.unstubAllEnvs();
	directory.remove();
});

test('W9, W12, N21, N22: a task finds the queue-job’s own variables and scratch directory, and the caller’s working directory', async () => {
	for (const name of ['JOB_ID', 'NSLOTS', 'TMPDIR', 'TMP', 'HOSTNAME', 'QUEUE', 'SGE_TASK_ID']) vi.stubEnv(name, '/the/caller’s');
	vi.stubEnv('HOME', '/nonexistent/home');
	const pool = new Pool({...poolOptions('grid-engine', directory.path), queueName: 'all.q'});
	const [outcome] = await pool.mapSettled(lookAround, [1]);
	const {jobId, host} = outcome ?? {};
	const [, directoryOfScratch] = /^tmpdir\s+(\S+)$/m.exec(await call('qconf', ['-sq', 'all.q'])) ?? [];
	const scratch = `${directoryOfScratch}/${jobId}.1.all.q`;
	expect(outcome).toMatchObject({
		status: 'fulfilled',
		value: {
			cwd: process.cwd(),
			uid: process.getuid?.(),
			umask: process.umask(),
			// A queue lifts it.
			coreFileLimit: coreFileLimit() === '0' ? '0' : expect.any(String),
			home: '/nonexistent/home',
			tmpdir: scratch,
			isTmpdirThere: true,
			parent: 'sge_shepherd',
			variables: {JOB_ID: jobId, NSLOTS: '1', TMP: scratch, HOSTNAME: host, QUEUE: 'all.q', SGE_TASK_ID: 'undefined'},
		},
	});
	expect((await call('qconf', ['-sel'])).split('\n')).toContain(host);
	expect(host).not.toBe(hostname());
	expect(JSON.stringify(outcome)).not.toContain('/the/caller’s');
	await untilGone(({id}) => id === jobId);
	await vi.waitUntil(() => !existsSync(scratch), {timeout: 90_000, interval: 200});
});

/** Starts a program of its own; gives its process once it has written the file. */
const start = async (program: string, args: readonly string[], writes: string): Promise<ChildProcess & {pid: number}> => {
	const child = spawn(process.execPath, [join(directory.path, program), ...args], {cwd: directory.path, stdio: 'ignore'});
	children.push(child);
	await vi.waitUntil(() => existsSync(join(directory.path, writes)), {timeout: 60_000, interval: 100});
	return child as ChildProcess & {pid: number};
};

const CONTROL = `import {spawn} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {Worker} from 'node:worker_threads';
await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => readFile(process.execPath)));
await new Promise(resolve => spawn('true').on('close', resolve));
if (process.argv[2] === 'more') {
	await new Promise(resolve => createServer().listen(0, resolve));
	await new Promise(resolve => createServer().listen('socket', resolve));
	await new Promise(resolve => new Worker('setInterval(() => {}, 1000)', {eval: true}).on('online', resolve));
}
await writeFile(process.argv[2], '');
setInterval(() => {}, 1000);
`;

test('Q24: no side has a worker thread or listens on a port while a map runs, and no process is left afterwards', async () => {
	createProject(directory.path, {
		'control.mjs': CONTROL,
		'main.mjs': `import {writeFileSync} from 'node:fs';
import {Pool} from 'queue-map-reduce';
import {waitForFile} from './on-node.mjs';
const pool = new Pool({engine: 'grid-engine', pollingIntervalMs: 500, keepWorkDir: true});
const results = await pool.map(waitForFile, [0, 1].map(() => ({started: 'started', until: 'until'})), {numChunks: 1});
writeFileSync('results', JSON.stringify(results));
`,
		'on-node.mjs': readFileSync(new URL('../fixtures/on-node.mjs', import.meta.url), 'utf8'),
	});
	// What a bare Node has that reads files and starts programs; and what would be seen if there were more.
	const control = await start('control.mjs', ['control'], 'control');
	const controlWithMore = await start('control.mjs', ['more'], 'more');
	expect(countThreads(controlWithMore.pid)).toBeGreaterThan(countThreads(control.pid));
	expect(listeningSockets(controlWithMore.pid).map(socket => socket.split(' ')[0])).toEqual([expect.stringMatching(/^tcp/), 'unix']);
	expect(listeningSockets(control.pid)).toEqual([]);

	const processNode = await start('main.mjs', [], 'started');
	const ended = new Promise(resolve => processNode.once('exit', resolve));
	const [workDir] = keptWorkDirs(join(directory.path, '.qmr')) as [string];
	await untilNoted(workDir, ({event}) => event === 'running');
	const begun = (): string => readFileSync(join(directory.path, 'started'), 'utf8');
	await vi.waitUntil(() => begun().includes('\n'), {timeout: 60_000, interval: 100});
	const worker = Number(begun().split(' ')[1]);
	expect(processesWith(workDir)).toContain(worker);
	for (const pid of [processNode.pid, worker]) {
		expect(countThreads(pid)).toBeLessThanOrEqual(countThreads(control.pid));
		expect(listeningSockets(pid)).toEqual([]);
	}
	writeFileSync(join(directory.path, 'until'), '');
	expect(await ended).toBe(0);
	expect(readFileSync(join(directory.path, 'results'), 'utf8')).toBe('[1,1]');
	await vi.waitUntil(() => processesWith(workDir).length === 0, {timeout: 90_000, interval: 200});
	const session = workDir.split('/').at(-1) as string;
	await untilGone(({name}) => name.includes(session));
	expect(processesWith(session)).toEqual([]);
});
