/**
 * The caller's environment, written down for the worker-nodes: environment.sh, which the launcher reads before node starts, and
 * environment.json for the names that no shell can export. Both are private files of the work_dir.
 */
import {readFileSync} from 'node:fs';
import {isExportable, isLocale, isOwnedByJob, LEFT_BY_SUBMISSION, READ_AT_START, TIES_TO_A_PARENT} from './environment-names.js';
import {PoolError} from './errors.js';
import type {EnvironmentOption} from './options.js';
import type {EnvironmentRecord} from './worker/apply-environment.js';

export type CapturedEnvironment = {
	/** The content of environment.sh: raw bytes, for a value need not be UTF-8. */
	readonly script: Buffer;
	/** The content of environment.json, for `applyEnvironment`. */
	readonly record: string;
};

/** What Linux lets one `NAME=value` have, its closing NUL included (MAX_ARG_STRLEN, 32 pages). */
const MAX_VARIABLE_BYTES = 131_072;

/**
 * What all variables may have together. Linux gives arguments and environment a quarter of the stack limit, 2 MiB as a rule; the rest is
 * for the arguments and for the scheduler's variables.
 */
const MAX_ENVIRONMENT_BYTES = 2_000_000;

/** Linux counts the pointer to each variable too. */
const POINTER_BYTES = 8;

type Variable = {readonly name: string; readonly value: Buffer; readonly sizeBytes: number};

/**
 * Selects by the option `env`, checks, and writes down. Values keep their bytes where process.env still has what the process began with.
 * A name that is not UTF-8 can't be passed on: Node itself can't look it up.
 *
 * @param raw - The content of /proc/self/environ; undefined where there is none.
 * @throws PoolError `ERR_POOL_ENVIRONMENT`
 */
export const captureEnvironment = (
	option: EnvironmentOption,
	environment: Readonly<Record<string, string | undefined>> = process.env,
	raw: Buffer | undefined = readInitialEnvironment(),
): CapturedEnvironment => {
	const initial = parseInitialEnvironment(raw);
	const variables = select(option, environment)
		.filter(([name]) => !isOwnedByJob(name) && !TIES_TO_A_PARENT.includes(name))
		.map(([name, text]) => toVariable(name, text, initial.get(name)));
	checkSizes(variables);
	// What the job has from the site goes when the caller has said what there is to be, and stays when it is only added to.
	const isWhole = option === true || (typeof option === 'object' && !Array.isArray(option));
	return {script: createScript(variables, isWhole), record: createRecord(variables, isWhole)};
};

const readInitialEnvironment = (): Buffer | undefined => {
	try {
		return readFileSync('/proc/self/environ');
	} catch {
		// No /proc, or not ours to read: the text in process.env is what there is.
		return undefined;
	}
};

const parseInitialEnvironment = (raw: Buffer | undefined): ReadonlyMap<string, Buffer> => {
	const values = new Map<string, Buffer>();
	if (raw === undefined) return values;
	for (let start = 0; start < raw.length; ) {
		const nul = raw.indexOf(0, start);
		const end = nul === -1 ? raw.length : nul;
		const equals = raw.indexOf('=', start);
		if (equals > start && equals < end) {
			const name = raw.toString('utf8', start, equals);
			// Of a name that is there twice, getenv and so process.env see the first.
			if (!values.has(name)) values.set(name, raw.subarray(equals + 1, end));
		}
		start = end + 1;
	}
	return values;
};

const select = (option: EnvironmentOption, environment: Readonly<Record<string, string | undefined>>): [string, string][] => {
	if (option === false) return [];
	if (option === true) return ownNames(Object.keys(environment), environment);
	if (Array.isArray(option)) {
		for (const name of option) checkName(name);
		return ownNames([...new Set(option as readonly string[])], environment);
	}
	if (typeof option !== 'object' || option === null) {
		throw environmentError(
			`Expected \`env\` to be true, false, an array of names or an object of names and values, got ${describe(option)}`,
		);
	}
	return Object.entries(option as Readonly<Record<string, unknown>>).map(([name, value]) => {
		checkName(name);
		if (typeof value !== 'string')
			throw environmentError(`Expected \`env.${name}\` to be a string, got ${describe(value)}. Leave the name out, or write String(…)`);
		if (value.includes('\0'))
			throw environmentError(
				`Expected \`env.${name}\` to be without a NUL character, which no environment can hold, got one at ${value.indexOf('\0')}`,
			);
		return [name, value];
	});
};

/** process.env lists a name that is not UTF-8, but has no value for it. */
const ownNames = (names: readonly string[], environment: Readonly<Record<string, string | undefined>>): [string, string][] =>
	names.flatMap((name): [string, string][] => {
		const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
		return value === undefined ? [] : [[name, value]];
	});

const checkName = (name: unknown): void => {
	if (typeof name === 'string' && name !== '' && !/[=\0]/.test(name)) return;
	throw environmentError(`Expected the names in \`env\` to be non-empty strings without \`=\` and NUL, got ${describe(name)}`);
};

const toVariable = (name: string, text: string, initial: Buffer | undefined): Variable => {
	const bytes = initial !== undefined && initial.toString('utf8') === text ? initial : Buffer.from(text);
	const value = name === 'NODE_OPTIONS' ? withoutInspector(bytes) : bytes;
	return {name, value, sizeBytes: Buffer.byteLength(name) + 1 + value.length + 1};
};

/**
 * An IDE's `--inspect-brk` makes a worker wait for ever for a debugger, and `--inspect` opens a port. Node splits NODE_OPTIONS at blanks
 * outside double quotes and takes `_` for `-`. Done in latin1, which keeps every byte.
 */
const withoutInspector = (nodeOptions: Buffer): Buffer => {
	const words = nodeOptions.toString('latin1').match(/(?:"(?:\\.|[^"\\])*"?|[^ "])+/gs) ?? [];
	const options = words.map(word => word.replaceAll('"', '').replaceAll('_', '-'));
	const isInspector = (option: string): boolean => /^--(?:inspect(?:[-=]|$)|debug-port(?:=|$))/.test(option);
	const takesNextWord = (option: string | undefined): boolean =>
		option === '--inspect-port' || option === '--debug-port' || option === '--inspect-publish-uid';
	if (!options.some(isInspector)) return nodeOptions;
	const kept = words.filter((_, index) => !isInspector(options[index]!) && !takesNextWord(options[index - 1]));
	return Buffer.from(kept.join(' '), 'latin1');
};

const checkSizes = (variables: readonly Variable[]): void => {
	const bySize = [...variables].sort((a, b) => b.sizeBytes - a.sizeBytes);
	const largest = bySize[0];
	if (largest !== undefined && largest.sizeBytes > MAX_VARIABLE_BYTES) {
		throw environmentError(
			`Expected every environment variable to have at most ${MAX_VARIABLE_BYTES} bytes with its name, got ${largest.sizeBytes} for ${largest.name}: no process can be started with it. ${WAY_OUT}`,
		);
	}
	const sizeBytes = variables.reduce((sum, variable) => sum + variable.sizeBytes + POINTER_BYTES, 0);
	if (sizeBytes <= MAX_ENVIRONMENT_BYTES) return;
	const names = bySize.slice(0, 3).map(variable => `${variable.name} (${variable.sizeBytes})`);
	throw environmentError(
		`Expected the environment to have at most ${MAX_ENVIRONMENT_BYTES} bytes, got ${sizeBytes}: no process can be started with it. The largest variables are ${names.join(', ')}. ${WAY_OUT}`,
	);
};

const WAY_OUT =
	"Say with the option `env` which variables a task needs, as in env: ['PATH', 'HOME'], and hand large values over in the tasks";

const createScript = (variables: readonly Variable[], isWhole: boolean): Buffer => {
	const submitted = new Set(variables.map(variable => variable.name));
	const unset = [...TIES_TO_A_PARENT, ...LEFT_BY_SUBMISSION, ...(isWhole ? READ_AT_START : [])].filter(name => !submitted.has(name));
	const exported = variables.filter(variable => isExportable(variable.name));
	// Locales last: a shell reads the lines that follow in the locale that was just set.
	const ordered = [...exported.filter(({name}) => !isLocale(name)), ...exported.filter(({name}) => isLocale(name))];
	return Buffer.concat([
		Buffer.from('# The environment for the tasks. launch.sh reads it; whatever a shell cannot export is in environment.json.\n'),
		Buffer.from(unset.map(name => `unset ${name}\n`).join('')),
		...ordered.flatMap(({name, value}) => [
			Buffer.from(`export ${name}=`),
			quoteBytes(value),
			Buffer.from(isLocale(name) ? ' 2>/dev/null\n' : '\n'),
		]),
	]);
};

/** Single quotes keep every byte but `'` itself. */
const quoteBytes = (value: Buffer): Buffer => Buffer.from(`'${value.toString('latin1').replaceAll("'", "'\\''")}'`, 'latin1');

const createRecord = (variables: readonly Variable[], isWhole: boolean): string => {
	const record: EnvironmentRecord = {
		removeOthers: isWhole,
		submitted: variables.map(variable => variable.name),
		values: variables.filter(({name}) => !isExportable(name)).map(({name, value}) => [name, value.toString('utf8')]),
	};
	return `${JSON.stringify(record)}\n`;
};

const environmentError = (message: string): PoolError => new PoolError('ERR_POOL_ENVIRONMENT', `${message}.`);

const describe = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : `${String(value)} (${typeof value})`);
