import {describe, expect, test} from 'vitest';
import type {JobEnd, JobQuestion} from '../../src/engines/engine.js';
import {createExplain} from '../../src/engines/slurm-explain.js';
import {describePendingReason} from '../../src/engines/slurm-reasons.js';
import {parseAccounting, parseRecord, toJobEnd} from '../../src/engines/slurm-record.js';

type Fields = {
	readonly state: string;
	readonly reason?: string;
	readonly exitCode?: string;
	readonly host?: string | undefined;
	readonly name?: string;
	readonly memory?: string;
};

/** As `scontrol -o show job` of 22.05 prints it. */
const line = ({state, reason = 'None', exitCode = '0:0', host = 'node1', name = 'q#1.1', memory = '0'}: Fields): string =>
	`JobId=175 ArrayJobId=170 ArrayTaskId=1 ArrayTaskThrottle=2 JobName=${name} UserId=root(0) GroupId=root(0) MCS_label=N/A Priority=4294901590 Nice=0 ` +
	`Account=(null) QOS=(null) JobState=${state} Reason=${reason} Dependency=(null) Requeue=0 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=${exitCode} ` +
	`RunTime=00:00:03 TimeLimit=00:01:00 TimeMin=N/A SubmitTime=2026-11-21T08:52:21 Partition=main AllocNode:Sid=localhost:24481 ReqNodeList=(null) ` +
	`ExcNodeList=(null) NodeList=${host} ${host === '' ? '' : `BatchHost=${host} `}NumNodes=1 NumCPUs=1 MinCPUsNode=1 MinMemoryNode=${memory} MinTmpDiskNode=0 ` +
	'Features=(null) Command=/w/launch.sh JobState=FORGED 13 1 WorkDir=/ Power= \n';

const endOf = (fields: Fields): JobEnd | undefined => {
	const record = parseRecord(line(fields), 'q#1.1');
	return record && toJobEnd(record);
};

describe('how a queue-job ended', () => {
	// The first eight were seen on 22.05.
	test.each<[fields: Fields, end: Partial<JobEnd>]>([
		[{state: 'COMPLETED'}, {failed: false, reason: 'exit status 0', host: 'node1'}],
		[
			{state: 'FAILED', reason: 'NonZeroExitCode', exitCode: '3:0'},
			{failed: true, reason: 'exit status 3', host: 'node1'},
		],
		[
			{state: 'FAILED', reason: 'JobLaunchFailure', exitCode: '0:9'},
			{kind: 'killed', reason: expect.stringContaining('killed by SIGKILL')},
		],
		[
			{state: 'TIMEOUT', reason: 'TimeLimit', exitCode: '0:15'},
			{kind: 'wall-time', reason: 'it ran longer than it may (00:01:00)'},
		],
		[
			{state: 'NODE_FAIL', reason: 'NodeDown', exitCode: '0:15'},
			{kind: 'node-lost', reason: expect.stringContaining('node1')},
		],
		[
			{state: 'CANCELLED', exitCode: '0:15'},
			{failed: true, kind: 'deleted', reason: 'it was cancelled'},
		],
		[
			{state: 'CANCELLED', reason: 'JobHeldUser', host: ''},
			{failed: true, kind: 'deleted'},
		],
		[
			{state: 'CANCELLED', exitCode: '0:0'},
			{failed: true, kind: 'start-failed', reason: expect.stringContaining('prolog')},
		],
		[
			{state: 'OUT_OF_MEMORY', exitCode: '0:125', memory: '500M'},
			{kind: 'out-of-memory', reason: 'it used more memory than it may (500M)'},
		],
		[
			{state: 'FAILED', exitCode: '127:0'},
			{kind: 'start-failed', reason: expect.stringContaining('node was not found')},
		],
		[
			{state: 'FAILED', exitCode: '72:0'},
			{kind: 'start-failed', reason: expect.stringContaining('working directory')},
		],
		[
			{state: 'FAILED', reason: 'JobLaunchFailure'},
			{kind: 'start-failed', reason: 'Slurm could not start it (JobLaunchFailure)'},
		],
		[{state: 'BOOT_FAIL'}, {kind: 'start-failed'}],
		[{state: 'PREEMPTED'}, {kind: 'killed', reason: expect.stringContaining('make room')}],
		[{state: 'DEADLINE'}, {kind: 'wall-time'}],
	])('%j', (fields, end) => {
		expect(endOf(fields)).toMatchObject(end);
	});

	test.each(['RUNNING', 'COMPLETING', 'PENDING', 'FERMENTING'])('is not told by the state %s', state => {
		expect(endOf({state})).toBeUndefined();
	});

	test('of another queue-job under its number is not believed', () => {
		expect(parseRecord(line({state: 'FAILED', name: 'q#1.2'}), 'q#1.1')).toBeUndefined();
		expect(parseAccounting('FAILED|1:0|node1|UNLIMITED||q#1.2\n', 'q#1.1')).toBeUndefined();
	});

	test('is in the accounting too', () => {
		const accounted = (text: string): JobEnd | undefined => {
			const record = parseAccounting(text, 'q#1.1');
			return record && toJobEnd(record);
		};
		expect(accounted('COMPLETED|0:0|node1|UNLIMITED|1G|q#1.1\n')).toEqual({failed: false, reason: 'exit status 0', host: 'node1'});
		expect(accounted('CANCELLED by 1000|0:0|None assigned|UNLIMITED||q#1.1\n')).toMatchObject({kind: 'deleted'});
		expect(accounted('OUT_OF_MEMORY|0:125|node1|01:00:00|4G|q#1.1\n')).toMatchObject({reason: 'it used more memory than it may (4G)'});
		// Of a number that was used again the last line is the latest.
		expect(accounted('FAILED|1:0|node1|||q#1.1\nCOMPLETED|0:0|node2|||q#1.1\n')).toMatchObject({failed: false, host: 'node2'});
	});
});

describe('who is asked', () => {
	const JOB: Omit<JobQuestion, 'state'> = {id: '170_1', name: 'q#1.1', resources: {}};
	const DISABLED = {stdout: '', stderr: 'Slurm accounting storage is disabled\n'};
	const UNKNOWN = {stdout: '', stderr: 'slurm_load_jobs error: Invalid job id specified\n'};

	const asking = (answers: Readonly<Record<string, {stdout: string; stderr: string} | undefined>>) => {
		const calls: string[][] = [];
		const explain = createExplain(
			async (program, args) => {
				calls.push([program, ...args]);
				const answer = answers[program];
				if (answer === undefined) throw new Error('missing');
				return {ending: 'exited', exitCode: answer.stderr === '' ? 0 : 1, ...answer};
			},
			{scontrolPath: 'scontrol', sacctPath: 'sacct'},
		);
		return {calls, explain};
	};

	test('scontrol alone, while it remembers', async () => {
		const {calls, explain} = asking({scontrol: {stdout: line({state: 'TIMEOUT'}), stderr: ''}});
		expect(await explain({...JOB, state: 'ended'})).toMatchObject({kind: 'wall-time'});
		expect(calls).toEqual([['scontrol', '-o', 'show', 'job', '170_1']]);
	});

	test('sacct when it does not, and once only where there is no accounting', async () => {
		const {calls, explain} = asking({scontrol: UNKNOWN, sacct: DISABLED});
		// It is not known to have failed: its result may still come.
		expect(await explain({...JOB, state: 'ended'})).toEqual({failed: false, reason: 'Slurm does not know it any more'});
		await explain({...JOB, state: 'ended'});
		expect(calls.map(([program]) => program)).toEqual(['scontrol', 'sacct', 'scontrol']);
		const accounted = asking({scontrol: UNKNOWN, sacct: {stdout: 'TIMEOUT|0:15|node1|00:01:00||q#1.1\n', stderr: ''}});
		expect(await accounted.explain({...JOB, state: 'ended'})).toMatchObject({kind: 'wall-time', host: 'node1'});
	});

	test('nobody knows of an element that was removed while it waited, nor while the controller is down', async () => {
		const {explain} = asking({scontrol: {stdout: '', stderr: 'Job 170_5 not found\n'}, sacct: DISABLED});
		expect(await explain({...JOB, state: 'ended'})).toBeUndefined();
		const silent = asking({
			scontrol: {stdout: '', stderr: 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n'},
		});
		expect(await silent.explain({...JOB, state: 'ended'})).toBeUndefined();
		expect(await silent.explain({...JOB, state: 'pending'})).toBeUndefined();
	});

	test('an error state and waiting are told in Slurm’s words', async () => {
		const held = asking({scontrol: {stdout: line({state: 'PENDING', reason: 'launch_failed_requeued_held', host: ''}), stderr: ''}});
		expect(await held.explain({...JOB, state: 'error'})).toEqual({failed: true, reason: 'launch failed requeued held'});
		const waiting = asking({scontrol: {stdout: line({state: 'PENDING', reason: 'Resources', host: ''}), stderr: ''}});
		expect(await waiting.explain({...JOB, state: 'pending'})).toEqual({failed: false, reason: 'there is no room for it now (Resources)'});
		const nothing = asking({scontrol: {stdout: line({state: 'PENDING', host: ''}), stderr: ''}});
		expect(await nothing.explain({...JOB, state: 'pending'})).toBeUndefined();
	});
});

test.each([
	[
		'ReqNodeNotAvail,_UnavailableNodes:node2',
		'the nodes that it could use are down, drained or reserved (ReqNodeNotAvail, UnavailableNodes:node2)',
	],
	['JobHeldUser', 'it is held, and `scontrol release` releases it (JobHeldUser)'],
	['QOSMaxJobsPerUserLimit', 'a limit of the user, the account or the quality of service (QOSMaxJobsPerUserLimit)'],
	['Something_New', 'Something New'],
])('%s means something', (reason, words) => {
	expect(describePendingReason(reason)).toBe(words);
});
