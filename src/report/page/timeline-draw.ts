/** Draws the timeline on its canvas: how many queue-jobs ran and waited, an axis, and the lanes. */
import type {JobRow} from '../report-data.js';
import {axisLabel, axisStep, type Lanes, type Placed} from './lanes.js';

/** What is to be seen of it. */
export type View = {
	fromMs: number;
	toMs: number;
	/** Pixels of lanes that are above what is seen. */
	scrollPx: number;
	lanePx: number;
};

export type Step = {readonly atMs: number; readonly count: number};

export type Picture = {
	readonly lanes: Lanes;
	readonly running: readonly Step[];
	readonly waiting: readonly Step[];
	/** Until when what has not ended is drawn. */
	readonly nowMs: number;
	readonly showsWaiting: boolean;
	readonly chosen: Placed | undefined;
};

/** In CSS pixels. */
export type Area = {readonly widthPx: number; readonly heightPx: number; readonly leftPx: number};

export const STRIP_PX = 46;
const STRIP_GAP_PX = 18;
/** Where the lanes begin. */
export const LANES_TOP_PX: number = 2 * (STRIP_PX + STRIP_GAP_PX) + 26;
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

type Colours = (name: string) => string;

export const draw = (canvas: HTMLCanvasElement, area: Area, view: View, picture: Picture): void => {
	const context = canvas.getContext('2d');
	if (context === null) return;
	const style = getComputedStyle(canvas);
	const colours: Colours = name => style.getPropertyValue(`--${name}`).trim();
	const ratio = window.devicePixelRatio;
	canvas.width = Math.round(area.widthPx * ratio);
	canvas.height = Math.round(area.heightPx * ratio);
	context.setTransform(ratio, 0, 0, ratio, 0, 0);
	context.font = FONT;
	context.fillStyle = colours('surface');
	context.fillRect(0, 0, area.widthPx, area.heightPx);
	const xOf = (ms: number): number => area.leftPx + ((ms - view.fromMs) / (view.toMs - view.fromMs)) * (area.widthPx - area.leftPx);
	drawStrip(context, area, 0, picture.running, 'running', colours('computing'), colours, xOf);
	drawStrip(context, area, STRIP_PX + STRIP_GAP_PX, picture.waiting, 'waiting', colours('waiting'), colours, xOf);
	drawBands(context, area, view, picture.lanes, colours);
	drawAxis(context, area, view, colours, xOf);
	context.save();
	context.beginPath();
	context.rect(area.leftPx, LANES_TOP_PX, area.widthPx - area.leftPx, area.heightPx - LANES_TOP_PX);
	context.clip();
	drawJobs(context, area, view, picture, colours, xOf);
	context.restore();
};

type Draw = CanvasRenderingContext2D;

const drawStrip = (
	context: Draw,
	{widthPx, leftPx}: Area,
	topPx: number,
	steps: readonly Step[],
	label: string,
	colour: string,
	colours: Colours,
	xOf: (ms: number) => number,
): void => {
	const most = steps.reduce((max, {count}) => Math.max(max, count), 0);
	const base = topPx + STRIP_GAP_PX + STRIP_PX;
	const yOf = (count: number): number => base - (most === 0 ? 0 : (count / most) * STRIP_PX);
	context.save();
	context.beginPath();
	context.rect(leftPx, topPx, widthPx - leftPx, STRIP_PX + STRIP_GAP_PX + 1);
	context.clip();
	context.beginPath();
	context.moveTo(leftPx, base);
	let before = 0;
	for (const {atMs, count} of steps) {
		const x = Math.min(Math.max(xOf(atMs), leftPx), widthPx);
		context.lineTo(x, yOf(before));
		context.lineTo(x, yOf(count));
		before = count;
	}
	context.lineTo(widthPx, yOf(before));
	context.lineTo(widthPx, base);
	context.fillStyle = colour;
	context.globalAlpha = 0.8;
	context.fill();
	context.restore();
	context.fillStyle = colours('line');
	context.fillRect(leftPx, base, widthPx - leftPx, 1);
	context.fillStyle = colours('muted');
	context.textBaseline = 'middle';
	context.textAlign = 'left';
	context.fillText(`${label}, at most ${most.toLocaleString('en')}`, leftPx + 2, topPx + STRIP_GAP_PX / 2 + 1);
};

const drawBands = (context: Draw, {widthPx, heightPx, leftPx}: Area, {scrollPx, lanePx}: View, {bands}: Lanes, colours: Colours): void => {
	context.textAlign = 'left';
	context.textBaseline = 'middle';
	let freeFromPx = LANES_TOP_PX - 4;
	for (const [i, {label, firstLane, numLanes}] of bands.entries()) {
		const top = LANES_TOP_PX + firstLane * lanePx - scrollPx;
		const bottom = top + numLanes * lanePx;
		if (bottom < LANES_TOP_PX || top > heightPx) continue;
		const shownTop = Math.max(top, LANES_TOP_PX);
		if (i % 2 === 0) {
			context.fillStyle = colours('band');
			context.fillRect(0, shownTop, widthPx, Math.min(bottom, heightPx) - shownTop);
		}
		const middle = (shownTop + Math.min(bottom, heightPx)) / 2;
		// Where there are more hosts than lines of text some have no name: the table of hosts has them all.
		if (middle - 6 < freeFromPx || middle + 6 > heightPx) continue;
		freeFromPx = middle + 8;
		context.fillStyle = colours('text');
		context.fillText(shorten(context, label, leftPx - 10), 4, middle);
	}
};

const shorten = (context: Draw, text: string, widthPx: number): string => {
	if (context.measureText(text).width <= widthPx) return text;
	let length = Math.min(text.length, 60);
	while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > widthPx) length--;
	return `${text.slice(0, length)}…`;
};

const LEAST_TICK_PX = 76;

const drawAxis = (context: Draw, area: Area, view: View, colours: Colours, xOf: (ms: number) => number): void => {
	const {widthPx, heightPx, leftPx} = area;
	const step = axisStep(view.toMs - view.fromMs, (widthPx - leftPx) / LEAST_TICK_PX);
	context.textBaseline = 'middle';
	for (let ms = Math.ceil(view.fromMs / step) * step; ms <= view.toMs; ms += step) {
		const x = xOf(ms);
		context.fillStyle = colours('line');
		context.fillRect(Math.round(x), LANES_TOP_PX - 6, 1, heightPx - LANES_TOP_PX + 6);
		context.fillStyle = colours('muted');
		const label = axisLabel(ms, step);
		const half = context.measureText(label).width / 2;
		context.textAlign = 'left';
		context.fillText(label, Math.min(Math.max(x - half, leftPx), widthPx - 2 * half - 2), LANES_TOP_PX - 13);
	}
};

const COLOURS: Readonly<Record<JobRow['state'], string>> = {
	done: 'computing',
	running: 'running',
	waiting: 'waiting',
	cancelled: 'cancelled',
	failed: 'failed',
};

const MARK_PX = 4;

/** What is rare or bad is drawn last, so that it is not covered. */
const ORDER: readonly JobRow['state'][] = ['waiting', 'done', 'running', 'cancelled', 'failed'];

const drawJobs = (context: Draw, area: Area, view: View, picture: Picture, colours: Colours, xOf: (ms: number) => number): void => {
	const {lanePx, scrollPx, fromMs, toMs} = view;
	const {placed} = picture.lanes;
	const gap = lanePx >= 5 ? 1.5 : lanePx >= 3 ? 0.5 : 0;
	const topOf = (lane: number): number => LANES_TOP_PX + lane * lanePx - scrollPx;
	const fill = (lane: number, from: number, to: number, part: number): void => {
		if (to < fromMs || from > toMs) return;
		const top = topOf(lane);
		if (top + lanePx < LANES_TOP_PX || top > area.heightPx) return;
		const [x0, x1] = [Math.max(xOf(from), area.leftPx - 2), Math.min(xOf(to), area.widthPx + 2)];
		const height = Math.max(1, (lanePx - 2 * gap) * part);
		// Where a bar begins next to another they stay apart.
		// On whole pixels: where rows are thinner than these, colours would be mixed to others that mean nothing.
		const y0 = Math.round(top + (lanePx - height) / 2);
		const y1 = Math.round(top + (lanePx + height) / 2);
		context.fillRect(x0, y0, Math.max(1, x1 - x0 - (x1 - x0 > 4 ? 0.75 : 0)), Math.max(1, y1 - y0));
	};
	if (picture.showsWaiting) {
		context.fillStyle = colours('waiting');
		for (const {job, lane} of placed) {
			if (job.submittedMs !== null) fill(lane, job.submittedMs, job.beganMs ?? job.endedMs ?? picture.nowMs, 0.3);
		}
	}
	for (const state of ORDER) {
		context.fillStyle = colours(COLOURS[state]);
		for (const {job, lane} of placed) {
			if (job.state !== state) continue;
			if (job.beganMs !== null) fill(lane, job.beganMs, job.endedMs ?? picture.nowMs, 1);
			// Its end is all that is known of it.
			else if (picture.showsWaiting && state === 'failed' && job.endedMs !== null) fill(lane, job.endedMs, job.endedMs, 1);
		}
	}
	// Their results are there, but some tasks of theirs have failed: that is marked at the end.
	context.fillStyle = colours('failed');
	const markMs = (MARK_PX / (area.widthPx - area.leftPx)) * (toMs - fromMs);
	for (const {job, lane} of placed) {
		if (job.state !== 'done' || job.numFailed === 0 || job.beganMs === null) continue;
		const endedMs = job.endedMs ?? picture.nowMs;
		fill(lane, Math.max(job.beganMs, endedMs - markMs), endedMs, 1);
	}
	if (picture.chosen !== undefined) {
		const {job, lane} = picture.chosen;
		const [x0, x1] = [xOf(job.beganMs ?? job.submittedMs ?? 0), xOf(job.endedMs ?? picture.nowMs)];
		context.strokeStyle = colours('text');
		context.lineWidth = 2;
		context.strokeRect(x0 - 2, topOf(lane) - 1.5, Math.max(4, x1 - x0 + 4), Math.max(4, lanePx + 3));
	}
};
