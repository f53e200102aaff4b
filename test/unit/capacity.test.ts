import {expect, test} from 'vitest';
import {countLiving} from '../../src/capacity.js';
import {type AttemptState, type ChunkState, createAttempt, createChunkStates} from '../../src/map-state.js';

const count = (
	attempts: readonly Partial<AttemptState>[],
	change: (chunk: ChunkState, toSubmit: Set<ChunkState>) => void = () => undefined,
) => {
	const chunks = createChunkStates([{ichunk: 0, firstTask: 0, numTasks: 1}]);
	const chunk = chunks[0] as ChunkState;
	chunk.attempts.push(...attempts.map((others, i) => ({...createAttempt(i + 1, 'name', false), ...others})));
	const toSubmit = new Set<ChunkState>();
	change(chunk, toSubmit);
	return countLiving({chunks, toSubmit, unremoved: new Set(), leaving: new Map()});
};

const absent = (answers: number) => ({kind: 'absent', answers, sinceMs: 0}) as const;

test.each<[what: string, attempts: readonly Partial<AttemptState>[], numLiving: number]>([
	['a chunk that was never submitted has no queue-job', [], 0],
	['a queue-job counts as soon as it is submitted', [{jobId: '1'}], 1],
	['a submission without an answer may be in the queue', [{}], 1],
	['a queue-job in an error state is in the queue', [{jobId: '1', job: {kind: 'listed', state: 'error', rawState: 'Eqw', sinceMs: 0}}], 1],
	['of several attempts the last counts', [{jobId: '1'}, {jobId: '2'}], 1],
	['a queue-job that the queue has left out once may be there', [{jobId: '1', job: absent(2)}], 1],
	['a queue-job that the queue has left out three times is not', [{jobId: '1', job: absent(3)}], 0],
])('%s', (_, attempts, numLiving) => {
	expect(count(attempts)).toBe(numLiving);
});

test('a chunk that is decided, or is to be submitted again, has no queue-job', () => {
	const decide = (chunk: ChunkState): void => {
		chunk.decision = {kind: 'done', attempt: 1};
	};
	expect(count([{jobId: '1'}], decide)).toBe(0);
	expect(count([{jobId: '1'}], (chunk, toSubmit) => void toSubmit.add(chunk))).toBe(0);
});

test('a queue-job that is at several chunks is one', () => {
	const chunks = createChunkStates([0, 1, 2].map(ichunk => ({ichunk, firstTask: ichunk, numTasks: 1})));
	for (const [i, chunk] of chunks.entries()) chunk.attempts.push({...createAttempt(1, 'name', false), jobId: i === 0 ? '1' : '2'});
	expect(countLiving({chunks, toSubmit: new Set(), unremoved: new Set(), leaving: new Map()})).toBe(2);
});

test('a queue-job of whose removal the queue has not heard counts, once', () => {
	const chunks = createChunkStates([{ichunk: 0, firstTask: 0, numTasks: 1}]);
	chunks[0]?.attempts.push({...createAttempt(1, 'name', false), jobId: '1'});
	expect(countLiving({chunks, toSubmit: new Set(chunks), unremoved: new Set(['1']), leaving: new Map()})).toBe(1);
	expect(countLiving({chunks, toSubmit: new Set(), unremoved: new Set(['1']), leaving: new Map()})).toBe(1);
});
