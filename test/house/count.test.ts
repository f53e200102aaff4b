/** The last line of .ci/run must not be better than what happened. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {run} from './packed.js';
import {ROOT} from './source-files.js';

let directory = '';
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), 'qmr-count-'));
});
afterEach(() => rmSync(directory, {recursive: true, force: true}));

const write = (suite: string, exitCode: number, ...statuses: readonly string[]): void => {
	writeFileSync(join(directory, `${suite}.exit-code`), `${exitCode}\n`);
	const assertionResults = statuses.map((status, index) => ({status, fullName: `test ${index}`}));
	const testResults = [{name: 'a.test.ts', status: statuses.includes('failed') ? 'failed' : 'passed', assertionResults}];
	writeFileSync(join(directory, `${suite}.json`), JSON.stringify({testResults}));
};

const count = async (): Promise<{lastLine: string | undefined; exitCode: number}> => {
	const {stdout, exitCode} = await countAll();
	return {lastLine: stdout.trimEnd().split('\n').at(-1), exitCode};
};

const countAll = () => run(process.execPath, ['.ci/count.js', directory], ROOT);

test('passed tests of all suites are added up', async () => {
	write('test', 0, 'passed', 'passed');
	write('engines', 0, 'passed');
	expect(await count()).toEqual({lastLine: '3 passed, 0 failed', exitCode: 0});
});

test('failed tests are added up', async () => {
	write('test', 1, 'passed', 'failed');
	write('engines', 1, 'failed', 'passed');
	expect(await count()).toEqual({lastLine: '2 passed, 2 failed', exitCode: 1});
});

test('what was expected of a failed test is told at the end, cut where it is long', async () => {
	writeFileSync(join(directory, 'test.exit-code'), '1\n');
	const failureMessages = [`AssertionError: expected 1 to be 2\n${'    at a line\n'.repeat(100)}`];
	const assertionResults = [{status: 'failed', fullName: 'one is two', failureMessages}];
	writeFileSync(join(directory, 'test.json'), JSON.stringify({testResults: [{name: 'a.test.ts', status: 'failed', assertionResults}]}));
	const {stdout} = await countAll();
	expect(stdout).toContain('failed: test: failed: a.test.ts: one is two\n        AssertionError: expected 1 to be 2\n');
	expect(stdout.match(/at a line/g)).toHaveLength(29);
});

test('a skipped test counts as failed where everything must run, and not at all elsewhere', async () => {
	write('test', 0, 'passed', 'skipped', 'pending');
	write('engines-as-user', 0, 'passed', 'skipped', 'pending');
	expect(await count()).toEqual({lastLine: '2 passed, 2 failed', exitCode: 1});
});

test('a test that is skipped as root and passes as an ordinary user has run', async () => {
	write('engines', 0, 'passed', 'skipped');
	write('engines-as-user', 0, 'passed', 'passed');
	expect(await count()).toEqual({lastLine: '3 passed, 0 failed', exitCode: 0});
});

test('a suite that was broken off counts as one failed', async () => {
	write('test', 0, 'passed');
	writeFileSync(join(directory, 'engines.exit-code'), 'not finished\n');
	expect(await count()).toEqual({lastLine: '1 passed, 1 failed', exitCode: 1});
});

test('a suite that fails outside its tests counts as one failed', async () => {
	write('test', 1, 'passed');
	expect(await count()).toEqual({lastLine: '1 passed, 1 failed', exitCode: 1});
});

test('a suite without results counts as one failed', async () => {
	write('test', 0, 'passed');
	writeFileSync(join(directory, 'engines.exit-code'), '124\n');
	expect(await count()).toEqual({lastLine: '1 passed, 1 failed', exitCode: 1});
});

test('a file that could not be loaded counts as one failed', async () => {
	write('test', 0, 'passed');
	writeFileSync(join(directory, 'engines.exit-code'), '1\n');
	writeFileSync(
		join(directory, 'engines.json'),
		JSON.stringify({testResults: [{name: 'b.test.ts', status: 'failed', assertionResults: []}]}),
	);
	expect(await count()).toEqual({lastLine: '1 passed, 1 failed', exitCode: 1});
});

test('failed steps count, and nothing at all is no success', async () => {
	expect(await count()).toEqual({lastLine: '0 passed, 0 failed', exitCode: 1});
	write('test', 0, 'passed');
	writeFileSync(join(directory, 'failed-steps'), 'lint\ntypes\n');
	expect(await count()).toEqual({lastLine: '1 passed, 2 failed', exitCode: 1});
});
