/** Small pictures: a bar cut into parts, and a histogram. Each has its numbers beside it as text. */
import {msInWords, percentInWords} from '../in-words.js';
import type {Durations} from '../report-data.js';
import {element, facts, svgElement, withSwatch} from './dom.js';

export type Part = {readonly label: string; readonly colour: string; readonly ms: number};

export const createStack = (caption: string, parts: readonly Part[]): HTMLElement => {
	const totalMs = parts.reduce((sum, {ms}) => sum + ms, 0);
	const bars = parts
		.filter(({ms}) => ms > 0)
		.map(({colour, ms}) => {
			const bar = withSwatch(element('span'), colour);
			bar.style.flexGrow = String(ms / totalMs);
			bar.style.flexBasis = '0';
			return bar;
		});
	const legend = element(
		'ul',
		{class: 'legend'},
		...parts.map(({label, colour, ms}) =>
			withSwatch(element('li', {}, `${label}: ${msInWords(ms)}${totalMs > 0 ? ` (${percentInWords(ms / totalMs)})` : ''}`), colour),
		),
	);
	return element(
		'figure',
		{},
		element('figcaption', {}, caption),
		element('div', {class: 'stack', 'aria-hidden': 'true'}, ...bars),
		legend,
	);
};

const WIDTH = 560;
const HEIGHT = 190;
const BASE = HEIGHT - 26;
const TOP = 20;

export const createHistogram = (caption: string, {bins, ...durations}: Durations): HTMLElement => {
	const most = Math.max(1, ...bins.map(({count}) => count));
	const step = WIDTH / Math.max(bins.length, 4);
	const isCrowded = bins.length > 9;
	const bars = bins.flatMap(({fromMs, count}, i) => {
		const height = (count / most) * (BASE - TOP);
		const middle = (i + 0.5) * step;
		return [
			svgElement('rect', {class: 'bar', x: i * step + 1.5, y: BASE - height, width: step - 3, height, rx: 2}),
			count === 0 || isCrowded
				? null
				: svgElement('text', {x: middle, y: BASE - height - 5, 'text-anchor': 'middle'}, count.toLocaleString('en')),
			// Its lower limit.
			isCrowded && i % 3 !== 0
				? null
				: svgElement('text', {x: i * step + 1.5, y: HEIGHT - 8, 'text-anchor': 'start'}, fromMs === 0 ? '0' : msInWords(fromMs)),
		];
	});
	const picture = svgElement(
		'svg',
		{
			viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
			role: 'img',
			'aria-label': `Histogram: ${bins.map(({fromMs, count}) => `${count} from ${msInWords(fromMs)}`).join(', ')}`,
		},
		svgElement('line', {class: 'axis', x1: 0, x2: WIDTH, y1: BASE, y2: BASE}),
		...bars,
	);
	const {count, minMs, medianMs, p95Ms, maxMs, totalMs} = durations;
	return element(
		'figure',
		{},
		element('figcaption', {}, caption),
		picture,
		facts([
			['shortest', msInWords(minMs)],
			['median', msInWords(medianMs)],
			['95 of 100 at most', msInWords(p95Ms)],
			['longest', msInWords(maxMs)],
			['together', `${msInWords(totalMs)} in ${count.toLocaleString('en')} tasks`],
		]),
	);
};
