import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {checkSchedule, mergeOptions} from '../../src/check-options.js';
import {PoolError} from '../../src/errors.js';
import type {PoolOptions} from '../../src/options.js';

/** The message with which options are refused; a test that gets none fails. */
const refusal = (poolOptions: unknown, callOptions?: unknown): string => {
	try {
		mergeOptions(poolOptions as PoolOptions, callOptions as PoolOptions);
	} catch (error) {
		expect(error).toBeInstanceOf(PoolError);
		expect(error).toMatchObject({code: 'ERR_POOL_OPTION', workDir: undefined});
		return (error as PoolError).message;
	}
	throw new Error('it was accepted');
};

type Rule = {
	readonly expected: string;
	readonly good: readonly unknown[];
	readonly bad: readonly (readonly [value: unknown, got: string])[];
};

const NO_STRINGS = [
	[5, '5'],
	[true, 'true'],
	[null, 'null'],
	[['a'], 'an array'],
	[{}, 'an object'],
] as const;
const NO_NUMBERS = [
	['5', '"5"'],
	[5n, '5n'],
	[true, 'true'],
	[null, 'null'],
	[Number.NaN, 'NaN'],
	[Number.POSITIVE_INFINITY, 'Infinity'],
	[1.5, '1.5'],
	[2 ** 53, '9007199254740992'],
	[[5], 'an array'],
] as const;

const path: Rule = {
	expected: 'a path (a string that is not empty)',
	good: ['qsub', '/usr/bin/qsub', './a b', '/w/"\'$:,#\n', 'ü'],
	bad: [['', '""'], ['a\0b', '"a\\u0000b"'], [new URL('file:///w'), 'an object (URL)'], ...NO_STRINGS],
};
const boolean: Rule = {
	expected: 'true or false',
	good: [true, false],
	bad: [
		[0, '0'],
		['true', '"true"'],
		[null, 'null'],
	],
};
const integerFrom = (minimum: number): Rule => ({
	expected: `an integer from ${minimum} and up`,
	good: [minimum, minimum + 1, 1_000_000, Number.MAX_SAFE_INTEGER],
	bad: [[minimum - 1, String(minimum - 1)], [-7, '-7'], ...NO_NUMBERS],
});
const milliseconds = (minimum: number): Rule => ({
	expected: `milliseconds, an integer from ${minimum} to 2147483647`,
	good: [minimum, 5000, 2 ** 31 - 1],
	bad: [[minimum - 1, String(minimum - 1)], [2 ** 31, '2147483648'], ...NO_NUMBERS],
});

const orFalse = ({expected, good, bad}: Rule): Rule => ({
	expected: `${expected}, or false`,
	good: [...good, false],
	bad,
});
const oneOf = (first: string, second: string): Rule => ({
	expected: `\`${first}\` or \`${second}\``,
	good: [first, second],
	bad: [
		['none', '"none"'],
		['', '""'],
		[first.toUpperCase(), JSON.stringify(first.toUpperCase())],
		[`${first} `, JSON.stringify(`${first} `)],
		[false, 'false'],
		...NO_STRINGS,
	],
});

/** Whatever can't be serialised is found later. */
const anything: Rule = {expected: 'any value', good: [null, 5, 'x', {a: 1}, new Map()], bad: []};
const nothing = async (): Promise<never[]> => [];
const ENGINE = {
	name: 'my-engine_2.0',
	statusCost: 'call',
	outlivesProcess: true,
	maxDefaultChunks: 10,
	submit: nothing,
	status: nothing,
	remove: nothing,
	explain: nothing,
};
const ARRAYS = {elementVariable: 'ELEMENT_2', maxElements: nothing, submit: nothing, elementId: nothing};
const ENGINE_NAME = 'letters, digits and `_ . -` that are not the name of an engine of this library';

/** Its methods are its class's. */
class Brought {
	readonly name = 'brought';
	readonly statusCost = 'none';
	readonly outlivesProcess = false;
	readonly maxDefaultChunks = 1;
	submit = nothing;
	status(): Promise<never[]> {
		return nothing();
	}
	remove(): void {}
	explain(): void {}
}

const RULES: {readonly [Name in keyof Required<PoolOptions>]: Rule} = {
	engine: {
		expected:
			'`grid-engine`, `slurm`, `local` or an object with `name`, `statusCost`, `outlivesProcess`, `maxDefaultChunks`, `submit`, `status`, `remove`, `explain`',
		good: [
			'grid-engine',
			'slurm',
			'local',
			ENGINE,
			{...ENGINE, arrays: undefined},
			{...ENGINE, arrays: ARRAYS},
			new (class extends Brought {})(),
		],
		bad: [
			['torque', '"torque"'],
			['Local', '"Local"'],
			['', '""'],
			[5, '5'],
			[null, 'null'],
			[() => ENGINE, 'a function'],
			[{}, 'an object without `name`'],
			[Promise.resolve(ENGINE), 'an object (Promise) without `name`'],
			[{...ENGINE, status: undefined}, 'an object without `status`'],
			[{...ENGINE, name: 'a b'}, `an object whose \`name\` is "a b", not ${ENGINE_NAME}`],
			// Who comes back to its maps would get another one.
			[{...ENGINE, name: 'local'}, `an object whose \`name\` is "local", not ${ENGINE_NAME}`],
			[{...ENGINE, statusCost: 'much'}, 'an object whose `statusCost` is "much", not `call` or `none`'],
			[{...ENGINE, outlivesProcess: 1}, 'an object whose `outlivesProcess` is 1, not true or false'],
			[{...ENGINE, maxDefaultChunks: 0}, 'an object whose `maxDefaultChunks` is 0, not an integer from 1 and up'],
			[{...ENGINE, remove: []}, 'an object whose `remove` is an array, not a function'],
			[{...ENGINE, arrays: true}, 'an object whose `arrays` is true, not an object or nothing'],
			[{...ENGINE, arrays: {...ARRAYS, elementId: undefined}}, 'an object without `arrays.elementId`'],
			[
				{...ENGINE, arrays: {...ARRAYS, elementVariable: 'A-B'}},
				'an object whose `arrays.elementVariable` is "A-B", not the name of a variable of the shell',
			],
		],
	},
	queueName: {
		expected: 'the name of a queue',
		good: ['short.q', 'all.q@node1', '*'],
		bad: [['', '""'], ['a b', '"a b"'], ['a\n', '"a\\n"'], ...NO_STRINGS],
	},
	qsubArgs: {
		expected: 'an array of strings without `-t`, `-sync` and `-verify`',
		good: [[], ['-l', 'h_vmem=8G'], [''], ['-tc', '3']],
		bad: [
			['-l', '"-l"'],
			[[5], 'an array'],
			[['a\0'], 'an array'],
			[['-q', 'x', '-t', '1-3'], 'one with "-t"'],
			[['-sync', 'y'], 'one with "-sync"'],
			[{}, 'an object'],
			[null, 'null'],
		],
	},
	sbatchArgs: {
		expected: 'an array of strings without `--array`, `--clusters` (set SLURM_CLUSTERS), `--wait` and `--test-only`',
		good: [[], ['--qos=long'], [''], ['--wait-all-nodes=1']],
		bad: [
			['-l', '"-l"'],
			[[5], 'an array'],
			[['a\0'], 'an array'],
			[['--array=1-3'], 'one with "--array=1-3"'],
			[['--qos=long', '-M', 'big'], 'one with "-M"'],
			[['--clusters', 'big'], 'one with "--clusters"'],
			[['-W'], 'one with "-W"'],
			[{}, 'an object'],
			[null, 'null'],
		],
	},
	resources: {
		expected: 'an object `{memory, time, slots, …}` or a function that returns one',
		good: [{}, {memory: '8G'}, {memory: 2 ** 33, time: '36h'}, {time: 3600}, () => ({})],
		bad: [
			['8G', '"8G"'],
			[5, '5'],
			[null, 'null'],
			[['8G'], 'an array'],
			[new Map([['memory', '8G']]), 'an object (Map)'],
		],
	},
	qsubPath: path,
	qstatPath: path,
	qdelPath: path,
	qacctPath: path,
	qalterPath: path,
	qconfPath: path,
	sbatchPath: path,
	squeuePath: path,
	scancelPath: path,
	scontrolPath: path,
	sacctPath: path,
	errorStateIndicator: {
		expected: 'one or more letters of a queue-job state',
		good: ['E', 'Eqw'],
		bad: [['', '""'], ['E ', '"E "'], ['1', '"1"'], ...NO_STRINGS],
	},
	slots: integerFrom(1),
	nodePath: {
		expected: 'an absolute path',
		good: ['/usr/bin/node', '/a b'],
		bad: [['node', '"node"'], ['./node', '"./node"'], ['', '""'], ['/', '"/"'], ...NO_STRINGS],
	},
	env: {
		expected: 'true, false, an array of names, or a record of strings',
		good: [true, false, [], ['HOME'], {}, {A: 'b'}, process.env, Object.create(null)],
		bad: [
			[null, 'null'],
			['HOME', '"HOME"'],
			[[1], 'an array'],
			[{A: 1}, 'an object'],
			[{A: undefined}, 'an object'],
			[{A: 'a\0b'}, 'an object'],
			[new Map([['A', 'b']]), 'an object (Map)'],
			[new Date(0), 'an object (Date)'],
		],
	},
	numChunks: integerFrom(1),
	chunkSize: integerFrom(1),
	schedule: oneOf('static', 'dynamic'),
	numJobs: integerFrom(1),
	arrayJobs: boolean,
	maxConcurrentJobs: integerFrom(1),
	maxQueuedJobs: integerFrom(1),
	pollingIntervalMs: milliseconds(1),
	maxNumResubmissions: integerFrom(0),
	retries: integerFrom(0),
	taskLimitMs: milliseconds(1),
	avoidHosts: boolean,
	onCodeChange: oneOf('fail', 'warn'),
	pendingWarnMs: orFalse(milliseconds(1)),
	pendingLimitMs: milliseconds(1),
	unreachableAfterMs: orFalse(milliseconds(1)),
	graceMs: milliseconds(0),
	outageLimitMs: milliseconds(0),
	programTimeoutMs: milliseconds(1),
	submitConcurrency: integerFrom(1),
	workDir: path,
	workRoot: path,
	resume: path,
	keepWorkDir: boolean,
	stopOnError: boolean,
	signal: {
		expected: 'an AbortSignal',
		good: [new AbortController().signal, AbortSignal.abort()],
		bad: [
			[new AbortController(), 'an object (AbortController)'],
			[{aborted: false}, 'an object'],
			[null, 'null'],
		],
	},
	handleSignals: boolean,
	onProgress: {
		expected: 'a function',
		good: [() => undefined, console.log],
		bad: [
			[true, 'true'],
			['log', '"log"'],
			[null, 'null'],
		],
	},
	progress: boolean,
	message: {expected: 'a string', good: ['', 'two\nlines'], bad: [...NO_STRINGS, [Symbol('x'), 'Symbol(x)'], [() => 'x', 'a function']]},
	tags: {
		expected: 'an array of words without blanks',
		good: [[], ['pilot', 'figure-3']],
		bad: [
			['pilot', '"pilot"'],
			[['two words'], 'an array'],
			[[''], 'an array'],
			[[3], 'an array'],
		],
	},
	gitDiff: boolean,
	config: boolean,
	seed: {
		expected: 'a safe integer or a string',
		good: [0, -1, Number.MAX_SAFE_INTEGER, '', 'any text'],
		bad: [
			[1.5, '1.5'],
			[2 ** 53, '9007199254740992'],
			[Number.NaN, 'NaN'],
			[5n, '5n'],
			[null, 'null'],
		],
	},
	shared: anything,
};

const table = Object.entries(RULES);

describe('every option', () => {
	test.each(table)('%s takes what it should take', (name, {good}) => {
		for (const value of good) {
			expect(mergeOptions({[name]: value})).toEqual({[name]: value});
			expect(mergeOptions({}, {[name]: value})).toEqual({[name]: value});
		}
	});

	test.each(table)('%s refuses all else, in a sentence', (name, {expected, bad}) => {
		for (const [value, got] of bad) {
			const sentence = `Expected \`${name}\` to be ${expected}, got ${got}.`;
			expect(refusal({[name]: value})).toBe(sentence);
			expect(refusal({}, {[name]: value})).toBe(sentence);
		}
	});

	test.each(table)('%s may be undefined, which says nothing', name => {
		expect(mergeOptions({[name]: undefined}, {[name]: undefined})).toEqual({});
	});

	test.each([
		...['queue_name', 'work_dir', 'keep_work_dir', 'max_num_resubmissions', 'error_state_indicator', 'num_chunks'],
		...['qsub_path', 'qstat_path', 'qdel_path'],
	])('Q2: %s of the ancestor has its counterpart of the same name', name => {
		const counterpart = name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
		expect(RULES).toHaveProperty(counterpart);
	});

	test('Q2: those of another name in the ancestor are `nodePath` and `pollingIntervalMs`, and what it could not ask for is `qsubArgs`', () => {
		const all = {nodePath: process.execPath, pollingIntervalMs: 5000, qsubArgs: ['-l', 'h_vmem=8G'], queueName: 'short.q', numChunks: 7};
		expect(mergeOptions(all)).toEqual(all);
		expect(refusal({python_path: '/bin/python'})).toContain('python_path');
	});

	test('a long text is shortened', () => {
		expect(refusal({nodePath: 'x'.repeat(1000)})).toBe(`Expected \`nodePath\` to be an absolute path, got "${'x'.repeat(60)}…".`);
	});
});

describe('unknown options', () => {
	test.each([
		['chunksize', 'chunkSize'],
		['num_chunks', 'numChunks'],
		['polling_interval', 'pollingIntervalMs'],
		['pollingInterval', 'pollingIntervalMs'],
		['maxResubmissions', 'maxNumResubmissions'],
		['work_dir', 'workDir'],
		['keepWorkdir', 'keepWorkDir'],
		['slot', 'slots'],
		['envs', 'env'],
		['task_limit', 'taskLimitMs'],
		['resource', 'resources'],
		['handleSignal', 'handleSignals'],
		['KEEPWORKDIR', 'keepWorkDir'],
	])('%s: did you mean %s', (name, meant) => {
		expect(refusal({[name]: 1})).toBe(`Expected a known option, got \`${name}\`. Did you mean \`${meant}\`?`);
	});

	test.each(['foo', 'x', '', 'concurrency', 'constructor', '__proto__x', 'toString', 'hasOwnProperty'])(
		'%j is like none: all are listed',
		name => {
			const message = refusal({[name]: 1});
			expect(message).toBe(`Expected a known option, got \`${name}\`. The options are: ${Object.keys(RULES).join(', ')}.`);
		},
	);

	test('__proto__ as a key of its own is unknown', () => {
		expect(refusal(JSON.parse('{"__proto__": 1}'))).toContain('got `__proto__`');
	});

	test('also when undefined', () => {
		expect(refusal({chunkSizes: undefined})).toContain('Did you mean `chunkSize`?');
	});
});

describe('options', () => {
	test.each([
		[null, 'null'],
		[5, '5'],
		['short.q', '"short.q"'],
		[[], 'an array'],
		[() => undefined, 'a function'],
		[new Map([['slots', 2]]), 'an object (Map)'],
	])('must be an object: %j', (options, got) => {
		expect(refusal(options)).toBe(`Expected the options to be an object, got ${got}.`);
		expect(refusal({}, options)).toBe(`Expected the options to be an object, got ${got}.`);
	});

	test('of a call win over those of the pool, which stay as they were', () => {
		const pool: PoolOptions = {slots: 2, message: 'pool', keepWorkDir: true};
		expect(mergeOptions(pool, {message: 'call', keepWorkDir: false, slots: undefined as never})).toEqual({
			slots: 2,
			message: 'call',
			keepWorkDir: false,
		});
		expect(pool).toEqual({slots: 2, message: 'pool', keepWorkDir: true});
	});

	test('both ways to cut tasks into chunks at once are refused', () => {
		const both = {numChunks: 7, chunkSize: 3};
		const sentence = 'Expected `numChunks` or `chunkSize`, got both. Leave one of them out.';
		expect(refusal(both)).toBe(sentence);
		expect(refusal({}, both)).toBe(sentence);
		expect(refusal({numChunks: 2}, both)).toBe(sentence);
	});

	test('a call’s word on chunks replaces the pool’s', () => {
		expect(mergeOptions({numChunks: 7}, {chunkSize: 3})).toEqual({chunkSize: 3});
		expect(mergeOptions({chunkSize: 3}, {numChunks: 7})).toEqual({numChunks: 7});
		expect(mergeOptions({chunkSize: 3}, {chunkSize: 4})).toEqual({chunkSize: 4});
		expect(mergeOptions({chunkSize: 3}, {})).toEqual({chunkSize: 3});
	});

	test('`numJobs` is refused without dynamic chunks, and dynamic chunks without it', () => {
		const refusalOf = (options: PoolOptions): string => {
			try {
				checkSchedule(options);
			} catch (error) {
				expect(error).toMatchObject({code: 'ERR_POOL_OPTION'});
				return (error as PoolError).message;
			}
			return 'accepted';
		};
		expect(refusalOf({schedule: 'dynamic'})).toContain("Expected `numJobs` with `schedule: 'dynamic'`, got none.");
		expect(refusalOf({numJobs: 4})).toContain("Expected `numJobs` only with `schedule: 'dynamic'`, got it without.");
		expect(refusalOf({schedule: 'static', numJobs: 4})).toContain("Expected `numJobs` only with `schedule: 'dynamic'`");
		for (const options of [{}, {schedule: 'static'}, {schedule: 'dynamic', numJobs: 4}] as const)
			expect(refusalOf(options)).toBe('accepted');
	});

	test('a call that is to be static leaves out the pool’s number of queue-jobs', () => {
		const pool = {schedule: 'dynamic', numJobs: 4} as const;
		expect(mergeOptions(pool, {schedule: 'static'})).toEqual({schedule: 'static'});
		expect(mergeOptions(pool, {numJobs: 5})).toEqual({schedule: 'dynamic', numJobs: 5});
		expect(mergeOptions(pool, {schedule: 'static', numJobs: 5})).toEqual({schedule: 'static', numJobs: 5});
	});

	test('that were accepted are accepted again, and whatever is given, only a PoolError is thrown', () => {
		const names = fc.oneof(fc.constantFrom(...Object.keys(RULES)), fc.string());
		fc.assert(
			fc.property(
				fc.dictionary(names, fc.anything({withBigInt: true, withDate: true, withMap: true, withNullPrototype: true})),
				options => {
					try {
						const merged = mergeOptions(options as PoolOptions);
						expect(mergeOptions(merged)).toEqual(merged);
					} catch (error) {
						if (!(error instanceof PoolError)) throw error;
					}
				},
			),
			{numRuns: 2000},
		);
	});
});
