import fc from 'fast-check';
import {expect, test} from 'vitest';
import {toPlainJson, toPlainLine, toPlainText} from '../../src/cli/plain-text.js';

const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const anyText = fc.string({
	unit: fc.oneof(fc.constantFrom('\x1b', '\x9b', '\r', '\n', '\t', '\x07', '\u202e', '\u2067', 'a', '['), fc.string({unit: 'binary'})),
});

test('nothing that a terminal obeys is left of any text', () => {
	fc.assert(
		fc.property(anyText, text => {
			expect(toPlainText(text)).not.toMatch(OBEYED);
			expect(toPlainLine(text)).not.toMatch(/\n/);
		}),
	);
});

test('what is harmless stays as it is, in any language', () => {
	const text = 'naïve Größe 漢字 👩‍🔬\n\tindented';
	expect(toPlainText(text)).toBe(text);
	expect(toPlainText('a\r\nb')).toBe('a\nb');
});

test('JSON is the same value afterwards', () => {
	fc.assert(
		fc.property(anyText, text => {
			const json = toPlainJson(JSON.stringify({[text]: text}));
			expect(json).not.toMatch(OBEYED);
			expect(JSON.parse(json)).toEqual({[text]: text});
		}),
	);
});
