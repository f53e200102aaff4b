import fc from 'fast-check';
import {beforeEach, describe, expect, test} from 'vitest';
import {encodeOver} from '../../src/block-file/block-frames.js';
import {type PartScan, readBlocks, scanPart} from '../../src/block-file/scan-part.js';
import {EXIT_CODES} from '../../src/exit-codes.js';
import {type Block, openBlockFile} from '../../src/v8-serialize-helpers.js';
import {type ChunkProgress, FLUSH_MS, openProgress, type ProgressInput, writeStartFailure} from '../../src/worker/chunk-progress.js';
import {SPACE_LIMIT_MS} from '../../src/worker/durable-file.js';
import type {OutcomesTrailer} from '../../src/worker/outcomes-trailer.js';
import {SESSION} from '../helpers/chunk-files.js';
import {createMemoryFiles, type MemoryFiles, systemError, WORK_DIR} from '../helpers/memory-files.js';

let memory: MemoryFiles;
beforeEach(() => {
	memory = createMemoryFiles();
});

type Options = Partial<Pick<ProgressInput, 'numTasks' | 'takesOver'> & ProgressInput['options']>;

const inputOf = (
	attempt: number,
	{numTasks = 100, maxNumResubmissions = 10, taskLimitMs = null, takesOver = true}: Options,
): ProgressInput => ({
	id: {workDir: WORK_DIR, ichunk: 0, attempt},
	session: SESSION,
	options: {maxNumResubmissions, taskLimitMs},
	takesOver,
	firstTask: 0,
	numTasks,
	writer: {host: `n${attempt}`, jobId: `job${attempt}`, pid: 4711, node: process.version, writtenAt: '2026-11-21T00:20:07.000Z'},
});

const open = (attempt: number, options: Options = {}): Promise<ChunkProgress> => openProgress(inputOf(attempt, options), memory.ports);

const TRAILER = {endedAt: '', stdoutBytes: 0, stderrBytes: 0, warnings: []};

const DIED = Symbol('the worker died');

/** What the worker program does, with a task that takes so long and returns who computed it. `begin` may end the worker. */
const run = async (
	progress: ChunkProgress,
	attempt: number,
	numTasks: number,
	tookMs: number,
	begin: (index: number) => void,
): Promise<void> => {
	const {clock} = memory.ports;
	while (progress.next() < numTasks) {
		if (progress.isWriteDue(clock.elapsedMs())) {
			await progress.write();
			continue;
		}
		begin(progress.next());
		memory.advance(tookMs);
		progress.addValue([progress.next(), attempt], 0, tookMs, undefined);
	}
	await progress.finish(TRAILER);
};

const name = (attempt: number, kind: string): string => `000000000.${attempt}.${kind}`;

const sourceOf = (fileName: string) => {
	const bytes = memory.contents.get(fileName) as Buffer;
	return {size: bytes.length, read: async (from: number, length: number) => Buffer.from(bytes.subarray(from, from + length))};
};
const scan = (fileName: string): Promise<PartScan> => scanPart(sourceOf(fileName), {session: SESSION, ichunk: 0});

type Result = {readonly blocks: readonly Block[]; readonly trailer: OutcomesTrailer};
const readResult = async (attempt: number): Promise<Result> => {
	const file = await openBlockFile(sourceOf(name(attempt, 'out')));
	const {frames} = await scan(name(attempt, 'out'));
	return {blocks: await readBlocks(sourceOf(name(attempt, 'out')), frames), trailer: file.trailer as OutcomesTrailer};
};
const outcomesOf = ({blocks}: Result): unknown[] =>
	blocks.flatMap(block => block.values.map((value, i) => block.failures.get(block.first + i)?.kind ?? value));

/** Runs an attempt until it begins this task. */
const dieIn = async (attempt: number, task: number, options: Options = {}, tookMs = 0): Promise<void> => {
	const {numTasks = 100} = options;
	const running = run(await open(attempt, options), attempt, numTasks, tookMs, index => {
		if (index === task) throw DIED;
	});
	await expect(running).rejects.toBe(DIED);
};

describe('what is written, and when', () => {
	test('nothing is begun that no mark on the way to the disk tells of', async () => {
		const begun: number[] = [];
		await run(await open(1), 1, 100, 1, index => {
			begun.push(index);
		}).catch(() => undefined);
		expect(begun).toHaveLength(100);
		memory.contents.clear();
		await run(await open(2), 2, 100, 1, index => {
			const bytes = memory.contents.get(name(2, 'part')) as Buffer;
			const mark = bytes.lastIndexOf('MARK');
			expect(bytes.readUInt32LE(mark + 12)).toBeLessThanOrEqual(index);
			expect(bytes.readUInt32LE(mark + 16)).toBeGreaterThan(index);
		});
	});

	test('tasks longer than a stretch may take have a mark each; a hundred thousand tiny ones have few', async () => {
		await dieIn(1, 9, {}, 300);
		expect((await scan(name(1, 'part'))).mark).toEqual({finished: 9, begunUpTo: 10});
		expect((await scan(name(1, 'part'))).frames).toHaveLength(9);
		await run(await open(2, {numTasks: 100_000, takesOver: false}), 2, 100_000, 0.002, () => undefined);
		const {frames, numFinished} = await scan(name(2, 'out'));
		expect(numFinished).toBe(100_000);
		expect(frames.length).toBeLessThan(20);
	});

	test('tasks that become long after tiny ones are written after two seconds, then one by one', async () => {
		let tookMs = 0.1;
		const progress = await open(1, {numTasks: 1_000_000});
		await run(progress, 1, 1_000_000, 0, index => {
			if (index >= 5000) tookMs = 700;
			if (index === 5012) throw DIED;
			memory.advance(tookMs);
		}).catch(() => undefined);
		const {numFinished, mark} = await scan(name(1, 'part'));
		expect([numFinished, mark]).toEqual([5012, {finished: 5012, begunUpTo: 5013}]);
	});

	test('the disk is waited for every two seconds at most', async () => {
		await run(await open(1, {numTasks: 1000}), 1, 1000, 100, () => undefined);
		expect(memory.counts.syncs).toBeGreaterThan(40);
		expect(memory.counts.syncs).toBeLessThanOrEqual(100_000 / FLUSH_MS + 1);
		expect(memory.synced.get(name(1, 'part'))).toBe(memory.contents.get(name(1, 'out'))?.length);
	});

	test('large results do not pile up in memory: they are written when a block is full, and waited for', async () => {
		const progress = await open(1, {numTasks: 140});
		const large = Buffer.alloc(2 ** 20);
		for (let numWrites = 0; progress.next() < 140; ) {
			if (progress.isWriteDue(0)) {
				await progress.write();
				numWrites++;
			}
			expect(numWrites).toBeGreaterThan(progress.next() - 1);
			progress.addValue(large, 0, 0, undefined);
		}
		expect(memory.counts.syncs).toBe(2);
	});

	test('a value that can’t be written costs its own task', async () => {
		const progress = await open(1, {numTasks: 2});
		await progress.write();
		progress.addValue({deep: () => 1}, 1, 2, undefined);
		await progress.write();
		progress.addValue('fine', 1, 2, undefined);
		await progress.finish(TRAILER);
		expect(outcomesOf(await readResult(1))).toEqual(['result-unserialisable', 'fine']);
	});

	test('a late failure replaces an outcome that is not written yet, and no other', async () => {
		const progress = await open(1, {numTasks: 2});
		await progress.write();
		progress.addValue('a', 1, 2, undefined);
		expect(progress.replaceWithFailure(0, {kind: 'unhandled-rejection', message: 'late'})).toBe(true);
		await progress.write();
		expect(progress.replaceWithFailure(0, {kind: 'exit', message: 'too late'})).toBe(false);
		progress.addValue('b', 1, 2, undefined);
		await progress.finish(TRAILER);
		expect(outcomesOf(await readResult(1))).toEqual(['unhandled-rejection', 'b']);
	});

	test('a worker that can’t begin leaves a result without outcomes, and no part', async () => {
		const startFailed = {kind: 'code-changed' as const, message: 'changed'};
		await writeStartFailure(inputOf(1, {}), {...TRAILER, startFailed}, memory.ports);
		expect([...memory.contents.keys()]).toEqual([name(1, 'out')]);
		expect((await readResult(1)).trailer).toMatchObject({startFailed, sources: [{attempt: 1, host: 'n1', jobId: 'job1'}]});
	});
});

describe('what is taken over', () => {
	test('the longest row of finished tasks; every outcome says whose it is', async () => {
		await dieIn(1, 30, {}, 300);
		await dieIn(2, 60, {}, 300);
		// Died before it had taken everything over.
		const {contents} = memory;
		contents.set(name(3, 'part'), Buffer.from((contents.get(name(2, 'part')) as Buffer).subarray(0, 900)));
		const begun: number[] = [];
		await run(await open(4), 4, 100, 0, index => begun.push(index));
		expect(begun[0]).toBe(60);
		const result = await readResult(4);
		expect(outcomesOf(result)).toEqual(Array.from({length: 100}, (_, i) => [i, i < 30 ? 1 : i < 60 ? 2 : 4]));
		expect(result.blocks.every(block => block.values.every(value => (value as number[])[1] === block.attempt))).toBe(true);
		expect(result.trailer.sources).toEqual([1, 2, 4].map(attempt => ({attempt, host: `n${attempt}`, jobId: `job${attempt}`})));
	});

	test('a whole result gives everything, and what is good of a damaged one', async () => {
		await run(await open(1), 1, 100, 300, () => undefined);
		const whole = memory.contents.get(name(1, 'out')) as Buffer;
		const second = await open(2);
		expect(second.next()).toBe(100);
		await second.finish(TRAILER);
		expect(outcomesOf(await readResult(2))).toEqual(Array.from({length: 100}, (_, i) => [i, 1]));

		memory = createMemoryFiles();
		const damaged = Buffer.from(whole);
		damaged[damaged.lastIndexOf('BLCK') + 40]! ^= 1;
		memory.contents.set(name(1, 'damaged'), damaged);
		expect((await open(2)).next()).toBe(99);
	});

	test('nothing of strangers, of later attempts, of starts that failed, of files cut off in their head', async () => {
		await dieIn(1, 30, {}, 300);
		const part = memory.contents.get(name(1, 'part')) as Buffer;
		memory.contents.clear();
		memory.contents.set('000000001.1.part', part);
		memory.contents.set(name(7, 'part'), part);
		memory.contents.set(name(2, 'start'), part);
		memory.contents.set(name(3, 'part'), part.subarray(0, 20));
		memory.contents.set(name(3, 'e'), part);
		memory.contents.set('log.jsonl', part);
		const progress = await open(4, {maxNumResubmissions: 0});
		expect(memory.sleeps).toEqual([]);
		await progress.write();
		// Nor do they count as tries.
		expect(progress.next()).toBe(0);
	});

	test('nothing at all when it is not wanted', async () => {
		await dieIn(1, 30, {}, 300);
		const progress = await open(2, {takesOver: false});
		expect(progress.next()).toBe(0);
	});

	test('also when a file gets its last name while it is looked for', async () => {
		await dieIn(1, 30, {}, 300);
		let numOpens = 0;
		memory.fault = operation => {
			if (operation !== 'open' || numOpens++ > 0) return undefined;
			memory.contents.set(name(1, 'damaged'), memory.contents.get(name(1, 'part')) as Buffer);
			memory.contents.delete(name(1, 'part'));
			return undefined;
		};
		expect((await open(2)).next()).toBe(30);
		expect(numOpens).toBeGreaterThan(1);
	});

	test('less, when a block has changed since it was looked at', async () => {
		await dieIn(1, 30, {}, 300);
		const original = memory.contents.get(name(1, 'part')) as Buffer;
		const changed = Buffer.from(original);
		changed[changed.lastIndexOf('BLCK') + 40]! ^= 1;
		let numOpens = 0;
		memory.fault = (operation, file) => {
			if (operation === 'open' && file === name(1, 'part') && ++numOpens === 2) memory.contents.set(name(1, 'part'), changed);
			return undefined;
		};
		const progress = await open(2, {maxNumResubmissions: 0});
		expect(progress.next()).toBe(29);
		expect(numOpens).toBe(2);
		// What was lost with it was begun before.
		await progress.write();
		expect(progress.next()).toBe(100);
	});
});

describe('what was under way when a worker died', () => {
	test('is run one by one, each outcome on its way to the disk before the next task is begun', async () => {
		await dieIn(1, 30);
		const before = await scan(name(1, 'part'));
		expect(before.mark).toEqual({finished: 21, begunUpTo: 85});
		await dieIn(2, 33);
		expect(await scan(name(2, 'part'))).toMatchObject({numFinished: 33, mark: {finished: 33, begunUpTo: 34}});
		await run(await open(3), 3, 100, 0, () => undefined);
		const {frames} = await scan(name(3, 'out'));
		expect(frames.filter(({first}) => first >= 33 && first < 85).every(({count}) => count === 1)).toBe(true);
		expect(frames.some(({first, count}) => first >= 85 && count > 1)).toBe(true);
	});

	test('fails once it was begun as often as it may be, with the attempts that died; the rest is computed', async () => {
		const options = {maxNumResubmissions: 2};
		for (const attempt of [1, 2, 3]) await dieIn(attempt, 30, options);
		const begun: number[] = [];
		await run(await open(4, options), 4, 100, 0, index => begun.push(index));
		expect(begun).not.toContain(30);
		const {blocks} = await readResult(4);
		const failures = blocks.flatMap(block => [...block.failures]);
		expect(failures).toEqual([[30, {kind: 'killed', message: 'its worker died in it: attempts 1, 2, 3', deadAttempts: [1, 2, 3]}]]);
		expect(blocks.flatMap(block => block.values)).toHaveLength(100);
	});

	test('two tasks that kill cost one attempt each time, and no other task', async () => {
		const options = {maxNumResubmissions: 1};
		const killers = [30, 31];
		const counts = new Array<number>(100).fill(0);
		for (let attempt = 1; !memory.contents.has(name(attempt - 1, 'out')); attempt++) {
			expect(attempt).toBeLessThan(9);
			await run(await open(attempt, options), attempt, 100, 0, index => {
				counts[index]!++;
				if (killers.includes(index)) throw DIED;
			}).catch(error => expect(error).toBe(DIED));
			if (memory.contents.has(name(attempt, 'out')))
				expect(outcomesOf(await readResult(attempt)).filter(outcome => outcome === 'killed')).toHaveLength(2);
		}
		expect(Math.max(...counts)).toBe(2);
	});

	test('its mark is on the disk before a task is begun that may have ended two workers', async () => {
		await dieIn(1, 5);
		await dieIn(2, 5);
		await dieIn(3, 5);
		expect(memory.synced.get(name(2, 'part'))).toBeUndefined();
		expect(memory.synced.get(name(3, 'part'))).toBe(memory.contents.get(name(3, 'part'))?.length);
	});

	test('is found, too, when the listing of this host is older than the files', async () => {
		await dieIn(1, 5, {maxNumResubmissions: 0}, 300);
		const {files, clock} = memory.ports;
		const progress = await openProgress(inputOf(2, {maxNumResubmissions: 0}), {clock, files: {...files, list: async () => []}});
		expect(progress.next()).toBe(5);
		await progress.write();
		expect(progress.next()).toBe(6);
	});

	test('a task that took too long is not begun again, and those behind it were not begun', async () => {
		await dieIn(1, 30, {taskLimitMs: 1000});
		const part = memory.contents.get(name(1, 'part')) as Buffer;
		memory.contents.set(name(1, 'part'), Buffer.concat([part, ...encodeOver({index: 30, elapsedMs: 2000.5})]));
		const begun: number[] = [];
		await run(await open(2, {taskLimitMs: 1000}), 2, 100, 0, index => begun.push(index));
		expect(begun).not.toContain(30);
		const {blocks} = await readResult(2);
		const block = blocks.find(({failures}) => failures.has(30)) as Block;
		expect(block.failures.get(30)).toMatchObject({
			kind: 'task-limit',
			message: expect.stringContaining('1000 ms'),
			deadAttempts: [1],
		});
		expect(block.elapsedMs[30 - block.first]).toBe(2000.5);
		expect(blocks.some(({first, count}) => first > 30 && first < 85 && count > 1)).toBe(true);
	});

	test('with a time limit and no second try every task is on its way to the disk before the next begins', async () => {
		const options = {taskLimitMs: 1000, maxNumResubmissions: 0};
		await dieIn(1, 30, options);
		expect((await scan(name(1, 'part'))).mark).toEqual({finished: 30, begunUpTo: 31});
	});

	test('a damaged file counts as a try of every task that it does not show', async () => {
		for (const attempt of [1, 2]) {
			await run(await open(attempt, {maxNumResubmissions: 1}), attempt, 100, 300, () => undefined);
			const out = memory.contents.get(name(attempt, 'out')) as Buffer;
			out[out.indexOf('BLCK') + 40]! ^= 1;
			memory.contents.set(name(attempt, 'damaged'), out);
			memory.contents.delete(name(attempt, 'out'));
		}
		const third = await open(3, {maxNumResubmissions: 1});
		await run(third, 3, 100, 0, index => {
			throw new Error(`${index} was begun`);
		});
		expect(new Set(outcomesOf(await readResult(3)))).toEqual(new Set(['result-unreadable']));
	});

	test.each<[string, 'part' | 'out' | 'damaged', 'cut' | 'changed', number]>([
		['a changed part', 'part', 'changed', 100],
		['a part that ends anywhere', 'part', 'cut', 30],
		['a changed result', 'out', 'changed', 100],
		['a result that ends too early', 'damaged', 'cut', 100],
	])('%s leaves tasks that may be begun only where it is known which were', async (_, kind, how, next) => {
		await dieIn(1, 30, {}, 300);
		const bytes = memory.contents.get(name(1, 'part')) as Buffer;
		memory.contents.clear();
		const at = bytes.lastIndexOf('BLCK') + 40;
		bytes[at]! ^= 1;
		memory.contents.set(name(1, kind), how === 'cut' ? bytes.subarray(0, at) : bytes);
		const progress = await open(2, {maxNumResubmissions: 0});
		expect(progress.next()).toBe(29);
		await progress.write();
		// The task 29 was under way by the last mark before it.
		expect(progress.next()).toBe(next);
	});
});

describe('a full disk', () => {
	test('is waited for, wherever it is noticed, and nothing is written twice or left out', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(fc.nat(40), {maxLength: 6}), fc.constantFrom('ENOSPC', 'EDQUOT'), async (whens, code) => {
				memory = createMemoryFiles();
				let [numOperations, numFaults] = [0, 0];
				memory.fault = operation => {
					if (operation === 'list' || operation === 'open') return undefined;
					if (operation === 'write' && numOperations % 3 === 0) {
						numOperations++;
						return 7;
					}
					if (!whens.includes(numOperations++)) return undefined;
					numFaults++;
					if (operation === 'sync') {
						// What was not on the disk before is lost, as on a network file system.
						const bytes = memory.contents.get(name(1, 'part')) as Buffer;
						bytes.fill(0, memory.synced.get(name(1, 'part')) ?? 0);
					}
					throw systemError(code);
				};
				await run(await open(1, {numTasks: 20}), 1, 20, 900, () => undefined);
				expect(outcomesOf(await readResult(1))).toEqual(Array.from({length: 20}, (_, i) => [i, 1]));
				expect(memory.sleeps.length).toBe(numFaults);
			}),
		);
	});

	test('that stays full ends the worker after five minutes, with its own exit status', async () => {
		const progress = await open(1);
		memory.fault = operation => {
			if (operation === 'write') throw systemError('ENOSPC');
			return undefined;
		};
		await expect(progress.write()).rejects.toMatchObject({exitCode: EXIT_CODES.outputFailed, message: expect.stringContaining('ENOSPC')});
		const sleptMs = memory.sleeps.reduce((a, b) => a + b);
		expect(sleptMs).toBeGreaterThanOrEqual(SPACE_LIMIT_MS);
		expect(memory.sleeps.slice(0, 4)).toEqual([1000, 2000, 4000, 8000]);
	});

	test.each(['write', 'sync', 'rename'])('Q22, P10: a %s that fails for another reason ends the worker at once', async operation => {
		const progress = await open(1, {numTasks: 1});
		memory.fault = each => {
			if (each === operation) throw systemError('EIO');
			return undefined;
		};
		await expect(run(progress, 1, 1, 0, () => undefined)).rejects.toMatchObject({exitCode: EXIT_CODES.outputFailed});
		expect(memory.sleeps).toEqual([]);
		// What is not on the disk as a whole never gets the name of a result.
		expect(memory.contents.has(name(1, 'out'))).toBe(false);
	});

	test('a file that is there already, or can’t be made, is told from one that can’t be written', async () => {
		memory.contents.set(name(1, 'part'), Buffer.from('of another'));
		await expect(open(1)).rejects.toMatchObject({exitCode: EXIT_CODES.outputRefused});
		expect(String(memory.contents.get(name(1, 'part')))).toBe('of another');
		memory.fault = operation => {
			if (operation === 'create') throw systemError('EDQUOT');
			return undefined;
		};
		await expect(open(2)).rejects.toMatchObject({exitCode: EXIT_CODES.outputFailed});
	});
});

test('whatever kills workers whenever: every task ends in one outcome, none is begun too often, none that is on the disk is begun again', async () => {
	const anyRun = fc.record({
		numTasks: fc.integer({min: 1, max: 60}),
		tookMs: fc.constantFrom(0, 0.01, 10, 100, 300, 3000),
		maxNumResubmissions: fc.integer({min: 1, max: 3}),
		killers: fc.array(fc.nat(59), {maxLength: 3}),
		/** Of every attempt: after how many begun tasks, or in which write after how many bytes, it dies for no fault of a task. */
		deaths: fc.array(fc.record({afterBegins: fc.nat(80), inWrite: fc.nat(12), afterBytes: fc.nat(60)}), {maxLength: 3}),
	});
	await fc.assert(
		fc.asyncProperty(anyRun, async ({numTasks, tookMs, maxNumResubmissions, killers, deaths}) => {
			memory = createMemoryFiles();
			const counts = new Array<number>(numTasks).fill(0);
			const options = {numTasks, maxNumResubmissions};
			let attempt = 0;
			while (!memory.contents.has(name(attempt, 'out'))) {
				attempt++;
				expect(attempt).toBeLessThan(40);
				let numOnDisk = 0;
				for (const file of memory.contents.keys()) {
					const scanned = await scan(file).catch(() => undefined);
					numOnDisk = Math.max(numOnDisk, scanned?.numFinished ?? 0);
				}
				const death = deaths[attempt - 1];
				let [numBegun, numWrites, hasDied] = [0, 0, false];
				memory.fault = operation => {
					if (hasDied) throw DIED;
					if (operation !== 'write' || death === undefined || numWrites++ < death.inWrite) return undefined;
					if (numWrites > death.inWrite + 1) throw DIED;
					return Math.max(1, death.afterBytes);
				};
				const begin = (index: number): void => {
					expect(index).toBeGreaterThanOrEqual(numOnDisk);
					counts[index]!++;
					if (killers.includes(index) || numBegun++ === death?.afterBegins) {
						hasDied = true;
						throw DIED;
					}
				};
				try {
					await run(await open(attempt, options), attempt, numTasks, tookMs, begin);
				} catch (error) {
					if (error !== DIED) throw error;
				}
				memory.fault = () => undefined;
			}
			expect(Math.max(...counts)).toBeLessThanOrEqual(1 + maxNumResubmissions);
			const outcomes = outcomesOf(await readResult(attempt));
			expect(outcomes).toHaveLength(numTasks);
			for (const [index, outcome] of outcomes.entries()) {
				if (killers.includes(index)) expect([index, outcome]).toEqual([index, 'killed']);
				// It may have been under way at so many deaths.
				else if (outcome === 'killed') expect(attempt - 1).toBeGreaterThan(maxNumResubmissions);
				else expect((outcome as number[])[0]).toBe(index);
			}
		}),
	);
});
