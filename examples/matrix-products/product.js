/** The mapped function: reads the two matrices of one index and writes their product. No two tasks write a file of one name. */
import path from 'node:path';
import {indexed} from 'queue-map-reduce';
import {multiply, readMatrix, writeMatrix} from './matrix.js';

/** @type {(task: {directory: string, i: number}) => Promise<void>} */
export const writeProduct = async ({directory, i}) => {
	const [a, b] = await Promise.all(['inputA.f64', 'inputB.f64'].map(name => readMatrix(indexed(path.join(directory, name), i))));
	await writeMatrix(indexed(path.join(directory, 'output.f64'), i), multiply(a ?? new Float64Array(), b ?? new Float64Array()));
};
