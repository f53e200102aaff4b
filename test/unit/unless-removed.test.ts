import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {RemovedError, unlessRemoved} from '../../src/cli/unless-removed.js';

const makeWorkDir = (): string => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-removed-'));
	onTestFinished(() => rmSync(workDir, {recursive: true, force: true}));
	writeFileSync(join(workDir, 'run.json'), '{}');
	return workDir;
};

test('what is found in a work_dir that stays is handed on, and so is what failed there', async () => {
	const workDir = makeWorkDir();
	expect(await unlessRemoved(workDir, async () => 7)).toBe(7);
	await expect(unlessRemoved(workDir, () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
});

test('a work_dir that is removed while it is looked at has ended well: what was found of it is not told as the whole', async () => {
	for (const fails of [true, false]) {
		const workDir = makeWorkDir();
		const look = async (): Promise<number> => {
			rmSync(join(workDir, 'run.json'));
			if (fails) throw new Error('ENOENT: some file of it');
			return 7;
		};
		const error: unknown = await unlessRemoved(workDir, look).catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(RemovedError);
		expect(error).toMatchObject({exitCode: 1, message: expect.stringContaining('has just been removed: its map has ended')});
	}
});
