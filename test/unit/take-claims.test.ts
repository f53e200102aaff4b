import {describe, expect, test} from 'vitest';
import {type Claim, encodeClaim} from '../../src/claim-file.js';
import {arrayName, claimPath, jobName, parseChunkFile} from '../../src/layout.js';
import {lookForResults} from '../../src/look-for-results.js';
import {type AttemptState, createAttempt, createMapState, type MapState} from '../../src/map-state.js';
import {replayJournal} from '../../src/replay-journal.js';
import {shareRemovals, takeClaims} from '../../src/take-claims.js';
import {createMapInMemory, type MapInMemory, SESSION, WORK_DIR} from '../helpers/map-in-memory.js';

const NUM_JOBS = 2;

/** Chunks 0 and 1 have queue-jobs, the rest is for whoever claims it. */
const createMap = (fault?: Parameters<typeof createMapInMemory>[0]['fault']): MapInMemory => {
	const map = createMapInMemory({
		numChunks: 6,
		options: {schedule: 'dynamic', numJobs: NUM_JOBS},
		engine: {},
		...(fault && {fault}),
	});
	for (const chunk of map.state.toSubmit) {
		const {ichunk} = chunk.chunk;
		chunk.attempts.push({...createAttempt(1, jobName(SESSION, ichunk, 1), false), jobId: String(900 + ichunk)});
	}
	map.state.toSubmit.clear();
	return map;
};

const home = (ichunk: number): Claim['home'] => ({ichunk, attempt: 1, stdoutFrom: 5, stderrFrom: 6});
const put = ({contents}: MapInMemory, ichunk: number, text: Buffer | string): void =>
	void contents.set(claimPath(WORK_DIR, ichunk), Buffer.from(text));
const take = async ({state, ports}: MapInMemory): Promise<boolean> =>
	takeClaims(
		state,
		(await ports.files.list(WORK_DIR)).flatMap(name => parseChunkFile(name) ?? []),
		ports,
	);
const attemptAt = ({chunks}: Pick<MapState, 'chunks'>, ichunk: number): AttemptState => chunks[ichunk]?.attempts[0] as AttemptState;
const journaled = async (map: MapInMemory) => {
	await map.state.journal.flush({durable: false});
	return map.journal().filter(({event}) => event === 'claimed');
};

describe('a chunk that a queue-job has claimed', () => {
	test('has a first attempt, under the name and number of that queue-job', async () => {
		const map = createMap();
		put(map, 3, encodeClaim({host: 'node7', home: home(1)}));
		expect(await take(map)).toBe(true);
		expect(attemptAt(map.state, 3)).toMatchObject({
			attempt: 1,
			jobName: jobName(SESSION, 1, 1),
			jobId: '901',
			host: 'node7',
			home: home(1),
		});
		expect(await journaled(map)).toEqual([
			expect.objectContaining({ichunk: 3, attempt: 1, jobName: jobName(SESSION, 1, 1), jobId: '901', host: 'node7', home: home(1)}),
		]);
		expect(await take(map)).toBe(false);
	});

	test('is known again by the journal, when another process goes on', async () => {
		const map = createMap();
		const name = arrayName(SESSION, 0, 1, 1);
		Object.assign(attemptAt(map.state, 1), {jobName: name, element: 2, jobId: '900.2'});
		put(map, 3, encodeClaim({host: 'node7', home: home(1)}));
		await take(map);
		const {session, workDir, options, owner, journal} = map.state;
		const again = createMapState({session, workDir, options, owner, journal, chunks: map.state.chunks.map(({chunk}) => chunk)});
		const {due} = replayJournal(await journaled(map), again);
		const {jobName: jobNameOf, element, jobId, host, home: homeOf} = attemptAt(again, 3);
		expect([jobNameOf, element, jobId, host, homeOf]).toEqual([name, 2, '900.2', 'node7', home(1)]);
		expect(attemptAt(map.state, 3)).toMatchObject({jobName: name, element: 2});
		expect(due.size).toBe(0);
	});

	test('whose queue-job was removed is not taken for one that somebody has deleted', async () => {
		const map = createMap();
		attemptAt(map.state, 1).isRemoved = true;
		put(map, 3, encodeClaim({host: 'node7', home: home(1)}));
		put(map, 4, encodeClaim({host: 'node7', home: home(0)}));
		await take(map);
		expect([attemptAt(map.state, 3).isRemoved, attemptAt(map.state, 4).isRemoved]).toEqual([true, false]);
		attemptAt(map.state, 0).isRemoved = true;
		shareRemovals(map.state);
		expect(attemptAt(map.state, 4).isRemoved).toBe(true);
	});

	test('is read once', async () => {
		let numOpened = 0;
		const map = createMap((operation, path) => {
			if (operation === 'open' && path.endsWith('.claim')) numOpened++;
		});
		for (const ichunk of [2, 3, 4]) put(map, ichunk, encodeClaim({host: 'node7', home: home(1)}));
		for (let i = 0; i < 5; i++) await take(map);
		expect(numOpened).toBe(3);
	});
});

describe('a claim that is still empty', () => {
	test('is an attempt of which nothing is known, until it is filled', async () => {
		const map = createMap();
		put(map, 3, '');
		expect(await take(map)).toBe(true);
		expect(attemptAt(map.state, 3)).toMatchObject({jobName: jobName(SESSION, 3, 1), jobId: undefined, home: undefined});
		expect(await take(map)).toBe(false);
		attemptAt(map.state, 3).job = {kind: 'absent', answers: 2, sinceMs: 0};
		put(map, 3, encodeClaim({host: 'node7', home: home(0)}));
		expect(await take(map)).toBe(true);
		expect(attemptAt(map.state, 3)).toMatchObject({jobName: jobName(SESSION, 0, 1), jobId: '900', home: home(0), job: {kind: 'unknown'}});
		expect(map.state.chunks[3]?.attempts).toHaveLength(1);
	});
});

describe('a claim of a process-node', () => {
	test('is a chunk to be submitted, whoever has made it', async () => {
		const map = createMap();
		put(map, 3, encodeClaim({host: 'login', home: home(3)}));
		expect(await take(map)).toBe(true);
		expect([...map.state.toSubmit].map(({chunk}) => chunk.ichunk)).toEqual([3]);
		expect(map.state.chunks[3]?.attempts).toEqual([]);
		expect(await take(map)).toBe(false);
	});
});

test('claims are taken before results: what a claimed chunk has left belongs to its attempt', async () => {
	const map = createMap();
	// A listing has no order.
	map.contents.set(`${WORK_DIR}/000000003.1.part`, Buffer.alloc(0));
	put(map, 3, encodeClaim({host: 'node7', home: home(1)}));
	expect(await lookForResults(map.state, map.ports, map.reducer)).toBe('changed');
	expect(attemptAt(map.state, 3)).toMatchObject({hasFiles: true, hasEnded: false, home: home(1)});
});

test('without dynamic chunks no claim is looked at', async () => {
	const map = createMapInMemory({numChunks: 3, engine: {}});
	put(map, 1, encodeClaim({host: 'node7', home: home(0)}));
	expect(await take(map)).toBe(false);
	expect(map.state.toSubmit.size).toBe(3);
});
