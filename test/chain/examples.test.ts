import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {randomParameters, randomStream, readWorkDir} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {drawCharacters} from '../../examples/phase-diagram/characters.js';
import {gridValues} from '../../examples/phase-diagram/diagram.js';
import {measureRecoveryWithSeed} from '../../examples/phase-diagram/recovery.js';
import {drawSvg} from '../../examples/phase-diagram/svg.js';
import {formatCsv, readRow} from '../../examples/random-parameters/table.js';
import {createTestDirectory, ENGINES, type EngineName, poolOptions} from '../helpers/engines.js';
import {makeRemoteShell} from '../helpers/remote-shell.js';

type Exit = {readonly code: number | string; readonly stdout: string; readonly stderr: string};

/** Where the example runs: it must hold nothing of ours afterwards. */
let directory: string;
beforeEach(() => {
	directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'qmr examples ')));
});
afterEach(() => {
	rmSync(directory, {recursive: true, force: true});
});

/** The examples let the library choose. Without any program on PATH it finds no scheduler, also where there is one, and computes here. */
const ENGINE = process.env.QMR_TEST_ENGINES === 'grid-engine' ? 'grid-engine' : 'local';
const environment = {...process.env, PATH: ENGINE === 'local' ? '' : process.env.PATH};

const runExample = (name: string, ...argumentList: string[]): Promise<Exit> => runMain(name, argumentList, environment);

const runMain = (name: string, argumentList: readonly string[], env: NodeJS.ProcessEnv): Promise<Exit> => {
	return runMainFile(`${name}/main.js`, argumentList, env);
};

const runMainFile = (file: string, argumentList: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Exit> => {
	const main = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
	return new Promise(resolve => {
		execFile(process.execPath, [main, ...argumentList], {cwd: directory, env, maxBuffer: 2 ** 26}, (error, stdout, stderr) => {
			resolve({code: error === null ? 0 : (error.code ?? String(error.signal)), stdout, stderr});
		});
	});
};

describe('the phase diagram', () => {
	test('C1, C7: prints and writes what its functions compute here with the documented seeds', async () => {
		const exit = await runExample(
			'phase-diagram',
			'--grid',
			'4',
			'--size',
			'40',
			'--trials',
			'3',
			'--seed',
			'a seed',
			'--out',
			'a picture.svg',
		);
		const [deltas, rhos] = [gridValues(4), gridValues(4)];
		const rates = rhos.map((rho, irho) =>
			deltas.map((delta, idelta) => {
				const digest = createHash('sha256')
					.update(`a seed:${irho * 4 + idelta}`)
					.digest();
				return measureRecoveryWithSeed({delta, rho, size: 40, trials: 3}, digest.readUIntBE(0, 6)).successRate;
			}),
		);
		const diagram = {deltas, rhos, rates, size: 40, trials: 3};
		expect(exit).toMatchObject({code: 0});
		expect(new Set(rates.flat()).size).toBeGreaterThan(1);
		expect(exit.stderr).toContain(`engine ${ENGINE}`);
		expect(exit.stderr).toContain('16 of 16 done');
		expect(exit.stdout).toContain(drawCharacters(diagram));
		expect(exit.stdout).toMatch(/16 points, 48 problems in [\d.]+ s/);
		expect(exit.stdout).toContain(path.join(directory, 'a picture.svg'));
		expect(readFileSync(path.join(directory, 'a picture.svg'), 'utf8')).toBe(drawSvg(diagram));
		expect(readdirSync(directory)).toEqual(['a picture.svg']);
	});

	test('prints how to use it', async () => {
		const exit = await runExample('phase-diagram', '--help');
		expect(exit).toMatchObject({code: 0, stderr: ''});
		expect(exit.stdout).toContain('Usage: node main.js [--grid COUNT]');
	});

	test.each([
		[['--grid', '1'], 'Expected --grid to be a whole number, 2 or more, got 1'],
		[['--trials', 'many'], 'Expected --trials to be a whole number, 1 or more, got many'],
		[['--colour'], "Unknown option '--colour'"],
	])('refuses %j with a sentence and its usage', async (argumentList, sentence) => {
		const exit = await runExample('phase-diagram', ...argumentList);
		expect(exit).toMatchObject({code: 2, stdout: ''});
		expect(exit.stderr).toContain(sentence);
		expect(exit.stderr).toContain('Usage: node main.js');
		expect(readdirSync(directory)).toEqual([]);
	});
});

describe('the text files', () => {
	const texts: Readonly<Record<string, string | Buffer>> = {
		'B.txt': 'upper case comes first\n',
		'a name with blanks.txt': 'one two\nthree\n',
		// It looks like text for so long as anyone looks.
		'broken at its end.txt': Buffer.concat([Buffer.from('word '.repeat(2000)), Buffer.from('€').subarray(0, 2)]),
		'cut after 8 KiB.txt': `${'a'.repeat(8191)}é\n`,
		'empty.txt': '',
		'line\nfeed.txt': 'the name is on two lines\n',
		'long.txt': 'Grüße — 你好 🌍 '.repeat(20_000),
		'no final line feed.txt': '  one\n\n two',
		'node_modules.txt': 'not what it seems\n',
		'sub/deeper/last.md': '# Title\r\n\r\ntext\r\n',
		// The order of these two depends on what is compared: code units, as JavaScript does, or bytes.
		'\uFF21.txt': 'a\n',
		'\u{1F600}.txt': 'b\n',
		'sub.txt': 'after the directory of that name? No: before, by its name\n',
	};
	const others: Readonly<Record<string, Buffer>> = {
		'binary.bin': Buffer.from([0x41, 0x00, 0x42]),
		'latin1.txt': Buffer.from('Gr\xfc\xdfe\n', 'latin1'),
		'half a character.txt': Buffer.from('Grü').subarray(0, 3),
		'packed.gz': gzipSync('text'),
		'.qmr/journal.txt': Buffer.from('never entered\n'),
		'sub/.git/config': Buffer.from('never entered\n'),
		'node_modules/index.js': Buffer.from('never entered\n'),
	};

	const writeFiles = (): string => {
		const top = path.join(directory, 'some files');
		for (const [name, content] of [...Object.entries(texts), ...Object.entries(others)]) {
			mkdirSync(path.dirname(path.join(top, name)), {recursive: true});
			writeFileSync(path.join(top, name), content);
		}
		symlinkSync('..', path.join(top, 'sub', 'loop'));
		return top;
	};

	const reportOf = (top: string, name: string): object => {
		const bytes = readFileSync(path.join(top, name));
		const text = bytes.toString();
		return {
			path: path.join(top, name),
			words: text.split(/\s+/).filter(word => word !== '').length,
			lines: text.split('\n').filter((line, i, lines) => i < lines.length - 1 || line !== '').length,
			gzipBytes: gzipSync(bytes).length,
			sha256: createHash('sha256').update(bytes).digest('hex'),
		};
	};

	/** Another Node has another zlib, which may compress a little more or less. */
	const withoutGzipSizes = (text: string): string => text.replaceAll(/^( *\d+ +\d+) +\d+/gm, '$1');

	/** Sorted by name within each directory: a directory's own name counts. */
	const sortedNames = Object.keys(texts).sort((left, right) => (left.replaceAll('/', '\0') < right.replaceAll('/', '\0') ? -1 : 1));

	test('reports every text file, and no other, as zlib and crypto do here', async () => {
		const top = writeFiles();
		const exit = await runExample('text-files', top, '--json');
		expect(exit).toMatchObject({code: 0});
		expect(JSON.parse(exit.stdout)).toEqual(sortedNames.map(name => reportOf(top, name)));
		expect(readdirSync(directory)).toEqual(['some files']);
	});

	test('prints an aligned table with totals, also for a relative path', async () => {
		mkdirSync(path.join(directory, 'files'));
		writeFileSync(path.join(directory, 'files', 'a.txt'), 'one two\n');
		writeFileSync(path.join(directory, 'files', 'b\u001B[31m.txt'), `${'word '.repeat(1000)}\n`);
		const {code, stdout} = await runExample('text-files', 'files');
		expect(code).toBe(0);
		expect(stdout.split('\n')).toEqual([
			'words  lines  gzip bytes  sha256        file',
			'    2      1          28  2dbb4a503f15  files/a.txt',
			expect.stringMatching(/^ 1000 {6}1 {10}\d\d {2}[\da-f]{12} {2}files\/b\?\[31m\.txt$/),
			expect.stringMatching(/^ 1002 {6}2 +\d+ {16}2 text files$/),
			'',
		]);
	});

	test('prints what the README of the examples shows', async () => {
		symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), path.join(directory, 'node_modules'));
		const {stdout} = await runExample('text-files', 'node_modules/p-retry');
		const readme = readFileSync(new URL('../../examples/README.md', import.meta.url), 'utf8');
		expect(withoutGzipSizes(readme)).toContain(
			`node examples/text-files/main.js node_modules/p-retry\n\`\`\`\n\n\`\`\`\n${withoutGzipSizes(stdout)}\`\`\``,
		);
	});

	test('says so when there is no text file', async () => {
		mkdirSync(path.join(directory, 'files'));
		const {code, stdout} = await runExample('text-files', 'files');
		expect(code).toBe(0);
		expect(stdout).toContain('0 text files');
	});

	// Node can't say this name: such a file is listed and can't be opened, also by root.
	test.runIf(process.platform === 'linux')(
		'tells of a file that can not be opened in its row and by the exit code, and reports the others',
		async () => {
			const top = writeFiles();
			writeFileSync(Buffer.concat([Buffer.from(`${top}/m`), Buffer.from([0xff]), Buffer.from('.txt')]), 'text\n');
			const exit = await runExample('text-files', top, '--json');
			expect(exit.code).toBe(1);
			const [failed, ...more] = JSON.parse(exit.stdout).filter((row: object) => 'error' in row);
			expect(more).toEqual([]);
			expect(failed).toEqual({path: path.join(top, 'm\uFFFD.txt'), error: expect.stringContaining('ENOENT')});
			expect(JSON.parse(exit.stdout).filter((row: object) => !('error' in row))).toEqual(sortedNames.map(name => reportOf(top, name)));
			const table = await runExample('text-files', top);
			expect(table.code).toBe(1);
			expect(table.stdout).toMatch(/^ +- +- +- {2}- {13}.+m\uFFFD\.txt {2}ENOENT/m);
			expect(table.stdout).toContain(`${sortedNames.length} text files, and 1 that could not be read`);
		},
	);

	test.skipIf(process.getuid?.() === 0)('tells of files and directories that may not be read', async () => {
		const top = writeFiles();
		chmodSync(path.join(top, 'B.txt'), 0);
		chmodSync(path.join(top, 'sub'), 0);
		try {
			const exit = await runExample('text-files', top, '--json');
			expect(exit.code).toBe(1);
			expect(JSON.parse(exit.stdout).filter((row: object) => 'error' in row)).toEqual([
				{path: path.join(top, 'B.txt'), error: expect.stringContaining('EACCES')},
				{path: path.join(top, 'sub'), error: expect.stringContaining('EACCES')},
			]);
		} finally {
			chmodSync(path.join(top, 'sub'), 0o700);
		}
	});

	test.each([
		[[], 'Expected one DIRECTORY, got 0'],
		[['a', 'b'], 'Expected one DIRECTORY, got 2'],
		[['missing'], "ENOENT: no such file or directory, stat 'missing'"],
		[[process.execPath], `Expected DIRECTORY to be a directory, got ${process.execPath}`],
	])('refuses %j with a sentence and its usage', async (argumentList, sentence) => {
		const exit = await runExample('text-files', ...argumentList);
		expect(exit).toMatchObject({code: 2, stdout: ''});
		expect(exit.stderr).toContain(sentence);
		expect(exit.stderr).toContain('Usage: node main.js DIRECTORY');
	});
});

describe('the engine for a few machines', () => {
	const documented = /```\n(The longest chain .*)\n```/.exec(
		readFileSync(new URL('../../examples/README.md', import.meta.url), 'utf8'),
	)?.[1];

	test('computes on this machine what the paper says', async () => {
		expect(documented).toContain('837799');
		expect(await runMain('own-engine', [], process.env)).toEqual({code: 0, stdout: `${documented}\n`, stderr: ''});
		expect(readdirSync(directory)).toEqual([]);
	});

	test('computes it by a remote shell on other machines, although one of them can’t be reached', async () => {
		const tools = mkdtempSync(path.join(tmpdir(), 'qmr-remote-'));
		try {
			const shell = makeRemoteShell(tools);
			const exit = await runMain('own-engine', ['lost:2', 'near:1', 'far:1', '--shell', shell], process.env);
			expect(exit).toEqual({code: 0, stdout: `${documented}\n`, stderr: ''});
			const called = readFileSync(`${shell}.calls`, 'utf8').trim().split('\n');
			expect([...new Set(called)].sort()).toEqual(['far', 'lost', 'near']);
		} finally {
			rmSync(tools, {recursive: true});
		}
		expect(readdirSync(directory)).toEqual([]);
	});

	test('refuses a machine without slots', async () => {
		const exit = await runMain('own-engine', ['near'], process.env);
		expect(exit.stderr).toContain('Expected HOST:SLOTS, as node1:4, got near');
		expect(exit.code).not.toBe(0);
	});
});

/** So few queue-jobs take little time. */
const NUM_CHUNKS = 3;

/** The settings of an engine as a user has them, in a file of his own: the programs stay as they are. */
const onEngine = (
	engine: EngineName,
): {readonly run: (name: string, ...argumentList: string[]) => Promise<Exit>; readonly remove: () => void} => {
	const home = createTestDirectory('qmr-home-');
	const {workRoot: _workRoot, ...options} = poolOptions(engine, home.path);
	writeFileSync(path.join(home.path, 'qmr.config.json'), JSON.stringify({...options, numChunks: NUM_CHUNKS}), {mode: 0o600});
	return {
		run: (name, ...argumentList) => runMain(name, argumentList, {...process.env, XDG_CONFIG_HOME: home.path}),
		remove: home.remove,
	};
};

/** What the paper says that a command prints. */
const documentedOutput = (command: string): string => {
	const paper = readFileSync(new URL('../../examples/README.md', import.meta.url), 'utf8');
	const [, , output = ''] =
		/^\n```\n\n(?:<!-- output -->\n\n)?```(text)?\n([^`]*)```$/m.exec(paper.slice(paper.indexOf(command) + command.length)) ?? [];
	return output;
};

const readHere = (name: string): string => readFileSync(path.join(directory, name), 'utf8');

describe.each(ENGINES)('on %s', engine => {
	let tools: ReturnType<typeof onEngine>;
	beforeEach(() => {
		tools = onEngine(engine);
	});
	afterEach(() => tools.remove());

	test('A2, A3: the quick start sums ten lists', async () => {
		const exit = await tools.run('quick-start');
		expect(exit).toMatchObject({
			code: 0,
			stdout: '4950 5050 5150 5250 5350 5450 5550 5650 5750 5850\nComputed here they are the same.\n',
		});
		expect(readdirSync(directory)).toEqual([]);
	});

	test('V1, V2, V3, V5, V6, V7, V8, D6: 18 of 20 rows of random parameters make a table, rows 3 and 7 are missing', async () => {
		const exit = await tools.run('random-parameters', '--out', 'a table.csv');
		expect(exit.code).toBe(0);
		const rows = [...randomParameters({growth: [2.8, 4.1], start: [0.1, 0.9], generations: [1000]}, 20, 625)];
		const succeeded = rows.flatMap((row, itask) => (itask === 3 || itask === 7 ? [] : [{itask, ...row, ...grow(row)}]));
		const names = ['itask', 'growth', 'start', 'generations', 'mean', 'largest'] as const;
		expect(readHere('a table.csv')).toBe(
			[names, ...succeeded.map(row => names.map(name => row[name]))].map(cells => `${cells.join(',')}\n`).join(''),
		);
		expect(succeeded).toHaveLength(18);
		expect(exit.stdout.split('\n')).toEqual([
			'18 of 20 rows are in a table.csv.',
			...[3, 7].map(itask =>
				expect.stringMatching(
					new RegExp(`^Missing: ${itask}, with growth ${rows[itask]?.growth} and start ${rows[itask]?.start}: The population has died out`),
				),
			),
			'',
		]);
		// Every task has files of its own, of which the last tells that the others are whole.
		const [session = ''] = readdirSync(path.join(directory, '.qmr'));
		const workDir = path.join(directory, '.qmr', session);
		// It is this engine that has computed it.
		expect(JSON.parse(readFileSync(path.join(workDir, 'run.json'), 'utf8'))).toMatchObject({
			engine: engine === 'dummy' ? 'grid-engine' : engine,
			numChunks: NUM_CHUNKS,
			configFiles: [expect.stringContaining('qmr-home-')],
		});
		const tasks = path.join(workDir, 'tasks');
		expect(readdirSync(tasks)).toHaveLength(20);
		for (const [itask] of rows.entries()) {
			const files = ['log.txt', 'output.csv', 'params.csv', 'success.txt'].filter(
				name => ![3, 7].includes(itask) || name === 'log.txt' || name === 'params.csv',
			);
			expect(readdirSync(path.join(tasks, `${itask}.1`)).sort()).toEqual(files.map(name => `model___${name}`));
		}
		// Whoever comes later finds the tasks and where their files are.
		const record = await readWorkDir(workDir);
		expect(record.tasks.map(({input}) => input)).toEqual(rows);
		const tableOfLater = record.tasks.flatMap(({itask, outcome}) =>
			outcome?.status === 'fulfilled' ? [{itask, ...readRow(outcome.value as string)}] : [],
		);
		expect(formatCsv(tableOfLater)).toBe(readHere('a table.csv'));
	});

	test('H1, H2, H12, D9: the products of five pairs of matrices sum up to what they do serially', async () => {
		const exit = await tools.run('matrix-products', '--size', '20', '--directory', 'some matrices');
		const [title, ...norms] = exit.stdout.trimEnd().split('\n');
		expect({code: exit.code, title}).toEqual({code: 0, title: '2-norm of the sum of 5 products'});
		expect(norms.map(line => line.split(/ {2,}/)[0])).toEqual(['by tasks', 'serially']);
		expect(norms.map(line => Number(line.split(/ {2,}/)[1]))).toEqual([productNorm(20), productNorm(20)]);
		// What is not indexed would be written by all tasks.
		const files = ['inputA', 'inputB', 'output'].flatMap(name => [0, 1, 2, 3, 4].map(i => `${name}${i}.f64`));
		expect(readdirSync(path.join(directory, 'some matrices')).sort()).toEqual(files);
		expect(readdirSync(directory)).toEqual(['some matrices']);
	});

	test('Q1, Q31: one program prints and writes with a pool what it does without one', async () => {
		const serial = await tools.run('one-program', '--serial', '--directory', 'serially');
		const pooled = await tools.run('one-program', '--directory', 'by tasks');
		expect(serial).toMatchObject({code: 0, stderr: ''});
		expect({code: pooled.code, stdout: pooled.stdout}).toEqual({code: 0, stdout: serial.stdout.replace('serially', 'by tasks')});
		const names = readdirSync(path.join(directory, 'serially'));
		expect(names).toHaveLength(40);
		expect(readdirSync(path.join(directory, 'by tasks'))).toEqual(names);
		for (const name of names) expect(readHere(`by tasks/${name}`)).toBe(readHere(`serially/${name}`));
		expect(JSON.parse(readHere('by tasks/000007.line.json'))).toEqual({event: 7, slope: expect.any(Number), offset: expect.any(Number)});
	});

	test('D2, D3, D4: shell commands end with their codes and signals, and write where they are told to', async () => {
		const exit = await tools.run('shell-commands');
		expect({code: exit.code, stdout: exit.stdout}).toEqual({code: 1, stdout: documentedOutput('node examples/shell-commands/main.js')});
		expect(exit.stdout.split('\n').map(line => line.split(':')[0])).toEqual(['code 0', 'code 0', 'code 3', 'code 127', 'SIGKILL', '']);
		expect(readdirSync(directory).sort()).toEqual(['errors.txt', 'sevens.txt']);
		expect(readHere('sevens.txt')).toBe('271\n');
		expect(readHere('errors.txt')).toContain('no-such-program');
	});

	test('D3, D4: a job that can not be run costs the others nothing', async () => {
		const jobs = [
			{cmd: 'pwd', cd: '/', out: path.join(directory, 'one.txt')},
			{cmd: 'true', cd: '/no/such/directory'},
			{cmd: 'pwd', out: 'two.txt'},
		];
		writeFileSync(path.join(directory, 'jobs.jsonl'), jobs.map(job => `${JSON.stringify(job)}\n`).join(''));
		const exit = await tools.run('shell-commands', 'jobs.jsonl');
		expect(exit.code).toBe(1);
		expect(exit.stdout).toContain('/no/such/directory');
		// The directory of one job is not that of the next.
		expect([readHere('one.txt'), readHere('two.txt')]).toEqual(['/\n', `${directory}\n`]);
	});
});

/** The model of the random parameters, computed here; undefined when its population dies out. */
const grow = ({
	growth,
	start,
	generations,
}: {
	growth: number;
	start: number;
	generations: number;
}): {mean: string; largest: string} | undefined => {
	const values: number[] = [];
	for (let x = start; values.length < generations; ) {
		x = growth * x * (1 - x);
		if (x < 0) return undefined;
		values.push(x);
	}
	return {mean: (values.reduce((sum, x) => sum + x, 0) / generations).toFixed(6), largest: Math.max(...values).toFixed(6)};
};

/** The same from the definition of a product, entry by entry. */
const productNorm = (size: number): number => {
	const entries = (name: string, i: number): number[] => {
		const random = randomStream(`${name}.f64 ${i}`);
		return Array.from({length: size ** 2}, random);
	};
	const total = new Array<number>(size ** 2).fill(0);
	for (let i = 0; i < 5; i++) {
		const [a, b] = [entries('inputA', i), entries('inputB', i)] as const;
		for (const place of total.keys()) {
			const [row, column] = [Math.floor(place / size), place % size];
			for (let k = 0; k < size; k++)
				total[place] = (total[place] as number) + (a[row * size + k] as number) * (b[k * size + column] as number);
		}
	}
	return Number(Math.hypot(...total).toFixed(6));
};

describe('the model with random parameters', () => {
	test('V5, V6: is a program of its own, and writes only files whose names begin with its base', async () => {
		const exit = await runMainFile('random-parameters/model.js', ['--growth=3.7', '--start=0.2', '--generations=10', '--output_base=one']);
		expect(exit).toEqual({code: 0, stdout: '', stderr: ''});
		expect(readdirSync(directory).sort()).toEqual(['one___log.txt', 'one___output.csv', 'one___params.csv', 'one___success.txt']);
		expect(readHere('one___params.csv')).toBe('growth,3.7\nstart,0.2\ngenerations,10\n');
		expect(readRow(path.join(directory, 'one'))).toEqual({
			growth: '3.7',
			start: '0.2',
			generations: '10',
			...grow({growth: 3.7, start: 0.2, generations: 10}),
		});
	});

	test.each(['params.csv', 'output.csv', 'success.txt'])('V7: has no row when %s is missing or empty', async name => {
		await runMainFile('random-parameters/model.js', ['--growth=3.7', '--start=0.2', '--generations=10', '--output_base=one']);
		const base = path.join(directory, 'one');
		expect(readRow(base)).toBeDefined();
		writeFileSync(`${base}___${name}`, '');
		expect(readRow(base)).toBeUndefined();
		rmSync(`${base}___${name}`);
		expect(readRow(base)).toBeUndefined();
	});

	test('V7: makes an empty table when no row has succeeded', () => {
		expect(formatCsv([])).toBe('\n');
	});
});
