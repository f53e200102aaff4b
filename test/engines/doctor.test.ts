/** `qmr doctor` on a real Grid Engine: well, and with faults that only a real one has. */
import {mkdirSync, readdirSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {ADDRESS_SPACE_MIB, OWN_MAJOR} from '../../src/node-memory.js';
import {
	ANSWERED,
	examineHidden,
	examineSite,
	examineThroughLateFiles,
	expectSameClock,
	ONLY_WAITING,
	useCallingPlace,
} from '../helpers/examine-site.js';
import {call} from '../helpers/grid-engine.js';

const place = useCallingPlace();

const ON_GRID_ENGINE = ['--engine', 'grid-engine'];

test('X11: a site that is well has no error, no limit of queue-jobs, and every part of the round trip has its time', async () => {
	const {findings, timings, of, exitCode, stderr} = await examineSite(ON_GRID_ENGINE, place);
	expect(findings.filter(({level}) => level === 'error')).toEqual([]);
	expect([exitCode, stderr]).toEqual([0, ONLY_WAITING]);
	expect(of('scheduler')).toMatchObject({level: 'ok', found: expect.stringMatching(/^grid-engine, (?:SGE|GE|UGE|OGS|AGE) \d/)});
	expect(of('queue')).toMatchObject({
		level: ANSWERED,
		found: expect.stringMatching(/^answers in \d+\.\d\d s; you have \d+ queue-jobs in it$/),
	});
	expect(of('array size')).toMatchObject({level: 'ok', found: 'an array may have 75000 elements'});
	expect(of('queue-jobs per user')).toEqual({check: 'queue-jobs per user', level: 'ok', found: 'no limit (max_u_jobs 0)'});
	const host = /^(\S+) runs Node/.exec(of('worker-node')?.found ?? '')?.[1];
	expect(of('work root')).toMatchObject({level: 'note', found: expect.stringContaining(`is on this machine, and ${host} sees it`)});
	expect((await call('qconf', ['-sel'])).split('\n')).toContain(host);
	expect(host).not.toBe(hostname());
	expectSameClock(of('clock'), host);
	expect(of('scratch directory')?.found).toMatch(/^\/\S+\/\d+\.1\.\S+ \(TMPDIR\) can be written$/);
	for (const ms of Object.values(timings)) expect(ms).toBeGreaterThanOrEqual(0);
	expect(readdirSync(place.cwd)).toEqual([]);
});

test('an h_vmem that is too small for Node is told with the figures, and no image of the crash is left', async () => {
	const {of, exitCode} = await examineSite([...ON_GRID_ENGINE, '--qsub-args', '-l h_vmem=500M'], place);
	expect(of('round trip')).toMatchObject({
		level: 'error',
		found: expect.stringMatching(/^the node gives Node too little memory \(.*killed by SIGTRAP/),
		toDo: expect.stringMatching(/^Ask for more: --resources memory=\dG\. .* needs \d+ MB of address space just to start\.$/),
	});
	expect([exitCode, readdirSync(place.cwd)]).toEqual([1, []]);
});

test('an h_vmem that leaves V8 little is warned of', async () => {
	const {of, exitCode} = await examineSite(
		[...ON_GRID_ENGINE, '--resources', `memory=${(ADDRESS_SPACE_MIB[OWN_MAJOR] ?? 0) + 100}M`],
		place,
	);
	expect(of('memory')).toMatchObject({level: 'warning', found: expect.stringContaining('of address space (h_vmem)')});
	expect([exitCode, readdirSync(place.cwd)]).toEqual([0, []]);
});

test('a queue-job that may not start is removed, and the queue says why it waited', async () => {
	const {of, exitCode} = await examineSite([...ON_GRID_ENGINE, '--timeout', '3', '--qsub-args', '-h'], place);
	expect(of('round trip')).toMatchObject({
		level: 'error',
		found: expect.stringMatching(/^the queue-job \d+ waited for \d+\.\d s and was removed \(state hqw\): it is held/),
	});
	expect([exitCode, readdirSync(place.cwd)]).toEqual([1, []]);
});

test('a shell that the nodes do not have is told in the words of Grid Engine', async () => {
	const {of} = await examineSite([...ON_GRID_ENGINE, '--qsub-args', '-S /nonexistent/sh'], place);
	expect(of('round trip')).toMatchObject({level: 'error', found: expect.stringContaining('Eqw: unable to find shell "/nonexistent/sh"')});
	expect(readdirSync(place.cwd)).toEqual([]);
});

test('a work root that the nodes can not see is told', async () => {
	const {of, exitCode, stderr} = await examineHidden(ON_GRID_ENGINE, place);
	expect(of('work root')).toMatchObject({level: 'warning', found: expect.stringContaining('(tmpfs)')});
	expect(of('round trip')).toMatchObject({
		level: 'error',
		found: expect.stringMatching(/^the node can't see the work_dir \(.*exit status 66\)\)$/),
		toDo: expect.stringContaining('--work-root DIR'),
	});
	expect(stderr).toContain(
		'qmr: the queue-job runs, but its result is not to be seen yet: the node waits a minute for files that come late\n',
	);
	expect(stderr).toEqual(ONLY_WAITING);
	expect(exitCode).toBe(1);
});

test('files that come late are measured, and warned of', async () => {
	const store = join(place.path, 'store');
	mkdirSync(store, {mode: 0o700});
	// This machine sees what the nodes have written up to 30 s late, counted from when it looked before they wrote; they see all at once.
	const report = await examineThroughLateFiles(store, 30, [...ON_GRID_ENGINE, '--work-root', join(store, 'work')], place);
	expect(report.of('round trip')?.level).toBe('ok');
	expect(report.of('shared files')).toMatchObject({
		level: 'warning',
		found: expect.stringMatching(/^files appear late on the other machine, after up to [1-3]\d\.\d\d s$/),
		toDo: expect.stringContaining('--grace-ms'),
	});
	expect([report.exitCode, readdirSync(store)]).toEqual([0, []]);
});
