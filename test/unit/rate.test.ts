import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {createRateMeter, remainingMs} from '../../src/rate.js';

/** A meter that has seen these samples of [milliseconds, tasks ended]. */
const meterOf = (...samples: readonly (readonly [number, number])[]) => {
	const meter = createRateMeter();
	for (const [elapsedMs, numEnded] of samples) meter.note(elapsedMs, numEnded);
	return meter;
};

describe('the rate', () => {
	test('is not known before a task has ended', () => {
		expect(meterOf().rate(1000)).toBeUndefined();
		expect(meterOf([0, 0]).rate(1000)).toBeUndefined();
		expect(meterOf([0, 0], [500, 0]).rate(1000)).toBeUndefined();
	});

	test('is that of the tasks that have ended since the beginning, in tasks a second', () => {
		expect(meterOf([0, 0], [2000, 10]).rate(2000)).toBe(5);
	});

	test('of a resumed map does not count what was there before', () => {
		const meter = meterOf([10_000, 900]);
		expect(meter.rate(10_000)).toBeUndefined();
		meter.note(20_000, 910);
		expect(meter.rate(20_000)).toBe(1);
	});

	test('sinks while nothing ends', () => {
		const meter = meterOf([0, 0], [1000, 10]);
		expect(meter.rate(1000)).toBe(10);
		expect(meter.rate(10_000)).toBe(1);
	});

	test('forgets how it was a while ago', () => {
		const meter = createRateMeter();
		// 1 a second for ten minutes, then 10 a second for two.
		for (let second = 0; second <= 600; second++) meter.note(second * 1000, second);
		for (let second = 1; second <= 120; second++) meter.note((600 + second) * 1000, 600 + second * 10);
		expect(meter.rate(720_000)).toBeCloseTo(10, 1);
	});

	test('of long tasks is that of the last twenty, however long they took', () => {
		const meter = createRateMeter();
		// One every ten minutes: in the last minute there was none or one.
		for (let task = 0; task <= 50; task++) meter.note(task * 600_000, task);
		expect(meter.rate(50 * 600_000)).toBeCloseTo(1 / 600, 5);
	});

	test('of tasks that end all at once is a number', () => {
		const meter = meterOf([0, 0], [0, 100]);
		expect(meter.rate(0)).toBeUndefined();
		expect(meter.rate(1)).toBe(100_000);
	});

	test('of a steady map is its pace, whatever the pace and however often one looks', () => {
		fc.assert(
			fc.property(
				fc.integer({min: 1, max: 5000}),
				fc.integer({min: 10, max: 100_000}),
				fc.integer({min: 2, max: 300}),
				(perStep, stepMs, steps) => {
					const meter = createRateMeter();
					for (let step = 0; step <= steps; step++) meter.note(step * stepMs, step * perStep);
					expect(meter.rate(steps * stepMs)).toBeCloseTo((perStep / stepMs) * 1000, 6);
				},
			),
		);
	});
});

describe('the time left', () => {
	test('is what the rest takes at that rate', () => {
		expect(remainingMs(30, 2)).toBe(15_000);
	});
	test('is nothing when nothing is left, whatever the rate', () => {
		expect(remainingMs(0, undefined)).toBe(0);
	});
	test('is not known without a rate', () => {
		expect(remainingMs(30, undefined)).toBeUndefined();
	});
});
