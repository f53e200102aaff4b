import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import type {ArrayJobs, ArrayRequest, JobQuestion, JobRequest, SubmitOutcome} from '../../src/engines/engine.js';
import {createGridEngine, type GridEngineOptions, isGridEngine} from '../../src/engines/grid-engine.js';
import {avoidingArguments, judgeSubmission, submitArguments, submitEnvironment} from '../../src/engines/grid-engine-submit.js';
import {makePrograms} from '../helpers/made-programs.js';

const judged = (stderr: string, exitCode = 1, stdout = ''): SubmitOutcome => judgeSubmission({ending: 'exited', exitCode, stdout, stderr});
/** As all programs of 8.1.9 say when the resolver fails for a moment. */
const NO_HOST_NAME = 'Unable to initialize environment because of error: sge_gethostbyname failed\nExiting.\n';
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
		['937.\n', undefined],
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
		["Unable to run job: job 14 was rejected because it can't be written: No space left on device.\nExiting.\n", 'temporary'],
		["Unable to run job: job 14 was rejected because it couldn't be written.\nExiting.\n", 'temporary'],
		['Unable to run job: JSV temporarily rejected job.\nExiting.\n', 'temporary'],
		['Unable to run job: Job is rejected temporarily.\nExiting.\n', 'temporary'],
		['Unable to run job: JSV rejected job.\nExiting.\n', 'permanent'],
		['error: can\'t get password entry for user "ada". Either user does not exist or error with NIS/LDAP etc.\n', 'temporary'],
		[NO_HOST_NAME, 'temporary'],
		['job rejected: Only 3 jobs are allowed per user (current job count: 3)', 'full'],
	])('a failure in the words %j is %s', (stderr, kind) => {
		expect(judged(stderr).kind).toBe(kind);
	});

	test('exit status 25 is a limit, whatever is said', () => {
		expect(judged('Unable to run job: something.\n', 25)).toEqual({kind: 'full', reason: 'Unable to run job: something.'});
		expect(judged('', 25)).toEqual({kind: 'full', reason: 'qsub ended with exit status 25'});
	});

	test('X12: a failure that queued the job all the same is looked up by its name: no number is taken from prose', () => {
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

	test('Q11: say all that a default request file could say otherwise', () => {
		// As one line; the empty word after -C stands between two blanks.
		expect(submitArguments({queueName: undefined, qsubArgs: []}, request).join(' ')).toBe(
			'-terse -N qs#000000013.1 -C  -S /bin/sh -b n -shell y -j n -r n -now n -i /dev/null -o /dev/null -e /dev/null -wd / /work dir/launch.sh 13 1',
		);
	});

	test('go without the caller’s secrets, for -V in a default request file would show them to everyone', () => {
		const environment = {PATH: '/bin', HOME: '/home/me', SGE_ROOT: '/sge', API_TOKEN: 'secret', JOB_ID: '7'};
		expect(submitEnvironment(environment)).toEqual({PATH: '/bin', HOME: '/home/me', SGE_ROOT: '/sge'});
	});

	test('Q11, C5: the queue and the user’s own arguments come last before the script, so that they win', () => {
		const args = submitArguments({queueName: 'short.q', qsubArgs: ['-l', 'h_vmem=8G', '-wd', '/tmp']}, request);
		expect(args.slice(-9)).toEqual(['-q', 'short.q', '-l', 'h_vmem=8G', '-wd', '/tmp', '/work dir/launch.sh', '13', '1']);
	});
});

describe('the arguments of qsub, for what a queue-job is to be given and where it is not to go', () => {
	const request = {name: 'a', script: '/launch.sh', scriptArguments: ['13', '1'], avoidHosts: ['node1', 'node2.site'], resources: {}};

	test('limits come before the user’s own arguments, so that these win', () => {
		const resources = {memoryBytes: 8 * 2 ** 30, timeSeconds: 5400};
		const args = submitArguments({queueName: 'short.q', qsubArgs: ['-l', 'h_vmem=1G']}, {...request, resources});
		const asked = ['-q', 'short.q', '-l', 'h_vmem=8589934592', '-l', 'h_rt=5400', '-l', 'h_vmem=1G', '/launch.sh', '13', '1'];
		expect(args.slice(-asked.length)).toEqual(asked);
		const some = submitArguments({queueName: undefined, qsubArgs: []}, {...request, resources: {timeSeconds: 1}});
		expect(some.slice(-5)).toEqual(['-l', 'h_rt=1', '/launch.sh', '13', '1']);
	});

	test('hosts are avoided before the user’s own arguments, and whether it can run at all is asked after them', () => {
		const args = avoidingArguments({queueName: undefined, qsubArgs: ['-l', 'h=node1', '-w', 'n']}, request);
		const asked = ['-l', 'h=!node1&!node2.site', '-l', 'h=node1', '-w', 'n', '-w', 'e', '/launch.sh', '13', '1'];
		expect(args.slice(-asked.length)).toEqual(asked);
	});
});

/** An engine on programs made of these shell lines; every call is noted in the file `calls`. */
const makeEngine = (
	programs: {
		readonly qsub?: string;
		readonly qstat?: string;
		readonly qdel?: string;
		readonly qacct?: string;
		readonly qalter?: string;
		readonly qconf?: string;
	},
	options: Partial<GridEngineOptions> = {},
) => {
	const noted = (lines = 'exit 0'): string => `echo "$(basename "$0") $*" >> "$(dirname "$0")/calls"\n${lines}`;
	const {paths, directory} = makePrograms({
		qsub: noted(programs.qsub),
		qstat: noted(programs.qstat),
		qdel: noted(programs.qdel),
		qacct: noted(programs.qacct),
		qalter: noted(programs.qalter),
		qconf: noted(programs.qconf),
	});
	const engine = createGridEngine({
		qsubPath: paths.qsub,
		qstatPath: paths.qstat,
		qdelPath: paths.qdel,
		qacctPath: paths.qacct,
		qalterPath: paths.qalter,
		qconfPath: paths.qconf,
		queueName: undefined,
		qsubArgs: [],
		errorStateIndicator: 'E',
		programTimeoutMs: 20_000,
		submitConcurrency: 1,
		user: 'daemon',
		...options,
	});
	return {engine, calls: () => readFileSync(join(directory, 'calls'), 'utf8').trimEnd().split('\n')};
};

const CONFIGURATION = join(import.meta.dirname, '../fixtures/qconf/configuration.txt');
const MANY = join(import.meta.dirname, '../fixtures/qstat/many.xml');
const requests = ['a', 'b', 'c'].map(
	(name): JobRequest => ({name, script: '/launch.sh', scriptArguments: [], avoidHosts: [], resources: {}}),
);
const THREE = requests.map(() => ({kind: 'submitted', id: '7'}));
const ARRAY: ArrayRequest = {...(requests[0] as JobRequest), numElements: 5, maxRunning: undefined};

/** After so long a program that hangs is killed: by then it has noted that it was called, on a busy machine, too. */
const HANG_MS = 2000;

describe('the engine', () => {
	test('P6: submits in order and stops at the first that is not taken', async () => {
		const {engine, calls} = makeEngine({qsub: 'case "$*" in *"-N b "*) exit 25;; *) echo 7;; esac'});
		expect(await engine.submit(requests)).toEqual([
			{kind: 'submitted', id: '7'},
			{kind: 'full', reason: 'qsub ended with exit status 25'},
			{kind: 'untried'},
		]);
		expect(calls()).toHaveLength(2);
	});

	test('has as many calls of qsub under way as it may and no more, arrays included, whoever submits by it', async () => {
		// The first one waits until a second one has noted how many there are.
		const qsub = `dir=$(dirname "$0"); : > "$dir/under-way.$$"
ls "$dir" | grep -c under-way >> "$dir/calls"; : > "$dir/begun.$$"
until test "$(ls "$dir" | grep -c begun)" -ge 2; do sleep 0.01; done
rm "$dir/under-way.$$"
case "$*" in *"-t 1-5"*) echo 8.1-5:1;; *) echo 7;; esac`;
		const {engine, calls} = makeEngine({qsub}, {submitConcurrency: 2});
		const outcomes = await Promise.all([engine.submit(requests), engine.arrays?.submit(ARRAY), engine.submit(requests)]);
		expect(outcomes).toEqual([THREE, {kind: 'submitted', id: '8'}, THREE]);
		const numUnderWay = calls().filter(line => /^\d+$/.test(line));
		expect(numUnderWay).toHaveLength(7);
		expect(Math.max(...numUnderWay.map(Number))).toBe(2);
	});

	test('asks no second time whether another host takes what none but the avoided one did', async () => {
		const qsub = 'case "$*" in *"-w e"*) echo "error: no suitable queues" >&2; exit 1;; *) echo 8;; esac';
		const {engine, calls} = makeEngine({qsub});
		const avoiding = (host: string, resources = {}): JobRequest => ({...(requests[0] as JobRequest), avoidHosts: [host], resources});
		await engine.submit([avoiding('node1'), avoiding('node1')]);
		expect(calls()).toHaveLength(3);
		// Of another host, and of other resources, that says nothing.
		await engine.submit([avoiding('node2'), avoiding('node1', {memoryBytes: 2 ** 31})]);
		expect(calls()).toHaveLength(7);
	});

	test('asks again when what none took was refused altogether', async () => {
		const {engine, calls} = makeEngine({qsub: 'exit 1'});
		const [request] = requests as [JobRequest];
		for (let i = 0; i < 2; i++) expect(await engine.submit([{...request, avoidHosts: ['node1']}])).toMatchObject([{kind: 'permanent'}]);
		expect(calls()).toHaveLength(4);
	});

	test('Q13, X13: lists by one call for its own user', async () => {
		const {engine, calls} = makeEngine({qstat: `cat '${MANY}'; echo 'warning: old' >&2`});
		expect(await engine.status()).not.toEqual([]);
		expect(calls()).toEqual(['qstat -f -ne -xml -u daemon']);
	});

	test('asks once for all who take an answer that old, whichever of the engines with this qstat they have', async () => {
		const {paths, directory} = makePrograms({qstat: `echo x >> "$(dirname "$0")/calls"; cat '${MANY}'`});
		const engines = [1, 2].map(submitConcurrency => makeEngine({}, {qstatPath: paths.qstat, submitConcurrency}).engine);
		const beforeMs = performance.now();
		const listings = await Promise.all(engines.map(engine => engine.status(beforeMs)));
		expect(listings[0]).toBe(listings[1]);
		expect(await engines[0]?.status(beforeMs)).toBe(listings[0]);
		const numCalls = (): number => readFileSync(join(directory, 'calls'), 'utf8').trimEnd().split('\n').length;
		expect(numCalls()).toBe(1);
		// Others want another user's, or call another state an error.
		for (const options of [{user: 'root'}, {errorStateIndicator: 'X'}]) {
			await makeEngine({}, {qstatPath: paths.qstat, ...options}).engine.status(beforeMs);
		}
		expect(numCalls()).toBe(3);
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

	test('Q30: asks a second time at once when an answer can’t be used', async () => {
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
		const {engine, calls} = makeEngine({qstat: 'exec sleep 1000'}, {programTimeoutMs: HANG_MS});
		await expect(engine.status()).rejects.toThrow('qstat did not answer within 2 s');
		expect(calls()).toHaveLength(1);
	});

	test('W2: removes a hundred at a time, and what qdel says decides nothing', async () => {
		const {engine, calls} = makeEngine({qdel: 'echo "denied: job does not exist"; exit 1'});
		await engine.remove(Array.from({length: 201}, (_, i) => String(i)));
		expect(calls().map(line => line.split(' ').length - 1)).toEqual([100, 100, 1]);
		await engine.remove([]);
		expect(calls()).toHaveLength(3);
	});

	test.each([
		['finds no master', `echo '${NO_MASTER}' >&2; exit 1`, {}, 'unable to send message to qmaster'],
		['finds no host by its name', `echo '${NO_HOST_NAME}' >&2; exit 1`, {}, 'gethostbyname failed'],
		['hangs', 'exec sleep 1000', {programTimeoutMs: HANG_MS}, 'qdel did not answer in time'],
		['is killed', 'kill -9 $$', {}, 'qdel was killed'],
	])('a qdel that %s has removed nothing that one can rely on, and is tried for all others', async (_, qdel, options, message) => {
		const {engine, calls} = makeEngine({qdel}, options);
		await expect(engine.remove(Array.from({length: 101}, (_value, i) => String(i)))).rejects.toThrow(message);
		expect(calls()).toHaveLength(2);
	});

	const AVOIDING = [{name: 'a', script: '/launch.sh', scriptArguments: [], avoidHosts: ['node1'], resources: {}}];

	test('stays away from hosts where it can', async () => {
		const {engine, calls} = makeEngine({qsub: 'echo 7'});
		expect(await engine.submit(AVOIDING)).toEqual([{kind: 'submitted', id: '7'}]);
		expect(calls()).toEqual([expect.stringMatching(/ -wd \/ -l h=!node1 -w e \/launch\.sh$/)]);
	});

	test('goes to a host to be avoided when there is no other', async () => {
		const refused =
			'case "$*" in *"-w e"*) echo "Unable to run job: error: no suitable queues" >&2; echo Exiting. >&2; exit 1;; *) echo 8;; esac';
		const {engine, calls} = makeEngine({qsub: refused});
		expect(await engine.submit(AVOIDING)).toEqual([{kind: 'submitted', id: '8'}]);
		expect(calls()).toHaveLength(2);
		expect(calls()[1]).not.toMatch(/node1|-w e/);
	});

	test.each([
		['exit 25', 'full'],
		[`echo '${NO_MASTER}' >&2; exit 1`, 'temporary'],
		['kill -9 $$', 'unanswered'],
		['exit 0', 'unanswered'],
	])('a qsub that did %j is not called twice: it may be in the queue, or will be tried again', async (qsub, kind) => {
		const {engine, calls} = makeEngine({qsub});
		expect(await engine.submit(AVOIDING)).toMatchObject([{kind}]);
		expect(calls()).toHaveLength(1);
	});
});

describe('arrays', () => {
	const arraysOf = (...made: Parameters<typeof makeEngine>) => {
		const {engine, calls} = makeEngine(...made);
		return {arrays: engine.arrays as ArrayJobs, calls};
	};

	test.each([
		['8.1-5:1', 'submitted'],
		['welcome\n8.1-5:1', 'submitted'],
		['8', 'unanswered'],
		['8.1-4:1', 'unanswered'],
		['8.1-5:2', 'unanswered'],
		['', 'unanswered'],
	])('an array of five is submitted when qsub says so: %j', async (answer, kind) => {
		const {arrays, calls} = arraysOf({qsub: `echo '${answer}'`}, {qsubArgs: ['-t', '3-4', '-q', 'short.q']});
		expect(await arrays.submit(ARRAY)).toMatchObject({kind, ...(kind === 'submitted' ? {id: '8'} : {})});
		// Behind the user's own arguments, which would make it another one.
		expect(calls()).toEqual([expect.stringMatching(/ -t 3-4 -q short\.q -t 1-5 \/launch\.sh$/)]);
	});

	test('that are longer than the site allows have room when they are shorter', async () => {
		const refused = 'Unable to run job: job rejected: you tried to submit a job with more than 4 tasks\nExiting.\n';
		const {arrays} = arraysOf({qsub: `printf '${refused.replaceAll('\n', '\\n')}' >&2; exit 1`});
		expect(await arrays.submit(ARRAY)).toMatchObject({kind: 'full'});
		expect(judged(refused).kind).toBe('permanent');
	});

	test('Q29: as many elements run at a time as are asked for', async () => {
		const {arrays, calls} = arraysOf({qsub: 'echo 8.1-5:1'});
		await arrays.submit({...ARRAY, maxRunning: 3, scriptArguments: ['7', '1', arrays.elementVariable]});
		expect(calls()).toEqual([expect.stringMatching(/ -t 1-5 -tc 3 \/launch\.sh 7 1 SGE_TASK_ID$/)]);
	});

	test('are never longer than the site allows, which is asked once', async () => {
		const {arrays, calls} = arraysOf({qconf: `cat '${CONFIGURATION}'`});
		expect([await arrays.maxElements(), await arrays.maxElements()]).toEqual([75_000, 75_000]);
		expect(calls()).toEqual(['qconf -sconf']);
	});

	test('may be as long as Grid Engine can count where the site sets no limit', async () => {
		expect(await arraysOf({qconf: 'echo "max_aj_tasks    0"'}).arrays.maxElements()).toBe(9_999_999);
	});

	test.each([
		['is missing', {}, {qconfPath: '/nonexistent/qconf'}],
		['is not to be asked', {}, {qconfPath: undefined}],
		['fails', {qconf: 'exit 1'}, {}],
		['says nothing of it', {qconf: 'echo max_aj_tasks none'}, {}],
		['hangs', {qconf: 'exec sleep 1000'}, {programTimeoutMs: HANG_MS}],
	])('are of a cautious length when qconf %s, and it is asked again', async (_, programs, options) => {
		const {arrays} = arraysOf(programs, options);
		expect([await arrays.maxElements(), await arrays.maxElements()]).toEqual([1000, 1000]);
	});

	test('qconf that recovers is believed', async () => {
		const {arrays} = arraysOf({qconf: 'if test -e "$0.once"; then echo "max_aj_tasks 7"; else : > "$0.once"; exit 1; fi'});
		expect([await arrays.maxElements(), await arrays.maxElements()]).toEqual([1000, 7]);
	});

	test('elements are removed by as few arguments as possible', async () => {
		const {engine, calls} = makeEngine({});
		await engine.remove(['8.1', '9', '8.3', '8.5', '8.7', '8.9', '8.10', '8.11', '10.4']);
		expect(calls()).toEqual(['qdel 9 8.1-9:2 8.10-11:1 10.4']);
	});
});

describe('explaining', () => {
	const fixture = (name: string): string => `'${join(import.meta.dirname, '../fixtures', name)}'`;
	const question = (state: JobQuestion['state'], name = 'notify'): JobQuestion => ({id: '69', name, state, resources: {}});

	test('an error state by its reason, and by the host that the accounting knows', async () => {
		const qstat = `echo 'error reason 1: x [0:1]: unable to find shell "/x"'`;
		const {engine, calls} = makeEngine({qstat, qacct: `cat ${fixture('qacct/shell.txt')}`});
		const end = {failed: true, reason: 'unable to find shell "/x"', isPermanent: true};
		expect(await engine.explain(question('error', 'eqw'))).toEqual({...end, host: 'node1'});
		expect(calls().sort()).toEqual(['qacct -j 69', 'qstat -j 69']);
		expect(await engine.explain(question('error', 'another'))).toEqual(end);
		expect(await makeEngine({qstat}, {qacctPath: undefined}).engine.explain(question('error'))).toEqual(end);
		expect(await makeEngine({qstat: `echo 'error reason 1: x [0:1]: some other'`}).engine.explain(question('error'))).toEqual({
			...{failed: true, reason: 'some other', isPermanent: false},
		});
		expect(await makeEngine({qstat: 'exit 1'}).engine.explain(question('error'))).toBeUndefined();
	});

	test('an end by the accounting', async () => {
		const qacct = `cat ${fixture('qacct/notify-killed.txt')}`;
		const {engine, calls} = makeEngine({qacct});
		expect(await engine.explain(question('ended'))).toMatchObject({failed: true, kind: 'killed', host: 'node1'});
		expect(calls()).toEqual(['qacct -j 69']);
		expect(await engine.explain(question('ended', 'other'))).toBeUndefined();
		expect(await makeEngine({qacct}, {qacctPath: undefined}).engine.explain(question('ended'))).toBeUndefined();
	});

	test('an element of an array by what concerns it, not its neighbours', async () => {
		const {engine, calls} = makeEngine({
			qstat: `cat ${fixture('qstat/job-array-error.txt')}`,
			qacct: `cat ${fixture('qacct/array.txt')}`,
		});
		const of = (element: number, state: JobQuestion['state']): JobQuestion => ({
			id: `1929.${element}`,
			name: 'errors',
			state,
			resources: {},
		});
		const reason = (element: number): string => `error: can't open output file "/nonexistent/${element}/x": No such file or directory`;
		expect(await engine.explain(of(2, 'error'))).toEqual({failed: true, reason: reason(2), isPermanent: true, host: 'node1'});
		expect(await engine.explain(of(4, 'error'))).toEqual({failed: true, reason: reason(4), isPermanent: true, host: 'node2'});
		expect(await engine.explain(of(1, 'error'))).toBeUndefined();
		expect(await engine.explain(of(1, 'ended'))).toMatchObject({failed: true, kind: 'killed', host: 'node2'});
		expect(await engine.explain(of(5, 'ended'))).toBeUndefined();
		expect(calls().slice(0, 2).sort()).toEqual(['qacct -j 1929 -t 2', 'qstat -j 1929']);
	});

	test('a waiting element by what its array waits for, not by the error state of another', async () => {
		const {engine, calls} = makeEngine({
			qstat: `cat ${fixture('qstat/job-array-error.txt')}`,
			qalter: 'echo "verification: found suitable queue(s)"',
		});
		const end = await engine.explain({id: '1929.5', name: 'errors', state: 'pending', resources: {}});
		expect(end).toEqual({failed: false, reason: "not all array tasks may be started due to 'max_aj_instances'"});
		expect(calls().sort()).toEqual(['qalter -w p 1929', 'qstat -j 1929']);
	});

	test('a limit that the queue-job did not ask for, by those of the queue', async () => {
		const qstat = `echo '<resource name="h_rt" type="qf">00:00:03</resource>'`;
		const qacct = `cat ${fixture('qacct/queue-h_rt.txt')}`;
		const {engine, calls} = makeEngine({qstat, qacct});
		expect(await engine.explain(question('ended', 'qrt'))).toMatchObject({kind: 'wall-time', host: 'node2'});
		expect(calls()[1]).toBe('qstat -f -F h_rt,s_rt,h_cpu,s_cpu,h_vmem,s_vmem -xml -q lim.q@node2');
		const withoutQstat = makeEngine({qacct}, {qstatPath: '/nonexistent/qstat'});
		expect(await withoutQstat.engine.explain(question('ended', 'qrt'))).toMatchObject({kind: 'killed'});
	});

	test('waiting by what qalter and qstat say', async () => {
		const qalter = `cat ${fixture('qalter/full.txt')}`;
		const {engine, calls} = makeEngine({qalter, qstat: `cat ${fixture('qalter/waits.job.txt')}`});
		expect(await engine.explain(question('pending'))).toEqual({
			failed: false,
			reason: 'no suitable queues: cannot run in queue "all.q@node1" and 1 more because it offers only qc:slots=0.000000',
		});
		expect(calls().sort()).toEqual(['qalter -w p 69', 'qstat -j 69']);
	});

	test('waiting by one of them, when the other is missing, hangs or is not to be asked', async () => {
		const qstat = `cat ${fixture('qalter/waits.job.txt')}`;
		const dropped = {failed: false, reason: expect.stringContaining('dropped because it is full')};
		const others = [
			makeEngine({qstat, qalter: 'exec sleep 1000'}, {programTimeoutMs: HANG_MS}),
			makeEngine({qstat, qalter: 'exit 1'}),
			makeEngine({qstat}, {qalterPath: undefined}),
			makeEngine({qstat}, {qalterPath: '/nonexistent/qalter'}),
		];
		for (const {engine} of others) expect(await engine.explain(question('pending'))).toEqual(dropped);
		const qalter = `cat ${fixture('qalter/full.txt')}`;
		expect(await makeEngine({qstat: 'exit 1', qalter}).engine.explain(question('pending'))).toMatchObject({failed: false});
		expect(await makeEngine({qstat: 'exit 1', qalter: 'exit 1'}).engine.explain(question('pending'))).toBeUndefined();
	});

	test.each(['error', 'ended', 'pending'] as const)('never rejects, also when all programs have vanished: %s', async state => {
		const nowhere = '/nonexistent/program';
		const {engine} = makeEngine({}, {qstatPath: nowhere, qacctPath: nowhere, qalterPath: nowhere});
		expect(await engine.explain(question(state))).toBeUndefined();
	});

	test.each(['error', 'ended', 'pending'] as const)('never waits for longer than a program may take: %s', async state => {
		const hangs = 'exec sleep 1000';
		const {engine, calls} = makeEngine({qstat: hangs, qacct: hangs, qalter: hangs}, {programTimeoutMs: HANG_MS});
		expect(await engine.explain(question(state))).toBeUndefined();
		expect(calls().length).toBeGreaterThan(0);
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
