/** Maps on a disk that is full, takes no changes for a while, or goes away. Needs root, to mount one. */
import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool, type PoolError, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {answerOf, bytesAfter, waitForFile} from '../fixtures/on-node.mjs';
import {createTestDirectory, poolOptions} from '../helpers/engines.js';
import {call, createEnding, type Ending, listJobs, untilGone} from '../helpers/grid-engine.js';
import {createSmallDisk, type SmallDisk} from '../helpers/small-disk.js';

const DISK_BYTES = 4 * 2 ** 20;
/** In which a disk in memory gives out space. */
const BLOCK_BYTES = 4096;

let directory: ReturnType<typeof createTestDirectory>;
let disk: SmallDisk;
let ending: Ending;
let said: string;

beforeEach(() => {
	directory = createTestDirectory();
	disk = createSmallDisk(join(directory.path, 'disk'), DISK_BYTES);
	ending = createEnding();
	said = '';
	vi.spyOn(process.stderr, 'write').mockImplementation(text => {
		said += String(text);
		return true;
	});
});
afterEach(async () => {
	await ending.end();
	vi.restoreAllMocks();
	disk.remove();
	directory.remove();
});

const optionsFor = (more: PoolOptions = {}): PoolOptions => ({
	...poolOptions('grid-engine', directory.path),
	workRoot: disk.path,
	graceMs: 30_000,
	signal: ending.signal,
	...more,
});
const untilSaid = (words: string): Promise<boolean> => vi.waitUntil(() => said.includes(words), {timeout: 60_000, interval: 50});
const untilThere = (path: string): Promise<boolean> => vi.waitUntil(() => existsSync(path), {timeout: 60_000, interval: 50});
const eventsOf = async (workDir: string): Promise<string[]> => (await readWorkDir(workDir)).journal.map(({event}) => event);
/** Not one line was cut off in the middle, and gone on with later. */
const journalIsWhole = (workDir: string): boolean =>
	readFileSync(join(workDir, 'log.jsonl'), 'utf8')
		.trimEnd()
		.split('\n')
		.every(line => typeof JSON.parse(line).event === 'string');

const endingOf = (map: Promise<unknown>): Promise<string> =>
	map.then(
		() => 'done',
		(error: PoolError) => error.code ?? error.message,
	);

describe('while the tasks are written', () => {
	test.each([
		['the default place', {}],
		['a workDir', {workDir: 'runs/mine'}],
	])('a full disk is told, nothing is submitted, nothing is left behind: %s', async (_, {workDir}: {workDir?: string}) => {
		const [mark, qsub] = [join(directory.path, 'qsub-was-called'), join(directory.path, 'qsub')];
		writeFileSync(qsub, `#!/bin/sh\n: >'${mark}'\nexec qsub "$@"\n`);
		chmodSync(qsub, 0o755);
		const options = optionsFor({qsubPath: qsub, ...(workDir === undefined ? {} : {workDir: join(disk.path, workDir)})});
		const tasks = Array.from({length: 6}, () => new Uint8Array(2 ** 20));
		const error = await new Pool(options).map(answerOf, tasks).then(
			() => undefined,
			(thrown: PoolError) => thrown,
		);
		expect(error).toMatchObject({code: 'ERR_POOL_WORK_DIR', cause: {code: 'ENOSPC'}});
		expect(error?.message).toMatch(
			/^The work_dir \/.* can't be made: ENOSPC: no space left on device, write\. The disk is full: make space there\. Choose another place by `workDir` or `workRoot`\.$/,
		);
		expect(readdirSync(disk.path)).toEqual([]);
		expect(disk.freeBytes()).toBe(DISK_BYTES);
		expect(existsSync(mark)).toBe(false);
		// The next map finds the disk as it was.
		expect(await new Pool(options).map(answerOf, [1, 2])).toEqual([1, 2]);
		expect(existsSync(mark)).toBe(true);
	});

	test('wherever the space ends: either nothing is left behind, or the map has begun and goes on when there is space', async () => {
		const map = (more: PoolOptions = {}): Promise<number[]> =>
			new Pool({...poolOptions('local', directory.path), workRoot: disk.path, ...more}).map(answerOf, [1]);
		await map({keepWorkDir: true});
		const neededBytes = DISK_BYTES - disk.freeBytes();
		for (const name of readdirSync(disk.path)) rmSync(join(disk.path, name), {recursive: true});
		const hasBegun = (): boolean =>
			said.includes("can't be read or written") ||
			readdirSync(disk.path).some(name => !name.startsWith('.') && existsSync(join(disk.path, name, 'log.jsonl')));
		const endings: string[] = [];
		// From too little for the last files of the work_dir up to enough for all.
		for (let lessBlocks = 8; lessBlocks >= 0; lessBlocks--) {
			disk.fill(neededBytes - lessBlocks * BLOCK_BYTES);
			said = '';
			let ending: string | undefined;
			const ended = endingOf(map()).then(how => {
				ending = how;
			});
			await vi.waitUntil(() => ending !== undefined || hasBegun(), {timeout: 60_000, interval: 5});
			disk.clear();
			await ended;
			endings.push(ending as unknown as string);
			expect([ending, readdirSync(disk.path)]).toEqual([ending, []]);
		}
		// First the one, then the other.
		const numRefused = endings.lastIndexOf('ERR_POOL_WORK_DIR') + 1;
		expect(endings).toEqual(endings.map((_, i) => (i < numRefused ? 'ERR_POOL_WORK_DIR' : 'done')));
		expect([numRefused > 0, numRefused < endings.length]).toEqual([true, true]);
	});

	test('a disk that takes no changes is told', async () => {
		disk.setWritable(false);
		await expect(new Pool(optionsFor()).map(answerOf, [1])).rejects.toMatchObject({
			code: 'ERR_POOL_WORK_DIR',
			message: expect.stringMatching(/can't be made: EROFS: .*\. The file system takes no changes\. Choose another place/),
		});
	});
});

describe('while the map runs', () => {
	/** So many that what is noted of them does not fit into what is left of the journal's last block. */
	const NUM_HELD = 30;

	const mapHeld = async (): Promise<{running: Promise<number[]>; workDir: string; release: () => Promise<string>}> => {
		const workDir = join(disk.path, 'run');
		const tasks = Array.from({length: NUM_HELD}, (_, i) => i);
		const running = ending.watch(new Pool(optionsFor({qsubArgs: ['-h'], keepWorkDir: true, workDir})).map(answerOf, tasks));
		await vi.waitUntil(
			async () => existsSync(workDir) && (await eventsOf(workDir)).filter(event => event === 'submitted').length === NUM_HELD,
			{timeout: 60_000, interval: 200},
		);
		const {manifest} = await readWorkDir(workDir);
		return {
			running,
			workDir,
			release: async () => {
				const held = (await listJobs()).filter(({name}) => name.startsWith(`q${manifest.session}#`));
				return call(
					'qrls',
					held.map(({id}) => id),
				);
			},
		};
	};

	test('a journal that can’t be written is an outage: the map waits, and goes on when there is space', async () => {
		const {running, workDir, release} = await mapHeld();
		disk.fill(0);
		await release();
		await untilSaid("the work_dir can't be read or written, waiting up to 6.0 hours: ENOSPC");
		expect(disk.freeBytes()).toBe(0);
		disk.clear();
		expect(await running).toEqual(Array.from({length: NUM_HELD}, (_, i) => i));
		expect(said).toMatch(/over after .*: the work_dir can't be read or written/);
		expect(journalIsWhole(workDir)).toBe(true);
		const events = await eventsOf(workDir);
		expect(events).toEqual(expect.arrayContaining(['queue-silent', 'queue-answers', 'ended']));
		// Nobody's attempt was given up for it.
		expect(events.filter(event => event === 'submitted')).toHaveLength(NUM_HELD);
		expect((await readWorkDir(workDir)).problems).toEqual([]);
	});

	test('a file system that takes no changes for a while is an outage, too; what failed for it is computed again', async () => {
		const {running, workDir, release} = await mapHeld();
		disk.setWritable(false);
		await release();
		await untilSaid("the work_dir can't be read or written, waiting up to 6.0 hours: EROFS");
		const {manifest} = await readWorkDir(workDir);
		await untilGone(({name}) => name.startsWith(`q${manifest.session}#`));
		disk.setWritable(true);
		// What is submitted again is held as the first was.
		const releasing = setInterval(() => void release().catch(() => undefined), 1000);
		expect(await running.finally(() => clearInterval(releasing))).toEqual(Array.from({length: NUM_HELD}, (_, i) => i));
		expect(journalIsWhole(workDir)).toBe(true);
		expect((await eventsOf(workDir)).filter(event => event === 'submitted').length).toBeGreaterThan(NUM_HELD);
		expect((await readWorkDir(workDir)).problems).toEqual([]);
	});

	test('a worker that can’t write its outcome waits, and goes on when there is space', async () => {
		const [started, until] = [join(directory.path, 'started'), join(directory.path, 'until')];
		const workDir = join(disk.path, 'run');
		const numBytes = 2 ** 20;
		const running = ending.watch(new Pool(optionsFor({workDir, keepWorkDir: true})).map(bytesAfter, [{started, until, numBytes}]));
		await untilThere(started);
		disk.fill(numBytes / 4);
		writeFileSync(until, '');
		const part = join(workDir, '000000000.1.part');
		// It has written what there was space for, and has not ended.
		await vi.waitUntil(() => disk.freeBytes() === 0 && statSync(part).size > numBytes / 8, {timeout: 60_000, interval: 50});
		expect(statSync(part).size).toBeLessThan(numBytes);
		disk.clear();
		const [bytes] = await running;
		expect(Buffer.compare(bytes as Uint8Array, Buffer.alloc(numBytes, 7))).toBe(0);
		const {tasks, problems} = await readWorkDir(workDir);
		expect([problems, tasks[0]?.attempts.length]).toEqual([[], 1]);
	});

	test('a disk that is gone is told when the grace time is over, and no queue-job stays', async () => {
		const [started, until] = [join(directory.path, 'started'), join(directory.path, 'until')];
		const workDir = join(disk.path, 'run');
		const running = new Pool(optionsFor({workDir, graceMs: 500})).map(waitForFile, [{started, until}]);
		const outcome = ending.watch(running).catch((error: PoolError) => error);
		await untilThere(started);
		const {session} = (await readWorkDir(workDir)).manifest;
		rmSync(workDir, {recursive: true});
		expect(await outcome).toMatchObject({
			code: 'ERR_POOL_WORK_DIR',
			message: expect.stringContaining(`${workDir} is gone: ENOENT`),
			workDir,
		});
		await untilGone(({name}) => name.startsWith(`q${session}#`));
	});
});

test('a work_dir that something holds is left there and named, and takes no result away', async () => {
	const [started, until] = [join(directory.path, 'started'), join(directory.path, 'until')];
	const workDir = join(disk.path, 'run');
	const running = ending.watch(new Pool(optionsFor({workDir})).map(waitForFile, [{started, until}]));
	await untilThere(started);
	const inner = createSmallDisk(join(workDir, 'busy'), 2 ** 16);
	try {
		mkdirSync(join(inner.path, 'deep'));
		writeFileSync(until, '');
		expect(await running).toEqual([1]);
		expect(said).toMatch(/the work_dir is kept, for it can't be removed \(EBUSY: .*\): \/.*\/run\n/);
	} finally {
		inner.remove();
	}
});
