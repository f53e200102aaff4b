import {existsSync} from 'node:fs';
import path from 'node:path';
import {type DummyQueue, type Fault, type Host, readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {call, makeDummyQueue, makeTemporaryDirectory, pollStates, submit} from '../helpers/dummy-queue.js';

const TWO: Host[] = [
	{name: 'node1', state: ''},
	{name: 'node2', state: ''},
];

/** Every listed queue-job by one call of qstat, as `r node1 u`. */
const poll = async (queue: DummyQueue): Promise<Record<string, string>> => {
	const {stdout} = await call(queue.qstatPath, ['-f', '-ne', '-xml', '-u', '*']);
	const parts = stdout.split(/(?=<Queue-List>)|<\/queue_info>/);
	const jobs = parts.flatMap(part => {
		const [, host = ''] = /<name>.*@(.*)<\/name>/.exec(part) ?? [];
		const [, state = ''] = /<\/arch>\s*<state>(.*)<\/state>/.exec(part) ?? [];
		return [...part.matchAll(/<JB_name>(.*)<\/JB_name>\n.*\n\s*<state>(.*)<\/state>/g)].map(([, name, letters]) => [
			name,
			`${letters} ${host} ${state}`.trim(),
		]);
	});
	return Object.fromEntries(jobs);
};

const seenOf = (queue: DummyQueue): (number | undefined)[] => readQueueState(queue.directory).faults.map(({seen}) => seen);

const accounted = async (queue: DummyQueue, id: number): Promise<Record<string, string>> => {
	const {stdout} = await call(queue.qacctPath, ['-j', String(id)]);
	return Object.fromEntries(
		stdout.split('\n').flatMap(line => (/^\w/.test(line) ? [line.split(/ (.*)/, 2).map(word => word.trim())] : [])),
	);
};

describe('several worker-nodes', () => {
	test('share the queue-jobs', async () => {
		const queue = makeDummyQueue({hosts: TWO});
		for (const name of ['a', 'b', 'c']) await submit(queue, name, '-b', 'y', 'true');
		await poll(queue);
		await poll(queue);
		expect(await poll(queue)).toEqual({a: 'r node1', b: 'r node2', c: 'r node1'});
	});

	test.each([
		[['-l', 'h=node2'], 'node2'],
		[['-l', 'hostname=!node1'], 'node2'],
		[['-l', 'h=!node1', '-l', 'h_rt=60'], 'node2'],
		[['-l', 'h_rt=60,h=!node2&!node3'], 'node1'],
		[['-l', 'h=!node1', '-l', 'h=node1'], 'node1'],
		[['-l', 'h=other|node2'], 'node2'],
		[['-l', 'h=*2'], 'node2'],
		[['-q', 'short.q@node2'], 'node2'],
		[['-q', 'short.q@node1,long.q@node2', '-l', 'h=!node1'], 'node2'],
	])('%j runs on %s', async (words, host) => {
		const queue = makeDummyQueue({hosts: TWO});
		await submit(queue, 'a', ...words, '-w', 'e', '-b', 'y', 'true');
		expect(await poll(queue)).toEqual({a: `r ${host}`});
	});

	test.each([[['-l', 'h=!node1&!node2']], [['-q', 'short.q@node1', '-l', 'h=!node1']], [['-l', 'h=node3']]])(
		'%j waits for ever, and is refused with -w e',
		async words => {
			const queue = makeDummyQueue({hosts: TWO});
			await submit(queue, 'a', ...words, '-b', 'y', 'true');
			await poll(queue);
			expect(await poll(queue)).toEqual({a: 'qw'});
			expect(await call(queue.qsubPath, [...words, '-w', 'e', '-b', 'y', 'true'])).toEqual({
				stdout: '',
				stderr: 'Unable to run job: error: no suitable queues\nExiting.\n',
				exitCode: 1,
			});
			expect(readQueueState(queue.directory).jobs).toHaveLength(1);
		},
	);

	test.each(['u', 'd', 'E'])('one in the state %s gets nothing to do', async state => {
		const queue = makeDummyQueue({hosts: [{name: 'node1', state}, TWO[1]!]});
		await submit(queue, 'a');
		await submit(queue, 'b', '-l', 'h=node1', '-w', 'e', '-b', 'y', 'true');
		await poll(queue);
		expect(await poll(queue)).toEqual({b: 'qw'});
	});

	test('the job is told where it runs', async () => {
		const directory = makeTemporaryDirectory();
		const queue = makeDummyQueue({hosts: TWO});
		await submit(queue, 'a', '-l', 'h=node2', '-wd', directory, '-b', 'y', 'touch on-$HOSTNAME');
		await poll(queue);
		await poll(queue);
		expect(existsSync(path.join(directory, 'on-node2'))).toBe(true);
		expect(readQueueState(queue.directory).ended).toMatchObject([{host: 'node2', failed: 0}]);
	});
});

describe('a node that can’t be reached', () => {
	const fault: Fault = {kind: 'unreachable', jobName: 'a', polls: 3, times: 1};

	test('lets all that runs there rest until it is back', async () => {
		const queue = makeDummyQueue({hosts: TWO, faults: [{...fault}]});
		await submit(queue, 'a', '-l', 'h=node1', '-b', 'y', 'true');
		await submit(queue, 'b', '-l', 'h=node1', '-b', 'y', 'true');
		expect(await poll(queue)).toEqual({a: 'r node1', b: 'qw'});
		// It is lost in this call, so nothing is started there any more.
		for (let i = 0; i < 3; i++) expect(await poll(queue)).toEqual({a: 'r node1 u', b: 'qw'});
		expect(await poll(queue)).toEqual({a: 'r node1', b: 'r node1'});
		expect(await poll(queue)).toEqual({b: 'r node1'});
		expect(seenOf(queue)).toEqual([1]);
	});

	test('keeps what is deleted there in dr until it is back, and accounts for it then', async () => {
		const queue = makeDummyQueue({hosts: TWO, faults: [{...fault}]});
		await submit(queue, 'a');
		await poll(queue);
		expect(await poll(queue)).toEqual({a: 'r node1 u'});
		await call(queue.qdelPath, ['1']);
		expect(await poll(queue)).toEqual({a: 'dr node1 u'});
		expect(await accounted(queue, 1)).toEqual({});
		expect(await poll(queue)).toEqual({a: 'dr node1 u'});
		expect(await poll(queue)).toEqual({});
		expect(await accounted(queue, 1)).toMatchObject({hostname: 'node1', failed: '100 : assumedly after job'});
	});

	test('is one of several in the listing of all of them', async () => {
		const {qstatPath} = makeDummyQueue({hosts: [{name: 'node1', state: 'u'}, TWO[1]!]});
		const {stdout} = await call(qstatPath, ['-f', '-xml']);
		expect([...stdout.matchAll(/@(\w+)<\/name>|<state>(\w+)</g)].map(([, name, state]) => name ?? state)).toEqual(['node1', 'u', 'node2']);
	});
});

describe('a fault on given nodes only', () => {
	test('is a black hole: it takes everything, and breaks it', async () => {
		const reason = 'unable to find shell "/x"';
		const queue = makeDummyQueue({hosts: TWO, faults: [{kind: 'error-state', hosts: ['node1'], times: 9, reason}]});
		await submit(queue, 'a', '-l', 'h=node2', '-b', 'y', 'true');
		await submit(queue, 'b', '-l', 'h=node1', '-b', 'y', 'true');
		await poll(queue);
		expect(await poll(queue)).toEqual({a: 'r node2', b: 'Eqw'});
		expect(await accounted(queue, 2)).toMatchObject({hostname: 'node1'});
		await submit(queue, 'c');
		// The one with the fewest queue-jobs is the one that breaks them all.
		expect(await poll(queue)).toEqual({a: 'r node2', b: 'Eqw', c: 'Eqw'});
		expect(seenOf(queue)).toEqual([2]);
	});

	test('kills what runs there', async () => {
		const queue = makeDummyQueue({hosts: TWO, faults: [{kind: 'kill', hosts: ['node1'], times: 9}]});
		await submit(queue, 'a', '-l', 'h=node1', '-b', 'y', 'sleep 1000');
		await submit(queue, 'b', '-l', 'h=node2', '-b', 'y', 'true');
		for (let i = 0; i < 4; i++) await poll(queue);
		expect(readQueueState(queue.directory).ended).toMatchObject([
			{host: 'node1', failed: 100},
			{host: 'node2', failed: 0},
		]);
		expect(seenOf(queue)).toEqual([1]);
	});
});

describe('the end of a killed queue-job is accounted as', () => {
	const endOf = async (fault: object, ...words: string[]): Promise<{fields: Record<string, string>; queue: DummyQueue}> => {
		const queue = makeDummyQueue({hosts: TWO, faults: [{kind: 'kill', times: 1, ...fault}]});
		await submit(queue, 'a', ...words, '-b', 'y', 'sleep 1000');
		await poll(queue);
		expect(await poll(queue)).toEqual({});
		expect(seenOf(queue)).toEqual([1]);
		return {fields: await accounted(queue, 1), queue};
	};

	test('a limit of time', async () => {
		const {fields} = await endOf({failed: 37, wallclockSeconds: 61}, '-l', 'h_rt=60', '-l', 'h_vmem=8G');
		expect(fields).toMatchObject({
			failed: '37  : qmaster enforced h_rt, h_cpu, or h_vmem limit',
			exit_status: '137                  (Killed)',
			ru_wallclock: '61s',
			category: '-l h_rt=60,h_vmem=8G',
		});
	});

	test('a limit of memory', async () => {
		const {fields} = await endOf({failed: 37, maxvmemBytes: 150 * 2 ** 20}, '-l', 'h_vmem=100M');
		expect(fields).toMatchObject({failed: expect.stringMatching(/^37 /), maxvmem: '150.000MB', category: '-l h_vmem=100M'});
	});

	test.each([
		[18, 'shepherd exited'],
		[19, 'before writing exit_status'],
		[21, 'in recognising job'],
	])('a crash of its node: %i', async (failed, words) => {
		const {fields} = await endOf({failed});
		expect(fields).toMatchObject({
			failed: `${failed}  : ${words}`,
			exit_status: '0',
			start_time: '-/-',
			hostname: 'node1',
			category: 'NONE',
		});
	});

	test('nothing, when it vanishes', async () => {
		const {fields, queue} = await endOf({isUnaccounted: true});
		expect(fields).toEqual({});
		expect(readQueueState(queue.directory)).toMatchObject({jobs: [], ended: []});
	});
});

describe('a queue-job that somebody deletes', () => {
	test('while it waits, never ran and is not accounted for', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'delete', phase: 'pending', jobName: 'b', polls: 2, times: 1}]});
		await submit(queue, 'a');
		await submit(queue, 'b');
		expect(await pollStates(queue)).toEqual({a: 'r', b: 'dqw'});
		await pollStates(queue);
		expect(await pollStates(queue)).toEqual({});
		expect(await accounted(queue, 2)).toEqual({});
		expect(seenOf(queue)).toEqual([1]);
	});

	test('while it runs, is accounted for as killed', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'delete', phase: 'running', polls: 1, times: 1}]});
		await submit(queue, 'a');
		expect(await pollStates(queue)).toEqual({a: 'r'});
		expect(await pollStates(queue)).toEqual({a: 'dr'});
		expect(await pollStates(queue)).toEqual({});
		expect(await accounted(queue, 1)).toMatchObject({failed: '100 : assumedly after job', exit_status: expect.stringContaining('137')});
		expect(seenOf(queue)).toEqual([1]);
	});

	test('is gone at once without polls', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'delete', phase: 'running', times: 1}]});
		await submit(queue, 'a');
		expect(await pollStates(queue)).toEqual({a: 'r'});
		expect(await pollStates(queue)).toEqual({});
	});
});

describe('qalter -w p', () => {
	const verify = async (queue: DummyQueue, id = 1): Promise<string[]> =>
		(await call(queue.qalterPath, ['-w', 'p', String(id)])).stdout.trimEnd().split('\n');

	test('says what is true', async () => {
		const queue = makeDummyQueue({hosts: [{name: 'node1', state: 'u'}, TWO[1]!]});
		await submit(queue, 'a');
		await submit(queue, 'b', '-l', 'h=!node2', '-b', 'y', 'true');
		await submit(queue, 'c', '-h', '-b', 'y', 'true');
		expect(await verify(queue)).toEqual(['verification: found suitable queue(s)']);
		expect(await verify(queue, 2)).toEqual([
			'Job 2 queue instance "dummy.q@node1" dropped because it is temporarily not available',
			'Job 2 (-l hostname=!node2) cannot run in queue "dummy.q@node2" because it offers only qf:hostname=node2',
			'verification: no suitable queues',
		]);
		expect(await verify(queue, 3)).toEqual(['verification: job is already running or is held']);
		expect(await verify(queue, 9)).toEqual(['denied: job "9" does not exist']);
		await poll(queue);
		expect(await verify(queue)).toEqual(['verification: job is already running or is held']);
		expect(readQueueState(queue.directory).calls).toMatchObject({qstat: 1, qalter: 5});
		expect(await call(queue.qalterPath, ['-p', '5', '1'])).toMatchObject({exitCode: 1});
	});

	test('says what a test wants', async () => {
		const queue = makeDummyQueue({hosts: TWO});
		await submit(queue, 'a');
		updateQueueState(queue.directory, state => {
			state.pendingReasons = ['cannot run because it is Sunday'];
		});
		expect(await verify(queue)).toEqual(['Job 1 cannot run because it is Sunday', 'verification: no suitable queues']);
	});

	test('is explained further by qstat -j', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'a', '-h', '-b', 'y', 'true');
		await submit(queue, 'b', '-hold_jid', 'a', '-b', 'y', 'true');
		const details = async (id: string): Promise<string> => (await call(queue.qstatPath, ['-j', id])).stdout;
		expect(await details('1')).toMatch(/^scheduling info: {12}Job is in hold state$/m);
		expect(await details('2')).toMatch(
			/^jid_predecessor_list: {7}1$[\s\S]*^scheduling info: {12}job dropped because of job dependencies$/m,
		);
	});
});

test('a user may have so many queue-jobs, and qsub exits with 25 then', async () => {
	const queue = makeDummyQueue({maxUserJobs: 2});
	await submit(queue, 'a');
	await submit(queue, 'b');
	expect(await call(queue.qsubPath, ['-b', 'y', 'true'])).toEqual({
		stdout: '',
		stderr: 'Unable to run job: job rejected: only 2 jobs are allowed per user (current job count: 2)\nExiting.\n',
		exitCode: 25,
	});
	await poll(queue);
	await poll(queue);
	await poll(queue);
	expect(await submit(queue, 'c')).toBe(3);
});

test('asking for limits of a queue instance lets nothing happen', async () => {
	const queue = makeDummyQueue({hosts: TWO});
	await submit(queue, 'a');
	const {stdout} = await call(queue.qstatPath, ['-f', '-F', 'h_rt,h_vmem', '-xml', '-q', 'dummy.q@node1']);
	expect(stdout).toContain('<resource name="h_rt" type="qf">infinity</resource>');
	expect(readQueueState(queue.directory)).toMatchObject({jobs: [{state: 'qw'}], calls: {qstat: 0, 'qstat -F': 1}});
});
