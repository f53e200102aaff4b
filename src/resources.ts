/** What a queue-job is given: the option `resources` -> bytes, seconds, numbers and names, for one attempt. */
import {inspect} from 'node:util';
import type {JobResources} from './engines/engine.js';
import {PoolError} from './errors.js';
import {nearestName} from './nearest-name.js';
import type {AttemptInfo, PoolOptions, Resources} from './options.js';

/**
 * @throws PoolError `ERR_POOL_OPTION` when a value is not what it must be, also of what the function returns, and when the function throws.
 */
export const toJobResources = (option: PoolOptions['resources'], info: AttemptInfo): JobResources => {
	if (option === undefined) return {};
	if (typeof option !== 'function') return parseResources(option, '`resources`');
	const who = `what the function \`resources\` returns for attempt ${info.attempt}`;
	return parseResources(call(option, info), who);
};

/**
 * Checks what was given as an object; a function is asked for each attempt.
 *
 * @throws PoolError `ERR_POOL_OPTION`.
 */
export const checkResources = (option: Resources): true => {
	parseResources(option, '`resources`');
	return true;
};

const call = (option: (info: AttemptInfo) => Resources, info: AttemptInfo): Resources => {
	try {
		return option(info);
	} catch (error) {
		const message = error instanceof Error ? error.message : inspect(error);
		throw new PoolError('ERR_POOL_OPTION', `The function \`resources\` threw for attempt ${info.attempt}: ${message}`, {cause: error});
	}
};

/** How each resource is read; `undefined` says that nothing is asked for. */
const READERS: {readonly [Name in keyof Required<Resources>]: (value: unknown, what: string) => JobResources} = {
	memory: (value, what) => ({memoryBytes: parse(value, toBytes, what, 'bytes, or a text as `500M` or `8G`')}),
	time: (value, what) => ({timeSeconds: parse(value, toSeconds, what, 'seconds, or a text as `90m`, `36h`, `2d` or `01:30:00`')}),
	slots: (value, what) => ({slots: count(value, 1, what)}),
	gpus: (value, what) => (count(value, 0, what) === 0 ? {} : {gpus: value as number}),
	queue: (value, what) => ({queue: name(value, what, 'the name of a queue')}),
	project: (value, what) => ({project: name(value, what, 'the name of a project')}),
	parallelEnvironment: (value, what) => ({parallelEnvironment: name(value, what, 'the name of a parallel environment')}),
};

const KNOWN = Object.keys(READERS);

const parseResources = (resources: Resources, who: string): JobResources => {
	if (Object.prototype.toString.call(resources) !== '[object Object]') {
		throw refusal(`Expected ${who} to be an object {memory, time, slots, …}, got ${show(resources)}.`);
	}
	const parsed = Object.entries(resources).map(([known, value]) => {
		if (!Object.hasOwn(READERS, known)) throw refusal(`Expected ${who} to name known resources, got ${show(known)}.${suggest(known)}`);
		return value === undefined ? {} : READERS[known as keyof Resources](value, `\`${known}\` in ${who}`);
	});
	const job = Object.assign({}, ...parsed) as JobResources;
	if (job.parallelEnvironment !== undefined && job.slots === undefined) {
		throw refusal(`Expected \`slots\` beside \`parallelEnvironment\` in ${who}: say how many are to be had in it.`);
	}
	return job;
};

/** What schedulers and other libraries call them. By its letters `cpus` would be nearest to `gpus`. */
const OTHER_WORDS: ReadonlyMap<string, keyof Resources> = new Map([
	...(['h_vmem', 'ram'] as const).map(word => [word, 'memory'] as const),
	...(['h_rt', 'walltime', 'timeout', 'timelimit'] as const).map(word => [word, 'time'] as const),
	...(['cpus', 'cores', 'processors', 'threads', 'nslots'] as const).map(word => [word, 'slots'] as const),
	...([
		['partition', 'queue'],
		['account', 'project'],
		['pe', 'parallelEnvironment'],
	] as const),
]);

const suggest = (unknown: string): string => {
	const nearest = OTHER_WORDS.get(unknown.toLowerCase()) ?? nearestName(unknown, KNOWN);
	const meant = nearest === undefined ? '' : ` Did you mean \`${nearest}\`?`;
	return `${meant} They are: ${KNOWN.join(', ')}. For others use \`qsubArgs\` or \`sbatchArgs\`.`;
};

const count = (value: unknown, least: number, what: string): number => {
	if (!Number.isSafeInteger(value) || (value as number) < least)
		throw refusal(`Expected ${what} to be an integer from ${least} and up, got ${show(value)}.`);
	return value as number;
};

/** Not what a scheduler would take for an option. */
const name = (value: unknown, what: string, expected: string): string => {
	if (typeof value !== 'string' || !/^[^\s\0-][^\s\0]*$/.test(value))
		throw refusal(`Expected ${what} to be ${expected}, got ${show(value)}.`);
	return value;
};

const parse = (value: unknown, read: (text: string) => number | undefined, what: string, expected: string): number => {
	const number = typeof value === 'number' ? value : typeof value === 'string' ? read(value.trim()) : undefined;
	// Rounded up: a part of a byte or second can't be asked for.
	const whole = number === undefined ? Number.NaN : Math.ceil(number);
	if (!Number.isSafeInteger(whole) || whole < 1) throw refusal(`Expected ${what} to be ${expected}, got ${show(value)}.`);
	return whole;
};

/** Powers of 1024. Small letters are refused: for Grid Engine they are powers of 1000. */
const BYTES: Readonly<Record<string, number>> = {K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40};

const toBytes = (text: string): number | undefined => withUnit(text, BYTES);

const SECONDS: Readonly<Record<string, number>> = {s: 1, m: 60, h: 3600, d: 86_400};

/** `90m`, `36h`, `2d`, `01:30:00`; undefined for what is no time. */
export const toSeconds = (text: string): number | undefined => {
	const clock = /^(\d+):([0-5]\d):([0-5]\d)$/.exec(text);
	if (clock !== null) return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3]);
	return withUnit(text, SECONDS);
};

const withUnit = (text: string, units: Readonly<Record<string, number>>): number | undefined => {
	const match = /^(\d+(?:\.\d+)?) ?([A-Za-z])$/.exec(text);
	const unit = units[match?.[2] ?? ''];
	return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
};

const show = (value: unknown): string =>
	typeof value === 'string'
		? JSON.stringify(value)
		: inspect(value, {depth: 0, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 60});

const refusal = (message: string): PoolError => new PoolError('ERR_POOL_OPTION', message);
