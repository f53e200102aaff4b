/** Shows the numbers of a map on stderr: a live line on a terminal, now and then a line elsewhere. */
import {formatDuration} from './format-duration.js';
import {liveBoard} from './live-lines.js';
import type {Progress} from './options.js';
import {formatCounts} from './task-counts.js';

export type ProgressDisplay = {
	/** @param elapsedMs - By any clock. */
	readonly show: (numbers: Progress, elapsedMs: number) => void;
	/** Shows the last numbers, unless it has. */
	readonly end: () => void;
};

/** A log stays small: a line no more often than this, unless a task has failed or the map has ended. */
const LINE_EVERY_MS = 5000;
/** A map of days has a line less often: after this part of its time. */
const LINE_SHARE = 0.02;
/** A failure of each of a million tasks is no reason for a million lines. */
const FAILURE_EVERY_MS = 1000;

export const createProgressDisplay = (stderr: Pick<NodeJS.WriteStream, 'write' | 'isTTY'> = process.stderr): ProgressDisplay =>
	stderr.isTTY === true ? createLiveDisplay() : createLineDisplay(stderr);

const createLiveDisplay = (): ProgressDisplay => {
	const line = liveBoard.add();
	// Without it nothing but the last line is shown.
	liveBoard.open().catch(() => undefined);
	return {
		show: numbers => line.set(`${formatBar(numbers)} ${formatProgress(numbers)}`),
		end: line.end,
	};
};

const createLineDisplay = (stderr: Pick<NodeJS.WriteStream, 'write'>): ProgressDisplay => {
	let written = {elapsedMs: Number.NEGATIVE_INFINITY, failed: 0, counts: ''};
	let begunMs: number | undefined;
	let last: Progress | undefined;
	const put = (numbers: Progress, elapsedMs: number): void => {
		// The rate alone is no news.
		const counts = formatProgress({...numbers, rate: undefined, remainingMs: undefined});
		if (counts === written.counts) return;
		stderr.write(`${formatProgress(numbers)}\n`);
		written = {elapsedMs, failed: numbers.failed, counts};
	};
	return {
		show: (numbers, elapsedMs) => {
			last = numbers;
			begunMs ??= elapsedMs;
			const lineEveryMs = Math.max(LINE_EVERY_MS, (elapsedMs - begunMs) * LINE_SHARE);
			const waitMs = numbers.failed > written.failed ? FAILURE_EVERY_MS : lineEveryMs;
			if (elapsedMs - written.elapsedMs >= waitMs) put(numbers, elapsedMs);
		},
		end: () => {
			if (last !== undefined) put(last, Number.NEGATIVE_INFINITY);
		},
	};
};

const BAR_WIDTH = 24;

const formatBar = ({total, done, failed}: Progress): string => {
	const filled = total === 0 ? 0 : Math.floor((BAR_WIDTH * (done + failed)) / total);
	return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
};

export const formatProgress = ({rate, remainingMs, ...counts}: Progress): string => {
	const pace = rate === undefined ? '' : `, ${formatRate(rate)}`;
	const left = remainingMs === undefined || remainingMs === 0 ? '' : `, ${formatDuration(remainingMs)} left`;
	return `${formatCounts(counts)}${pace}${left}`;
};

/** Of slow ones in an hour: people plan by that. */
const formatRate = (rate: number): string => {
	if (rate >= 1) return `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`;
	const perMinute = rate * 60;
	return perMinute >= 1 ? `${perMinute.toFixed(1)}/min` : `${(perMinute * 60).toFixed(1)}/h`;
};
