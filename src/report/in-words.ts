/** Numbers for people: of the advice and, in the browser, of the page. */

const UNITS: readonly (readonly [name: string, ms: number])[] = [
	['d', 86_400_000],
	['h', 3_600_000],
	['min', 60_000],
	['s', 1000],
	['ms', 1],
	['µs', 0.001],
];

/** Three digits and a unit: `12.3 s`, `4.50 min`, `250 ms`. */
export const msInWords = (ms: number): string => {
	if (ms === 0) return '0 s';
	// What would be rounded up to the next unit is told in that.
	const [name, unit] = UNITS.find(([, least]) => Math.abs(ms) >= 0.9995 * least) ?? (['µs', 0.001] as const);
	return `${threeDigits(ms / unit)} ${name}`;
};

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export const bytesInWords = (bytes: number): string => {
	let index = 0;
	let value = bytes;
	while (Math.abs(value) >= 999.5 && index < BYTE_UNITS.length - 1) {
		value /= 1024;
		index++;
	}
	return `${index === 0 ? Math.round(value) : threeDigits(value)} ${BYTE_UNITS[index]}`;
};

export const percentInWords = (share: number): string =>
	`${share > 0 && share < 0.0995 ? (100 * share).toPrecision(2) : Math.round(100 * share)} %`;

const threeDigits = (value: number): string => {
	const size = Math.abs(value);
	return size >= 99.95 ? String(Math.round(value)) : value.toFixed(size >= 9.995 ? 1 : 2).replace(/\.?0+$/, '');
};
