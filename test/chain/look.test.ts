/** What `qmr` tells of a map is the same on every engine: why a task failed, and what one waits for. */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool} from 'queue-map-reduce';
import {describe, expect, onTestFinished, test} from 'vitest';
import {createTestDirectory, ENGINES, poolOptions} from '../helpers/engines.js';
import {runQmr} from '../helpers/qmr.js';

const SOURCE = `export const fn = n => {
	if (n === 1) {
		console.error('\\x1b[31mlast words');
		throw new RangeError('too large', {cause: new TypeError('inner')});
	}
	return {n};
};`;

describe.each(ENGINES)('on %s', engine => {
	test('Q23, C10: from a failed task to its cause on the screen in one command', async () => {
		const {path: directory, remove} = createTestDirectory('qmr-look-');
		onTestFinished(remove);
		writeFileSync(join(directory, 'fn.mjs'), SOURCE);
		const pool = new Pool({...poolOptions(engine, directory), config: false, workDir: join(directory, 'run')});
		await pool.mapSettled({module: join(directory, 'fn.mjs'), name: 'fn'}, [0, 1, 2]);
		const qmr = (...args: readonly string[]) => runQmr(args, {cwd: directory});
		const errors = await qmr('errors', 'run');
		expect(errors.exitCode).toBe(1);
		expect(errors.stdout).toMatch(/^RangeError: too large\n {2}task 1, kind exception\n {2}on \S+\n {2}thrown in task 1:$/m);
		expect(errors.stdout).toMatch(/caused by TypeError: inner/);
		expect(errors.stdout).toMatch(/^ {4}\\x1b\[31mlast words$/m);
		const shown = JSON.parse((await qmr('show', 'run', '1', '--json')).stdout);
		expect(shown).toMatchObject({
			state: 'failed',
			error: {kind: 'exception'},
			host: expect.any(String),
			jobId: expect.any(String),
			stderr: '\x1b[31mlast words\n',
		});
		const status = JSON.parse((await qmr('status', 'run', '--json', '--chunks')).stdout);
		expect(status).toMatchObject({tasks: {total: 3, done: 2, failed: 1}, isComplete: true, owner: {kind: 'released'}});
		for (const {jobId, state, submittedAt} of status.chunks)
			expect([jobId, state, submittedAt]).toEqual([expect.any(String), 'done', expect.any(String)]);
		expect(await qmr('results', 'run', '--format', 'csv', '--input')).toMatchObject({exitCode: 1, stdout: 'itask,task,n\n0,0,0\n2,2,2\n'});
		expect((await qmr('ls', '.')).stdout).toMatch(/^run .* 2 +1 +0 +0 +3 +ended/m);
	});

	test.skipIf(engine === 'local')('H6: what a queue-job waits for is told in the words of the queue', async () => {
		const {path: directory, remove} = createTestDirectory('qmr-look-');
		onTestFinished(remove);
		writeFileSync(join(directory, 'fn.mjs'), SOURCE);
		// Held by the user: it waits wherever it is.
		const held = engine === 'slurm' ? {sbatchArgs: ['--hold']} : {qsubArgs: ['-h']};
		const pool = new Pool({
			...poolOptions(engine, directory),
			...held,
			config: false,
			handleSignals: false,
			workDir: join(directory, 'run'),
		});
		const run = await pool.submit({module: join(directory, 'fn.mjs'), name: 'fn'}, [0]);
		onTestFinished(async () => {
			await run.cancel();
			await run.results().catch(() => undefined);
		});
		const show = async (...args: readonly string[]): Promise<string> =>
			(await runQmr(['show', 'run', '0', ...args], {cwd: directory})).stdout;
		await expect.poll(() => show(), {timeout: 60_000, interval: 500}).toMatch(/^ {2}its queue-job \S+ is held \(.+\), as was noted last$/m);
		expect(await show('--queue')).toMatch(/^ {2}the queue says: .+, it is held/m);
		expect(await show()).toMatch(/^task 0 of 1: pending/m);
	});
});
