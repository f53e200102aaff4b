import {XMLParser, XMLValidator} from 'fast-xml-parser';
import {describe, expect, test} from 'vitest';
import {drawCharacters} from '../../examples/phase-diagram/characters.js';
import {gridValues, nearestIndex} from '../../examples/phase-diagram/diagram.js';
import {colourOf, drawSvg} from '../../examples/phase-diagram/svg.js';

describe('the pictures', () => {
	const diagram = {
		deltas: gridValues(5),
		rhos: gridValues(3),
		rates: [
			[1, 1, 1, 1, 1],
			[0, 0.25, 0.5, 0.75, 1],
			[0, 0, 0, 0, 0.1],
		],
		size: 40,
		trials: 20,
	};

	test('characters: sparsity goes up, undersampling to the right, and a dot marks the theory', () => {
		expect(drawCharacters(diagram).split('\n')).toEqual([
			'  rho ┌──────────┐',
			'      │        ░·│   recovered',
			'      │  ░·▒·▓·██│   ██ all',
			' 0.05 ┤█·████████│   ▓▓ more than 2/3',
			'      └┬───────┬─┘   ▒▒ 1/3 to 2/3',
			'       0.05    0.95  ░░ less than 1/3',
			'          delta         none',
			'                      · theory, N to infinity',
			'',
			'                     delta = n / N',
			'                     rho   = k / n',
			'',
			'                     N = 40 unknowns',
			'                     n   measurements',
			'                     k   unknowns are not zero',
			'',
			'                     20 random problems',
			'                     at each point',
		]);
	});

	test('the SVG is well-formed and has one cell for each point, in its place and colour', () => {
		const svg = drawSvg(diagram);
		expect(XMLValidator.validate(svg)).toBe(true);
		const cells = [...svg.matchAll(/<rect x="(.+?)" y="(.+?)" width="100" height="100" fill="(.+?)"><title>(.+?)<\/title>/g)];
		expect(cells).toHaveLength(15);
		expect(cells.find(([, , , , note]) => note === 'delta 0.275, rho 0.5: 5 of 20')?.slice(1, 4)).toEqual(['184', '192', colourOf(0.25)]);
		const {svg: root} = new XMLParser().parse(svg);
		expect(root.text).toContain('The phase diagram of compressed sensing');
	});

	test('colours go from the dark to the light end of the scale', () => {
		expect([colourOf(0), colourOf(1 / 18), colourOf(1 / 9), colourOf(1)]).toEqual(['#440154', '#461566', '#482878', '#fde725']);
	});

	test('a value outside of the grid is nearest to none of its points', () => {
		const values = gridValues(3);
		expect([-0.4, 0.05, 0.27, 0.28, 0.95, 1.2, 1.5].map(value => nearestIndex(values, value))).toEqual([-1, 0, 0, 1, 2, -1, -1]);
	});
});
