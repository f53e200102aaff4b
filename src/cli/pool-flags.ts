/** Every option of `Pool` as a flag of a command. */
import {readFileSync} from 'node:fs';
import {type Command, Option} from 'commander';
import type {PoolOptions, Resources} from '../options.js';
import {UsageError} from './command-error.js';
import {FLAG_TEXTS, type FlagKind, type FlagName} from './pool-flag-texts.js';

/**
 * Gives a command the flags of all options, `--queue-name` for `queueName`. A switch has a counterpart, `--no-array-jobs`, so that it can be turned back
 * where a configuration has turned it on.
 *
 * @param flags - `without`: options that the command sets itself; `only`: no others than these.
 */
export const addPoolFlags = (
	command: Command,
	{without = [], only = namesOf(FLAG_TEXTS)}: {readonly without?: readonly FlagName[]; readonly only?: readonly FlagName[]} = {},
): Command => {
	for (const name of only) {
		if (without.includes(name)) continue;
		const {kind, meaning, byDefault} = FLAG_TEXTS[name];
		const help = byDefault === '' || byDefault === "''" ? meaning : `${meaning} (default: ${byDefault})`;
		const flag = flagOf(name);
		if (kind === 'switch') {
			command.addOption(new Option(flag, help).helpGroup(GROUP)).addOption(new Option(flag.replace('--', '--no-')).hideHelp());
			continue;
		}
		const option = new Option(`${flag} <${PLACEHOLDERS[kind]}>`, `${help}${HINTS[kind] ?? ''}`).helpGroup(GROUP);
		if (kind === 'list' || kind === 'environment')
			option.argParser((text: string, before?: readonly string[]) => [...(before ?? []), text]);
		command.addOption(option);
	}
	return command;
};

/**
 * @returns The options that were given as flags; what is wrong with a value is found when it is used.
 * @throws UsageError for text that is no value at all.
 */
export const readPoolFlags = (command: Command): PoolOptions => {
	const given = command.opts<Record<string, unknown>>();
	const options: Record<string, unknown> = {};
	for (const name of namesOf(FLAG_TEXTS)) {
		const value = given[name];
		if (value !== undefined && command.getOptionValueSource(name) === 'cli') options[name] = READERS[FLAG_TEXTS[name].kind](value, name);
	}
	return options as PoolOptions;
};

/** `queueName` -> `--queue-name` */
export const flagOf = (name: string): string => `--${name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`;

const GROUP = 'Options of the pool:';

const namesOf = <Name extends string>(record: Readonly<Record<Name, unknown>>): Name[] => Object.keys(record) as Name[];

const PLACEHOLDERS: Readonly<Record<Exclude<FlagKind, 'switch'>, string>> = {
	text: 'text',
	number: 'n',
	list: 'word',
	arguments: 'text',
	resources: 'text',
	environment: 'name',
	'json-file': 'file',
};

const HINTS: {readonly [Kind in FlagKind]?: string} = {
	list: ' May be given several times.',
	arguments: " Here one text that is split at its blanks, as '-l h_vmem=8G' or '--qos=long'; or a JSON array.",
	resources: " Here as 'memory=8G,time=12h,slots=4', or as JSON.",
	environment:
		' Here a name, several times if need be, or `all` or `none`. Values never stand on a command line, where others can read them.',
	'json-file': ' Here the name of a file with JSON.',
};

const READERS: Readonly<Record<FlagKind, (value: unknown, name: FlagName) => unknown>> = {
	text: value => value,
	number: value => (value === 'false' ? false : toNumber(String(value))),
	switch: value => value,
	list: value => value,
	arguments: (value, name) =>
		String(value).trimStart().startsWith('[') ? parseJson(String(value), name) : String(value).split(/\s+/).filter(Boolean),
	resources: (value, name) =>
		String(value).trimStart().startsWith('{') ? parseJson(String(value), name) : readResources(String(value), name),
	environment: value => readEnvironment(value as readonly string[]),
	'json-file': (value, name) => parseJson(readText(String(value), name), name),
};

const toNumber = (text: string): unknown => (/^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text);

const NUMERIC_RESOURCES: ReadonlySet<string> = new Set<keyof Resources>(['slots', 'gpus']);

const readResources = (text: string, name: FlagName): unknown =>
	Object.fromEntries(
		text.split(',').map(part => {
			const [key = '', ...value] = part.split('=');
			if (value.length === 0) throw new UsageError(`Expected ${flagOf(name)} to be as memory=8G,time=12h, got ${JSON.stringify(text)}.`);
			return [key.trim(), NUMERIC_RESOURCES.has(key.trim()) ? toNumber(value.join('=')) : value.join('=')];
		}),
	);

const readEnvironment = (names: readonly string[]): unknown => {
	const withValue = names.find(name => name.includes('='));
	if (withValue !== undefined) {
		const [name] = withValue.split('=');
		throw new UsageError(
			`Expected ${flagOf('env')} to be the name of a variable, got one with a value. Set ${name} before you call qmr, and pass ${flagOf('env')} ${name}.`,
		);
	}
	if (names.length === 1 && names[0] === 'all') return true;
	return names.length === 1 && names[0] === 'none' ? false : names;
};

const parseJson = (text: string, name: FlagName): unknown => {
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new UsageError(`Expected ${flagOf(name)} to be JSON: ${(error as Error).message}`);
	}
};

const readText = (path: string, name: FlagName): string => {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new UsageError(`Expected ${flagOf(name)} to name a file that can be read: ${(error as Error).message}`);
	}
};
