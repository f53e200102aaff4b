import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {mergeOptions} from '../../src/check-options.js';
import {PoolError} from '../../src/errors.js';
import type {AttemptInfo, Resources} from '../../src/options.js';
import {toJobResources} from '../../src/resources.js';

const FIRST: AttemptInfo = {attempt: 1, lastFailure: undefined};

const refusalOf = (action: () => unknown): PoolError => {
	try {
		action();
	} catch (error) {
		expect(error).toBeInstanceOf(PoolError);
		expect((error as PoolError).code).toBe('ERR_POOL_OPTION');
		return error as PoolError;
	}
	throw new Error('it was not refused');
};

describe('resources', () => {
	test.each<[memory: string | number, bytes: number]>([
		['500M', 500 * 2 ** 20],
		['8G', 8 * 2 ** 30],
		['8 G', 8 * 2 ** 30],
		['1.5G', 1.5 * 2 ** 30],
		['1024K', 2 ** 20],
		['2T', 2 ** 41],
		[1, 1],
		[4.2e9, 4_200_000_000],
		[1000.5, 1001],
	])('memory: %j are %d bytes', (memory, memoryBytes) => {
		expect(toJobResources({memory}, FIRST)).toEqual({memoryBytes});
	});

	test.each<[time: string | number, seconds: number]>([
		['90s', 90],
		['90m', 5400],
		['36h', 129_600],
		['2d', 172_800],
		['1.5h', 5400],
		['01:30:00', 5400],
		['100:00:01', 360_001],
		[5400, 5400],
		[0.5, 1],
	])('time: %j are %d seconds', (time, timeSeconds) => {
		expect(toJobResources({time}, FIRST)).toEqual({timeSeconds});
	});

	test('numbers and names are passed on as they are', () => {
		const resources: Resources = {slots: 4, gpus: 2, queue: 'long.q@node1', project: 'physics', parallelEnvironment: 'smp'};
		expect(toJobResources(resources, FIRST)).toEqual(resources);
		expect(toJobResources({slots: 1, gpus: 0}, FIRST)).toEqual({slots: 1});
	});

	test('what is not named is left to the scheduler', () => {
		for (const option of [undefined, {}, {memory: undefined, time: undefined} as unknown as Resources, () => ({})])
			expect(toJobResources(option, FIRST)).toEqual({});
		expect(toJobResources({memory: '1M', time: '1m'}, FIRST)).toEqual({memoryBytes: 2 ** 20, timeSeconds: 60});
	});

	test('a function says so for each attempt', () => {
		const option = ({attempt, lastFailure}: AttemptInfo): Resources =>
			lastFailure === 'out-of-memory' ? {memory: attempt * 2 ** 30} : {time: '1h'};
		expect(toJobResources(option, FIRST)).toEqual({timeSeconds: 3600});
		expect(toJobResources(option, {attempt: 3, lastFailure: 'out-of-memory'})).toEqual({memoryBytes: 3 * 2 ** 30});
	});

	test('whatever whole number of a unit is read exactly', () => {
		fc.assert(
			fc.property(fc.integer({min: 1, max: 9999}), n => {
				expect(toJobResources({memory: `${n}M`, time: `${n}m`}, FIRST)).toEqual({memoryBytes: n * 2 ** 20, timeSeconds: n * 60});
			}),
		);
	});
});

const BAD_MEMORY = [
	'',
	'8',
	'8g',
	'500m',
	'8GB',
	'8 gigs',
	'G',
	'-1G',
	'0G',
	'1e3M',
	'8G 8G',
	0,
	-1,
	Number.NaN,
	Number.POSITIVE_INFINITY,
	2 ** 60,
	null,
	true,
	[],
	{},
];
const BAD_TIME = ['', '90', '90M', '2w', '1:30', '01:60:00', '1:2:3', '-1h', '0s', '00:00:00', 0, -1, Number.NaN, null, false, []];

describe('is refused before anything is written', () => {
	test.each(BAD_MEMORY)('memory: %j', memory => {
		const {message} = refusalOf(() => mergeOptions({resources: {memory} as Resources}));
		expect(message).toMatch(/^Expected `memory` in `resources` to be bytes, or a text as `500M` or `8G`, got ./);
	});

	test.each(BAD_TIME)('time: %j', time => {
		const {message} = refusalOf(() => mergeOptions({resources: {time} as Resources}));
		expect(message).toMatch(/^Expected `time` in `resources` to be seconds, or a text as `90m`, `36h`, `2d` or `01:30:00`, got ./);
	});

	test.each<[name: keyof Resources, expected: string, bad: readonly unknown[]]>([
		['slots', 'an integer from 1 and up', [0, -1, 1.5, '4', null, Number.NaN, {}, true]],
		['gpus', 'an integer from 0 and up', [-1, 0.5, '1', null, Number.POSITIVE_INFINITY]],
		['queue', 'the name of a queue', ['', 'a b', '-q', 'a\0', 5, null, ['a']]],
		['project', 'the name of a project', ['', 'a\n', '-P', 5, null]],
		['parallelEnvironment', 'the name of a parallel environment', ['', 'smp 4', '-pe', 4, null]],
	])('%s that is not %s', (name, expected, bad) => {
		for (const value of bad) {
			const {message} = refusalOf(() => mergeOptions({resources: {slots: 1, [name]: value} as Resources}));
			expect(message).toMatch(`Expected \`${name}\` in \`resources\` to be ${expected}, got `);
		}
	});

	test('a parallel environment for nobody knows how many slots', () => {
		const {message} = refusalOf(() => mergeOptions({resources: {parallelEnvironment: 'smp'}}));
		expect(message).toBe('Expected `slots` beside `parallelEnvironment` in `resources`: say how many are to be had in it.');
	});

	test('an unknown resource, with the nearest and the known ones', () => {
		const all = 'They are: memory, time, slots, gpus, queue, project, parallelEnvironment. For others use `qsubArgs` or `sbatchArgs`.';
		for (const [name, meant] of [
			['mem', 'memory'],
			['Memory', 'memory'],
			['slot', 'slots'],
			['cpus', 'slots'],
			['walltime', 'time'],
			['partition', 'queue'],
			['account', 'project'],
			['parallel_environment', 'parallelEnvironment'],
		] as const) {
			const {message} = refusalOf(() => mergeOptions({resources: {[name]: 1} as Resources}));
			expect(message).toBe(`Expected \`resources\` to name known resources, got "${name}". Did you mean \`${meant}\`? ${all}`);
		}
		for (const name of ['licences', '__proto__x', 'constructor']) {
			const {message} = refusalOf(() => mergeOptions({resources: {[name]: 1} as Resources}));
			expect(message).toBe(`Expected \`resources\` to name known resources, got "${name}". ${all}`);
		}
	});

	test.each([5, 'lots', null, [], true, new Map()])('%j in place of an object', resources => {
		const {message} = refusalOf(() => mergeOptions({resources: resources as Resources}));
		expect(message).toMatch(/^Expected `resources` to be an object `\{memory, time, slots, …\}` or a function that returns one, got /);
	});

	test('but not what is right, nor a function, which is not called yet', () => {
		const resources = (): Resources => {
			throw new Error('called too soon');
		};
		expect(mergeOptions({resources}).resources).toBe(resources);
		expect(mergeOptions({resources: {memory: '8G', time: '1h'}}).resources).toEqual({memory: '8G', time: '1h'});
	});
});

describe('of a function', () => {
	test.each([undefined, null, 5, 'lots', [], Promise.resolve({memory: '8G'})])('what is no object is refused: %j', returned => {
		// A promise has no resources of its own, so it would ask for nothing.
		const {message} = refusalOf(() => toJobResources(() => returned as unknown as Resources, {attempt: 2, lastFailure: 'killed'}));
		expect(message).toMatch(
			/^Expected what the function `resources` returns for attempt 2 to be an object \{memory, time, slots, …\}, got ./,
		);
	});

	test('a bad value is named with its attempt', () => {
		const {message} = refusalOf(() => toJobResources(() => ({memory: '8 gigs'}), {attempt: 7, lastFailure: 'killed'}));
		expect(message).toBe(
			'Expected `memory` in what the function `resources` returns for attempt 7 to be bytes, or a text as `500M` or `8G`, got "8 gigs".',
		);
	});

	test('what it throws is told, and kept as the cause', () => {
		const thrown = new TypeError('boom');
		const error = refusalOf(() =>
			toJobResources(() => {
				throw thrown;
			}, FIRST),
		);
		expect(error.message).toBe('The function `resources` threw for attempt 1: boom');
		expect(error.cause).toBe(thrown);
	});
});
