/** The tables of the papers name what there is in the source: all of it, and nothing else, in the same words. */
import {readdirSync} from 'node:fs';
import {basename} from 'node:path';
import {describe, expect, test} from 'vitest';
import {ADVICE} from '../../src/advice.js';
import * as library from '../../src/index.js';
import {
	attemptPath,
	cancelPath,
	createSession,
	ENVIRONMENT_RECORD,
	ENVIRONMENT_SCRIPT,
	GIT_DIFF,
	JOURNAL,
	LAUNCHER,
	MANIFEST,
	ownerPath,
	rerunPath,
	SHARED_VALUE,
	taskDirPath,
	tasksPath,
	WORKER_SCRIPT,
} from '../../src/layout.js';
import {VERSION} from '../../src/version.js';
import {findSnippets, findTable} from './markdown.js';
import {planSnippets} from './snippets.js';
import {ROOT, readText} from './source-files.js';

const README = readText('README.md');

const namesIn = (cells: readonly (string | undefined)[]): string[] =>
	cells.flatMap(cell => [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));

const plain = (comment: string): string =>
	comment
		.replaceAll(/\n\s*\*/g, ' ')
		.replaceAll(/\s+/g, ' ')
		.trim();

/** What stands between the braces of `export type NAME = {…};`, or before the semicolon of a union. */
const typeText = (path: string, name: string): string => {
	const [, body] = new RegExp(`export type ${name} =\\s([\\s\\S]*?);\\n(?:\\n|$)`).exec(readText(path)) ?? [];
	if (body === undefined) throw new Error(`${path} has no type ${name}`);
	return body;
};

const literalsOf = (union: string): string[] => [...union.matchAll(/'([^']+)'/g)].map(([, literal]) => literal ?? '');

describe('the table of options', () => {
	const options = [...typeText('src/options.ts', 'PoolOptions').matchAll(/\/\*\*([\s\S]*?)\*\/\s*readonly (\w+)\?:/g)].map(
		([, comment = '', name]) => {
			const [meaning = '', byDefault = ''] = plain(comment).split('@default');
			return {name, meaning: meaning.trim(), byDefault: byDefault.trim()};
		},
	);
	const rows = findTable(README, 'option').map(([name, byDefault, meaning]) => ({name: namesIn([name])[0], byDefault, meaning}));

	test('Y12: has a row for every option, in the order of the source', () => {
		const numOptions = [...typeText('src/options.ts', 'PoolOptions').matchAll(/^\treadonly /gm)].length;
		expect(options).toHaveLength(numOptions);
		expect(rows.map(({name}) => name)).toEqual(options.map(({name}) => name));
	});

	test.each(options)('tells of $name what its comment tells', ({name, meaning, byDefault}) => {
		const row = rows.find(found => found.name === name);
		expect(row?.byDefault).toBe(byDefault);
		expect(row?.meaning).not.toBe('');
		expect(row?.meaning).toContain(meaning);
	});
});

describe.each([
	['`code`', 'PoolErrorCode'],
	['`kind`', 'TaskErrorKind'],
])('the table of errors by %s', (heading, type) => {
	const rows = findTable(README, heading);
	const source = readText('src/errors.ts');
	const [comment = ''] = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.exec(source.slice(0, source.indexOf(`export type ${type} =`))) ?? [];
	const meanings = new Map(
		[...comment.matchAll(/^ \* - (.*?): (.*)$/gm)].flatMap(([, names = '', meaning = '']) =>
			namesIn([names]).map(name => [name, meaning] as const),
		),
	);

	test('has a row for every one, and its comment does, too', () => {
		const all = literalsOf(typeText('src/errors.ts', type));
		expect(rows.map(([name]) => namesIn([name])[0])).toEqual(all);
		expect([...meanings.keys()]).toEqual(all);
	});

	test('means what the comment says, and says what to do', () => {
		for (const [name, meaning, toDo] of rows) {
			expect([name, meaning]).toEqual([name, meanings.get(namesIn([name])[0] ?? '')]);
			expect([name, toDo]).not.toEqual([name, '']);
		}
	});
});

test('the command says of each kind of failure what the README says is to be done', () => {
	const rows = findTable(README, '`kind`').map(([name, , toDo]) => [namesIn([name])[0], toDo]);
	expect(Object.fromEntries(rows)).toEqual(ADVICE);
});

describe('the contract of an engine', () => {
	type Member = {readonly name: string; readonly meaning: string};
	const membersOf = (type: string, prefix: string): Member[] =>
		[...typeText('src/engines/engine.ts', type).matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:readonly )?(\w+)\??[:(]/g)].map(
			([, comment = '', name]) => ({name: `${prefix}${name}`, meaning: (plain(comment).split(' @')[0] ?? '').trim()}),
		);
	const rowsOf = (heading: string): Member[] =>
		findTable(README, heading).map(([name, meaning = '']) => ({name: namesIn([name])[0] ?? '', meaning}));

	test('has a row for every member of an engine, which tells what its comment tells', () => {
		const members = [...membersOf('Engine', ''), ...membersOf('ArrayJobs', 'arrays.')];
		const numMembers = ['Engine', 'ArrayJobs'].flatMap(type => [
			...typeText('src/engines/engine.ts', type).matchAll(/^\t(?!\/\*\*| \*)(?:readonly )?\w+\??[:(]/gm),
		]).length;
		expect(members).toHaveLength(numMembers);
		expect(rowsOf('member')).toEqual(members);
	});

	test('has a row for every outcome of a submission', () => {
		const outcomes = [
			...typeText('src/engines/engine.ts', 'SubmitOutcome').matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\| \{readonly kind: '(\w+)'/g),
		].map(([, comment = '', name = '']) => ({name, meaning: plain(comment)}));
		expect(outcomes.map(({name}) => name)).toEqual(literalsOf(typeText('src/engines/engine.ts', 'SubmitOutcome')));
		expect(rowsOf('`kind` of a `SubmitOutcome`')).toEqual(outcomes);
	});

	test('has a row for every hook of its suite', () => {
		const hooks = [...typeText('engine-contract/workbench.ts', 'ContractHooks').matchAll(/\/\*\*([\s\S]*?)\*\/\s*readonly (\w+)\?:/g)];
		expect(rowsOf('hook of `engineContract(makeEngine, hooks)`')).toEqual(
			hooks.map(([, comment = '', name = '']) => ({name, meaning: plain(comment).replace(' @default ', ' Default: ')})),
		);
	});

	test('says for every row what becomes of a map', () => {
		for (const heading of ['member', '`kind` of a `SubmitOutcome`'])
			for (const [name, , consequence] of findTable(README, heading)) expect([name, consequence]).not.toEqual([name, '']);
	});
});

test('the codes of refused functions are codes', () => {
	const codes = literalsOf(typeText('src/errors.ts', 'PoolErrorCode'));
	const named = findTable(README, 'refused').map(([, code]) => namesIn([code])[0] ?? '');
	expect(named.filter(code => !codes.includes(code))).toEqual([]);
	expect(README.match(/ERR_POOL_\w+/g)?.filter(code => !codes.includes(code))).toEqual([]);
});

test('the table of the work_dir names every file as it is named in src/layout.ts', () => {
	const attemptFiles = (['part', 'out', 'o', 'e', 'claim'] as const).map(kind => basename(attemptPath('', 13, 1, kind)));
	expect(namesIn(findTable(README, 'file').map(([name]) => name)).sort()).toEqual(
		[
			...[MANIFEST, JOURNAL, LAUNCHER, ENVIRONMENT_SCRIPT, ENVIRONMENT_RECORD, WORKER_SCRIPT, SHARED_VALUE, GIT_DIFF],
			...[basename(ownerPath('', 1)), basename(tasksPath('', 13)), ...attemptFiles, `${taskDirPath('', 7, 1)}/`],
			...[`${basename(rerunPath('', 1))}/`, basename(cancelPath('', 1))],
		].sort(),
	);
});

test('the samples of log.jsonl have events and fields that there are', () => {
	const union = typeText('src/journal.ts', 'JournalEvent');
	const events = literalsOf(union.slice(0, union.indexOf('readonly ichunk')));
	const fields = ['time', ...[...union.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name)];
	const samples = planSnippets(findSnippets(README)).filter(({kind}) => kind === 'sample');
	const lines = samples.flatMap(({snippet}) => snippet.text.split('\n')).map(line => JSON.parse(line) as {event: string});
	expect(lines.length).toBeGreaterThan(0);
	for (const line of lines) {
		expect(events).toContain(line.event);
		expect(fields).toEqual(expect.arrayContaining(Object.keys(line)));
	}
});

test('the table of words has the words of this project, and the identifiers and engines are those of the source', () => {
	const rows = findTable(README, 'word');
	expect(rows.map(([word]) => word?.replaceAll('`', ''))).toEqual([
		'task, itask',
		'chunk, ichunk',
		'queue-job, jobId',
		'attempt',
		'process-node, worker-node',
		'work_dir',
		'session',
		'engine',
	]);
	for (const identifier of namesIn(rows.map(([word]) => word))) {
		expect(typeText('src/errors.ts', 'TaskErrorFields')).toContain(`readonly ${identifier}:`);
	}
	const meaningOf = (word: string): string[] => namesIn([rows.find(([name]) => name === word)?.[1]]);
	const [, union = ''] = /readonly engine\?: (.*);/.exec(typeText('src/options.ts', 'PoolOptions')) ?? [];
	expect(meaningOf('engine')).toEqual(literalsOf(union));
	expect(meaningOf('session')).toEqual([createSession(Date.UTC(2026, 10, 21, 0, 20, 7), new Uint8Array([0xa1, 0x0c, 0xda]))]);
});

test('the table of dependencies has every package that users get, and no other', () => {
	const {dependencies} = JSON.parse(readText('package.json')) as {dependencies: Readonly<Record<string, string>>};
	expect(namesIn(findTable(README, 'package').map(([name]) => name)).sort()).toEqual(Object.keys(dependencies).sort());
});

test('whatever can be imported is named where the calls are told', () => {
	const [, calls = ''] = /^## The calls of a pool\n([\s\S]*?)^## /m.exec(README) ?? [];
	expect(Object.keys(library).filter(name => !calls.includes(`\`${name}\``))).toEqual([]);
});

test('the table of the house has every file and folder of src, and no other', () => {
	const present = readdirSync(`${ROOT}src`, {withFileTypes: true}).map(entry => (entry.isDirectory() ? `${entry.name}/` : entry.name));
	const tables = readText('CONTRIBUTING.md')
		.split('\n\n')
		.filter(part => part.startsWith('| file or folder |'));
	const rows = tables.flatMap(table => findTable(table, 'file or folder'));
	expect(namesIn(rows.map(([name]) => name)).sort()).toEqual(present.sort());
});

test('the first version in the changelog is this one', () => {
	expect(/^## (\S+)/m.exec(readText('CHANGELOG.md'))?.[1]).toBe(VERSION);
});
