import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {JobState, JobStatus} from '../../src/engines/engine.js';
import {parseListing, toJobState} from '../../src/engines/grid-engine-answers.js';
import {parseElements} from '../../src/engines/grid-engine-elements.js';

const FIXTURES = join(import.meta.dirname, '../fixtures/qstat');
const LISTINGS = readdirSync(FIXTURES).filter(name => name.endsWith('.xml'));
const read = (name: string): string => readFileSync(join(FIXTURES, name), 'utf8');

const parse = async (xml: string, user = 'daemon'): Promise<readonly JobStatus[]> =>
	(await parseListing(xml, {user, errorStateIndicator: 'E'})).jobs;

/** Every text of an element, read without a parser. */
const texts = (xml: string, element: string): string[] =>
	[...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'))].map(match => match[1] as string);

/** Number, element, name and state of each queue-job in a `<job_list>`. */
const readJobList = (xml: string): [id: string, element: number | undefined, name: string, state: string][] => {
	const [id, name, state] = ['JB_job_number', 'JB_name', 'state'].map(element => texts(xml, element)[0]) as [string, string, string];
	const read = name.replace('&gt;', '>').replace('&amp;', '&');
	const elements = texts(xml, 'tasks').flatMap(parseElements);
	return elements.length === 0 ? [[id, undefined, read, state]] : elements.map(element => [`${id}.${element}`, element, read, state]);
};

type MadeUp = {readonly id: string; readonly name: string; readonly state: string; readonly owner?: string; readonly host?: string};

const toXml = (text: string): string =>
	text.replaceAll('&', '&amp;').replaceAll('>', '&gt;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const jobList = ({
	id,
	name,
	state,
	owner = 'daemon',
	host = '',
}: MadeUp): string => `    <job_list state="${host === '' ? 'pending' : 'running'}">
      <JB_job_number>${id}</JB_job_number>
      <JAT_prio>0.50000</JAT_prio>
      <JB_name>${toXml(name)}</JB_name>
      <JB_owner>${owner}</JB_owner>
      <state>${state}</state>
      <queue_name>${host === '' ? '' : `all.q@${host}`}</queue_name>
      <slots>1</slots>
    </job_list>
`;

const listing = (onHosts: readonly MadeUp[], waiting: readonly MadeUp[]): string => `<?xml version='1.0'?>
<job_info  xmlns:xsd="http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qstat/qstat.xsd">
  <queue_info>
${onHosts.map(jobList).join('')}  </queue_info>
  <job_info>
${waiting.map(jobList).join('')}  </job_info>
</job_info>
`;

const countStates = (jobs: readonly JobStatus[]): Partial<Record<JobState, number>> => {
	const counts: Partial<Record<JobState, number>> = {};
	for (const {state} of jobs) counts[state] = (counts[state] ?? 0) + 1;
	return counts;
};

describe('listings of a real Grid Engine', () => {
	test('there are some of every kind', () => {
		expect(LISTINGS.length).toBeGreaterThanOrEqual(30);
	});

	test.each(LISTINGS)('Q13, A20: every queue-job of %s is read, with its number, name and state', async name => {
		const xml = read(name);
		const jobs = await parse(xml);
		const listed = xml.split('<job_list').slice(1).map(readJobList);
		expect(listed.flat()).toHaveLength(jobs.length);
		expect(jobs.map(({id, element, name, rawState}) => [id, element, name, rawState.replace(', node u', '')])).toEqual(listed.flat());
		expect(countStates(jobs).error ?? 0).toBe(listed.flat().filter(job => job[3] === 'Eqw').length);
	});

	test.each<[name: string, state: JobState]>([
		['one-pending.xml', 'pending'],
		['one-running.xml', 'running'],
		['held.xml', 'held'],
		['error.xml', 'error'],
		['error-exit-100.xml', 'error'],
		['suspended.xml', 'suspended'],
		['deleting.xml', 'deleting'],
	])('A20: %s holds one queue-job that is %s', async (name, state) => {
		expect((await parse(read(name))).map(job => job.state)).toEqual([state]);
	});

	test('Q13, A20: an empty listing holds none', async () => {
		expect(await parse(read('empty.xml'))).toEqual([]);
	});

	test('a running queue-job has a host, a waiting one has none', async () => {
		expect(await parse(read('held-by-job.xml'))).toEqual([
			{id: expect.any(String), name: expect.any(String), state: 'running', rawState: 'r', host: expect.stringMatching(/^node[12]$/)},
			{id: expect.any(String), name: expect.any(String), state: 'held', rawState: 'hqw'},
		]);
	});

	test.each([
		['array-mixed.full.xml', '1 running, 3.1 running, 2 running, 3.2 running, 5 error, 6 pending, 3.3-6 pending, 4 held'],
		['array-running.full.xml', '37.1 running, 37.3 running, 37.2 running'],
		['array-pending.full.xml', '49.1-5 pending'],
		[
			'array-lists.full.xml',
			'1929.3 running, 1929.1 running, 1930.1 running, 1929.2 error, 1929.4 error, 1929.5-6 pending, 1928.2 held, 1928.4 held, 1928.6 held, 1928.11-13 held, 1928.17 held, 1928.19 held',
		],
	])('every living element of the arrays in %s is told', async (name, told) => {
		const expected = told.split(', ').flatMap(one => {
			const [id, state] = one.split(' ') as [string, string];
			const [job, first, last] = id.split(/[.-]/) as [string, string | undefined, string | undefined];
			if (first === undefined) return [{id, state}];
			const count = Number(last ?? first) - Number(first) + 1;
			return Array.from({length: count}, (_, i) => ({id: `${job}.${Number(first) + i}`, state, element: Number(first) + i}));
		});
		const jobs = await parse(read(name));
		expect(jobs.map(({id, state, element}) => ({id, state, ...(element === undefined ? {} : {element})}))).toEqual(expected);
	});

	test('an element has the name of its array, and a host where it runs', async () => {
		const jobs = await parse(read('array-lists.full.xml'));
		expect(jobs[0]).toEqual({id: '1929.3', element: 3, name: 'errors', state: 'running', rawState: 'r', host: 'node1'});
		expect(jobs.at(-1)).toEqual({id: '1928.19', element: 19, name: 'removed', state: 'held', rawState: 'hqw'});
	});

	test('elements that are no list of numbers make an answer that says nothing', async () => {
		await expect(parse(read('array-pending.full.xml').replace('1-5:1', '1-5:1,...'))).rejects.toThrow('tasks that are no list of numbers');
	});

	test('queue-jobs on a node that the master does not reach are unreachable, those on others are not', async () => {
		const {jobs, reachesNone} = await parseListing(read('unreachable.full.xml'), {user: 'daemon', errorStateIndicator: 'E'});
		expect(jobs.map(({id, state, rawState, host}) => [id, state, rawState, host])).toEqual([
			['33', 'running', 'r', 'node1'],
			['36', 'running', 'r', 'node1'],
			['39', 'running', 'r', 'node1'],
			['35', 'unreachable', 'r, node u', 'node2'],
			['38', 'unreachable', 't, node u', 'node2'],
			['40', 'pending', 'qw', undefined],
		]);
		expect(reachesNone).toBe(false);
	});

	test('a master that was restarted a moment ago reaches no node; what is being deleted stays so', async () => {
		const {jobs, reachesNone} = await parseListing(read('restarted.full.xml'), {user: 'daemon', errorStateIndicator: 'E'});
		expect(jobs.map(({id, state}) => `${id} ${state}`)).toEqual([
			...['33 unreachable', '36 unreachable', '39 unreachable', '41 unreachable'],
			...['35 deleting', '38 unreachable', '40 pending'],
		]);
		expect(reachesNone).toBe(true);
	});

	test.each(['empty.full.xml', 'one-pending.full.xml', 'one-running.full.xml', 'all-instances.full.xml', 'many.xml'])(
		'%s does not say that no node is reached',
		async name => {
			expect((await parseListing(read(name), {user: 'daemon', errorStateIndicator: 'E'})).reachesNone).toBe(false);
		},
	);

	test('W14: queue-jobs of another owner are left out', async () => {
		expect(await parse(read('many.xml'), 'somebody')).toEqual([]);
		const mixed = listing([{id: '1', name: 'qs#1', state: 'r', owner: 'root', host: 'n1'}], [{id: '2', name: 'qs#1', state: 'qw'}]);
		expect((await parse(mixed)).map(({id}) => id)).toEqual(['2']);
	});
});

describe('made-up listings', () => {
	test('A12b: one running and one pending', async () => {
		const jobs = await parse(listing([{id: '42', name: 'a', state: 'r', host: 'n1'}], [{id: '1337', name: 'b', state: 'qw'}]));
		expect(jobs).toEqual([
			{id: '42', name: 'a', state: 'running', rawState: 'r', host: 'n1'},
			{id: '1337', name: 'b', state: 'pending', rawState: 'qw'},
		]);
	});

	test('Q14, A12c: 1000 running, every 10th in error, and 2000 pending, every 10th in error', async () => {
		const make = (count: number, state: string, errorState: string, host: string): MadeUp[] =>
			Array.from({length: count}, (_, i) => ({id: String(i), name: `job${i}`, state: i % 10 === 0 ? errorState : state, host}));
		const jobs = await parse(listing(make(1000, 'r', 'Er', 'n1'), make(2000, 'qw', 'Eqw', '')));
		expect(countStates(jobs)).toEqual({running: 900, pending: 1800, error: 300});
	});

	test.each(['1e5', '0012', '0x10', 'true', 'null', '-', '12.0', '__proto__', 'constructor', 'job_list'])(
		'the name %s stays as it is',
		async name => {
			expect((await parse(listing([], [{id: '0007', name, state: 'qw'}])))[0]).toMatchObject({id: '0007', name});
		},
	);

	test('dt: a queue-job that is being deleted while it is transferred is neither running nor lost nor in error', async () => {
		const jobs = await parse(listing([{id: '1', name: 'a', state: 'dt', host: 'n1'}], [{id: '2', name: 'b', state: 'dEqw'}]));
		expect(jobs.map(({state}) => state)).toEqual(['deleting', 'deleting']);
	});

	const name = fc.string({unit: fc.constantFrom(...'abzAZ09_.#-+=<>&\'"%;,()[]{}$~é'), minLength: 1, maxLength: 40});
	const job = fc.record({
		id: fc.integer({min: 1, max: 9_999_999}).map(String),
		name,
		state: fc.constantFrom('qw', 'r', 'Eqw', 'hqw', 't', 's', 'dr'),
		owner: fc.constantFrom('daemon', 'root', 'daemon2'),
	});
	const jobs = fc.array(job, {maxLength: 12});

	test('whatever is in it, exactly the own queue-jobs are read, running ones first', async () => {
		await fc.assert(
			fc.asyncProperty(jobs, jobs, async (running, waiting) => {
				const onHosts = running.map(made => ({...made, host: 'node1'}));
				const own = [...onHosts, ...waiting].filter(({owner}) => owner === 'daemon');
				const found = await parse(listing(onHosts, waiting));
				expect(found.map(({id, name, rawState}) => ({id, name, rawState}))).toEqual(
					own.map(({id, name, state}) => ({id, name, rawState: state})),
				);
			}),
		);
	});
});

describe('what is no listing is refused', () => {
	test.each([
		['nothing', ''],
		['a newline', '\n'],
		['prose', 'error: unable to send message to qmaster using port 6444 on host "qmaster": got send error\n'],
		['a declaration alone', "<?xml version='1.0'?>\n"],
		['another document', "<?xml version='1.0'?>\n<html><body>Service unavailable</body></html>\n"],
		['a message of Grid Engine', "<?xml version='1.0'?>\n<comunication_error>no master</comunication_error>\n"],
		['an empty job_info', "<?xml version='1.0'?>\n<job_info></job_info>\n"],
		['half a listing', "<?xml version='1.0'?>\n<job_info>\n  <queue_info>\n  </queue_info>\n</job_info>\n"],
		['another answer of qstat', read('cluster-queues.txt')],
		['an answer of qhost', read('qhost.txt')],
		['a listing and something after it', `${read('many.xml')}Killed\n`],
		['something before a listing', `warning: old\n${read('many.xml')}`],
		['two listings', read('many.xml') + read('many.xml')],
		['noise in the middle', read('many.xml').replace('</state>', '</st\0te>')],
	])('%s', async (_, text) => {
		await expect(parse(text)).rejects.toThrow(/^qstat printed /);
	});

	test.each(LISTINGS.filter(name => name.includes('.full.')))('%s, wherever it is cut off', async name => {
		const xml = read(name);
		// Behind the last tag there is only a newline.
		const end = xml.lastIndexOf('>');
		for (let length = 0; length <= end; length++)
			await expect(parse(xml.slice(0, length)), `cut at ${length}`).rejects.toThrow(/^qstat printed /);
		expect(await parse(xml.slice(0, end + 1))).toEqual(await parse(xml));
	});

	test('a made-up listing, wherever it is cut off', async () => {
		const xml = listing(
			Array.from({length: 200}, (_, i) => ({id: String(i), name: `q#${i}`, state: 'r', host: 'n1'})),
			Array.from({length: 200}, (_, i) => ({id: String(i + 200), name: `q#${i}`, state: 'qw'})),
		);
		await fc.assert(
			fc.asyncProperty(fc.nat(xml.lastIndexOf('>')), async length => {
				await expect(parse(xml.slice(0, length))).rejects.toThrow(/^qstat printed /);
			}),
		);
	});
});

/** The letters of qstat(1), by what they mean for us. */
const LETTERS: Readonly<Partial<Record<JobState, string>>> = {
	pending: 'qw Rq',
	held: 'hqw hRwq hRq',
	running: 'r hr t Rr Rt ht hRr',
	suspended: 's ts S tS T tT Rs Rts RS RtS RT RtT',
	error: 'Eqw Ehqw EhRqw Er Et',
	deleting: 'dr dt dRr dRt ds dS dT dRs dRS dRT dEqw dhqw',
};

describe('Q14: state letters', () => {
	test.each(['u', 'au', 'du', 'Eu', 'uE'])(
		'a queue-job on a queue instance in the state %s is unreachable, unless it is being deleted',
		async state => {
			const instance = (letters: string): string =>
				read('deleting.full.xml').replace('</arch>', `</arch><state>${state}</state>`).replace('dr', letters);
			for (const letters of ['r', 't', 's', 'S', 'Rr', 'hr'])
				expect(await parse(instance(letters))).toMatchObject([{state: 'unreachable'}]);
			for (const letters of ['dr', 'dt', 'ds']) expect(await parse(instance(letters))).toMatchObject([{state: 'deleting'}]);
		},
	);

	test.each(['a', 'A', 'd', 's', 'S', 'E', 'o', 'c', 'C', 'D', 'adS'])(
		'on one in the state %s it is what its own letters say',
		async state => {
			const xml = read('one-running.full.xml').replace('</arch>', `</arch><state>${state}</state>`);
			expect(await parse(xml)).toMatchObject([{state: 'running', rawState: 'r'}]);
		},
	);

	const table = Object.entries(LETTERS).flatMap(([state, letters]) => letters.split(' ').map(raw => [raw, state as JobState] as const));

	test.each(table)('%s means %s', (letters, state) => {
		expect(toJobState(letters, 'E')).toBe(state);
	});

	test.each(['', 'x', 'N', 'P', 'zz'])('unknown letters mean that it is still there: %j', letters => {
		expect(toJobState(letters, 'E')).toBe('pending');
	});

	test('another errorStateIndicator replaces the E', () => {
		expect(['Xqw', 'Eqw', 'dXqw'].map(letters => toJobState(letters, 'X'))).toEqual(['error', 'pending', 'deleting']);
		expect(toJobState('Eqw', 'Eqw')).toBe('error');
		expect(toJobState('Ehqw', 'Eqw')).toBe('held');
	});
});
