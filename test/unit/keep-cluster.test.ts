/** Which cluster is spoken to, when the environment names another one meanwhile. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {createEngineCache} from '../../src/engine-cache.js';
import type {Engine} from '../../src/engines/engine.js';
import type {PoolOptions} from '../../src/options.js';
import {Pool} from '../../src/pool.js';
import {userName} from '../../src/user-name.js';
import {makePrograms} from '../helpers/made-programs.js';
import {withVariables} from '../helpers/variables.js';

/** Programs that tell which cluster they are called for: in a name, in a number. */
const SQUEUE = 'echo "7|PENDING||None|on-$SLURM_CONF"';
const QSTAT = `echo "<job_info><queue_info/><job_info><job_list><JB_job_number>7</JB_job_number><JB_name>on-$SGE_CELL</JB_name><JB_owner>${userName()}</JB_owner><state>qw</state></job_list></job_info></job_info>"`;

type Scheduler = {readonly variable: string; readonly options: () => PoolOptions};

const SCHEDULERS: readonly Scheduler[] = [
	{
		variable: 'SLURM_CONF',
		options: () => {
			const {paths} = makePrograms({sbatch: 'echo "${SLURM_CONF#/}"', squeue: SQUEUE, scancel: 'exit 0'});
			return {sbatchPath: paths.sbatch, squeuePath: paths.squeue, scancelPath: paths.scancel, engine: 'slurm'};
		},
	},
	{
		variable: 'SGE_CELL',
		options: () => {
			const {paths} = makePrograms({qsub: 'echo "${SGE_CELL#/}"', qstat: QSTAT, qdel: 'exit 0'});
			return {qsubPath: paths.qsub, qstatPath: paths.qstat, qdelPath: paths.qdel, engine: 'grid-engine'};
		},
	},
];

const namesOf = async (engine: Engine, notBeforeMs?: number): Promise<string[]> => (await engine.status(notBeforeMs)).map(({name}) => name);

const REQUEST = {name: 'q#1.1', script: '/w/launch.sh', scriptArguments: [], avoidHosts: [], resources: {}};

describe.each(SCHEDULERS)('with $variable', ({variable, options: makeOptions}) => {
	const within = <T>(value: string | undefined, body: () => Promise<T>): Promise<T> => withVariables({[variable]: value}, body);

	test('an engine speaks to the cluster that was named when it was made, whatever is named later', async () => {
		const options = makeOptions();
		const choose = createEngineCache();
		const engine = await within('/1', () => choose(options));
		for (const value of ['/2', undefined]) {
			await within(value, async () => {
				expect(await namesOf(engine)).toEqual(['on-/1']);
				expect(await engine.submit([REQUEST])).toEqual([{kind: 'submitted', id: '1'}]);
			});
		}
	});

	test('one that was made while none was named, to none', async () => {
		const engine = await within(undefined, () => createEngineCache()(makeOptions()));
		await within('/2', async () => expect(await namesOf(engine)).toEqual(['on-']));
	});

	test('maps of one pool for two clusters have two engines, and those for one have one', async () => {
		const options = makeOptions();
		const choose = createEngineCache();
		const [first, second, third] = [
			await within('/1', () => choose(options)),
			await within('/2', () => choose(options)),
			await within('/1', () => choose(options)),
		];
		expect(second).not.toBe(first);
		expect(third).toBe(first);
	});

	test('who asks another cluster gets another answer, however old one may be', async () => {
		const options = makeOptions();
		const engines: Engine[] = [];
		// Pools of their own, with equal options.
		for (const value of ['/1', '/2']) engines.push(await within(value, () => createEngineCache()(options)));
		expect(await Promise.all(engines.map(engine => namesOf(engine, 0)))).toEqual([['on-/1'], ['on-/2']]);
	});

	test('what is no name of a cluster is what it is now', async () => {
		const {paths} = makePrograms({submit: 'echo "$KRB5CCNAME"'});
		const engine = await createEngineCache()({...makeOptions(), qsubPath: paths.submit, sbatchPath: paths.submit});
		await withVariables({KRB5CCNAME: '41'}, async () => expect(await engine.submit([REQUEST])).toEqual([{kind: 'submitted', id: '41'}]));
	});
});

test('several clusters of Slurm are refused before anything is written or submitted', async () => {
	const {paths, directory} = makePrograms({sbatch: ': >"${0%/*}/called"', squeue: 'exit 0', scancel: 'exit 0'});
	const pool = new Pool({engine: 'slurm', sbatchPath: paths.sbatch, squeuePath: paths.squeue, scancelPath: paths.scancel});
	const map = withVariables({SLURM_CLUSTERS: 'big,small'}, () => pool.map(Math.sqrt, [1], {workRoot: join(directory, 'root')}));
	await expect(map).rejects.toMatchObject({code: 'ERR_POOL_OPTION', message: expect.stringContaining('got "big,small"')});
	expect(readdirSync(directory).sort()).toEqual(['sbatch', 'scancel', 'squeue']);
});

test('the slots of this machine are shared whatever cluster is named', async () => {
	const choose = createEngineCache();
	const chooseWhile = (SGE_CELL: string): Promise<Engine> => withVariables({SGE_CELL}, () => choose({engine: 'local', slots: 1}));
	const first = await chooseWhile('/1');
	expect(await chooseWhile('/2')).toBe(first);
});
