/** One table of what many runs of the model have written. */
import {existsSync, readFileSync} from 'node:fs';

/**
 * What the model was called with and what came out of it, by name; undefined unless all of its files are there, and whole.
 *
 * @type {(outputBase: string) => Record<string, string> | undefined}
 */
export const readRow = outputBase => {
	const texts = ['success.txt', 'params.csv', 'output.csv'].map(name => readText(`${outputBase}___${name}`));
	return texts.includes('') ? undefined : Object.fromEntries(texts.slice(1).flatMap(readPairs));
};

/** @type {(path: string) => string} */
const readText = path => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** @type {(text: string) => [name: string, value: string][]} */
const readPairs = text =>
	text
		.trim()
		.split('\n')
		.map(line => {
			const [name = '', value = ''] = line.split(',');
			return [name, value];
		});

/** @type {(rows: readonly Record<string, string | number>[]) => string} */
export const formatCsv = rows => [Object.keys(rows[0] ?? {}), ...rows.map(Object.values)].map(cells => `${cells.join(',')}\n`).join('');
