/** What people and sites do to queue-jobs of Slurm: remove them, hold them, suspend them, put others of the same name beside them. */
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {type Outcome, readWorkDir} from 'queue-map-reduce';
import {describe, expect, test, vi} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {lookAround} from '../fixtures/on-node.mjs';
import {countBegins, linesOf, readBegins, untilBegun, untilDead} from '../helpers/faults.js';
import {call, untilNoted} from '../helpers/grid-engine.js';
import {createProcessNode, startProcessNode} from '../helpers/process-node.js';
import {runNode} from '../helpers/programs.js';
import {prepareQueueTests} from '../helpers/queue-test.js';
import {callAs, deleteJobs, fieldOf, listJobs, untilGone, untilState} from '../helpers/slurm.js';

const t = prepareQueueTests('slurm');
const HELD = {sbatchArgs: ['--hold']};

const kindsOf = (outcomes: readonly Outcome<unknown>[]): unknown[] =>
	outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.kind));

describe('a queue-job that somebody removes is not brought back, and every other chunk has its result', () => {
	test('while it runs', async () => {
		const {begun, until} = t;
		const running = t.ending.watch(
			t.pool.mapSettled(
				faulty.compute,
				[0, 1, 2].map(() => ({begun, until})),
			),
		);
		const {pid} = await untilBegun(begun, ({itask}) => itask === 1);
		await call('scancel', [await t.jobIdOf(1)]);
		await untilDead(pid);
		writeFileSync(until, '');
		expect(kindsOf(await running)).toEqual([0, 'deleted', 2]);
		expect(countBegins(begun, 3)).toEqual([1, 1, 1]);
		expect(await linesOf(t.workDir, 'submitted')).toHaveLength(3);
		await t.untilNothingIsLeft();
	});

	test('while it waits', async () => {
		const {begun} = t;
		const running = t.ending.watch(t.pool.mapSettled(faulty.compute, [{begun}, {begun}], HELD));
		await untilNoted(t.workDir, ({state, ichunk}) => state === 'held' && ichunk === 0);
		await call('scancel', [await t.jobIdOf(0)]);
		await call('scontrol', ['release', await t.jobIdOf(1)]);
		expect(kindsOf(await running)).toEqual(['deleted', 1]);
		expect(readBegins(begun).map(({itask}) => itask)).toEqual([1]);
		expect(await linesOf(t.workDir, 'submitted')).toHaveLength(2);
		await t.untilNothingIsLeft();
	});

	test('as elements of an array, one that waits and one that runs', async () => {
		const {begun, until} = t;
		const options = {arrayJobs: true, maxConcurrentJobs: 2};
		const running = t.ending.watch(
			t.pool.mapSettled(
				faulty.compute,
				[0, 1, 2, 3].map(() => ({begun, until})),
				options,
			),
		);
		for (const i of [0, 1]) await untilBegun(begun, ({itask}) => itask === i);
		const [, second, third] = [await t.jobIdOf(0), await t.jobIdOf(1), await t.jobIdOf(2)] as [string, string, string];
		expect(second).toMatch(/^\d+_2$/);
		await untilNoted(t.workDir, ({ichunk, state}) => ichunk === 2 && state === 'pending');
		await call('scancel', [third, second]);
		await untilGone(({id}) => id === second || id === third);
		writeFileSync(until, '');
		expect(kindsOf(await running)).toEqual([0, 'deleted', 'deleted', 3]);
		expect(await linesOf(t.workDir, 'submitted')).toHaveLength(4);
		await t.untilNothingIsLeft();
	});
});

test('an element of an array that dies is computed again as a queue-job of its own', async () => {
	const {begun} = t;
	const tasks = [0, 1, 2, 3].map(i => ({begun, deaths: i === 2 ? 1 : 0}));
	expect(await t.pool.map(faulty.compute, tasks, {arrayJobs: true, graceMs: 3_600_000})).toEqual([0, 1, 2, 3]);
	expect(countBegins(begun, 4)).toEqual([1, 1, 2, 1]);
	expect(await linesOf(t.workDir, 'lost')).toMatchObject([{ichunk: 2, attempt: 1, kind: 'killed', jobId: expect.stringMatching(/_3$/)}]);
	expect(await t.jobIdOf(2, 2)).toMatch(/^\d+$/);
	await t.untilNothingIsLeft();
});

test('a queue-job that is held by a user is explained, waited for, and never submitted again', async () => {
	const {begun} = t;
	const running = t.ending.watch(t.pool.map(faulty.compute, [{begun}], {...HELD, pendingWarnMs: 500}));
	const {reason, jobId} = await untilNoted(t.workDir, ({event}) => event === 'waiting');
	expect(reason).toBe('it is held, and `scontrol release` releases it (JobHeldUser)');
	expect((await untilNoted(t.workDir, ({state}) => state === 'held')).rawState).toBe('PENDING (JobHeldUser)');
	await call('scontrol', ['release', jobId as string]);
	expect(await running).toEqual([0]);
	expect(await linesOf(t.workDir, 'submitted')).toHaveLength(1);
});

test('why a queue-job waits is told once, and one that waits for longer than `pendingLimitMs` is removed', async () => {
	const {begun} = t;
	const options = {sbatchArgs: ['--begin=now+1hour'], pendingWarnMs: 500, pendingLimitMs: 4000};
	const outcomes = await t.pool.mapSettled(faulty.compute, [{begun}, {begun}], options);
	expect(kindsOf(outcomes)).toEqual(['pending-limit', 'pending-limit']);
	expect(t.said.match(/has waited for .*: its time to begin has not come \(BeginTime\)/g)).toHaveLength(1);
	expect(readBegins(begun)).toEqual([]);
	await t.untilNothingIsLeft();
});

test('a partition that takes no queue-jobs for now is waited for, and told once', async () => {
	const {begun} = t;
	const setState = (state: string): Promise<string> => call('scontrol', ['update', 'PartitionName=main', `State=${state}`]);
	await setState('DRAIN');
	try {
		const running = t.ending.watch(t.pool.map(faulty.compute, [{begun}, {begun}]));
		await untilNoted(t.workDir, ({event}) => event === 'queue-silent');
		expect(t.said).toContain('Required partition not available (inactive or drain)');
		await setState('UP');
		expect(await running).toEqual([0, 1]);
	} finally {
		await setState('UP');
	}
	expect(t.said.match(/takes no queue-jobs/g)).toHaveLength(2);
	expect(countBegins(begun, 2)).toEqual([1, 1]);
	await t.untilNothingIsLeft();
});

test('a suspended queue-job is waited for, and never submitted again', async () => {
	const {begun, until} = t;
	const running = t.ending.watch(t.pool.map(faulty.compute, [{begun, until}]));
	await untilBegun(begun, () => true);
	const jobId = await t.jobIdOf(0);
	await untilState(jobId, /^RUNNING$/);
	await call('scontrol', ['suspend', jobId]);
	await untilNoted(t.workDir, ({state}) => state === 'suspended');
	writeFileSync(until, '');
	await call('scontrol', ['resume', jobId]);
	expect(await running).toEqual([0]);
	expect(await linesOf(t.workDir, 'submitted')).toHaveLength(1);
});

test('a node that fails whatever it gets does not eat the tries of a chunk: the next one goes elsewhere', async () => {
	const {begun, directory} = t;
	// The first node that gets a queue-job is the one: the file is there with its name, or not at all.
	const hole = join(directory, 'hole');
	const nodePath = join(directory, 'node');
	const note = `[ -e '${hole}' ] || { echo "$host" >'${hole}'.$$; ln '${hole}'.$$ '${hole}' 2>/dev/null; }`;
	const failing = `host=$(uname -n); ${note}; [ "$host" = "$(cat '${hole}')" ] && exit 3`;
	writeFileSync(nodePath, `#!/bin/sh\n${failing}\nexec '${process.execPath}' "$@"\n`, {mode: 0o755});
	const tasks = [0, 1, 2, 3, 4, 5].map(() => ({begun}));
	expect(await t.pool.map(faulty.compute, tasks, {nodePath, maxNumResubmissions: 1, graceMs: 3_600_000})).toEqual([0, 1, 2, 3, 4, 5]);
	const host = readFileSync(hole, 'utf8').trim();
	const lost = await linesOf(t.workDir, 'lost');
	expect(lost.length).toBeGreaterThan(0);
	for (const line of lost) expect(line).toMatchObject({attempt: 1, host});
	expect(readBegins(begun).every(begin => begin.host !== host)).toBe(true);
	await t.untilNothingIsLeft();
});

test('a working directory that is missing on the node is told as such, though Slurm itself would not care', async () => {
	const {begun, directory, workDir} = t;
	createProcessNode(directory);
	const node = startProcessNode(directory, {
		tasks: [{begun}],
		options: {engine: 'slurm', pollingIntervalMs: 500, workDir, keepWorkDir: true, ...HELD, maxNumResubmissions: 0},
		cwd: 'passing',
	});
	const jobId = await t.jobIdOf(0);
	rmSync(join(directory, 'passing'), {recursive: true});
	await call('scontrol', ['release', jobId]);
	const {code, stderr} = await node.ended;
	expect([code, stderr]).toEqual([1, expect.stringContaining("the caller's working directory could not be entered on that host")]);
	expect(await fieldOf(jobId, 'ExitCode')).toBe('72:0');
});

test('what is refused ends the map in the words of Slurm, and nothing is left', async () => {
	const {begun} = t;
	await expect(t.pool.map(faulty.compute, [{begun}], {queueName: 'nosuch'})).rejects.toMatchObject({
		code: 'ERR_POOL_SUBMIT_REJECTED',
		message: expect.stringContaining('Invalid partition name specified'),
	});
	await t.untilNothingIsLeft();
});

test('in a queue-job srun and sbatch do not find what the submission has left', async () => {
	const [node] = (await t.pool.map(lookAround, [0], {sbatchArgs: ['--export=NONE']})) as [ReturnType<typeof lookAround>];
	const names = Object.keys(node.variables);
	expect(names).toContain('SLURM_JOB_ID');
	for (const name of ['SLURM_EXPORT_ENV', 'SLURM_GET_USER_ENV']) expect(names).not.toContain(name);
});

describe('others', () => {
	const submitSleep = async (name: string, user?: string): Promise<string> => {
		const args = ['--parsable', `--job-name=${name}`, '--chdir=/', '--output=/dev/null', '--hold', '--wrap', 'sleep 600'];
		return (user === undefined ? await call('sbatch', args) : await callAs(user, 'sbatch', args)).trim();
	};

	test('who have queue-jobs with the very names of ours keep them, and a loss of ours is seen all the same', async () => {
		const {begun} = t;
		const running = t.ending.watch(t.pool.mapSettled(faulty.compute, [{begun, deaths: 1}, {begun}], HELD));
		const {jobName = ''} = await untilNoted(t.workDir, ({event, ichunk}) => event === 'submitted' && ichunk === 0);
		const names = [jobName, jobName.replace(/1$/, '2'), jobName.replace(/1$/, '3')];
		const foreign = [...(await Promise.all(names.map(name => submitSleep(name, 'nobody')))), await submitSleep(jobName)];
		try {
			await call('scancel', [await t.jobIdOf(1)]);
			await call('scontrol', ['release', await t.jobIdOf(0)]);
			await call('scontrol', ['release', await t.jobIdOf(0, 2)]);
			expect(kindsOf(await running)).toEqual([0, 'deleted']);
			expect(countBegins(begun, 2)).toEqual([2, 0]);
			const ours = (await readWorkDir(t.workDir)).journal.flatMap(({jobId}) => jobId ?? []);
			expect(foreign.filter(id => ours.includes(id))).toEqual([]);
			const left = (await listJobs()).filter(({id}) => foreign.includes(id));
			expect(left.map(({state}) => state)).toEqual(['PENDING', 'PENDING', 'PENDING', 'PENDING']);
		} finally {
			await deleteJobs(foreign);
		}
		await untilGone(({id}) => foreign.includes(id));
	});

	test('find the Slurm on PATH, where no Grid Engine is, by the phase diagram of the examples, unchanged', async () => {
		const main = new URL('../../examples/phase-diagram/main.js', import.meta.url);
		const cwd = join(t.directory, 'diagram');
		const PATH = dirname((await call('which', ['sbatch'])).trim());
		mkdirSync(cwd);
		const ran = await runNode([main.pathname, '--grid', '3', '--size', '20', '--trials', '2'], {cwd, env: {PATH}});
		expect(ran).toMatchObject({code: 0, stderr: expect.stringMatching(/engine slurm, for \/.*sbatch is on PATH/)});
		expect(ran.stdout).toContain('9 points, 18 problems in');
	});

	test('who abort a map leave nothing of it in the queue, running or waiting', async () => {
		const {begun, until} = t;
		const controller = new AbortController();
		const options = {signal: controller.signal, arrayJobs: true, maxConcurrentJobs: 2};
		const running = t.ending.watch(
			t.pool.map(
				faulty.compute,
				[0, 1, 2, 3, 4].map(() => ({begun, until})),
				options,
			),
		);
		const {pid} = await untilBegun(begun, () => true);
		await vi.waitUntil(async () => (await listJobs()).filter(({state}) => state === 'PENDING').length >= 3, {timeout: 60_000});
		controller.abort(new Error('enough'));
		await expect(running).rejects.toThrow('enough');
		await t.untilNothingIsLeft();
		await untilDead(pid);
	});
});
