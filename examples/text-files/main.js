/** Reports words, lines, compressed size and digest of every text file below a directory. Every file is one task. */
import {statSync} from 'node:fs';
import {parseArgs} from 'node:util';
import {Pool} from 'queue-map-reduce';
import {listTextFiles} from './list-text-files.js';
import {formatTable} from './table.js';
import {reportTextFile} from './text-file.js';

const HELP = `Usage: node main.js DIRECTORY [--json]

Reports every text file below DIRECTORY: its words, its lines, its size when compressed by gzip, and its SHA-256 digest.
A file is text when its first 8 KiB are UTF-8 without a NUL byte. Symbolic links, .git, node_modules and .qmr are left out.
The exit code is 1 when a file could not be read.

  --json  print everything as JSON, with the whole digests
  --help  print this text`;

const main = async () => {
	const settings = readSettings();
	if (settings.kind !== 'run') {
		console[settings.kind === 'help' ? 'log' : 'error'](settings.text);
		process.exitCode = settings.kind === 'help' ? 0 : 2;
		return;
	}
	/** @type {string[]} */
	const paths = [];
	const pool = new Pool({message: `text files below ${settings.directory}`});
	const outcomes = await pool.mapSettled(reportTextFile, noting(paths, listTextFiles(settings.directory)));

	const rows = outcomes.map((outcome, itask) => {
		const path = paths[itask] ?? '';
		if (outcome.status === 'fulfilled') return {path, ...outcome.value};
		return {path, error: outcome.reason.remote?.message ?? outcome.reason.message};
	});
	console.log(settings.json ? JSON.stringify(rows, undefined, '\t') : formatTable(rows));
	if (rows.some(row => 'error' in row)) process.exitCode = 1;
};

/** @returns {{kind: 'run', directory: string, json: boolean} | {kind: 'help' | 'misuse', text: string}} */
const readSettings = () => {
	try {
		const {values, positionals} = parseArgs({
			allowPositionals: true,
			options: {json: {type: 'boolean', default: false}, help: {type: 'boolean', default: false}},
		});
		if (values.help) return {kind: 'help', text: HELP};
		const [directory, ...others] = positionals;
		if (directory === undefined || others.length > 0) throw new Error(`Expected one DIRECTORY, got ${positionals.length}`);
		if (!statSync(directory).isDirectory()) throw new Error(`Expected DIRECTORY to be a directory, got ${directory}`);
		return {kind: 'run', directory, json: values.json};
	} catch (error) {
		return {kind: 'misuse', text: `${error instanceof Error ? error.message : error}\n\n${HELP}`};
	}
};

/**
 * Hands the items on, and keeps each in `noted`.
 *
 * @template T
 * @param {T[]} noted
 * @param {AsyncIterable<T>} items
 * @returns {AsyncGenerator<T, void>}
 */
async function* noting(noted, items) {
	for await (const item of items) {
		noted.push(item);
		yield item;
	}
}

await main();
