/** @type {(values: readonly number[]) => number} */
export const median = values => {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length / 2;
	return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
};

/** Three digits that mean something. @type {(value: number) => string} */
export const format = value => {
	if (!Number.isFinite(value)) return '–';
	const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))));
	return value.toFixed(Math.min(digits, 3));
};

/** The smallest and the largest. @type {(values: readonly number[]) => string} */
export const formatSpread = values => (values.length < 2 ? '' : `${format(Math.min(...values))}–${format(Math.max(...values))}`);
