/** Both sides of the round trip, and what is asked when nothing comes back. */
import {existsSync, mkdirSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
// The worker-node imports the function from where this module is: as it was built.
import {examineSite} from '../../dist/src/doctor/examine-site.js';
import {makeRoundTrip, type TripOptions} from '../../dist/src/doctor/round-trip.js';
import {createLocalEngine} from '../../dist/src/engines/local.js';
import {leaveQueue, lookUp} from '../../src/doctor/look-up.js';
import {meetWorker} from '../../src/doctor/meet-worker.js';
import {ANSWER, GREETING, visitWorkerNode} from '../../src/doctor/visit-worker-node.js';
import type {Engine, JobStatus} from '../../src/engines/engine.js';
import {taskDirPath} from '../../src/layout.js';
import {installWorkerState} from '../../src/task-context.js';
import {createTestDirectory} from '../helpers/engines.js';
import {makePrograms} from '../helpers/made-programs.js';

let directory: ReturnType<typeof createTestDirectory>;
beforeEach(() => {
	directory = createTestDirectory();
});
afterEach(() => directory.remove());

const workRoot = (): string => join(directory.path, 'work');

const trip = (overrides: Partial<TripOptions> = {}): TripOptions => ({
	...{timeoutMs: 60_000, runLimitMs: 60_000, keep: false, signal: new AbortController().signal, tell: () => undefined},
	...overrides,
});

const local = (): Engine => createLocalEngine({slots: 1});

describe('a round trip', () => {
	test('brings back what the worker-node has found, and leaves nothing', async () => {
		const {result, seen, left, workDir} = await makeRoundTrip({workRoot: workRoot()}, local(), trip());
		expect(result).toMatchObject({kind: 'done', worker: {nodeVersion: process.version, cwd: process.cwd(), umask: process.umask()}});
		const times = [
			seen.begunMs,
			seen.submittingMs,
			seen.submittedMs,
			seen.greetingSeenMs,
			seen.answeredMs,
			seen.resultSeenMs,
			seen.endedMs,
		];
		expect(times).toEqual([...times].sort((a, b) => (a ?? 0) - (b ?? 0)));
		expect(times).not.toContain(undefined);
		expect([left, workDir, existsSync(workRoot())]).toEqual([[], undefined, false]);
	});

	test('whose queue-job runs for too long is ended, and leaves nothing', async () => {
		const {paths} = makePrograms({node: 'exec sleep 1000'});
		const {result} = await makeRoundTrip({workRoot: workRoot(), nodePath: paths.node}, local(), trip({runLimitMs: 500}));
		expect(result).toMatchObject({kind: 'timed-out', where: 'running', jobId: expect.stringMatching(/^local-/), rawState: 'running'});
		expect(existsSync(workRoot())).toBe(false);
	});

	test('that is aborted before it has begun begins nothing', async () => {
		const {result} = await makeRoundTrip({workRoot: workRoot()}, local(), trip({signal: AbortSignal.abort(new Error('enough'))}));
		expect(result).toEqual({kind: 'refused', code: undefined, reason: 'enough'});
		expect(existsSync(workRoot())).toBe(false);
	});

	test('takes the place of a given work_dir, and not that itself', async () => {
		const {findings} = await examineSite({engine: 'local', workDir: join(directory.path, 'runs', 'one')}, {timeoutMs: 60_000});
		expect(findings.find(({check}) => check === 'work root')?.found).toContain(join(directory.path, 'runs'));
		expect(findings.filter(({level}) => level === 'error')).toEqual([]);
		expect(readdirSync(directory.path)).toEqual([]);
	});
});

describe('the worker-node', () => {
	const visit = (answerWaitMs: number): ReturnType<typeof visitWorkerNode> => {
		const context = {
			itask: 0,
			ichunk: 0,
			attempt: 1,
			session: 's',
			workDir: directory.path,
			taskDir: directory.path,
			seed: 0,
			shared: undefined,
		};
		installWorkerState({currentTask: () => context, importing: () => undefined});
		return visitWorkerNode({answerWaitMs});
	};
	afterEach(() => {
		Reflect.deleteProperty(globalThis, Symbol.for('queue-map-reduce.worker'));
	});

	test('says so when it sees no answer', async () => {
		const facts = await visit(50);
		expect(facts.answerSeenMs).toBeUndefined();
		expect(facts.taskEndedMs - facts.greetedMs).toBeGreaterThanOrEqual(50);
		expect(readdirSync(directory.path)).toEqual([GREETING]);
	});

	test('says so when its scratch directory can not be written, and leaves nothing in one that can', async () => {
		const scratch = join(directory.path, 'scratch');
		writeFileSync(join(directory.path, ANSWER), '');
		vi.stubEnv('TMPDIR', scratch);
		expect((await visit(50)).scratch).toEqual({path: scratch, problem: expect.stringContaining('ENOENT')});
		mkdirSync(scratch);
		expect((await visit(50)).scratch).toEqual({path: scratch, problem: undefined});
		expect(readdirSync(scratch)).toEqual([]);
		vi.unstubAllEnvs();
	});
});

describe('the process-node', () => {
	test('answers what it sees, and has no sign as long as only its own files are there', async () => {
		const watching = new AbortController();
		writeFileSync(join(directory.path, '000000000.tasks'), '');
		const meeting = meetWorker(directory.path, watching.signal);
		const taskDir = taskDirPath(directory.path, 0, 1);
		mkdirSync(taskDir, {recursive: true});
		writeFileSync(join(taskDir, GREETING), '');
		await vi.waitUntil(() => existsSync(join(taskDir, ANSWER)), {timeout: 90_000});
		expect(meeting.hasSigns()).toBe(false);
		writeFileSync(join(directory.path, '000000000.1.e'), '');
		await vi.waitUntil(() => meeting.hasSigns(), {timeout: 90_000});
		writeFileSync(join(directory.path, '000000000.1.out'), '');
		watching.abort();
		const {greetingSeenMs, answeredMs, resultSeenMs} = await meeting.ended;
		expect(greetingSeenMs).toBeLessThanOrEqual(answeredMs ?? 0);
		expect(resultSeenMs).toBeGreaterThan(0);
	});

	test('goes on when it can not answer', async () => {
		const watching = new AbortController();
		const taskDir = taskDirPath(directory.path, 0, 1);
		mkdirSync(taskDir, {recursive: true});
		writeFileSync(join(taskDir, GREETING), '');
		// In the way of the answer.
		mkdirSync(join(taskDir, `${ANSWER}.new`));
		const meeting = meetWorker(directory.path, watching.signal);
		watching.abort();
		expect(await meeting.ended).toMatchObject({greetingSeenMs: expect.any(Number), answeredMs: undefined});
		rmSync(taskDir, {recursive: true});
		expect(await meetWorker(directory.path, watching.signal).ended).toMatchObject({greetingSeenMs: undefined});
	});
});

describe('the queue', () => {
	const SESSION = '2026-11-21T00-20-07_a10cda';
	const job = (overrides: Partial<JobStatus> = {}): JobStatus => ({
		...{id: '937', name: `q${SESSION}#000000000.1`, state: 'pending', rawState: 'qw'},
		...overrides,
	});
	const engineWith = (overrides: Partial<Engine>): Engine => ({...local(), name: 'mine', ...overrides});
	const writeJournal = (...events: readonly object[]): void =>
		writeFileSync(join(directory.path, 'log.jsonl'), events.map(event => `${JSON.stringify(event)}\n`).join(''));
	const SUBMITTED = {event: 'submitted', jobId: '937', jobName: `q${SESSION}#000000000.1`};

	test('is asked why a queue-job waits', async () => {
		writeJournal({event: 'submitting'}, SUBMITTED);
		const asked: unknown[] = [];
		const engine = engineWith({
			status: async () => [job({state: 'held', rawState: 'hqw'})],
			explain: async question => {
				asked.push(question);
				return {failed: false, reason: 'it is held'};
			},
		});
		expect(await lookUp(directory.path, engine, {resources: {memory: '1G'}})).toEqual({
			...{where: 'waiting', jobId: '937', rawState: 'hqw', host: undefined, why: 'it is held'},
		});
		expect(asked).toEqual([{id: '937', name: `q${SESSION}#000000000.1`, state: 'pending', resources: {memoryBytes: 2 ** 30}}]);
	});

	test('says where one runs, and how one ended that has gone', async () => {
		writeJournal(SUBMITTED);
		const running = engineWith({status: async () => [job({state: 'running', rawState: 'r', host: 'node7'})]});
		expect(await lookUp(directory.path, running, {})).toEqual({
			...{where: 'running', jobId: '937', rawState: 'r', host: 'node7', why: undefined},
		});
		const gone = engineWith({status: async () => [], explain: async () => ({failed: false, reason: 'exit status 0'})});
		expect(await lookUp(directory.path, gone, {})).toMatchObject({where: 'gone', jobId: '937', why: 'exit status 0'});
	});

	test('that does not answer any more is told in its words', async () => {
		writeJournal(SUBMITTED);
		const silent = engineWith({status: () => Promise.reject(new Error('qstat did not answer'))});
		expect(await lookUp(directory.path, silent, {})).toMatchObject({where: 'silent', jobId: '937', why: 'qstat did not answer'});
		expect(await leaveQueue(SESSION, silent)).toEqual([
			`maybe queue-jobs named q${SESSION}#…, for the queue could not be asked: qstat did not answer`,
		]);
	});

	test('that has taken nothing is told with the last refusal', async () => {
		writeJournal({event: 'submitting'}, {event: 'not-submitted', reason: 'first'}, {event: 'not-submitted', reason: 'last'});
		expect(await lookUp(directory.path, engineWith({}), {})).toMatchObject({where: 'submitting', jobId: undefined, why: 'last'});
		expect(await lookUp(join(directory.path, 'gone'), engineWith({}), {})).toMatchObject({where: 'submitting', why: undefined});
	});

	test('is left when no queue-job of the session is in it; those of others stay', async () => {
		const removed: string[] = [];
		let jobs = [job(), job({id: '938', name: 'mine'}), job({id: '939', state: 'deleting', rawState: 'dr'})];
		const engine = engineWith({
			status: async () => jobs,
			remove: async ids => {
				removed.push(...ids);
				jobs = jobs.filter(({id}) => id === '938');
			},
		});
		expect(await leaveQueue(SESSION, engine)).toEqual([]);
		expect(removed).toEqual(['937']);
	});
});
