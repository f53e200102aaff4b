/** The phase diagram as characters and as SVG. */
import {transitionRho} from './theory.js';

/**
 * @typedef {object} Diagram
 * @property {readonly number[]} deltas - In even steps.
 * @property {readonly number[]} rhos - In even steps.
 * @property {(irho: number, idelta: number) => number} rate - The success rate at a point.
 * @property {number} size - Unknowns per problem.
 * @property {number} trials - Problems per point.
 */

const SHADES = ['  ', '░░', '▒▒', '▓▓', '██'];

/** @type {(diagram: Diagram) => string} */
export const drawCharacters = ({deltas, rhos, rate, size, trials}) => {
	const margin = ' '.repeat(9);
	const frame = '─'.repeat(deltas.length * 2);
	const rows = rhos.map((rho, irho) => {
		const label = isLabelled(irho, rhos) ? `${shortNumber(rho).padStart(6)} ┤` : `${' '.repeat(6)} │`;
		const cells = deltas.map((delta, idelta) => cell(rate(irho, idelta), isOnCurve(rhos, irho, delta)));
		return `${label}${cells.join('')}│`;
	});
	const ticks = deltas.map((_, idelta) => (isLabelled(idelta, deltas) ? '┬─' : '──')).join('');
	const labels = deltas.map((delta, idelta) => ({text: isLabelled(idelta, deltas) ? shortNumber(delta) : '', at: 2 * idelta}));
	return [
		`${margin}Share of ${trials} random problems with N = ${size} unknowns that basis pursuit recovers`,
		'',
		`  rho    ┌${frame}┐`.replace('  rho    ', '   rho ').replace('┌', '┌'),
		...rows.reverse(),
		`${' '.repeat(7)}└${ticks}┘`,
		`${' '.repeat(8)}${labels.reduce((line, {text, at}) => (text === '' ? line : line.padEnd(at) + text), '')}  delta`,
	].join('\n');
};
