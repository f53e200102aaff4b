import {spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs';
import {availableParallelism, hostname} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import {describe, expect, onTestFinished, test} from 'vitest';
import type {Engine, JobRequest, JobResources} from '../../src/engines/engine.js';
import {createLocalEngine, defaultSlots} from '../../src/engines/local.js';
import {makePrograms} from '../helpers/made-programs.js';

/** Waits for a fact; a test that waits for what never comes ends by the time-out of vitest. */
const until = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
	while (!(await isTrue())) await sleep(10);
};

const isAlive = (pid: number): boolean => {
	try {
		return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
};

/** Queue-jobs that each run these lines; `$1` is the name of the queue-job. Whatever still runs at the end of the test is killed. */
const makeJobs = (lines: string, slots = 2) => {
	const {directory, paths} = makePrograms({job: lines});
	const engine = createLocalEngine({slots});
	const submit = (...names: readonly string[]): Promise<string[]> => submitWith(Object.fromEntries(names.map(name => [name, {}])));
	const submitWith = async (jobs: Readonly<Record<string, JobResources>>): Promise<string[]> => {
		const requests = Object.entries(jobs).map(
			([name, resources]): JobRequest => ({name, script: paths.job, scriptArguments: [name, directory], avoidHosts: [], resources}),
		);
		return (await engine.submit(requests)).map(outcome => {
			if (outcome.kind !== 'submitted') throw new Error(`not submitted: ${outcome.kind}`);
			return outcome.id;
		});
	};
	onTestFinished(async () => engine.remove((await engine.status()).map(({id}) => id)));
	return {engine, submit, submitWith, directory, touch: (name: string) => writeFileSync(join(directory, name), '')};
};

const untilIdle = (engine: Engine): Promise<void> => until(async () => (await engine.status()).length === 0);
const states = async (engine: Engine): Promise<string[]> => (await engine.status()).map(({name, state}) => `${name} ${state}`);

/** Runs until the file `go-NAME` is there. */
const WAITS = 'until test -e "$2/go-$1"; do sleep 0.02; done';

describe('slots', () => {
	test('Q28: so many queue-jobs run at once, in order of submission; the others wait', async () => {
		const {engine, submit, touch} = makeJobs(WAITS);
		const ids = await submit('a', 'b', 'c', 'd');
		expect(await engine.status()).toEqual([
			{id: ids[0], name: 'a', state: 'running', rawState: 'running', host: hostname()},
			{id: ids[1], name: 'b', state: 'running', rawState: 'running', host: hostname()},
			{id: ids[2], name: 'c', state: 'pending', rawState: 'waiting'},
			{id: ids[3], name: 'd', state: 'pending', rawState: 'waiting'},
		]);
		touch('go-b');
		await until(async () => (await states(engine)).includes('c running'));
		expect(await states(engine)).toEqual(['a running', 'c running', 'd pending']);
		for (const name of 'acd') touch(`go-${name}`);
		await untilIdle(engine);
	});

	test('are never exceeded, also when many queue-jobs end at once', async () => {
		// Each counts who runs beside it; a directory is made by one only.
		const {engine, submit, directory} = makeJobs('mkdir "$2/in-$1"; ls -d "$2"/in-* | wc -l > "$2/seen-$1"; rmdir "$2/in-$1"', 3);
		const names = Array.from({length: 40}, (_, i) => `j${i}`);
		await submit(...names.slice(0, 20));
		await submit(...names.slice(20));
		await untilIdle(engine);
		const seen = readdirSync(directory).filter(name => name.startsWith('seen-'));
		expect(seen).toHaveLength(40);
		expect(Math.max(...seen.map(name => Number(readFileSync(join(directory, name), 'utf8'))))).toBeLessThanOrEqual(3);
	});

	test('a queue-job may take several, and is not overtaken while it waits for them', async () => {
		const {engine, submitWith, touch} = makeJobs(WAITS, 3);
		await submitWith({a: {slots: 2}, b: {slots: 2}, c: {}, d: {slots: 100}, e: {}});
		const untilStates = (...expected: readonly string[]): Promise<void> =>
			until(async () => String(await states(engine)) === String(expected));
		expect(await states(engine)).toEqual(['a running', 'b pending', 'c pending', 'd pending', 'e pending']);
		touch('go-a');
		await untilStates('b running', 'c running', 'd pending', 'e pending');
		touch('go-c');
		await untilStates('b running', 'd pending', 'e pending');
		touch('go-b');
		await untilStates('d running', 'e pending');
		touch('go-d');
		await untilStates('e running');
		touch('go-e');
		await untilIdle(engine);
	});

	test('Q28: one slot computes one after the other in order', async () => {
		const {engine, submit, directory} = makeJobs('echo $1 >> "$2/order"', 1);
		await submit('a', 'b', 'c', 'd', 'e');
		await untilIdle(engine);
		expect(readFileSync(join(directory, 'order'), 'utf8')).toBe('a\nb\nc\nd\ne\n');
	});

	test('every queue-job has a number of its own, also across engines', async () => {
		const ids = [...(await makeJobs('exit 0').submit('a', 'b'))];
		expect(new Set(ids).size).toBe(2);
	});
});

describe('removing', () => {
	test('a waiting queue-job never runs', async () => {
		const {engine, submit, directory, touch} = makeJobs(`: > "$2/began-$1"; ${WAITS}`, 1);
		const [, b] = await submit('a', 'b', 'c');
		await engine.remove([b as string]);
		touch('go-a');
		touch('go-c');
		await untilIdle(engine);
		expect(readdirSync(directory).filter(name => name.startsWith('began-'))).toEqual(['began-a', 'began-c']);
	});

	test('a running queue-job is killed with its children and theirs, and is gone when remove resolves', async () => {
		const {engine, submit, directory} = makeJobs('(sleep 300 & echo $! > "$2/tmp"; mv "$2/tmp" "$2/pid"; wait) & wait');
		const ids = await submit('a');
		await until(() => existsSync(join(directory, 'pid')));
		await engine.remove(ids);
		expect(await engine.status()).toEqual([]);
		expect(await engine.explain({id: ids[0] as string, name: 'a', state: 'ended', resources: {}})).toEqual({
			failed: true,
			kind: 'killed',
			reason: 'killed by SIGKILL: by hand, or by the system for want of memory',
			host: hostname(),
		});
		const grandchild = Number(readFileSync(join(directory, 'pid'), 'utf8'));
		await until(() => !isAlive(grandchild));
	});

	test('a removed queue-job leaves its slot to the next', async () => {
		const {engine, submit} = makeJobs(WAITS, 1);
		const [a] = await submit('a', 'b');
		await engine.remove([a as string]);
		expect(await states(engine)).toEqual(['b running']);
	});

	test('all of them at once starts none of them', async () => {
		const {engine, submit, directory} = makeJobs(`: > "$2/began-$1"; ${WAITS}`, 1);
		const ids = await submit('a', 'b', 'c');
		await until(() => existsSync(join(directory, 'began-a')));
		await engine.remove(ids);
		expect(await engine.status()).toEqual([]);
		expect(readdirSync(directory).filter(name => name.startsWith('began-'))).toEqual(['began-a']);
	});

	test('what is gone already, or never was, is fine', async () => {
		const {engine, submit} = makeJobs('exit 0');
		const ids = await submit('a');
		await untilIdle(engine);
		await engine.remove([...ids, ...ids, 'nobody']);
	});
});

describe('the end of a queue-job is explained', () => {
	test.each([
		['exit 0', {failed: false, reason: 'exit status 0'}],
		['exit 3', {failed: true, reason: 'exit status 3'}],
		[
			'exit 72',
			{failed: true, kind: 'start-failed', reason: "the caller's working directory could not be entered on that host (exit status 72)"},
		],
		['kill -9 $$', {failed: true, kind: 'killed', reason: 'killed by SIGKILL: by hand, or by the system for want of memory'}],
		['kill -XCPU $$', {failed: true, kind: 'wall-time', reason: 'killed by SIGXCPU: it used up its processor time'}],
		[
			'ulimit -c 0; kill -ABRT $$',
			{failed: true, kind: 'killed', reason: 'killed by SIGABRT: as Node ends when its heap is full, and says so on stderr'},
		],
	])('%s', async (lines, end) => {
		const {engine, submit} = makeJobs(lines);
		const [id] = await submit('a');
		await untilIdle(engine);
		expect(await engine.explain({id: id as string, name: 'a', state: 'ended', resources: {}})).toEqual({...end, host: hostname()});
	});

	test('nothing is known of one that waits, runs or never was', async () => {
		const {engine, submit} = makeJobs(WAITS, 1);
		for (const id of [...(await submit('a', 'b')), 'nobody'])
			expect(await engine.explain({id, name: 'a', state: 'ended', resources: {}})).toBeUndefined();
	});
});

test('one that waits is told what for', async () => {
	const {engine, submit} = makeJobs(WAITS, 1);
	const [a, b] = await submit('a', 'b');
	const reason = 'all slots are taken (1 queue-jobs at once)';
	expect(await engine.explain({id: b as string, name: 'b', state: 'pending', resources: {}})).toEqual({failed: false, reason});
	expect(await engine.explain({id: a as string, name: 'a', state: 'pending', resources: {}})).toBeUndefined();
});

/** A program that makes an engine, in a process of its own, with this package's sources. */
const runProgram = (lines: string, before = '') => {
	const {directory, paths} = makePrograms({
		job: 'echo "$1" >> "$2/order"',
		'program.mts': `import {closeSync, existsSync, openSync, readFileSync, writeFileSync} from 'node:fs';
import {createLocalEngine} from ${JSON.stringify(join(import.meta.dirname, '../../src/engines/local.ts'))};
const [job, directory] = process.argv.slice(2);
const request = (name, script = job) => ({name, script, scriptArguments: [name, directory], avoidHosts: [], resources: {}});
const question = (id, state) => ({id, name: 'x', state, resources: {}});
const idle = async engine => { while ((await engine.status()).length > 0) await new Promise(resolve => setTimeout(resolve, 20)); };
${lines}`,
	});
	const tsx = join(import.meta.dirname, '../../node_modules/tsx/dist/esm/index.mjs');
	const words = [process.execPath, '--import', tsx, paths['program.mts'], paths.job, directory].map(word => `'${word}'`).join(' ');
	const {stdout, stderr, status} = spawnSync('/bin/sh', ['-c', `${before}exec ${words}`], {
		encoding: 'utf8',
		timeout: 90_000,
		// Its files are written in the background: a test that counts descriptors would see them come and go.
		env: {...process.env, TSX_DISABLE_CACHE: '1'},
	});
	return {stdout, stderr, status, directory};
};

describe('when this machine can start no process just now', () => {
	test('queue-jobs wait, in their order, and burn no attempt', () => {
		const {stdout, stderr, directory} = runProgram(
			`const engine = createLocalEngine({slots: 1});
const taken = [];
for (;;) try { taken.push(openSync('/dev/null')); } catch (error) { console.log(error.code); break; }
const ids = [];
for (const name of ['a', 'b', 'c']) ids.push((await engine.submit([request(name)]))[0].id);
// The event by which it tells comes later than the call.
let waiting;
while ((waiting = await engine.explain(question(ids[0], 'pending')))?.reason.includes('no process') !== true) await new Promise(setImmediate);
console.log((await engine.status()).map(({name, state}) => name + ' ' + state).join(', '));
console.log(waiting.failed, waiting.reason);
console.log(await engine.explain(question(ids[0], 'ended')));
for (const fd of taken) closeSync(fd);
await idle(engine);
for (const id of ids) console.log((await engine.explain(question(id, 'ended'))).reason);`,
			'ulimit -n 60; ',
		);
		expect(stderr).toBe('');
		expect(stdout.split('\n')).toEqual([
			'EMFILE',
			'a pending, b pending, c pending',
			'false this machine can start no process at the moment',
			'undefined',
			...['exit status 0', 'exit status 0', 'exit status 0', ''],
		]);
		expect(readFileSync(join(directory, 'order'), 'utf8')).toBe('a\nb\nc\n');
	});

	test('one that is removed meanwhile never runs', () => {
		const {stdout, directory} = runProgram(
			`const engine = createLocalEngine({slots: 1});
const taken = [];
for (;;) try { taken.push(openSync('/dev/null')); } catch { break; }
const [{id}] = await engine.submit([request('a')]);
await Promise.all([engine.remove([id])]);
const other = (await engine.submit([request('b')]))[0].id;
for (const fd of taken) closeSync(fd);
await idle(engine);
console.log((await engine.explain(question(other, 'ended'))).reason);`,
			'ulimit -n 60; ',
		);
		expect(stdout).toBe('exit status 0\n');
		expect(readFileSync(join(directory, 'order'), 'utf8')).toBe('b\n');
	});
});

test('what this machine will never start has failed to start, and the others are started once each', async () => {
	const {engine, submit, directory} = makeJobs('echo $1 >> "$2/order"', 2);
	// Longer than any argument of a program may be.
	const tooLong = {name: 'x', script: '/bin/true', scriptArguments: ['x'.repeat(2 ** 22)], avoidHosts: [], resources: {}};
	await submit('a', 'b');
	const outcomes = await engine.submit([tooLong, tooLong]);
	await submit('c', 'd', 'e');
	await untilIdle(engine);
	for (const outcome of outcomes) {
		const id = outcome.kind === 'submitted' ? outcome.id : '';
		expect(await engine.explain({id, name: 'x', state: 'ended', resources: {}})).toEqual({
			...{failed: true, kind: 'start-failed', reason: expect.stringMatching(/^it can't be started: .*E2BIG/), host: hostname()},
		});
	}
	expect(readFileSync(join(directory, 'order'), 'utf8').trim().split('\n').sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
});

const MEMORY_GROUPS = '/sys/fs/cgroup/memory';
const canMakeGroups = existsSync(`${MEMORY_GROUPS}/memory.oom_control`) && process.getuid?.() === 0;

test.runIf(canMakeGroups)('a queue-job that the system kills for want of memory ran out of memory', () => {
	const group = `${MEMORY_GROUPS}/qmr-test-${process.pid}`;
	mkdirSync(group);
	onTestFinished(() => until(() => isRemoved(group)));
	const {stdout, stderr} = runProgram(
		`writeFileSync(directory + '/eats', "exec '" + process.execPath + "' -e 'const all = []; for (;;) all.push(Buffer.alloc(1e7, 1))'\\n");
const engine = createLocalEngine({slots: 1});
writeFileSync('${group}/memory.limit_in_bytes', String(300 * 2 ** 20));
writeFileSync('${group}/cgroup.procs', String(process.pid));
const [{id}] = await engine.submit([request('a', directory + '/eats')]);
await idle(engine);
console.log(JSON.stringify(await engine.explain(question(id, 'ended'))));`,
	);
	expect(stderr).toBe('');
	expect(JSON.parse(stdout)).toMatchObject({failed: true, kind: 'out-of-memory', reason: expect.stringContaining('for want of memory')});
});

const isRemoved = (group: string): boolean => {
	try {
		rmdirSync(group);
		return true;
	} catch {
		// A process in it has ended, but was not waited for yet.
		return false;
	}
};

describe('when the process that maps ends', () => {
	/** A process that runs one queue-job, which has a child, and does what it is told on stdin. */
	const runMapper = async (whatThen: string, first = '') => {
		const {directory, paths} = makePrograms({
			job: 'sleep 300 & echo "$$ $!" > "$1/tmp"; mv "$1/tmp" "$1/pids"; wait',
			'mapper.mts': `import {createLocalEngine} from ${JSON.stringify(join(import.meta.dirname, '../../src/engines/local.ts'))};
${first}
const engine = createLocalEngine({slots: 1});
const request = name => ({name, script: process.argv[2], scriptArguments: [process.argv[3]], avoidHosts: [], resources: {}});
await engine.submit([request('a'), request('b')]);
process.stdin.once('data', () => { ${whatThen} });
`,
		});
		const tsx = join(import.meta.dirname, '../../node_modules/tsx/dist/esm/index.mjs');
		const mapper = spawn(process.execPath, ['--import', tsx, paths['mapper.mts'], paths.job, directory], {
			stdio: ['pipe', 'pipe', 'ignore'],
		});
		const ended = once(mapper, 'exit');
		onTestFinished(() => void mapper.kill('SIGKILL'));
		await until(() => existsSync(join(directory, 'pids')));
		const pids = readFileSync(join(directory, 'pids'), 'utf8').trim().split(' ').map(Number);
		onTestFinished(() => {
			for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
		});
		const lines = createInterface(mapper.stdout)[Symbol.asyncIterator]();
		const told = async (): Promise<string> => (await lines.next()).value;
		return {mapper, ended, pids, told};
	};
	const untilAllGone = (pids: readonly number[]): Promise<void> => until(() => !pids.some(isAlive));

	test.each(['process.exit(3)', 'throw new Error("planned")'])('by %s, nothing is left running', async whatThen => {
		const {mapper, ended, pids} = await runMapper(whatThen);
		mapper.stdin.write('x');
		await ended;
		await untilAllGone(pids);
	});

	test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s, nothing is left running, and it still dies of the signal', async signal => {
		const {mapper, ended, pids} = await runMapper('');
		mapper.kill(signal);
		expect(await ended).toEqual([null, signal]);
		await untilAllGone(pids);
	});

	test('by a signal that comes while a queue-job is being started, nothing is left running', async () => {
		// The job has begun, and the call that starts it has not returned.
		const {ended, pids} = await runMapper(
			'',
			`import childProcess from 'node:child_process';
import {existsSync} from 'node:fs';
import {syncBuiltinESMExports} from 'node:module';
const {spawn} = childProcess;
childProcess.spawn = (...words) => {
	const child = spawn(...words);
	while (!existsSync(process.argv[3] + '/pids'));
	process.kill(process.pid, 'SIGTERM');
	return child;
};
syncBuiltinESMExports();`,
		);
		expect(await ended).toEqual([null, 'SIGTERM']);
		await untilAllGone(pids);
	});

	test('a signal that the program handles itself ends neither the program nor its queue-jobs, as often as it comes', async () => {
		const {mapper, told, pids} = await runMapper("process.on('SIGINT', () => console.log('handled')); console.log('listening');");
		mapper.stdin.write('x');
		for (const word of ['listening', 'handled', 'handled', 'handled']) {
			expect(await told()).toBe(word);
			mapper.kill('SIGINT');
		}
		expect(pids.every(isAlive)).toBe(true);
	});

	test('a library that ends the process by a signal when nobody else listens does so', async () => {
		const library = `process.on('SIGTERM', function end() {
			if (process.listenerCount('SIGTERM') > 1) return;
			process.off('SIGTERM', end);
			process.kill(process.pid, 'SIGTERM');
		});`;
		const {mapper, ended} = await runMapper("process.kill(process.pid, 'SIGTERM')", library);
		mapper.stdin.write('x');
		expect(await ended).toEqual([null, 'SIGTERM']);
	});
});

test('an engine without queue-jobs leaves no listener behind', async () => {
	const before = ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map(event => process.listenerCount(event));
	const {engine, submit} = makeJobs('exit 0');
	await submit('a', 'b', 'c');
	await untilIdle(engine);
	expect(['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map(event => process.listenerCount(event))).toEqual(before);
});

test.each<[environment: NodeJS.ProcessEnv, slots: number]>([
	[{}, availableParallelism()],
	[{NSLOTS: '4'}, 4],
	[{NSLOTS: '4', SLURM_CPUS_ON_NODE: '8'}, 4],
	[{SLURM_CPUS_ON_NODE: '8'}, 8],
	[{NSLOTS: ''}, availableParallelism()],
	[{NSLOTS: '0'}, availableParallelism()],
	[{NSLOTS: 'many'}, availableParallelism()],
	[{NSLOTS: '1.5'}, availableParallelism()],
])('in the environment %j there are %d slots', (environment, slots) => {
	expect(defaultSlots(environment)).toBe(slots);
});
