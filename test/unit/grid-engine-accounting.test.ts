import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import type {JobEnd, JobResources} from '../../src/engines/engine.js';
import {isForUnknownLimit, parseAccounting, toJobEnd} from '../../src/engines/grid-engine-accounting.js';
import {type Limits, limitsOfQueue} from '../../src/engines/grid-engine-limits.js';

const FIXTURES = join(import.meta.dirname, '../fixtures/qacct');
const read = (name: string): string => readFileSync(join(FIXTURES, `${name}.txt`), 'utf8');

const endOf = (text: string, name: string, resources: JobResources = {}, limits: Limits = {}, element?: number): JobEnd | undefined => {
	const record = parseAccounting(text, {name, resources}, element);
	return record === undefined ? undefined : toJobEnd(record, limits);
};

/** By file: the queue-job's name and how it ended. */
const ENDS: Readonly<Record<string, readonly [name: string, end: JobEnd]>> = {
	ended: ['bin', {failed: false, reason: 'exit status 0', host: 'node2'}],
	'exit-1': ['vm', {failed: true, reason: 'exit status 1', host: 'node2'}],
	'exit-99': ['e99', {failed: true, reason: 'it was put back into the queue, and removed there (failed 25: rescheduling)', host: 'node1'}],
	'exit-100': ['e100', {failed: true, reason: 'it asked for the error state (failed 30: application error returned)', host: 'node1'}],
	'launcher-66': [
		'e66',
		{
			failed: true,
			kind: 'start-failed',
			reason: 'the files of the work_dir could not be read on that host (exit status 66)',
			host: 'node2',
		},
	],
	h_rt: ['rt', {failed: true, kind: 'wall-time', reason: 'killed: it ran longer than its h_rt of 3 s allows', host: 'node1'}],
	s_rt: ['srt', {failed: true, kind: 'wall-time', reason: 'killed: it ran longer than its s_rt of 3 s allows', host: 'node2'}],
	h_cpu: [
		'cpu',
		{failed: true, kind: 'wall-time', reason: 'killed: it took more processor time than its h_cpu of 2 s allows', host: 'node2'},
	],
	'queue-h_rt': [
		'qrt',
		{
			failed: true,
			kind: 'killed',
			reason: 'killed for a limit of time or memory (failed 37: qmaster enforced h_rt, h_cpu, or h_vmem limit)',
			host: 'node2',
		},
	],
	h_vmem: [
		'tree',
		{failed: true, kind: 'out-of-memory', reason: 'killed: it took more memory than its h_vmem of 100 MB allows', host: 'node1'},
	],
	'h_vmem-and-h_rt': [
		'treert',
		{failed: true, kind: 'out-of-memory', reason: 'killed: it took more memory than its h_vmem of 100 MB allows', host: 'node1'},
	],
	'address-space': [
		'vmlow',
		{
			failed: true,
			kind: 'out-of-memory',
			reason: expect.stringMatching(
				/^killed by SIGTRAP: its limit of memory is too small, Node \d+ needs \d+ MB of address space just to start \(exit status 133\)$/,
			),
			host: 'node1',
		},
	],
	heap: [
		'vmheap',
		{
			failed: true,
			kind: 'killed',
			reason: 'killed by SIGABRT: as Node ends when its heap is full, and says so on stderr (exit status 134)',
			host: 'node2',
		},
	],
	killed: [
		'killed',
		{
			failed: true,
			kind: 'killed',
			reason: 'killed by SIGKILL: by hand, or by the system for want of memory (exit status 137)',
			host: 'node1',
		},
	],
	'notify-killed': ['notify', {failed: true, kind: 'killed', reason: 'killed by SIGUSR2 (exit status 140)', host: 'node1'}],
	deleted: ['qdelrun', {failed: true, kind: 'killed', reason: expect.stringMatching(/^killed by SIGKILL/), host: 'node1'}],
	'deleted-while-cut': ['we4', {failed: true, kind: 'killed', reason: expect.stringMatching(/^killed by SIGKILL/), host: 'node2'}],
	'shepherd-killed': [
		'shep',
		{
			failed: true,
			kind: 'node-lost',
			reason: 'its node crashed, or what watches it there was killed (failed 19: before writing exit_status)',
			host: 'node2',
		},
	],
	'node-crashed': ['cut1', {failed: true, kind: 'node-lost', reason: expect.stringContaining('failed 19'), host: 'node2'}],
	shell: [
		'eqw',
		{failed: true, kind: 'start-failed', reason: 'its shell was not found (failed 27: searching requested shell)', host: 'node1'},
	],
	directory: [
		'direx',
		{
			failed: true,
			kind: 'start-failed',
			reason: 'its directory could not be entered (failed 28: changing into working directory)',
			host: 'node2',
		},
	],
	'output-file': [
		'oute',
		{
			failed: true,
			kind: 'start-failed',
			reason: 'its input or output could not be opened (failed 26: opening input/output file)',
			host: 'node2',
		},
	],
};

describe('records of a real Grid Engine', () => {
	test('are all looked at', () => {
		const files = readdirSync(FIXTURES).filter(name => name.endsWith('.txt'));
		expect(files.map(name => name.slice(0, -'.txt'.length)).sort()).toEqual([...Object.keys(ENDS), 'array'].sort());
	});

	test.each<[element: number, end: Partial<JobEnd> | undefined]>([
		[1, {kind: 'killed', host: 'node2'}],
		[2, {kind: 'start-failed', host: 'node1'}],
		[3, {kind: 'killed', host: 'node1'}],
		[4, {kind: 'start-failed', host: 'node2'}],
		[5, undefined],
	])('element %i of an array has its own', (element, end) => {
		const found = endOf(read('array'), 'errors', {}, {}, element);
		if (end === undefined) expect(found).toBeUndefined();
		else expect(found).toMatchObject(end);
	});

	test.each(Object.entries(ENDS))('%s', (file, [name, end]) => {
		expect(endOf(read(file), name)).toEqual(end);
	});

	test('what was killed for a limit of its queue is asked about there, and told apart then', () => {
		const record = parseAccounting(read('queue-h_rt'), {name: 'qrt', resources: {}});
		expect(record?.queueInstance).toBe('lim.q@node2');
		expect(record !== undefined && isForUnknownLimit(record)).toBe(true);
		const limits = limitsOfQueue(`<Queue-List>
      <name>lim.q@node2</name>
      <resource name="h_rt" type="qf">00:00:03</resource>
      <resource name="h_vmem" type="qf">infinity</resource>
    </Queue-List>`);
		expect(limits).toEqual({h_rt: 3});
		expect(endOf(read('queue-h_rt'), 'qrt', {}, limits)).toMatchObject({
			kind: 'wall-time',
			reason: 'killed: it ran longer than its h_rt of 3 s allows',
		});
		for (const [file, name] of [
			['h_rt', 'rt'],
			['h_vmem', 'tree'],
			['killed', 'killed'],
		] as const) {
			const other = parseAccounting(read(file), {name, resources: {}});
			expect(other !== undefined && isForUnknownLimit(other), file).toBe(false);
		}
	});
});

const RULE = '==============================================================\n';
const record = (fields: Readonly<Record<string, string>>): string =>
	RULE +
	Object.entries({qname: 'all.q', hostname: 'node1', jobname: 'qs#1.1', failed: '0    ', exit_status: '0 ', ...fields})
		.map(([name, value]) => `${name.padEnd(13)}${value}\n`)
		.join('');
const accounted = (text: string, resources: JobResources = {}): JobEnd | undefined => endOf(text, 'qs#1.1', resources);

describe('a kill is for time or for memory', () => {
	const killed = (fields: Readonly<Record<string, string>>): string =>
		record({failed: '37  : qmaster enforced h_rt, h_cpu, or h_vmem limit', exit_status: '137                  (Killed)', ...fields});

	test.each<[fields: Record<string, string>, resources: JobResources, kind: string]>([
		// Without a category, what was asked for counts.
		[{ru_wallclock: '61s'}, {timeSeconds: 60}, 'wall-time'],
		[{ru_wallclock: '60'}, {timeSeconds: 60}, 'wall-time'],
		[{ru_wallclock: '59s', maxvmem: '1.100GB'}, {timeSeconds: 60, memoryBytes: 2 ** 30}, 'out-of-memory'],
		[{ru_wallclock: '59s', maxvmem: '1.100G'}, {memoryBytes: 2 ** 30}, 'out-of-memory'],
		[{ru_wallclock: '61s', maxvmem: '1.100GB'}, {timeSeconds: 60, memoryBytes: 2 ** 30}, 'wall-time'],
		// With one, what the job really had: the user's own -l came later.
		[{ru_wallclock: '61s', category: '-l h_rt=3600'}, {timeSeconds: 60}, 'killed'],
		[{ru_wallclock: '61s', category: '-u me -l h_vmem=8G,h_rt=0:1:0 -q short.q'}, {}, 'wall-time'],
		[{maxvmem: '8.001GB', category: '-l h_rt=9999,h_vmem=8G'}, {}, 'out-of-memory'],
		[{maxvmem: '8.001GB', slots: '4', category: '-l h_vmem=8G -pe smp 4'}, {}, 'killed'],
		[{maxvmem: '32.001GB', slots: '4', category: '-l h_vmem=8G -pe smp 4'}, {}, 'out-of-memory'],
		[{ru_wallclock: '61s', category: '-l h_rt=INFINITY'}, {}, 'killed'],
		// A busy machine accounts for less than it counts.
		[{cpu: '1.1s', category: '-l h_cpu=2'}, {}, 'wall-time'],
		[{cpu: '0.9s', category: '-l h_cpu=2'}, {}, 'killed'],
		[{cpu: '49s', category: '-l h_cpu=60'}, {}, 'wall-time'],
		[{cpu: '47s', category: '-l h_cpu=60'}, {}, 'killed'],
		[{ru_wallclock: 'junk', maxvmem: 'N/A'}, {timeSeconds: 1, memoryBytes: 1}, 'killed'],
	])('%j with %j: %s', (fields, resources, kind) => {
		expect(accounted(killed(fields), resources)).toMatchObject({failed: true, kind});
		// Some versions call the same a death by signal.
		expect(accounted(killed({...fields, failed: '100 : assumedly after job'}), resources)).toMatchObject({failed: true, kind});
	});

	test('an orderly end is none, however long it took', () => {
		expect(accounted(record({ru_wallclock: '61s'}), {timeSeconds: 60})).toMatchObject({failed: false});
		expect(accounted(record({ru_wallclock: '61s', exit_status: '3'}), {timeSeconds: 60})).toEqual({
			failed: true,
			reason: 'exit status 3',
			host: 'node1',
		});
	});

	test('too little address space is certain only below what Node needs', () => {
		const trapped = record({failed: '100 : assumedly after job', exit_status: '133 (Trace/breakpoint trap)'});
		expect(accounted(trapped, {memoryBytes: 700 * 2 ** 20})).toMatchObject({kind: 'out-of-memory'});
		for (const resources of [{}, {memoryBytes: 2 ** 33}]) {
			const end = accounted(trapped, resources);
			expect(end).toMatchObject({kind: 'killed', reason: expect.stringMatching(/as Node ends .* needs \d+ MB of address space/)});
		}
	});
});

describe('the codes of Grid Engine', () => {
	test.each([
		...[1, 3, 7, 8, 11, 26, 27, 28].map(code => [code, 'start-failed'] as const),
		...[18, 19, 21].map(code => [code, 'node-lost'] as const),
		...[20, 25, 30, 99].map(code => [code, undefined] as const),
	])('failed %i: %s', (code, kind) => {
		const end = accounted(record({failed: `${code} : some words`, exit_status: '0'}));
		expect(end?.failed).toBe(true);
		expect(end?.kind).toBe(kind);
		expect(end?.reason).toContain(`(failed ${code}: some words)`);
	});

	test.each([12, 13, 14, 15, 16])('failed %i is something behind the job, whose own end counts', code => {
		expect(accounted(record({failed: `${code} : in epilog`, exit_status: '0'}))).toMatchObject({failed: false});
		expect(accounted(record({failed: `${code} : in epilog`, exit_status: '3'}))).toMatchObject({failed: true, reason: 'exit status 3'});
	});

	test('a signal that Grid Engine knows nothing more of is a failure all the same', () => {
		expect(accounted(record({failed: '100 : assumedly after job'}))).toMatchObject({
			failed: true,
			reason: 'failed 100: assumedly after job',
		});
	});
});

describe('the record of a queue-job', () => {
	test('a host that is not known is not told', () => {
		expect(accounted(record({hostname: 'UNKNOWN', failed: '18 : x'}))).not.toHaveProperty('host');
	});

	test('a queue-job that had the same number before is another one', () => {
		expect(accounted(record({jobname: 'bin'}))).toBeUndefined();
		expect(accounted(record({jobname: 'qs#1.10'}))).toBeUndefined();
		expect(accounted(record({exit_status: '1'}) + record({jobname: 'bin', exit_status: '2'}))?.reason).toBe('exit status 1');
	});

	test('of several records the last counts', () => {
		const text = record({exit_status: '1'}) + record({exit_status: '2'}) + record({exit_status: '3'});
		expect(accounted(text)?.reason).toBe('exit status 3');
	});

	test.each(['', '\n', 'error: job id 578 not found\n', 'no jobs running since startup\n', RULE])('none in %j', text => {
		expect(accounted(text)).toBeUndefined();
	});

	test('cut off before its status it says nothing of the end', () => {
		expect(accounted(record({}).split('failed')[0] as string)).toBeUndefined();
	});
});
