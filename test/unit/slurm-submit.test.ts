import {existsSync, readFileSync} from 'node:fs';
import {describe, expect, onTestFinished, test} from 'vitest';
import type {JobRequest, SubmitOutcome} from '../../src/engines/engine.js';
import {slurmEnvironment} from '../../src/engines/slurm-environment.js';
import {arrayArguments, createSubmitter, judgeSubmission, type SubmitOptions, submitArguments} from '../../src/engines/slurm-submit.js';
import {makePrograms} from '../helpers/made-programs.js';

const judged = (stderr: string, exitCode = 1, stdout = ''): SubmitOutcome => judgeSubmission({ending: 'exited', exitCode, stdout, stderr});
const failed = (verdict: string): string => `sbatch: error: Batch job submission failed: ${verdict}\n`;
const POLICY = failed("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)");

describe('what a call of sbatch has brought about', () => {
	test.each([
		['937\n', '937'],
		['937', '937'],
		['937;cluster\n', '937'],
		['Welcome to the cluster of 2026\n937\n', '937'],
		['1\n2;two \r\n', '2'],
		['Submitted batch job 937\n', undefined],
		['937_5\n', undefined],
		['', undefined],
	])('with exit status 0 only a number on a line of its own is a number: %j', (stdout, id) => {
		expect(judged('sbatch: warning: something\n', 0, stdout)).toMatchObject(
			id === undefined ? {kind: 'unanswered'} : {kind: 'submitted', id},
		);
	});

	// All but those with a time-out or another product's words were seen on 22.05.
	test.each<[stderr: string, kind: SubmitOutcome['kind']]>([
		[`sbatch: error: invalid partition specified: nope\n${failed('Invalid partition name specified')}`, 'permanent'],
		[`sbatch: error: CPU count per node can not be satisfied\n${failed('Requested node configuration is not available')}`, 'permanent'],
		[failed('Invalid job array specification'), 'permanent'],
		[failed('Invalid node name specified'), 'permanent'],
		['sbatch: error: Unable to open file /nonexistent\n', 'permanent'],
		['sbatch: error: Invalid --time specification\n', 'permanent'],
		['', 'permanent'],
		[failed('Unable to contact slurm controller (connect failure)'), 'temporary'],
		[failed('Slurm backup controller in standby mode'), 'temporary'],
		[failed('Protocol authentication error'), 'temporary'],
		[failed('I/O error writing script/environment to file'), 'temporary'],
		[failed('Unable to create job record, try again'), 'temporary'],
		[failed('System submissions disabled'), 'temporary'],
		[failed('Required partition not available (inactive or drain)'), 'temporary'],
		[failed('Requested partition configuration not available now'), 'permanent'],
		[
			'sbatch: error: _establish_config_source: failed to fetch config\nsbatch: fatal: Could not establish a configuration source\n',
			'temporary',
		],
		[
			"sbatch: error: Problem talking to database\nsbatch: error: 'big' can't be reached now, or it is an invalid entry for --cluster.  Use 'sacctmgr list clusters' to see available clusters.\n",
			'temporary',
		],
		[
			"sbatch: error: 'bog' can't be reached now, or it is an invalid entry for --cluster.  Use 'sacctmgr list clusters' to see available clusters.\n",
			'permanent',
		],
		['sbatch: error: No clusters can be reached now. Contact your admin to resolve the problem.\n', 'temporary'],
		[failed('Socket timed out on send/recv operation'), 'unanswered'],
		[failed('Zero Bytes were transmitted or received'), 'unanswered'],
		[`sbatch: error: QOSMaxSubmitJobPerUserLimit\n${POLICY}`, 'full'],
		[`sbatch: error: AssocGrpSubmitJobsLimit\n${POLICY}`, 'full'],
		// Old versions do not say which limit it was: it may be one that passes.
		[POLICY, 'full'],
		[`sbatch: error: QOSMaxWallDurationPerJobLimit\n${POLICY}`, 'permanent'],
		[`sbatch: error: AssocMaxCpuPerJobLimit\n${POLICY}`, 'permanent'],
	])('a failure in the words %j is %s', (stderr, kind) => {
		expect(judged(stderr).kind).toBe(kind);
	});

	test.each(['timed-out', 'munge', 'timed out'])('a name that the user gave is no evidence: %s', name => {
		expect(judged(`sbatch: error: invalid partition specified: ${name}\n${failed('Invalid partition name specified')}`).kind).toBe(
			'permanent',
		);
	});

	test('without an answer the queue-job may be there or not', () => {
		const nothing = {exitCode: undefined, stdout: '', stderr: ''};
		expect(judgeSubmission({ending: 'timed-out', ...nothing})).toEqual({kind: 'unanswered', reason: 'sbatch did not answer in time'});
		expect(judgeSubmission({ending: 'killed', ...nothing})).toEqual({kind: 'unanswered', reason: 'sbatch was killed'});
		expect(judgeSubmission({...nothing, ending: 'not-started', stderr: 'EAGAIN'}).kind).toBe('temporary');
	});
});

const REQUEST: JobRequest = {name: 'q#1.1', script: '/w/launch.sh', scriptArguments: ['13', '1'], avoidHosts: [], resources: {}};
const FIXED = [
	...['--parsable', '--job-name=q#1.1', '--export=ALL', '--chdir=/', '--no-requeue', '--ignore-pbs'],
	...['--input=/dev/null', '--output=/dev/null', '--error=/dev/null', '--nodes=1', '--ntasks=1'],
];
const PLAIN = {queueName: undefined, sbatchArgs: []};

describe('the arguments of sbatch', () => {
	test('say everything that a site could say otherwise', () => {
		expect(submitArguments(PLAIN, REQUEST)).toEqual([...FIXED, '--cpus-per-task=1', '/w/launch.sh', '13', '1']);
	});

	test('carry what is asked for; the user’s own come last and win', () => {
		const resources = {memoryBytes: 2 ** 30 + 1, timeSeconds: 5430, slots: 4, gpus: 2, project: 'physics'};
		expect(submitArguments({queueName: 'long', sbatchArgs: ['--qos=high']}, {...REQUEST, resources})).toEqual([
			...FIXED,
			...['--cpus-per-task=4', '--mem=1025M', '--time=90:30', '--gres=gpu:2', '--partition=long', '--account=physics', '--qos=high'],
			...['/w/launch.sh', '13', '1'],
		]);
		expect(submitArguments({queueName: 'long', sbatchArgs: []}, {...REQUEST, resources: {queue: 'short'}})).toContain('--partition=short');
		expect(submitArguments(PLAIN, {...REQUEST, resources: {timeSeconds: 5}})).toContain('--time=0:05');
	});

	test('keep away from hosts', () => {
		const request = {...REQUEST, avoidHosts: ['a', 'b']};
		expect(submitArguments(PLAIN, request, true)).toContain('--exclude=a,b');
		expect(submitArguments(PLAIN, request).join()).not.toContain('exclude');
	});

	test('of an array number its elements from 1, and say how many run at a time', () => {
		const request = {...REQUEST, numElements: 100, maxRunning: undefined};
		expect(arrayArguments({...PLAIN, sbatchArgs: ['--array=7']}, request).slice(-5)).toEqual([
			...['--array=7', '--array=1-100', '/w/launch.sh', '13', '1'],
		]);
		expect(arrayArguments(PLAIN, {...request, maxRunning: 20})).toContain('--array=1-100%20');
	});
});

test('of the environment only what Slurm’s programs need reaches them, and so the queue-job', () => {
	const kept = {PATH: '/bin', HOME: '/h', USER: 'ada', SLURM_CONF: '/c', SLURM_CLUSTERS: 'x', SBATCH_PARTITION: 'p', SBATCH_QOS: 'q'};
	const others = {
		...{SECRET: 'x', LC_ALL: 'de_DE', SLURM_EXPORT_ENV: 'NONE', SLURM_GET_USER_ENV: '1', SLURM_JOB_ID: '7', SLURM_ARRAY_TASK_ID: '3'},
		...{
			SBATCH_ARRAY_INX: '1-3',
			SBATCH_WAIT: '1',
			SBATCH_DEBUG: '1',
			SBATCH_GET_USER_ENV: '1',
			SQUEUE_STATES: 'R',
			SCANCEL_INTERACTIVE: '1',
		},
	};
	expect(slurmEnvironment({...kept, ...others})).toEqual(kept);
});

test('a cluster that is named for sbatch only is named for all programs of Slurm', () => {
	expect(slurmEnvironment({SBATCH_CLUSTERS: 'big'})).toEqual({SLURM_CLUSTERS: 'big'});
	expect(slurmEnvironment({SBATCH_CLUSTERS: 'big', SLURM_CLUSTERS: 'small'})).toEqual({SLURM_CLUSTERS: 'small'});
});

describe('submissions', () => {
	const submitter = (sbatch: string, squeue = 'exit 9', options: Partial<SubmitOptions> = {}) => {
		const {paths, directory} = makePrograms({sbatch, squeue});
		const made = {
			sbatchPath: paths.sbatch,
			squeuePath: paths.squeue,
			programTimeoutMs: 30_000,
			submitConcurrency: 2,
			user: 'ada',
			...PLAIN,
		};
		return {directory, ...createSubmitter({...made, ...options}, () => slurmEnvironment(process.env))};
	};

	test('hand nothing to sbatch, and so to the queue-job, that it does not need', async () => {
		process.env.QMR_TEST_SECRET = 'secret';
		onTestFinished(() => void delete process.env.QMR_TEST_SECRET);
		const {submitAll, directory} = submitter('env >"${0%/*}/env"; echo 7');
		expect(await submitAll([REQUEST])).toEqual([{kind: 'submitted', id: '7'}]);
		const names = readFileSync(`${directory}/env`, 'utf8').match(/^\w+(?==)/gm) ?? [];
		// The last two are the shell's own.
		expect(names.filter(name => !/^(?:PATH|HOME|USER|LOGNAME|SHELL|TZ|LD_LIBRARY_PATH|SBATCH_\w+|PWD|_)$/.test(name))).toEqual([]);
	});

	test('an sbatch that would try again for minutes is not waited for: the queue is full', async () => {
		const wait = 'echo "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying" >&2; sleep 60; echo 7';
		const {submitAll, directory} = submitter(wait, 'echo "$@" >"${0%/*}/asked"');
		expect(await submitAll([REQUEST])).toEqual([
			{kind: 'full', reason: 'sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying'},
		]);
		expect(readFileSync(`${directory}/asked`, 'utf8')).toBe('-h -a -u ada -n q#1.1 -o %F\n');
	});

	test('one that was taken all the same is found by its name; when nobody answers, nothing is known', async () => {
		const wait = 'echo "sbatch: error: Slurm job queue full, sleeping and retrying" >&2; sleep 60';
		expect(await submitter(wait, 'echo 41').submitAll([REQUEST])).toEqual([{kind: 'submitted', id: '41'}]);
		expect(await submitter(wait, 'exit 1').submitAll([REQUEST])).toMatchObject([{kind: 'unanswered'}]);
	});

	test('are made where they are unwanted when nobody else takes them', async () => {
		const {submitAll, directory} = submitter(
			'echo "$@" >>"${0%/*}/calls"; case "$*" in *exclude*) echo "sbatch: error: Batch job submission failed: Requested node configuration is not available" >&2; exit 1 ;; esac; echo 7',
		);
		expect(await submitAll([{...REQUEST, avoidHosts: ['a']}])).toEqual([{kind: 'submitted', id: '7'}]);
		expect(readFileSync(`${directory}/calls`, 'utf8').match(/exclude/g)).toHaveLength(1);
	});

	test('after the first that is not taken none is begun', async () => {
		const {submitAll, directory} = submitter(
			'echo x >>"${0%/*}/calls"; echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2; exit 1',
			'',
			{
				submitConcurrency: 1,
			},
		);
		expect((await submitAll([REQUEST, REQUEST, REQUEST])).map(({kind}) => kind)).toEqual(['full', 'untried', 'untried']);
		expect(readFileSync(`${directory}/calls`, 'utf8')).toBe('x\n');
		expect(existsSync(`${directory}/asked`)).toBe(false);
	});
});
