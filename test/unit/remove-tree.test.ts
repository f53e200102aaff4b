import {existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {removeTree} from '../../src/remove-tree.js';

/** Fails in these ways, one after the other. */
const failing = (...codes: readonly string[]) => {
	const left = [...codes];
	const state = {numCalls: 0};
	const remove = async (): Promise<void> => {
		state.numCalls++;
		const code = left.shift();
		if (code !== undefined) throw Object.assign(new Error(code), {code});
	};
	return {remove, state};
};

test('a directory goes with all that is in it, but nothing that a link in it leads to', async () => {
	const directory = mkdtempSync(join(tmpdir(), 'qmr-remove-'));
	onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
	mkdirSync(join(directory, 'tree/a/b'), {recursive: true});
	mkdirSync(join(directory, 'else'));
	for (const name of ['tree/file', 'tree/a/b/.nfs0001', 'else/file']) writeFileSync(join(directory, name), '');
	symlinkSync(join(directory, 'else'), join(directory, 'tree/link'));
	await removeTree(join(directory, 'tree'));
	expect([existsSync(join(directory, 'tree')), existsSync(join(directory, 'else/file'))]).toEqual([false, true]);
	await removeTree(join(directory, 'tree'));
});

test.each(['ESTALE', 'ENOTEMPTY', 'EBUSY'])('%s passes twice', async code => {
	const {remove, state} = failing(code, code);
	await removeTree('/w', remove);
	expect(state.numCalls).toBe(3);
});

test('what does not pass is thrown: after the third time, or at once when it never passes', async () => {
	const often = failing('ESTALE', 'EBUSY', 'ENOTEMPTY');
	await expect(removeTree('/w', often.remove)).rejects.toMatchObject({code: 'ENOTEMPTY'});
	expect(often.state.numCalls).toBe(3);
	const once = failing('EACCES');
	await expect(removeTree('/w', once.remove)).rejects.toMatchObject({code: 'EACCES'});
	expect(once.state.numCalls).toBe(1);
});
