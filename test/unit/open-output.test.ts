import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {UsageError} from '../../src/cli/command-error.js';
import {openOutput, toStream} from '../../src/cli/run/open-output.js';

const HOSTILE = 'a\x1b[2J\tb\n';

test('on a terminal nothing is obeyed of what is written; elsewhere it is as it is', async () => {
	for (const [isTTY, expected] of [
		[true, 'a\\x1b[2J\tb\n'],
		[false, HOSTILE],
	] as const) {
		let written = '';
		const write = (text: string, done: () => void): boolean => {
			written += text;
			done();
			return true;
		};
		await toStream({isTTY, write: write as NodeJS.WriteStream['write']}).write(HOSTILE);
		expect(written).toBe(expected);
	}
});

describe('a file', () => {
	const makeDirectory = (): string => {
		const directory = mkdtempSync(join(tmpdir(), 'qmr-output-'));
		onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
		return directory;
	};

	test('is not there before it is whole, and then as it was written', async () => {
		const directory = makeDirectory();
		const path = join(directory, 'out');
		const output = await openOutput(path, {force: false});
		await output.write(HOSTILE);
		await output.write('more');
		expect(readdirSync(directory)).not.toContain('out');
		await output.finish();
		await output.discard();
		expect(readdirSync(directory)).toEqual(['out']);
		expect(readFileSync(path, 'utf8')).toBe(`${HOSTILE}more`);
	});

	test('that came meanwhile is not replaced, and nothing else is left behind', async () => {
		const directory = makeDirectory();
		const path = join(directory, 'out');
		const output = await openOutput(path, {force: false});
		await output.write('ours');
		writeFileSync(path, 'theirs');
		await expect(output.finish()).rejects.toThrow(UsageError);
		await output.discard();
		expect([readdirSync(directory), readFileSync(path, 'utf8')]).toEqual([['out'], 'theirs']);
	});

	test('that was not finished leaves nothing behind', async () => {
		const directory = makeDirectory();
		const output = await openOutput(join(directory, 'out'), {force: true});
		await output.write('half');
		await output.discard();
		expect(readdirSync(directory)).toEqual([]);
	});

	test('in a directory that is not there is refused at once', async () => {
		await expect(openOutput(join(makeDirectory(), 'none', 'out'), {force: false})).rejects.toThrow(UsageError);
	});
});
