/** `qmr doctor` on a real Slurm: well, and with faults that only a real one has. */
import {readdirSync} from 'node:fs';
import {hostname} from 'node:os';
import {expect, test} from 'vitest';
import {examineHidden, examineSite, expectSameClock, ONLY_WAITING, useCallingPlace} from '../helpers/examine-site.js';

const place = useCallingPlace();

const ON_SLURM = ['--engine', 'slurm'];

test('a site that is well has no error, and every part of the round trip has its time', async () => {
	const {findings, timings, of, exitCode, stderr} = await examineSite(ON_SLURM, place);
	expect(findings.filter(({level}) => level === 'error')).toEqual([]);
	expect([exitCode, stderr]).toEqual([0, ONLY_WAITING]);
	expect(of('scheduler')).toMatchObject({level: 'ok', found: expect.stringMatching(/^slurm, slurm\S* \d+\.\d+/)});
	expect(of('array size')).toMatchObject({level: 'ok', found: 'an array may have 1000 elements'});
	expect(of('queue-jobs per user')).toMatchObject({
		level: 'ok',
		found: expect.stringMatching(/^\d+ of all users together \(MaxJobCount\)$/),
	});
	const host = /^(\S+) runs Node/.exec(of('worker-node')?.found ?? '')?.[1];
	expect(host).not.toBe(hostname());
	expectSameClock(of('clock'), host);
	for (const ms of Object.values(timings)) expect(ms).toBeGreaterThanOrEqual(0);
	expect(readdirSync(place.cwd)).toEqual([]);
});

test('a queue-job that may not start is removed, and the queue says why it waited', async () => {
	const {of, exitCode} = await examineSite([...ON_SLURM, '--timeout', '3', '--sbatch-args', '--begin=now+1hour'], place);
	expect(of('round trip')).toMatchObject({
		level: 'error',
		found: expect.stringMatching(/^the queue-job \d+ waited for \d+\.\d s and was removed \(state PENDING\): .*\(BeginTime\)$/),
	});
	expect([exitCode, readdirSync(place.cwd)]).toEqual([1, []]);
});

test('what Slurm refuses is told in its words', async () => {
	const {of, exitCode} = await examineSite([...ON_SLURM, '--queue-name', 'nosuch'], place);
	expect(of('round trip')).toMatchObject({
		level: 'error',
		found: expect.stringMatching(/^the scheduler refuses queue-jobs: .*[Ii]nvalid partition/),
		toDo: expect.stringContaining('sinfo'),
	});
	expect([exitCode, readdirSync(place.cwd)]).toEqual([1, []]);
});

test('a Node that the nodes do not have is told', async () => {
	const {of, exitCode} = await examineSite([...ON_SLURM, '--node-path', '/nonexistent/node'], place);
	expect(of('round trip')).toMatchObject({
		level: 'error',
		found: expect.stringMatching(/^the node has no such Node \(.*\/nonexistent\/node/),
	});
	expect([exitCode, readdirSync(place.cwd)]).toEqual([1, []]);
});

test('a work root that the nodes can not see is told', async () => {
	const {of, exitCode} = await examineHidden(ON_SLURM, place);
	expect(of('round trip')).toMatchObject({
		level: 'error',
		found: expect.stringMatching(/^the node can't see the work_dir \(.*exit status 66\)\)$/),
		toDo: expect.stringContaining('--work-root DIR'),
	});
	expect(exitCode).toBe(1);
});
