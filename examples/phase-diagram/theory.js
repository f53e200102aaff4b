/**
 * Where basis pursuit stops to recover a sparse vector as the number of unknowns goes to infinity: the phase transition that Donoho and
 * Tanner found (2005, 2009), in the form that the analysis of approximate message passing gives (Donoho, Maleki and Montanari, 2009).
 * Both delta and rho on the curve are plain functions of one parameter z from 0 to infinity.
 */

/**
 * The largest rho that can be recovered at this delta.
 *
 * @type {(delta: number) => number}
 */
export const transitionRho = delta => {
	// Delta falls from 1 at z = 0 to below 1e-6 at z = 5.
	let low = 0;
	let high = 5;
	for (let i = 0; i < 50; i++) {
		const middle = (low + high) / 2;
		if (transitionPoint(middle).delta > delta) low = middle;
		else high = middle;
	}
	return transitionPoint(low).rho;
};

/** @type {(z: number) => {delta: number, rho: number}} */
const transitionPoint = z => {
	const rho = 1 - z * millsRatio(z);
	return {rho, delta: 2 / (z / normalDensity(z) + 2 * rho)};
};

/** @type {(z: number) => number} */
const normalDensity = z => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/**
 * The upper tail of the normal distribution over its density, by the series of Marsaglia (2004): exact to 12 digits up to z = 5.
 *
 * @type {(z: number) => number}
 */
const millsRatio = z => {
	let term = z;
	let sum = 0;
	for (let odd = 3; term > 1e-17 * sum; odd += 2) {
		sum += term;
		term *= (z * z) / odd;
	}
	return 0.5 / normalDensity(z) - sum;
};
