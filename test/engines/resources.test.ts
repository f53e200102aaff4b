/** What queue-jobs ask for, and get, on a real Grid Engine with slots, GPUs and projects of its own. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {MapError, Pool, type PoolError, type PoolOptions, readWorkDir} from 'queue-map-reduce';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi} from 'vitest';
import {addressSpaceBeforeHeap, OWN_MAJOR} from '../../dist/src/node-memory.js';
import {fetchAndCompute, fillHeap, lookAtResources, lookLater} from '../fixtures/resources.mjs';
import {createTestDirectory, keptWorkDirs, poolOptions} from '../helpers/engines.js';
import {call, listJobs} from '../helpers/grid-engine.js';
import {bringUpCluster, type OwnCluster} from '../helpers/own-cluster.js';

let cluster: OwnCluster;
let directory: ReturnType<typeof createTestDirectory>;
let options: PoolOptions;

beforeAll(async () => {
	cluster = await bringUpCluster(53, {nodes: 1, slots: 8});
});
afterAll(async () => {
	await cluster?.remove();
});
beforeEach(() => {
	directory = createTestDirectory();
	options = poolOptions('grid-engine', directory.path);
	vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
	vi.restoreAllMocks();
	directory.remove();
});

/** What `qconf` takes as a file. */
const configure = async (verb: string, text: string): Promise<void> => {
	const path = join(directory.path, 'settings');
	mkdirSync(directory.path, {recursive: true});
	writeFileSync(path, `${text}\n`);
	await call('qconf', [verb, path]);
};

const addParallelEnvironment = async (name: string, rule: string): Promise<void> => {
	const none = ['user_lists', 'xuser_lists', 'start_proc_args', 'stop_proc_args', 'qsort_args'].map(key => `${key} NONE`);
	const fixed = ['slots 99', 'control_slaves FALSE', 'job_is_first_task TRUE', 'urgency_slots min', 'accounting_summary TRUE'];
	await configure('-Ap', [`pe_name ${name}`, `allocation_rule ${rule}`, ...fixed, ...none].join('\n'));
	await call('qconf', ['-aattr', 'queue', 'pe_list', name, 'all.q']);
};

const refusalOf = async (resources: NonNullable<PoolOptions['resources']>, more: PoolOptions = {}): Promise<PoolError> => {
	const error = await new Pool({...options, resources, ...more}).map(lookAtResources, [1, 2]).then(
		() => undefined,
		(thrown: unknown) => thrown,
	);
	expect(error).toMatchObject({name: 'PoolError'});
	expect(await listJobs()).toEqual([]);
	return error as PoolError;
};

/** What Node makes of `--max-old-space-size`: some more, for its young space. */
const expectHeap = (heapMib: number, oldSpaceMib: number): void => {
	expect(heapMib).toBeGreaterThanOrEqual(oldSpaceMib);
	expect(heapMib).toBeLessThanOrEqual(oldSpaceMib + 150);
};

const oldSpaceBelow = (limitMib: number): number => Math.floor(((limitMib - addressSpaceBeforeHeap(OWN_MAJOR)) * 3) / 4);

describe('is refused before anything is submitted', () => {
	test('slots, as long as no parallel environment gives them on one host', async () => {
		await addParallelEnvironment('spread', '$round_robin');
		const error = await refusalOf({slots: 4});
		expect(error.code).toBe('ERR_POOL_OPTION');
		expect(error.message).toContain('Ask your administrator for its name, and pass {slots: 4');
		expect((await refusalOf({slots: 4}, {arrayJobs: true})).message).toBe(error.message);
	});

	test('GPUs that the site does not know', async () => {
		expect((await refusalOf({gpus: 1})).message).toContain('`-l gpu=…`, which this Grid Engine does not know');
	});

	test('memory in which Node can not start', async () => {
		expect((await refusalOf({memory: '500M'})).message).toMatch(/enough for Node, got 500 MB: .*Ask for 2G or more/);
	});

	test('by qsub: a parallel environment, a project or a queue that does not exist', async () => {
		for (const resources of [{slots: 2, parallelEnvironment: 'nosuch'}, {project: 'nosuch'}, {queue: 'nosuch.q'}]) {
			expect(await refusalOf(resources)).toMatchObject({code: 'ERR_POOL_SUBMIT_REJECTED', message: expect.stringContaining('nosuch')});
		}
	});
});

describe('is given', () => {
	beforeAll(async () => {
		directory = createTestDirectory();
		try {
			await addParallelEnvironment('qmr-smp', '$pe_slots');
			await configure('-Aprj', 'name qmr-physics\noticket 0\nfshare 0\nacl NONE\nxacl NONE');
			const complexes = await call('qconf', ['-sc']);
			await configure('-Mc', `${complexes}gpu gpu INT <= YES YES 0 0`);
			const [host] = (await call('qconf', ['-sel'])).split('\n') as [string];
			await call('qconf', ['-mattr', 'exechost', 'complex_values', 'gpu=8', host]);
		} finally {
			directory.remove();
		}
	});

	test('all that can be asked for, in the words of Grid Engine', async () => {
		const until = join(directory.path, 'until');
		const resources = {memory: '8G', time: '1h', slots: 4, gpus: 4, queue: 'all.q', project: 'qmr-physics'};
		const run = await new Pool({...options, queueName: 'nosuch.q', resources}).submit(lookLater, [until]);
		const [job] = await listJobs();
		const told = await call('qstat', ['-j', job?.id as string]);
		const lineOf = (name: string): string | undefined => new RegExp(`^${name}:\\s+(.*\\S)\\s*$`, 'm').exec(told)?.[1];
		// Of each slot.
		expect(lineOf('hard resource_list')?.split(',').sort()).toEqual(['gpu=1', 'h_rt=3600', `h_vmem=${2 * 2 ** 30}`]);
		expect([lineOf('parallel environment'), lineOf('hard_queue_list'), lineOf('project')]).toEqual([
			'qmr-smp range: 4',
			'all.q',
			'qmr-physics',
		]);
		writeFileSync(until, '');
		const [seen] = await run.results();
		expect(seen).toMatchObject({slots: '4', parallelEnvironment: 'qmr-smp', queue: 'all.q', addressSpaceMib: 8192});
		expectHeap(seen?.heapMib as number, oldSpaceBelow(8192));
	});

	test('memory as it was asked for, whatever the slots', async () => {
		const pool = new Pool(options);
		const all = [1, 3].map(slots => pool.map(lookAtResources, [1], {resources: {memory: '3G', slots}}));
		const [[one], [three]] = (await Promise.all(all)) as [[ReturnType<typeof lookAtResources>], [ReturnType<typeof lookAtResources>]];
		expect([one.slots, one.addressSpaceMib]).toEqual(['1', 3072]);
		expect([three.slots, three.addressSpaceMib]).toEqual(['3', 3072]);
		for (const {heapMib} of [one, three]) expectHeap(heapMib, oldSpaceBelow(3072));
	});

	test('memory to every element of an array', async () => {
		const results = await new Pool({...options, arrayJobs: true, resources: {memory: '2G', slots: 2}}).map(lookAtResources, [1, 2, 3]);
		for (const {slots, addressSpaceMib, heapMib} of results) {
			expect([slots, addressSpaceMib]).toEqual(['2', 2048]);
			expectHeap(heapMib, oldSpaceBelow(2048));
		}
	});

	test('a limit that comes by other ways than `resources` makes the heap smaller, too', async () => {
		const [seen] = await new Pool({...options, qsubArgs: ['-l', 'h_vmem=2G']}).map(lookAtResources, [1]);
		expect(seen?.addressSpaceMib).toBe(2048);
		expectHeap(seen?.heapMib as number, oldSpaceBelow(2048));
	});

	test('raw arguments of qsub win', async () => {
		const [seen] = await new Pool({...options, resources: {memory: '2G'}, qsubArgs: ['-l', 'h_vmem=4G']}).map(lookAtResources, [1]);
		expect(seen?.addressSpaceMib).toBe(4096);
	});

	test('what NODE_OPTIONS says of the heap', async () => {
		vi.stubEnv('NODE_OPTIONS', '--max-old-space-size=300');
		const [seen] = await new Pool({...options, resources: {memory: '2G'}}).map(lookAtResources, [1]);
		expect(seen?.nodeOptions).toBe('--max-old-space-size=300');
		expectHeap(seen?.heapMib as number, 300);
		vi.unstubAllEnvs();
	});
});

describe('with 2 GB of address space', () => {
	test('fetch and WebAssembly work', async () => {
		expect(await new Pool({...options, resources: {memory: '2G'}}).map(fetchAndCompute, ['answer'])).toEqual([['answer', [1, 2, 3]]]);
	});

	test('a task that needs more ends for want of memory, and says so', async () => {
		const error = await new Pool({...options, resources: {memory: '2G'}, maxNumResubmissions: 0}).map(fillHeap, [2000]).then(
			() => undefined,
			(thrown: unknown) => thrown,
		);
		expect(error).toBeInstanceOf(MapError);
		expect((error as MapError).failures).toMatchObject([
			{kind: 'out-of-memory', message: expect.stringContaining('Node ran out of memory')},
		]);
	});

	test('it gets more in the next attempt, when the function says so', async () => {
		const resources: PoolOptions['resources'] = ({attempt}) => ({memory: `${2 * attempt}G`});
		const outcomes = await new Pool({...options, resources}).mapSettled(fillHeap, [1000], {keepWorkDir: true});
		expect(outcomes).toMatchObject([{status: 'fulfilled', attempt: 2, value: {attempt: 2}}]);
		expectHeap((outcomes[0] as {value: {heapMib: number}}).value.heapMib, oldSpaceBelow(4096));
		const {journal} = await readWorkDir(keptWorkDirs(options.workRoot as string)[0] as string);
		expect(journal.filter(({reason = ''}) => reason.includes('Node ran out of memory')).map(({attempt}) => attempt)).toContain(1);
	});
});
