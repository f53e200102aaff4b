/** Shell commands as tasks of a map, on every engine. */
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {type CommandJob, type CommandResult, Pool, type PoolOptions, runCommand} from 'queue-map-reduce';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {flagOf} from '../../src/cli/pool-flags.js';
import {createTestDirectory, ENGINES, keptWorkDirs, poolOptions} from '../helpers/engines.js';
import {processesWith} from '../helpers/processes.js';
import {runQmr, startQmr} from '../helpers/qmr.js';

let directory: ReturnType<typeof createTestDirectory>;
beforeEach(() => {
	directory = createTestDirectory();
	vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
	vi.restoreAllMocks();
	directory.remove();
});

describe.each(ENGINES)('on %s', engine => {
	let options: PoolOptions;
	beforeEach(() => {
		options = poolOptions(engine, directory.path);
	});

	test('B5, B6, Y1, Y2, D2: commands are tasks, each in its own directory and with its own files, and none breaks the others', async () => {
		const other = join(directory.path, 'other');
		mkdirSync(other);
		const jobs = [
			{cmd: 'pwd', cd: other, out: 'a.txt', tag: 7},
			{cmd: 'true | false | true'},
			{cmd: 'kill -9 $$'},
			{cmd: 'true', cd: '/nowhere'},
			{tag: 1} as unknown as CommandJob,
			{cmd: 'test ! -e a.txt && test ! -t 0'},
		];
		const results = await new Pool(options).map(runCommand, jobs, {numChunks: 1});
		expect(results.map(({code, signal, error}) => [code, signal, error])).toEqual([
			[0, null, undefined],
			[1, null, undefined],
			[null, 'SIGKILL', undefined],
			[null, null, '`cd`: there is no directory /nowhere'],
			[null, null, 'The job has no `cmd`, the command to run'],
			[0, null, undefined],
		]);
		expect(readFileSync(join(other, 'a.txt'), 'utf8')).toBe(`${other}\n`);
		for (const {started, completed, elapsed, host} of results) {
			expect(Date.parse(completed)).toBeGreaterThanOrEqual(Date.parse(started));
			expect([elapsed >= 0, host !== '']).toEqual([true, true]);
		}
	});

	test('output without a file is that of its task', async () => {
		const run = await new Pool({...options, keepWorkDir: true}).submit(runCommand, [{cmd: 'echo one; echo two >&2'}, {cmd: 'echo three'}], {
			numChunks: 1,
		});
		await run.results();
		const {readWorkDir} = await import('queue-map-reduce');
		const {tasks} = await readWorkDir(run.workDir);
		expect(tasks.map(({stdout, stderr}) => [stdout, stderr])).toEqual([
			['one\n', 'two\n'],
			['three\n', ''],
		]);
	});

	test('B1, B4, B9, Y4, Y5: several maps run at once, each tells how far it is, and one is ended without the other', async () => {
		// Slots for all of both, in whatever order they come.
		const pool = new Pool({...options, handleSignals: false, ...(engine === 'local' ? {slots: 20} : {})});
		const [first, second] = await Promise.all([
			pool.submit(runCommand, [{cmd: 'exit 1'}, {cmd: 'exit 2'}]),
			pool.submit(
				runCommand,
				Array.from({length: 16}, () => ({cmd: 'sleep 300'})),
				// A call of the dummy queue's qstat lasts as long as the queue-job that it runs: there they wait.
				engine === 'dummy' ? {qsubArgs: ['-h']} : {},
			),
		]);
		const codes: (number | null)[] = [];
		for await (const outcome of first) if (outcome.status === 'fulfilled') codes[outcome.itask] = outcome.value.code;
		expect(codes).toEqual([1, 2]);
		expect(first.status()).toMatchObject({
			isOver: true,
			total: 2,
			done: 2,
			failed: 0,
			running: 0,
			pending: 0,
			rate: expect.any(Number),
			remainingMs: 0,
		});
		await second.cancel(new Error('not wanted'));
		await expect(second.results()).rejects.toThrow('not wanted');
		expect(second.status()).toMatchObject({isOver: true, total: 16});
	});

	// A call of the dummy queue's qstat lasts as long as the queue-job that it runs: there is nothing to be cancelled.
	test.skipIf(engine === 'dummy')('B12: a map that is cancelled ends its commands, with all that they have started', async () => {
		const marker = join(directory.path, 'marker');
		const run = await new Pool(options).submit(runCommand, [
			{cmd: `touch ${marker}; sh -c 'sleep 300 # ${marker}; true' & sleep 300; true # ${marker}`},
		]);
		await vi.waitFor(() => expect(readdirSync(directory.path)).toContain('marker'), {timeout: 60_000, interval: 200});
		await run.cancel();
		await vi.waitFor(() => expect(processesWith(marker)).toEqual([]), {timeout: 60_000, interval: 200});
	});
});

describe.each(ENGINES)('qmr run on %s', engine => {
	test.each([false, true])('C2: --dry-run submits nothing, and who goes on with it does (arrays: %s)', async arrayJobs => {
		const options = {...poolOptions(engine, directory.path), arrayJobs};
		const {arrayJobs: _, ...others} = options;
		const flags = Object.entries(others).flatMap(([name, value]) => [flagOf(name), String(value)]);
		const args = ['run', ...flags, ...(arrayJobs ? ['--array-jobs'] : []), '--dry-run', '--json'];
		const {stdout} = await runQmr(args, {cwd: directory.path, stdin: '{"cmd":"true"}\n{"cmd":"exit 3"}\n'});
		const {workDir, calls} = JSON.parse(stdout) as {readonly workDir: string; readonly calls: readonly (readonly string[])[]};
		expect(calls).toHaveLength(arrayJobs && engine !== 'local' ? 1 : 2);
		for (const [program = '', ...words] of calls) {
			expect(existsSync(program)).toBe(true);
			expect(words).toContain(`${workDir}/launch.sh`);
		}
		const before = readFileSync(join(workDir, 'log.jsonl'), 'utf8');
		expect(before).not.toContain('submitting');
		const run = await Pool.resume<CommandResult>(workDir, options);
		expect((await run.results()).map(({code}) => code)).toEqual([0, 3]);
	});

	test('B3: a line that comes late has its result before the next one comes, though its chunk is not full', async () => {
		const flags = Object.entries(poolOptions(engine, directory.path)).flatMap(([name, value]) => [flagOf(name), String(value)]);
		const {child, stdout, ended} = startQmr(['run', ...flags, '--chunk-size', '3'], {cwd: directory.path});
		const numLines = (): number => stdout().split('\n').length - 1;
		for (let n = 0; n < 3; n++) {
			child.stdin?.write(`{"cmd":"exit ${n}"}\n`);
			await vi.waitFor(() => expect(numLines()).toBe(n + 1), {timeout: 120_000, interval: 100});
		}
		child.stdin?.end();
		await ended;
		const results = stdout()
			.trimEnd()
			.split('\n')
			.map(line => (JSON.parse(line) as {readonly result: CommandResult & {readonly itask: number}}).result);
		expect(results.map(({code, itask}) => [code, itask])).toEqual([
			[0, 0],
			[1, 1],
			[2, 2],
		]);
	});

	test('B14, Y11: runs a job on its hosts, and one that nobody is to run is an error at once', async () => {
		const flags = Object.entries(poolOptions(engine, directory.path)).flatMap(([name, value]) => [flagOf(name), String(value)]);
		const run = async (...jobs: readonly CommandJob[]) => {
			const stdin = jobs.map(job => `${JSON.stringify(job)}\n`).join('');
			const {stdout} = await runQmr(['run', ...flags], {cwd: directory.path, stdin});
			const lines = stdout.trim().split('\n');
			const results = lines.map(line => (JSON.parse(line) as {readonly result: CommandResult & {readonly index: number}}).result);
			return results.sort((a, b) => a.index - b.index);
		};
		const [{host = ''} = {}] = await run({cmd: 'true'});
		expect(host).not.toBe('');
		const results = await run({cmd: 'true', host: [host, 'nobody']}, {cmd: 'true', host: 'nobody'}, {cmd: 'true'});
		expect(results.map(({code, error}) => [code, error])).toEqual([
			[0, undefined],
			[null, expect.stringMatching(/nobody|no suitable queues/)],
			[0, undefined],
		]);
		expect(results[0]?.host).toBe(host);
	});
});

describe('a command whose task was ended', () => {
	test('by taskLimitMs is killed with all that it has started, and the next one runs', async () => {
		const marker = join(directory.path, 'marker');
		const jobs = [
			{cmd: `sh -c 'sleep 300 # ${marker}; true' | cat; true # ${marker}`},
			{cmd: 'sleep 0.2'},
			// What was killed is gone when the machine has come to it.
			{cmd: `while pgrep -f '[s]leep 300 # ${marker}'; do sleep 0.1; done`},
		];
		const outcomes = await new Pool({engine: 'local', workRoot: join(directory.path, 'work'), pollingIntervalMs: 100}).mapSettled(
			runCommand,
			jobs,
			{
				numChunks: 1,
				// Time enough for the second one on a busy machine.
				taskLimitMs: 6000,
			},
		);
		expect(outcomes).toMatchObject([
			{status: 'rejected', reason: {kind: 'task-limit'}},
			{status: 'fulfilled', value: {code: 0}},
			// Nothing of the first one is left.
			{status: 'fulfilled', value: {code: 0}},
		]);
		expect(processesWith(marker)).toEqual([]);
		expect(keptWorkDirs(join(directory.path, 'work'))).toHaveLength(1);
	});

	const INDEX = fileURLToPath(new URL('../../dist/src/index.js', import.meta.url));

	test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
		'as its process is ended by %s is killed with all that it has started',
		async signal => {
			const marker = join(directory.path, 'marker');
			const program = join(directory.path, 'program.mjs');
			writeFileSync(
				program,
				`import {runCommand} from ${JSON.stringify(INDEX)};\nawait runCommand({cmd: ${JSON.stringify(`sleep 300 | sh -c 'sleep 300 # ${marker}; true'`)}});\n`,
			);
			const child = spawn(process.execPath, [program], {stdio: 'ignore'});
			const ended = new Promise(resolve => child.once('exit', (_, by) => resolve(by)));
			await vi.waitFor(() => expect(processesWith(`sleep 300 # ${marker}`)).not.toEqual([]), {timeout: 60_000, interval: 100});
			child.kill(signal);
			expect(await ended).toBe(signal);
			await vi.waitFor(() => expect(processesWith(marker)).toEqual([]), {timeout: 60_000, interval: 100});
		},
	);

	test('by a signal that comes while it is being started is killed, too', async () => {
		const marker = join(directory.path, 'marker');
		const program = join(directory.path, 'program.mjs');
		// The command has begun, and the call that starts it has not returned.
		writeFileSync(
			program,
			`import childProcess from 'node:child_process';
import {existsSync} from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
import {runCommand} from ${JSON.stringify(INDEX)};
const {spawn} = childProcess;
childProcess.spawn = (...words) => {
	const child = spawn(...words);
	while (!existsSync(${JSON.stringify(marker)}));
	process.kill(process.pid, 'SIGTERM');
	return child;
};
syncBuiltinESMExports();
await runCommand({cmd: ${JSON.stringify(`touch ${marker}; sleep 300; true # ${marker}`)}});
`,
		);
		const child = spawn(process.execPath, [program], {stdio: 'ignore'});
		const by = await new Promise(resolve => child.once('exit', (_, signal) => resolve(signal)));
		expect(by).toBe('SIGTERM');
		await vi.waitFor(() => expect(processesWith(marker)).toEqual([]), {timeout: 60_000, interval: 100});
	});

	test('as its process exits is killed, too', async () => {
		const marker = join(directory.path, 'marker');
		const program = join(directory.path, 'program.mjs');
		writeFileSync(
			program,
			`import {runCommand} from ${JSON.stringify(INDEX)};\nrunCommand({cmd: ${JSON.stringify(`echo; sleep 300; true # ${marker}`)}});\nprocess.stdin.once('data', () => process.exit(3));\n`,
		);
		const child = spawn(process.execPath, [program], {stdio: ['pipe', 'ignore', 'ignore']});
		const ended = new Promise(resolve => child.once('exit', resolve));
		await vi.waitFor(() => expect(processesWith(`sleep 300; true # ${marker}`)).not.toEqual([]), {timeout: 60_000, interval: 100});
		child.stdin.write('\n');
		expect(await ended).toBe(3);
		await vi.waitFor(() => expect(processesWith(marker)).toEqual([]), {timeout: 60_000, interval: 100});
	});
});
