import {expect, test} from 'vitest';
import type {JobState} from '../../src/engines/engine.js';
import type {Decision, MapState} from '../../src/map-state.js';
import type {Progress} from '../../src/options.js';
import {createProgress} from '../../src/progress.js';
import type {Reducer} from '../../src/reduce.js';
import {createProgressDisplay} from '../../src/show-progress.js';

type MadeUp = {numTasks: number; decision: Decision['kind']; job?: JobState};

/** A map of chunks that can be changed by hand, its progress, and what was told of it. */
const makeProgress = (chunks: MadeUp[], {progress = true, onProgress = true, isWhole = true, done = 0} = {}) => {
	const counts = {done, failed: 0, cancelled: 0};
	const time = {elapsedMs: 1000};
	const told: Progress[] = [];
	let written = '';
	const state = {
		get chunks() {
			return chunks.map(({numTasks, decision, job}, i) => ({
				chunk: {numTasks, firstTask: chunks.slice(0, i).reduce((sum, before) => sum + before.numTasks, 0)},
				decision: {kind: decision},
				attempts: job === undefined ? [] : [{job: {kind: 'listed', state: job}}],
			}));
		},
	} as unknown as MapState;
	const write = (text: string): boolean => {
		written += text;
		return true;
	};
	const report = createProgress(
		{
			state,
			reducer: {counts: () => counts} as Reducer,
			clock: {elapsedMs: () => time.elapsedMs},
			isWhole: () => isWhole,
			tell: line => void write(`${line}\n`),
		},
		{progress, ...(onProgress ? {onProgress: (numbers: Progress) => void told.push(numbers)} : {})},
		() => createProgressDisplay({isTTY: false, write}),
	);
	return {report, counts, time, told, written: () => written};
};

test('B4: tasks are done, failed, in a queue-job that runs, or pending', () => {
	const {report, counts, told} = makeProgress([
		{numTasks: 5, decision: 'done', job: 'running'},
		{numTasks: 3, decision: 'open', job: 'running'},
		{numTasks: 2, decision: 'open', job: 'pending'},
		{numTasks: 1, decision: 'open', job: 'suspended'},
		{numTasks: 4, decision: 'open'},
	]);
	Object.assign(counts, {done: 4, failed: 1});
	report.update();
	expect(told).toMatchObject([{total: 15, done: 4, failed: 1, cancelled: 0, running: 3, pending: 7}]);
});

test('a task that was cancelled has not failed, and has taken no time', () => {
	const {report, counts, time, told, written} = makeProgress([
		{numTasks: 4, decision: 'done'},
		{numTasks: 96, decision: 'failed'},
	]);
	report.update();
	Object.assign(counts, {done: 3, failed: 1, cancelled: 96});
	time.elapsedMs += 4000;
	report.update();
	expect(told.at(-1)).toEqual({total: 100, done: 3, failed: 1, cancelled: 96, running: 0, pending: 0, rate: 1, remainingMs: 0});
	report.end();
	expect(written()).toContain('\n3 of 100 done, 1 failed, 96 cancelled, 0 running, 0 pending, 1.0/s\n');
});

test('Q17: is told only when it has changed', () => {
	const chunk: MadeUp = {numTasks: 2, decision: 'open', job: 'pending'};
	const {report, counts, told} = makeProgress([chunk]);
	report.update();
	report.update();
	chunk.job = 'running';
	report.update();
	report.update();
	Object.assign(chunk, {decision: 'done'});
	counts.done = 2;
	report.update();
	report.update();
	expect(told.map(({done, running, pending}) => [done, running, pending])).toEqual([
		[0, 0, 2],
		[0, 2, 0],
		[2, 0, 0],
	]);
});

test('off a terminal it is a line every five seconds while it changes, one a second when tasks fail, and one at the end', () => {
	const {report, counts, time, written} = makeProgress([{numTasks: 9, decision: 'open'}]);
	const at = (elapsedMs: number, done: number, failed: number): void => {
		Object.assign(counts, {done, failed});
		time.elapsedMs = elapsedMs;
		report.update();
	};
	at(1000, 0, 0);
	at(2000, 1, 0);
	at(5999, 2, 0);
	at(6000, 3, 0);
	at(6999, 3, 1);
	at(7000, 3, 1);
	at(7500, 3, 2);
	at(60_000, 3, 2);
	at(70_000, 3, 2);
	at(70_100, 7, 2);
	report.end();
	expect(written().replaceAll(/ pending.*/g, '')).toBe(`0 of 9 done, 0 failed, 0 running, 9
3 of 9 done, 0 failed, 0 running, 6
3 of 9 done, 1 failed, 0 running, 5
3 of 9 done, 2 failed, 0 running, 4
7 of 9 done, 2 failed, 0 running, 0
`);
});

test('Y6: a map that ends before its tasks do is not told as one that has done them all', () => {
	const {report, counts, written} = makeProgress([{numTasks: 9, decision: 'open'}]);
	report.update();
	Object.assign(counts, {done: 3, failed: 1});
	report.update();
	report.end();
	expect(written().trimEnd().split('\n').at(-1)).toMatch(/^3 of 9 done, 1 failed, 0 running, 5 pending/);
});

test('the log of a map of a day is short', () => {
	const chunks: MadeUp[] = [{numTasks: 100_000, decision: 'open'}];
	const {report, counts, time, written} = makeProgress(chunks);
	for (let second = 0; second < 86_400; second++) {
		counts.done = second;
		time.elapsedMs = second * 1000;
		report.update();
	}
	expect(written().split('\n').length).toBeLessThan(500);
});

test('the rate and the time left are told when they are known', () => {
	const {report, counts, time, told, written} = makeProgress([{numTasks: 10, decision: 'open'}]);
	report.update();
	expect(told.at(-1)).toMatchObject({rate: undefined, remainingMs: undefined});
	counts.done = 4;
	time.elapsedMs += 8000;
	report.update();
	expect(told.at(-1)).toMatchObject({rate: 0.5, remainingMs: 12_000});
	expect(report.read()).toEqual(told.at(-1));
	expect(written()).toContain('4 of 10 done, 0 failed, 0 running, 6 pending, 30.0/min, 12.0 s left\n');
});

test('of a stream that is still read nobody knows how long it will take', () => {
	const {report, counts, time, told} = makeProgress([{numTasks: 10, decision: 'open'}], {isWhole: false});
	counts.done = 4;
	time.elapsedMs += 8000;
	report.update();
	expect(told.at(-1)).toMatchObject({rate: 0.5, remainingMs: undefined});
});

test('what a resumed map had before counts for no rate', () => {
	const {report, counts, time, told} = makeProgress([{numTasks: 1000, decision: 'open'}], {done: 900});
	report.update();
	counts.done = 901;
	time.elapsedMs += 1000;
	report.update();
	expect(told.map(({rate}) => rate)).toEqual([undefined, 1]);
});

test('a display that fails is told of once, and changes nothing', async () => {
	const said: string[] = [];
	const report = createProgress(
		{
			state: {chunks: []} as unknown as MapState,
			reducer: {counts: () => ({done: said.length, failed: 0, cancelled: 0})} as Reducer,
			clock: {elapsedMs: () => 0},
			isWhole: () => true,
			tell: line => void said.push(line),
		},
		{
			onProgress: () => {
				throw new Error('no display');
			},
		},
	);
	report.update();
	await Promise.resolve();
	report.update();
	await Promise.resolve();
	expect(said).toEqual(['queue-map-reduce: onProgress failed: no display']);
});

test('nothing is written unless it is asked for', () => {
	const {report, written, told} = makeProgress([{numTasks: 2, decision: 'open'}], {progress: false});
	report.update();
	report.end();
	expect([written(), told.length]).toEqual(['', 1]);
});

test('nothing is told unless it is asked for', () => {
	const {report, written, told} = makeProgress([{numTasks: 2, decision: 'open'}], {onProgress: false});
	report.update();
	expect([written() === '', told.length]).toEqual([false, 0]);
});
