import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Command} from 'commander';
import {describe, expect, test} from 'vitest';
import {UsageError} from '../../src/cli/command-error.js';
import {FLAG_TEXTS, type FlagName} from '../../src/cli/pool-flag-texts.js';
import {addPoolFlags, flagOf, readPoolFlags} from '../../src/cli/pool-flags.js';
import type {PoolOptions} from '../../src/options.js';
import {makeTemporaryDirectory} from '../helpers/dummy-queue.js';
import {readText} from '../house/source-files.js';

/** What the words of a command line say. */
const parse = (words: readonly string[], without: readonly FlagName[] = []): PoolOptions => {
	const command = addPoolFlags(new Command('qmr').exitOverride().configureOutput({writeErr: () => undefined}), {without});
	command.parse(words, {from: 'user'});
	return readPoolFlags(command);
};

/** The options with a comment, as test/house/papers.test.ts reads them. */
const [, body = ''] = /export type PoolOptions =\s([\s\S]*?);\n(?:\n|$)/.exec(readText('src/options.ts')) ?? [];
const options = [...body.matchAll(/\/\*\*([\s\S]*?)\*\/\s*readonly (\w+)\?:/g)].map(([, comment = '', name = '']) => {
	const [meaning = '', byDefault = ''] = comment
		.replaceAll(/\n\s*\*/g, ' ')
		.replaceAll(/\s+/g, ' ')
		.trim()
		.split('@default');
	return {name, meaning: meaning.trim(), byDefault: byDefault.trim()};
});

describe('H7: every option is a flag', () => {
	const texts = new Map(Object.entries(FLAG_TEXTS));

	test('but a signal and a function, which nobody can type; in the order of the source', () => {
		const typed = options.map(({name}) => name).filter(name => name !== 'signal' && name !== 'onProgress');
		expect(options.length).toBeGreaterThan(50);
		expect([...texts.keys()]).toEqual(typed);
	});

	test.each(options.filter(({name}) => texts.has(name)))('$name in the words of its comment', ({name, meaning, byDefault}) => {
		expect(texts.get(name)).toMatchObject({meaning, byDefault});
	});

	test.each([...texts].map(([name, {kind}]) => ({name, kind})))('$name is named by --help, and read back', ({name, kind}) => {
		const flag = flagOf(name);
		expect(addPoolFlags(new Command()).helpInformation()).toContain(`  ${flag}`);
		const [given, value] = examples[kind];
		expect(parse([flag, ...given])).toEqual({[name]: value});
	});
});

const examples: {readonly [Kind in (typeof FLAG_TEXTS)[FlagName]['kind']]: readonly [readonly string[], unknown]} = {
	text: [['a b'], 'a b'],
	number: [['12'], 12],
	switch: [[], true],
	list: [['pilot'], ['pilot']],
	arguments: [['-l h_vmem=8G'], ['-l', 'h_vmem=8G']],
	resources: [['memory=8G,slots=4'], {memory: '8G', slots: 4}],
	environment: [['PATH'], ['PATH']],
	get 'json-file'(): readonly [readonly string[], unknown] {
		const path = join(makeTemporaryDirectory(), 'shared.json');
		writeFileSync(path, '{"table": [1, 2]}');
		return [[path], {table: [1, 2]}];
	},
};

describe('flags', () => {
	test('that are not given are no options: what a configuration says holds', () => {
		expect(parse([])).toEqual({});
	});

	test('of a command that sets an option itself are not there', () => {
		expect(() => parse(['--work-dir', 'x'], ['workDir'])).toThrow(/unknown option/);
	});

	test('can turn a switch back', () => {
		expect(parse(['--no-avoid-hosts', '--no-config', '--no-progress'])).toEqual({avoidHosts: false, config: false, progress: false});
	});

	test('of lists may be given several times', () => {
		expect(parse(['--tags', 'pilot', '--tags', 'figure 3'])).toEqual({tags: ['pilot', 'figure 3']});
		expect(parse(['--env', 'PATH', '--env', 'HOME'])).toEqual({env: ['PATH', 'HOME']});
	});

	test('take JSON where blanks and commas matter', () => {
		expect(parse(['--qsub-args', '["-l", "a b"]'])).toEqual({qsubArgs: ['-l', 'a b']});
		expect(parse(['--resources', '{"time": 90}'])).toEqual({resources: {time: 90}});
	});

	test('leave what is no number to the check of the option, which names it', () => {
		expect(parse(['--num-chunks', 'many'])).toEqual({numChunks: 'many'});
		expect(parse(['--pending-warn-ms', 'false'])).toEqual({pendingWarnMs: false});
		expect(parse(['--num-chunks', '1e3'])).toEqual({numChunks: '1e3'});
	});

	test('for the environment: all of it, or nothing', () => {
		expect([parse(['--env', 'all']), parse(['--env', 'none'])]).toEqual([{env: true}, {env: false}]);
	});

	test.each([
		['a value of a variable, which others could read', ['--env', 'SECRET=hush'], /name of a variable.*pass --env SECRET\b/],
		['a resource without a value', ['--resources', 'memory'], /memory=8G,time=12h, got "memory"/],
		['JSON that is none', ['--resources', '{memory}'], /--resources to be JSON/],
		['a list that is no JSON', ['--sbatch-args', '[--qos'], /--sbatch-args to be JSON/],
		['a file that is not there', ['--shared', '/nowhere/shared.json'], /--shared to name a file that can be read: ENOENT/],
	])('refuse %s', (_, words, message) => {
		expect(() => parse(words)).toThrow(UsageError);
		expect(() => parse(words)).toThrow(message);
	});

	test('never repeat the value of a variable', () => {
		let said = '';
		try {
			parse(['--env', 'SECRET=hush']);
		} catch (error) {
			said = String(error);
		}
		expect(said).toContain('SECRET');
		expect(said).not.toContain('hush');
	});
});
