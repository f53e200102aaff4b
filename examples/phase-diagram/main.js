/**
 * The phase diagram of compressed sensing: at which undersampling and sparsity does basis pursuit recover a sparse vector?
 * Every point of the grid is one task. The program is the same on a laptop and on a cluster.
 */
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {grid, Pool} from 'queue-map-reduce';
import {drawCharacters} from './characters.js';
import {gridValues} from './diagram.js';
import {measureRecovery} from './recovery.js';
import {drawSvg} from './svg.js';

const HELP = `Usage: node main.js [--grid COUNT] [--size COUNT] [--trials COUNT] [--seed TEXT] [--out FILE]

Computes the phase diagram of compressed sensing, prints it and writes it as an SVG file.

  --grid COUNT    points along each axis (21)
  --size COUNT    unknowns of each random problem (120)
  --trials COUNT  random problems at each point (20)
  --seed TEXT     other random problems for another text (1)
  --out FILE      where to write the picture (phase-diagram.svg)
  --help          print this text`;

const main = async () => {
	const settings = readSettings();
	if (settings.kind !== 'run') {
		console[settings.kind === 'help' ? 'log' : 'error'](settings.text);
		process.exitCode = settings.kind === 'help' ? 0 : 2;
		return;
	}
	const {grid: numValues, size, trials, seed, out} = settings;
	const startedAt = performance.now();
	const deltas = gridValues(numValues);
	const rhos = gridValues(numValues);
	// Row by row: a chunk of consecutive tasks then has small problems (few measurements) as well as large ones.
	const tasks = grid({rho: rhos, delta: deltas, size: [size], trials: [trials]});

	const pool = new Pool({progress: true, message: `phase diagram, ${numValues} x ${numValues} points`, seed});
	const recoveries = await pool.map(measureRecovery, tasks);

	const rates = rhos.map((_, irho) => recoveries.slice(irho * numValues, (irho + 1) * numValues).map(({successRate}) => successRate));
	const diagram = {deltas, rhos, rates, size, trials};
	console.log(drawCharacters(diagram));
	await writeFile(out, drawSvg(diagram));
	const elapsedSeconds = (performance.now() - startedAt) / 1000;
	console.log(`\n${tasks.length} points, ${tasks.length * trials} problems in ${elapsedSeconds.toFixed(1)} s. The picture: ${out}`);
};

/** @returns {{kind: 'run', grid: number, size: number, trials: number, seed: string, out: string} | {kind: 'help' | 'misuse', text: string}} */
const readSettings = () => {
	try {
		const {values} = parseArgs({
			options: {
				grid: {type: 'string', default: '21'},
				size: {type: 'string', default: '120'},
				trials: {type: 'string', default: '20'},
				seed: {type: 'string', default: '1'},
				out: {type: 'string', default: 'phase-diagram.svg'},
				help: {type: 'boolean', default: false},
			},
		});
		if (values.help) return {kind: 'help', text: HELP};
		return {
			kind: 'run',
			grid: countFrom('grid', values.grid, 2),
			size: countFrom('size', values.size, 2),
			trials: countFrom('trials', values.trials, 1),
			seed: values.seed,
			out: path.resolve(values.out),
		};
	} catch (error) {
		return {kind: 'misuse', text: `${error instanceof Error ? error.message : error}\n\n${HELP}`};
	}
};

/** @type {(name: string, text: string, least: number) => number} */
const countFrom = (name, text, least) => {
	const count = Number(text);
	if (!Number.isSafeInteger(count) || count < least) {
		throw new RangeError(`Expected --${name} to be a whole number, ${least} or more, got ${text}`);
	}
	return count;
};

await main();
