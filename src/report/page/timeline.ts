/** The timeline: a canvas that is zoomed and moved by keyboard, mouse and buttons. */
import type {JobRow, ReportData} from '../report-data.js';
import {countAtATime} from '../statistics.js';
import {describeJob} from './describe-job.js';
import {element} from './dom.js';
import {type Lanes, type Placed, placeByHost, placeByOrder} from './lanes.js';
import {type Area, draw, LANES_TOP_PX, type Picture, type View} from './timeline-draw.js';
import {createKeysText, createLegend} from './timeline-legend.js';

const MAX_HEIGHT_PX = 640;
const MIN_LANES_PX = 60;
const MAX_LANE_PX = 18;
const ZOOM = 1.5;
/** Of what is seen. */
const MOVE = 0.15;
const SHORTEST_SPAN_MS = 5;

export const createTimeline = (data: ReportData): HTMLElement => {
	const nowMs = Math.max(data.wallMs, 1);
	const endMs = data.jobs.reduce((most, {endedMs, beganMs}) => Math.max(most, endedMs ?? beganMs ?? 0), nowMs) * 1.005;
	const names = data.hosts.map(({name}) => name);
	const byHost = placeByHost(data.jobs, names, nowMs);
	const byOrder = placeByOrder(data.jobs);
	const running = countAtATime(
		data.jobs.flatMap(({beganMs, endedMs}) => (beganMs === null ? [] : [{fromMs: beganMs, toMs: endedMs ?? nowMs}])),
	);
	const waiting = countAtATime(
		data.jobs.flatMap(({submittedMs, beganMs, endedMs}) =>
			submittedMs === null ? [] : [{fromMs: submittedMs, toMs: beganMs ?? endedMs ?? nowMs}],
		),
	);
	let lanes: Lanes = byHost;
	let chosen: Placed | undefined;
	let area: Area = {widthPx: 0, heightPx: 0, leftPx: 0};
	const view: View = {fromMs: 0, toMs: endMs, scrollPx: 0, lanePx: MAX_LANE_PX};

	const canvas = element('canvas', {
		id: 'timeline-canvas',
		tabindex: '0',
		role: 'application',
		'aria-label': `Timeline of ${data.slots.numJobs} queue-jobs`,
		'aria-describedby': 'timeline-keys',
	});
	const tip = element('div', {class: 'tip', hidden: ''});
	const chosenText = element(
		'p',
		{class: 'chosen', role: 'status'},
		'Point at a queue-job, or go from one to the next by the keys N and P.',
	);

	const clamp = (): void => {
		const span = Math.min(Math.max(view.toMs - view.fromMs, SHORTEST_SPAN_MS), endMs);
		view.fromMs = Math.min(Math.max(0, view.fromMs), endMs - span);
		view.toMs = view.fromMs + span;
		view.lanePx = Math.min(Math.max(view.lanePx, fitLane(lanes.numLanes)), MAX_LANE_PX);
		const seenPx = area.heightPx - LANES_TOP_PX;
		view.scrollPx = Math.min(Math.max(0, view.scrollPx), Math.max(0, lanes.numLanes * view.lanePx - seenPx));
	};

	let isDue = false;
	const redraw = (): void => {
		if (isDue) return;
		isDue = true;
		requestAnimationFrame(() => {
			isDue = false;
			drawNow();
		});
	};
	const drawNow = (): void => {
		const widthPx = canvas.parentElement?.clientWidth ?? 0;
		if (widthPx === 0) return;
		const lanesPx = Math.min(Math.max(lanes.numLanes * view.lanePx, MIN_LANES_PX), MAX_HEIGHT_PX - LANES_TOP_PX);
		area = {widthPx, heightPx: LANES_TOP_PX + lanesPx, leftPx: lanes.bands.length > 0 ? Math.min(130, widthPx * 0.24) : 0};
		canvas.style.height = `${area.heightPx}px`;
		clamp();
		const picture: Picture = {lanes, running, waiting, nowMs, showsWaiting: lanes === byOrder, chosen};
		draw(canvas, area, view, picture);
	};

	const zoom = (factor: number, aroundMs = (view.fromMs + view.toMs) / 2): void => {
		view.fromMs = aroundMs - (aroundMs - view.fromMs) / factor;
		view.toMs = aroundMs + (view.toMs - aroundMs) / factor;
		clamp();
		redraw();
	};
	const move = (part: number): void => {
		const byMs = part * (view.toMs - view.fromMs);
		view.fromMs += byMs;
		view.toMs += byMs;
		clamp();
		redraw();
	};
	const scroll = (px: number): void => {
		view.scrollPx += px;
		clamp();
		redraw();
	};
	const stretch = (factor: number): void => {
		const before = view.lanePx;
		view.lanePx *= factor;
		clamp();
		view.scrollPx *= view.lanePx / before;
		clamp();
		redraw();
	};
	const showAll = (): void => {
		Object.assign(view, {fromMs: 0, toMs: endMs, scrollPx: 0, lanePx: fitLane(lanes.numLanes)});
		redraw();
	};
	const choose = (placed: Placed | undefined): void => {
		chosen = placed;
		chosenText.textContent = placed === undefined ? '' : describeJob(placed.job, data);
		redraw();
	};
	/** By time, for the eye goes along it. */
	const chooseNext = (by: 1 | -1): void => {
		const sorted = [...lanes.placed].sort((a, b) => startOf(a.job) - startOf(b.job) || a.lane - b.lane);
		const at = chosen === undefined ? -1 : sorted.indexOf(chosen);
		const next = sorted[at === -1 ? (by === 1 ? 0 : sorted.length - 1) : at + by];
		if (next === undefined) return;
		const start = startOf(next.job);
		const span = view.toMs - view.fromMs;
		if (start < view.fromMs || start > view.toMs) Object.assign(view, {fromMs: start - span / 2, toMs: start + span / 2});
		const topPx = next.lane * view.lanePx;
		const seenPx = area.heightPx - LANES_TOP_PX;
		if (topPx < view.scrollPx || topPx + view.lanePx > view.scrollPx + seenPx) view.scrollPx = topPx - seenPx / 2;
		clamp();
		choose(next);
	};

	const keys: Readonly<Record<string, () => void>> = {
		ArrowLeft: () => move(-MOVE),
		ArrowRight: () => move(MOVE),
		ArrowUp: () => scroll(-60),
		ArrowDown: () => scroll(60),
		'+': () => zoom(ZOOM),
		'=': () => zoom(ZOOM),
		'-': () => zoom(1 / ZOOM),
		'0': showAll,
		']': () => stretch(ZOOM),
		'[': () => stretch(1 / ZOOM),
		n: () => chooseNext(1),
		p: () => chooseNext(-1),
		Escape: () => {
			tip.hidden = true;
			choose(undefined);
		},
	};
	canvas.addEventListener('keydown', event => {
		const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
		if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
		event.preventDefault();
		action();
	});

	const msAt = (x: number): number => view.fromMs + ((x - area.leftPx) / (area.widthPx - area.leftPx)) * (view.toMs - view.fromMs);
	const jobAt = (x: number, y: number): Placed | undefined => {
		if (y < LANES_TOP_PX || x < area.leftPx) return undefined;
		const lane = (y - LANES_TOP_PX + view.scrollPx) / view.lanePx;
		const [slackMs, slackLanes] = [msAt(x + 2) - msAt(x), Math.max(0.5, 2 / view.lanePx)];
		let best: Placed | undefined;
		let least = slackLanes;
		for (const placed of lanes.placed) {
			const far = Math.abs(placed.lane + 0.5 - lane);
			const from = lanes === byOrder ? startOf(placed.job) : (placed.job.beganMs ?? 0);
			if (far <= least && msAt(x) >= from - slackMs && msAt(x) <= (placed.job.endedMs ?? nowMs) + slackMs) [best, least] = [placed, far];
		}
		return best;
	};
	let drag: {x: number; y: number} | undefined;
	canvas.addEventListener('pointerdown', ({offsetX, offsetY, pointerId}) => {
		canvas.setPointerCapture(pointerId);
		drag = {x: offsetX, y: offsetY};
		const under = jobAt(offsetX, offsetY);
		if (under !== undefined) choose(under);
	});
	for (const name of ['pointerup', 'pointercancel'] as const) {
		canvas.addEventListener(name, () => {
			drag = undefined;
			canvas.classList.remove('dragging');
		});
	}
	canvas.addEventListener('pointermove', ({offsetX: x, offsetY: y}) => {
		if (drag !== undefined) {
			canvas.classList.add('dragging');
			move((drag.x - x) / (area.widthPx - area.leftPx));
			scroll(drag.y - y);
			drag = {x, y};
			return;
		}
		const under = jobAt(x, y);
		tip.hidden = under === undefined;
		if (under === undefined) return;
		tip.textContent = describeJob(under.job, data);
		const isLeft = x > area.widthPx / 2;
		tip.style.left = isLeft ? 'auto' : `${x + 14}px`;
		tip.style.right = isLeft ? `${area.widthPx - x + 14}px` : 'auto';
		tip.style.top = `${y + 14}px`;
	});
	canvas.addEventListener('pointerleave', () => {
		tip.hidden = true;
	});
	canvas.addEventListener(
		'wheel',
		event => {
			// The plain wheel is the page's.
			if (event.ctrlKey || event.metaKey) zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, msAt(event.offsetX));
			else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) move((event.deltaX || event.deltaY) / area.widthPx);
			else return;
			event.preventDefault();
		},
		{passive: false},
	);

	const button = (label: string, name: string, action: () => void): HTMLElement => {
		const node = element('button', {type: 'button', 'aria-label': name, title: name}, label);
		node.addEventListener('click', action);
		return node;
	};
	const radio = (label: string, to: Lanes, isChecked: boolean): HTMLElement => {
		const input = element('input', {type: 'radio', name: 'lanes', ...(isChecked ? {checked: ''} : {})});
		input.addEventListener('change', () => {
			lanes = to;
			chosen = undefined;
			tip.hidden = true;
			showAll();
		});
		return element('label', {}, input, label);
	};
	const toolbar = element(
		'div',
		{class: 'toolbar'},
		element('fieldset', {}, element('legend', {}, 'Rows are'), radio('hosts', byHost, true), radio('queue-jobs', byOrder, false)),
		button('−', 'Zoom out', () => zoom(1 / ZOOM)),
		button('+', 'Zoom in', () => zoom(ZOOM)),
		button('←', 'Earlier', () => move(-MOVE)),
		button('→', 'Later', () => move(MOVE)),
		button('↑', 'Rows above', () => scroll(-60)),
		button('↓', 'Rows below', () => scroll(60)),
		button('↕', 'Taller rows', () => stretch(ZOOM)),
		button('All', 'Show all', showAll),
	);
	for (const query of ['(prefers-color-scheme: dark)', 'print']) window.matchMedia(query).addEventListener('change', drawNow);
	const stage = element('div', {class: 'stage'}, canvas, tip);
	new ResizeObserver(redraw).observe(stage);
	view.lanePx = fitLane(lanes.numLanes);
	return element('div', {}, toolbar, stage, createLegend(), createKeysText(), chosenText);
};

const startOf = ({submittedMs, beganMs}: JobRow): number => submittedMs ?? beganMs ?? 0;

/** All lanes at once, if they can be seen then. */
const fitLane = (numLanes: number): number => Math.min(MAX_LANE_PX, (MAX_HEIGHT_PX - LANES_TOP_PX) / Math.max(1, numLanes));
