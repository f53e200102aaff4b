/** What takes minutes on a real Slurm. */
import {afterAll, beforeAll, expect, test} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {linesOf, readBegins, untilBegun, untilDead} from '../helpers/faults.js';
import {call} from '../helpers/grid-engine.js';
import {bringUpSlurm, type OwnSlurm} from '../helpers/own-cluster.js';
import {prepareQueueTests} from '../helpers/queue-test.js';
import {fieldOf} from '../helpers/slurm.js';

const t = prepareQueueTests('slurm');

let cluster: OwnSlurm;

beforeAll(async () => {
	cluster = await bringUpSlurm(51);
});
afterAll(async () => {
	await cluster?.remove();
});

test('a queue-job that is put back into the queue by hand does not begin its attempt twice', async () => {
	const {begun, until} = t;
	// The user's own word comes last.
	const running = t.ending.watch(
		t.pool.map(faulty.compute, [{begun, until, attempts: 1}], {sbatchArgs: ['--requeue'], graceMs: 3_600_000}),
	);
	const {pid} = await untilBegun(begun, () => true);
	const jobId = await t.jobIdOf(0);
	await call('scontrol', ['requeue', jobId]);
	await untilDead(pid);
	// Slurm lets it wait for two minutes first.
	expect(await running).toEqual([0]);
	expect(readBegins(begun).map(({attempt}) => attempt)).toEqual([1, 2]);
	expect(await linesOf(t.workDir, 'start-failed')).toMatchObject([{attempt: 1, reason: expect.stringContaining('were there already')}]);
	expect(await fieldOf(jobId, 'ExitCode')).toBe('73:0');
	await t.untilNothingIsLeft();
});
