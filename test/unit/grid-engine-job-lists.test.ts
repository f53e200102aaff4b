import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {XMLParser, XMLValidator} from 'fast-xml-parser';
import {describe, expect, test} from 'vitest';
import {createListingReader, parseListing} from '../../src/engines/grid-engine-answers.js';
import {cutJobLists} from '../../src/engines/grid-engine-job-lists.js';

const FIXTURES = join(import.meta.dirname, '../fixtures/qstat');
const LISTINGS = readdirSync(FIXTURES).filter(name => name.endsWith('.xml'));
const read = (name: string): string => readFileSync(join(FIXTURES, name), 'utf8');
const OPTIONS = {user: 'daemon', errorStateIndicator: 'E'};

const isWellFormed = (xml: string): boolean => XMLValidator.validate(xml) === true;

/** By the parser alone. */
const parseWhole = (xml: string): unknown =>
	new XMLParser({parseTagValue: false, ignoreAttributes: true, isArray: name => name === 'job_list'}).parse(xml);

/** The same tree from what was cut, with the jobs back in their places. */
const parseCut = (xml: string): unknown => {
	const {rest, runs} = cutJobLists(xml);
	const putBack = (node: unknown): unknown => {
		if (Array.isArray(node)) return node.map(putBack);
		if (typeof node !== 'object' || node === null) return node;
		return Object.fromEntries(
			Object.entries(node).map(([name, value]) =>
				name === 'job_list'
					? [name, (value as Record<string, string>[]).flatMap(job => (job.run === undefined ? [job] : (runs[Number(job.run)] ?? [])))]
					: [name, putBack(value)],
			),
		);
	};
	return putBack(parseWhole(rest));
};

const ONE = '<job_list state="running"><JB_job_number>7</JB_job_number><JB_name>a</JB_name></job_list>';
const around = (text: string): string => `<job_info><queue_info>${text}</queue_info><job_info></job_info></job_info>`;

describe('long listings', () => {
	test.each(LISTINGS)('of %s all that is plain is read beside the parser, and comes to the same', name => {
		const xml = read(name);
		expect(JSON.stringify(parseCut(xml))).toBe(JSON.stringify(parseWhole(xml)));
		const numPlain = xml
			.split('</job_list>')
			.filter(text => /<job_list/.test(text) && !/&/.test(text.slice(text.indexOf('<job_list')))).length;
		expect(cutJobLists(xml).runs.flat()).toHaveLength(numPlain);
	});

	test('of a thousand queue-jobs nearly nothing is left to the parser', () => {
		expect(cutJobLists(around(Array.from({length: 1000}, () => ONE).join('\n'))).rest.length).toBeLessThan(200);
	});

	test.each([
		['an entity', ONE.replace('>a<', '>&lt;<')],
		['an element in an element', ONE.replace('>a<', '><b>a</b><')],
		['an attribute', ONE.replace('<JB_name>', '<JB_name x="y">')],
		['an attribute of its own', ONE.replace('state=', 'task=')],
		['an element twice', ONE.replace('</job_list>', '<JB_name>b</JB_name></job_list>')],
		['text', ONE.replace('</job_list>', 'text</job_list>')],
		['a comment', ONE.replace('>a<', '><!--a--><')],
	])('what has %s is left to the parser', (_, job) => {
		const {rest, runs} = cutJobLists(around(`${ONE}\n${job} ${ONE}`));
		expect(runs.map(run => run.length)).toEqual([1, 1]);
		expect(rest).toContain(job);
	});

	test.each([
		['in a comment', `<!-- ${ONE} -->`],
		['in a text that is not read', `<name><![CDATA[${ONE}]]></name>`],
		['twice in place of those that were read', '<job_list x="y"><run>0</run></job_list>'],
		['that it did not print', '<job_list x="y"><run>5</run></job_list>'],
	])('queue-jobs %s make an answer that says nothing', async (_, text) => {
		await expect(parseListing(around(`${ONE}${text}`), OPTIONS)).rejects.toThrow('qstat printed queue-jobs where a listing has none');
	});

	test.each(['JB_job_number', 'JB_name', 'state'])('a queue-job without its %s makes an answer that says nothing', async name => {
		const xml = read('one-running.full.xml').replace(new RegExp(`<${name}>.*</${name}>`), '');
		await expect(parseListing(xml, OPTIONS)).rejects.toThrow('qstat printed a queue-job without its number, name or state');
	});

	/** Text, marks and tags in any order, among them whole queue-jobs. */
	const piece = fc.oneof(
		fc.constantFrom(ONE, `${ONE}\n  ${ONE}`, ONE.slice(0, -3), ONE.slice(4), '</job_list>', '<job_list>', '<job_list state="running">'),
		fc.constantFrom(
			'<a>',
			'</a>',
			'<a b="',
			'">',
			"'",
			'"',
			'<',
			'>',
			'&amp;',
			'<!--',
			'-->',
			'<![CDATA[',
			']]>',
			'\n',
			'text',
			'<JB_name>x</JB_name>',
		),
	);

	test('whatever is in it, what is cut is well-formed when the whole is, and only then', () => {
		let numWellFormed = 0;
		fc.assert(
			fc.property(fc.array(piece, {maxLength: 12}), pieces => {
				const xml = around(pieces.join(''));
				const was = isWellFormed(xml);
				if (was) numWellFormed++;
				expect(isWellFormed(cutJobLists(xml).rest)).toBe(was);
			}),
			{numRuns: 3000},
		);
		expect(numWellFormed).toBeGreaterThan(50);
	});
});

describe('an answer that says what the one before said', () => {
	const xml = read('array-mixed.full.xml');

	test('is not read again, whatever the load', async () => {
		const readListing = createListingReader(OPTIONS);
		const first = await readListing(xml);
		expect(first.jobs.length).toBeGreaterThan(0);
		expect(await readListing(xml)).toBe(first);
		const loaded = xml.replaceAll(/(<load_avg>)[^<]*/g, '$17.5').replaceAll(/(<JAT_prio>)[^<]*/g, '$10.1');
		expect(loaded).not.toBe(xml);
		expect(await readListing(loaded)).toBe(first);
	});

	test.each([
		['a state', (text: string) => text.replace('<state>r<', '<state>s<')],
		['an element', (text: string) => text.replace('3-6:1', '4-6:1')],
		['a node', (text: string) => text.replace('</arch>', '</arch><state>u</state>')],
	])('with another one of %s is read', async (_, change) => {
		const readListing = createListingReader(OPTIONS);
		const first = await readListing(xml);
		const second = await readListing(change(xml));
		expect(second).not.toEqual(first);
		expect(second).toEqual(await parseListing(change(xml), OPTIONS));
	});

	test('is read when the one between was no listing', async () => {
		const readListing = createListingReader(OPTIONS);
		const first = await readListing(xml);
		await expect(readListing(xml.slice(0, -20))).rejects.toThrow('no well-formed XML');
		expect(await readListing(xml)).toEqual(first);
	});

	test('an idle value that is not whole is no listing', async () => {
		const readListing = createListingReader(OPTIONS);
		await readListing(xml);
		await expect(readListing(xml.replace('</load_avg>', '</load>'))).rejects.toThrow('no well-formed XML');
	});
});
