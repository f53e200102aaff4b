import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {askedResources} from '../../src/report/asked-resources.js';
import {type ClockSample, estimateClocks} from '../../src/report/host-clocks.js';
import {bytesInWords, msInWords, percentInWords} from '../../src/report/in-words.js';
import {packRows, unpackRows} from '../../src/report/pack-rows.js';
import {axisLabel, axisStep, placeByHost, placeByOrder} from '../../src/report/page/lanes.js';
import type {JobRow} from '../../src/report/report-data.js';
import {countAtATime, describeDurations} from '../../src/report/statistics.js';

const GIBIBYTE = 2 ** 30;

describe('the clocks of hosts', () => {
	const sample = (fields: Partial<ClockSample>): ClockSample => ({
		host: 'a',
		beganAtMs: undefined,
		endedAtMs: undefined,
		submittedAtMs: undefined,
		seenAtMs: undefined,
		...fields,
	});

	test('that make sense are left as they are', () => {
		const samples = [sample({submittedAtMs: 100, beganAtMs: 150, endedAtMs: 900, seenAtMs: 950}), sample({host: 'b', beganAtMs: 5})];
		expect(estimateClocks(samples)).toEqual(
			new Map([
				['a', 0],
				['b', 0],
			]),
		);
	});

	test('that say that a queue-job began before it was submitted are behind by that', () => {
		expect(
			estimateClocks([sample({submittedAtMs: 10_000, beganAtMs: 4000}), sample({submittedAtMs: 10_000, beganAtMs: 7000})]).get('a'),
		).toBe(-6000);
	});

	test('that say that a result was seen before its queue-job ended are ahead by that', () => {
		expect(estimateClocks([sample({endedAtMs: 9000, seenAtMs: 4000})]).get('a')).toBe(5000);
	});

	test('however wrong they are: corrected by the estimate, nothing begins before it is submitted or ends after it is seen', () => {
		const job = fc.record({submittedAtMs: fc.nat(100_000), waitMs: fc.nat(5000), runMs: fc.nat(5000), seenLaterMs: fc.nat(5000)});
		fc.assert(
			fc.property(fc.array(job, {minLength: 1}), fc.integer({min: -10_000_000, max: 10_000_000}), (jobs, aheadMs) => {
				const samples = jobs.map(({submittedAtMs, waitMs, runMs, seenLaterMs}) =>
					sample({
						submittedAtMs,
						beganAtMs: submittedAtMs + waitMs + aheadMs,
						endedAtMs: submittedAtMs + waitMs + runMs + aheadMs,
						seenAtMs: submittedAtMs + waitMs + runMs + seenLaterMs,
					}),
				);
				const estimate = estimateClocks(samples).get('a') ?? Number.NaN;
				for (const {submittedAtMs = 0, beganAtMs = 0, endedAtMs = 0, seenAtMs = 0} of samples) {
					expect(beganAtMs - estimate).toBeGreaterThanOrEqual(submittedAtMs);
					expect(endedAtMs - estimate).toBeLessThanOrEqual(seenAtMs);
				}
				// Never corrected by more than it is wrong.
				expect(Math.abs(estimate)).toBeLessThanOrEqual(Math.abs(aheadMs));
			}),
		);
	});

	test('a clock that was set meanwhile is corrected by the middle', () => {
		const samples = [sample({submittedAtMs: 10_000, beganAtMs: 4000}), sample({endedAtMs: 9000, seenAtMs: 5000})];
		expect(estimateClocks(samples).get('a')).toBe(-1000);
	});
});

describe('what was asked for', () => {
	test('is what the journal noted', () => {
		expect(askedResources({memoryBytes: GIBIBYTE, timeSeconds: 60, slots: 4}, {qsubArgs: ['-l', 'h_vmem=8G']})).toEqual({
			memoryBytes: GIBIBYTE,
			timeSeconds: 60,
			slots: 4,
		});
	});

	test.each([
		[{}, {memoryBytes: null, timeSeconds: null, slots: 1}],
		[{qsubArgs: ['-l', 'h_vmem=8G,h_rt=1:30:00']}, {memoryBytes: 8 * GIBIBYTE, timeSeconds: 5400, slots: 1}],
		[{qsubArgs: ['-l', 'h_vmem=500m', '-l', 'h_rt=90', '-pe', 'smp', '4']}, {memoryBytes: 2e9, timeSeconds: 90, slots: 4}],
		[{qsubArgs: ['-l', 'h_vmem=lots', '-pe']}, {memoryBytes: null, timeSeconds: null, slots: 1}],
		[{qsubArgs: 'no list'}, {memoryBytes: null, timeSeconds: null, slots: 1}],
		[{sbatchArgs: ['--mem=500', '--time=90', '-c', '4']}, {memoryBytes: 500 * 2 ** 20, timeSeconds: 5400, slots: 4}],
		[{sbatchArgs: ['--mem', '4G', '--time', '2-12:00']}, {memoryBytes: 4 * GIBIBYTE, timeSeconds: 216_000, slots: 1}],
		[{sbatchArgs: ['--time=90:30', '--cpus-per-task=2']}, {memoryBytes: null, timeSeconds: 5430, slots: 2}],
		[{sbatchArgs: ['--time=1:00:00']}, {memoryBytes: null, timeSeconds: 3600, slots: 1}],
	])('of %j is %j', (options, asked) => {
		expect(askedResources(undefined, options)).toEqual(asked);
	});
});

test('numbers are told in three digits and a unit', () => {
	expect([0, 0.0042, 0.25, 7, 999.6, 12_345, 90_000, 5_400_000, 3 * 86_400_000].map(msInWords)).toEqual([
		...['0 s', '4.2 µs', '250 µs', '7 ms', '1 s', '12.3 s', '1.5 min', '1.5 h', '3 d'],
	]);
	expect([0, 999, 1023, 2 ** 20, 2.5 * GIBIBYTE, 2 ** 50].map(bytesInWords)).toEqual([
		'0 B',
		'999 B',
		'1 KiB',
		'1 MiB',
		'2.5 GiB',
		'1024 TiB',
	]);
	expect([0, 0.0012, 0.071, 0.5, 1].map(percentInWords)).toEqual(['0 %', '0.12 %', '7.1 %', '50 %', '100 %']);
});

describe('durations', () => {
	test('every one is in the bin whose limits it is between, and bins follow each other', () => {
		fc.assert(
			fc.property(fc.array(fc.double({min: 0, max: 1e9, noNaN: true}), {minLength: 1}), elapsedMs => {
				const {bins, count, minMs, medianMs, p95Ms, maxMs} = describeDurations(Float64Array.from(elapsedMs));
				expect(count).toBe(elapsedMs.length);
				for (const [i, {fromMs, count: inBin}] of bins.entries()) {
					const toMs = bins[i + 1]?.fromMs ?? Number.POSITIVE_INFINITY;
					expect(toMs).toBeGreaterThan(fromMs);
					expect(inBin).toBe(elapsedMs.filter(ms => ms >= fromMs && ms < toMs).length);
				}
				expect([minMs, maxMs]).toEqual([Math.min(...elapsedMs), Math.max(...elapsedMs)]);
				expect(medianMs).toBeLessThanOrEqual(p95Ms);
				expect([bins[0]?.count, bins.at(-1)?.count]).not.toContain(0);
			}),
		);
	});

	test('of nothing are nothing', () => {
		expect(describeDurations(new Float64Array())).toMatchObject({count: 0, maxMs: 0, bins: []});
	});
});

test('how many there are at a time is counted as if each moment were looked at', () => {
	const stretch = fc.record({fromMs: fc.nat(30), lengthMs: fc.nat(20)}).map(({fromMs, lengthMs}) => ({fromMs, toMs: fromMs + lengthMs}));
	fc.assert(
		fc.property(fc.array(stretch), stretches => {
			const steps = countAtATime(stretches);
			for (let ms = 0; ms < 60; ms++) {
				const counted = steps.findLast(({atMs}) => atMs <= ms)?.count ?? 0;
				expect(counted).toBe(stretches.filter(({fromMs, toMs}) => fromMs <= ms && ms < toMs).length);
			}
		}),
	);
});

test('rows that are packed and unpacked are the same rows', () => {
	const row = fc.record({a: fc.integer(), b: fc.oneof(fc.string(), fc.constant(null))});
	fc.assert(
		fc.property(fc.array(row), rows => {
			expect(unpackRows(JSON.parse(JSON.stringify(packRows(rows))))).toEqual(rows);
		}),
	);
});

describe('the lanes of the timeline', () => {
	const job = fc
		.record({host: fc.nat(2), beganMs: fc.nat(50), lengthMs: fc.integer({min: 1, max: 30})})
		.map(({host, beganMs, lengthMs}) => ({host, beganMs, endedMs: beganMs + lengthMs, submittedMs: 0, ichunk: 0}) as JobRow);

	test('no two queue-jobs of one lane are at the same time, no lane has two hosts, and no host has more lanes than it needs', () => {
		fc.assert(
			fc.property(fc.array(job), jobs => {
				const {placed, bands, numLanes} = placeByHost(jobs, ['a', 'b', 'c'], 100);
				expect(placed).toHaveLength(jobs.length);
				for (const [i, {job: one, lane}] of placed.entries()) {
					expect(lane).toBeLessThan(numLanes);
					for (const {job: other, lane: otherLane} of placed.slice(i + 1)) {
						if (lane !== otherLane) continue;
						expect(one.host).toBe(other.host);
						expect((one.endedMs ?? 0) <= (other.beganMs ?? 0) || (other.endedMs ?? 0) <= (one.beganMs ?? 0)).toBe(true);
					}
				}
				for (const {label, numLanes: needed} of bands) {
					const own = jobs.filter(({host}) => ['a', 'b', 'c'][host ?? 0] === label);
					const most = countAtATime(own.map(({beganMs, endedMs}) => ({fromMs: beganMs ?? 0, toMs: endedMs ?? 0})));
					expect(needed).toBe(Math.max(...most.map(({count}) => count)));
				}
			}),
		);
	});

	test('in the order of submission each has one of its own', () => {
		const jobs = [30, 10, null, 20].map((submittedMs, ichunk) => ({ichunk, submittedMs, beganMs: 15}) as JobRow);
		expect(placeByOrder(jobs).placed.map(({job: {ichunk}, lane}) => [ichunk, lane])).toEqual([
			[1, 0],
			[2, 1],
			[3, 2],
			[0, 3],
		]);
	});

	test('an axis has as many ticks as there is room for, at easy numbers', () => {
		expect([900, 60_000, 3_600_000, 40 * 86_400_000].map(spanMs => axisStep(spanMs, 10))).toEqual([100, 10_000, 600_000, 5 * 86_400_000]);
		expect(axisStep(1000 * 86_400_000, 10)).toBe(100 * 86_400_000);
		fc.assert(
			fc.property(fc.double({min: 1, max: 1e11, noNaN: true}), fc.integer({min: 1, max: 30}), (spanMs, maxTicks) => {
				expect(spanMs / axisStep(spanMs, maxTicks)).toBeLessThanOrEqual(maxTicks);
			}),
		);
		expect([axisLabel(500, 100), axisLabel(90_000, 30_000), axisLabel(150_000, 30_000), axisLabel(5_400_000, 600_000)]).toEqual([
			...['500 ms', '90 s', '2:30 min', '90 min'],
		]);
		expect([axisLabel(9_000_000, 1_800_000), axisLabel(9 * 3_600_000, 3_600_000), axisLabel(86_400_000, 86_400_000)]).toEqual([
			'2:30 h',
			'9 h',
			'1 d',
		]);
	});
});
