import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {checkPlaced, resourceArguments} from '../../src/engines/grid-engine-resources.js';
import {PoolError} from '../../src/errors.js';
import {ADDRESS_SPACE_MIB, OWN_MAJOR} from '../../src/node-memory.js';

const GIBIBYTE = 2 ** 30;

test('nothing is asked for when nothing is named', () => {
	expect(resourceArguments(undefined, {})).toEqual([]);
	expect(resourceArguments('short.q', {})).toEqual(['-q', 'short.q']);
});

test('C5, X10: each resource has its words', () => {
	const resources = {memoryBytes: GIBIBYTE, timeSeconds: 90, gpus: 2, queue: 'long.q', project: 'physics'};
	expect(resourceArguments(undefined, resources)).toEqual(
		['-q long.q', '-P physics', '-l h_vmem=1073741824', '-l h_rt=90', '-l gpu=2'].flatMap(words => words.split(' ')),
	);
});

test('the queue of an attempt wins over that of the pool', () => {
	expect(resourceArguments('short.q', {queue: 'long.q'})).toEqual(['-q', 'long.q']);
});

test('slots are asked for in their parallel environment, and one slot without one', () => {
	expect(resourceArguments(undefined, {slots: 4, parallelEnvironment: 'smp'})).toEqual(['-pe', 'smp', '4']);
	expect(resourceArguments(undefined, {slots: 1, parallelEnvironment: 'smp'})).toEqual(['-pe', 'smp', '1']);
	expect(resourceArguments(undefined, {slots: 1})).toEqual([]);
});

describe('what Grid Engine multiplies by the slots', () => {
	const amounts = (resources: Parameters<typeof resourceArguments>[1]): Record<string, number> =>
		Object.fromEntries(
			resourceArguments(undefined, resources).flatMap((argument, i, all) => {
				const [name = '', value] = all[i + 1]?.split('=') ?? [];
				return argument === '-l' ? [[name, Number(value)]] : [];
			}),
		);

	test('is divided among them, rounded up', () => {
		const base = {slots: 3, parallelEnvironment: 'smp', timeSeconds: 90};
		expect(amounts({...base, memoryBytes: 10 * GIBIBYTE, gpus: 3})).toEqual({h_vmem: 3_579_139_414, h_rt: 90, gpu: 1});
		fc.assert(
			fc.property(fc.integer({min: 1, max: 128}), fc.integer({min: 1, max: 2 ** 45}), (slots, memoryBytes) => {
				const {h_vmem: each = 0} = amounts({slots, memoryBytes});
				expect(each * slots).toBeGreaterThanOrEqual(memoryBytes);
				expect((each - 1) * slots).toBeLessThan(memoryBytes);
			}),
		);
	});

	test('is not, where it counts once for a queue-job', () => {
		const resources = {slots: 4, parallelEnvironment: 'smp', memoryBytes: 8 * GIBIBYTE, gpus: 1};
		expect(amounts({...resources, countedOnce: new Set(['h_vmem', 'gpu'])})).toEqual({h_vmem: 8 * GIBIBYTE, gpu: 1});
		expect(amounts({...resources, countedOnce: new Set(['gpu'])})).toEqual({h_vmem: 2 * GIBIBYTE, gpu: 1});
	});
});

describe('before anything is submitted', () => {
	const needed = (ADDRESS_SPACE_MIB[OWN_MAJOR] as number) * 2 ** 20;

	test('memory in which Node can not start is refused, with advice', () => {
		checkPlaced({memoryBytes: needed});
		// Together they are enough.
		checkPlaced({memoryBytes: needed, slots: 8});
		const refused = (): void => checkPlaced({memoryBytes: needed - 1});
		expect(refused).toThrow(PoolError);
		expect(refused).toThrow(
			/^Expected `memory` in `resources` to be enough for Node, got \d+ MB: .*h_vmem.*Node \d+ needs \d+ MB .*Ask for 2G or more/,
		);
	});

	test('GPUs that can not be shared out among the slots are refused', () => {
		for (const fine of [{gpus: 4, slots: 2}, {gpus: 3}, {slots: 4}, {gpus: 1, slots: 4, countedOnce: new Set(['gpu'])}]) checkPlaced(fine);
		const refused = (): void => checkPlaced({gpus: 1, slots: 4});
		expect(refused).toThrow(PoolError);
		expect(refused).toThrow('Expected `gpus` in `resources` to be a multiple of `slots`, got 1 for 4 slots');
	});
});
