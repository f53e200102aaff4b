/** The engine suite must not pass because an engine is missing. */
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {expect, test} from 'vitest';

const execute = promisify(execFile);
const engines = (process.env.QMR_TEST_ENGINES ?? '').split(',');

test.each(engines)('engine %s is one that these tests know', engine => {
	expect(['local', 'dummy', 'grid-engine', 'slurm']).toContain(engine);
});

test.runIf(engines.includes('grid-engine'))(
	'a Grid Engine is on PATH and answers: bring one up with test/engines/grid-engine.sh',
	async () => {
		const {stdout} = await execute('qstat', ['-help']);
		expect(stdout).toMatch(/^(?:SGE|GE|UGE|OGS|AGE) /);
		await execute('qstat', ['-xml', '-u', '*']);
		for (const program of ['qsub', 'qdel', 'qacct']) await expect(execute('which', [program])).resolves.toBeDefined();
	},
);

test.runIf(engines.includes('slurm'))('a Slurm is on PATH and answers: bring one up with test/engines/slurm.sh', async () => {
	const {stdout} = await execute('squeue', ['--version']);
	expect(stdout).toMatch(/^slurm/);
	await execute('squeue', ['-h']);
	for (const program of ['sbatch', 'scancel', 'scontrol', 'sacct']) await expect(execute('which', [program])).resolves.toBeDefined();
});
