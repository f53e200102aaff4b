/** What the engine says of queue-jobs of a real Grid Engine: how they ended, why they are in error, what they wait for, where they go. */
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {chooseEngine} from '../../src/choose-engine.js';
import type {Engine, JobEnd, JobQuestion, JobRequest, JobStatus, SubmitOutcome} from '../../src/engines/engine.js';
import type {PoolOptions} from '../../src/options.js';
import {call, deleteJobs} from '../helpers/grid-engine.js';

/** Names that no other run of these tests has. */
const RUN = `x${process.pid}-${Date.now().toString(36)}`;

let directory: string;
let numJobs = 0;
const submitted: string[] = [];

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'qmr-explanations-'));
});
afterEach(async () => {
	await deleteJobs(submitted.splice(0));
	rmSync(directory, {recursive: true, force: true});
});

const createEngine = async (options: PoolOptions = {}): Promise<Engine> => (await chooseEngine({engine: 'grid-engine', ...options})).engine;

type Job = Pick<JobQuestion, 'id' | 'name' | 'resources'>;

/** Submits lines for a shell; `$1` is a directory that all nodes share. */
const trySubmit = async (engine: Engine, lines: string, request: Partial<JobRequest> = {}): Promise<{outcome: SubmitOutcome; job: Job}> => {
	const name = `${RUN}.${++numJobs}`;
	const script = join(directory, `${name}.sh`);
	writeFileSync(script, `${lines}\n`);
	const resources = request.resources ?? {};
	const [outcome] = await engine.submit([{name, script, scriptArguments: [directory], avoidHosts: [], ...request, resources}]);
	if (outcome === undefined) throw new Error('no outcome');
	if (outcome.kind === 'submitted') submitted.push(outcome.id);
	return {outcome, job: {id: outcome.kind === 'submitted' ? outcome.id : '', name, resources}};
};

const submit = async (engine: Engine, lines: string, request: Partial<JobRequest> = {}): Promise<Job> => {
	const {outcome, job} = await trySubmit(engine, lines, request);
	expect(outcome).toEqual({kind: 'submitted', id: job.id});
	return job;
};

const statusOf = async (engine: Engine, {id}: Job): Promise<JobStatus | undefined> => (await engine.status()).find(job => job.id === id);

const untilStatus = (engine: Engine, job: Job, isMeant: (status: JobStatus | undefined) => boolean): Promise<JobStatus | undefined> =>
	vi.waitFor(
		async () => {
			const status = await statusOf(engine, job);
			if (!isMeant(status)) throw new Error(`it is ${JSON.stringify(status)}`);
			return status;
		},
		// A queue-job that computes has to share the processors with all the others.
		{timeout: 140_000, interval: 300},
	);

/** Waits until it has left the queue, and the accounting knows of it. */
const endOf = async (engine: Engine, job: Job): Promise<JobEnd> => {
	await untilStatus(engine, job, status => status === undefined);
	return vi.waitUntil(() => engine.explain({...job, state: 'ended'}), {timeout: 90_000, interval: 500});
};

/** Waits until the lines have written their process number, and gives it. */
const untilBegun = (): Promise<number> =>
	vi.waitUntil(() => (existsSync(join(directory, 'pid')) ? Number(readFileSync(join(directory, 'pid'), 'utf8')) : 0), {
		timeout: 60_000,
		interval: 100,
	});

const LASTS = 'echo $$ > "$1/tmp"; mv "$1/tmp" "$1/pid"; exec sleep 300';
const nodeWith = (source: string): string => `exec '${process.execPath}' -e '${source}'`;

describe('an end is explained', () => {
	test.each<[what: string, lines: string, request: Partial<JobRequest>, qsubArgs: readonly string[], end: object]>([
		['well', 'exit 0', {}, [], {failed: false, reason: 'exit status 0'}],
		['with a status', 'exit 3', {}, [], {failed: true, reason: 'exit status 3'}],
		['by the launcher', 'exit 66', {}, [], {failed: true, kind: 'start-failed', reason: expect.stringContaining('could not be read')}],
		['after its time', 'sleep 300', {resources: {timeSeconds: 2}}, [], {kind: 'wall-time', reason: expect.stringContaining('h_rt of 2 s')}],
		['after its time, asked for otherwise', 'sleep 300', {}, ['-l', 'h_rt=0:0:2'], {kind: 'wall-time'}],
		['after its processor time', 'while :; do :; done', {}, ['-l', 'h_cpu=2'], {kind: 'wall-time'}],
		[
			'with more memory than it has, in several processes',
			'for i in 1 2 3 4 5 6; do perl -e \'$x = "a" x 300_000_000; sleep 300\' & done; wait',
			{resources: {memoryBytes: 1200 * 2 ** 20, timeSeconds: 600}},
			[],
			{kind: 'out-of-memory', reason: expect.stringContaining('h_vmem of 1200 MB')},
		],
		[
			'because Node has no room',
			nodeWith('0'),
			{},
			['-l', 'h_vmem=300M'],
			{kind: 'out-of-memory', reason: expect.stringMatching(/SIGTRAP.*too small.* MB of address space/)},
		],
		[
			'because Node is full',
			nodeWith('const all = []; for (;;) all.push(new Array(1e6).fill(Math.random()))'),
			{resources: {memoryBytes: 2 * 2 ** 30}},
			[],
			{kind: 'killed', reason: expect.stringMatching(/SIGABRT.*heap/)},
		],
	])('%s', async (_, lines, request, qsubArgs, end) => {
		const engine = await createEngine({qsubArgs});
		const job = await submit(engine, lines, request);
		expect(await endOf(engine, job)).toMatchObject({...end, host: expect.any(String)});
	});

	test('that somebody killed', async () => {
		const engine = await createEngine();
		const job = await submit(engine, LASTS);
		process.kill(await untilBegun(), 'SIGKILL');
		expect(await endOf(engine, job)).toMatchObject({failed: true, kind: 'killed', reason: expect.stringContaining('killed by SIGKILL')});
	});

	test('whose shepherd was killed: its node counts as lost, and the job may run on', async () => {
		const engine = await createEngine();
		const job = await submit(engine, LASTS);
		const pid = await untilBegun();
		const shepherd = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
		expect(readFileSync(`/proc/${shepherd}/comm`, 'utf8').trim()).toBe('sge_shepherd');
		process.kill(shepherd, 'SIGKILL');
		try {
			expect(await endOf(engine, job)).toMatchObject({failed: true, kind: 'node-lost', reason: expect.stringContaining('failed 19')});
			expect(existsSync(`/proc/${pid}`)).toBe(true);
		} finally {
			process.kill(pid, 'SIGKILL');
		}
	});

	test('by qdel: like a kill when it ran, and not at all when it waited', async () => {
		const engine = await createEngine();
		const running = await submit(engine, LASTS);
		await untilBegun();
		const waiting = await submit(await createEngine({qsubArgs: ['-h']}), LASTS);
		await call('qdel', [running.id, waiting.id]);
		expect(await endOf(engine, running)).toMatchObject({failed: true, kind: 'killed'});
		expect(await engine.explain({...waiting, state: 'ended'})).toBeUndefined();
	});
});

describe('an error state is explained', () => {
	test.each<[qsubArgs: readonly string[], reason: string]>([
		[['-S', '/nonexistent'], 'unable to find shell "/nonexistent"'],
		[['-S', '/etc/passwd'], 'execvlp(/etc/passwd, …) failed: Permission denied'],
		[['-wd', '/nonexistent'], "error: can't chdir to /nonexistent: No such file or directory"],
		[['-o', '/nonexistent/x'], 'error: can\'t open output file "/nonexistent/x": No such file or directory'],
		[['-o', '/etc/passwd/x'], 'can\'t stat() "/etc/passwd/x" as stdout_path: Not a directory'],
		[['-i', '/nonexistent'], "error: can't open /nonexistent as dummy input file"],
	])('that is permanent: %j', async (qsubArgs, reason) => {
		const engine = await createEngine({qsubArgs});
		const job = await submit(engine, 'exit 0');
		expect(await untilStatus(engine, job, status => status?.state === 'error')).toMatchObject({rawState: 'Eqw'});
		expect(await engine.explain({...job, state: 'error'})).toMatchObject({failed: true, reason, isPermanent: true});
		// The accounting is written a moment later.
		const explain = async () => (await engine.explain({...job, state: 'error'}))?.host;
		expect(await vi.waitUntil(explain, {timeout: 90_000, interval: 500})).toMatch(/node/);
	});

	test('that is not: it asked for it by exit status 100', async () => {
		const engine = await createEngine();
		const job = await submit(engine, 'exit 100');
		await untilStatus(engine, job, status => status?.state === 'error');
		expect(await engine.explain({...job, state: 'error'})).toMatchObject({
			...{failed: true, reason: 'exit_status of job start = 100', isPermanent: false},
		});
	});
});

describe('waiting is explained', () => {
	const explainWaiting = async (qsubArgs: readonly string[]): Promise<string | undefined> => {
		const engine = await createEngine({qsubArgs});
		const jobs = [await submit(engine, 'exit 0'), await submit(engine, 'exit 0')];
		const ends = await Promise.all(jobs.map(job => engine.explain({...job, state: 'pending'})));
		expect(ends.every(end => end?.failed === false)).toBe(true);
		// Equal reasons read alike, whatever the number.
		expect(ends[1]).toEqual(ends[0]);
		return ends[0]?.reason;
	};

	test('by what no node offers', async () => {
		expect(await explainWaiting(['-l', 'arch=nosuch'])).toMatch(
			/^no suitable queues: \(-l arch=nosuch\) cannot run at host "[^"]+" and \d+ more because it offers only hl:arch=/,
		);
	});

	test('by who holds it', async () => {
		await vi.waitFor(async () => expect(await explainWaiting(['-h'])).toBe('it is held, and qrls releases it'), {timeout: 90_000});
	});

	test('and it runs all the same once it may', async () => {
		const engine = await createEngine();
		const job = await submit(await createEngine({qsubArgs: ['-h']}), 'exit 0');
		await engine.explain({...job, state: 'pending'});
		await call('qrls', [job.id]);
		expect(await endOf(engine, job)).toMatchObject({failed: false});
	});
});

describe('hosts are avoided', () => {
	const hosts = async (): Promise<[string, string]> => {
		const names = (await call('qconf', ['-sel'])).trim().split('\n');
		expect(names.length).toBeGreaterThanOrEqual(2);
		return names as [string, string];
	};

	test('as far as there are others', async () => {
		const [first, ...others] = await hosts();
		const engine = await createEngine({qsubArgs: ['-l', 'h_rt=600']});
		for (const host of [first, ...others]) {
			const avoidHosts = [first, ...others].filter(name => name !== host);
			const job = await submit(engine, LASTS, {avoidHosts, resources: {memoryBytes: 2 ** 30}});
			expect(await untilStatus(engine, job, status => status?.state === 'running')).toMatchObject({host});
			const details = await call('qstat', ['-j', job.id]);
			const asked = /^hard resource_list:\s+(.*)$/m.exec(details)?.[1]?.split(',').sort();
			expect(asked).toEqual(['h_rt=600', 'h_vmem=1073741824', `hostname=${avoidHosts.map(name => `!${name}`).join('&')}`]);
		}
	});

	test.each<[what: string, options: (host: string) => PoolOptions]>([
		['by -l h=', host => ({qsubArgs: ['-l', `h=${host}`]})],
		['by -l hostname=', host => ({qsubArgs: ['-l', `hostname=${host}`]})],
		['by -q', host => ({qsubArgs: ['-q', `all.q@${host}`]})],
		['by queueName', host => ({queueName: `all.q@${host}`})],
	])('but not where the user wants it, %s', async (_, options) => {
		const [first] = await hosts();
		const engine = await createEngine(options(first));
		const job = await submit(engine, LASTS, {avoidHosts: [first]});
		expect(await untilStatus(engine, job, status => status?.state === 'running')).toMatchObject({host: first});
	});

	test('but not when there is no other', async () => {
		const engine = await createEngine();
		const job = await submit(engine, LASTS, {avoidHosts: await hosts()});
		await untilStatus(engine, job, status => status?.state === 'running');
	});

	test('and what is refused for good still is, in the words of the scheduler', async () => {
		const engine = await createEngine({queueName: 'nosuch.q'});
		const {outcome} = await trySubmit(engine, 'exit 0', {avoidHosts: await hosts()});
		expect(outcome).toEqual({kind: 'permanent', reason: expect.stringContaining('unknown queue "nosuch.q"')});
	});
});

test('a limit of the queue, which the queue-job did not ask for, is told apart by asking for it', async () => {
	const queueName = `qmr-${process.pid}-limit.q`;
	const settings = (await call('qconf', ['-sq', 'all.q']))
		.replace(/^qname .*$/m, `qname ${queueName}`)
		.replace(/^seq_no .*$/m, 'seq_no 10')
		.replace(/^h_rt .*$/m, 'h_rt 00:00:02');
	mkdirSync(join(directory, 'queue'));
	writeFileSync(join(directory, 'queue', 'settings'), settings);
	await call('qconf', ['-Aq', join(directory, 'queue', 'settings')]);
	try {
		const engine = await createEngine({queueName});
		const job = await submit(engine, 'sleep 300');
		expect(await endOf(engine, job)).toMatchObject({kind: 'wall-time', reason: 'killed: it ran longer than its h_rt of 2 s allows'});
	} finally {
		await vi.waitFor(() => call('qconf', ['-dq', queueName]), {timeout: 90_000, interval: 500});
	}
});
