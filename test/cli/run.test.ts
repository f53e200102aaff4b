/** `qmr run`, as people run it. */
import {existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {dirname, join} from 'node:path';
import {Pool} from 'queue-map-reduce';
import {type DummyQueue, initQueueState} from 'queue-map-reduce/dummy-queue';
import {beforeEach, describe, expect, onTestFinished, test, vi} from 'vitest';
import {call} from '../helpers/dummy-queue.js';
import {createTestDirectory} from '../helpers/engines.js';
import {processesWith} from '../helpers/processes.js';
import {QMR, type QmrRun, runQmr, startQmr} from '../helpers/qmr.js';

const LOCAL = ['--engine', 'local', '--slots', '2', '--polling-interval-ms', '100'];

type Line = {readonly [key: string]: unknown; readonly result: {readonly [key: string]: unknown; readonly index: number}};

let cwd: string;
beforeEach(() => {
	const directory = createTestDirectory('qmr-run-');
	cwd = directory.path;
	onTestFinished(directory.remove);
});

const toLines = (objects: readonly unknown[]): string => objects.map(object => `${JSON.stringify(object)}\n`).join('');

const linesOf = (text: string): Line[] =>
	text
		.split('\n')
		.filter(line => line !== '')
		.map(line => JSON.parse(line) as Line);

/** In the order of the input. */
const sorted = (text: string): Line[] => linesOf(text).sort((a, b) => a.result.index - b.result.index);

const run = (jobs: readonly unknown[] | string, flags: readonly string[] = []): Promise<QmrRun> =>
	runQmr(['run', ...LOCAL, ...flags], {cwd, stdin: typeof jobs === 'string' ? jobs : toLines(jobs)});

const workDirs = (): string[] => {
	try {
		return readdirSync(join(cwd, '.qmr'));
	} catch {
		return [];
	}
};

describe('the result of a job', () => {
	test('D2, B6: tells the code of the last failing part of a pipe, an unknown command and a signal apart', async () => {
		const cmds = [
			'false | true',
			"true | sh -c 'exit 3' | cat",
			'nosuchcmd 2> /dev/null',
			'kill -9 $$',
			"sh -c 'kill -9 $$'; true",
			'true',
		];
		const {stdout, exitCode} = await run(cmds.map(cmd => ({cmd})));
		expect(sorted(stdout).map(({cmd, result: {code, signal}}) => [cmd, code, signal])).toEqual([
			['false | true', 1, null],
			["true | sh -c 'exit 3' | cat", 3, null],
			['nosuchcmd 2> /dev/null', 127, null],
			['kill -9 $$', null, 'SIGKILL'],
			["sh -c 'kill -9 $$'; true", 0, null],
			['true', 0, null],
		]);
		expect(exitCode).toBe(1);
	});

	test('Y10, B5, B7, B8: is added to the very same object, with where, when and how long, in UTC', async () => {
		const line = '{"tag": 7, "seed":12345678901234567890, "cmd": "sleep 0.1", "x": 1.0}';
		const {stdout, exitCode} = await run(`${line}\n`);
		expect(exitCode).toBe(0);
		expect(stdout.startsWith(`${line.slice(0, -1)},"result":{`)).toBe(true);
		const [{result}] = linesOf(stdout) as [Line];
		const utc = expect.stringMatching(/^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
		expect(result).toEqual({
			...{index: 0, itask: 0, code: 0, signal: null, attempt: 1, jobId: expect.stringMatching(/^local-/), host: hostname()},
			...{submitted: utc, started: utc, completed: utc, received: utc, elapsed: expect.any(Number)},
		});
		expect(result.elapsed).toBeGreaterThan(0.09);
		// Y10: on one clock they are in order.
		const times = [result.submitted, result.started, result.completed, result.received] as string[];
		expect([...times].sort()).toEqual(times);
	});

	test('replaces that of an earlier run, so that results can be run again', async () => {
		const first = await run([{cmd: 'exit 3'}]);
		const {stdout} = await run(first.stdout);
		expect(stdout.match(/"result"/g)).toHaveLength(1);
		expect(linesOf(stdout)).toMatchObject([{cmd: 'exit 3', result: {code: 3}}]);
	});

	test('D4, Y2, Y8, Y9: tells why a job could not be run, and the others are', async () => {
		const {stdout, stderr, exitCode} = await run([
			{tag: 1},
			{cmd: 'true', cd: '/nowhere/at/all'},
			{cmd: 'true', out: '/nowhere/out'},
			{cmd: 'true', err: '/nowhere/err'},
			{cmd: 'a\0b'},
			{cmd: 12},
			'no job',
			{cmd: 'echo x | cat', out: 'x.txt'},
		]);
		const results = sorted(stdout).map(({result}) => result);
		expect(results.map(({code, error}) => [code, error])).toEqual([
			[null, 'The job has no `cmd`, the command to run'],
			[null, '`cd`: there is no directory /nowhere/at/all'],
			[null, expect.stringContaining("`out` can't be opened: ENOENT")],
			[null, expect.stringContaining("`err` can't be opened: ENOENT")],
			[null, expect.stringContaining('null bytes')],
			[null, 'Expected `cmd` to be a text, the command to run'],
			[null, 'Expected a job to be an object as {"cmd": "hostname"}'],
			[0, undefined],
		]);
		expect(sorted(stdout)[6]).toMatchObject({job: 'no job'});
		expect(readFileSync(join(cwd, 'x.txt'), 'utf8')).toBe('x\n');
		expect(stderr).toMatch(/completed: 1 of 8 returned 0/);
		expect(exitCode).toBe(1);
	});

	test('tells the kind of a failure of the worker itself', async () => {
		const {stdout, exitCode} = await run([{cmd: 'sleep 60'}, {cmd: 'true'}], ['--task-limit-ms', '4000']);
		expect(sorted(stdout).map(({result: {code, kind, error}}) => [code, kind, error])).toEqual([
			[null, 'task-limit', expect.stringMatching(/^task-limit: it took longer than taskLimitMs/)],
			[0, undefined, undefined],
		]);
		expect(exitCode).toBe(1);
	});
});

describe('files and directories', () => {
	test('D3, Y1, Y3: `cd` holds for its job alone, and `out` and `err` are relative to it and emptied before', async () => {
		const other = join(cwd, 'other');
		mkdirSync(other);
		writeFileSync(join(other, 'a.txt'), 'what was there before, and is long');
		const {stdout} = await run(
			[
				{cmd: 'pwd; echo oh >&2', cd: 'other', out: 'a.txt', err: 'b.txt', tag: 7},
				{cmd: 'pwd', out: 'here.txt'},
				{cmd: 'echo 1; echo 2 >&2; echo 3', out: 'both.txt', err: 'both.txt'},
			],
			['--num-chunks', '1'],
		);
		expect(sorted(stdout).map(({tag, result: {code}}) => [tag, code])).toEqual([
			[7, 0],
			[undefined, 0],
			[undefined, 0],
		]);
		expect(readFileSync(join(other, 'a.txt'), 'utf8')).toBe(`${other}\n`);
		expect(readFileSync(join(other, 'b.txt'), 'utf8')).toBe('oh\n');
		expect(readFileSync(join(cwd, 'here.txt'), 'utf8')).toBe(`${cwd}\n`);
		expect(readFileSync(join(cwd, 'both.txt'), 'utf8')).toBe('1\n2\n3\n');
	});

	test('B15: commands begin where qmr was called, with nothing on stdin', async () => {
		const {stdout} = await run([{cmd: `test "$(pwd)" = ${cwd} && ! read line`}]);
		expect(linesOf(stdout)).toMatchObject([{result: {code: 0}}]);
	});

	test('output without a file is kept in the work_dir, and where there is none the work_dir goes', async () => {
		const {stderr} = await run([{cmd: 'echo precious'}]);
		expect(stderr).toContain('a command wrote to stdout, and has no `out`');
		const [kept = ''] = workDirs();
		expect(readFileSync(join(cwd, '.qmr', kept, '000000000.1.o'), 'utf8')).toBe('precious\n');
		await run([{cmd: 'echo precious', out: 'x'}]);
		expect(workDirs()).toEqual([kept]);
	});

	test('the work_dir of a command that did not return 0 is kept', async () => {
		const {stderr} = await run([{cmd: 'exit 3'}]);
		expect(stderr).toContain('a command did not return 0');
		expect(workDirs()).toHaveLength(1);
	});

	test('-i, -o and -l are files; a file of results is not written over but by --force', async () => {
		writeFileSync(join(cwd, 'jobs.jsonl'), toLines([{cmd: 'true'}]));
		const flags = ['run', ...LOCAL, '-i', 'jobs.jsonl', '-o', 'results.jsonl', '-l', 'run.log'];
		const first = await runQmr(flags, {cwd});
		expect(first).toMatchObject({stdout: '', exitCode: 0});
		expect(linesOf(readFileSync(join(cwd, 'results.jsonl'), 'utf8'))).toMatchObject([{result: {code: 0}}]);
		expect(readFileSync(join(cwd, 'run.log'), 'utf8')).toContain('completed');
		const second = await runQmr(flags, {cwd});
		expect(second.exitCode).toBe(2);
		expect(second.stderr).toContain('Expected --output to be a new file, but results.jsonl is there. Name another one, or pass --force.');
		expect((await runQmr([...flags, '--force'], {cwd})).exitCode).toBe(0);
		expect(linesOf(readFileSync(join(cwd, 'results.jsonl'), 'utf8'))).toHaveLength(1);
		const same = await runQmr(['run', ...LOCAL, '-i', 'jobs.jsonl', '-o', 'jobs.jsonl', '--force'], {cwd});
		expect([same.exitCode, readFileSync(join(cwd, 'jobs.jsonl'), 'utf8')]).toEqual([2, toLines([{cmd: 'true'}])]);
	});

	test('input, results and log are never one file, by whatever names: nothing is run, and the input stays', async () => {
		const jobs = toLines([{cmd: 'touch ran'}]);
		const path = join(cwd, 'jobs.jsonl');
		writeFileSync(path, jobs);
		linkSync(path, join(cwd, 'linked.jsonl'));
		for (const [words, names] of [
			['< jobs.jsonl >> jobs.jsonl', 'stdin and stdout'],
			['--force -o linked.jsonl < jobs.jsonl', 'stdin and --output'],
			['--force -i linked.jsonl -o jobs.jsonl', '--input and --output'],
			['-i jobs.jsonl -l linked.jsonl', '--input and --log'],
			['-i jobs.jsonl -o new -l ./new', '--output and --log'],
			['-i jobs.jsonl -l new > new', 'stdout and --log'],
		] as const) {
			const command = [process.execPath, QMR, 'run', ...LOCAL].join(' ');
			const {exitCode, stderr} = await call('bash', ['-c', `${command} ${words}`], {cwd, env: {...process.env, QMR_CONFIG: 'off'}});
			expect([words, exitCode, stderr]).toEqual([words, 2, `qmr: Expected ${names} to be two files, got one for both.\n`]);
		}
		expect([readFileSync(path, 'utf8'), existsSync(join(cwd, 'ran'))]).toEqual([jobs, false]);
	});

	test('bad usage leaves no file behind', async () => {
		const {exitCode, stderr} = await runQmr(['run', ...LOCAL, '--num-chunks', '0', '-o', 'results.jsonl'], {cwd});
		expect([exitCode, existsSync(join(cwd, 'results.jsonl'))]).toEqual([2, false]);
		expect(stderr).toContain('Expected `numChunks` to be an integer from 1 and up, got 0');
		for (const wrong of [
			['-i', 'nowhere'],
			['-i', '.'],
			['-o', '.', '--force'],
			['-o', 'no/where'],
			['-l', 'no/where'],
			['--limit', '0'],
			['--no-such-flag'],
		])
			expect([wrong, (await runQmr(['run', ...LOCAL, ...wrong], {cwd})).exitCode]).toEqual([wrong, 2]);
	});

	test('no jobs are no failure, and write an empty file', async () => {
		expect(await run('', ['-o', 'results.jsonl'])).toMatchObject({exitCode: 0, stdout: ''});
		expect(readFileSync(join(cwd, 'results.jsonl'), 'utf8')).toBe('');
	});

	test('a file that takes no more ends the map, and says where the results are', async () => {
		const {exitCode, stderr} = await run([{cmd: 'true'}, {cmd: `sleep 60 # full ${cwd}`}], ['-o', '/dev/full', '--force']);
		expect(exitCode).toBe(1);
		expect(stderr).toContain("/dev/full can't be written: ENOSPC");
		expect(stderr).toContain('What is finished stays in the work_dir.');
		expect(workDirs()).toHaveLength(1);
		expect(processesWith(`sleep 60 # full ${cwd}`)).toEqual([]);
	});
});

describe('the protocol', () => {
	test('D1, B10, B13, B16, H8: 100 jobs give 100 lines, and a log with numbers, on stderr', async () => {
		const jobs = Array.from({length: 100}, (_, i) => ({cmd: 'sleep 0.01', i}));
		const {stdout, stderr, exitCode} = await run(jobs, ['--chunk-size', '10']);
		expect(exitCode).toBe(0);
		expect(sorted(stdout).map(({result: _, ...job}) => job)).toEqual(jobs);
		expect(linesOf(stdout).every(({result: {code}}) => code === 0)).toBe(true);
		const log = stderr.split('\n').map(line => line.replace(/^\S+Z /, ''));
		expect(log).toContain('total 100 jobs');
		expect(log.filter(line => /^\[\d+\/100\] returned 0 in \d+\.\d{3} s on \S+: sleep 0\.01$/.test(line))).toHaveLength(100);
		expect(log.find(line => line.startsWith('[1/100]'))).toBeDefined();
		expect(log.find(line => line.startsWith('[100/100]'))).toBeDefined();
		expect(stderr).toMatch(/\d+ queue-jobs submitted \(local-\d+-1 to local-\d+-\d+\)/);
		expect(log.at(-2)).toBe('completed');
		expect(workDirs()).toEqual([]);
	});

	test('B3, B13: results come as jobs end, not as they were given', async () => {
		const {stdout} = await run([
			{cmd: 'until test -e quick; do sleep 0.1; done; sleep 2', n: 0},
			{cmd: 'touch quick', n: 1},
		]);
		expect(linesOf(stdout).map(({n}) => n)).toEqual([1, 0]);
	});

	test('Y7, D4: empty and broken lines are reported by number, in the log and in the output, and lose nothing', async () => {
		const {stdout, stderr, exitCode} = await run('\uFEFF{"cmd":"true"}\r\n\n{"cmd": true\n{"cmd":"true"}');
		expect(sorted(stdout).map(({line, result: {index, code, error}}) => [line, index, code, error])).toEqual([
			[undefined, 0, 0, undefined],
			[2, 1, null, 'line 2: it is empty'],
			[3, 2, null, expect.stringMatching(/^line 3: it is no JSON: /)],
			[undefined, 3, 0, undefined],
		]);
		expect(stderr).toContain('line 2 is passed over: it is empty');
		expect(stderr).toContain('line 3 is passed over: it is no JSON');
		expect(exitCode).toBe(1);
	});

	test('jobs begin before the input ends, and their results come', async () => {
		const {child, stdout, ended} = startQmr(['run', ...LOCAL], {cwd});
		child.stdin?.write('{"cmd":"true","n":1}\n');
		await vi.waitFor(() => expect(linesOf(stdout())).toMatchObject([{n: 1, result: {code: 0}}]), {timeout: 60_000});
		child.stdin?.write('{"cmd":"true","n":2}');
		await new Promise(resolve => setImmediate(resolve));
		child.stdin?.end('\n');
		expect((await ended).exitCode).toBe(0);
		expect(linesOf(stdout())).toHaveLength(2);
	});

	test('D10, H7: --limit takes the first ones only, though the input never ends', async () => {
		const {child, ended} = startQmr(['run', ...LOCAL, '--limit', '2'], {cwd});
		child.stdin?.write(toLines([{cmd: 'true'}, {cmd: 'true'}, {cmd: 'touch third'}]));
		const {stdout, exitCode} = await ended;
		expect([exitCode, linesOf(stdout).length, existsSync(join(cwd, 'third'))]).toEqual([0, 2, false]);
	});

	test('D10: a flag wins over the configuration, which is left as it is', async () => {
		const text = JSON.stringify({engine: 'grid-engine', message: 'from the file', keepWorkDir: true});
		writeFileSync(join(cwd, 'qmr.config.json'), text, {mode: 0o600});
		const {exitCode} = await runQmr(['run', ...LOCAL, '--limit', '2'], {
			cwd,
			env: {QMR_CONFIG: undefined},
			stdin: toLines(Array.from({length: 5}, () => ({cmd: 'true'}))),
		});
		expect(exitCode).toBe(0);
		const [name = ''] = workDirs();
		const manifest = JSON.parse(readFileSync(join(cwd, '.qmr', name, 'run.json'), 'utf8'));
		expect(manifest).toMatchObject({engine: 'local', message: 'from the file', configFiles: [join(cwd, 'qmr.config.json')]});
		expect(readdirSync(join(cwd, '.qmr', name)).filter(file => file.endsWith('.tasks'))).toHaveLength(2);
		expect(readFileSync(join(cwd, 'qmr.config.json'), 'utf8')).toBe(text);
	});

	test('what a job says of itself can do nothing to a terminal', async () => {
		const {stderr} = await run([{cmd: 'true # \u001b]0;title\u0007\n# second line'}]);
		expect(stderr).toContain('s on ');
		expect(stderr).not.toMatch(/[\u001b\u0007]/);
		expect(stderr.split('\n').filter(line => line.includes('second line'))).toEqual([expect.stringContaining('returned 0')]);
	});
});

describe('ends before the end', () => {
	test('a log that nobody reads ends nothing', async () => {
		const {child, ended} = startQmr(['run', ...LOCAL, '-o', 'results.jsonl'], {cwd});
		child.stderr?.destroy();
		child.stdin?.end(toLines(Array.from({length: 5}, (_, n) => ({cmd: 'true', n}))));
		expect((await ended).exitCode).toBe(0);
		expect(linesOf(readFileSync(join(cwd, 'results.jsonl'), 'utf8'))).toHaveLength(5);
	});

	test('a reader that has seen enough ends the map: nothing of it runs on', async () => {
		const {child, stdout, ended} = startQmr(['run', ...LOCAL, '--chunk-size', '1'], {cwd});
		child.stdin?.end(toLines([{cmd: 'true'}, ...Array.from({length: 30}, () => ({cmd: `sleep 0.3 # ${cwd}`}))]));
		await vi.waitFor(() => expect(linesOf(stdout())).not.toEqual([]), {timeout: 60_000});
		child.stdout?.destroy();
		const {exitCode, stderr} = await ended;
		expect(exitCode).toBe(1);
		expect(stderr).toContain('the map was ended, its work_dir is kept');
		expect(stderr).not.toMatch(/EPIPE|at .*\.js/);
		expect(processesWith(cwd).filter(pid => pid !== process.pid)).toEqual([]);
		expect(linesOf(readFileSync(join(cwd, '.qmr', workDirs()[0] ?? '', 'log.jsonl'), 'utf8')).length).toBeGreaterThan(0);
	});

	test('B11, B12, Y6: Ctrl-C ends running jobs, too; what is finished is written, nothing is called completed, and --resume computes the rest', async () => {
		const jobs = [
			{cmd: 'echo x >> counted', n: 1},
			{cmd: `test -e go || sleep 100 # ${cwd}`, n: 2},
		];
		const started = startQmr(['run', ...LOCAL, '-o', 'results.jsonl', '--chunk-size', '1'], {cwd});
		started.child.stdin?.end(toLines(jobs));
		await vi.waitFor(() => expect(readFileSync(join(cwd, 'results.jsonl'), 'utf8')).toContain('"n":1'), {timeout: 60_000});
		await vi.waitFor(() => expect(processesWith(`sleep 100 # ${cwd}`)).not.toEqual([]), {timeout: 60_000});
		started.child.kill('SIGINT');
		const {signal, stderr} = await started.ended;
		expect(signal).toBe('SIGINT');
		expect(stderr).not.toContain('completed');
		expect(processesWith(`sleep 100 # ${cwd}`)).toEqual([]);
		expect(linesOf(readFileSync(join(cwd, 'results.jsonl'), 'utf8'))).toMatchObject([{n: 1, result: {code: 0}}]);
		const [, workDir = ''] = /the same command with --resume (\S+) goes on/.exec(stderr) ?? [];
		writeFileSync(join(cwd, 'go'), '');
		const resumed = await run(jobs, ['--resume', workDir]);
		expect(resumed.exitCode).toBe(0);
		expect(sorted(resumed.stdout)).toMatchObject([
			{n: 1, result: {code: 0}},
			{n: 2, result: {code: 0}},
		]);
		expect(readFileSync(join(cwd, 'counted'), 'utf8')).toBe('x\n');
	});
});

describe('B14: the key `host`', () => {
	test('of this machine is fine on the engine local, and any other is an error at once', async () => {
		const {stdout, exitCode} = await run([
			{cmd: 'true', host: [hostname()]},
			{cmd: 'true', host: ['localhost', 'other']},
			{cmd: 'true', host: hostname().toUpperCase()},
			{cmd: 'touch never', host: ['nobody.example']},
			{cmd: 'touch never', host: []},
			{cmd: 'touch never', host: ['a b']},
		]);
		expect(sorted(stdout).map(({result: {code, error}}) => [code, error])).toEqual([
			[0, undefined],
			[0, undefined],
			[0, undefined],
			[null, expect.stringContaining('no host is called nobody.example: the engine local runs everything on')],
			[null, '`host` names none'],
			[null, 'Expected `host` to be a list of names of hosts, got "a b"'],
		]);
		expect([exitCode, existsSync(join(cwd, 'never'))]).toEqual([1, false]);
	});
});

const flagsOf = ({qsubPath, qstatPath, qdelPath}: DummyQueue): string[] => [
	...['--qsub-path', qsubPath, '--qstat-path', qstatPath, '--qdel-path', qdelPath],
];

/** All that a dummy queue has written down. */
const queueText = ({qsubPath}: {readonly qsubPath: string}): string =>
	readdirSync(dirname(qsubPath), {withFileTypes: true})
		.filter(file => file.isFile())
		.map(file => readFileSync(join(dirname(qsubPath), file.name), 'utf8'))
		.join('\n');

describe('B14, Y11: the key `host` on Grid Engine', () => {
	test('puts jobs of equal sets into maps of their own, and what fits nobody is an error of its jobs alone', async () => {
		const queue = initQueueState(join(cwd, 'queue'), {hosts: ['node1', 'node2', 'node3'].map(name => ({name, state: ''}))});
		const flags = [...flagsOf(queue), '--polling-interval-ms', '50', '--keep-work-dir'];
		const jobs = [
			{cmd: 'true', host: ['node3', 'node1']},
			{cmd: 'true'},
			{cmd: 'true', host: ['node1', 'node3']},
			{cmd: 'touch never', host: ['nobody']},
			{cmd: 'true', host: 'node2'},
		];
		const {stdout, exitCode} = await runQmr(['run', ...flags], {cwd, stdin: toLines(jobs)});
		expect(sorted(stdout).map(({result: {code, error}}) => [code, error])).toEqual([
			[0, undefined],
			[0, undefined],
			[0, undefined],
			[null, expect.stringMatching(/refused the queue-job/)],
			[0, undefined],
		]);
		expect([exitCode, existsSync(join(cwd, 'never'))]).toEqual([1, false]);
		const maps = workDirs().map(name => JSON.parse(readFileSync(join(cwd, '.qmr', name, 'run.json'), 'utf8')));
		expect(maps.map(({options: {qsubArgs = []}}) => qsubArgs.join(' ')).sort()).toEqual([
			'',
			'-l h=nobody -w e',
			'-l h=node1|node3 -w e',
			'-l h=node2 -w e',
		]);
	});

	const begin = (jobs: readonly unknown[]): {readonly flags: readonly string[]; readonly stdin: string} => {
		const queue = initQueueState(join(cwd, 'queue'), {hosts: ['node1', 'node2'].map(name => ({name, state: ''}))});
		return {flags: ['run', ...flagsOf(queue), '--polling-interval-ms', '50'], stdin: toLines(jobs)};
	};
	/** What the commands have written, each once for every time that it was run. */
	const ran = (): string[] => readFileSync(join(cwd, 'ran'), 'utf8').trimEnd().split('\n').sort();

	test('--resume with any work_dir of the run goes on with all, and runs none a second time', async () => {
		const {flags, stdin} = begin([
			{cmd: 'echo any >> ran'},
			{cmd: 'echo node1 >> ran', host: 'node1'},
			{cmd: 'exit 3', host: ['node2', 'node1']},
		]);
		const first = await runQmr([...flags, '--keep-work-dir', '--work-dir', 'first'], {cwd, stdin});
		const places = ['first', 'first.node1', 'first.node1+node2'];
		for (const place of places) expect(first.stderr).toContain(`the same command with --resume ${join(cwd, place)} goes on`);
		for (const place of places) {
			const {stdout, exitCode} = await runQmr([...flags, '--keep-work-dir', '--resume', place], {cwd, stdin});
			expect(sorted(stdout).map(({result: {code, error}}) => [code, error])).toEqual([
				[0, undefined],
				[0, undefined],
				[3, undefined],
			]);
			expect([exitCode, ran()]).toEqual([1, ['any', 'node1']]);
		}
	});

	test('--resume begins those that had none before the process died, and runs none a second time', async () => {
		const jobs = ['', 'node1', 'node2', '', 'node1'].map((host, n) => ({cmd: `echo ${n} >> ran`, ...(host === '' ? {} : {host})}));
		const {flags, stdin} = begin(jobs);
		const {child, stdout, ended} = startQmr([...flags, '--work-dir', 'first'], {cwd});
		child.stdin?.write(toLines(jobs.slice(0, 2)));
		await vi.waitFor(() => expect(linesOf(stdout())).toHaveLength(2), {timeout: 60_000});
		child.kill('SIGKILL');
		await ended;
		expect([ran(), existsSync(join(cwd, 'first.node2'))]).toEqual([['0', '1'], false]);
		const resumed = await runQmr([...flags, '--resume', 'first.node1'], {cwd, stdin});
		expect(sorted(resumed.stdout).map(({result: {code}}) => code)).toEqual([0, 0, 0, 0, 0]);
		expect([resumed.exitCode, ran()]).toEqual([0, ['0', '1', '2', '3', '4']]);
		expect(readdirSync(cwd).filter(name => name.startsWith('first'))).toEqual([]);
	});

	test('--resume leaves those whose work_dir is gone, for they may have run, and says so', async () => {
		const {flags, stdin} = begin([{cmd: 'echo any >> ran'}, {cmd: 'echo node1 >> ran', host: 'node1'}]);
		await runQmr([...flags, '--keep-work-dir', '--work-dir', 'first'], {cwd, stdin});
		for (const [removed, named, index] of [
			['first.node1', 'first', 1],
			['first', 'first.node1', 0],
		] as const) {
			renameSync(join(cwd, removed), join(cwd, 'elsewhere'));
			const {stdout, exitCode} = await runQmr([...flags, '--keep-work-dir', '--resume', named], {cwd, stdin});
			expect(sorted(stdout).map(({result: {code}}) => code)).toEqual(index === 0 ? [null, 0] : [0, null]);
			expect(sorted(stdout)[index]?.result.error).toContain(`not run: beside ${join(cwd, named)} there is no work_dir of the jobs`);
			expect([exitCode, ran()]).toEqual([1, ['any', 'node1']]);
			renameSync(join(cwd, 'elsewhere'), join(cwd, removed));
		}
	});

	test('--resume refuses an input without the jobs of a map that is there, and a work_dir that is not where it was, before anything is run', async () => {
		const {flags, stdin} = begin([{cmd: 'echo any >> ran'}, {cmd: 'echo node1 >> ran', host: 'node1'}]);
		await runQmr([...flags, '--keep-work-dir', '--work-dir', 'first'], {cwd, stdin});
		const resume = async (named: string, input: string): Promise<unknown[]> => {
			const {stdout, stderr, exitCode} = await runQmr([...flags, '--resume', named], {cwd, stdin: input});
			expect(stderr).not.toContain('completed');
			return [exitCode, stdout, stderr.split('\n').filter(line => line.startsWith('qmr: '))];
		};
		const lacks = (place: string): string =>
			`qmr: ${join(cwd, place)} has jobs of this run, and the input has none of them. Give the same input as before.`;
		expect((await resume('first', toLines([{cmd: 'echo any >> ran'}]))).filter((_, i) => i !== 1)).toEqual([2, [lacks('first.node1')]]);
		expect(await resume('first.node1', '')).toEqual([
			2,
			'',
			[expect.stringMatching(/^qmr: .* has jobs of this run, and the input has none/)],
		]);
		expect(await resume('nowhere', stdin)).toEqual([2, '', [expect.stringContaining(`There is no directory ${join(cwd, 'nowhere')}`)]]);
		mkdirSync(join(cwd, 'other'));
		renameSync(join(cwd, 'first'), join(cwd, 'other', 'first'));
		expect(await resume('other/first', stdin)).toEqual([2, '', [expect.stringContaining(`was made as ${join(cwd, 'first')}`)]]);
		expect(ran()).toEqual(['any', 'node1']);
	});

	test('--resume finds the maps of its run also beside what can not be read, and names that where one is missing', async () => {
		const {flags, stdin} = begin([{cmd: 'echo any >> ran'}, {cmd: 'echo node1 >> ran', host: 'node1'}]);
		await runQmr([...flags, '--keep-work-dir', '--work-dir', 'first'], {cwd, stdin});
		mkdirSync(join(cwd, 'damaged'));
		writeFileSync(join(cwd, 'damaged', 'run.json'), '{');
		const resume = async (): Promise<unknown[]> => {
			const {stdout} = await runQmr([...flags, '--keep-work-dir', '--resume', 'first'], {cwd, stdin});
			return sorted(stdout).map(({result: {code, error}}) => error ?? code);
		};
		expect(await resume()).toEqual([0, 0]);
		renameSync(join(cwd, 'first.node1'), join(cwd, 'damaged', 'first.node1'));
		const [, error] = await resume();
		expect(error).toContain(`for ${join(cwd, 'damaged', 'run.json')} can't be read`);
		expect(ran()).toEqual(['any', 'node1']);
	});

	test('a set of many hosts has a work_dir, too, and --resume finds it', async () => {
		const {flags, stdin} = begin([
			{cmd: 'echo many >> ran', host: ['node1', ...Array.from({length: 60}, (_, n) => `other${n}`)]},
			{cmd: 'exit 3'},
		]);
		await runQmr([...flags, '--keep-work-dir', '--work-dir', 'first'], {cwd, stdin});
		const place = readdirSync(cwd).find(name => name.startsWith('first.node1+other0+')) ?? '';
		const {stdout} = await runQmr([...flags, '--resume', place], {cwd, stdin});
		expect(sorted(stdout).map(({result: {code}}) => code)).toEqual([0, 3]);
		expect(ran()).toEqual(['many']);
	});

	test('--resume with the work_dir of jobs that were refused runs none of the others a second time', async () => {
		const {flags, stdin} = begin([{cmd: 'echo any >> ran'}, {cmd: 'true', host: 'nobody'}]);
		const {child, stdout: soFar, ended} = startQmr([...flags, '--work-dir', 'first'], {cwd});
		child.stdin?.write(stdin);
		// Refused while there might be more of them.
		await vi.waitFor(() => expect(linesOf(soFar())).toHaveLength(2), {timeout: 60_000});
		child.stdin?.end();
		await ended;
		expect([existsSync(join(cwd, 'first')), existsSync(join(cwd, 'first.nobody'))]).toEqual([false, true]);
		const {stdout} = await runQmr([...flags, '--resume', 'first.nobody'], {cwd, stdin});
		expect(sorted(stdout).map(({result: {error}}) => error)).toEqual([
			expect.stringContaining('not run: beside'),
			expect.stringContaining('refused the queue-job'),
		]);
		expect(ran()).toEqual(['any']);
	});

	test('of no map the work_dir is removed before all of the run have their results', async () => {
		const {flags} = begin([]);
		const {child, stdout, ended} = startQmr([...flags, '--work-dir', 'first'], {cwd});
		child.stdin?.write(toLines([{cmd: 'true', host: 'node1'}]));
		await vi.waitFor(() => expect(linesOf(stdout())).toHaveLength(1), {timeout: 60_000});
		child.stdin?.end(toLines([{cmd: 'touch begun; until test -e go; do sleep 0.1; done; test -d first.node1'}]));
		await vi.waitFor(() => expect(existsSync(join(cwd, 'begun'))).toBe(true), {timeout: 60_000});
		await vi.waitFor(() => expect(readFileSync(join(cwd, 'first.node1', 'log.jsonl'), 'utf8')).toContain('tasks-complete'), {
			timeout: 60_000,
		});
		writeFileSync(join(cwd, 'go'), '');
		expect((await ended).exitCode).toBe(0);
		expect(readdirSync(cwd).filter(name => name.startsWith('first'))).toEqual([]);
	});

	test('of many jobs that fit nobody each is told of, also those that no map has seen', async () => {
		const queue = initQueueState(join(cwd, 'queue'), {hosts: [{name: 'node1', state: ''}]});
		// More than are taken at once, of which the map has begun to take.
		const jobs = Array.from({length: 20_000}, (_, n) => ({cmd: 'touch never', host: 'nobody', n}));
		const {stdout, exitCode} = await runQmr(['run', ...flagsOf(queue), '--chunk-size', '5', '-l', 'run.log'], {cwd, stdin: toLines(jobs)});
		expect(sorted(stdout).map(({n}) => n)).toEqual(jobs.map(({n}) => n));
		expect([exitCode, existsSync(join(cwd, 'never'))]).toEqual([1, false]);
		expect(readFileSync(join(cwd, 'run.log'), 'utf8')).toContain('completed: 0 of 20000 returned 0');
	});
});

test('B16, Y12: --help tells every key, every flag and examples', async () => {
	const {stdout, exitCode} = await runQmr(['run', '--help'], {cwd});
	expect(exitCode).toBe(0);
	for (const word of [
		'cmd ',
		'cd ',
		'out ',
		'err ',
		'host ',
		'--input',
		'--output',
		'--log',
		'--limit',
		'--dry-run',
		'--queue-name',
		'Examples:',
	])
		expect(stdout).toContain(word);
	expect((await runQmr(['--help'], {cwd})).stdout).toMatch(/^ {2}run .*shell commands/m);
});

describe('--dry-run', () => {
	test('of no jobs, and of broken ones, writes nothing', async () => {
		expect(await run('', ['--dry-run', '--json'])).toMatchObject({exitCode: 0, stdout: 'null\n'});
		const broken = await run('{"cmd": "true"}\n{', ['--dry-run']);
		expect([broken.exitCode, broken.stdout, workDirs()]).toEqual([2, '', []]);
		expect(broken.stderr).toContain('Expected every line to be JSON, but of line 2 it is no JSON');
	});

	test('C2: writes the work_dir and says what would be submitted to Grid Engine, of which nothing is', async () => {
		const queue = initQueueState(join(cwd, 'queue'));
		const flags = flagsOf(queue);
		const jobs = toLines(Array.from({length: 5}, () => ({cmd: 'true'})));
		const args = ['run', ...flags, '--qsub-args', '["-A", "a b"]', '--dry-run'];
		const {stdout, stderr, exitCode} = await runQmr(args, {cwd, stdin: jobs});
		expect(exitCode).toBe(0);
		const workDir = stdout.trim();
		expect(readdirSync(workDir)).toEqual(expect.arrayContaining(['run.json', 'launch.sh', '000000004.tasks']));
		const lines = stderr.split('\n');
		const shown = lines.filter(line => line.startsWith('  '));
		expect(shown).toHaveLength(4);
		expect(shown[0]).toContain(`${queue.qsubPath} -terse -N 'q`);
		expect(shown[0]).toContain(" -A 'a b' ");
		expect(shown[0]?.endsWith(`${workDir}/launch.sh 0 1`)).toBe(true);
		expect(shown[3]).toBe('  …');
		expect(stderr).toContain('5 submissions');
		expect(stderr).toContain(`qmr resume ${workDir}`);
		const again = await runQmr([...args, '--json', '--array-jobs', '--limit', '3'], {cwd, stdin: jobs});
		const said = JSON.parse(again.stdout);
		expect(said).toMatchObject({engine: 'grid-engine', numTasks: 3});
		expect(said.calls).toHaveLength(1);
		expect(said.calls[0].join(' ')).toContain('-t 1-3');
		expect(queueText(queue)).not.toContain('launch.sh');
		// What was prepared is begun by whoever goes on with it.
		const resumed = await Pool.resume(workDir, {...queue, pollingIntervalMs: 50});
		expect(await resumed.outcomes()).toMatchObject(Array.from({length: 5}, () => ({status: 'fulfilled', value: {code: 0}})));
		expect(queueText(queue)).toContain('launch.sh');
	});
});
