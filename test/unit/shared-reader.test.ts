import {renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, onTestFinished, test, vi} from 'vitest';
import {encodeShared} from '../../src/shared-value.js';
import {createSharedReader} from '../../src/worker/shared-reader.js';
import {WorkerError} from '../../src/worker/worker-error.js';
import {createTestDirectory} from '../helpers/engines.js';

const SESSION = '2026-11-21T00-20-07_a10cda';
const WRITER = {session: SESSION, node: process.version, host: 'login1', pid: 1, writtenAt: '2026-11-21T00:20:07.000Z'};
const MANIFEST = {session: SESSION, sharedBytes: 1};
const whole = Buffer.concat(encodeShared({table: [1, 2, 3]}, WRITER));

const abandon = (error: unknown): never => {
	throw error;
};

const makeDirectory = (): string => {
	const directory = createTestDirectory();
	onTestFinished(directory.remove);
	return directory.path;
};

/** In place of waiting; gives how long it would have waited each time. */
const insteadOfWaiting = (act: (numWaits: number) => void): number[] => {
	const waits: number[] = [];
	vi.spyOn(Atomics, 'wait').mockImplementation((_array: unknown, _index: unknown, _value: unknown, ms?: number) => {
		waits.push(ms ?? Number.POSITIVE_INFINITY);
		act(waits.length);
		return 'timed-out';
	});
	onTestFinished(() => void vi.restoreAllMocks());
	return waits;
};

test('without the option there is nothing to read', () => {
	expect(createSharedReader('/nonexistent', {session: SESSION}, abandon)()).toBeUndefined();
});

test('the file is read when it is first asked for, and only then', () => {
	const directory = makeDirectory();
	const read = createSharedReader(directory, MANIFEST, abandon);
	writeFileSync(join(directory, 'shared.v8'), whole);
	const value = read();
	expect(value).toEqual({table: [1, 2, 3]});
	rmSync(join(directory, 'shared.v8'));
	expect(read()).toBe(value);
});

test('a file that is missing, then cut off, then damaged, then there, is read', () => {
	const directory = makeDirectory();
	const path = join(directory, 'shared.v8');
	const damaged = Buffer.from(whole);
	damaged.fill(0, whole.indexOf('BLCK') + 30, whole.indexOf('BLCK') + 40);
	const stages = [whole.subarray(0, 40), Buffer.alloc(whole.length), damaged, whole];
	const waits = insteadOfWaiting(numWaits => writeFileSync(path, stages[numWaits - 1] as Buffer));
	expect(createSharedReader(directory, MANIFEST, abandon)()).toEqual({table: [1, 2, 3]});
	expect(waits).toEqual([1000, 1000, 2000, 3000]);
});

test('after a minute this queue-job gives up, so that the next one tries elsewhere', () => {
	const directory = makeDirectory();
	const waits = insteadOfWaiting(() => undefined);
	const given: unknown[] = [];
	const read = createSharedReader(directory, MANIFEST, error => {
		given.push(error);
		throw error;
	});
	expect(read).toThrow(WorkerError);
	expect(given).toMatchObject([{exitCode: 66, message: expect.stringContaining(`can't read ${directory}/shared.v8: ENOENT`)}]);
	expect(waits.reduce((sum, ms) => sum + ms)).toBe(60_000);
});

test('a file of another map is told at once', () => {
	const directory = makeDirectory();
	writeFileSync(join(directory, 'other'), Buffer.concat(encodeShared(1, {...WRITER, session: 'another'})));
	renameSync(join(directory, 'other'), join(directory, 'shared.v8'));
	const waits = insteadOfWaiting(() => undefined);
	expect(createSharedReader(directory, MANIFEST, abandon)).toThrow('shared of another');
	expect(waits).toEqual([]);
});
