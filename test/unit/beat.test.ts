import {describe, expect, test} from 'vitest';
import {type Beat, type BeatDelays, createBeat, createMapBeats, type MapBeats} from '../../src/beat.js';
import type {Random} from '../../src/ports.js';
import {createHandClock, type HandClock} from '../helpers/hand-clock.js';

/** No jitter. */
const random: Random = {bytes: length => new Uint8Array(length)};

const DELAYS: BeatDelays = {firstMs: [10, 20], steadyMs: 100, slowMs: 100, growth: 2, maxMs: 700, restFactor: 3};

/** Waits until the beat is due, does it, and tells how long that was. */
const next = (clock: HandClock, beat: Beat, outcome: 'changed' | 'same', tookMs = 0): number => {
	const delayMs = beat.untilDueMs();
	if (delayMs > 0) {
		clock.advance(delayMs / 2);
		expect(beat.isDue()).toBe(false);
		// A little more, for what the halves lose by rounding.
		clock.advance(delayMs / 2 + 1e-6);
	}
	expect(beat.isDue()).toBe(true);
	expect(beat.untilDueMs()).toBe(0);
	clock.advance(tookMs);
	beat.done(outcome);
	return delayMs;
};

const rounds = (clock: HandClock, beat: Beat, outcomes: readonly ('changed' | 'same')[]): number[] =>
	outcomes.map(outcome => Math.round(next(clock, beat, outcome) * 1000) / 1000);

const same = (times: number): 'same'[] => Array<'same'>(times).fill('same');
const changed = (times: number): 'changed'[] => Array<'changed'>(times).fill('changed');

describe('a beat', () => {
	test('comes after the first delays, then after the steady one as long as there is news', () => {
		const clock = createHandClock();
		expect(rounds(clock, createBeat({clock, random}, DELAYS), changed(5))).toEqual([10, 20, 100, 100, 100]);
	});

	test('comes ever later while nothing changes, up to the longest delay, and soon again after news', () => {
		const clock = createHandClock();
		const outcomes = [...same(7), ...changed(1), ...same(2)];
		expect(rounds(clock, createBeat({clock, random}, DELAYS), outcomes)).toEqual([10, 20, 100, 200, 400, 700, 700, 700, 100, 200]);
	});

	test('rests a multiple of the time that the doing took', () => {
		const clock = createHandClock();
		const beat = createBeat({clock, random}, DELAYS);
		rounds(clock, beat, changed(3));
		next(clock, beat, 'changed', 50);
		expect(beat.untilDueMs()).toBe(150);
		next(clock, beat, 'changed', 10);
		expect(beat.untilDueMs()).toBe(100);
	});

	test('comes up to a fifth later at random, so that many programs do not come at once', () => {
		const clock = createHandClock();
		const most: Random = {bytes: length => new Uint8Array(length).fill(255)};
		const [first = 0, second = 0] = rounds(clock, createBeat({clock, random: most}, {...DELAYS, firstMs: []}), same(2));
		expect(first).toBe(100);
		expect(second).toBeGreaterThan(230);
		expect(second).toBeLessThanOrEqual(240);
	});

	test('the time before somebody asked is no doing', () => {
		const clock = createHandClock();
		const beat = createBeat({clock, random}, DELAYS);
		clock.advance(5000);
		expect(beat.isDue()).toBe(true);
		beat.done('changed');
		expect(beat.untilDueMs()).toBe(20);
	});
});

const mapBeats = (pollingIntervalMs: number, statusCost: 'call' | 'none' = 'call'): {clock: HandClock; beats: MapBeats} => {
	const clock = createHandClock();
	return {clock, beats: createMapBeats({clock, random}, pollingIntervalMs, statusCost)};
};

describe('the beats of a map', () => {
	test('Q13: the queue is asked after 1, 2, 4 s, then every 5 s', () => {
		const {clock, beats} = mapBeats(5000);
		expect(rounds(clock, beats.status, changed(5))).toEqual([1000, 2000, 4000, 5000, 5000]);
	});

	test('the queue is asked up to every 30 s while nothing changes', () => {
		const {clock, beats} = mapBeats(5000);
		expect(rounds(clock, beats.status, same(9))).toEqual([1000, 2000, 4000, 6000, 9000, 13_500, 20_250, 30_000, 30_000]);
	});

	test('the work_dir is listed every 0.2 s, up to every 2 s', () => {
		const {clock, beats} = mapBeats(5000);
		expect(rounds(clock, beats.listing, changed(3))).toEqual([200, 200, 200]);
		const quiet = rounds(clock, beats.listing, same(30));
		expect(quiet[1]).toBe(220);
		expect(quiet.at(-1)).toBe(2000);
	});

	test('a queue-job is submitted at once; a refused one again after 5, 10, 20, 40, then every 60 s', () => {
		const {clock, beats} = mapBeats(5000);
		expect(rounds(clock, beats.submission, [...changed(3), ...same(6), ...changed(1), ...same(1)])).toEqual([
			0, 0, 0, 0, 5000, 10_000, 20_000, 40_000, 60_000, 60_000, 0,
		]);
	});

	test('all of them scale down with a small polling interval', () => {
		const status = mapBeats(50);
		expect(rounds(status.clock, status.beats.status, changed(5))).toEqual([10, 20, 40, 50, 50]);
		const listing = mapBeats(50);
		expect(rounds(listing.clock, listing.beats.listing, changed(2))).toEqual([2, 2]);
	});

	test('a longer polling interval makes only the later questions rarer', () => {
		const status = mapBeats(60_000);
		expect(rounds(status.clock, status.beats.status, changed(5))).toEqual([1000, 2000, 4000, 60_000, 60_000]);
		const listing = mapBeats(60_000);
		expect(rounds(listing.clock, listing.beats.listing, changed(2))).toEqual([200, 200]);
	});

	test('an engine that knows the answer itself is asked as often as the work_dir is listed', () => {
		const {clock, beats} = mapBeats(5000, 'none');
		expect(rounds(clock, beats.status, changed(3))).toEqual([200, 200, 200]);
	});
});
