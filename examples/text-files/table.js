/** The reports as aligned text, for a terminal. */

/** @typedef {{path: string} & (import('./text-file.js').TextFileReport | {error: string})} Row */

/** Enough of a digest to tell the files of one directory apart by eye. */
const DIGEST_DIGITS = 12;

/** @type {(rows: readonly Row[]) => string} */
export const formatTable = rows => {
	const reports = rows.flatMap(row => ('error' in row ? [] : [row]));
	const numErrors = rows.length - reports.length;
	const cells = rows.map(row =>
		'error' in row
			? ['-', '-', '-', '-'.padEnd(DIGEST_DIGITS), `${printable(row.path)}  ${printable(row.error)}`]
			: [...[row.words, row.lines, row.gzipBytes].map(String), row.sha256.slice(0, DIGEST_DIGITS), printable(row.path)],
	);
	const totals = [
		total(reports.map(({words}) => words)),
		total(reports.map(({lines}) => lines)),
		total(reports.map(({gzipBytes}) => gzipBytes)),
	];
	const summary = `${reports.length} text ${reports.length === 1 ? 'file' : 'files'}${numErrors === 0 ? '' : `, and ${numErrors} that could not be read`}`;
	return align([
		['words', 'lines', 'gzip bytes', 'sha256'.padEnd(DIGEST_DIGITS), 'file'],
		...cells,
		[...totals.map(String), ' '.repeat(DIGEST_DIGITS), summary],
	]);
};

/** @type {(numbers: readonly number[]) => number} */
const total = numbers => numbers.reduce((sum, number) => sum + number, 0);

/**
 * A file's name may hold line feeds and codes that a terminal obeys.
 *
 * @type {(text: string) => string}
 */
const printable = text => text.replaceAll(/\p{Cc}/gu, '?');

/** @type {(table: readonly (readonly string[])[]) => string} */
const align = table => {
	const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map(row => row[column]?.length ?? 0)));
	return table
		.map(row => row.map((text, column) => (column === row.length - 1 ? text : text.padStart(widths[column] ?? 0))).join('  '))
		.join('\n');
};
