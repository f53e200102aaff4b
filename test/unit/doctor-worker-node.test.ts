import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {checkWorkerNode, type MeetingFacts} from '../../src/doctor/check-worker-node.js';
import {boundOffset, exchangeTime, measureTrip, middleOf, type Sightings, uncertaintyOf} from '../../src/doctor/compare-clocks.js';
import type {Finding} from '../../src/doctor/finding.js';
import {findCgroupMemory, findProcessStart, parseLimit, type WorkerFacts} from '../../src/doctor/visit-worker-node.js';

const GIB = 2 ** 30;

const worker = (overrides: Partial<WorkerFacts> = {}): WorkerFacts => ({
	host: 'node7',
	nodeVersion: 'v22.1.0',
	cwd: '/home/ada',
	umask: 0o022,
	addressSpaceBytes: undefined,
	maxOpenFiles: 1024,
	cgroupMemoryBytes: undefined,
	heapLimitBytes: 4 * GIB,
	environmentBytes: 3000,
	scratch: {path: '/scratch/17', problem: undefined},
	launcherStartedMs: 1000,
	nodeStartedMs: 1010,
	nodeReadyMs: 1040,
	taskStartedMs: 1080,
	greetedMs: 1081,
	answerSeenMs: 1101,
	taskEndedMs: 1102,
	...overrides,
});

const HERE = {host: 'login', nodeVersion: 'v22.1.0', umask: 0o022};

const meeting = (overrides: Partial<MeetingFacts> = {}): MeetingFacts => ({
	offset: {lowMs: -10, highMs: 30},
	exchangeMs: 20,
	resultMs: 15,
	graceMs: undefined,
	answerWaitMs: 30_000,
	...overrides,
});

const find = (check: string, facts: Partial<WorkerFacts>, met: Partial<MeetingFacts> = {}): Finding | undefined =>
	checkWorkerNode(worker(facts), HERE, meeting(met)).find(finding => finding.check === check);

test('a worker-node of which nothing is to be said is well in every respect', () => {
	expect(checkWorkerNode(worker(), HERE, meeting())).toEqual([
		{check: 'worker-node', level: 'ok', found: 'node7 runs Node v22.1.0'},
		{check: 'shared files', level: 'ok', found: 'a file to this machine and one back took 0.02 s'},
		{
			check: 'clock',
			level: 'ok',
			found: 'the clock of node7 is 0.01 s behind (known to ±0.02 s, for it is compared by the files that each has seen of the other)',
		},
		{check: 'memory', level: 'ok', found: 'no limit of address space (h_vmem); the heap of V8 may have 4.0 GB'},
		{check: 'open files', level: 'ok', found: 'a task may have 1024 files open'},
		{check: 'environment', level: 'ok', found: 'tasks have 3 kB of variables'},
		{check: 'scratch directory', level: 'ok', found: '/scratch/17 (TMPDIR) can be written'},
	]);
});

test('another version of the same Node is noted', () => {
	expect(find('worker-node', {nodeVersion: 'v22.9.0'})).toEqual({
		check: 'worker-node',
		level: 'note',
		found: 'node7 runs Node v22.9.0, this machine v22.1.0',
		toDo: 'Nothing: only the major version must be the same.',
	});
});

describe('files that come late', () => {
	test('are warned of, with a longer grace when it is needed', () => {
		expect(find('shared files', {}, {exchangeMs: 21_000})).toEqual({
			check: 'shared files',
			level: 'warning',
			found: 'files appear late on the other machine, after up to 21.00 s',
			toDo: 'Give results more time before they count as lost: --grace-ms 105000. Or choose a file system that is quicker: --work-root DIR.',
		});
		expect(find('shared files', {}, {resultMs: 12_000})).toMatchObject({
			level: 'warning',
			toDo: 'Leave --grace-ms as it is (90000) or make it longer. Or choose a file system that is quicker: --work-root DIR.',
		});
		expect(find('shared files', {}, {resultMs: 12_000, graceMs: 5000})?.toDo).toContain('--grace-ms 60000');
	});

	test('or not at all are warned of', () => {
		expect(find('shared files', {answerSeenMs: undefined}, {exchangeMs: undefined})).toEqual({
			check: 'shared files',
			level: 'warning',
			found: 'what this machine had written in the work_dir was not seen on node7 within 30 s',
			toDo: 'Give results more time before they count as lost: --grace-ms 150000. Or choose a file system that is quicker: --work-root DIR.',
		});
	});
});

describe('the clock', () => {
	test.each([
		[{lowMs: 6000, highMs: 6100}, '6.05 s behind'],
		[{lowMs: -3_600_100, highMs: -3_600_000}, '3600.05 s ahead'],
	])('that is certainly more than 5 s off is warned of', (offset, words) => {
		expect(find('clock', {}, {offset})).toEqual({
			check: 'clock',
			level: 'warning',
			found: `the clock of node7 is ${words} (known to ±0.05 s, for it is compared by the files that each has seen of the other)`,
			toDo: 'Tell your administrator: the clocks of a cluster are kept together by NTP. Times in log.jsonl and of outcomes are those of different clocks until then; results are right all the same.',
		});
	});

	test.each([
		{lowMs: -1000, highMs: 20_000},
		{lowMs: -20_000, highMs: 1000},
	])('that may be well, but can not be known, is noted', offset => {
		expect(find('clock', {}, {offset})).toMatchObject({
			level: 'note',
			toDo: 'Files come too late here for a better answer.',
		});
	});

	test('of this very machine is no matter', () => {
		expect(find('clock', {host: HERE.host})).toBeUndefined();
	});
});

describe('memory', () => {
	test('that leaves V8 a small heap is warned of, with the figures of Node', () => {
		expect(find('memory', {addressSpaceBytes: 1100 * 2 ** 20, heapLimitBytes: 90 * 2 ** 20})).toEqual({
			check: 'memory',
			level: 'warning',
			found: '1.1 GB of address space (h_vmem); the heap of V8 may have 90 MB',
			toDo: 'Ask for more: of it Node 22 takes 1019 MB before its heap gets any. --resources memory=2G is a good beginning.',
		});
		expect(find('memory', {nodeVersion: 'v24.0.0', heapLimitBytes: 90 * 2 ** 20})?.toDo).toBe(
			'Ask for more. --resources memory=3G is a good beginning.',
		);
	});

	test('of a control group that is smaller than the heap is noted', () => {
		expect(find('memory', {cgroupMemoryBytes: GIB})).toEqual({
			check: 'memory',
			level: 'note',
			found: 'no limit of address space (h_vmem), 1.0 GB for its control group; the heap of V8 may have 4.0 GB',
			toDo: 'A task that fills its heap is killed before V8 collects its garbage: ask for memory, and the heap is planned to fit (--resources memory=4G).',
		});
		expect(find('memory', {cgroupMemoryBytes: 8 * GIB})?.level).toBe('ok');
	});
});

test('few open files are warned of, and no limit is none', () => {
	expect(find('open files', {maxOpenFiles: 64})).toEqual({
		check: 'open files',
		level: 'warning',
		found: 'a task may have 64 files open',
		toDo: 'Ask your administrator for more (ulimit -n, on Grid Engine s_descriptors of the queue).',
	});
	expect(find('open files', {maxOpenFiles: undefined})).toEqual({check: 'open files', level: 'ok', found: 'no limit is told'});
});

test('a large environment is noted', () => {
	expect(find('environment', {environmentBytes: 2 ** 20})).toEqual({
		check: 'environment',
		level: 'note',
		found: 'tasks have 1 MB of variables: programs that are started by them may be refused (argument list too long)',
		toDo: 'Hand over only what is needed: --env NAME, several times if need be.',
	});
});

test('a scratch directory that is not there is warned of', () => {
	expect(find('scratch directory', {scratch: {path: '/scratch/x', problem: 'ENOENT: no such file or directory'}})).toEqual({
		check: 'scratch directory',
		level: 'warning',
		found: "/scratch/x (TMPDIR) can't be written on node7: ENOENT: no such file or directory",
		toDo: 'Set TMPDIR to a directory that is there on the nodes, or ask your administrator.',
	});
});

test('another umask on the node is noted', () => {
	expect(find('umask of tasks', {umask: 0o077})).toEqual({
		check: 'umask of tasks',
		level: 'note',
		found: 'tasks run with the umask 0077, not with the 0022 of this process',
		toDo: 'Something on the node sets it, as a file that BASH_ENV names.',
	});
});

describe('two clocks', () => {
	const seen = (overrides: Partial<Sightings> = {}): Sightings => ({
		begunMs: 5900,
		submittingMs: 5920,
		submittedMs: 5950,
		greetingSeenMs: 6090,
		answeredMs: 6092,
		resultSeenMs: 6120,
		endedMs: 6300,
		...overrides,
	});

	test('are compared by what each has seen of the other', () => {
		expect(boundOffset(worker(), seen())).toEqual({lowMs: 4991, highMs: 5009});
		expect(exchangeTime(worker(), seen())).toBe(18);
		expect(measureTrip(worker(), seen())).toEqual({
			submitMs: 30,
			waitingMs: 50,
			launcherMs: 10,
			nodeStartMs: 30,
			importMs: 40,
			taskMs: 22,
			resultMs: 18,
			totalMs: 400,
			clockUncertaintyMs: 9,
		});
	});

	test('are compared by the submission and the result when no answer was seen', () => {
		const facts = worker({answerSeenMs: undefined, launcherStartedMs: undefined});
		expect(boundOffset(facts, seen({greetingSeenMs: undefined, answeredMs: undefined}))).toEqual({lowMs: 4910, highMs: 5018});
		expect(exchangeTime(facts, seen())).toBeUndefined();
		expect(measureTrip(facts, seen({submittingMs: undefined}))).toMatchObject({submitMs: null, launcherMs: null});
	});

	test('of which one was set meanwhile are told to be somewhere between', () => {
		expect(boundOffset(worker({answerSeenMs: 900}), seen())).toEqual({lowMs: 5009, highMs: 5192});
	});

	test('the true difference is within the bounds, however late anything is seen, and no time is below 0', () => {
		const delay = fc.integer({min: 0, max: 60_000});
		fc.assert(
			fc.property(fc.integer({min: -1e7, max: 1e7}), fc.tuple(delay, delay, delay, delay, delay), (offsetMs, delays) => {
				const [queued, started, there, back, result] = delays;
				// All by the clock of the process-node.
				const launched = 1000 + queued;
				const task = launched + started;
				const sawGreeting = task + there;
				const sawAnswer = sawGreeting + back;
				const sawResult = sawAnswer + result;
				const facts = worker(
					Object.fromEntries(
						Object.entries({
							launcherStartedMs: launched,
							nodeStartedMs: launched,
							nodeReadyMs: task,
							taskStartedMs: task,
							greetedMs: task,
							answerSeenMs: sawAnswer,
							taskEndedMs: sawAnswer,
						}).map(([name, hereMs]) => [name, hereMs - offsetMs]),
					),
				);
				const sightings: Sightings = {
					begunMs: 1000,
					submittingMs: 1000,
					submittedMs: 1000,
					greetingSeenMs: sawGreeting,
					answeredMs: sawGreeting,
					resultSeenMs: sawResult,
					endedMs: sawResult,
				};
				const bounds = boundOffset(facts, sightings);
				expect(bounds.lowMs).toBeLessThanOrEqual(offsetMs);
				expect(bounds.highMs).toBeGreaterThanOrEqual(offsetMs);
				expect(Math.abs(middleOf(bounds) - offsetMs)).toBeLessThanOrEqual(uncertaintyOf(bounds));
				expect(exchangeTime(facts, sightings)).toBe(there + back);
				for (const ms of Object.values(measureTrip(facts, sightings))) expect(ms).toBeGreaterThanOrEqual(0);
			}),
		);
	});
});

describe('what a worker-node is asked', () => {
	test('limits are read as /proc shows them', () => {
		const limits = `Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 524288               files
Max address space         unlimited            unlimited            bytes
`;
		expect(parseLimit(limits, 'Max open files')).toBe(1024);
		expect(parseLimit(limits, 'Max address space')).toBeUndefined();
		expect(parseLimit('', 'Max open files')).toBeUndefined();
	});

	test('of control groups the smallest limit counts, of those above, too', () => {
		const files: Readonly<Record<string, string>> = {
			'/sys/fs/cgroup/slurm/job_7/memory.max': 'max\n',
			'/sys/fs/cgroup/slurm/job_8/memory.max': '3000000\n',
			'/sys/fs/cgroup/slurm/memory.max': '2000000\n',
			'/sys/fs/cgroup/memory.max': '',
			'/sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes': '1000000\n',
			'/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
		};
		const read = (path: string): string => files[path] ?? '';
		expect(findCgroupMemory('0::/slurm/job_7\n', read)).toBe(2_000_000);
		expect(findCgroupMemory('0::/slurm/job_8\n', read)).toBe(2_000_000);
		expect(findCgroupMemory('12:cpu:/x\n9:memory:/slurm/job_7\n0::/\n', read)).toBe(1_000_000);
		expect(findCgroupMemory('9:memory:/\n', read)).toBeUndefined();
		expect(findCgroupMemory('', read)).toBeUndefined();
	});

	test('the age of a process is read whatever its program is called', () => {
		const stat = `4711 (a ) b) S ${Array.from({length: 18}, (_, i) => i + 1).join(' ')} 12000 0 0`;
		expect(findProcessStart(stat, '130.50 99.00\n', 1_000_000)).toBe(989_500);
		expect(findProcessStart('', '', 1_000_000)).toBeUndefined();
	});
});
