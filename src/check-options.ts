/** What every option must be; checked once, before anything is written or submitted. */
import {BUILT_IN_ENGINES, ENGINE_MEMBERS, findEngineFault} from './check-engine.js';
import {PoolError} from './errors.js';
import {nearestName} from './nearest-name.js';
import type {PoolOptions} from './options.js';
import {checkResources} from './resources.js';

/**
 * Checks the options of a call over the options of its pool.
 *
 * @throws PoolError `ERR_POOL_OPTION` naming the option, what was expected and what was got.
 */
export const mergeOptions = (poolOptions: PoolOptions, callOptions: PoolOptions = {}): PoolOptions => {
	checkOptions(poolOptions);
	checkOptions(callOptions);
	const merged: Record<string, unknown> = {...poolOptions, ...withoutUndefined(callOptions)};
	// Of the two ways to say how tasks are chunked, a call's own word replaces the pool's.
	if (callOptions.numChunks !== undefined && callOptions.chunkSize === undefined) delete merged.chunkSize;
	if (callOptions.chunkSize !== undefined && callOptions.numChunks === undefined) delete merged.numChunks;
	if (merged.numChunks !== undefined && merged.chunkSize !== undefined) {
		throw optionError('Expected `numChunks` or `chunkSize`, got both. Leave one of them out.');
	}
	// A call that is to be static has no use for the pool's number.
	if (callOptions.schedule === 'static' && callOptions.numJobs === undefined) delete merged.numJobs;
	return withoutUndefined(merged) as PoolOptions;
};

/** @throws PoolError `ERR_POOL_OPTION` unless a map that is to begin has `numJobs` when it needs it, and only then. */
export const checkSchedule = ({schedule, numJobs}: PoolOptions): void => {
	if (schedule === 'dynamic' && numJobs === undefined) {
		throw optionError(
			"Expected `numJobs` with `schedule: 'dynamic'`, got none. Give the number of queue-jobs that are to share the chunks, as the slots you may use.",
		);
	}
	if (schedule !== 'dynamic' && numJobs !== undefined) {
		throw optionError(
			"Expected `numJobs` only with `schedule: 'dynamic'`, got it without. Add that, or say by `numChunks` into how many queue-jobs the tasks are cut.",
		);
	}
};

/** @throws PoolError `ERR_POOL_OPTION` unless it is a path. Of an empty one `resolve` would make the current directory. */
export const checkPath = (name: string, value: unknown): void => {
	if (!path.accepts(value)) throw optionError(`Expected \`${name}\` to be ${path.expected}, got ${describe(value)}.`);
};

const checkOptions = (options: PoolOptions): void => {
	if (!isPlainObject(options)) {
		throw optionError(`Expected the options to be an object, got ${describe(options)}.`);
	}
	for (const [name, value] of Object.entries(options)) {
		if (!Object.hasOwn(RULES, name)) throw optionError(`Expected a known option, got \`${name}\`.${suggestName(name)}`);
		const rule = RULES[name as keyof PoolOptions];
		if (value !== undefined && !rule.accepts(value))
			throw optionError(`Expected \`${name}\` to be ${rule.expected}, got ${(rule.describe ?? describe)(value)}.`);
	}
};

type Rule = {
	readonly expected: string;
	readonly accepts: (value: unknown) => boolean;
	/** What was got, if more is to be said than what it is. */
	readonly describe?: (value: unknown) => string;
};

const isIntegerFrom =
	(minimum: number) =>
	(value: unknown): boolean =>
		Number.isSafeInteger(value) && (value as number) >= minimum;

const isStringOf =
	(pattern: RegExp) =>
	(value: unknown): boolean =>
		typeof value === 'string' && pattern.test(value);

/** A Map or another object with a mind of its own has no entries to see: it would count as empty. */
export const isPlainObject = (value: unknown): value is object =>
	typeof value === 'object' && value !== null && !Array.isArray(value) && Object.prototype.toString.call(value) === '[object Object]';

const isStringArray = (value: unknown): value is readonly string[] =>
	Array.isArray(value) && value.every(item => typeof item === 'string' && !item.includes('\0'));

/**
 * Queue-jobs submitted with these would not be found again, and be submitted a second time: arrays, whose elements have other ids (`arrayJobs` makes arrays), those of a cluster that the
 * other programs are not asked about, and calls that end with the queue-job, or submit nothing.
 */
const LOST_TO_QSUB = /^-(?:t|sync|verify)$/;
const LOST_TO_SBATCH = /^(?:-[aMW]|--(?:array|clusters?|wait|test-only)(?:=|$))/;

const integerFrom = (minimum: number): Rule => ({expected: `an integer from ${minimum} and up`, accepts: isIntegerFrom(minimum)});
// setTimeout takes no longer delays.
const MAX_DELAY_MS = 2 ** 31 - 1;
const milliseconds = (minimum: number): Rule => ({
	expected: `milliseconds, an integer from ${minimum} to ${MAX_DELAY_MS}`,
	accepts: value => isIntegerFrom(minimum)(value) && (value as number) <= MAX_DELAY_MS,
});
const millisecondsOrFalse: Rule = {
	expected: `${milliseconds(1).expected}, or false`,
	accepts: value => value === false || milliseconds(1).accepts(value),
};
const boolean: Rule = {expected: 'true or false', accepts: value => typeof value === 'boolean'};
const path: Rule = {expected: 'a path (a string that is not empty)', accepts: isStringOf(/^[^\0]+$/)};

const RULES: {readonly [Name in keyof Required<PoolOptions>]: Rule} = {
	engine: {
		expected: `${BUILT_IN_ENGINES.map(name => `\`${name}\``).join(', ')} or an object with ${ENGINE_MEMBERS}`,
		accepts: value =>
			BUILT_IN_ENGINES.some(name => name === value) ||
			(typeof value === 'object' && value !== null && findEngineFault(value) === undefined),
		describe: value => describeEngine(value),
	},
	queueName: {expected: 'the name of a queue', accepts: isStringOf(/^[^\s\0]+$/)},
	qsubArgs: {
		expected: 'an array of strings without `-t`, `-sync` and `-verify`',
		accepts: value => isStringArray(value) && !value.some(argument => LOST_TO_QSUB.test(argument)),
		describe: value => describeLost(value, LOST_TO_QSUB),
	},
	sbatchArgs: {
		expected: 'an array of strings without `--array`, `--clusters` (set SLURM_CLUSTERS), `--wait` and `--test-only`',
		accepts: value => isStringArray(value) && !value.some(argument => LOST_TO_SBATCH.test(argument)),
		describe: value => describeLost(value, LOST_TO_SBATCH),
	},
	resources: {
		expected: 'an object `{memory, time, slots, …}` or a function that returns one',
		// What is wrong inside it is told by its own words.
		accepts: value => typeof value === 'function' || (isPlainObject(value) && checkResources(value)),
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
	errorStateIndicator: {expected: 'one or more letters of a queue-job state', accepts: isStringOf(/^[A-Za-z]+$/)},
	slots: integerFrom(1),
	nodePath: {expected: 'an absolute path', accepts: isStringOf(/^\/[^\0]+$/)},
	env: {
		expected: 'true, false, an array of names, or a record of strings',
		accepts: value =>
			typeof value === 'boolean' || isStringArray(value) || (isPlainObject(value) && isStringArray(Object.values(value as object))),
	},
	numChunks: integerFrom(1),
	chunkSize: integerFrom(1),
	schedule: {expected: '`static` or `dynamic`', accepts: value => value === 'static' || value === 'dynamic'},
	numJobs: integerFrom(1),
	arrayJobs: boolean,
	maxConcurrentJobs: integerFrom(1),
	maxQueuedJobs: integerFrom(1),
	pollingIntervalMs: milliseconds(1),
	maxNumResubmissions: integerFrom(0),
	retries: integerFrom(0),
	taskLimitMs: milliseconds(1),
	avoidHosts: boolean,
	onCodeChange: {expected: '`fail` or `warn`', accepts: value => value === 'fail' || value === 'warn'},
	pendingWarnMs: millisecondsOrFalse,
	pendingLimitMs: milliseconds(1),
	unreachableAfterMs: millisecondsOrFalse,
	graceMs: milliseconds(0),
	outageLimitMs: milliseconds(0),
	programTimeoutMs: milliseconds(1),
	submitConcurrency: integerFrom(1),
	workDir: path,
	workRoot: path,
	resume: path,
	keepWorkDir: boolean,
	stopOnError: boolean,
	signal: {expected: 'an AbortSignal', accepts: value => value instanceof AbortSignal},
	handleSignals: boolean,
	onProgress: {expected: 'a function', accepts: value => typeof value === 'function'},
	progress: boolean,
	message: {expected: 'a string', accepts: value => typeof value === 'string'},
	tags: {
		expected: 'an array of words without blanks',
		accepts: value => isStringArray(value) && value.every(tag => /^\S+$/.test(tag)),
	},
	gitDiff: boolean,
	config: boolean,
	seed: {
		expected: 'a safe integer or a string',
		accepts: value => Number.isSafeInteger(value) || typeof value === 'string',
	},
	// What can't be serialised is found when it is, just before the work_dir is made.
	shared: {expected: 'any value', accepts: () => true},
};

const describeEngine = (value: unknown): string => {
	const fault = typeof value === 'object' && value !== null ? findEngineFault(value) : undefined;
	if (fault === undefined) return describe(value);
	if (fault.value === undefined) return `${describe(value)} without \`${fault.member}\``;
	return `${describe(value)} whose \`${fault.member}\` is ${describe(fault.value)}, not ${fault.expected}`;
};

const suggestName = (name: string): string => {
	const known = Object.keys(RULES);
	const nearest = nearestName(name, known);
	return nearest === undefined ? ` The options are: ${known.join(', ')}.` : ` Did you mean \`${nearest}\`?`;
};

const withoutUndefined = (record: Readonly<Record<string, unknown>> | PoolOptions): Record<string, unknown> =>
	Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

const describeLost = (value: unknown, lost: RegExp): string => {
	const found = isStringArray(value) ? value.find(argument => lost.test(argument)) : undefined;
	return found === undefined ? describe(value) : `one with ${describe(found)}`;
};

/** A value in a few words, for sentences that say what was got. */
export const describe = (value: unknown): string => {
	if (value === null) return 'null';
	if (Array.isArray(value)) return 'an array';
	if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
	if (typeof value === 'object')
		return isPlainObject(value) ? 'an object' : `an object (${Object.prototype.toString.call(value).slice(8, -1)})`;
	if (typeof value === 'bigint') return `${value}n`;
	return typeof value === 'function' ? 'a function' : String(value);
};

const optionError = (message: string): PoolError => new PoolError('ERR_POOL_OPTION', message);
