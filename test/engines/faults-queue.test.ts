/** What people and sites do to queue-jobs: delete them, hold them, take their module away, run them on a node that fails whatever it gets. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import type {Outcome, Pool} from 'queue-map-reduce';
import {beforeEach, expect, test, vi} from 'vitest';
import * as faulty from '../fixtures/faulty.mjs';
import {commandOf, countBegins, killProcess, linesOf, readBegins, untilBegun, untilDead, untilState} from '../helpers/faults.js';
import {call, type Ending, untilGone, untilNoted} from '../helpers/grid-engine.js';
import {createProject} from '../helpers/programs.js';
import {prepareQueueTests} from '../helpers/queue-test.js';

const t = prepareQueueTests('grid-engine');
const {jobIdOf, untilNothingIsLeft} = t;
let directory: string;
let workDir: string;
let begun: string;
let until: string;
let pool: Pool;
let ending: Ending;

beforeEach(() => {
	({directory, workDir, begun, until, pool, ending} = t);
});

const kindsOf = (outcomes: readonly Outcome<unknown>[]): unknown[] =>
	outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.kind));

test('a running queue-job that somebody deletes is not brought back, and every other chunk has its results', async () => {
	const tasks = [0, 1, 2].map(() => ({begun, until}));
	const running = ending.watch(pool.mapSettled(faulty.compute, tasks));
	const {pid, ppid} = await untilBegun(begun, ({itask}) => itask === 1);
	const jobId = await jobIdOf(1);
	await untilNoted(workDir, ({event, ichunk}) => event === 'running' && ichunk === 1);
	// The queue must be seen to delete it: what vanishes between two looks is taken for killed, and brought back.
	expect(commandOf(ppid)).toBe('sge_shepherd');
	process.kill(ppid, 'SIGSTOP');
	try {
		await call('qdel', [jobId]);
		expect((await untilNoted(workDir, ({state, ichunk}) => state === 'deleting' && ichunk === 1)).rawState).toMatch(/^d[rt]$/);
	} finally {
		process.kill(ppid, 'SIGCONT');
	}
	await untilDead(pid);
	writeFileSync(until, '');
	expect(kindsOf(await running)).toEqual([0, 'deleted', 2]);
	expect(countBegins(begun, 3)).toEqual([1, 1, 1]);
	expect(await linesOf(workDir, 'submitted')).toHaveLength(3);
	await untilNothingIsLeft();
});

test('a waiting queue-job that somebody deletes is not brought back, and one of a released chunk has its result', async () => {
	const running = ending.watch(pool.mapSettled(faulty.compute, [{begun}, {begun}], {qsubArgs: ['-h']}));
	const [deleted, released] = [await jobIdOf(0), await jobIdOf(1)] as [string, string];
	await untilNoted(workDir, ({rawState, ichunk}) => rawState === 'hqw' && ichunk === 0);
	await call('qdel', [deleted]);
	await untilGone(({id}) => id === deleted);
	await call('qrls', [released]);
	expect(kindsOf(await running)).toEqual(['deleted', 1]);
	expect(readBegins(begun).map(({itask}) => itask)).toEqual([1]);
	expect(await linesOf(workDir, 'submitted')).toHaveLength(2);
	await untilNothingIsLeft();
});

test('a node that fails whatever it gets does not eat the tries of a chunk: the next one goes elsewhere', async () => {
	// The first node that gets a queue-job is the one: the file is there with its name, or not at all.
	const hole = join(directory, 'hole');
	const nodePath = join(directory, 'node');
	const attempts = join(directory, 'attempts');
	writeFileSync(
		nodePath,
		`#!/bin/sh
host=$(uname -n)
[ -e '${hole}' ] || { echo "$host" >'${hole}'.$$; ln '${hole}'.$$ '${hole}' 2>/dev/null; }
echo "$host" >>'${attempts}'
[ "$host" = "$(cat '${hole}')" ] && exit 3
exec '${process.execPath}' "$@"
`,
		{mode: 0o755},
	);
	const tasks = [0, 1, 2, 3, 4, 5, 6, 7].map(() => ({begun}));
	const results = await pool.map(faulty.compute, tasks, {nodePath, maxNumResubmissions: 1, graceMs: 3_600_000});
	expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
	const host = readFileSync(hole, 'utf8').trim();
	const ran = readFileSync(attempts, 'utf8').trimEnd().split('\n');
	const lost = await linesOf(workDir, 'lost');
	// It was seen to fail: with two tries for each chunk, one failure there is all that may be.
	expect(lost.length).toBeGreaterThan(0);
	expect(ran.filter(name => name === host)).toHaveLength(lost.length);
	for (const line of lost) expect(line).toMatchObject({attempt: 1, host});
	expect(readBegins(begun).every(begin => begin.host !== host)).toBe(true);
	await untilNothingIsLeft();
});

test('why a queue-job waits is told once, in the words of the queue', async () => {
	const running = ending.watch(pool.map(faulty.compute, [{begun}, {begun}], {qsubArgs: ['-l', 'arch=nonsense'], pendingWarnMs: 1000}));
	const {reason, jobId} = await untilNoted(workDir, ({event}) => event === 'waiting');
	await untilState(jobId as string, /^qw$/);
	expect(reason).toMatch(/arch=nonsense|no suitable queue/i);
	await vi.waitUntil(() => t.said.includes('has waited for'), {timeout: 90_000});
	expect(t.said).toContain(reason);
	// Both wait for the same: what they wait for later, until a slot is free, is another reason.
	await untilNoted(workDir, ({event, ichunk}) => event === 'waiting' && ichunk === 1);
	expect(t.said.match(/has waited for/g)).toHaveLength(1);
	for (const i of [0, 1]) await call('qalter', ['-l', 'h_rt=600', await jobIdOf(i)]);
	expect(await running).toEqual([0, 1]);
	await untilNothingIsLeft();
});

test('a queue-job that is held by a user is explained, and waited for', async () => {
	const running = ending.watch(pool.map(faulty.compute, [{begun}], {qsubArgs: ['-h'], pendingWarnMs: 500}));
	const {reason, jobId} = await untilNoted(workDir, ({event}) => event === 'waiting');
	expect(await untilState(jobId as string, /./)).toBe('hqw');
	expect(reason).toMatch(/hold|held/i);
	await call('qrls', [jobId as string]);
	expect(await running).toEqual([0]);
});

test('a queue-job that waits for longer than `pendingLimitMs` is removed, and its tasks fail for that', async () => {
	const outcomes = await pool.mapSettled(faulty.compute, [{begun}], {qsubArgs: ['-l', 'arch=nonsense'], pendingLimitMs: 2000});
	expect(kindsOf(outcomes)).toEqual(['pending-limit']);
	expect(readBegins(begun)).toEqual([]);
	await untilNothingIsLeft();
});

const CODE = readFileSync(new URL('../fixtures/faulty.mjs', import.meta.url), 'utf8');

test('a module that was changed between two attempts is not mixed with what it was: the tasks that are left say so', async () => {
	createProject(directory, {'faulty.mjs': CODE});
	const module = join(directory, 'faulty.mjs');
	const fn = {module: pathToFileURL(module), name: 'compute'};
	const tasks = [0, 1, 2].map(i => ({begun, takesMs: 300, ...(i === 1 ? {until, attempts: 1} : {})}));
	const running = ending.watch(pool.mapSettled(fn, tasks, {numChunks: 1}));
	const {pid} = await untilBegun(begun, ({itask}) => itask === 1);
	writeFileSync(module, `${CODE}// changed\n`);
	expect(commandOf(pid)).toBe('node');
	await killProcess(pid, 'node');
	const outcomes = await running;
	expect(kindsOf(outcomes)).toEqual([0, 'code-changed', 'code-changed']);
	expect(outcomes[1]).toMatchObject({reason: {message: expect.stringContaining(module)}});
	expect(countBegins(begun, 3)).toEqual([1, 1, 0]);
	await untilNothingIsLeft();
});

test('a map that is cancelled while a qsub is under way waits for its answer, and removes that queue-job, too', async () => {
	const qsubPath = join(directory, 'qsub');
	const asked = join(directory, 'asked');
	const real = (await call('which', ['qsub'])).trim();
	writeFileSync(qsubPath, `#!/bin/sh\ntouch '${asked}'\nwhile [ ! -e '${until}' ]; do sleep 0.1; done\nexec '${real}' "$@"\n`, {
		mode: 0o755,
	});
	const controller = new AbortController();
	const running = ending.watch(pool.map(faulty.compute, [{begun, takesMs: 60_000}], {qsubPath, signal: controller.signal}));
	await vi.waitUntil(() => existsSync(asked), {timeout: 90_000, interval: 50});
	controller.abort(new Error('enough'));
	expect(await linesOf(workDir, 'submitted')).toEqual([]);
	writeFileSync(until, '');
	await expect(running).rejects.toThrow('enough');
	const [submitted] = await linesOf(workDir, 'submitted');
	expect(submitted?.jobId).toMatch(/^\d+$/);
	expect(await linesOf(workDir, 'deleted')).toMatchObject([{jobId: submitted?.jobId}]);
	await untilGone(({id}) => id === submitted?.jobId);
});
