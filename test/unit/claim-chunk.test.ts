/** Many queue-jobs claim from one work_dir in memory, one step after the other in any order. */
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {parseClaim} from '../../src/claim-file.js';
import {chunkName, claimPath, parseChunkFile} from '../../src/layout.js';
import {type Claimant, type Claims, createClaims} from '../../src/worker/claim-chunk.js';
import type {WorkerPorts} from '../../src/worker/worker-files.js';
import {createMemoryFiles, type MemoryFiles, systemError, WORK_DIR} from '../helpers/memory-files.js';

const makeTasks = ({contents}: MemoryFiles, numChunks: number): void => {
	for (let ichunk = 0; ichunk < numChunks; ichunk++) contents.set(`${chunkName(ichunk)}.tasks`, Buffer.alloc(1));
};

const claimsOf = (ichunk: number, parts: Pick<Claimant, 'numJobs' | 'numChunks'>, ports: WorkerPorts): Claims => {
	const id = {workDir: WORK_DIR, ichunk, attempt: 1};
	const outputBytes = () => ({stdoutFrom: 7, stderrFrom: 3});
	return createClaims({id, host: `node${ichunk}`, jobId: String(900 + ichunk), graceMs: 90_000, outputBytes, ...parts}, ports);
};

const claimed = async (claims: Claims): Promise<number[]> => {
	const all: number[] = [];
	for (let next = await claims.next(); next !== undefined; next = await claims.next()) all.push(next.id.ichunk);
	return all;
};

const range = (from: number, to: number): number[] => Array.from({length: to - from}, (_, i) => from + i);

/** Lets every file operation wait for its turn, which the dice give. */
const inTurns = ({files, clock}: WorkerPorts): {ports: WorkerPorts; run: (pick: (waiting: number) => number) => Promise<void>} => {
	const waiting: (() => void)[] = [];
	const turn = (): Promise<void> => new Promise(resolve => waiting.push(resolve));
	const ports: WorkerPorts = {
		clock,
		files: {
			...files,
			list: async directory => {
				await turn();
				return files.list(directory);
			},
			create: async path => {
				await turn();
				const file = await files.create(path);
				return {
					...file,
					write: async (bytes, position) => {
						await turn();
						return file.write(bytes, position);
					},
				};
			},
		},
	};
	return {
		ports,
		run: async pick => {
			for (;;) {
				await new Promise(resolve => setImmediate(resolve));
				if (waiting.length === 0) return;
				waiting.splice(pick(waiting.length), 1)[0]?.();
			}
		},
	};
};

describe('claims', () => {
	test('whoever is faster: every chunk is claimed by exactly one, and none that a queue-job was submitted for', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({min: 1, max: 6}),
				fc.integer({min: 0, max: 30}),
				fc.boolean(),
				fc.infiniteStream(fc.nat()),
				async (numJobs, numMore, isKnown, dice) => {
					const memory = createMemoryFiles();
					makeTasks(memory, numJobs + numMore);
					const {ports, run} = inTurns(memory.ports);
					const numChunks = isKnown ? numJobs + numMore : undefined;
					const all = range(0, numJobs).map(ichunk => claimed(claimsOf(ichunk, {numJobs, numChunks}, ports)));
					await run(numWaiting => (dice.next().value as number) % numWaiting);
					expect((await Promise.all(all)).flat().sort((a, b) => a - b)).toEqual(range(numJobs, numJobs + numMore));
				},
			),
			{numRuns: 200},
		);
	});

	test('a queue-job alone claims its lane first, in order, then what is left', async () => {
		const memory = createMemoryFiles();
		makeTasks(memory, 11);
		const all = await claimed(claimsOf(1, {numJobs: 3, numChunks: 11}, memory.ports));
		expect(all.slice(0, 3)).toEqual([4, 7, 10]);
		expect(all.slice(3).sort((a, b) => a - b)).toEqual([3, 5, 6, 8, 9]);
	});

	test('a claim says by whom, and where its output is', async () => {
		const memory = createMemoryFiles();
		makeTasks(memory, 3);
		const claim = await claimsOf(1, {numJobs: 2, numChunks: 3}, memory.ports).next();
		const home = {ichunk: 1, attempt: 1, stdoutFrom: 7, stderrFrom: 3};
		expect(claim).toEqual({id: {workDir: WORK_DIR, ichunk: 2, attempt: 1}, home});
		expect(parseClaim(memory.contents.get('000000002.1.claim')?.toString() ?? '')).toEqual({jobId: '901', host: 'node1', home});
	});

	test('of a stream chunks are claimed as they come, and nothing that is not there', async () => {
		const memory = createMemoryFiles();
		makeTasks(memory, 4);
		const claims = claimsOf(0, {numJobs: 2, numChunks: undefined}, memory.ports);
		expect(await claimed(claims)).toEqual([2, 3]);
		makeTasks(memory, 6);
		expect(await claimed(claims)).toEqual([4, 5]);
		expect([...memory.contents.keys()].filter(name => name.endsWith('.claim'))).toHaveLength(4);
	});

	test('ten thousand chunks of uneven length cost 48 queue-jobs few failing creations and few listings', async () => {
		const memory = createMemoryFiles();
		const [numJobs, numChunks] = [48, 10_000];
		makeTasks(memory, numChunks);
		const counts = {created: 0, taken: 0, listed: 0};
		memory.fault = (operation, path) => {
			if (operation === 'list') counts.listed++;
			if (operation === 'create') counts[memory.contents.has(path) ? 'taken' : 'created']++;
			return undefined;
		};
		// The same lengths in every run.
		let seed = 4711;
		const exponential = (): number => {
			seed = (seed * 48_271) % 0x7fffffff;
			return -Math.log(seed / 0x7fffffff);
		};
		const jobs = range(0, numJobs).map(ichunk => ({claims: claimsOf(ichunk, {numJobs, numChunks}, memory.ports), freeAt: exponential()}));
		while (jobs.length > 0) {
			jobs.sort((a, b) => a.freeAt - b.freeAt);
			const [first] = jobs as [(typeof jobs)[number]];
			if ((await first.claims.next()) === undefined) jobs.shift();
			else first.freeAt += exponential();
		}
		expect(counts.created).toBe(numChunks - numJobs);
		expect(counts.taken).toBeLessThan(0.1 * numChunks);
		expect(counts.listed).toBeLessThan(0.1 * numChunks);
	});

	test('a work_dir that is gone means that the map is over', async () => {
		for (const operation of ['create', 'list'] as const) {
			const memory = createMemoryFiles();
			makeTasks(memory, 4);
			memory.fault = which => {
				if (which === operation) throw systemError('ENOENT');
				return undefined;
			};
			expect(await claimsOf(0, {numJobs: 2, numChunks: operation === 'list' ? 2 : 4}, memory.ports).next()).toBeUndefined();
		}
	});

	test.each([
		['create', 'EIO', 74],
		['write', 'EIO', 74],
		['list', 'EIO', 66],
	] as const)('when %s fails with %s the queue-job ends with status %d', async (operation, code, exitCode) => {
		const memory = createMemoryFiles();
		makeTasks(memory, 4);
		memory.fault = which => {
			if (which === operation) throw systemError(code);
			return undefined;
		};
		const claims = claimsOf(0, {numJobs: 2, numChunks: operation === 'list' ? 2 : 4}, memory.ports);
		await expect(claims.next()).rejects.toMatchObject({name: 'WorkerError', exitCode});
	});

	test('a disk that is full is waited for', async () => {
		const memory = createMemoryFiles();
		makeTasks(memory, 3);
		memory.fault = operation => {
			if (operation === 'create' && memory.sleeps.length < 2) throw systemError('ENOSPC');
			return undefined;
		};
		expect((await claimsOf(0, {numJobs: 2, numChunks: 3}, memory.ports).next())?.id.ichunk).toBe(2);
		expect(memory.sleeps).toHaveLength(2);
	});

	test('who has stood still between making a claim and filling it leaves it alone: it may be given up by now', async () => {
		const memory = createMemoryFiles();
		makeTasks(memory, 3);
		memory.fault = operation => {
			if (operation === 'write') memory.advance(46_000);
			return undefined;
		};
		await expect(claimsOf(0, {numJobs: 2, numChunks: 3}, memory.ports).next()).rejects.toMatchObject({name: 'WorkerError', exitCode: 74});
	});

	test('what is written in pieces is whole in the end', async () => {
		const memory = createMemoryFiles();
		makeTasks(memory, 3);
		memory.fault = operation => (operation === 'write' ? 5 : undefined);
		await claimsOf(0, {numJobs: 2, numChunks: 3}, memory.ports).next();
		expect(parseClaim(memory.contents.get('000000002.1.claim')?.toString() ?? '')?.host).toBe('node0');
	});
});

describe('a claim file', () => {
	test.each(['', '{', '{"host":"a"}\n', 'null\n', '{"host":"a","home":{"ichunk":1}}\n', '{"host":"a","home":{"ichunk":1,"attempt":1}}'])(
		'%j is not whole',
		text => {
			expect(parseClaim(text)).toBeUndefined();
		},
	);

	test('has a name that tells its chunk', () => {
		expect(parseChunkFile(claimPath('', 13))).toEqual({ichunk: 13, kind: 'claim', attempt: 1});
	});
});
