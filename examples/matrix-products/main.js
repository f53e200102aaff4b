/** Three steps: writes pairs of random matrices, multiplies each pair in a task of its own, and sums the products up. Then checks the sum. */
import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import {parseArgs} from 'node:util';
import {grid, indexed, Pool, randomStream} from 'queue-map-reduce';
import {multiply, norm, readMatrix, sumOf, writeMatrix} from './matrix.js';
import {writeProduct} from './product.js';

const {values} = parseArgs({
	options: {
		count: {type: 'string', default: '5'},
		size: {type: 'string', default: '100'},
		directory: {type: 'string', default: 'matrices'},
	},
});
const directory = path.resolve(values.directory);
const indices = Array.from({length: Number(values.count)}, (_, i) => i);

/** @type {(name: string, i: number) => string} */
const fileOf = (name, i) => indexed(path.join(directory, name), i);

await mkdir(directory, {recursive: true});
for (const i of indices) {
	for (const name of ['inputA.f64', 'inputB.f64']) {
		await writeMatrix(fileOf(name, i), new Float64Array(Number(values.size) ** 2).map(randomStream(`${name} ${i}`)));
	}
}

await new Pool({message: `${values.count} matrix products`}).map(writeProduct, grid({directory: [directory], i: indices}));

const products = await Promise.all(indices.map(i => readMatrix(fileOf('output.f64', i))));
const checks = await Promise.all(
	indices.map(async i => multiply(await readMatrix(fileOf('inputA.f64', i)), await readMatrix(fileOf('inputB.f64', i)))),
);
console.log(`2-norm of the sum of ${values.count} products`);
console.log(`by tasks   ${norm(sumOf(products)).toFixed(6)}`);
console.log(`serially   ${norm(sumOf(checks)).toFixed(6)}`);
