import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {call} from '../helpers/dummy-queue.js';
import {createTestDirectory} from '../helpers/engines.js';
import {QMR, runQmr} from '../helpers/qmr.js';

test('X19: a command that there is not is told as such, and run by no shell', async () => {
	const {path: directory, remove} = createTestDirectory('qmr-usage-');
	onTestFinished(remove);
	const made = join(directory, 'made');
	for (const args of [['touch', made], [`touch ${made}`], [`;touch ${made}`], [`$(touch ${made})`]]) {
		const {exitCode, stdout, stderr} = await runQmr(args, {cwd: directory});
		expect([exitCode, stdout]).toEqual([2, '']);
		expect(stderr).toContain(`unknown command '${args[0]}'`);
	}
	expect(existsSync(made)).toBe(false);
});

test('where the current directory is gone it is said, without a stack', async () => {
	const {path: directory, remove} = createTestDirectory('qmr-usage-');
	onTestFinished(remove);
	const script = `mkdir gone && cd gone && rmdir ../gone && exec ${process.execPath} ${QMR} ls`;
	const {exitCode, stderr} = await call('bash', ['-c', script], {cwd: directory});
	expect([exitCode, stderr]).toEqual([2, 'qmr: The current directory is not there any more. Go to another one: cd\n']);
});

test('a disk that is full is told in a line, and is a failure: nothing looks whole that is not', () => {
	const print = `"${process.execPath}" "${QMR}"`;
	for (const command of ['ls --json', '--help', 'doctor --json --engine local']) {
		const {status, stderr} = spawnSync('/bin/sh', ['-c', `${print} ${command} > /dev/full`], {encoding: 'utf8', cwd: tmpdir()});
		expect(stderr).toMatch(/^qmr: stdout can't be written: ENOSPC.*\n$/);
		expect(status).toBe(1);
	}
});
