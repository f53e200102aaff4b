import {describe, expect, test} from 'vitest';
import {poll} from '../../src/poll.js';
import {createMapInMemory, diskError, type MapInMemory} from '../helpers/map-in-memory.js';

/** A map that goes on for ever in spite of its limits would hang the test, too. */
const MAX_ROUNDS = 50_000;

const watch = async ({state, ports, reducer}: MapInMemory, onRound: () => void = () => undefined): Promise<unknown> => {
	const stop = new AbortController();
	let numRounds = 0;
	const count = (): void => {
		onRound();
		if (++numRounds === MAX_ROUNDS) stop.abort(new Error('too many rounds'));
	};
	return poll(state, ports, reducer, {onRound: count, signal: stop.signal}).then(
		() => undefined,
		(error: unknown) => error,
	);
};

describe('a disk that is full while the work_dir can be read', () => {
	test('is one outage, told once, and ends the map at `outageLimitMs`', async () => {
		let numAppends = 0;
		const map = createMapInMemory({
			numChunks: 2,
			options: {outageLimitMs: 600_000},
			engine: {},
			fault: operation => {
				if (operation !== 'append') return;
				numAppends++;
				throw diskError('ENOSPC', 'write');
			},
		});
		expect(await watch(map)).toMatchObject({code: 'ERR_POOL_OUTAGE'});
		expect(numAppends).toBeGreaterThan(2);
		expect(map.told).toEqual([expect.stringContaining('ENOSPC')]);
	});
});
