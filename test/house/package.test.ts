/** The package as its users get it: what is in it, and that ES modules, CommonJS and TypeScript can use it. */
import {chmod, mkdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {publint} from 'publint';
import {formatMessage} from 'publint/utils';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {VERSION} from '../../src/version.js';
import {type Manifest, type Packed, pack, readManifest, run} from './packed.js';
import {listFiles, ROOT, readText} from './source-files.js';

const PUBLIC_NAMES = [
	'MapError',
	'Pool',
	'PoolError',
	'TaskError',
	'grid',
	'indexed',
	'isWorker',
	'randomParameters',
	'randomStream',
	'readWorkDir',
	'runCommand',
	'table',
	'task',
	'taskContext',
];
const DUMMY_QUEUE_NAMES = ['createForeignJob', 'initQueueState', 'readCalls', 'readQueueState', 'updateQueueState'];
const CONTRACT_NAMES = ['engineContract'];
const PUBLIC_TYPES = [
	'ArrayJobs',
	'ArrayRequest',
	'AttemptRecord',
	'Engine',
	'EnvironmentOption',
	'FunctionMark',
	'GridAxis',
	'GridPoint<{a: number[]}>',
	'JobEnd',
	'JobEndKind',
	'JobQuestion',
	'JobRequest',
	'JobResources',
	'JobState',
	'JobStatus',
	'Outcome<number>',
	'ParameterBounds',
	'ParameterRow<{a: number[]}>',
	'PoolErrorCode',
	'PoolOptions',
	'Progress',
	'RemoteError',
	'SubmitOutcome',
	'TaskContext',
	'TaskErrorKind',
	'TaskList<number>',
	'TaskRecord',
	'Tasks<number>',
	'WorkDirRecord',
];
const DUMMY_PROGRAM = 'dist/dummy-queue/program.cjs';
const WORKER_SCRIPT = 'dist/src/worker/worker_node_script.cjs';

/** What runs in a browser is in one file. */
const PAGE_SOURCES = 'src/report/page/';
const REPORT_PAGE = 'dist/src/report/report-page.html';

let packed: Packed;
let manifest: Manifest;

beforeAll(async () => {
	manifest = await readManifest();
	packed = await pack();
});

afterAll(() => packed?.remove());

describe('the tarball', () => {
	test('holds the built files, the papers, and nothing else', () => {
		const built = listFiles('src', 'dummy-queue', 'engine-contract')
			.filter(path => path.endsWith('.ts') && !path.startsWith(PAGE_SOURCES))
			.flatMap(path => ['.js', '.d.ts'].map(extension => `dist/${path.replace(/\.ts$/, extension)}`));
		expect(packed.files).toEqual(
			[...built, DUMMY_PROGRAM, WORKER_SCRIPT, REPORT_PAGE, 'CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'].sort(),
		);
	});

	test('is right for npm: publint has nothing to say', async () => {
		const project = await packed.createProject('publint', []);
		const {messages, pkg} = await publint({pkgDir: join(project, 'node_modules/queue-map-reduce'), pack: false, strict: true});
		expect(messages.map(message => formatMessage(message, pkg, {color: false}))).toEqual([]);
	});

	test('has types that are right for every way to resolve an ES module', async () => {
		const attw = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js');
		const {exitCode, stdout} = await run(process.execPath, [attw, packed.tarball, '--profile', 'esm-only', '--no-color'], packed.directory);
		expect(stdout.match(/node16 \(from ESM\): 🟢 \(ESM\)/g)).toHaveLength(3);
		expect(stdout.match(/bundler: 🟢/g)).toHaveLength(4);
		// CommonJS gets an ES module by `require`, which the profile allows; that it works is tried below.
		expect(exitCode).toBe(0);
	});
});

describe('a project that has installed the package', () => {
	let project = '';
	beforeAll(async () => {
		project = await packed.createProject('user', [...Object.keys(manifest.dependencies), '@types/node', 'undici-types']);
	});

	const namesByImport = async (specifier: string): Promise<unknown> => {
		const code = `import * as all from '${specifier}'; console.log(JSON.stringify(Object.keys(all).sort()))`;
		const {stdout, stderr} = await run(process.execPath, ['--input-type=module', '-e', code], project);
		expect(stderr).toBe('');
		return JSON.parse(stdout);
	};
	const namesByRequire = async (specifier: string): Promise<unknown> => {
		const code = `console.log(JSON.stringify(Object.keys(require('${specifier}')).filter(name => name !== '__esModule').sort()))`;
		await writeFile(join(project, 'require.cjs'), code);
		const {stdout, stderr} = await run(process.execPath, ['require.cjs'], project);
		expect(stderr).toBe('');
		return JSON.parse(stdout);
	};

	test('imports the public names', async () => {
		expect(await namesByImport('queue-map-reduce')).toEqual(PUBLIC_NAMES);
		expect(await namesByImport('queue-map-reduce/dummy-queue')).toEqual(DUMMY_QUEUE_NAMES);
		expect(await namesByImport('queue-map-reduce/engine-contract')).toEqual(CONTRACT_NAMES);
	});

	test('requires the public names, without a warning', async () => {
		expect(await namesByRequire('queue-map-reduce')).toEqual(PUBLIC_NAMES);
		expect(await namesByRequire('queue-map-reduce/dummy-queue')).toEqual(DUMMY_QUEUE_NAMES);
		expect(await namesByRequire('queue-map-reduce/engine-contract')).toEqual(CONTRACT_NAMES);
	});

	test('gets the same classes by import and by require', async () => {
		await writeFile(
			join(project, 'both.cjs'),
			"const {Pool} = require('queue-map-reduce'); import('queue-map-reduce').then(all => console.log(all.Pool === Pool));",
		);
		expect(await run(process.execPath, ['both.cjs'], project)).toEqual({exitCode: 0, stdout: 'true\n', stderr: ''});
	});

	test('gets at nothing but the public entries', async () => {
		const code = "await import('queue-map-reduce/dist/src/layout.js')";
		const {stderr} = await run(process.execPath, ['--input-type=module', '-e', code], project);
		expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
	});

	test.each(['qmr', 'queue-map-reduce'])('has the command %s, also for npx', async name => {
		const path = manifest.bin[name] ?? '';
		expect(packed.files).toContain(path);
		const links = join(project, 'node_modules/.bin');
		await mkdir(links, {recursive: true});
		// As npm installs it.
		const target = join(project, 'node_modules/queue-map-reduce', path);
		await chmod(target, 0o755);
		await symlink(target, join(links, name));
		const asked = await run('npx', ['--offline', name, '--help'], project);
		expect(asked).toMatchObject({exitCode: 0, stdout: expect.stringContaining('Usage: qmr')});
		expect((await run(join(links, name), ['--version'], project)).stdout).toBe(`${VERSION}\n`);
		expect(await run(join(links, name), ['nonsense'], project)).toMatchObject({exitCode: 2, stdout: ''});
	});

	test.each([
		[
			'consumer.mts',
			'nodenext',
			'nodenext',
			"import {%names%} from 'queue-map-reduce';",
			"import {initQueueState} from 'queue-map-reduce/dummy-queue';",
			"import {type ContractCase, type ContractHooks, engineContract} from 'queue-map-reduce/engine-contract';",
		],
		[
			'consumer.cts',
			'nodenext',
			'nodenext',
			"import all = require('queue-map-reduce');",
			"import {initQueueState} from 'queue-map-reduce/dummy-queue';",
			"import {type ContractCase, type ContractHooks, engineContract} from 'queue-map-reduce/engine-contract';",
		],
		[
			'bundled.ts',
			'esnext',
			'bundler',
			"import {%names%} from 'queue-map-reduce';",
			"import {initQueueState} from 'queue-map-reduce/dummy-queue';",
			"import {type ContractCase, type ContractHooks, engineContract} from 'queue-map-reduce/engine-contract';",
		],
	])('compiles %s (%s, %s), with our declarations checked', async (file, module, moduleResolution, importLine, ...lines) => {
		const names = [...PUBLIC_NAMES, ...PUBLIC_TYPES.map(type => `type ${type.replace(/<.*/, '')}`)].join(', ');
		const prefix = file.endsWith('.cts') ? 'all.' : '';
		const source = [
			importLine.replace('%names%', names),
			...lines,
			`const pool = new ${prefix}Pool({...initQueueState('/tmp/queue')});`,
			`export const contractOf = (make: () => ${prefix}Engine, hooks: ContractHooks): readonly ContractCase[] => engineContract(make, hooks);`,
			'export const results: Promise<number[]> = pool.map(Math.sqrt, [1, 4]);',
			...PUBLIC_NAMES.map(name => `void ${prefix}${name};`),
			`export type All = [${PUBLIC_TYPES.map(type => prefix + type).join(', ')}];`,
		];
		await writeFile(join(project, file), source.join('\n'));
		const config = {
			compilerOptions: {
				module,
				moduleResolution,
				target: 'es2022',
				lib: ['es2023'],
				types: ['node'],
				strict: true,
				noEmit: true,
				skipLibCheck: false,
			},
			files: [file],
		};
		await writeFile(join(project, `${file}.json`), JSON.stringify(config));
		const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
		expect(await run(process.execPath, [tsc, '-p', `${file}.json`], project)).toEqual({exitCode: 0, stdout: '', stderr: ''});
	});
});

describe('what is loaded', () => {
	// Where no dependency is installed, loading one would fail.
	let bare = '';
	beforeAll(async () => {
		bare = await packed.createProject('bare', []);
	});

	test.each(['queue-map-reduce', 'queue-map-reduce/dummy-queue', 'queue-map-reduce/engine-contract'])(
		'importing %s loads none of its dependencies',
		async specifier => {
			expect(Object.keys(manifest.dependencies)).toContain('execa');
			const code = `const all = await import('${specifier}'); console.log(typeof all)`;
			expect(await run(process.execPath, ['--input-type=module', '-e', code], bare)).toEqual({exitCode: 0, stdout: 'object\n', stderr: ''});
		},
	);

	test('the worker program is one file that needs Node alone', async () => {
		const program = await readFile(join(bare, 'node_modules/queue-map-reduce', WORKER_SCRIPT), 'utf8');
		const specifiers = [...program.matchAll(/\brequire\("([^"]*)"\)/g)].map(([, specifier]) => specifier ?? '');
		expect(specifiers).toContain('node:fs');
		expect(specifiers.filter(specifier => !specifier.startsWith('node:'))).toEqual([]);
	});
});

describe('the papers', () => {
	test('agree on the version', () => {
		expect(VERSION).toBe(manifest.version);
		expect(readText('CHANGELOG.md')).toContain(`## ${manifest.version}`);
		expect((JSON.parse(readText('package-lock.json')) as Manifest).version).toBe(manifest.version);
	});

	test('the lock file names the packages of every platform, or npm ci refuses it', () => {
		const {packages} = JSON.parse(readText('package-lock.json')) as {
			packages: Record<string, {optionalDependencies?: Record<string, string>}>;
		};
		const wanted = Object.values(packages).flatMap(({optionalDependencies = {}}) => Object.keys(optionalDependencies));
		expect(wanted.filter(name => packages[`node_modules/${name}`] === undefined)).toEqual([]);
	});

	test('the lock file holds no address to download from', () => {
		expect(readText('package-lock.json')).not.toMatch(/"resolved"|\.tgz"/);
	});
});
