/** Holds the directions of import: who may know whom. The rules are functions of files, so that planted violations can be tried too. */
import {init} from 'es-module-lexer';
import {beforeAll, describe, expect, test} from 'vitest';
import {analyse, type Import, listFiles, readSources, readText, type SourceFile} from './source-files.js';

const MAX_LINES = 260;

/** The only file that knows the engines by name. */
const CHOOSES_ENGINES = 'src/choose-engine.ts';

/** Fronts of several files: nothing else hands on what another file exports. */
const FRONTS = [
	'src/index.ts',
	'src/function-reference.ts',
	'src/v8-serialize-helpers.ts',
	'dummy-queue/index.ts',
	'engine-contract/index.ts',
];

/** What the worker program shares with the library. Pure, or files and nothing else; all of it ends up in the one file in the work_dir. */
const SHARED_WITH_WORKER = [
	'src/exit-codes.ts',
	'src/layout.ts',
	'src/task-context.ts',
	'src/environment-names.ts',
	'src/claim-file.ts',
	'src/errors.ts',
	'src/group-failures.ts',
	'src/read/read-fully.ts',
	'src/remote-error.ts',
	'src/unserialisable.ts',
	'src/v8-serialize-helpers.ts',
	'src/block-file/v8-values.ts',
	'src/block-file/flat-values.ts',
	'src/block-file/block-file-header.ts',
	'src/block-file/block-frames.ts',
	'src/block-file/blocks.ts',
	'src/block-file/byte-source.ts',
	'src/block-file/scan-part.ts',
	'src/shared-value.ts',
];

/** Of these the worker may know the types: what is written into run.json. */
const TYPES_FOR_WORKER = ['src/manifest.ts', 'src/function-reference.ts', 'src/function-reference/types.ts'];

type Rule = (files: readonly SourceFile[]) => string[];

const isBelow =
	(directory: string) =>
	(path: string): boolean =>
		path.startsWith(`${directory}/`);
const isEngine = isBelow('src/engines');
const isWorker = isBelow('src/worker');
const isCommand = isBelow('src/cli');
const isNode = (specifier: string): boolean => specifier.startsWith('node:');
const isOurs = (specifier: string): boolean => specifier.endsWith('.ts');

const say = ({from, to, kind}: Import): string => `${from} imports ${kind === 'type' ? 'a type of ' : ''}${to}`;

const importsOf = (files: readonly SourceFile[], isFrom: (path: string) => boolean): Import[] =>
	files.filter(file => isFrom(file.path)).flatMap(file => file.imports);

/** Errors, a time-out, which variables of the environment are a queue-job’s own, how our programs end, and what Node needs. */
const KNOWN_TO_ENGINES: readonly string[] = [
	...['src/errors.ts', 'src/environment-names.ts', 'src/exit-codes.ts', 'src/node-memory.ts'],
	'src/patient-timeout.ts',
];

const rules: Readonly<Record<string, Rule>> = {
	'steps know the type of an engine, never an engine': files =>
		importsOf(files, path => isBelow('src')(path) && !isEngine(path) && path !== CHOOSES_ENGINES)
			.filter(({to, kind}) => isEngine(to) && !(to === 'src/engines/engine.ts' && kind === 'type'))
			.map(say),
	'engines know queue-jobs, neither tasks nor chunks nor steps': files =>
		importsOf(files, isEngine)
			.filter(({to}) => isOurs(to) && !isEngine(to) && !KNOWN_TO_ENGINES.includes(to))
			.map(say),
	'the type of an engine comes from types alone': files =>
		importsOf(files, path => path === 'src/engines/engine.ts')
			.filter(({kind}) => kind !== 'type')
			.map(say),
	'the worker knows tasks, chunks and files, neither steps nor engines nor packages': files =>
		importsOf(files, isWorker)
			.filter(
				({to, kind}) =>
					!isNode(to) && !isWorker(to) && !SHARED_WITH_WORKER.includes(to) && !(kind === 'type' && TYPES_FOR_WORKER.includes(to)),
			)
			.map(say),
	'what the worker shares with the library needs nothing that the worker may not have': files =>
		importsOf(files, path => SHARED_WITH_WORKER.includes(path))
			.filter(({to, kind}) => kind !== 'type' && !isNode(to) && !SHARED_WITH_WORKER.includes(to))
			.map(say),
	'the library takes from the worker types only: it is a program of its own': files =>
		importsOf(files, path => isBelow('src')(path) && !isWorker(path))
			.filter(({to, kind}) => isWorker(to) && kind !== 'type')
			.map(say),
	'nothing in src knows the dummy queue': files =>
		importsOf(files, isBelow('src'))
			.filter(({to}) => isBelow('dummy-queue')(to) || to.includes('dummy-queue'))
			.map(say),
	'the dummy queue knows neither src nor packages': files =>
		importsOf(files, isBelow('dummy-queue'))
			.filter(({to}) => !isNode(to) && !isBelow('dummy-queue')(to))
			.map(say),
	'nothing in src knows the contract of an engine': files =>
		importsOf(files, isBelow('src'))
			.filter(({to}) => to.includes('engine-contract'))
			.map(say),
	'the contract of an engine knows the public names alone, and loads them only for a map': files =>
		importsOf(files, isBelow('engine-contract'))
			.filter(({to, kind}) => !isNode(to) && !isBelow('engine-contract')(to) && !(to === 'src/index.ts' && kind !== 'value'))
			.map(say),
	'judge is pure: it imports types only': files =>
		importsOf(files, path => path === 'src/judge.ts')
			.filter(({kind}) => kind !== 'type')
			.map(say),
	'nothing knows the command but the command itself': files =>
		importsOf(files, path => !isCommand(path) && !isBelow('test')(path))
			.filter(({to}) => isCommand(to))
			.map(say),
	'packages are loaded when they are first used, not with the library': files =>
		importsOf(files, path => isBelow('src')(path) && !isCommand(path))
			.filter(({to, kind}) => kind === 'value' && !isNode(to) && !isOurs(to))
			.map(say),
	'every import finds its file': files => {
		const paths = new Set(files.map(({path}) => path));
		return importsOf(files, () => true)
			.filter(({to}) => isOurs(to) && !paths.has(to))
			.map(say);
	},
	'no file imports itself by a detour': files => findCycles(files),
	'only fronts hand on what other files export': files =>
		files.filter(({path, reexports}) => reexports && !FRONTS.includes(path)).map(({path}) => `${path} exports from another file`),
	'exports have names': files =>
		files.filter(({exportNames}) => exportNames.includes('default')).map(({path}) => `${path} has a default export`),
	[`a file has at most ${MAX_LINES} lines`]: files =>
		files.flatMap(({path, text}) => {
			const numLines = text.trimEnd().split('\n').length;
			return numLines > MAX_LINES ? [`${path} has ${numLines} lines`] : [];
		}),
};

/** Each cycle of imports that load something, once. Types that name each other harm nobody. */
const findCycles = (files: readonly SourceFile[]): string[] => {
	const loads = new Map(
		files.map(({path, imports}) => [path, imports.filter(({to, kind}) => kind === 'value' && isOurs(to)).map(({to}) => to)]),
	);
	const finished = new Set<string>();
	const cycles: string[] = [];
	const visit = (path: string, trail: readonly string[]): void => {
		if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
		if (trail.includes(path) || finished.has(path)) return;
		for (const to of loads.get(path) ?? []) visit(to, [...trail, path]);
		finished.add(path);
	};
	for (const path of loads.keys()) visit(path, []);
	return cycles;
};

describe('the files of this project', () => {
	let files: SourceFile[] = [];
	beforeAll(async () => {
		files = await readSources('src', 'dummy-queue', 'engine-contract');
	});

	test('are found', () => {
		expect(files.map(({path}) => path)).toEqual(
			expect.arrayContaining([
				'src/index.ts',
				'src/engines/engine.ts',
				'src/worker/main.ts',
				'dummy-queue/index.ts',
				'engine-contract/index.ts',
			]),
		);
	});

	test.each(Object.keys(rules))('%s', title => {
		expect(rules[title]?.(files)).toEqual([]);
	});

	test('no test is left out or run alone, and nothing is put off', () => {
		const isLeft = new RegExp(
			['\\b(?:test|it|describe|suite)\\.(?:only|skip|todo)\\b', `\\b${'TO'}DO\\b`, `\\b${'FIX'}ME\\b`, `\\b${'X'}XX\\b`].join('|'),
		);
		const found = listFiles('src', 'dummy-queue', 'engine-contract', 'test', 'examples', 'scripts')
			.filter(path => /\.(?:[cm]?[jt]s|sh)$/.test(path) && path !== 'test/house/architecture.test.ts')
			.flatMap(path =>
				readText(path)
					.split('\n')
					.flatMap((line, index) => (isLeft.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
			);
		expect(found).toEqual([]);
	});
});

describe('a planted violation is found', () => {
	beforeAll(async () => init());

	const planted: readonly (readonly [rule: string, path: string, text: string, ...others: string[]])[] = [
		['steps know the type of an engine, never an engine', 'src/submit.ts', "import {createLocalEngine} from './engines/local.js';"],
		['steps know the type of an engine, never an engine', 'src/poll.ts', "import {something} from './engines/engine.js';"],
		['steps know the type of an engine, never an engine', 'src/poll.ts', "const {createLocalEngine} = await import('./engines/local.js');"],
		['engines know queue-jobs, neither tasks nor chunks nor steps', 'src/engines/local.ts', "import type {Chunk} from '../chunks.js';"],
		['the type of an engine comes from types alone', 'src/engines/engine.ts', "import {PoolError} from '../errors.js';"],
		[
			'the worker knows tasks, chunks and files, neither steps nor engines nor packages',
			'src/worker/main.ts',
			"import {poll} from '../poll.js';",
		],
		[
			'the worker knows tasks, chunks and files, neither steps nor engines nor packages',
			'src/worker/main.ts',
			"import type {Engine} from '../engines/engine.js';",
		],
		[
			'the worker knows tasks, chunks and files, neither steps nor engines nor packages',
			'src/worker/main.ts',
			"const {execa} = await import('execa');",
		],
		[
			'what the worker shares with the library needs nothing that the worker may not have',
			'src/layout.ts',
			"import {realFiles} from './ports.js';",
		],
		[
			'the library takes from the worker types only: it is a program of its own',
			'src/reduce.ts',
			"import {runTasks} from './worker/run-tasks.js';",
		],
		['nothing in src knows the dummy queue', 'src/pool.ts', "import type {QueueState} from '../dummy-queue/state.js';"],
		['nothing in src knows the dummy queue', 'src/pool.ts', "import {initQueueState} from 'queue-map-reduce/dummy-queue';"],
		['the dummy queue knows neither src nor packages', 'dummy-queue/qsub.ts', "import {jobName} from '../src/layout.js';"],
		['the dummy queue knows neither src nor packages', 'dummy-queue/qsub.ts', "import {execa} from 'execa';"],
		[
			'nothing in src knows the contract of an engine',
			'src/check-engine.ts',
			"import {engineContract} from 'queue-map-reduce/engine-contract';",
		],
		...[
			"import {createLocalEngine} from '../src/engines/local.js';",
			"import type {Engine} from '../src/engines/engine.js';",
			"import {Pool} from '../src/index.js';",
			"import {test} from 'vitest';",
		].map(
			line =>
				['the contract of an engine knows the public names alone, and loads them only for a map', 'engine-contract/map.ts', line] as const,
		),
		['judge is pure: it imports types only', 'src/judge.ts', "import {readFileSync} from 'node:fs';"],
		['nothing knows the command but the command itself', 'src/pool.ts', "import {createProgram} from './cli/program.js';"],
		['packages are loaded when they are first used, not with the library', 'src/engines/run-program.ts', "import {execa} from 'execa';"],
		['every import finds its file', 'src/pool.ts', "import {nothing} from './nothing.js';"],
		[
			'no file imports itself by a detour',
			'src/a.ts',
			"import {b} from './b.js';",
			'src/b.ts',
			"import {c} from './c.js';",
			'src/c.ts',
			"import {a} from './a.js';",
		],
		['only fronts hand on what other files export', 'src/pool.ts', "export {jobName} from './layout.js';"],
		['only fronts hand on what other files export', 'src/pool.ts', "export * from './layout.js';"],
		['exports have names', 'src/pool.ts', 'export default function map() {}'],
		[`a file has at most ${MAX_LINES} lines`, 'src/pool.ts', 'void 0;\n'.repeat(MAX_LINES + 1)],
	];

	test.each(planted)('%s: %s', (rule, ...pathsAndTexts) => {
		const files: SourceFile[] = [];
		for (let index = 0; index < pathsAndTexts.length; index += 2)
			files.push(analyse(pathsAndTexts[index] ?? '', pathsAndTexts[index + 1] ?? ''));
		expect(rules[rule]?.(files)).toHaveLength(1);
	});
});
