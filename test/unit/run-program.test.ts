import {existsSync, readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {describe, expect, onTestFinished, test, vi} from 'vitest';
import {runProgram} from '../../src/engines/run-program.js';
import {PoolError} from '../../src/errors.js';
import {makePrograms} from '../helpers/made-programs.js';
import {processesWith} from '../helpers/processes.js';

/** Long enough for any machine: what is to end by itself never gets there. */
const PATIENCE_MS = 30_000;

const within = (timeoutMs: number): Parameters<typeof runProgram>[2] => ({timeoutMs, environment: process.env});

const run = (lines: string, args: readonly string[] = [], timeoutMs = PATIENCE_MS): ReturnType<typeof runProgram> =>
	runProgram(makePrograms({program: lines}).paths.program, args, within(timeoutMs));

const isAlive = (pid: number): boolean => {
	try {
		// A zombie still takes signals: nobody may have waited for it yet.
		return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
};

const untilGone = async (pid: number): Promise<void> => {
	while (isAlive(pid)) await sleep(10);
};

describe('a program', () => {
	test('X18: gets its arguments as they are and nothing on stdin; what it printed is told whole', async () => {
		const result = await run('printf "<%s>" "$@"; cat; echo out; echo err >&2', ['a b', "'$HOME'", '', '*']);
		expect(result).toEqual({ending: 'exited', exitCode: 0, stdout: "<a b><'$HOME'><><*>out\n", stderr: 'err\n'});
	});

	test('speaks English, whatever the user speaks', async () => {
		expect((await run('echo "$LC_ALL/$LANGUAGE/$PATH"')).stdout).toBe(`C//${process.env.PATH}\n`);
	});

	test('gets no variable beside those that it is given, if that is wanted', async () => {
		const {paths} = makePrograms({program: 'echo "${LC_ALL-none}/${LANGUAGE-none}/$A"'});
		const result = await runProgram(paths.program, [], {timeoutMs: PATIENCE_MS, environment: {A: 'b'}, isEnvironmentExact: true});
		expect(result.stdout).toBe('none/none/b\n');
	});

	test('is ended with its children as soon as it says what it was not to say', async () => {
		const {paths} = makePrograms({program: 'sleep 600 & echo $!; printf "try" >&2; echo " again" >&2; sleep 600'});
		const result = await runProgram(paths.program, [], {...within(PATIENCE_MS), giveUpAt: /try again/});
		expect(result).toMatchObject({ending: 'given-up', exitCode: undefined, stderr: expect.stringContaining('try again')});
		await untilGone(Number(result.stdout));
	});

	test('is started where the caller is, and when that directory is gone all the same', async () => {
		const {directory, paths} = makePrograms({program: 'pwd'});
		const cwd = vi.spyOn(process, 'cwd').mockReturnValue(directory);
		onTestFinished(() => cwd.mockRestore());
		expect((await runProgram(paths.program, [], within(PATIENCE_MS))).stdout).toBe(`${directory}\n`);
		cwd.mockReturnValue(`${directory}/gone`);
		expect((await runProgram(paths.program, [], within(PATIENCE_MS))).stdout).toBe('/\n');
	});

	test('may fail', async () => {
		expect(await run('echo no >&2; exit 25')).toEqual({ending: 'exited', exitCode: 25, stdout: '', stderr: 'no\n'});
	});

	test.each(['KILL', 'TERM', 'SEGV'])('may be killed by SIG%s', async signal => {
		expect(await run(`echo before; kill -${signal} $$`)).toEqual({ending: 'killed', exitCode: undefined, stdout: 'before\n', stderr: ''});
	});

	test('may print much', async () => {
		const {stdout, stderr} = await run('head -c 20000000 /dev/zero | tr "\\0" x; head -c 200000 /dev/zero | tr "\\0" y >&2');
		expect([stdout.length, stderr.length]).toEqual([20_000_000, 200_000]);
		expect(/^x*$/.test(stdout)).toBe(true);
	});

	test('leads a process group of its own, so that Ctrl-C at the terminal does not reach it', async () => {
		const {stdout} = await run('echo $$; cut -d" " -f5 /proc/$$/stat');
		const [pid, group] = stdout.trim().split('\n');
		expect(group).toBe(pid);
	});
});

describe('Q30: a program that takes too long', () => {
	test('is killed with all its children', async () => {
		const {directory, paths} = makePrograms({program: 'sleep 120 &\necho $! > "$0.pid"\necho begun\nwait'});
		const result = await runProgram(paths.program, [], within(5000));
		expect(result).toMatchObject({ending: 'timed-out', exitCode: undefined});
		await untilGone(Number(readFileSync(`${directory}/program.pid`, 'utf8')));
	});

	test('is not waited for when a child of it left its group and holds its pipes', async () => {
		const {directory, paths} = makePrograms({program: 'setsid sh -c \'echo $$ > "$0.pid"; exec sleep 120\' "$0" &\nexec sleep 120'});
		expect((await runProgram(paths.program, [], within(3000))).ending).toBe('timed-out');
		if (existsSync(`${directory}/program.pid`)) process.kill(Number(readFileSync(`${directory}/program.pid`, 'utf8')), 'SIGKILL');
	});
});

test('the answer of a program counts that came in time, though this process stood still for longer than that', async () => {
	const {directory, paths} = makePrograms({program: 'sleep 0.5; echo answer; mv "$0" "$0.over"'});
	const running = runProgram(paths.program, [], within(5000));
	await vi.waitUntil(() => processesWith(paths.program).length > 0, {timeout: 90_000, interval: 10});
	standStill(() => existsSync(`${directory}/program.over`) && processesWith(paths.program).every(pid => !isAlive(pid)), 5500);
	expect(await running).toEqual({ending: 'exited', exitCode: 0, stdout: 'answer\n', stderr: ''});
});

/** Nothing else happens in this process until this is so, and so many milliseconds have gone by. */
const standStill = (isSo: () => boolean, leastMs: number): void => {
	const untilMs = performance.now() + leastMs;
	while (!isSo() || performance.now() < untilMs) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
};

test('what a program leaves running is not waited for, and does not belong to it', async () => {
	const {stdout, ...result} = await run('setsid sleep 120 &\necho $!; echo err >&2; exit 3');
	expect(result).toEqual({ending: 'exited', exitCode: 3, stderr: 'err\n'});
	const pid = Number(stdout);
	expect(isAlive(pid)).toBe(true);
	process.kill(pid, 'SIGKILL');
});

describe('what can’t be executed is a PoolError that names it', () => {
	test.each([
		['a missing program', '/nonexistent/qsub'],
		['a directory', '/tmp'],
		['a path below a file', '/etc/passwd/qsub'],
		['a file without the right to be executed', '/etc/passwd'],
	])('%s', async (_, path) => {
		const error = await runProgram(path, [], within(PATIENCE_MS)).catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(PoolError);
		expect(error).toMatchObject({
			code: 'ERR_POOL_PROGRAM_MISSING',
			message: expect.stringContaining(`The program ${path} can't be executed`),
		});
	});

	test('a script whose interpreter is missing', async () => {
		await expect(run('#!/nonexistent/sh\n')).rejects.toMatchObject({code: 'ERR_POOL_PROGRAM_MISSING'});
	});

	test('arguments that no program can take', async () => {
		await expect(run('exit 0', ['x'.repeat(3_000_000)])).rejects.toMatchObject({
			code: 'ERR_POOL_PROGRAM_MISSING',
			message: expect.stringContaining('E2BIG'),
		});
	});
});
