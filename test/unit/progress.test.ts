import {expect, test} from 'vitest';
import type {JobState} from '../../src/engines/engine.js';
import type {Decision, MapState} from '../../src/map-state.js';
import type {Progress} from '../../src/options.js';
import {createProgress} from '../../src/progress.js';
import type {Reducer} from '../../src/reduce.js';

type MadeUp = {numTasks: number; decision: Decision['kind']; job?: JobState};

/** A map of chunks that can be changed by hand, its progress, and what was told of it. */
const makeProgress = (chunks: MadeUp[], {isTTY = false, progress = true, onProgress = true} = {}) => {
	const counts = {done: 0, failed: 0};
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
	const report = createProgress(
		state,
		{counts: () => counts} as Reducer,
		{progress, ...(onProgress ? {onProgress: numbers => void told.push(numbers)} : {})},
		{
			isTTY,
			write: text => {
				written += text;
				return true;
			},
		},
	);
	return {report, counts, told, written: () => written};
};

test('tasks are done, failed, in a queue-job that runs, or pending', () => {
	const {report, counts, told} = makeProgress([
		{numTasks: 5, decision: 'done', job: 'running'},
		{numTasks: 3, decision: 'open', job: 'running'},
		{numTasks: 2, decision: 'open', job: 'pending'},
		{numTasks: 1, decision: 'open', job: 'suspended'},
		{numTasks: 4, decision: 'open'},
	]);
	Object.assign(counts, {done: 4, failed: 1});
	report.update();
	expect(told).toEqual([{total: 15, done: 4, failed: 1, running: 3, pending: 7}]);
});

test('is told only when it has changed', () => {
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

test('off a terminal it is a line per change', () => {
	const {report, counts, written} = makeProgress([{numTasks: 4, decision: 'open'}]);
	report.update();
	counts.done = 1;
	report.update();
	Object.assign(counts, {done: 3, failed: 1});
	report.update();
	report.end();
	expect(written()).toBe(`░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 4 done, 0 failed, 0 running, 4 pending
██████░░░░░░░░░░░░░░░░░░ 1 of 4 done, 0 failed, 0 running, 3 pending
████████████████████████ 3 of 4 done, 1 failed, 0 running, 0 pending
`);
});

test('on a terminal it is one live line that is ended', () => {
	const {report, counts, written} = makeProgress([{numTasks: 2, decision: 'open'}], {isTTY: true});
	report.update();
	counts.done = 2;
	report.update();
	report.end();
	expect(written().split('\r\x1B[2K')).toEqual([
		'',
		expect.stringContaining('0 of 2 done'),
		expect.stringMatching(/2 of 2 done.*pending\n$/),
	]);
});

test('a live line that never was is not ended', () => {
	const {report, written} = makeProgress([{numTasks: 2, decision: 'open'}], {isTTY: true});
	report.end();
	expect(written()).toBe('');
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
