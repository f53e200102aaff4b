/** What the colours of the timeline mean, and its keys. */
import {element, withSwatch} from './dom.js';

export const createLegend = (): HTMLElement =>
	element(
		'ul',
		{class: 'legend', 'aria-label': 'Colours'},
		...(
			[
				['done', 'computing'],
				['running', 'running'],
				['lost; at the end of a bar: some of its tasks failed', 'failed'],
				['removed', 'cancelled'],
			] as const
		).map(([label, colour]) => withSwatch(element('li', {}, label), colour)),
		withSwatch(element('li', {class: 'thin'}, 'waiting (when rows are queue-jobs)'), 'waiting'),
	);

export const createKeysText = (): HTMLElement => {
	const key = (name: string): HTMLElement => element('kbd', {}, name);
	return element(
		'p',
		{id: 'timeline-keys', class: 'muted small keys'},
		...[
			'Keys, when the timeline has the focus: ',
			key('←'),
			' ',
			key('→'),
			' move, ',
			key('↑'),
			' ',
			key('↓'),
			' scroll, ',
			key('+'),
			' ',
			key('-'),
		],
		...[
			' zoom, ',
			key('['),
			' ',
			key(']'),
			' height of rows, ',
			key('0'),
			' all, ',
			key('N'),
			' ',
			key('P'),
			' next and previous queue-job. ',
		],
		'By mouse: drag, and Ctrl with the wheel. All of it is in the table of queue-jobs, too.',
	);
};
