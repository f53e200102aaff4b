import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {type Chunk, type Chunking, cutChunks} from '../../src/chunks.js';

const sizes = (chunks: readonly Chunk[]): number[] => chunks.map(({numTasks}) => numTasks);
const tasksOf = (chunks: readonly Chunk[]): number[] =>
	chunks.flatMap(({firstTask, numTasks}) => Array.from({length: numTasks}, (_, i) => firstTask + i));
const upTo = (numTasks: number): number[] => Array.from({length: numTasks}, (_, i) => i);

describe('Q9, A11', () => {
	test.each<Chunking>([
		{kind: 'at-most', numChunks: 1000},
		{kind: 'num-chunks', numChunks: 1},
		{kind: 'num-chunks', numChunks: 100},
		{kind: 'chunk-size', chunkSize: 3},
	])('no tasks are no chunks: %j', chunking => {
		expect(cutChunks(0, chunking)).toEqual([]);
	});

	test.each([
		[100, 1],
		[1000, 10],
		[10, 7],
	])('%d tasks in %d chunks', (numTasks, numChunks) => {
		const chunks = cutChunks(numTasks, {kind: 'num-chunks', numChunks});
		expect(chunks).toHaveLength(numChunks);
		expect(tasksOf(chunks)).toEqual(upTo(numTasks));
	});

	test('10 tasks in 100 chunks are 10 chunks of one task', () => {
		const chunks = cutChunks(10, {kind: 'num-chunks', numChunks: 100});
		expect(sizes(chunks)).toEqual(Array(10).fill(1));
		expect(tasksOf(chunks)).toEqual(upTo(10));
	});

	test.each([
		[5, [5, 5]],
		[4, [4, 4, 2]],
		[3, [3, 3, 3, 1]],
		[2, [2, 2, 2, 2, 2]],
	])('10 tasks with chunkSize %d', (chunkSize, expected) => {
		expect(sizes(cutChunks(10, {kind: 'chunk-size', chunkSize}))).toEqual(expected);
	});
});

test('larger chunks come first', () => {
	expect(sizes(cutChunks(10, {kind: 'num-chunks', numChunks: 7}))).toEqual([2, 2, 2, 1, 1, 1, 1]);
});

test('H4: one task a chunk up to the limit, even chunks above it', () => {
	expect(sizes(cutChunks(1000, {kind: 'at-most', numChunks: 1000}))).toEqual(Array(1000).fill(1));
	expect(sizes(cutChunks(1001, {kind: 'at-most', numChunks: 1000}))).toEqual([2, ...Array(999).fill(1)]);
});

const count = fc.integer({min: 1, max: 400});
const chunkings: fc.Arbitrary<Chunking> = fc.oneof(
	count.map((numChunks): Chunking => ({kind: 'num-chunks', numChunks})),
	count.map((numChunks): Chunking => ({kind: 'at-most', numChunks})),
	count.map((chunkSize): Chunking => ({kind: 'chunk-size', chunkSize})),
);

describe('for any number of tasks', () => {
	test('every task is in exactly one chunk, in order, and no chunk is empty', () => {
		fc.assert(
			fc.property(fc.nat(1000), chunkings, (numTasks, chunking) => {
				const chunks = cutChunks(numTasks, chunking);
				expect(tasksOf(chunks)).toEqual(upTo(numTasks));
				expect(chunks.map(({ichunk}) => ichunk)).toEqual(upTo(chunks.length));
				expect(sizes(chunks).every(size => size > 0)).toBe(true);
			}),
		);
	});

	test('there are as many chunks as were asked for, or one a task, and they differ by one task at most', () => {
		fc.assert(
			fc.property(
				fc.integer({min: 1, max: 1000}),
				count,
				fc.constantFrom('num-chunks' as const, 'at-most' as const),
				(numTasks, numChunks, kind) => {
					const chunks = sizes(cutChunks(numTasks, {kind, numChunks}));
					expect(chunks).toHaveLength(Math.min(numTasks, numChunks));
					expect(Math.max(...chunks) - Math.min(...chunks)).toBeLessThanOrEqual(1);
				},
			),
		);
	});

	test('with chunkSize only the last chunk may be smaller', () => {
		fc.assert(
			fc.property(fc.integer({min: 1, max: 1000}), count, (numTasks, chunkSize) => {
				const chunks = sizes(cutChunks(numTasks, {kind: 'chunk-size', chunkSize}));
				expect(chunks.slice(0, -1).every(size => size === chunkSize)).toBe(true);
				expect(chunks.at(-1)).toBeLessThanOrEqual(chunkSize);
			}),
		);
	});
});
