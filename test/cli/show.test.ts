import {appendFileSync, existsSync, readdirSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {readQueueState} from 'queue-map-reduce/dummy-queue';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {type LookedAt, makeEndedMap, submitMap} from '../helpers/looked-at-map.js';
import {until} from '../helpers/mapping-programs.js';
import {runQmr} from '../helpers/qmr.js';

const SOURCE = `export const fn = ({alpha, text}) => {
	console.log('computing', alpha, '\\x1b]0;title\\x07');
	if (alpha === 1) {
		console.error('\\x1b[31mred\\x1b[0m stderr');
		throw new RangeError('too large', {cause: Object.assign(new TypeError('inner'), {code: 'E_INNER', path: '/data'})});
	}
	if (alpha === 2) process.exit(3);
	if (alpha === 3) return text;
	return {energy: 3n, spectrum: new Float64Array([1, 2]), nothing: undefined, when: new Date(0)};
};`;

describe('of a map that has ended', () => {
	let map: LookedAt;
	beforeAll(async () => {
		const tasks = Array.from({length: 6}, (_, alpha) => ({alpha, text: `line\n\x1b[2Jline ${alpha}\n`}));
		map = await makeEndedMap({source: SOURCE, tasks, options: {numChunks: 3, message: 'a note', tags: ['x'], seed: 7}});
	});
	afterAll(() => map.remove());
	const show = (...args: readonly string[]) => runQmr(['show', map.workDir, ...args], {cwd: map.directory});
	const words = async (...args: readonly string[]): Promise<string> => {
		const {stdout, stderr, exitCode} = await show(...args);
		expect([exitCode, stderr]).toEqual([0, '']);
		expect(stdout).not.toContain('\x1b');
		return stdout;
	};

	test('C10, Q23: a failed task is told of in full: why, with every cause, input, output, attempts, files, and how to compute it again', async () => {
		const text = await words('1');
		expect(text).toMatch(/^task 1 of 6: failed, in chunk 0 \(tasks 0 to 1\)$/m);
		expect(text).toMatch(/^ {2}RangeError: too large \(exception\)$/m);
		expect(text).toMatch(/^ {2}attempt 1, queue-job local-\S+, on \S+, begun \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, took [\d.]+ m?s$/m);
		expect(text).toContain("input\n  { alpha: 1, text: 'line\\n\\x1B[2Jline 1\\n' }\n");
		expect(text).toMatch(
			/^thrown\n {2}RangeError: too large\n {6}at fn \(.*fn\.mjs:5:9\)\n {4}caused by TypeError: inner\n {8}at fn .*\n {6}\(code: E_INNER, path: \/data\)$/m,
		);
		expect(text).toContain('stdout\n  computing 1 \\x1b]0;title\\x07\n');
		expect(text).toContain('stderr\n  \\x1b[31mred\\x1b[0m stderr\n');
		expect(text).toMatch(/^ {2}ATTEMPT +JOB +HOST +SUBMITTED +BEGAN +ENDED +MEMORY +LAST +WHY\n +1 +local-\S+ .* \d+ MiB +result$/m);
		expect(text).toMatch(/^ {2}\S+ \S+ {2}submitted as the queue-job local-\S+$/m);
		expect(text).toMatch(/^ {2}\S+ \S+ {2}the result is there, with 1 failed task$/m);
		expect(text).toMatch(/^ {2}\/.*\/run\/000000000\.1\.out {2}\d+ bytes$/m);
		expect(text).toContain(`qmr rerun ${map.workDir} 1 --local`);
	});

	test('what to do about it is said in the words of the README', async () => {
		expect(await words('2')).toContain('  called process.exit(3) (exit)\n');
		expect(await words('2')).toContain('  Return or throw; a task must not end the process.\n');
	});

	test('C10: a task that is done shows its result', async () => {
		const text = await words('4');
		expect(text).toMatch(/^task 4 of 6: done, in chunk 2/m);
		expect(text).toMatch(
			/^result\n {2}\{\n? *energy: 3n,\s+spectrum: Float64Array\(2\) \[ 1, 2 \],\s+nothing: undefined,\s+when: 1970-01-01T00:00:00\.000Z/m,
		);
	});

	test.each([
		['--input', '1', '{\n\t"alpha": 1,\n\t"text": "line\\n\\u001b[2Jline 1\\n"\n}\n'],
		['--result', '3', 'line\n\x1b[2Jline 3\n'],
		['--stdout', '1', 'computing 1 \x1b]0;title\x07\n'],
		['--stderr', '1', '\x1b[31mred\x1b[0m stderr\n'],
		['--stderr', '0', ''],
	])('C10: %s prints that of task %s and nothing else, as it is', async (part, itask, expected) => {
		expect(await show(itask, part)).toMatchObject({exitCode: 0, stdout: expected, stderr: ''});
	});

	test('C10: --result prints as JSON what is no text, --error the stack with all causes', async () => {
		expect(JSON.parse((await show('4', '--result')).stdout)).toEqual({
			energy: {$bigint: '3'},
			spectrum: {$Float64Array: [1, 2]},
			nothing: {$undefined: true},
			when: {$date: '1970-01-01T00:00:00.000Z'},
		});
		expect((await show('1', '--error')).stdout).toMatch(/^RangeError: too large\n {4}at fn .*\n {2}caused by TypeError: inner\n/);
		expect((await show('2', '--error')).stdout).toBe('called process.exit(3)\n');
	});

	test('a part that a task does not have is missing, not empty', async () => {
		const missing = await show('1', '--result');
		expect(missing).toMatchObject({exitCode: 1, stdout: ''});
		expect(missing.stderr).toBe(`qmr: Task 1 (failed) has no result. All that is known of it: qmr show ${map.workDir} 1\n`);
		expect(await show('0', '--error')).toMatchObject({exitCode: 1, stdout: ''});
	});

	test('--json has all of it, and no character that a terminal would obey', async () => {
		const {stdout} = await show('1', '--json');
		expect(stdout).not.toContain('\x1b');
		expect(JSON.parse(stdout)).toMatchObject({
			...{itask: 1, ichunk: 0, state: 'failed', attempt: 1, task: {alpha: 1}},
			error: {
				kind: 'exception',
				message: 'RangeError: too large',
				remote: {cause: {message: 'inner', code: 'E_INNER', properties: {path: '/data'}}},
			},
			stderr: '\x1b[31mred\x1b[0m stderr\n',
			attempts: [{attempt: 1, usage: {maxRssBytes: expect.any(Number)}}],
			chunk: {state: 'done', numFailed: 1},
			owner: {kind: 'released'},
		});
	});

	test('without a task the map itself is told of, as its run.json has it', async () => {
		const text = await words();
		for (const line of [
			/^message +a note$/m,
			/^tags +x$/m,
			/^function +fn of .*fn\.mjs \(map\), sha256 \w{12}…$/m,
			/^tasks +6 in 3 chunks$/m,
			/^seed +7$/m,
			/^engine +local$/m,
			/^versions +queue-map-reduce \S+, Node v/m,
		])
			expect(text).toMatch(line);
		expect(JSON.parse((await show('--json')).stdout)).toMatchObject({message: 'a note', tags: ['x'], numTasks: 6, seed: '7'});
	});

	test('what is wrong is said in a line, before anything is read', async () => {
		expect(await show('6')).toMatchObject({exitCode: 2, stderr: expect.stringMatching(/which has the tasks 0 to 5, got 6\.\n$/)});
		expect(await show('-1')).toMatchObject({exitCode: 2});
		expect(await show('first')).toMatchObject({exitCode: 2, stderr: expect.stringContaining('a number from 0 up, got "first"')});
		expect(await show('1', '--stdout', '--stderr')).toMatchObject({
			exitCode: 2,
			stderr: expect.stringContaining('Expected one of --stdout, --stderr, got several.'),
		});
		expect(await show('--stdout')).toMatchObject({
			exitCode: 2,
			stderr: expect.stringContaining('Expected the index of a task with --stdout'),
		});
	});
});

test('a damaged result and a missing one are told of as problems, and all else is told', async () => {
	const map = await makeEndedMap({source: SOURCE, tasks: [{alpha: 0}, {alpha: 5}]});
	onTestFinished(map.remove);
	truncateSync(join(map.workDir, '000000000.1.out'), 200);
	rmSync(join(map.workDir, '000000001.tasks'));
	appendFileSync(join(map.workDir, 'log.jsonl'), 'garbage\n');
	const cut = await runQmr(['show', map.workDir, '0'], {cwd: map.directory});
	expect(cut.exitCode).toBe(0);
	expect(cut.stdout).toMatch(/^task 0 of 2: /m);
	expect(cut.stdout).toMatch(/^problem: .*000000000\.1\.out: /m);
	expect(cut.stdout).toMatch(/^problem: .*log\.jsonl: 1 of its lines can't be read$/m);
	const without = await runQmr(['show', map.workDir, '1'], {cwd: map.directory});
	expect(without.stdout).toMatch(/^task 1 of 2: done/m);
	expect(without.stdout).toMatch(/^problem: .*000000001\.tasks/m);
});

describe('why a task waits', () => {
	test("in the scheduler's words, as the journal has them and as --queue gets them now", async () => {
		const map = await submitMap(
			{source: SOURCE, tasks: [{alpha: 0}], options: {pollingIntervalMs: 50, pendingWarnMs: 1, keepWorkDir: true}},
			// No node will take it.
			{hosts: [{name: 'node1', state: 'd'}], pendingReasons: ['queue instance "all.q@node1" dropped because it is disabled']},
		);
		onTestFinished(map.remove);
		await until(() => existsSync(map.workDir) && readQueueState(map.queue.directory).calls['qstat -j'] > 0);
		const text = async (...args: readonly string[]): Promise<string> =>
			(await runQmr(['show', map.workDir, '0', ...args], {cwd: map.directory})).stdout;
		await expect.poll(() => text(), {timeout: 90_000}).toMatch(/^ {2}its queue-job 1 is pending \(qw\), as was noted last$/m);
		expect(await text()).toMatch(/^ {2}as to the map: the process \d+ on \S+ works in it$/m);
		expect(await text('--queue')).toMatch(/^ {2}the queue says: qw, .*dropped because it is disabled/m);
		// What was noted when it had waited for long.
		await expect.poll(() => text(), {timeout: 90_000}).toMatch(/^ {2}said last: .*dropped because it is disabled/m);
		await map.run.cancel();
		await map.run.results().catch(() => undefined);
		expect(await text()).toMatch(/^ {2}cancelled, for the map was ended: .* \(cancelled\)$/m);
	});

	test('a queue-job in an error state that was given up says why, attempt by attempt', async () => {
		const map = await submitMap(
			{source: SOURCE, tasks: [{alpha: 0}], options: {pollingIntervalMs: 50, maxNumResubmissions: 1}},
			{faults: [{kind: 'error-state', times: 9, reason: 'can not read /etc/\x1b[31mpasswd'}]},
		);
		onTestFinished(map.remove);
		await map.run.results().catch(() => undefined);
		expect(readQueueState(map.queue.directory).faults[0]?.seen).toBe(2);
		const {stdout} = await runQmr(['show', map.workDir, '0'], {cwd: map.directory});
		expect(stdout).toMatch(/^ {2}the queue-job went into the error state Eqw.*can not read \/etc\/.*passwd.* \(error-state\)$/m);
		expect(stdout).toMatch(/^ {2}The reason is in the message, in the words of `qstat -j`/m);
		expect(stdout).toMatch(/attempt 1: the queue-job \d was given up in an error state \(error-state: /);
		expect(stdout).toMatch(/attempt 2: the queue-job \d was given up in an error state \(error-state: /);
		expect(stdout).not.toContain('\x1b');
	});

	test('a chunk that is being computed says how far it is, and that nobody works in the map any more', async () => {
		const source = `import {existsSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
export const fn = async n => {
	console.log('begun', n);
	while (n > 0 && !existsSync(new URL('go', import.meta.url))) await sleep(20);
	return n;
};`;
		const map = await submitMap({source, tasks: [0, 1, 2], options: {engine: 'local', slots: 1, numChunks: 1, pollingIntervalMs: 50}});
		onTestFinished(map.remove);
		const text = async (): Promise<string> => (await runQmr(['show', map.workDir, '2'], {cwd: map.directory})).stdout;
		await expect
			.poll(() => text(), {timeout: 90_000})
			.toMatch(/^ {2}1 of the 3 tasks of its chunk are finished, one is computed after the other$/m);
		expect(await text()).toMatch(/^task 2 of 3: running/m);
		expect(await text()).toMatch(/^stdout \(last lines of its chunk\)\n {2}begun 0\n {2}begun 1$/m);
		writeFileSync(join(map.directory, 'go'), '');
		await map.run.results();
		expect(readdirSync(map.workDir)).toContain('000000000.1.out');
		expect(await text()).toMatch(/^task 2 of 3: done/m);
	});
});
