/** Whole programs that are told to end while they map. */
import {join} from 'node:path';
import {Pool, readWorkDir} from 'queue-map-reduce';
import {updateQueueState} from 'queue-map-reduce/dummy-queue';
import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {DOUBLED, type MappingProgram, makeMappingProgram, until} from '../helpers/mapping-programs.js';
import {processesWith} from '../helpers/processes.js';

beforeEach(() => {
	vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
	vi.restoreAllMocks();
});

/** Queue-jobs of the first two chunks run and never end, the others wait. */
const RESTING = {maxRunning: 2, faults: [{kind: 'state', rawState: 'r', polls: 100_000, times: 2} as const]};
const MAP =
	"await new Pool(options).map(double, tasks, {workDir: 'run', onProgress: ({running}) => running > 1 && console.log('running')});";

const isRunning = (program: {stdout: () => string}): Promise<unknown> => until(() => program.stdout().includes('running'));
const letQueueGo = (program: MappingProgram): void => {
	updateQueueState(program.queue.directory, state => {
		state.faults = [];
		for (const job of state.jobs) delete job.shown;
	});
};

test('SIGINT removes the queue-jobs, says how to go on, and ends the process by SIGINT; what is left is computed by a resume', async () => {
	const program = makeMappingProgram({program: MAP, state: RESTING});
	const mapping = program.start();
	await isRunning(mapping);
	expect(program.jobsLeft()).toBe(6);
	mapping.child.kill('SIGINT');
	expect(await mapping.ended).toEqual({code: null, signal: 'SIGINT'});
	expect([program.jobsLeft(), program.calls().qsub]).toEqual([0, 6]);
	expect(mapping.stderr()).toContain(`await Pool.resume(${JSON.stringify(program.workDir)})`);
	expect(mapping.stderr()).not.toContain('    at ');
	const {tasks} = await readWorkDir(program.workDir);
	expect(tasks.map(({outcome}) => outcome)).toEqual(Array(6).fill(expect.objectContaining({kind: 'cancelled'})));
	letQueueGo(program);
	expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
	expect([program.calls().qsub, program.computed().length]).toEqual([12, 6]);
});

test.each(['SIGTERM', 'SIGHUP'] as const)(
	'%s leaves the queue-jobs running, says how to come back, and ends the process by itself',
	async signal => {
		const program = makeMappingProgram({program: MAP, state: RESTING});
		const mapping = program.start();
		await isRunning(mapping);
		mapping.child.kill(signal);
		expect(await mapping.ended).toEqual({code: null, signal});
		expect(program.jobsLeft()).toBe(6);
		expect(mapping.stderr()).toContain(`await Pool.resume(${JSON.stringify(program.workDir)})`);
		letQueueGo(program);
		expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
		expect([program.calls().qsub, program.computed().length]).toEqual([6, 6]);
	},
);

test('a second SIGINT leaves at once, and says that queue-jobs may be left', async () => {
	const program = makeMappingProgram({
		program: MAP,
		state: {...RESTING, faults: [...RESTING.faults, {kind: 'hang', program: 'qdel', times: 1}]},
	});
	const mapping = program.start();
	await isRunning(mapping);
	mapping.child.kill('SIGINT');
	await until(() => program.calls().qdel > 0);
	mapping.child.kill('SIGINT');
	expect(await mapping.ended).toEqual({code: null, signal: 'SIGINT'});
	expect(mapping.stderr()).toContain('may be left');
	expect(program.jobsLeft()).toBe(6);
	letQueueGo(program);
	expect(await (await Pool.resume(program.workDir)).results()).toEqual(DOUBLED);
	expect(program.jobsLeft()).toBe(0);
});

test('SIGINT while qsub is under way waits for its answer: no queue-job is left behind', async () => {
	const program = makeMappingProgram({program: MAP, insteadOfQsub: 'kill -INT $PPID\nsleep 0.5\nexec "$QSUB" "$@"'});
	const mapping = program.start();
	expect(await mapping.ended).toEqual({code: null, signal: 'SIGINT'});
	expect(program.calls().qsub).toBeGreaterThan(0);
	expect(program.jobsLeft()).toBe(0);
});

test('a program that listens itself goes on: the map rejects, and the process ends when the program says so', async () => {
	const program = makeMappingProgram({
		program: `process.once('SIGINT', () => console.log('mine'));
${MAP.replace(/;$/, '')}.catch(error => console.log(error.code));
console.log('end');`,
		state: RESTING,
	});
	const mapping = program.start();
	await isRunning(mapping);
	mapping.child.kill('SIGINT');
	expect(await mapping.ended).toEqual({code: 0, signal: null});
	expect(mapping.stdout()).toMatch(/mine\nERR_POOL_INTERRUPTED\nend\n$/);
	expect(program.jobsLeft()).toBe(0);
});

test('with `handleSignals: false` the signal ends the process as any, and the queue-jobs stay', async () => {
	const program = makeMappingProgram({program: MAP, state: RESTING, options: {handleSignals: false}});
	const mapping = program.start();
	await isRunning(mapping);
	mapping.child.kill('SIGINT');
	expect(await mapping.ended).toEqual({code: null, signal: 'SIGINT'});
	expect([program.jobsLeft(), mapping.stderr().includes('Pool.resume')]).toEqual([6, false]);
});

test('all maps of a process are ended, before any of them tells its caller', async () => {
	const program = makeMappingProgram({
		program:
			"await Promise.all(['a', 'b', 'c'].map(workDir => new Pool(options).map(double, tasks, {workDir, onProgress: ({running}) => running > 1 && console.log('running')})));",
		state: {...RESTING, maxRunning: 6, faults: [{kind: 'state', rawState: 'r', polls: 100_000, times: 6}]},
	});
	const mapping = program.start();
	await isRunning(mapping);
	mapping.child.kill('SIGINT');
	expect(await mapping.ended).toEqual({code: null, signal: 'SIGINT'});
	expect(program.jobsLeft()).toBe(0);
	for (const name of ['a', 'b', 'c'])
		expect(mapping.stderr()).toContain(
			`to go on: await Pool.resume(${JSON.stringify(join(program.directory, name))}), or qmr resume ${join(program.directory, name)}\n`,
		);
});

test('no listener is left when the last map is over', async () => {
	const count = (): number[] => ['SIGINT', 'SIGTERM', 'SIGHUP'].map(signal => process.listenerCount(signal));
	const before = count();
	const program = makeMappingProgram();
	const pool = new Pool({...program.options, workRoot: join(program.directory, 'work')});
	const runs = await Promise.all([pool.submit(Math.sqrt, [1, 4]), pool.submit(Math.sqrt, [9])]);
	expect(count()).toEqual(before.map(number => number + 1));
	await Promise.all(runs.map(run => run.results()));
	expect(count()).toEqual(before);
});

describe('on local', () => {
	const SLEEP = `import {writeFileSync} from 'node:fs';
const run = await new Pool({engine: 'local', slots: 2, pollingIntervalMs: 50}).submit(
	async x => { if (x < 3) await new Promise(resolve => setTimeout(resolve, 600_000)); return x; }, tasks, {workDir: 'run'});
for await (const {itask} of run) console.log('got', itask);
`;

	test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s ends the child processes, and then this one', async signal => {
		// The third chunk is never begun, for two slots are taken.
		const program = makeMappingProgram({program: SLEEP, tasks: [1, 2, 3]});
		const mapping = program.start();
		const workers = (): number[] => processesWith(join(program.workDir, 'worker_node_script.cjs'));
		await until(() => workers().length === 2);
		mapping.child.kill(signal);
		expect(await mapping.ended).toEqual({code: null, signal});
		await until(() => workers().length === 0);
		expect(mapping.stderr()).toContain(`await Pool.resume(${JSON.stringify(program.workDir)})`);
	});
});
