import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {createTestDirectory} from '../helpers/engines.js';
import {runQmr} from '../helpers/qmr.js';

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
