/** Experiments, the same on every engine: tasks from grids and random parameters, and random numbers in tasks. The ids are rows of the ancestors and acceptance cases. */
import {createHash} from 'node:crypto';
import {grid, Pool, randomParameters, randomStream} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import * as experiments from '../fixtures/experiments.mjs';
import {COLUMNS, createTestDirectory, poolOptions} from '../helpers/engines.js';

const SEED = 'an experiment';
const NUM_TASKS = 6;

/** What task `itask` draws, computed here: the documented seed, and the same generator. */
const expectedNumbers = (count: number): number[][] =>
	Array.from({length: NUM_TASKS}, (_, itask) => {
		const random = randomStream(createHash('sha256').update(`${SEED}:${itask}`).digest().readUIntBE(0, 6));
		return Array.from({length: count}, random);
	});

describe.each(COLUMNS)('on %s', (_name, {engine, arrayJobs}) => {
	let directory: ReturnType<typeof createTestDirectory>;
	let pool: Pool;

	beforeEach(() => {
		directory = createTestDirectory();
		pool = new Pool({...poolOptions(engine, directory.path), arrayJobs, seed: SEED});
	});
	afterEach(() => directory.remove());

	test.each([{numChunks: 1}, {numChunks: 3}, {chunkSize: 2}])(
		'C7: every task draws the same random numbers in chunks of %j',
		async chunks => {
			const tasks = grid({count: [4], i: Array.from({length: NUM_TASKS}, (_, i) => i)});
			expect(await pool.map(experiments.drawNumbers, tasks, chunks)).toEqual(expectedNumbers(4));
		},
	);

	test('C7: a task that is computed again draws the same random numbers again', async () => {
		const tasks = Array.from({length: NUM_TASKS}, () => ({count: 4, deadly: 2}));
		const drawn = await pool.map(experiments.dieAndDrawNumbers, tasks, {numChunks: 3});
		expect(drawn.map(({numbers}: {numbers: number[]}) => numbers)).toEqual(expectedNumbers(4));
		expect(drawn[2]?.attempt).toBe(2);
	});

	test('C1, D7: the points of a grid are tasks, in the order of nested loops', async () => {
		const points = grid({i: [1, 2, 3], j: [-0.5, 1e-3], mode: ['fast', 'exact']});
		const expected = [1, 2, 3].flatMap(i => [-0.5, 1e-3].flatMap(j => ['fast', 'exact'].map(mode => ({i, j, mode}))));
		expect(await pool.map(experiments.identity, points, {chunkSize: 5})).toEqual(expected);
	});

	test('V1, D6: rows of random parameters are tasks, to the last bit', async () => {
		const rows = randomParameters({alpha: [0, 1], beta: [0.9, 0.99], N: [1000]}, 20, SEED);
		expect(await pool.map(experiments.identity, rows, {numChunks: 2})).toEqual([...rows]);
	});
});
