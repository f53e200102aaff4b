/**
 * The results as a table, for a terminal or for the README.
 *
 * @typedef {import('./case.js').CaseResult} CaseResult
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {verdictOf} from './case.js';
import {format, formatSpread, median} from './statistics.js';

const HEADINGS = ['case', 'ours', 'engine alone', 'result', 'target', 'spread', 'peers'];

/** @type {(results: readonly CaseResult[]) => string[][]} */
export const createTable = results => [HEADINGS, ...results.map(createRow)];

/** @type {(result: CaseResult) => string[]} */
const createRow = result => {
	const {case: each, values, left} = result;
	const {ours, limit, ...peers} = values;
	const {unit, most} = each.verdict;
	if (ours === undefined)
		return [each.title, left.ours?.startsWith('failed') ? left.ours : `skipped: ${left.ours}`, '', '', formatTarget(most, unit), '', ''];
	const verdict = verdictOf(result);
	const met = most === undefined || !Number.isFinite(verdict) ? '' : verdict <= most ? ' ✓' : ' ✗';
	const spread = [
		`ours ${formatSpread(ours)}`,
		...(limit === undefined ? [] : [`alone ${formatSpread(limit)}`]),
		...Object.entries(peers).map(([name, list]) => `${name} ${formatSpread(list)}`),
	];
	return [
		each.title,
		`${format(median(ours))} ${each.unit}`,
		limit === undefined ? '' : `${format(median(limit))} ${each.unit}${each.limit === undefined ? '' : ` (${each.limit})`}`,
		`${format(verdict)}${suffix(unit)}${met}`,
		formatTarget(most, unit),
		ours.length < 2 ? '' : spread.join(', '),
		[
			...Object.entries(peers).map(([name, list]) => `${name} ${format(median(list))} ${each.unit}`),
			...Object.entries(left).map(([name, why]) => `${name}: ${why}`),
		].join(', '),
	];
};

const formatTarget = (/** @type {number | undefined} */ most, /** @type {string} */ unit) =>
	most === undefined ? '' : `≤ ${most}${suffix(unit)}`;

const suffix = (/** @type {string} */ unit) => (unit === 'times' ? '' : ` ${unit}`);

/** @type {(rows: readonly string[][]) => string} */
export const formatText = rows => {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => (row[column] ?? '').length)));
	return rows
		.map(row =>
			row
				.map((cell, column) => cell.padEnd(widths[column] ?? 0))
				.join('  ')
				.trimEnd(),
		)
		.join('\n');
};

/** @type {(rows: readonly string[][]) => string} */
export const formatMarkdown = ([headings = [], ...rows]) =>
	[headings, headings.map(() => '---'), ...rows].map(row => `| ${row.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');

const BEGIN = '<!-- begin of bench -->';
const END = '<!-- end of bench -->';

/** Puts a text between the two comments of a file that mark its place. @type {(file: string, text: string) => void} */
export const writeBetweenMarks = (file, text) => {
	const before = readFileSync(file, 'utf8');
	const begin = before.indexOf(BEGIN);
	const end = before.indexOf(END);
	if (begin === -1 || end < begin) throw new Error(`Expected the lines \`${BEGIN}\` and \`${END}\` in ${file}, in this order.`);
	writeFileSync(file, `${before.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${before.slice(end)}`);
};
