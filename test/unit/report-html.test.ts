import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, onTestFinished, test} from 'vitest';
import {collectReport} from '../../src/report/collect-report.js';
import {unpackRows} from '../../src/report/pack-rows.js';
import {saveReport} from '../../src/report/save-report.js';
import {type EmbeddedData, GENERATOR, toHtml, toInertJson} from '../../src/report/write-report.js';
import {doneTask, failedTask, line, record} from '../helpers/made-records.js';
import {BEGAN_AT_MS} from '../helpers/made-work-dir.js';
import {readText} from '../house/source-files.js';

const PAGE = readText('src/report/page/template.html');

const HOSTILE = '</script><script>alert(1)</script><!--<script>\u2028\u2029 $& $` "\'&amp;\0\ud800';

const embeddedIn = (html: string): EmbeddedData => {
	const [, json = ''] = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(html) ?? [];
	return JSON.parse(json) as EmbeddedData;
};

describe('data in a page', () => {
	test('can’t end its element, begin a comment or end a line, and is read back as it was', () => {
		const text = fc.oneof(fc.string({unit: 'binary'}), fc.constantFrom(HOSTILE, '</SCRIPT >', '<!--', '-->', ']]>', '\u2028'));
		fc.assert(
			fc.property(fc.array(text), fc.dictionary(text, text), (texts, dictionary) => {
				const json = toInertJson({texts, dictionary});
				expect(json).not.toMatch(/[<>&\u2028\u2029]/);
				expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({texts, dictionary})));
			}),
		);
	});

	test('is what was collected, whatever tasks have written and maps are called', () => {
		const tasks = [failedTask(0, HOSTILE, {stderr: HOSTILE, host: HOSTILE}), doneTask(1)];
		const journal = [
			line(1, {event: 'lost', ichunk: 0, attempt: 1, reason: HOSTILE}),
			line(1, {event: 'submitted', ichunk: 0, attempt: 1}),
		];
		const name = {kind: 'global', name: HOSTILE, path: []} as const;
		const data = collectReport(record(tasks, journal, {message: HOSTILE, function: name}), BEGAN_AT_MS);
		const html = toHtml(PAGE, data, []);
		const {jobs, advice, ...rest} = embeddedIn(html);
		expect({...rest, jobs: unpackRows(jobs)}).toEqual(JSON.parse(JSON.stringify(data)));
		expect(advice).toEqual([]);
		// Beside the data it is in the title alone.
		expect(html.match(/<script/g)).toHaveLength(PAGE.match(/<script/g)?.length ?? 0);
		expect(html).toContain('<title>&lt;/script&gt;&lt;script&gt;alert(1)');
	});

	test('has one place, or the page is none', () => {
		const data = collectReport(record([]), BEGAN_AT_MS);
		expect(() => toHtml('<p>', data, [])).toThrow('Expected one place for data in the page.');
	});
});

describe('the file of a report', () => {
	const makeDirectory = (): string => {
		const directory = mkdtempSync(join(tmpdir(), 'qmr-report-'));
		onTestFinished(() => rmSync(directory, {recursive: true, force: true}));
		return directory;
	};
	const REPORT = `<!doctype html>\n${GENERATOR}\n`;

	test('is the user’s alone, and appears by rename', async () => {
		const directory = makeDirectory();
		const path = join(directory, 'report.html');
		expect(await saveReport(path, REPORT, {overwrites: false})).toBe('saved');
		expect(statSync(path).mode & 0o777).toBe(0o600);
		expect(readdirSync(directory)).toEqual(['report.html']);
	});

	test('takes the place of an earlier report, and of nothing else unless that is wanted', async () => {
		const path = join(makeDirectory(), 'report.html');
		writeFileSync(path, REPORT);
		expect(await saveReport(path, `${REPORT}new`, {overwrites: false})).toBe('saved');
		expect(readFileSync(path, 'utf8')).toBe(`${REPORT}new`);
		writeFileSync(path, 'my thesis');
		expect(await saveReport(path, REPORT, {overwrites: false})).toBe('is-no-report');
		expect(readFileSync(path, 'utf8')).toBe('my thesis');
		expect(await saveReport(path, REPORT, {overwrites: true})).toBe('saved');
		expect(readFileSync(path, 'utf8')).toBe(REPORT);
	});

	test('that can’t be written leaves nothing behind', async () => {
		const parent = makeDirectory();
		const directory = join(parent, 'taken');
		mkdirSync(directory);
		for (const overwrites of [true, false])
			await expect(saveReport(directory, REPORT, {overwrites})).rejects.toThrow('what is there is no file');
		await expect(saveReport(join(directory, 'none', 'r.html'), REPORT, {overwrites: false})).rejects.toMatchObject({code: 'ENOENT'});
		expect(readdirSync(directory)).toEqual([]);
		expect(readdirSync(parent)).toEqual(['taken']);
	});
});

test('the page says that it is a report, where it is looked for', () => {
	expect(PAGE.indexOf(GENERATOR)).toBeGreaterThan(0);
	expect(PAGE.indexOf(GENERATOR)).toBeLessThan(800);
});
