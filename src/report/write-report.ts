/** Data and page -> one HTML file that needs nothing else. */
import {readFile} from 'node:fs/promises';
import type {Advice} from './advise.js';
import {type PackedRows, packRows} from './pack-rows.js';
import type {JobRow, ReportData} from './report-data.js';

/** What the page finds in itself. */
export type EmbeddedData = Omit<ReportData, 'jobs'> & {readonly jobs: PackedRows<JobRow>; readonly advice: readonly Advice[]};

/** The page without data, as scripts/build.js makes it. */
export const readPage = (): Promise<string> => readFile(new URL('./report-page.html', import.meta.url), 'utf8');

/** Says in a page that it is a report. */
export const GENERATOR = '<meta name="generator" content="queue-map-reduce report">';

/** Where the data goes. */
const PLACE = '"REPORT DATA"';
const TITLE = '<title>queue-map-reduce report</title>';

/** @throws Error when the page has no place for the data. */
export const toHtml = (page: string, data: ReportData, advice: readonly Advice[]): string => {
	const embedded: EmbeddedData = {...data, jobs: packRows(data.jobs), advice};
	const [before, after, ...others] = page.split(PLACE);
	if (before === undefined || after === undefined || others.length > 0) throw new Error('Expected one place for data in the page.');
	const title = `<title>${escapeHtml(`${data.map.function}, ${data.map.session}`)}</title>`;
	// A function, for in a text `$&` would mean something.
	return `${before.replace(TITLE, () => title)}${toInertJson(embedded)}${after}`;
};

/**
 * JSON that can't end the script element it is in, nor begin a comment there; still JSON, for only strings may hold these characters.
 * The separators of lines and paragraphs end a line for some tools.
 */
export const toInertJson = (value: unknown): string =>
	JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

const ESCAPES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'};

const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, character => ESCAPES[character] ?? '');
