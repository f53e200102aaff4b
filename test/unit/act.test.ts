import {expect, test} from 'vitest';
import {actOn} from '../../src/act.js';
import type {ChunkState} from '../../src/map-state.js';
import {createAttempt} from '../../src/map-state.js';
import {createMapInMemory} from '../helpers/map-in-memory.js';

test('the end of a map looks for a queue-job that was taken back while it waited: its removal may have failed', async () => {
	const {state, ports, reducer} = createMapInMemory({numChunks: 1, engine: {}});
	state.toSubmit.clear();
	const chunk = state.chunks[0] as ChunkState;
	chunk.attempts.push({
		...createAttempt(1, 'name', true),
		jobId: '7',
		job: {kind: 'listed', state: 'pending', rawState: 'qw', sinceMs: 0},
	});
	expect(await actOn(state, chunk, {kind: 'relax', reason: 'why'}, ports, reducer)).toEqual(['7']);
	expect([state.needsSweep, state.toSubmit.size]).toEqual([true, 1]);
});
