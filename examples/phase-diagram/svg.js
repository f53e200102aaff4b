/** The phase diagram as an SVG file that follows the reader's light or dark scheme. */
import {positionOf, shortNumber} from './diagram.js';
import {transitionRho} from './theory.js';

/** The plot's square, in pixels. Cells have whole pixels, so that no seams show between them. */
const PLOT_SIZE = 504;
const LEFT = 84;
const TOP = 92;
const WIDTH = 720;
const HEIGHT = 676;
/** Viridis by Smith and van der Walt: equal steps look equal, also in grey and to the colour-blind. */
const COLOURS = ['#440154', '#482878', '#3e4989', '#31688e', '#26828e', '#1f9e89', '#35b779', '#6ece58', '#b5de2b', '#fde725'];
const CURVE_POINTS = 120;

const STYLE = `
	svg {font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif}
	.paper {fill: #ffffff} .ink {fill: #1f2328} .soft {fill: #59636e} .line {stroke: #59636e; fill: none}
	@media (prefers-color-scheme: dark) {
		.paper {fill: #0d1117} .ink {fill: #f0f6fc} .soft {fill: #9198a1} .line {stroke: #9198a1}
	}
`;

/** @type {(diagram: import('./diagram.js').Diagram) => string} */
export const drawSvg = diagram => {
	const scales = createScales(diagram);
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title">`,
		`<style>${STYLE}</style>`,
		`<rect class="paper" width="${WIDTH}" height="${HEIGHT}" rx="8"/>`,
		...drawTitle(diagram),
		...drawCells(diagram, scales),
		...drawCurve(diagram, scales),
		...drawAxes(scales),
		...drawColourBar(scales),
		'</svg>',
		'',
	].join('\n');
};

/**
 * @typedef {object} Scales
 * @property {number} cell - Width and height of a cell.
 * @property {(delta: number) => number} x
 * @property {(rho: number) => number} y
 * @property {number} right
 * @property {number} bottom
 */

/** @type {(diagram: import('./diagram.js').Diagram) => Scales} */
const createScales = ({deltas, rhos}) => {
	const cell = Math.max(1, Math.floor(PLOT_SIZE / deltas.length));
	const right = LEFT + cell * deltas.length;
	const bottom = TOP + cell * rhos.length;
	return {
		cell,
		right,
		bottom,
		x: delta => LEFT + cell * (positionOf(deltas, delta) + 0.5),
		y: rho => bottom - cell * (positionOf(rhos, rho) + 0.5),
	};
};

/** @type {(diagram: import('./diagram.js').Diagram) => string[]} */
const drawTitle = ({size, trials}) => [
	`<text id="title" class="ink" x="${LEFT}" y="40" font-size="20" font-weight="600">The phase diagram of compressed sensing</text>`,
	`<text class="soft" x="${LEFT}" y="66" font-size="14">How many of ${trials} random problems with N = ${size} unknowns basis pursuit solves</text>`,
];

/** @type {(diagram: import('./diagram.js').Diagram, scales: Scales) => string[]} */
const drawCells = ({deltas, rhos, rates, trials}, {cell, x, y}) => [
	'<g shape-rendering="crispEdges">',
	...rhos.flatMap((rho, irho) =>
		deltas.map((delta, idelta) => {
			const rate = rates[irho]?.[idelta] ?? 0;
			const place = `x="${round(x(delta) - cell / 2)}" y="${round(y(rho) - cell / 2)}" width="${cell}" height="${cell}"`;
			const note = `delta ${shortNumber(delta)}, rho ${shortNumber(rho)}: ${Math.round(rate * trials)} of ${trials}`;
			return `<rect ${place} fill="${colourOf(rate)}"><title>${note}</title></rect>`;
		}),
	),
	'</g>',
];

/**
 * A colour between the two of the scale that are nearest.
 *
 * @type {(rate: number) => string}
 */
export const colourOf = rate => {
	const position = rate * (COLOURS.length - 1);
	const index = Math.min(Math.floor(position), COLOURS.length - 2);
	const [from = [], to = []] = COLOURS.slice(index, index + 2).map(channels);
	const mixed = from.map((value, i) => Math.round(value + (position - index) * ((to[i] ?? value) - value)));
	return `#${mixed.map(value => value.toString(16).padStart(2, '0')).join('')}`;
};

/** @type {(colour: string) => number[]} */
const channels = colour => [1, 3, 5].map(start => Number.parseInt(colour.slice(start, start + 2), 16));

/** @type {(diagram: import('./diagram.js').Diagram, scales: Scales) => string[]} */
const drawCurve = ({deltas}, {x, y, right, bottom}) => {
	const [first = 0, second = 1] = deltas;
	const halfStep = (second - first) / 2;
	const last = (deltas.at(-1) ?? 1) + halfStep;
	const points = Array.from({length: CURVE_POINTS + 1}, (_, i) => {
		const delta = first - halfStep + ((last - first + halfStep) * i) / CURVE_POINTS;
		return `${round(x(delta))},${round(y(transitionRho(delta)))}`;
	});
	const path = `M${points.join('L')}`;
	return [
		`<clipPath id="plot"><rect x="${LEFT}" y="${TOP}" width="${right - LEFT}" height="${bottom - TOP}"/></clipPath>`,
		`<g clip-path="url(#plot)" fill="none" stroke-linejoin="round" stroke-linecap="round">`,
		`<path d="${path}" stroke="#000" stroke-opacity=".45" stroke-width="6"/>`,
		`<path d="${path}" stroke="#fff" stroke-width="2.5"/>`,
		'</g>',
	];
};

/** @type {(scales: Scales) => string[]} */
const drawAxes = ({x, y, right, bottom}) => {
	const ticks = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
	const middleX = (LEFT + right) / 2;
	const middleY = (TOP + bottom) / 2;
	return [
		`<path class="line" d="${ticks.map(tick => `M${round(x(tick))},${bottom}v6M${LEFT},${round(y(tick))}h-6`).join('')}"/>`,
		'<g class="soft" font-size="13">',
		...ticks.map(tick => `<text x="${round(x(tick))}" y="${bottom + 22}" text-anchor="middle">${tick}</text>`),
		...ticks.map(tick => `<text x="${LEFT - 11}" y="${round(y(tick) + 4.5)}" text-anchor="end">${tick}</text>`),
		'</g>',
		'<g class="ink" font-size="14" text-anchor="middle">',
		`<text x="${middleX}" y="${bottom + 50}">undersampling δ = n / N, measurements per unknown</text>`,
		`<text transform="translate(30 ${middleY}) rotate(-90)">sparsity ρ = k / n, nonzero unknowns per measurement</text>`,
		'</g>',
		// The upper left corner is always in the dark: few measurements, many unknowns.
		`<path d="M${LEFT + 20},${TOP + 30}h28" stroke="#fff" stroke-width="2.5" stroke-linecap="round"/>`,
		`<text x="${LEFT + 58}" y="${TOP + 35}" font-size="14" fill="#fff">theory for N → ∞</text>`,
	];
};

/** @type {(scales: Scales) => string[]} */
const drawColourBar = ({right, bottom}) => {
	const x = right + 28;
	const height = bottom - TOP;
	const stops = COLOURS.map((colour, i) => `<stop offset="${round(i / (COLOURS.length - 1))}" stop-color="${colour}"/>`);
	return [
		`<linearGradient id="scale" x1="0" y1="1" x2="0" y2="0">${stops.join('')}</linearGradient>`,
		`<rect x="${x}" y="${TOP}" width="18" height="${height}" fill="url(#scale)"/>`,
		'<g class="soft" font-size="13">',
		...[0, 0.25, 0.5, 0.75, 1].map(share => `<text x="${x + 27}" y="${round(bottom - share * (height - 10) - 1)}">${share * 100} %</text>`),
		'</g>',
	];
};

/** @type {(value: number) => number} */
const round = value => Number(value.toFixed(3));
