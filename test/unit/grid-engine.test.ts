import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import type {SubmitOutcome} from '../../src/engines/engine.js';
import {
	createGridEngine,
	type GridEngineOptions,
	isGridEngine,
	judgeSubmission,
	submitArguments,
	submitEnvironment,
} from '../../src/engines/grid-engine.js';
import {makePrograms} from '../helpers/made-programs.js';

const judged = (stderr: string, exitCode = 1, stdout = ''): SubmitOutcome => judgeSubmission({ending: 'exited', exitCode, stdout, stderr});
const NO_MASTER = 'error: unable to send message to qmaster using port 6444 on host "qmaster": got send error';
const TAKEN_WITH_WARNING = `Unable to run job: warning: root's job is not allowed to run in any queue
Your job 1 ("x") has been submitted
Exiting.
`;

describe('what a call of qsub has brought about', () => {
	test.each([
		['937\n', '937'],
		['937', '937'],
		['  937\n', undefined],
		['Welcome to the cluster of 2026\n937\n', '937'],
		['937 \r\n', '937'],
		['1\n2\n', '2'],
		['Your job 937 ("name") has been submitted\n', undefined],
		['962.1-3:1\n', undefined],
		['', undefined],
	])('with exit status 0 only a number on a line of its own is a number: %j', (stdout, id) => {
		expect(judged('', 0, stdout)).toMatchObject(id === undefined ? {kind: 'unanswered'} : {kind: 'submitted', id});
	});

	test('a warning beside the number changes nothing', () => {
		expect(judged('warning: something\n', 0, '937\n')).toEqual({kind: 'submitted', id: '937'});
		expect(judged(TAKEN_WITH_WARNING, 0, '1\n')).toEqual({kind: 'submitted', id: '1'});
	});

	test.each<[stderr: string, kind: SubmitOutcome['kind']]>([
		['Unable to run job: unknown resource "x".\nExiting.\n', 'permanent'],
		['Unable to run job: Job was rejected because job requests unknown queue "nosuch.q".\nExiting.\n', 'permanent'],
		['Unable to run job: uid too low', 'permanent'],
		['', 'permanent'],
		['Unable to run job: got send timeout', 'unanswered'],
		['error: failed receiving gdi request response for mid=1 (got syncron message receive timeout error).\n', 'unanswered'],
		['error: commlib error: got read error (closing "qmaster/qmaster/1")', 'unanswered'],
		[NO_MASTER, 'temporary'],
		[`${NO_MASTER}\nUnable to run job: unable to contact qmaster.\n`, 'temporary'],
		['error: commlib error: got select error (Connection refused)', 'temporary'],
		['job rejected: Only 3 jobs are allowed per user (current job count: 3)', 'full'],
	])('a failure in the words %j is %s', (stderr, kind) => {
		expect(judged(stderr).kind).toBe(kind);
	});

	test('exit status 25 is a limit, whatever is said', () => {
		expect(judged('Unable to run job: something.\n', 25)).toEqual({kind: 'full', reason: 'Unable to run job: something.'});
		expect(judged('', 25)).toEqual({kind: 'full', reason: 'qsub ended with exit status 25'});
	});

	test('a failure that queued the job all the same is looked up by its name: no number is taken from prose', () => {
		expect(judged(TAKEN_WITH_WARNING).kind).toBe('unanswered');
		expect(judged('Unable to run job: warning: something\n', 1, '937\n').kind).toBe('unanswered');
	});

	test.each(['timeout.q', 'receive', 'connect.q', 'qmaster'])('a name that the user gave is no evidence: %s', name => {
		expect(judged(`Unable to run job: Job was rejected because job requests unknown queue "${name}".\nExiting.\n`).kind).toBe('permanent');
		expect(judged(`Unable to read script file because of error: error opening /home/${name}/launch.sh: No such file\n`).kind).toBe(
			'permanent',
		);
	});

	test('without an answer the queue-job may be there or not', () => {
		const nothing = {exitCode: undefined, stdout: '', stderr: ''};
		expect(judgeSubmission({ending: 'timed-out', ...nothing})).toEqual({kind: 'unanswered', reason: 'qsub did not answer in time'});
		expect(judgeSubmission({ending: 'killed', ...nothing})).toEqual({kind: 'unanswered', reason: 'qsub was killed'});
	});

	test('the reason is one line of all that was said', () => {
		const {reason} = judged('Unable to run job: x.\n\n  Exiting.\n', 1, 'and this\n') as {reason: string};
		expect(reason).toBe('Unable to run job: x. Exiting. and this');
	});
});

describe('the arguments of qsub', () => {
	const request = {name: 'qs#000000013.1', script: '/work dir/launch.sh', scriptArguments: ['13', '1'], avoidHosts: [], resources: {}};

	test('say all that a default request file could say otherwise', () => {
		// As one line; the empty word after -C stands between two blanks.
		expect(submitArguments({queueName: undefined, qsubArgs: []}, request).join(' ')).toBe(
			'-terse -N qs#000000013.1 -C  -S /bin/sh -b n -shell y -j n -r n -now n -i /dev/null -o /dev/null -e /dev/null -wd / /work dir/launch.sh 13 1',
		);
	});

	test('go without the caller’s secrets, for -V in a default request file would show them to everyone', () => {
		const environment = {PATH: '/bin', HOME: '/home/me', SGE_ROOT: '/sge', API_TOKEN: 'secret', JOB_ID: '7'};
		expect(submitEnvironment(environment)).toEqual({PATH: '/bin', HOME: '/home/me', SGE_ROOT: '/sge'});
	});

	test('the queue and the user’s own arguments come last before the script, so that they win', () => {
		const args = submitArguments({queueName: 'short.q', qsubArgs: ['-l', 'h_vmem=8G', '-wd', '/tmp']}, request);
		expect(args.slice(-9)).toEqual(['-q', 'short.q', '-l', 'h_vmem=8G', '-wd', '/tmp', '/work dir/launch.sh', '13', '1']);
	});
});

/** An engine on programs made of these shell lines; every call is noted in the file `calls`. */
const makeEngine = (
	programs: {readonly qsub?: string; readonly qstat?: string; readonly qdel?: string; readonly qacct?: string},
	options: Partial<GridEngineOptions> = {},
) => {
	const noted = (lines = 'exit 0'): string => `echo "$(basename "$0") $*" >> "$(dirname "$0")/calls"\n${lines}`;
	const {paths, directory} = makePrograms({
		qsub: noted(programs.qsub),
		qstat: noted(programs.qstat),
		qdel: noted(programs.qdel),
		qacct: noted(programs.qacct),
	});
	const engine = createGridEngine({
		qsubPath: paths.qsub,
		qstatPath: paths.qstat,
		qdelPath: paths.qdel,
		qacctPath: paths.qacct,
		queueName: undefined,
		qsubArgs: [],
		errorStateIndicator: 'E',
		programTimeoutMs: 20_000,
		user: 'daemon',
		...options,
	});
	return {engine, calls: () => readFileSync(join(directory, 'calls'), 'utf8').trimEnd().split('\n')};
};

const MANY = join(import.meta.dirname, '../fixtures/qstat/many.xml');
const requests = ['a', 'b', 'c'].map(name => ({name, script: '/launch.sh', scriptArguments: [], avoidHosts: [], resources: {}}));

describe('the engine', () => {
	test('submits in order and stops at the first that is not taken', async () => {
		const {engine, calls} = makeEngine({qsub: 'case "$*" in *"-N b "*) exit 25;; *) echo 7;; esac'});
		expect(await engine.submit(requests)).toEqual([
			{kind: 'submitted', id: '7'},
			{kind: 'full', reason: 'qsub ended with exit status 25'},
		]);
		expect(calls()).toHaveLength(2);
	});

	test('lists by one call for its own user', async () => {
		const {engine, calls} = makeEngine({qstat: `cat '${MANY}'; echo 'warning: old' >&2`});
		expect(await engine.status()).not.toEqual([]);
		expect(calls()).toEqual(['qstat -f -ne -xml -u daemon']);
	});

	const FIXTURES = join(import.meta.dirname, '../fixtures/qstat');
	/** The first answer, and the one to the question without -ne. */
	const answers = (ours: string, all: string): string =>
		`case "$*" in *-ne*) cat '${FIXTURES}/${ours}';; *) cat '${FIXTURES}/${all}';; esac`;

	test('says that it reaches no node when every queue instance is unknown: a restarted master is an outage, not as many dead nodes', async () => {
		const {engine, calls} = makeEngine({qstat: answers('restarted.full.xml', 'restarted.full.xml')});
		await expect(engine.status()).rejects.toThrow('the scheduler reaches none of its nodes');
		expect(calls()).toEqual(['qstat -f -ne -xml -u daemon', 'qstat -f -xml -u daemon']);
	});

	test('when only the nodes of our own queue-jobs are unknown, these are unreachable', async () => {
		const {engine, calls} = makeEngine({qstat: answers('restarted.full.xml', 'unreachable.full.xml')});
		const listed = await engine.status();
		expect(listed.map(({state}) => state)).toEqual(['running', 'running', 'running', 'unreachable', 'unreachable', 'pending']);
		expect(calls()).toHaveLength(2);
	});

	test('asks once when any node of ours is reached', async () => {
		const {engine, calls} = makeEngine({qstat: answers('unreachable.full.xml', 'restarted.full.xml')});
		expect((await engine.status()).filter(({state}) => state === 'unreachable')).toHaveLength(2);
		expect(calls()).toHaveLength(1);
	});

	test('asks a second time at once when an answer can’t be used', async () => {
		const {engine, calls} = makeEngine({qstat: `if test -e "$0.once"; then cat '${MANY}'; else : > "$0.once"; exit 1; fi`});
		expect(await engine.status()).not.toEqual([]);
		expect(calls()).toHaveLength(2);
	});

	test.each([
		['fails', 'echo "error: no master" >&2; exit 1', 'qstat ended with exit status 1: error: no master'],
		['is killed', 'kill -9 $$', 'qstat ended with exit status undefined'],
		['prints nothing', 'exit 0', 'qstat printed no well-formed XML'],
		['prints a listing and fails', `cat '${MANY}'; exit 1`, 'qstat ended with exit status 1'],
	])('a qstat that %s is no answer', async (_, qstat, message) => {
		await expect(makeEngine({qstat}).engine.status()).rejects.toThrow(message);
	});

	test('a qstat that hangs is asked once', async () => {
		const {engine, calls} = makeEngine({qstat: 'exec sleep 1000'}, {programTimeoutMs: 300});
		await expect(engine.status()).rejects.toThrow('qstat did not answer within 0.3 s');
		expect(calls()).toHaveLength(1);
	});

	test('removes a hundred at a time, and what qdel says decides nothing', async () => {
		const {engine, calls} = makeEngine({qdel: 'echo "denied: job does not exist"; exit 1'});
		await engine.remove(Array.from({length: 201}, (_, i) => String(i)));
		expect(calls().map(line => line.split(' ').length - 1)).toEqual([100, 100, 1]);
		await engine.remove([]);
		expect(calls()).toHaveLength(3);
	});

	test('explains an error state by its reason, an end by the accounting', async () => {
		const qacct = `cat '${join(import.meta.dirname, '../fixtures/qstat/qacct-killed.txt')}'`;
		const qstat = 'test "$2" = 5 && echo "error reason 1: x [0:1]: no shell"; exit 0';
		const {engine} = makeEngine({qstat, qacct});
		expect(await engine.explain({id: '5', name: 'notify', state: 'error', resources: {}})).toEqual({failed: true, reason: 'no shell'});
		expect(await engine.explain({id: '69', name: 'notify', state: 'ended', resources: {}})).toMatchObject({failed: true, host: 'node1'});
		expect(await engine.explain({id: '69', name: 'other', state: 'ended', resources: {}})).toBeUndefined();
		expect(
			await makeEngine({qstat}, {qacctPath: undefined}).engine.explain({id: '69', name: 'notify', state: 'ended', resources: {}}),
		).toBeUndefined();
	});

	test('explaining never rejects, also when a program has vanished', async () => {
		const job = {id: '5', name: 'a', state: 'error', resources: {}} as const;
		expect(await makeEngine({}, {qstatPath: '/nonexistent/qstat'}).engine.explain(job)).toBeUndefined();
		expect(await makeEngine({}, {qacctPath: '/nonexistent/qacct'}).engine.explain({...job, state: 'ended', resources: {}})).toBeUndefined();
	});
});

describe('a Grid Engine is told by its qstat', () => {
	test.each([
		['SGE 8.1.9', true],
		['GE 6.2u5', true],
		['OGS/GE 2011.11p1', true],
		['UGE 8.6.4', true],
		['Altair Grid Engine 2023.1', true],
		['usage: qstat [-f] [-1] [-W site_specific] [-x] [ job_identifier... ]', false],
		['qstat: invalid option -- h\nusage: qstat [-a]', false],
		['SLURM 22.05', false],
		['', false],
	])('%j: %s', async (line, is) => {
		const {paths} = makePrograms({
			qstat: `test "$1" = -help && cat <<'END'\n${line}\nEND`,
			torque: `cat >&2 <<'END'\n${line}\nEND\nexit 2`,
		});
		expect(await isGridEngine(paths.qstat)).toBe(is);
		expect(await isGridEngine(paths.torque)).toBe(is);
	});

	test('without a qstat there is none', async () => {
		expect(await isGridEngine(undefined)).toBe(false);
	});
});
