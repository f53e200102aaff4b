/**
 * The columns of a matrix that are in use, with the Cholesky factor L of their inner products: L L' = A' A.
 * A column comes or goes in time proportional to the square of their number, without factorising anew.
 */
import {addScaled, at, dot} from './vectors.js';

/** A column counts as a combination of the others when what is left of it beyond them is shorter than the root of this. */
const MIN_PIVOT = 1e-12;

/**
 * @typedef {object} Support
 * @property {readonly number[]} indices - Which columns, in the order in which they came.
 * @property {(index: number) => boolean} add - False, and nothing is done, for a column that is a combination of those in use.
 * @property {(position: number) => void} remove - Takes out the column at this position of `indices`.
 * @property {(right: Float64Array) => Float64Array} solve - The x with (A' A) x = `right`.
 * @property {(weights: Float64Array) => Float64Array} combine - The sum of the columns in use, each times its weight.
 */

/** @type {(columns: readonly Float64Array[]) => Support} */
export const createSupport = columns => {
	/** @type {number[]} */
	const indices = [];
	/** @type {Float64Array[]} */
	const used = [];
	/** @type {Float64Array[]} The rows of L. */
	const rows = [];

	return {
		indices,
		add: index => {
			const column = /** @type {Float64Array} */ (columns[index]);
			const row = new Float64Array(used.length + 1);
			for (const [i, other] of used.entries()) row[i] = dot(other, column);
			solveLower(rows, row);
			const pivot = dot(column, column) - dot(row, row, used.length);
			if (pivot < MIN_PIVOT) return false;
			row[used.length] = Math.sqrt(pivot);
			indices.push(index);
			used.push(column);
			rows.push(row);
			return true;
		},
		remove: position => {
			indices.splice(position, 1);
			used.splice(position, 1);
			rows.splice(position, 1);
			restoreTriangle(rows, position);
		},
		solve: right => {
			const solution = right.slice();
			solveLower(rows, solution);
			solveUpper(rows, solution);
			return solution;
		},
		combine: weights => {
			const sum = new Float64Array(columns[0]?.length ?? 0);
			for (const [i, column] of used.entries()) addScaled(sum, at(weights, i), column);
			return sum;
		},
	};
};

/**
 * Replaces `right` by the x with L x = `right`.
 *
 * @type {(rows: readonly Float64Array[], right: Float64Array) => void}
 */
const solveLower = (rows, right) => {
	for (const [i, row] of rows.entries()) right[i] = (at(right, i) - dot(row, right, i)) / at(row, i);
};

/**
 * Replaces `right` by the x with L' x = `right`. The columns of L' are the rows of L.
 *
 * @type {(rows: readonly Float64Array[], right: Float64Array) => void}
 */
const solveUpper = (rows, right) => {
	for (const [i, row] of [...rows.entries()].reverse()) {
		const value = at(right, i) / at(row, i);
		right[i] = value;
		addScaled(right, -value, row, i);
	}
};

/**
 * Below the place of the row that was taken out every row is one too long. Givens rotations of neighbouring columns, which leave L L'
 * as it is, bring the last element of each to zero.
 *
 * @type {(rows: Float64Array[], first: number) => void}
 */
const restoreTriangle = (rows, first) => {
	for (const [i, row] of rows.entries()) {
		if (i < first) continue;
		const length = Math.hypot(at(row, i), at(row, i + 1));
		const cosine = at(row, i) / length;
		const sine = at(row, i + 1) / length;
		for (const below of rows.slice(i)) {
			const left = at(below, i);
			const right = at(below, i + 1);
			below[i] = cosine * left + sine * right;
			below[i + 1] = cosine * right - sine * left;
		}
		rows[i] = row.slice(0, i + 1);
	}
};
