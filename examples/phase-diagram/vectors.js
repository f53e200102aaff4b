/** The three operations on vectors that the solver spends its time in. */

/**
 * An element that is known to exist.
 *
 * @type {(vector: Float64Array, index: number) => number}
 */
export const at = (vector, index) => /** @type {number} */ (vector[index]);

/**
 * The inner product of the first elements of two vectors.
 *
 * @type {(left: Float64Array, right: Float64Array, length?: number) => number}
 */
export const dot = (left, right, length = left.length) => {
	// Four sums side by side: a processor would spend most of one sum waiting for the addition before.
	let a = 0;
	let b = 0;
	let c = 0;
	let d = 0;
	let i = 0;
	for (; i + 3 < length; i += 4) {
		a += at(left, i) * at(right, i);
		b += at(left, i + 1) * at(right, i + 1);
		c += at(left, i + 2) * at(right, i + 2);
		d += at(left, i + 3) * at(right, i + 3);
	}
	for (; i < length; i++) a += at(left, i) * at(right, i);
	return a + b + (c + d);
};

/**
 * Adds `factor * vector` to `target`, in place, for the first elements.
 *
 * @type {(target: Float64Array, factor: number, vector: Float64Array, length?: number) => void}
 */
export const addScaled = (target, factor, vector, length = target.length) => {
	for (let i = 0; i < length; i++) target[i] = at(target, i) + factor * at(vector, i);
};
