/**
 * A program that knows nothing of tasks and queues; it could be in any language. It takes its parameters as flags, and all files that it writes begin
 * with `--output_base`:
 *
 *   node model.js --growth=3.7 --start=0.2 --generations=1000 --output_base=results/one
 *
 * A population grows and runs short of food: x becomes growth * x * (1 - x) with each generation. The last file, BASE___success.txt, tells that the others are whole.
 */
import {appendFileSync, writeFileSync} from 'node:fs';
import {parseArgs} from 'node:util';

const {
	growth = '',
	start = '',
	generations = '',
	output_base: base = '',
} = parseArgs({
	options: {growth: {type: 'string'}, start: {type: 'string'}, generations: {type: 'string'}, output_base: {type: 'string'}},
}).values;

/** @type {(name: string, rows: object) => void} */
const write = (name, rows) => {
	const lines = Object.entries(rows).map(([key, value]) => `${key},${value}\n`);
	writeFileSync(`${base}___${name}.csv`, lines.join(''));
};
/** @type {(line: string) => void} */
const log = line => appendFileSync(`${base}___log.txt`, `${line}\n`);

write('params', {growth, start, generations});
log('begun');
let x = Number(start);
let total = 0;
let largest = 0;
for (let generation = 1; generation <= Number(generations); generation++) {
	x = Number(growth) * x * (1 - x);
	if (x < 0) {
		log(`generation ${generation}: ${x}`);
		throw new Error(`The population has died out in generation ${generation}`);
	}
	total += x;
	largest = Math.max(largest, x);
}
write('output', {mean: (total / Number(generations)).toFixed(6), largest: largest.toFixed(6)});
log('done');
writeFileSync(`${base}___success.txt`, 'SUCCESS\n');
