import {readFileSync, writeFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import type {Engine, JobStatus} from '../../src/engines/engine.js';
import {createSlurmEngine, parseMaxElements} from '../../src/engines/slurm.js';
import {createNodeWatch, parseSilentNodes} from '../../src/engines/slurm-nodes.js';
import {makePrograms} from '../helpers/made-programs.js';

type Programs = {readonly squeue?: string; readonly scancel?: string; readonly scontrol?: string};

const createEngine = ({squeue = 'exit 9', scancel = 'exit 9', scontrol = 'exit 9'}: Programs): {engine: Engine; directory: string} => {
	const {paths, directory} = makePrograms({sbatch: 'exit 9', squeue, scancel, scontrol});
	const engine = createSlurmEngine({
		...{sbatchPath: paths.sbatch, squeuePath: paths.squeue, scancelPath: paths.scancel, scontrolPath: paths.scontrol},
		...{sacctPath: undefined, queueName: undefined, sbatchArgs: [], programTimeoutMs: 20_000, submitConcurrency: 4, user: 'ada'},
	});
	return {engine, directory};
};

describe('the state of queue-jobs', () => {
	test('is asked for by one call for all', async () => {
		const {engine, directory} = createEngine({squeue: `echo "$@" >>"\${0%/*}/calls"; echo '7|RUNNING|node1|None|q#1.1'`});
		expect(await engine.status()).toEqual([{id: '7', name: 'q#1.1', state: 'running', rawState: 'RUNNING', host: 'node1'}]);
		expect(readFileSync(`${directory}/calls`, 'utf8')).toBe('-h -a -r -u ada -o %i|%T|%B|%r|%j\n');
	});

	test.each([
		['fails', 'echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1', /connect failure/],
		// As seen while the directory service is away: exit status 0, and nothing listed.
		['does not know the user', 'echo "squeue: error: Invalid user: ada" >&2; exit 0', /Invalid user/],
		['says something else', 'echo Maintenance', /no listing: Maintenance/],
		['is killed', 'kill -9 $$', /exit status undefined/],
	])('P9: is not known when squeue %s', async (_, squeue, words) => {
		await expect(createEngine({squeue}).engine.status()).rejects.toThrow(words);
	});

	test('is known when squeue answers at the second try', async () => {
		const {engine} = createEngine({squeue: 'f="${0%/*}/failed"; [ -e "$f" ] && exit 0; echo >"$f"; exit 1'});
		expect(await engine.status()).toEqual([]);
	});
});

describe('removal', () => {
	test('names at most 100 queue-jobs a call', async () => {
		const {engine, directory} = createEngine({scancel: 'echo "$@" >>"${0%/*}/calls"'});
		await engine.remove(Array.from({length: 101}, (_, i) => String(i)));
		const calls = readFileSync(`${directory}/calls`, 'utf8').trimEnd().split('\n');
		expect(calls.map(call => call.split(' ').length)).toEqual([101, 2]);
		expect(calls[1]).toBe('--quiet 100');
	});

	test('names the elements of an array in one word', async () => {
		const {engine, directory} = createEngine({scancel: 'echo "$@" >>"${0%/*}/calls"'});
		await engine.remove([...Array.from({length: 1000}, (_, i) => `9_${i + 1}`).filter(id => id !== '9_7'), '8']);
		expect(readFileSync(`${directory}/calls`, 'utf8')).toBe('--quiet 8 9_[1-6,8-1000]\n');
	});

	test('of what is gone is fine; when the controller has not heard of it, that is told', async () => {
		const gone = 'echo "scancel: error: Kill job error on job id 7: Invalid job id specified" >&2; exit 1';
		await createEngine({scancel: gone}).engine.remove(['7']);
		const silent = 'echo "scancel: error: Kill job error on job id 7: Unable to contact slurm controller (connect failure)" >&2; exit 8';
		await expect(createEngine({scancel: silent}).engine.remove(['7'])).rejects.toThrow('connect failure');
		await expect(createEngine({scancel: 'kill -9 $$'}).engine.remove(['7'])).rejects.toThrow('was killed');
	});
});

describe('arrays', () => {
	test.each([
		['MaxArraySize            = 1001\nSchedulerParameters     = batch_sched_delay=0,max_array_tasks=500\n', 500],
		['MaxArraySize            = 1001\nSchedulerParameters     = (null)\n', 1000],
		['MaxArraySize            = 0\n', 1],
		['slurm_load_ctl_conf error', undefined],
	])('may be as long as the site says: %j', (text, expected) => {
		expect(parseMaxElements(text)).toBe(expected);
	});

	test('are cut cautiously until the site says', async () => {
		const {engine, directory} = createEngine({scontrol: '[ -e "${0%/*}/up" ] && echo "MaxArraySize = 4001"; exit 0'});
		expect(await engine.arrays?.maxElements()).toBe(1000);
		writeFileSync(`${directory}/up`, '');
		expect(await engine.arrays?.maxElements()).toBe(4000);
		expect(engine.arrays?.elementId('937', 14)).toBe('937_14');
	});
});

describe('nodes that do not respond', () => {
	test.each([
		['State=MIXED', false],
		['State=MIXED+COMPLETING+NOT_RESPONDING', true],
		['State=ALLOCATED*', true],
		['State=DOWN*+DRAIN', true],
		['State=IDLE+DRAIN', false],
	])('are told by their %s', (state, isSilent) => {
		const text = `NodeName=node1 Arch=x86_64 OS=Linux 6.18 #1 SMP  NodeHostName=other ${state} ThreadsPerCore=1 Comment=State=X*\n`;
		expect([...parseSilentNodes(text)]).toEqual(isSilent ? ['node1'] : []);
	});

	const job = (id: string, host: string | undefined, state: JobStatus['state'] = 'running'): JobStatus => ({
		...{id, name: `q${id}`, state, rawState: 'RUNNING'},
		...(host === undefined ? {} : {host}),
	});

	const watching = () => {
		let nowMs = 0;
		const calls: string[] = [];
		let silent: readonly string[] = [];
		let isUp = true;
		const mark = createNodeWatch(
			async (_, args) => {
				calls.push(args.join(' '));
				const stdout = silent.map(name => `NodeName=${name} State=MIXED+NOT_RESPONDING\n`).join('');
				return {ending: 'exited', exitCode: isUp ? 0 : 1, stdout: isUp ? stdout : '', stderr: ''};
			},
			'scontrol',
			() => nowMs,
		);
		return {
			calls,
			lookAfter: async (ms: number, jobs: readonly JobStatus[]) => {
				nowMs += ms;
				return (await mark(jobs)).map(({state}) => state);
			},
			cut: (...hosts: string[]) => {
				silent = hosts;
			},
			stopMaster: () => {
				isUp = false;
			},
		};
	};

	test('nobody is asked about short queue-jobs', async () => {
		const {calls, lookAfter} = watching();
		for (let i = 0; i < 100; i++) await lookAfter(5000, [job(String(i), 'node1'), job(`w${i}`, undefined, 'pending')]);
		expect(calls).toEqual([]);
	});

	test('one question, now and then, is about all nodes where queue-jobs have run for long, hidden ones too', async () => {
		const {calls, lookAfter} = watching();
		const jobs = [job('1', 'node1'), job('2', 'node2'), job('3', 'node2'), job('4', undefined, 'pending')];
		for (let i = 0; i < 60; i++) await lookAfter(1000, jobs);
		expect(calls).toEqual(['-a -o show node node1,node2']);
	});

	test('what is on one is unreachable, until it responds again; a controller that is silent changes nothing', async () => {
		const {lookAfter, cut, stopMaster} = watching();
		const jobs = [job('1', 'node1'), job('2', 'node2')];
		expect(await lookAfter(30_000, jobs)).toEqual(['running', 'running']);
		cut('node2');
		expect(await lookAfter(30_000, jobs)).toEqual(['running', 'unreachable']);
		// What has come there since is not meant.
		expect(await lookAfter(1000, [...jobs, job('3', 'node2')])).toEqual(['running', 'unreachable', 'running']);
		cut();
		expect(await lookAfter(30_000, jobs)).toEqual(['running', 'running']);
		cut('node1');
		expect(await lookAfter(30_000, jobs)).toEqual(['unreachable', 'running']);
		stopMaster();
		expect(await lookAfter(30_000, jobs)).toEqual(['unreachable', 'running']);
	});
});
