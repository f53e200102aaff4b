/** A stream of tasks that keeps us waiting: what there is of a chunk does not wait for the rest, and nothing else is different for that. */
import fc from 'fast-check';
import {expect, test} from 'vitest';
import type {Chunk, StreamChunking} from '../../src/chunks.js';
import {feedTasks} from '../../src/feed-tasks.js';
import {openJournal} from '../../src/journal.js';
import {JOURNAL} from '../../src/layout.js';
import {findChunks} from '../../src/read/read-manifest.js';
import {openTasks} from '../../src/read/read-tasks.js';
import {type TaskStream, takeTasks} from '../../src/task-source.js';
import {createMapInMemory, diskError, type FileFault, type MapInMemory, SESSION, WORK_DIR} from '../helpers/map-in-memory.js';
import {createSteppedClock} from '../helpers/stepped-clock.js';

/** Tasks that are given by hand, one after the other. */
const createSource = () => {
	const given: unknown[] = [];
	let end: {readonly error?: Error} | undefined;
	let wake: () => void = () => undefined;
	const tasks = async function* () {
		for (;;) {
			while (given.length > 0) yield given.shift();
			if (end?.error !== undefined) throw end.error;
			if (end !== undefined) return;
			await new Promise<void>(resolve => {
				wake = resolve;
			});
		}
	};
	return {
		tasks: tasks(),
		give: (...more: readonly unknown[]): void => {
			given.push(...more);
			wake();
		},
		end: (error?: Error): void => {
			end = error === undefined ? {} : {error};
			wake();
		},
	};
};

type Parts = {
	readonly chunking?: StreamChunking;
	readonly fault?: FileFault;
	/** It goes on where this one was. */
	readonly after?: {readonly map: MapInMemory; readonly chunks: readonly Chunk[]};
};

const BY_THREES: StreamChunking = {kind: 'chunk-size', chunkSize: 3};

/** Any number of chunks is allowed. */
const makeFeed = ({chunking = BY_THREES, fault = () => undefined, after}: Parts = {}) => {
	const clock = createSteppedClock();
	const source = createSource();
	const map = after?.map ?? createMapInMemory({numChunks: 0, engine: {}, fault});
	const {files} = map.ports;
	const feed = feedTasks({
		stream: takeTasks(source.tasks) as TaskStream,
		chunking,
		chunks: after?.chunks ?? [],
		journal: openJournal(`${WORK_DIR}/${JOURNAL}`, files, clock, {owner: after === undefined ? 1 : 2}),
		isResumed: after !== undefined,
		workDir: WORK_DIR,
		manifest: {session: SESSION, node: process.version, createdAt: '2026-11-21T00:20:07.000Z', call: 'map'},
		outageLimitMs: 60_000,
		checkOwner: async () => undefined,
		files,
		clock,
		tell: line => void map.told.push(line),
	});
	feed.allow(Number.POSITIVE_INFINITY);
	const cuts = (): unknown[] => map.journal().map(({event, ichunk, numTasks}) => [event, ichunk, numTasks]);
	return {clock, source, map, feed, cuts};
};

/** As whoever comes later finds them. */
const findSizes = async ({ports: {files}, journal}: MapInMemory, stream: StreamChunking): Promise<number[]> => {
	const manifest = {session: SESSION, numTasks: null, numChunks: null, options: {}, stream};
	const {chunks} = await findChunks(manifest, WORK_DIR, await files.list(WORK_DIR), journal(), files);
	return chunks.map(({numTasks}) => numTasks);
};

/** Longer than a stream has to be quiet. */
const A_WHILE_MS = 5000;

test('its chunk need not be full when there is room; no task is lost or gets another number', async () => {
	const {clock, source, map, feed, cuts} = makeFeed();
	feed.offerRoom(true);
	source.give('a');
	await clock.advance(A_WHILE_MS);
	expect(feed.take()).toEqual([{ichunk: 0, firstTask: 0, numTasks: 1}]);
	feed.offerRoom(true);
	source.give('b', 'c', 'd');
	await clock.advance(0);
	expect(feed.take()).toEqual([{ichunk: 1, firstTask: 1, numTasks: 3}]);
	feed.offerRoom(true);
	source.give('e', 'f');
	await clock.advance(A_WHILE_MS);
	expect(feed.take()).toEqual([{ichunk: 2, firstTask: 4, numTasks: 2}]);
	source.give('g');
	source.end();
	await clock.advance(0);
	expect([feed.take(), feed.end()]).toEqual([[{ichunk: 3, firstTask: 6, numTasks: 1}], {kind: 'complete'}]);
	// A full chunk, and the last one, are as everybody expects.
	expect(cuts()).toEqual([
		['chunk-cut', 0, 1],
		['chunk-cut', 2, 2],
	]);
	const file = await openTasks(WORK_DIR, SESSION, {ichunk: 2, numTasks: 2}, map.ports.files);
	expect([file.header.firstTask, (await file.readBlock(0)).values]).toEqual([4, ['e', 'f']]);
	await file.close();
});

test('its chunk is filled as long as there is no room; a chunk that was written takes the room', async () => {
	const {clock, source, feed} = makeFeed();
	source.give('a');
	await clock.advance(10 * A_WHILE_MS);
	source.give('b');
	await clock.advance(10 * A_WHILE_MS);
	expect(feed.take()).toEqual([]);
	feed.offerRoom(true);
	await clock.advance(A_WHILE_MS);
	source.give('c');
	await clock.advance(10 * A_WHILE_MS);
	expect(feed.take()).toEqual([{ichunk: 0, firstTask: 0, numTasks: 2}]);
	feed.offerRoom(true);
	await clock.advance(A_WHILE_MS);
	expect(feed.take()).toEqual([{ichunk: 1, firstTask: 2, numTasks: 1}]);
});

test('one that gives something now and then has the chunks that any other has', async () => {
	const {clock, source, feed, cuts} = makeFeed();
	feed.offerRoom(true);
	for (let itask = 0; itask < 12; itask++) {
		source.give(itask);
		await clock.advance(900);
		feed.offerRoom(true);
	}
	expect(feed.take().map(({numTasks}) => numTasks)).toEqual([3, 3, 3, 3]);
	expect(cuts()).toEqual([]);
});

test('one that throws after its chunk was closed fails, and names the task', async () => {
	const {clock, source, feed} = makeFeed();
	feed.offerRoom(true);
	source.give('a');
	await clock.advance(A_WHILE_MS);
	expect(feed.take()).toEqual([{ichunk: 0, firstTask: 0, numTasks: 1}]);
	source.end(new Error('the sensor is broken'));
	await clock.advance(0);
	expect(feed.end()).toMatchObject({kind: 'failed', error: {message: 'The iterator of `tasks` threw at task 1: the sensor is broken'}});
});

test('it does not hold up the end, and what has come of a chunk is not written then', async () => {
	const {clock, source, feed} = makeFeed();
	source.give('a');
	await clock.advance(A_WHILE_MS);
	await feed.close();
	feed.offerRoom(true);
	await clock.advance(10 * A_WHILE_MS);
	expect(feed.take()).toEqual([]);
});

test('how long a chunk is, is on the disk before the chunk is there, also when that is full for a while', async () => {
	let numFailures = 0;
	const seen: string[] = [];
	const {clock, source, map, feed, cuts} = makeFeed({
		fault: operation => {
			if (operation === 'append' && numFailures++ < 2) throw diskError('ENOSPC', 'write');
			if (operation === 'append' || operation === 'rename') seen.push(operation);
		},
	});
	feed.offerRoom(true);
	source.give('a');
	await clock.advance(10 * A_WHILE_MS);
	expect(feed.take()).toEqual([{ichunk: 0, firstTask: 0, numTasks: 1}]);
	expect([numFailures, seen, map.told.length]).toEqual([3, ['append', 'rename'], 1]);
	expect(cuts()).toEqual([['chunk-cut', 0, 1]]);
});

test('a process that ends between that word and the chunk misleads nobody who goes on', async () => {
	const first = makeFeed({
		fault: operation => {
			if (operation === 'rename') throw new Error('the process has ended');
		},
	});
	first.feed.offerRoom(true);
	first.source.give('a');
	await first.clock.advance(A_WHILE_MS);
	expect([first.feed.take(), first.cuts()]).toEqual([[], [['chunk-cut', 0, 1]]]);
	const {ports} = createMapInMemory({numChunks: 0, engine: {}});
	const map = {
		...first.map,
		ports: {...ports, files: {...first.map.ports.files, rename: async (from: string, to: string) => moveIn(first.map, from, to)}},
	};
	const second = makeFeed({after: {map, chunks: []}});
	second.source.give('a', 'b', 'c', 'd');
	second.source.end();
	await second.clock.advance(0);
	expect(second.feed.take().map(({numTasks}) => numTasks)).toEqual([3, 1]);
	expect(await findSizes(map, BY_THREES)).toEqual([3, 1]);
});

const moveIn = ({contents}: MapInMemory, from: string, to: string): void => {
	contents.set(to, contents.get(from) as Buffer);
	contents.delete(from);
};

test('its chunks are found again as they were written, wherever its process ends', async () => {
	const chunkings = fc.oneof(
		fc.record({kind: fc.constant('chunk-size' as const), chunkSize: fc.integer({min: 1, max: 4})}),
		fc.record({kind: fc.constant('growing' as const), share: fc.integer({min: 1, max: 3})}),
	);
	const bursts = fc.array(fc.integer({min: 1, max: 5}), {minLength: 1, maxLength: 5});
	const property = fc.asyncProperty(chunkings, bursts, async (chunking, sizes) => {
		const {clock, source, map, feed} = makeFeed({chunking});
		const taken: number[] = [];
		let numGiven = 0;
		for (const size of sizes) {
			source.give(...Array.from({length: size}, () => numGiven++));
			feed.offerRoom(true);
			await clock.advance(A_WHILE_MS);
			// A chunk that was full may have taken the room.
			feed.offerRoom(true);
			await clock.advance(A_WHILE_MS);
			taken.push(...feed.take().map(({numTasks}) => numTasks));
			expect(taken.reduce((sum, numTasks) => sum + numTasks, 0)).toBe(numGiven);
			expect(await findSizes(map, chunking)).toEqual(taken);
		}
		await feed.close();
	});
	await fc.assert(property, {numRuns: 30});
});
