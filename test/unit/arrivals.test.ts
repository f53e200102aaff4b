/** Outcomes as they arrive: each once, whatever happens to a chunk while others are taken. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {createArrivals} from '../../src/arrivals.js';
import {attemptPath} from '../../src/layout.js';
import {type ChunkState, createAttempt, createChunkStates, type MapState} from '../../src/map-state.js';
import {type Files, realFiles} from '../../src/ports.js';
import {createReducer, type Keep} from '../../src/reduce.js';
import {encodeOutcomes, SESSION} from '../helpers/chunk-files.js';
import {createHandClock} from '../helpers/hand-clock.js';

/** Two chunks of two tasks, both being computed: of each the outcomes are in its `.part`. */
const begin = (keep: Keep, files: Files = realFiles, signal: AbortSignal = new AbortController().signal) => {
	const workDir = mkdtempSync(join(tmpdir(), 'qmr-arrivals-'));
	onTestFinished(() => rmSync(workDir, {recursive: true, force: true}));
	const chunks = createChunkStates([
		{ichunk: 0, firstTask: 0, numTasks: 2},
		{ichunk: 1, firstTask: 2, numTasks: 2},
	]);
	const bytesOf = ({chunk: {ichunk, firstTask}}: ChunkState): Buffer =>
		encodeOutcomes([{value: firstTask}, {value: firstTask + 1}], {header: {ichunk, firstTask}});
	for (const chunk of chunks) {
		chunk.attempts.push({...createAttempt(1, `q${SESSION}#${chunk.chunk.ichunk}.1`, false), hasFiles: true});
		writeFileSync(attemptPath(workDir, chunk.chunk.ichunk, 1, 'part'), bytesOf(chunk));
	}
	const reducer = createReducer({session: SESSION, workDir, keep, taskAt: async itask => itask, files});
	const decide = async (ichunk: 0 | 1): Promise<void> => {
		const chunk = chunks[ichunk] as ChunkState;
		const path = attemptPath(workDir, ichunk, 1, 'out');
		writeFileSync(path, bytesOf(chunk));
		expect(await reducer.collect(chunk.chunk, chunk.attempts, 1, path)).toMatchObject({kind: 'whole'});
		chunk.decision = {kind: 'done', attempt: 1};
	};
	const arrivals = createArrivals({
		...{workDir, reducer, files, signal, clock: createHandClock(), taskAt: async (itask: number) => itask},
		state: {session: SESSION, workDir, chunks, options: {outageLimitMs: 60_000}} as unknown as MapState,
		nextRound: async () => undefined,
		isOver: () => chunks.every(({decision}) => decision.kind !== 'open'),
	});
	return {arrivals, decide};
};

describe.each(['outcomes', 'nothing'] as const)('of a map that keeps %s', keep => {
	test('a chunk that is decided while another is being looked at is given once', async () => {
		const {arrivals, decide} = begin(keep);
		const taken: number[] = [];
		for await (const {itask} of arrivals.unordered()) {
			taken.push(itask);
			// The first chunk is being looked at, and the second would be looked at next.
			if (taken.length === 2) await decide(1);
			if (taken.length === 3) await decide(0);
		}
		expect(taken).toEqual([0, 1, 2, 3]);
		expect(arrivals.numTaken()).toBe(2);
	});
});

test('everybody who iterates over a run gets all outcomes, also after a loop that was left', async () => {
	const {arrivals, decide} = begin('outcomes');
	await decide(0);
	await decide(1);
	for await (const {itask} of arrivals.unordered()) if (itask === 0) break;
	const taken: number[] = [];
	for await (const {itask} of arrivals.unordered()) taken.push(itask);
	expect(taken).toEqual([0, 1, 2, 3]);
});

describe('a result that can’t be read again', () => {
	/** Files that fail so many times once they were told to. */
	const makeFaulty = () => {
		const fault = {numLeft: 0, numSeen: 0};
		const files: Files = {
			...realFiles,
			openSource: async path => {
				if (fault.numLeft === 0 || !path.endsWith('.out')) return realFiles.openSource(path);
				fault.numLeft--;
				fault.numSeen++;
				throw Object.assign(new Error('EIO: i/o error, open'), {code: 'EIO', syscall: 'open'});
			},
		};
		return {fault, files};
	};

	test('just now is tried again, and given once', async () => {
		const {fault, files} = makeFaulty();
		const {arrivals, decide} = begin('nothing', files);
		await decide(0);
		await decide(1);
		fault.numLeft = 3;
		const taken: number[] = [];
		for await (const {itask} of arrivals.ordered()) taken.push(itask);
		expect(taken).toEqual([0, 1, 2, 3]);
		expect(fault.numSeen).toBe(3);
	});

	test('for longer than `outageLimitMs`, or when the map is ended, is told', async () => {
		for (const [signal, numTries] of [
			[new AbortController().signal, 13],
			[AbortSignal.abort(), 1],
		] as const) {
			const {fault, files} = makeFaulty();
			const {arrivals, decide} = begin('nothing', files, signal);
			await decide(0);
			fault.numLeft = Number.POSITIVE_INFINITY;
			await expect(arrivals.ordered().next()).rejects.toMatchObject({code: 'ERR_POOL_WORK_DIR'});
			expect(fault.numSeen).toBe(numTries);
		}
	});
});
