/** The size of a worker's heap follows from the memory that its queue-job was given. On a real Grid Engine less of it is left: see test/engines/resources.test.ts. */
import {join} from 'node:path';
import {Pool, type PoolOptions} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {fillHeap, lookAtResources, lookFromNested} from '../fixtures/resources.mjs';
import {createTestDirectory, ENGINES, poolOptions} from '../helpers/engines.js';

describe.each(ENGINES)('on %s', engine => {
	let directory: ReturnType<typeof createTestDirectory>;
	let options: PoolOptions;

	beforeEach(() => {
		directory = createTestDirectory();
		options = poolOptions(engine, directory.path);
		vi.spyOn(process.stderr, 'write').mockReturnValue(true);
	});
	afterEach(() => {
		vi.restoreAllMocks();
		directory.remove();
	});

	/** Beside the old space there is some for the young. */
	const expectHeap = (heapMib: number | undefined, oldSpaceMib: number): void => {
		expect(heapMib).toBeGreaterThanOrEqual(oldSpaceMib);
		expect(heapMib).toBeLessThanOrEqual(oldSpaceMib + 150);
	};

	test('three quarters are for the heap, and all of Node’s own choice when nothing is asked for', async () => {
		const pool = new Pool(options);
		const [asked] = await pool.map(lookAtResources, [1], {resources: {memory: '1000M'}});
		expect(asked?.execArgv).toEqual(['--max-old-space-size=750', '--no-warnings']);
		expectHeap(asked?.heapMib, 750);
		const [other] = await pool.map(lookAtResources, [1], {resources: {time: '1h'}});
		expect(other?.execArgv).toEqual(['--no-warnings']);
	});

	test('an attempt after one that ran out of memory gets more', async () => {
		const resources: PoolOptions['resources'] = ({attempt}) => ({memory: `${attempt === 1 ? 900 : 2000}M`});
		const [outcome] = await new Pool({...options, resources}).mapSettled(fillHeap, [800]);
		expect(outcome).toMatchObject({status: 'fulfilled', attempt: 2, value: {attempt: 2}});
		expectHeap((outcome as {value: {heapMib: number}}).value.heapMib, 1500);
	});

	test('a map that a task calls does not inherit it', async () => {
		const pool = new Pool({...options, resources: {memory: '1000M'}});
		const workRoot = join(directory.path, 'nested');
		const [without, asking] = await pool.map(lookFromNested, [
			{workRoot, resources: {}},
			{workRoot, resources: {memory: '600M'}},
		]);
		expect(without?.execArgv).toEqual(['--no-warnings']);
		expect(asking?.execArgv).toEqual(['--max-old-space-size=450', '--no-warnings']);
	});
});
