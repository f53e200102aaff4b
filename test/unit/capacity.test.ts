import {expect, test} from 'vitest';
import {countLiving, hasRoom} from '../../src/capacity.js';
import {type AttemptState, type ChunkState, createAttempt, createChunkStates, type MapState} from '../../src/map-state.js';
import type {PoolOptions} from '../../src/options.js';
import {createMapInMemory} from '../helpers/map-in-memory.js';

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

const listed = (state: 'pending' | 'running' | 'held') => ({kind: 'listed', state, rawState: state, sinceMs: 0}) as const;

test.each<[what: string, isRoom: boolean, attempt: Partial<AttemptState> | undefined, options?: PoolOptions]>([
	['a queue-job of which nothing is known yet may wait', false, {jobId: '1'}],
	['a queue-job that waits says that the queue is full', false, {jobId: '1', job: listed('pending')}],
	['a queue-job that is held is the wish of whoever submits so', false, {jobId: '1', job: listed('held')}],
	['a queue-job that runs makes room for the next one', true, {jobId: '1', job: listed('running')}],
	['a worker that has begun runs, whatever the queue has said', true, {jobId: '1', job: listed('pending'), hasFiles: true}],
	['a chunk that nobody has claimed waits', false, undefined, {schedule: 'dynamic', numJobs: 1}],
	[
		'with dynamic chunks whoever is there claims the next one',
		true,
		{jobId: '1', hasFiles: true},
		{schedule: 'dynamic', numJobs: 1, maxQueuedJobs: 1},
	],
	['with as many queue-jobs as asked for there is no room', false, {jobId: '1', hasFiles: true}, {maxQueuedJobs: 1}],
	['with as many as may run there is none, either', false, {jobId: '1', hasFiles: true}, {maxConcurrentJobs: 1}],
	['below a limit there is room', true, {jobId: '1', hasFiles: true}, {maxQueuedJobs: 2}],
])('%s: is there room for a chunk? %s', (_, isRoom, attempt, options = {}) => {
	const {state} = createMapInMemory({numChunks: 2, options, engine: {}});
	const [first, last] = state.chunks as [ChunkState, ChunkState];
	first.decision = {kind: 'done', attempt: 1};
	state.toSubmit.clear();
	if (attempt !== undefined) last.attempts.push({...createAttempt(1, 'name', false), ...attempt});
	expect(hasRoom(state)).toBe(isRoom);
});

test('there is room before the first chunk, and when all are decided; none while one waits to be submitted', () => {
	const {state} = createMapInMemory({numChunks: 2, engine: {}});
	const withChunks = (chunks: ChunkState[], toSubmit: readonly ChunkState[] = []): MapState => ({
		...state,
		chunks,
		toSubmit: new Set(toSubmit),
	});
	const [first, last] = state.chunks as [ChunkState, ChunkState];
	expect(hasRoom(withChunks([]))).toBe(true);
	for (const chunk of [first, last]) chunk.decision = {kind: 'failed', attempt: 1};
	expect(hasRoom(withChunks([first, last]))).toBe(true);
	expect(hasRoom(withChunks([first, last], [first]))).toBe(false);
});
