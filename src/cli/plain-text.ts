/** Texts of others on their way to a terminal: programs, tasks and their errors may write what a terminal takes for commands. */

/** Shows what a terminal would obey, or what would turn the direction of a line, as `\x1b`. Line breaks and tabs stay. */
export const toPlainText = (text: string): string =>
	text.replaceAll('\r\n', '\n').replaceAll(UNSAFE, character => {
		const code = character.charCodeAt(0);
		return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
	});

/** The same, in one line. */
export const toPlainLine = (text: string): string => toPlainText(text.replaceAll(/\s*[\r\n]+\s*/g, ' '));

/** JSON that a terminal takes for nothing else either: what of these JSON leaves as it is becomes an escape. */
export const toPlainJson = (json: string): string =>
	json.replaceAll(UNSAFE, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

// Control characters but tab and line feed, those that turn the direction of text, and separators that some take for line breaks.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
