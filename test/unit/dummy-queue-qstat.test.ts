import {readdirSync, readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {createForeignJob, type Host, type Job, readQueueState, updateQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test} from 'vitest';
import {parseElements} from '../../src/engines/grid-engine-elements.js';
import {call, makeDummyQueue, pollStates, submit} from '../helpers/dummy-queue.js';

const FIXTURES = new URL('../fixtures/qstat/', import.meta.url);
// The dummy queue has only one queue unless queue-jobs ask for others.
const names = readdirSync(FIXTURES).filter(name => name.endsWith('.xml') && !name.startsWith('all-instances'));

describe('each call of qstat lets one thing happen:', () => {
	test('Q25: ten queue-jobs take twenty calls', async () => {
		const queue = makeDummyQueue();
		for (let index = 0; index < 10; index += 1) {
			await submit(queue, `job${index}`);
		}

		const numListed: number[] = [];
		do {
			numListed.push(Object.keys(await pollStates(queue)).length);
		} while (numListed.at(-1) !== 0);
		expect(numListed).toEqual([...Array.from({length: 10}, () => 10), 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
		expect(readQueueState(queue.directory)).toMatchObject({jobs: [], calls: {qsub: 10, qstat: 20}});
		expect(readQueueState(queue.directory).ended.map(job => job.failed)).toEqual(Array.from({length: 10}, () => 0));
	});

	test('the first is executed as soon as no more can run', async () => {
		const queue = makeDummyQueue({maxRunning: 2});
		for (const name of ['a', 'b', 'c']) {
			await submit(queue, name);
		}

		expect(await pollStates(queue)).toEqual({a: 'r', b: 'qw', c: 'qw'});
		expect(await pollStates(queue)).toEqual({a: 'r', b: 'r', c: 'qw'});
		expect(await pollStates(queue)).toEqual({b: 'r', c: 'qw'});
		expect(await pollStates(queue)).toEqual({b: 'r', c: 'r'});
		expect(await pollStates(queue)).toEqual({c: 'r'});
		expect(await pollStates(queue)).toEqual({});
	});

	test('Q25: thirty queue-jobs of which one fails five times take 65 qstat, 35 qsub and 5 qdel', async () => {
		const queue = makeDummyQueue({faults: [{kind: 'error-state', jobName: '#000000013.', times: 5, reason: 'no reason'}]});
		const nameOf = (ichunk: number, attempt: number): string => `q#${String(ichunk).padStart(9, '0')}.${attempt}`;
		for (let ichunk = 0; ichunk < 30; ichunk += 1) {
			await submit(queue, nameOf(ichunk, 1));
		}

		for (let attempt = 1; readQueueState(queue.directory).jobs.length > 0; ) {
			const states = await pollStates(queue);
			const failed = Object.keys(states).find(name => states[name] === 'Eqw');
			if (failed !== undefined) {
				expect(failed).toBe(nameOf(13, attempt));
				attempt += 1;
				await call(queue.qdelPath, [failed]);
				await submit(queue, nameOf(13, attempt));
			}
		}

		const {calls, faults, ended} = readQueueState(queue.directory);
		expect(calls).toMatchObject({qstat: 65, qsub: 35, qdel: 5});
		expect(faults[0]).toMatchObject({times: 0, seen: 5});
		expect(ended.filter(job => job.failed === 0)).toHaveLength(30);
	});

	test('two calls at once never execute the same queue-job', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'once');
		await pollStates(queue);
		await Promise.all(Array.from({length: 4}, () => pollStates(queue)));
		expect(readQueueState(queue.directory).ended).toHaveLength(1);
	});
});

describe('qstat -xml prints what the real one printed:', () => {
	test.each(names)('%s', async name => {
		const real = readFileSync(new URL(name, FIXTURES), 'utf8');
		const queue = makeDummyQueue({hosts: hostsOf(real), maxRunning: 24, jobs: jobsOf(real)});
		const options = name.endsWith('.full.xml') ? ['-f', '-ne'] : name.endsWith('.expanded.xml') ? ['-g', 'd'] : [];
		const {stdout, stderr, exitCode} = await call(queue.qstatPath, [...options, '-xml', '-u', 'daemon']);
		expect(withoutLoad(stdout)).toBe(withoutLoad(real));
		expect({stderr, exitCode}).toEqual({stderr: '', exitCode: 0});
	});

	test('all fixtures are compared, arrays among them', () => {
		expect(names.length).toBeGreaterThanOrEqual(31);
		expect(names.filter(name => name.startsWith('array-'))).toHaveLength(8);
	});

	test('an unreachable node has a state', async () => {
		const queue = makeDummyQueue({hosts: [{name: 'node1', state: 'u'}], jobs: [createForeignJob({JB_job_number: 7, JB_name: 'x'})]});
		const {stdout} = await call(queue.qstatPath, ['-f', '-xml', '-u', '*']);
		expect(stdout).toContain('      <arch>lx-amd64</arch>\n      <state>u</state>\n      <job_list state="running">');
	});

	test('a queue without queue-jobs is hidden by -ne only', async () => {
		const {qstatPath} = makeDummyQueue();
		expect((await call(qstatPath, ['-f', '-xml'])).stdout).toContain(`<name>dummy.q@${hostname()}</name>`);
		expect((await call(qstatPath, ['-f', '-ne', '-xml'])).stdout).not.toContain('<name>');
	});
});

describe('qstat', () => {
	test('lists the queue-jobs of the asked users', async () => {
		const jobs = ['mine', 'other'].map((JB_owner, index) => createForeignJob({JB_job_number: index + 1, JB_name: 'same', JB_owner}));
		const queue = makeDummyQueue({jobs});
		const listOf = async (...words: string[]): Promise<string[]> =>
			[...(await call(queue.qstatPath, ['-xml', ...words])).stdout.matchAll(/<JB_owner>(.*)</g)].map(([, owner]) => owner!);
		expect(await listOf()).toEqual([]);
		expect(await listOf('-u', 'mine')).toEqual(['mine']);
		expect(await listOf('-u', '*')).toEqual(['mine', 'other']);
		expect(await listOf('-u', 'mine,other')).toEqual(['mine', 'other']);
		updateQueueState(queue.directory, state => {
			state.listsAllUsers = true;
		});
		expect(await listOf('-u', 'mine')).toEqual(['mine', 'other']);
	});

	test('prints a table for people', async () => {
		const job = createForeignJob({JB_job_number: 129, JB_name: 'sleep.sh.long', JB_owner: 'daemon', JAT_prio: '0.50000', queue: 'all.q'});
		const {qstatPath} = makeDummyQueue({hosts: [{name: 'node2', state: ''}], jobs: [{...job, JAT_start_time: '2026-11-21T02:21:36'}]});
		expect((await call(qstatPath, ['-u', 'daemon'])).stdout.split('\n')).toEqual([
			'job-ID  prior   name       user         state submit/start at     queue                          slots ja-task-ID ',
			'-----------------------------------------------------------------------------------------------------------------',
			'    129 0.50000 sleep.sh.l daemon       r     11/21/2026 02:21:36 all.q@node2                        1        ',
			'',
		]);
		expect((await call(qstatPath, ['-u', 'nobody_here'])).stdout).toBe('');
	});

	test('refuses what it does not know', async () => {
		const {qstatPath} = makeDummyQueue();
		expect(await call(qstatPath, ['-zz'])).toMatchObject({
			stdout: '',
			exitCode: 1,
			stderr: expect.stringContaining('invalid option argument "-zz"\n'),
		});
		expect(await call(qstatPath, ['-u'])).toMatchObject({exitCode: 1, stderr: expect.stringContaining('-u option must have argument\n')});
		expect(await call(qstatPath, ['-g', 'z'])).toMatchObject({
			exitCode: 1,
			stderr: expect.stringContaining("wrong character 'z' for -g option\n"),
		});
	});

	test('-j describes a queue-job with the lines of the real one, in their order', async () => {
		const queue = makeDummyQueue();
		await submit(queue, 'broken', '-S', '/bin/sh', '-wd', '/nonexistent', '-b', 'y', 'true', '60');
		await pollStates(queue);
		const {stdout, exitCode} = await call(queue.qstatPath, ['-j', '1']);
		const real = keysOf(readFileSync(new URL('job-error.txt', FIXTURES), 'utf8'));
		const ours = keysOf(stdout);
		expect(exitCode).toBe(0);
		expect(ours.filter(key => key !== 'job_args')).toEqual(real.filter(key => ours.includes(key)));
		expect(stdout).toMatch(
			/^error reason {10}1: {6}\d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d \[\d+:\d+\]: error: can't chdir to \/nonexistent: No such file or directory$/m,
		);
	});

	test('-j of an unknown queue-job fails as the real one', async () => {
		const {qstatPath} = makeDummyQueue();
		expect(await call(qstatPath, ['-j', '999999'])).toEqual({stdout: '', stderr: 'Following jobs do not exist: \n999999\n', exitCode: 1});
	});
});

/** The jobs of a real answer, as jobs that rest in the dummy queue. */
const jobsOf = (xml: string): Job[] =>
	[...xml.matchAll(/<job_list state="(running|pending)">(.*?)<\/job_list>/gs)].flatMap(({1: phase, 2: fields = '', index}) => {
		const field = (name: string): string => new RegExp(`<${name}>(.*)</${name}>`).exec(fields)?.[1] ?? '';
		const instance = field('queue_name') || [...xml.slice(0, index).matchAll(/<name>(.*)<\/name>/g)].at(-1)?.[1];
		const job = createForeignJob({
			JB_job_number: Number(field('JB_job_number')),
			JB_name: field('JB_name').replace('%lt;', '<').replace('&gt;', '>').replace('&amp;', '&'),
			JB_owner: field('JB_owner'),
			phase: phase as Job['phase'],
			state: field('state'),
			JAT_prio: field('JAT_prio'),
			JB_submission_time: field('JB_submission_time'),
			JAT_start_time: field('JAT_start_time'),
			queue: 'all.q',
			...(phase === 'running' && {host: instance?.split('@')[1] ?? ''}),
			slots: Number(field('slots')),
		});
		return field('tasks') === '' ? [job] : parseElements(field('tasks')).map(element => ({...job, element}));
	});

/** The real grid had two nodes. */
const hostsOf = (xml: string): Host[] =>
	['node1', 'node2'].map(name => {
		const instance = new RegExp(`<name>all.q@${name}</name>.*?</arch>\\s*(?:<state>(\\w+)</state>)?`, 's').exec(xml);
		return {name, state: instance?.[1] ?? ''};
	});

/** What depends on the machine goes. */
const withoutLoad = (xml: string): string => xml.replaceAll(/<load_avg>.*</g, '<load_avg><');

const keysOf = (text: string): string[] => text.split('\n').map(line => line.split(':')[0]!.replaceAll(/ +/g, ' '));
