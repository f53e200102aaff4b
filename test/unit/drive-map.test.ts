import {describe, expect, test} from 'vitest';
import {driveMap} from '../../src/drive-map.js';
import {JOURNAL} from '../../src/layout.js';
import type {Owner} from '../../src/owner.js';
import {createMapInMemory, diskError, type FileFault, SESSION, WORK_DIR} from '../helpers/map-in-memory.js';

/** A map of which every task has its outcome, driven to its end. */
const finish = async (owner: Partial<Owner>, fault: FileFault = () => undefined) => {
	const map = createMapInMemory({numChunks: 0, engine: {}, owner, fault});
	map.contents.set(`${WORK_DIR}/run.json`, Buffer.from(SESSION));
	const error = await driveMap(map.state, map.ports, map.reducer, {
		place: {workDir: WORK_DIR, root: undefined},
		keepWorkDir: false,
		onRound: () => undefined,
		signal: new AbortController().signal,
	}).then(
		() => undefined,
		(reason: unknown) => reason,
	);
	return {...map, error};
};

describe('a map that ends', () => {
	test('leaves the work_dir to the process that has taken it over meanwhile', async () => {
		const deposed = new AbortController();
		const happened: string[] = [];
		const {contents, error, told} = await finish({
			deposed: deposed.signal,
			check: async () => {
				deposed.abort(new Error('taken over'));
				throw deposed.signal.reason;
			},
			rest: async () => void happened.push('rest'),
			release: async () => void happened.push('release'),
		});
		expect(error).toBe(deposed.signal.reason);
		expect([...contents.keys()]).toEqual([`${WORK_DIR}/run.json`]);
		expect(happened).toEqual(['rest']);
		expect(told).toEqual([expect.stringContaining('another process has taken over')]);
	});

	test('removes the work_dir when nobody can be seen to have taken it over', async () => {
		const {contents, error} = await finish({
			check: async () => {
				throw diskError('EIO', 'scandir');
			},
		});
		expect([error, contents.size]).toEqual([undefined, 0]);
	});

	test.each([
		['the disk is full', 'append', JOURNAL],
		['the work_dir can’t be removed', 'remove', ''],
	] as const)('shows no more that it lives when %s', async (_, failing, name) => {
		const happened: string[] = [];
		const {told, error} = await finish({release: async () => void happened.push('release')}, (operation, path) => {
			if (operation === failing && path.endsWith(name)) throw diskError('ENOSPC', 'write');
		});
		expect(error).toBeUndefined();
		expect(told).toEqual([expect.stringContaining('ENOSPC')]);
		expect(happened).toEqual(['release']);
	});
});
