import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	unlinkSync,
	writeFileSync,
} from 'node:fs';
import {open} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {captureEnvironment} from '../../src/environment.js';
import {EXIT_CODES} from '../../src/exit-codes.js';
import {createLauncher} from '../../src/launcher.js';
import {LAUNCHER, tasksPath} from '../../src/layout.js';
import {addressSpaceBeforeHeap, OWN_MAJOR} from '../../src/node-memory.js';
import {hasOwnSleep, JOB_ENVIRONMENT, makeScratch, makeWorkDir, readDump, runLauncher, SHELLS} from './launcher-runner.js';

const NASTY_NAMES = [
	'plain',
	'with blank',
	`it's "quoted"`,
	'$HOME `id` $(id)',
	'new\nline',
	'new\n#$ -h',
	'a:b,c',
	'#hash',
	'-leading',
	'*?[a]',
	'{b,c}~',
	'tab\there',
	'ünïcödé',
	'p=q',
	'%n%s',
];

describe.each(SHELLS.map(shell => ({name: shell.join(' '), shell})))('$name', ({shell}) => {
	test('starts node with the worker, the work_dir, the chunk and the attempt, in the directory and with the umask of the caller', () => {
		const cwd = makeScratch();
		const workDir = makeWorkDir({cwd, umask: 0o027, nodeArguments: ['--no-warnings']});
		expect(runLauncher(shell, workDir, ['13', '2'])).toMatchObject({status: 0, stdout: '', stderr: ''});
		const dump = readDump(workDir, 2);
		expect(dump.argv.slice(1)).toEqual([join(workDir, 'worker_node_script.cjs'), workDir, '13', '2']);
		expect(dump).toMatchObject({cwd, umask: 0o027, execArgv: ['--no-warnings']});
		expect(dump.stdio).toEqual(['/dev/null', join(workDir, '000000013.2.o'), join(workDir, '000000013.2.e')]);
	});

	test('leaves core files where the caller would, and nowhere else', () => {
		// What a queue of Grid Engine does to the limit; the hard one is left as it is.
		const lift = 'ulimit -S -c "$(ulimit -H -c)"';
		const worker =
			"import('node:fs').then(({readFileSync}) => console.log(/^Max core file size +(.*?) +bytes/m.exec(readFileSync('/proc/self/limits', 'utf8'))[1]));";
		const limitOf = (coreFiles: boolean, args: readonly string[]): string => {
			const workDir = makeWorkDir({coreFiles, worker});
			const input = `${lift}\n${readFileSync(join(workDir, LAUNCHER), 'utf8')}`;
			expect(runLauncher(shell, workDir, args, {input}).status).toBe(0);
			return readFileSync(join(workDir, '000000013.1.o'), 'utf8').trim().replaceAll(/ +/g, ' ');
		};
		const lifted = limitOf(true, ['13', '1']);
		// Else nothing was lifted.
		expect(lifted).not.toMatch(/^0 /);
		expect(limitOf(false, ['13', '1'])).toBe(`0 ${lifted.split(' ')[1]}`);
		// By hand, in a shell whose limit is somebody's choice.
		expect(limitOf(false, ['13'])).toBe(lifted);
	});

	test('makes private output files, whatever the umask of the caller is', () => {
		const workDir = makeWorkDir({umask: 0, worker: 'console.log("out"); console.error("err");'});
		expect(runLauncher(shell, workDir, ['13', '1']).status).toBe(0);
		for (const [kind, content] of Object.entries({o: 'out\n', e: 'err\n'})) {
			const path = join(workDir, `000000013.1.${kind}`);
			expect(statSync(path).mode & 0o777).toBe(0o600);
			expect(readFileSync(path, 'utf8')).toBe(content);
		}
	});

	test.each(NASTY_NAMES)('X18: work_dir, working directory and node path may be called %j', name => {
		const scratch = makeScratch();
		const cwd = join(scratch, 'cwd', name);
		mkdirSync(cwd, {recursive: true});
		const nodePath = join(cwd, name);
		symlinkSync(process.execPath, nodePath);
		const workDir = makeWorkDir({workDir: join(scratch, name), cwd, nodePath, nodeArguments: [`--title=${name}`]});
		expect(runLauncher(shell, workDir, ['13', '1'])).toMatchObject({status: 0, stdout: '', stderr: ''});
		expect(readDump(workDir)).toMatchObject({cwd, execArgv: [`--title=${name}`]});
		expect(readDump(workDir).argv.slice(2)).toEqual([workDir, '13', '1']);
	});

	test('hands a backslash in a path over as it is, though Node itself imports no ES module from below such a directory', () => {
		const scratch = makeScratch();
		const cwd = join(scratch, 'back\\slash\\');
		mkdirSync(cwd);
		const nodePath = join(cwd, 'node\\');
		writeFileSync(nodePath, '#!/bin/sh\npwd\nprintf "%s\\n" "$@"\n', {mode: 0o755});
		const workDir = makeWorkDir({workDir: join(scratch, 'work\\dir\\'), cwd, nodePath, nodeArguments: ['\\n\\']});
		expect(runLauncher(shell, workDir, ['13', '1'])).toMatchObject({status: 0, stdout: '', stderr: ''});
		const lines = [cwd, '\\n\\', join(workDir, 'worker_node_script.cjs'), workDir, '13', '1'];
		expect(readFileSync(join(workDir, '000000013.1.o'), 'utf8')).toBe(`${lines.join('\n')}\n`);
	});

	test('W11: works when the shell reads it from stdin, and as a copy without extension in another directory', () => {
		const workDir = makeWorkDir();
		const script = readFileSync(join(workDir, LAUNCHER), 'utf8');
		expect(runLauncher(shell, workDir, ['13', '1'], {input: script})).toMatchObject({status: 0, stdout: '', stderr: ''});
		expect(readDump(workDir, 1).stdio[0]).toBe('/dev/null');
		const copy = join(makeScratch(), '937');
		copyFileSync(join(workDir, LAUNCHER), copy);
		expect(runLauncher(shell, workDir, ['13', '2'], {script: copy})).toMatchObject({status: 0, stdout: '', stderr: ''});
		expect(readDump(workDir, 2).argv.slice(2)).toEqual([workDir, '13', '2']);
	});

	test('typed by hand without an attempt, it computes the chunk as the next one and says where', () => {
		const workDir = makeWorkDir();
		for (const name of ['000000013.1.out', '000000013.9.o', '000000013.10.part', '000000013.x.o', '000000014.70.o', '0000000130.80.o']) {
			writeFileSync(join(workDir, name), '');
		}
		expect(runLauncher(shell, workDir, ['13'])).toMatchObject({
			status: 0,
			stdout: `chunk 13, attempt 11: see ${workDir}/000000013.11.*\n`,
			stderr: '',
		});
		expect(readDump(workDir, 11).argv.slice(2)).toEqual([workDir, '13', '11', 'again']);
	});

	test('typed by hand with the digits of a file name, it takes them for the number', () => {
		const workDir = makeWorkDir();
		expect(runLauncher(shell, workDir, ['000000013']).status).toBe(0);
		expect(readDump(workDir, 1).argv.slice(2)).toEqual([workDir, '13', '1', 'again']);
	});

	test.each<[args: string[], limitMib: number | undefined, heapMib: number | undefined]>([
		[['13'], undefined, undefined],
		[['13', '1'], undefined, undefined],
		[['13', '1', '-', '1000'], undefined, 750],
		[['13', '1', '-', '20001'], undefined, 15_000],
		[['13', '1', '-', '1'], undefined, 64],
		[['13', '1'], 3000, heapBelow(3000)],
		[['13', '1'], 2000, heapBelow(2000)],
		[['13', '1', '-', '2000'], 2000, heapBelow(2000)],
		[['13', '1', '-', '100'], 3000, 75],
		[['13', '1', '-', '200000'], 100_000, heapBelow(100_000)],
		// More than V8 takes by itself is only given to who asked for it.
		[['13', '1'], 100_000, undefined],
		[['13', '1'], addressSpaceBeforeHeap(OWN_MAJOR) + 1, 64],
	])('with the arguments %j and an address space of %s MiB the heap of V8 may have %s MiB', (args, limitMib, heapMib) => {
		const workDir = makeWorkDir({nodeArguments: ['--no-warnings']});
		const limit = limitMib === undefined ? '' : `ulimit -v ${limitMib * 1024}\n`;
		const script = `${limit}${readFileSync(join(workDir, LAUNCHER), 'utf8')}`;
		expect(runLauncher(shell, workDir, args, {input: script})).toMatchObject({status: 0});
		const heap = heapMib === undefined ? [] : [`--max-old-space-size=${heapMib}`];
		const wasm = limitMib === undefined || OWN_MAJOR >= 24 ? [] : ['--disable-wasm-trap-handler'];
		expect(readDump(workDir).execArgv).toEqual([...heap, ...wasm, '--no-warnings']);
	});

	test.each([
		'--max-old-space-size=300',
		'--expose-gc --max_old_space_size=300',
		// Earlier ones do not take it there.
		...(OWN_MAJOR < 24 ? [] : ['--max-heap-size=300']),
	])('of the heap counts what the caller says in NODE_OPTIONS: %s', options => {
		const workDir = makeWorkDir({captured: captureEnvironment(true, {NODE_OPTIONS: options})});
		expect(runLauncher(shell, workDir, ['13', '1', '-', '1000'])).toMatchObject({status: 0, stderr: ''});
		expect(readDump(workDir)).toMatchObject({execArgv: [], argv: [expect.anything(), expect.anything(), workDir, '13', '1']});
	});

	test('what the caller says by an argument of node comes later, so it counts', () => {
		const workDir = makeWorkDir({nodeArguments: ['--max-old-space-size=300']});
		expect(runLauncher(shell, workDir, ['13', '1', '-', '1000'])).toMatchObject({status: 0});
		expect(readDump(workDir).execArgv).toEqual(['--max-old-space-size=750', '--max-old-space-size=300']);
	});

	test.each(
		[
			[],
			[''],
			['x'],
			['13', ''],
			['13', '0'],
			['13', 'x'],
			['-1'],
			['1,1'],
			['1.5'],
			['1x', '1'],
			['13', '1', '1'],
			['../13', '1'],
			['13', '1', ''],
			['13', '1', 'A-B'],
			['13', '1', 'A;id'],
			['13', '1', 'A B'],
			['13', '1', '--'],
			['13', '1', '-', '0'],
			['13', '1', '-', '1G'],
			['13', '1', '-', ''],
			['13', '1', 'A', '1', '1'],
		].map(args => ({args})),
	)('the arguments $args are refused with a sentence', ({args}) => {
		const workDir = makeWorkDir();
		const before = readdirSync(workDir);
		const {status, stderr} = runLauncher(shell, workDir, args);
		expect(status).toBe(EXIT_CODES.usage);
		expect(stderr).toMatch(/^launch\.sh: expected ICHUNK \[ATTEMPT \[VARIABLE \[MEMORY_MIB\]\]\]/);
		expect(readdirSync(workDir)).toEqual(before);
	});

	test.each([
		['1', '13'],
		['4', '10'],
		['4', '000000010'],
		['14', '0'],
	])('as element %s of an array that begins with chunk %s it computes chunk 13', (element, first) => {
		const workDir = makeWorkDir();
		const environment = {...JOB_ENVIRONMENT, SGE_TASK_ID: element};
		expect(runLauncher(shell, workDir, [first, '2', 'SGE_TASK_ID'], {environment})).toMatchObject({status: 0, stdout: '', stderr: ''});
		expect(readDump(workDir, 2).argv.slice(2)).toEqual([workDir, '13', '2']);
		expect(readDump(workDir, 2).environment.SGE_TASK_ID).toBe(element);
	});

	test.each(['undefined', '', '0', '-1', '1x', '$(id)', undefined])('an element %j is refused with a sentence', element => {
		const workDir = makeWorkDir();
		const {SGE_TASK_ID: _, ...others} = JOB_ENVIRONMENT;
		const environment = element === undefined ? others : {...others, SGE_TASK_ID: element};
		const {status, stderr} = runLauncher(shell, workDir, ['13', '2', 'SGE_TASK_ID'], {environment});
		expect(status).toBe(EXIT_CODES.usage);
		expect(stderr).toBe('launch.sh: expected the number of an element of an array in the variable SGE_TASK_ID\n');
	});

	test.each(['o', 'e'])('an attempt that was begun before is refused, and its .%s is left as it is', kind => {
		const workDir = makeWorkDir();
		const path = join(workDir, `000000013.1.${kind}`);
		writeFileSync(path, 'of the first run');
		const {status, stderr} = runLauncher(shell, workDir, ['13', '1']);
		expect(status).toBe(EXIT_CODES.outputRefused);
		expect(stderr).toMatch(/^launch\.sh: attempt 1 was begun before/);
		expect(readFileSync(path, 'utf8')).toBe('of the first run');
		expect(existsSync(join(workDir, 'dump.13.1'))).toBe(false);
	});

	test('a working directory that this host lacks is told of in .e', () => {
		const workDir = makeWorkDir({cwd: "/nonexistent/it's"});
		expect(runLauncher(shell, workDir, ['13', '1'])).toMatchObject({status: EXIT_CODES.directoryMissing, stderr: ''});
		expect(readFileSync(join(workDir, '000000013.1.e'), 'utf8')).toBe(
			"launch.sh: can't enter the working directory on this host: /nonexistent/it's\n",
		);
	});

	test('a node that this host lacks is told of in .e', () => {
		const workDir = makeWorkDir({nodePath: '/nonexistent/node'});
		expect(runLauncher(shell, workDir, ['13', '1'])).toMatchObject({status: 127, stderr: ''});
		expect(readFileSync(join(workDir, '000000013.1.e'), 'utf8')).toContain('/nonexistent/node');
	});

	test('a node named without a path is found on the PATH of the caller', () => {
		const bin = makeScratch();
		symlinkSync(process.execPath, join(bin, 'my-node'));
		const workDir = makeWorkDir({nodePath: 'my-node', captured: captureEnvironment(true, {PATH: bin})});
		expect(runLauncher(shell, workDir, ['13', '1']).status).toBe(0);
	});

	test.skipIf(hasOwnSleep(shell))('waits for files that a network file system shows late', () => {
		const workDir = makeWorkDir();
		renameLater(workDir);
		const {environment, waits} = fakeSleep(`[ $# -lt 3 ] || mv ${workDir}/late ${tasksPath(workDir, 13)}`);
		expect(runLauncher(shell, workDir, ['13', '1'], {environment})).toMatchObject({status: 0, stderr: ''});
		expect(waits()).toEqual([1, 1, 2]);
		expect(readDump(workDir).argv.slice(2)).toEqual([workDir, '13', '1']);
	});

	test.skipIf(hasOwnSleep(shell))('waits for what tasks share, too, when they share something', () => {
		const workDir = makeWorkDir({moreFiles: ['shared.v8']});
		const {environment, waits} = fakeSleep(`: >${workDir}/shared.v8`);
		expect(runLauncher(shell, workDir, ['13', '1'], {environment})).toMatchObject({status: 0, stderr: ''});
		expect(waits()).toEqual([1]);
	});

	test.skipIf(hasOwnSleep(shell))('waits for a work_dir that is late as a whole', () => {
		const workDir = makeWorkDir();
		const {environment, waits} = fakeSleep(`mv ${workDir}.late ${workDir}`);
		const input = readFileSync(join(workDir, LAUNCHER), 'utf8');
		spawnSync('mv', [workDir, `${workDir}.late`]);
		expect(runLauncher(shell, workDir, ['13', '1'], {environment, input})).toMatchObject({status: 0, stderr: ''});
		expect(waits()).toEqual([1]);
	});

	test.skipIf(hasOwnSleep(shell))(
		'a queue-job gives up after a minute and names the file in .e; by hand it is named at once, on stderr',
		() => {
			const workDir = makeWorkDir();
			unlinkSync(tasksPath(workDir, 13));
			const {environment, waits} = fakeSleep('');
			const sentence = `launch.sh: can't read 000000013.tasks in ${workDir} on this host\n`;
			expect(runLauncher(shell, workDir, ['13'], {environment})).toMatchObject({
				status: EXIT_CODES.filesMissing,
				stderr: sentence,
			});
			expect(waits()).toEqual([]);
			expect(runLauncher(shell, workDir, ['13', '1'], {environment})).toMatchObject({status: EXIT_CODES.filesMissing, stderr: ''});
			expect(waits().reduce((sum, seconds) => sum + seconds, 0)).toBe(60);
			expect(readFileSync(join(workDir, '000000013.1.e'), 'utf8')).toBe(sentence);
		},
	);

	test.skipIf(hasOwnSleep(shell))('a missing work_dir is told of on stderr', () => {
		const workDir = makeWorkDir();
		const script = readFileSync(join(workDir, LAUNCHER), 'utf8');
		rmSync(workDir, {recursive: true});
		const {environment} = fakeSleep('');
		const run = runLauncher(shell, workDir, ['13', '1'], {environment, input: script});
		expect(run).toMatchObject({
			status: EXIT_CODES.filesMissing,
			stderr: `launch.sh: can't read run.json in ${workDir} on this host\n`,
		});
	});

	test('is node itself once it has started, so a signal to the job reaches node', async () => {
		const workDir = makeWorkDir();
		spawnSync('mkfifo', [join(workDir, 'started')]);
		// Open before anybody writes: what is written to a pipe that nobody has open is lost when the writer closes it.
		const started = await open(join(workDir, 'started'), 'r+');
		onTestFinished(() => started.close());
		const [program, ...args] = shell;
		const job = spawn(program!, [...args, join(workDir, LAUNCHER), '13', '1'], {env: JOB_ENVIRONMENT, stdio: 'ignore'});
		await started.read(Buffer.alloc(1));
		expect(readDump(workDir).pid).toBe(job.pid);
		const ended = once(job, 'exit');
		job.kill('SIGTERM');
		expect(await ended).toEqual([null, 'SIGTERM']);
	});

	test("the caller's variables may be called as the launcher's own, and the launcher's own do not reach the task", () => {
		const names = ['qmr_dir', 'qmr_attempt', 'qmr_ichunk', 'qmr_missing', 'qmr_name', 'qmr_file', 'qmr_seconds', 'workDir', 'attempt'];
		const own = Object.fromEntries(names.map(name => [name, `caller's ${name}`]));
		const captured = captureEnvironment(true, own);
		const workDir = makeWorkDir({captured});
		expect(runLauncher(shell, workDir, ['13', '1']).status).toBe(0);
		expect(readDump(workDir).environment).toMatchObject(own);
		const without = makeWorkDir({captured: captureEnvironment(false)});
		expect(runLauncher(shell, without, ['13', '1'], {environment: {...JOB_ENVIRONMENT, qmr_dir: 'of the site'}}).status).toBe(0);
		expect(Object.keys(readDump(without).environment).filter(name => name.startsWith('qmr_'))).toEqual([]);
	});

	test('LD_PRELOAD is taken by node and by nothing before it', () => {
		// The loader complains of each program that it can't preload into.
		const workDir = makeWorkDir({captured: captureEnvironment(true, {LD_PRELOAD: '/nonexistent/preload.so'})});
		expect(runLauncher(shell, workDir, ['13', '1'])).toMatchObject({status: 0, stderr: ''});
		expect(readFileSync(join(workDir, '000000013.1.e'), 'utf8').match(/preload\.so/g)).toHaveLength(1);
	});
});

test.each(['cd', 'umask', 'ulimit', 'printf', 'true'])('a profile that redefines %s does no harm to it', name => {
	const workDir = makeWorkDir({cwd: makeScratch(), umask: 0o027});
	const script = `${name}() { echo redefined; return 1; }\nset -efuC\n${readFileSync(join(workDir, LAUNCHER), 'utf8')}`;
	for (const [index, shell] of SHELLS.entries()) {
		const attempt = index + 1;
		expect(runLauncher(shell, workDir, ['13', String(attempt)], {input: script})).toMatchObject({status: 0, stdout: ''});
		expect(readDump(workDir, attempt).umask).toBe(0o027);
	}
});

test('no line of the launcher is taken for an option by a scheduler, whatever the directories are called', () => {
	const text = createLauncher({
		workDir: '/w\n#$ -h',
		cwd: '/c\n#SBATCH -H',
		nodePath: '/n\n#PBS -h',
		nodeArguments: ['\n#$ -t 1-3'],
		umask: 0,
		coreFiles: false,
	});
	expect(text.split('\n').filter(line => /^\s*#(?![! ]|$)/.test(line))).toEqual([]);
	expect(text).toMatch(/^#!\/bin\/sh\n/);
});

test('the last line calls what the lines before define, so that a shell has read everything before it starts', () => {
	const text = createLauncher({workDir: '/w', cwd: '/', nodePath: '/node', nodeArguments: [], umask: 0, coreFiles: false});
	const lines = text.trimEnd().split('\n');
	expect(lines.at(-1)).toBe('qmr_main "$@"');
	expect(lines.at(-2)).toBe('');
	expect(lines.at(-3)).toBe('}');
});

test('no exit code is one by which Grid Engine queues the job again or puts it into an error state', () => {
	expect((Object.values(EXIT_CODES) as number[]).filter(code => code === 99 || code === 100 || code >= 126)).toEqual([]);
});

/** Of what Node leaves of an address space, for its heap. */
const heapBelow = (limitMib: number): number => Math.floor(((limitMib - addressSpaceBeforeHeap(OWN_MAJOR)) * 3) / 4);

const renameLater = (workDir: string): void => {
	spawnSync('mv', [tasksPath(workDir, 13), join(workDir, 'late')]);
};

/** A `sleep` that only writes down how long it was to be, then runs `action`, with as many arguments as there were calls. */
const fakeSleep = (action: string): {environment: Record<string, string>; waits: () => number[]} => {
	const bin = makeScratch();
	const log = join(bin, 'waits');
	writeFileSync(join(bin, 'sleep'), `#!/bin/sh\necho "$1" >>${log}\nset -- $(cat ${log})\n${action}\n`);
	chmodSync(join(bin, 'sleep'), 0o755);
	return {
		environment: {...JOB_ENVIRONMENT, PATH: `${bin}:${JOB_ENVIRONMENT.PATH}`},
		waits: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').map(Number) : []),
	};
};
