/** One table of what many runs of the model have written. */
import {existsSync, readFileSync} from 'node:fs';

/** What the model was called with and what came out of it, by name; undefined unless all of its files are there. */
/** @type {(outputBase: string) => Record<string, string> | undefined} */
export const readRow = outputBase => {
	const [params, output, success] = ['params.csv', 'output.csv', 'success.txt'].map(name => `${outputBase}___${name}`);
	if (params === undefined || output === undefined || success === undefined || ![params, output, success].every(existsSync))
		return undefined;
	return Object.fromEntries([params, output].flatMap(readPairs));
};

/** @type {(path: string) => [name: string, value: string][]} */
const readPairs = path =>
	readFileSync(path, 'utf8')
		.trim()
		.split('\n')
		.map(line => {
			const [name = '', value = ''] = line.split(',');
			return [name, value];
		});

/** @type {(rows: readonly Record<string, string | number>[]) => string} */
export const formatCsv = rows => [Object.keys(rows[0] ?? {}), ...rows.map(Object.values)].map(cells => `${cells.join(',')}\n`).join('');
