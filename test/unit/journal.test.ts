import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {type JournalEvent, type JournalWriter, openJournal, parseJournal} from '../../src/journal.js';
import {createHandClock} from '../helpers/hand-clock.js';

/** A journal on a file in memory, which may have text already. */
const makeJournal = (writer: JournalWriter = {}, before = '') => {
	const clock = createHandClock();
	const appended: {path: string; text: string; durable: boolean}[] = [];
	let numKept = Number.POSITIVE_INFINITY;
	let bytes = before;
	const files = {
		append: async (path: string, text: string, {durable}: {durable: boolean}) => {
			bytes += text.slice(0, numKept);
			if (text.length > numKept) throw Object.assign(new Error('ENOSPC: write'), {code: 'ENOSPC'});
			appended.push({path, text, durable});
		},
		openSource: async () => ({
			size: bytes.length,
			read: async (position: number, length: number) => Buffer.from(bytes).subarray(position, position + length),
			close: async () => undefined,
		}),
	};
	const journal = openJournal('/w/log.jsonl', files, clock, writer);
	return {
		journal,
		clock,
		appended,
		text: () => bytes,
		/** From now on so many characters of an append are written. */
		setRoom: (room: number) => {
			numKept = room;
		},
	};
};

const TIME = '2026-11-21T00:20:07.000Z';
const events = fc.array(
	fc.record(
		{
			event: fc.constantFrom<JournalEvent['event']>('submitting', 'submitted', 'lost', 'result'),
			ichunk: fc.nat(),
			attempt: fc.nat(),
			jobId: fc.string({unit: 'binary'}),
			reason: fc.string({unit: 'binary'}),
			message: fc.string({unit: 'grapheme'}),
		},
		{requiredKeys: ['event']},
	),
	{maxLength: 20},
);

describe('writing', () => {
	test('what was noted is written by the next flush, in order, in one piece, with its time', async () => {
		const {journal, clock, appended} = makeJournal();
		journal.note({event: 'submitting', ichunk: 0}, {event: 'submitting', ichunk: 1});
		clock.advance(1500);
		journal.note({event: 'submitted', ichunk: 0, jobId: '7'});
		expect(appended).toEqual([]);
		await journal.flush({durable: true});
		expect(appended).toEqual([
			{
				path: '/w/log.jsonl',
				text: `{"time":"${TIME}","event":"submitting","ichunk":0}
{"time":"${TIME}","event":"submitting","ichunk":1}
{"time":"2026-11-21T00:20:08.500Z","event":"submitted","ichunk":0,"jobId":"7"}
`,
				durable: true,
			},
		]);
	});

	test('the words in an event are masked, and nothing else of it', async () => {
		const {journal, text} = makeJournal({mask: words => words.replaceAll('s3cr3t', '${DEPLOY}')});
		journal.note({event: 'lost', jobId: 's3cr3t', reason: 'no "s3cr3t"', message: 's3cr3t!'}, {event: 'ended'});
		await journal.flush({durable: false});
		expect(parseJournal(text())).toEqual([
			{time: TIME, event: 'lost', jobId: 's3cr3t', reason: 'no "${DEPLOY}"', message: '${DEPLOY}!'},
			{time: TIME, event: 'ended'},
		]);
	});

	test('what a full disk has torn off is written again, on a line of its own', async () => {
		const {journal, text, setRoom} = makeJournal();
		journal.note({event: 'submitting', ichunk: 0});
		setRoom(20);
		await expect(journal.flush({durable: true})).rejects.toThrow('ENOSPC');
		journal.note({event: 'ended'});
		setRoom(Number.POSITIVE_INFINITY);
		await journal.flush({durable: true});
		expect(parseJournal(text()).map(({event}) => event)).toEqual(['submitting', 'ended']);
		expect(text().split('\n')).toHaveLength(4);
	});

	test.each([
		['', 0],
		['{"time":"","event":"submitting"}\n', 1],
		['{"time":"","event":"submitting"}\n{"time":"","ev', 1],
	])('a later owner signs its lines, and loses none to a line that was torn off before: %j', async (before, numBefore) => {
		const {journal, text} = makeJournal({owner: 2}, before);
		journal.note({event: 'resumed'});
		await journal.flush({durable: true});
		const lines = parseJournal(text());
		expect(lines).toHaveLength(numBefore + 1);
		expect(lines.at(-1)).toEqual({time: TIME, owner: 2, event: 'resumed'});
		expect(text()).not.toContain('\n\n');
	});

	test('written by two at a time every event is there once, in order, and durable if either wants it to be', async () => {
		const {journal, appended, text, setRoom} = makeJournal();
		journal.note({event: 'submitting', ichunk: 0});
		const first = journal.flush({durable: false});
		journal.note({event: 'chunk-cut', ichunk: 1});
		const second = journal.flush({durable: true});
		journal.note({event: 'submitted', ichunk: 0});
		await Promise.all([first, second]);
		await journal.flush({durable: false});
		expect(parseJournal(text()).map(({event}) => event)).toEqual(['submitting', 'chunk-cut', 'submitted']);
		expect(appended.find(piece => piece.text.includes('chunk-cut'))?.durable).toBe(true);
		setRoom(0);
		journal.note({event: 'chunk-cut', ichunk: 2});
		await expect(journal.flush({durable: true})).rejects.toThrow('ENOSPC');
		setRoom(Number.POSITIVE_INFINITY);
		// Somebody else writes what the first one could not.
		await journal.flush({durable: false});
		await journal.flush({durable: true});
		expect(appended.at(-1)).toMatchObject({text: expect.stringContaining('"ichunk":2'), durable: true});
	});

	test('nothing new is not written', async () => {
		const {journal, appended} = makeJournal();
		await journal.flush({durable: true});
		journal.note({event: 'ended'});
		await journal.flush({durable: false});
		await journal.flush({durable: false});
		expect(appended.map(({durable}) => durable)).toEqual([false]);
	});

	test('N18: any text in an event is one line and comes back', async () => {
		await fc.assert(
			fc.asyncProperty(events, async noted => {
				const {journal, text} = makeJournal();
				for (const event of noted) journal.note(event);
				await journal.flush({durable: false});
				expect(text().split('\n')).toHaveLength(noted.length + 1);
				// A half of a surrogate pair is no text: it comes back as JSON writes it.
				expect(parseJournal(text())).toEqual(noted.map(event => ({time: TIME, ...event})));
			}),
		);
	});
});

describe('reading', () => {
	test('no text is no event', () => {
		expect(parseJournal('')).toEqual([]);
	});

	test('a last line that was torn off is left out, wherever it is torn', async () => {
		const {journal, text} = makeJournal();
		journal.note({event: 'submitting', ichunk: 0, reason: 'a }" b'}, {event: 'submitted', ichunk: 0}, {event: 'ended'});
		await journal.flush({durable: false});
		const lines = text().split('\n');
		for (let length = 0; length <= text().length; length++) {
			const numWhole = text().slice(0, length).split('\n').length - 1;
			expect(parseJournal(text().slice(0, length))).toEqual(lines.slice(0, numWhole).map(line => JSON.parse(line)));
		}
	});

	test('what is no event is left out, and what follows is read', () => {
		const event = {time: TIME, event: 'ended'};
		const text = ['{"time":"2026-', 'null', '5', '"text"', '[]', '{}', '', ' ', JSON.stringify(event), '\0\0\0'].join('\n');
		expect(parseJournal(`${text}\n`)).toEqual([event]);
	});

	test('any text can be read', () => {
		fc.assert(
			fc.property(fc.array(fc.oneof(fc.string({unit: 'binary'}), fc.json())), lines => {
				for (const line of parseJournal(lines.join('\n'))) expect(line).toHaveProperty('event');
			}),
		);
	});
});
