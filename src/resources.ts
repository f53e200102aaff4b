/** What a queue-job is given: the option `resources` -> bytes and seconds, for one attempt. */
import {inspect} from 'node:util';
import type {JobResources} from './engines/engine.js';
import {PoolError} from './errors.js';
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

const KNOWN = ['memory', 'time'] as const;

const parseResources = (resources: Resources, who: string): JobResources => {
	if (Object.prototype.toString.call(resources) !== '[object Object]') {
		throw refusal(`Expected ${who} to be an object {memory, time}, got ${show(resources)}.`);
	}
	for (const name of Object.keys(resources)) {
		if (!(KNOWN as readonly string[]).includes(name)) {
			throw refusal(
				`Expected ${who} to name known resources, got ${show(name)}. They are: ${KNOWN.join(', ')}. For others use \`qsubArgs\`.`,
			);
		}
	}
	const {memory, time} = resources;
	return {
		...(memory === undefined ? {} : {memoryBytes: parse(memory, toBytes, `\`memory\` in ${who}`, 'bytes, or a text as `500M` or `8G`')}),
		...(time === undefined
			? {}
			: {timeSeconds: parse(time, toSeconds, `\`time\` in ${who}`, 'seconds, or a text as `90m`, `36h`, `2d` or `01:30:00`')}),
	};
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

const toSeconds = (text: string): number | undefined => {
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
