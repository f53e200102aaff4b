/** The phase diagram as characters, for a terminal. */
import {nearestIndex, shortNumber} from './diagram.js';
import {transitionRho} from './theory.js';

const SHADES = [' ', '░', '▒', '▓', '█'];
const CURVE = '·';

/** @type {(diagram: import('./diagram.js').Diagram) => string} */
export const drawCharacters = diagram => {
	const plot = drawPlot(diagram);
	const legend = drawLegend(diagram);
	const width = Math.max(...plot.map(line => line.length));
	const numLines = Math.max(plot.length, legend.length);
	return Array.from({length: numLines}, (_, i) => `${(plot[i] ?? '').padEnd(width)}  ${legend[i] ?? ''}`.trimEnd()).join('\n');
};

/** @type {(diagram: import('./diagram.js').Diagram) => string[]} */
const drawPlot = ({deltas, rhos, rates}) => {
	const rows = rhos.map((rho, irho) => {
		const cells = deltas.map((delta, idelta) => {
			const shade = shadeOf(rates[irho]?.[idelta] ?? 0);
			return shade + (nearestIndex(rhos, transitionRho(delta)) === irho ? CURVE : shade);
		});
		return `${isLabelled(rhos, irho) ? `${shortNumber(rho).padStart(5)} ┤` : '      │'}${cells.join('')}│`;
	});
	const ticks = deltas.map((_, idelta) => (isLabelled(deltas, idelta) ? '┬─' : '──'));
	let labels = '';
	for (const [idelta, delta] of deltas.entries()) {
		if (isLabelled(deltas, idelta)) labels = labels.padEnd(7 + 2 * idelta) + shortNumber(delta);
	}
	const frame = '──'.repeat(deltas.length);
	return [`  rho ┌${frame}┐`, ...rows.reverse(), `      └${ticks.join('')}┘`, labels, `${' '.repeat(6 + deltas.length - 1)}delta`];
};

/** @type {(rate: number) => string} */
const shadeOf = rate => {
	const level = rate === 0 ? 0 : rate === 1 ? 4 : 1 + Math.floor(rate * 3);
	return SHADES[level] ?? '?';
};

/**
 * Every so many points, so that numbers do not touch.
 *
 * @type {(values: readonly number[], index: number) => boolean}
 */
const isLabelled = (values, index) => index % Math.max(4, Math.round(values.length / 4)) === 0;

/** @type {(diagram: import('./diagram.js').Diagram) => string[]} */
const drawLegend = ({size, trials}) => [
	'',
	'recovered',
	...['none', 'less than 1/3', '1/3 to 2/3', 'more than 2/3', 'all']
		.map((share, level) => `${SHADES[level]?.repeat(2)} ${share}`)
		.reverse(),
	` ${CURVE} theory, N to infinity`,
	'',
	'delta = n / N',
	'rho   = k / n',
	'',
	`N = ${size} unknowns`,
	'n   measurements',
	'k   unknowns are not zero',
	'',
	`${trials} random problems`,
	'at each point',
];
