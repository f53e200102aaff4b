/** Square matrices, and files of them: the numbers row by row, 8 bytes each, nothing else. */
import {readFile, writeFile} from 'node:fs/promises';

/** @type {(path: string) => Promise<Float64Array>} */
export const readMatrix = async path => new Float64Array(new Uint8Array(await readFile(path)).buffer);

/** @type {(path: string, matrix: Float64Array) => Promise<void>} */
export const writeMatrix = (path, matrix) => writeFile(path, matrix);

/** @type {(a: Float64Array, b: Float64Array) => Float64Array} */
export const multiply = (a, b) => {
	const size = Math.sqrt(a.length);
	const product = new Float64Array(a.length);
	for (let row = 0; row < size; row++) {
		for (let k = 0; k < size; k++) {
			const factor = a[row * size + k] ?? 0;
			for (let column = 0; column < size; column++) {
				product[row * size + column] = (product[row * size + column] ?? 0) + factor * (b[k * size + column] ?? 0);
			}
		}
	}
	return product;
};

/** @type {(matrices: readonly Float64Array[]) => Float64Array} */
export const sumOf = ([first = new Float64Array(), ...others]) =>
	first.map((value, i) => others.reduce((sum, {[i]: more = 0}) => sum + more, value));

/**
 * The square root of the sum of all squares.
 *
 * @type {(matrix: Float64Array) => number}
 */
export const norm = matrix => Math.sqrt(matrix.reduce((sum, value) => sum + value * value, 0));
