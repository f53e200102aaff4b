/** What is told of a map of which some tasks were computed again. */
import {rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {Pool} from 'queue-map-reduce';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {type LookedAt, makeEndedMap} from '../helpers/looked-at-map.js';
import {runQmr} from '../helpers/qmr.js';

const SOURCE = `import {existsSync} from 'node:fs';
export const fn = n => {
	if (n % 2 === 1 && !existsSync(new URL('mended', import.meta.url))) throw new Error('odd');
	if (n === 3) throw new RangeError('three');
	return 10 * n;
};`;

let map: LookedAt;
beforeAll(async () => {
	map = await makeEndedMap({source: SOURCE, tasks: [0, 1, 2, 3, 4, 5], options: {numChunks: 3}});
	writeFileSync(join(map.directory, 'mended'), '');
	await (await Pool.rerun(map.workDir, {engine: 'local', handleSignals: false})).outcomes();
});
afterAll(() => map.remove());
const qmr = (...args: readonly string[]) => runQmr(args, {cwd: map.directory});

test('H6: tasks that were computed again count by how they ended last, for every command', async () => {
	expect(JSON.parse((await qmr('ls', '--json')).stdout)).toMatchObject([{tasks: {total: 6, done: 5, failed: 1, running: 0, pending: 0}}]);
	expect(JSON.parse((await qmr('status', '--json')).stdout)).toMatchObject({
		tasks: {total: 6, done: 5, failed: 1},
		failures: [{reason: 'RangeError: three', itasks: [[3, 3]]}],
	});
	const errors = await qmr('errors');
	expect(errors).toMatchObject({
		exitCode: 1,
		stdout: expect.stringMatching(/^1 of 6 tasks has failed\.\n\nRangeError: three\n {2}task 3, /),
	});
	expect(await qmr('results', '--format', 'csv')).toMatchObject({
		exitCode: 1,
		stdout: 'itask,result\n0,0\n1,10\n2,20\n4,40\n5,50\n',
		stderr: '5 of 6 results written; 1 failed: task 3.\n',
	});
});

test('show tells where a task was computed again, and the rerun has its tasks under their first numbers', async () => {
	const again = await qmr('show', map.workDir, '5');
	expect(again.stdout).toMatch(/^task 5 of 6: done, in chunk 2 \(tasks 4 to 5\)$/m);
	expect(again.stdout).toContain(`  computed again, in ${map.workDir}/rerun.1, where all of that is\n`);
	const rerun = join(map.workDir, 'rerun.1');
	expect(await qmr('show', rerun, '5', '--result')).toMatchObject({exitCode: 0, stdout: '50\n'});
	expect(await qmr('show', rerun, '0')).toMatchObject({exitCode: 2, stderr: expect.stringContaining('has the tasks 1, 3, 5, got 0.')});
	expect((await qmr('status', rerun, '--chunks')).stdout).toMatch(/^ +\d +(?:1|3|5|1, 3|3, 5|1, 3, 5) /m);
});

test('a rerun that can not be read costs nothing of what the first map has', async () => {
	rmSync(join(map.workDir, 'rerun.1', 'run.json'));
	writeFileSync(join(map.workDir, 'rerun.1', 'run.json'), '{');
	expect((await qmr('results', '--format', 'csv')).stdout).toBe('itask,result\n0,0\n2,20\n4,40\n');
	expect((await qmr('status')).stdout).toMatch(/^problem: .*rerun\.1.*is damaged/m);
});
