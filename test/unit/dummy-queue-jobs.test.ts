import {existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync} from 'node:fs';
import {userInfo} from 'node:os';
import path from 'node:path';
import {type DummyQueue, readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {call, makeDummyQueue, makeTemporaryDirectory, pollStates, submit} from '../helpers/dummy-queue.js';

type Ran = {queue: DummyQueue; stdout: string; stderr: string; directory: string};

/** Submits a script with its output in a directory of its own, starts and executes it. */
const runScript = async (
	text: string,
	words: readonly string[] = [],
	options: Parameters<typeof makeDummyQueue>[0] = {},
	scriptArguments: readonly string[] = [],
): Promise<Ran> => {
	const queue = makeDummyQueue(options);
	const directory = makeTemporaryDirectory();
	writeFileSync(path.join(directory, 'work.sh'), text);
	const all = ['-o', 'out', '-e', 'err', '-wd', directory, ...words, path.join(directory, 'work.sh'), ...scriptArguments];
	expect(await call(queue.qsubPath, all, {env: {...process.env, SECRET: 'x'}})).toMatchObject({stderr: '', exitCode: 0});
	await pollStates(queue);
	await pollStates(queue);
	const read = (name: string): string => (existsSync(path.join(directory, name)) ? readFileSync(path.join(directory, name), 'utf8') : '');
	return {queue, directory, stdout: read('out'), stderr: read('err')};
};

describe('a queue-job runs as in Grid Engine:', () => {
	test('the copy, not the script, with its arguments', async () => {
		const {queue, stdout} = await runScript('echo "$0|$1|$2|$#"', [], {}, ['a', 'b  c']);
		expect(stdout).toBe(`${path.join(queue.directory, 'spool/job_scripts/1')}|a|b  c|2\n`);
	});

	test('in a small environment of its own', async () => {
		const {queue, directory, stdout} = await runScript('env | sort', ['-N', 'name', '-q', 'long.q', '-v', 'GIVEN=1']);
		const lines = Object.fromEntries(
			stdout
				.trim()
				.split('\n')
				.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
		);
		const {username, homedir} = userInfo();
		expect(lines).toMatchObject({
			...{PATH: '/usr/local/bin:/bin:/usr/bin', HOME: homedir, USER: username, LOGNAME: username, GIVEN: '1', ENVIRONMENT: 'BATCH'},
			...{JOB_ID: '1', JOB_NAME: 'name', QUEUE: 'long.q', NSLOTS: '1', RESTARTED: '0', SGE_TASK_ID: 'undefined', PWD: directory},
			...{SGE_STDOUT_PATH: path.join(directory, 'out'), SGE_STDERR_PATH: path.join(directory, 'err'), SGE_STDIN_PATH: '/dev/null'},
			TMPDIR: path.join(queue.directory, 'tmp/1.1.long.q'),
			JOB_SCRIPT: path.join(queue.directory, 'spool/job_scripts/1'),
		});
		expect(Object.keys(lines)).not.toContain('SECRET');
		expect(lines).not.toHaveProperty('DUMMY_QUEUE_NODE_OPTIONS');
	});

	test('with a scratch directory that is gone afterwards', async () => {
		const {queue, stdout} = await runScript('touch "$TMPDIR/a" && ls "$TMPDIR" && ls -d "$SGE_JOB_SPOOL_DIR" >/dev/null');
		expect(stdout).toBe('a\n');
		expect(readdirSync(path.join(queue.directory, 'tmp'))).toEqual([]);
	});

	test('with nothing to read, umask 022 and a process group of its own', async () => {
		const {stdout, directory} = await runScript('umask; cat; cut -d" " -f5 </proc/$$/stat; echo $$', ['-j', 'y']);
		const [umask, group, pid] = stdout.trim().split('\n');
		expect([umask, group]).toEqual(['0022', pid]);
		expect(statSync(path.join(directory, 'out')).mode & 0o777).toBe(0o644);
	});

	test('in the home directory, or in the caller’s with -cwd', async () => {
		const directory = makeTemporaryDirectory();
		const queue = makeDummyQueue();
		await call(queue.qsubPath, ['-o', `${directory}/$JOB_ID.$JOB_NAME`, '-e', '/dev/null', '-b', 'y', 'pwd'], {cwd: directory});
		await call(queue.qsubPath, ['-cwd', '-e', '/dev/null', '-b', 'y', 'pwd'], {cwd: directory});
		for (let polls = 0; polls < 4; polls += 1) {
			await pollStates(queue);
		}

		expect(readFileSync(path.join(directory, '1.pwd'), 'utf8')).toBe(`${userInfo().homedir}\n`);
		expect(readFileSync(path.join(directory, 'pwd.o2'), 'utf8')).toBe(`${directory}\n`);
	});

	test('appending to its output, or to one file with -j y', async () => {
		const {queue, directory} = await runScript('echo out; echo err >&2', ['-N', 'x']);
		await call(queue.qsubPath, ['-o', 'out', '-j', 'y', '-wd', directory, path.join(directory, 'work.sh')]);
		await pollStates(queue);
		await pollStates(queue);
		expect(readFileSync(path.join(directory, 'out'), 'utf8')).toBe('out\nout\nerr\n');
		expect(readFileSync(path.join(directory, 'err'), 'utf8')).toBe('err\n');
	});

	test('into files named after it in a directory given with -o, and :path means this host', async () => {
		const queue = makeDummyQueue();
		const directory = makeTemporaryDirectory();
		mkdirSync(path.join(directory, 'logs'));
		await submit(queue, 'x', '-o', path.join(directory, 'logs'), '-e', `:${path.join(directory, 'a:b')}`, '-b', 'y', 'echo', 'hi');
		await pollStates(queue);
		await pollStates(queue);
		expect(readFileSync(path.join(directory, 'logs/x.o1'), 'utf8')).toBe('hi\n');
		expect(existsSync(path.join(directory, 'a:b'))).toBe(true);
	});

	test('as a command line with -b y, as a program with -shell n', async () => {
		const directory = makeTemporaryDirectory();
		const queue = makeDummyQueue();
		await submit(queue, 'a', '-o', `${directory}/a`, '-b', 'y', 'echo', 'a  b', '$JOB_ID');
		await submit(queue, 'b', '-o', `${directory}/b`, '-b', 'y', '-shell', 'n', 'echo', 'a  b', '$JOB_ID');
		for (let polls = 0; polls < 4; polls += 1) {
			await pollStates(queue);
		}

		expect(readFileSync(path.join(directory, 'a'), 'utf8')).toBe('a b 1\n');
		expect(readFileSync(path.join(directory, 'b'), 'utf8')).toBe('a  b $JOB_ID\n');
	});

	test.each([
		['posix_compliant', '#!/bin/cat\necho "$BASH_VERSION|$0|$1"', /^\d.*\|.*job_scripts\/1\|arg\n$/],
		['unix_behavior', '#!/bin/cat\nhello', /^#!\/bin\/cat\nhello$/],
		['unix_behavior', 'echo "${BASH_VERSION-none}|$0|$1"', /\|.*job_scripts\/1\|arg\n$/],
		['script_from_stdin', 'echo "$BASH_VERSION|$0|$1"', /^\d.*\|bash\|arg\n$/],
	] as const)('in a queue of the kind %s', async (shellStartMode, text, expected) => {
		const {directory, stdout} = await runScript(
			text,
			['-S', '/bin/bash'],
			{shellStartMode},
			shellStartMode === 'unix_behavior' && text.startsWith('#!') ? [] : ['arg'],
		);
		expect(stdout).toMatch(expected);
		expect(readFileSync(path.join(directory, 'err'), 'utf8')).toBe('');
	});

	test('in a login shell where the queue wants it', async () => {
		expect((await runScript('cat /proc/$$/cmdline | tr "\\0" " "', [], {loginShells: true})).stdout).toMatch(/^-sh /);
		expect((await runScript('cat /proc/$$/cmdline | tr "\\0" " "')).stdout).toMatch(/^sh /);
	});

	test('and may call qsub itself', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'outer', '-b', 'y', `'${queue.qsubPath}' -N inner -b y true`);
		await pollStates(queue);
		expect(await pollStates(queue)).toEqual({inner: 'qw'});
	});
});

describe('a queue-job gets into an error state', () => {
	test.each([
		['its directory is missing', ['-wd', '/nonexistent'], "error: can't chdir to /nonexistent: No such file or directory", 28],
		['its directory is none', ['-wd', '/dev/null'], "error: can't chdir to /dev/null: Not a directory", 28],
		['its shell is missing', ['-S', '/nonexistent/sh'], 'unable to find shell "/nonexistent/sh"', 27],
		[
			'its output cannot be opened',
			['-o', '/nonexistent/x'],
			'error: can\'t open output file "/nonexistent/x": No such file or directory',
			26,
		],
	])('when %s', async (_, words, reason, failed) => {
		const queue = makeDummyQueue();
		await submit(queue, 'broken', ...words, '-b', 'y', 'true');
		expect(await pollStates(queue)).toEqual({broken: 'Eqw'});
		expect(await pollStates(queue)).toEqual({broken: 'Eqw'});
		expect((await call(queue.qstatPath, ['-j', '1'])).stdout).toContain(`]: ${reason}\n`);
		expect(readQueueState(queue.directory).ended).toMatchObject([{failed, exitStatus: 0}]);
		expect((await call(queue.qacctPath, ['-j', '1'])).stdout).toContain('start_time   -/-\n');
	});

	test('when its directory goes away after it was started', async () => {
		const queue = makeDummyQueue();
		const directory = path.join(makeTemporaryDirectory(), 'gone');
		mkdirSync(directory);
		await submit(queue, 'late', '-wd', directory, '-b', 'y', 'true');
		expect(await pollStates(queue)).toEqual({late: 'r'});
		rmdirSync(directory);
		expect(await pollStates(queue)).toEqual({late: 'Eqw'});
	});

	test('when its program is missing', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'x', '-b', 'y', '-shell', 'n', '/nonexistent/program');
		await pollStates(queue);
		expect(await pollStates(queue)).toEqual({x: 'Eqw'});
		expect(readQueueState(queue.directory).jobs[0]?.errorReason?.reason).toContain('ENOENT');
	});

	test('when it exits with 100', async () => {
		const {queue} = await runScript('exit 100');
		expect(readQueueState(queue.directory).jobs).toMatchObject([{state: 'Eqw', errorReason: {reason: 'exit_status of job start = 100'}}]);
		expect((await call(queue.qacctPath, ['-j', '1'])).stdout).toContain(
			'failed       30  : application error returned\nexit_status  100\n',
		);
	});
});

describe('a queue-job', () => {
	test('that exits with 99 is queued again and told so', async () => {
		const {queue, directory} = await runScript('echo $RESTARTED; exit $((99 * !RESTARTED))');
		expect(await pollStates(queue)).toEqual({'work.sh': 'Rr'});
		expect(await pollStates(queue)).toEqual({});
		expect(readFileSync(path.join(directory, 'out'), 'utf8')).toBe('0\n1\n');
		expect(readQueueState(queue.directory).ended).toMatchObject([
			{failed: 25, exitStatus: 99},
			{failed: 0, exitStatus: 0},
		]);
	});

	test('that is killed simply vanishes; the accounting knows', async () => {
		const {queue} = await runScript('kill -9 $$');
		expect(readQueueState(queue.directory).jobs).toEqual([]);
		const {stdout} = await call(queue.qacctPath, ['-j', '1']);
		expect(stdout).toContain('failed       100 : assumedly after job\nexit_status  137                  (Killed)\n');
	});

	test('that fails leaves the queue like any other', async () => {
		const {queue} = await runScript('exit 3');
		expect(readQueueState(queue.directory)).toMatchObject({jobs: [], ended: [{failed: 0, exitStatus: 3}]});
	});

	test('waits while it is held, and for those it depends on', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'first', '-h', '-b', 'y', 'true');
		await submit(queue, 'second', '-hold_jid', 'first,999', '-b', 'y', 'true');
		expect(await pollStates(queue)).toEqual({first: 'hqw', second: 'hqw'});
		updateQueueState(queue.directory, state => {
			state.jobs[0]!.userHold = false;
		});
		expect(await pollStates(queue)).toEqual({first: 'r', second: 'hqw'});
		expect(await pollStates(queue)).toEqual({second: 'hqw'});
		expect(await pollStates(queue)).toEqual({second: 'r'});
	});
});
