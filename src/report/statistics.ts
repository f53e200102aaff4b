/** Quantiles, histograms and steps over plain numbers. Pure. */
import type {Durations} from './report-data.js';

/** Undefined for no numbers. @param part - From 0 to 1. */
export const quantile = (sorted: ArrayLike<number>, part: number): number | undefined =>
	sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];

export const medianOf = (numbers: readonly number[]): number | null =>
	quantile(
		numbers.toSorted((a, b) => a - b),
		0.5,
	) ?? null;

/** Not `Math.max(...)`: its arguments would be too many for the stack. */
export const maxOf = (numbers: readonly number[]): number | null =>
	numbers.reduce<number | null>((most, number) => (most === null || number > most ? number : most), null);

export const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

export const describeDurations = (elapsedMs: Float64Array): Durations => {
	const sorted = elapsedMs.toSorted();
	const count = sorted.length;
	return {
		count,
		minMs: sorted[0] ?? 0,
		medianMs: quantile(sorted, 0.5) ?? 0,
		p95Ms: quantile(sorted, 0.95) ?? 0,
		maxMs: sorted[count - 1] ?? 0,
		totalMs: sorted.reduce((sum, ms) => sum + ms, 0),
		bins: countBins(sorted),
	};
};

/** Steps that grow with the durations, which differ by orders of magnitude from map to map; limits that are easy to read. */
const countBins = (sorted: Float64Array): Durations['bins'] => {
	const bins: {fromMs: number; count: number}[] = [];
	let next = 0;
	let limitMs = limitOf(next);
	for (const ms of sorted) {
		while (limitMs <= ms) {
			const fromMs = limitMs;
			limitMs = limitOf(++next);
			// Empty ones between others are shown, too; none before the first.
			if (bins.length > 0 || limitMs > ms) bins.push({fromMs, count: 0});
		}
		(bins.at(-1) as {count: number}).count++;
	}
	return bins;
};

const STEPS = [1, 1.5, 2, 3, 5, 7] as const;
/** All that takes less than a hundredth of a millisecond is in the first bin. */
const FIRST_DECADE = -2;

const limitOf = (bin: number): number =>
	bin === 0 ? 0 : Number(`${STEPS[bin % STEPS.length]}e${FIRST_DECADE + Math.floor(bin / STEPS.length)}`);

export type Stretch = {readonly fromMs: number; readonly toMs: number};

/** How many of these stretches there are from `atMs` on, in order; the last one says 0. */
export const countAtATime = (stretches: readonly Stretch[]): readonly {readonly atMs: number; readonly count: number}[] => {
	const changes = stretches
		.filter(({fromMs, toMs}) => toMs > fromMs)
		.flatMap(({fromMs, toMs}) => [
			{atMs: fromMs, change: 1},
			{atMs: toMs, change: -1},
		])
		.sort((a, b) => a.atMs - b.atMs);
	const steps: {atMs: number; count: number}[] = [];
	let count = 0;
	for (const {atMs, change} of changes) {
		count += change;
		const last = steps.at(-1);
		if (last?.atMs === atMs) last.count = count;
		else steps.push({atMs, count});
	}
	return steps;
};
