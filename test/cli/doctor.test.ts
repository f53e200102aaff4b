/** `qmr doctor` as a user calls it: on this machine, and on a dummy queue in which things go wrong. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {type DummyQueue, type Fault, initQueueState, type QueueState, readQueueState} from 'queue-map-reduce/dummy-queue';
import {describe, expect, test, vi} from 'vitest';
import {ANSWERED, type Examined, examineSite, levelsOf, ONLY_WAITING, useCallingPlace} from '../helpers/examine-site.js';
import {makePrograms} from '../helpers/made-programs.js';
import {killProcessesWith} from '../helpers/processes.js';
import {withoutVitest} from '../helpers/programs.js';
import {QMR, type QmrRun, runQmr} from '../helpers/qmr.js';

const place = useCallingPlace();

/** What is left in the current directory, in which the work_dir was by default. */
const leftHere = (): string[] => readdirSync(place.cwd);

const makeQueue = (state: Partial<QueueState> = {}): DummyQueue => initQueueState(join(place.path, 'queue'), state);

const queueFlags = ({qsubPath, qstatPath, qdelPath, qacctPath, qalterPath, qconfPath}: DummyQueue): string[] => [
	...['--qsub-path', qsubPath, '--qstat-path', qstatPath, '--qdel-path', qdelPath],
	...['--qacct-path', qacctPath, '--qalter-path', qalterPath, '--qconf-path', qconfPath],
	...['--polling-interval-ms', '50', '--grace-ms', '300'],
];

const doctor = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<QmrRun> =>
	runQmr(['doctor', ...args], {cwd: place.cwd, env});

const examine = (args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Examined> =>
	examineSite(args, {cwd: place.cwd, ...(env && {env})});

const examineQueue = async (state: Partial<QueueState>, ...args: readonly string[]): Promise<Examined & {readonly after: QueueState}> => {
	const queue = makeQueue(state);
	const examined = await examine([...queueFlags(queue), ...args]);
	return {...examined, after: readQueueState(queue.directory)};
};

describe('on this machine', () => {
	test('all is well, every part of the round trip has its time, and nothing is left', async () => {
		const report = await examine(['--engine', 'local']);
		expect(levelsOf(report)).toEqual({
			...{node: 'ok', umask: 'ok', 'work root': 'ok', space: expect.any(String), scheduler: 'ok', 'round trip': 'ok'},
			...{'worker-node': 'ok', 'shared files': 'ok', memory: expect.any(String), 'open files': 'ok', environment: 'ok'},
			'scratch directory': 'ok',
		});
		expect(report).toMatchObject({exitCode: 0, stderr: ONLY_WAITING});
		expect(Object.values(report.timings)).toHaveLength(9);
		for (const ms of Object.values(report.timings)) expect(ms).toBeGreaterThanOrEqual(0);
		expect(leftHere()).toEqual([]);
	});

	test('people get a line for each check and the timings, and that there is no scheduler is noted', async () => {
		const {exitCode, stdout, stderr} = await doctor([], {PATH: place.cwd});
		expect(stdout).toContain(`ok   node: Node ${process.version}\n`);
		expect(stdout).toContain('note scheduler: local (engine local, for no qsub and no sbatch is on PATH: computing on this machine, ');
		expect(stdout).toContain("     -> If there is a cluster here, put the scheduler's programs on PATH");
		expect(stdout).toMatch(/\nThe round trip:\n {5}submit +\d+\.\d{3} s\n {5}wait in the queue +\d+\.\d{3} s\n/);
		expect(stdout).toMatch(/\n(?:All is well: 12 checks|Maps will run here; \d of 12 checks warn)\.\n$/);
		expect([exitCode, stderr]).toEqual([0, ONLY_WAITING]);
	});

	test('a work root that can not be used is an error, and no round trip is tried', async () => {
		writeFileSync(join(place.path, 'file'), '');
		const report = await examine(['--engine', 'local', '--work-root', join(place.path, 'file', 'x')]);
		expect(report.of('work root')).toMatchObject({level: 'error', found: expect.stringContaining('no work_dir can be made in')});
		expect(report.of('round trip')).toBeUndefined();
		expect(report.exitCode).toBe(1);
	});

	test('what a configuration says of all maps holds here, too', async () => {
		writeFileSync(join(place.cwd, 'qmr.config.json'), JSON.stringify({engine: 'local', workRoot: 'runs'}), {mode: 0o600});
		const report = await examine([], {QMR_CONFIG: undefined, HOME: place.cwd, XDG_CONFIG_HOME: undefined});
		expect(report.of('work root')?.found).toContain(join(place.cwd, 'runs'));
		expect([report.exitCode, leftHere()]).toEqual([0, ['qmr.config.json']]);
	});

	test('a directory for work_dirs that was there stays', async () => {
		mkdirSync(join(place.cwd, 'work'), {mode: 0o700});
		expect((await examine(['--engine', 'local', '--work-root', 'work'])).exitCode).toBe(0);
		expect(leftHere()).toEqual(['work']);
		expect(readdirSync(join(place.cwd, 'work'))).toEqual([]);
	});

	test('what tasks could not use there is warned of', async () => {
		const report = await examine(['--engine', 'local'], {TMPDIR: join(place.cwd, 'nowhere')});
		expect(report.of('scratch directory')).toMatchObject({level: 'warning', found: expect.stringContaining('ENOENT')});
		expect(report.exitCode).toBe(0);
	});
});

describe('what is not meant', () => {
	test.each([
		[['--timeout', '0'], 'Expected --timeout to be a number of seconds above 0 and up to 2000000, got "0".'],
		[['--timeout', 'soon'], 'got "soon"'],
		[['--engine', 'nosuch'], 'Expected `engine` to be `grid-engine`, `slurm`, `local`'],
		[['--queue', 'x'], "unknown option '--queue'"],
	])('%j ends with exit code 2, and says so', async (args, words) => {
		const {exitCode, stdout, stderr} = await doctor(args);
		expect(stderr).toContain(words);
		expect([exitCode, stdout, leftHere()]).toEqual([2, '', []]);
	});

	test('--help has examples', async () => {
		const {exitCode, stdout} = await doctor(['--help']);
		expect(stdout).toContain('qmr doctor --work-root /scratch/ada --timeout 600');
		expect(exitCode).toBe(0);
	});
});

describe('on a queue', () => {
	test('that is well no check fails, and nothing is left', async () => {
		const {after, ...report} = await examineQueue({});
		expect(report.findings.filter(({level}) => level === 'error')).toEqual([]);
		expect(report).toMatchObject({exitCode: 0, stderr: ONLY_WAITING});
		expect(report.of('scheduler')).toEqual({
			check: 'scheduler',
			level: 'ok',
			found: 'grid-engine, SGE 8.1.9 (engine grid-engine, for `qsubPath` is given)',
		});
		// The directory of this test is a temporary one.
		expect(report.of('work root')).toMatchObject({
			level: 'warning',
			found: expect.stringContaining('is a place that every machine has for itself'),
		});
		expect(report.of('queue')).toMatchObject({
			level: ANSWERED,
			found: expect.stringMatching(/^answers in .* s; you have 0 queue-jobs in it$/),
		});
		expect(report.timings.submitMs).toBeGreaterThan(0);
		expect([after.jobs, leftHere()]).toEqual([[], []]);
	});

	test('X11: with few queue-jobs per user and small arrays this is told; with max_u_jobs 0 there is no limit', async () => {
		const {of} = await examineQueue({maxUserJobs: 20, maxElements: 10});
		expect(of('queue-jobs per user')).toMatchObject({level: 'warning', found: expect.stringContaining('20 (max_u_jobs)')});
		expect(of('array size')).toMatchObject({level: 'note', found: expect.stringContaining('10 elements only')});
		expect(of('round trip')?.level).toBe('ok');
		const free = await examineQueue({maxUserJobs: 0});
		expect(free.of('queue-jobs per user')).toMatchObject({level: 'ok', found: 'no limit (max_u_jobs 0)'});
	});

	test('whose programs are missing this is an error', async () => {
		const {of, exitCode, findings} = await examine(['--engine', 'grid-engine'], {PATH: place.cwd});
		expect(of('scheduler')).toMatchObject({
			level: 'error',
			found: expect.stringContaining('Expected `qsubPath` to be a program that can be executed, got "qsub".'),
			toDo: expect.stringContaining('module load'),
		});
		expect(findings.at(-1)?.check).toBe('scheduler');
		expect(exitCode).toBe(1);
	});

	test('of another product this is an error', async () => {
		const {directory: path} = makePrograms({qsub: 'exit 1', qstat: 'echo "usage: qstat [-f] of PBS"'});
		const {of, exitCode} = await examine([], {PATH: path});
		expect(of('scheduler')).toMatchObject({
			level: 'error',
			found: expect.stringContaining('belongs to a scheduler that is not supported'),
			toDo: expect.stringContaining('--engine slurm'),
		});
		expect(exitCode).toBe(1);
	});

	test.each([
		[{program: 'qstat', kind: 'hang', times: 9}, 'the scheduler does not answer: qstat did not answer within 2 s'],
		[
			{
				program: 'qstat',
				kind: 'fail',
				times: 9,
				exitCode: 1,
				stderr: 'error: commlib error: got select error\nerror: unable to send message to qmaster\n',
			},
			'qstat ended with exit status 1: error: commlib error: got select error error: unable to send message to qmaster',
		],
	] as const)('that does not answer nothing is submitted', async (fault, words) => {
		const {of, exitCode, after} = await examineQueue({faults: [{...fault}]}, '--timeout', '2');
		expect(of('queue')).toMatchObject({level: 'error', found: expect.stringContaining(words)});
		expect(of('round trip')).toBeUndefined();
		expect(exitCode).toBe(1);
		expect(after.faults[0]?.seen).toBeGreaterThan(0);
		expect([after.calls.qsub, leftHere()]).toEqual([0, []]);
	});

	test('that refuses queue-jobs for good its words are told', async () => {
		const {of, exitCode, after} = await examineQueue({known: {queues: ['short.q']}}, '--queue-name', 'nosuch.q');
		expect(of('round trip')).toMatchObject({
			level: 'error',
			found: expect.stringMatching(/^the scheduler refuses queue-jobs: .*nosuch\.q/),
			toDo: expect.stringContaining('--queue-name'),
		});
		expect([exitCode, after.calls.qsub, leftHere()]).toEqual([1, 1, []]);
	});

	test('that takes no queue-job at the moment its words are told when the time is over', async () => {
		const stderr = 'error: commlib error: got select error (Connection refused)\nUnable to run job: unable to send message to qmaster';
		const fault: Fault = {program: 'qsub', kind: 'fail', times: 99, exitCode: 1, stderr};
		const {of, exitCode, after} = await examineQueue({faults: [fault]}, '--timeout', '2');
		expect(of('round trip')).toMatchObject({
			level: 'error',
			found: expect.stringMatching(/^the scheduler took no queue-job for \d+\.\d s: .*unable to send message to qmaster/),
		});
		expect(after.faults[0]?.seen).toBeGreaterThan(0);
		expect([exitCode, leftHere()]).toEqual([1, []]);
	});

	test('where a queue-job waits for ever it is removed, and the queue says why', async () => {
		const {of, exitCode, after, stderr} = await examineQueue(
			{hosts: [{name: 'node1', state: 'd'}], pendingReasons: ['cannot run in queue "dummy.q" because it is disabled']},
			...['--timeout', '6'],
		);
		expect(of('round trip')).toMatchObject({
			level: 'error',
			found: expect.stringMatching(/^the queue-job 1 waited for \d+\.\d s and was removed \(state qw\): .*disabled/),
			toDo: expect.stringContaining('--timeout 3600'),
		});
		expect(stderr).toBe('qmr: the queue-job waits in the queue (for 6.0 s at the most, see --timeout)\n');
		expect(after.calls.qdel).toBeGreaterThan(0);
		expect([exitCode, after.jobs, leftHere()]).toEqual([1, [], []]);
	});

	test('where a queue-job gets into an error state it is removed, and the reason told', async () => {
		const {of, exitCode, after} = await examineQueue({faults: [{kind: 'error-state', times: 9, reason: 'unable to find shell "/x"'}]});
		expect(of('round trip')).toMatchObject({
			level: 'error',
			found: expect.stringContaining('the queue-job went into the error state Eqw: unable to find shell "/x"'),
			toDo: expect.stringContaining('Ask your administrator, or choose another --queue-name.'),
		});
		expect([exitCode, after.faults[0]?.seen, after.jobs, leftHere()]).toEqual([1, 1, [], []]);
	});

	test.each([
		[
			{kind: 'vanish', times: 9},
			/the queue-job ended, and nothing of it is to be seen in the work_dir$/,
			'the node does not see the work_dir',
		],
		[{kind: 'kill', times: 9}, /killed by SIGKILL/, 'A program ends so that is given too little memory'],
		[{kind: 'kill', times: 9, failed: 37, wallclockSeconds: 61}, /it ran longer than its h_rt/, 'Ask for more time: --resources time=10m.'],
	] as const)('where a queue-job dies (%j) this is told', async (fault, words, toDo) => {
		const {of, exitCode, after} = await examineQueue({faults: [{...fault}]}, '--resources', 'time=1m');
		expect(of('round trip')).toMatchObject({level: 'error', found: expect.stringMatching(words), toDo: expect.stringContaining(toDo)});
		expect([exitCode, after.faults[0]?.seen, leftHere()]).toEqual([1, 1, []]);
	});

	test('where the nodes have no such Node this is told', async () => {
		const {of, exitCode} = await examineQueue({}, '--node-path', '/nonexistent/node');
		expect(of('round trip')).toMatchObject({
			level: 'error',
			found: expect.stringMatching(/^the node has no such Node \(.*\/nonexistent\/node/),
			toDo: expect.stringContaining('name it: --node-path PATH'),
		});
		expect([exitCode, leftHere()]).toEqual([1, []]);
	});

	test('where the nodes can not see the work_dir this is told', async () => {
		// As the launcher ends then, after a minute: on real engines it does.
		const {paths} = makePrograms({node: 'exit 66'});
		const {of, exitCode, after} = await examineQueue({}, '--node-path', paths.node);
		expect(of('round trip')).toMatchObject({
			level: 'error',
			found: expect.stringContaining("the node can't see the work_dir"),
			toDo: expect.stringContaining('--work-root DIR'),
		});
		expect([exitCode, after.jobs, leftHere()]).toEqual([1, [], []]);
	});

	test.each([
		['another Node', "Object.defineProperty(process, 'version', {value: 'v18.1.0'});", 'the node runs another major version of Node: '],
		[
			'a file system without this package',
			"import {register} from 'node:module';\nregister('./resolve.mjs', import.meta.url);",
			"the node can't load what this machine can: ",
		],
	])('where the nodes have %s this is told', async (_, preload, words) => {
		const refuse = "if (specifier.includes('visit-worker-node')) throw new Error('no such file');";
		writeFileSync(join(place.path, 'preload.mjs'), preload);
		writeFileSync(
			join(place.path, 'resolve.mjs'),
			`export const resolve = (specifier, context, next) => {\n${refuse}\nreturn next(specifier, context);\n};\n`,
		);
		const {paths} = makePrograms({node: `exec ${process.execPath} --import ${join(place.path, 'preload.mjs')} "$@"`});
		const {of, exitCode} = await examineQueue({}, '--node-path', paths.node);
		expect(of('round trip')).toMatchObject({level: 'error', found: expect.stringContaining(words)});
		expect([exitCode, leftHere()]).toEqual([1, []]);
	});

	test('--keep leaves the work_dir of a round trip that has failed, and says where; of one that went well nothing', async () => {
		const {of} = await examineQueue({}, '--keep', '--node-path', '/nonexistent/node');
		const kept = of('kept');
		expect(kept).toMatchObject({level: 'note', found: expect.stringContaining(join(place.cwd, '.qmr'))});
		expect(existsSync(join(kept?.found ?? '', 'log.jsonl'))).toBe(true);
		expect((await examineQueue({}, '--keep', '--work-root', 'other')).exitCode).toBe(0);
		expect(leftHere()).toEqual(['.qmr']);
	});

	test('that does not let go of a queue-job this is an error', async () => {
		const faults: Fault[] = [{kind: 'linger', polls: 10_000, times: 9}];
		const {of, exitCode, after} = await examineQueue({faults, hosts: [{name: 'node1', state: 'd'}]}, '--timeout', '1');
		expect(of('left behind')).toEqual({
			check: 'left behind',
			level: 'error',
			found: 'the queue-job 1 (dqw)',
			toDo: 'Look again in a minute; what is there still must be removed by hand (qdel, scancel, rm).',
		});
		expect([exitCode, after.faults[0]?.seen, leftHere()]).toEqual([1, 1, []]);
	});
});

test.each([
	['SIGINT', 130],
	['SIGTERM', 143],
	['SIGHUP', 129],
] as const)('%s while its queue-job waits ends it, and nothing is left', async (signal, exitCode) => {
	const queue = makeQueue({hosts: [{name: 'node1', state: 'd'}]});
	const child = spawn(process.execPath, [QMR, 'doctor', ...queueFlags(queue)], {
		cwd: place.cwd,
		env: {...withoutVitest(), QMR_CONFIG: 'off'},
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let said = '';
	child.stderr.on('data', data => {
		said += String(data);
	});
	const ended = once(child, 'close');
	await vi.waitUntil(() => readQueueState(queue.directory).jobs.length === 1, {timeout: 60_000, interval: 50});
	child.kill(signal);
	expect((await ended)[0]).toBe(exitCode);
	const last = `qmr: ${signal}: nothing was left behind.\n`;
	expect([said.slice(0, -last.length), said.slice(-last.length)]).toEqual([ONLY_WAITING, last]);
	const {calls, jobs} = readQueueState(queue.directory);
	expect(calls.qdel).toBeGreaterThan(0);
	expect([jobs, leftHere()]).toEqual([[], []]);
});

test('Ctrl-C while the scheduler does not answer ends it all the same', async () => {
	const queue = makeQueue({faults: [{program: 'qstat', kind: 'hang', times: 9}]});
	const child = spawn(process.execPath, [QMR, 'doctor', ...queueFlags(queue), '--program-timeout-ms', '1000000'], {
		cwd: place.cwd,
		env: {...withoutVitest(), QMR_CONFIG: 'off'},
		stdio: 'ignore',
	});
	const ended = once(child, 'exit');
	await vi.waitUntil(() => readQueueState(queue.directory).faults[0]?.seen === 1, {timeout: 60_000, interval: 50});
	child.kill('SIGINT');
	expect((await ended)[0]).toBe(130);
	expect(leftHere()).toEqual([]);
	// What hangs in the name of the fault.
	killProcessesWith(queue.directory);
});
