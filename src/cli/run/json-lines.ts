/** Lines of JSON, as they come: from stdin, which may never end, or from a file. */
import {TextDecoder} from 'node:util';

export type JsonLine = {
	/** From 1. */
	readonly line: number;
	/** As it was written: numbers that are too long for JavaScript, and the order of keys, are as they were. Undefined when it can't be read as text. */
	readonly text: string | undefined;
} & ({readonly kind: 'value'; readonly value: unknown} | {readonly kind: 'faulty'; readonly problem: string});

/** Every line of the input, also those that can't be read: nothing is lost for them. Ends may be LF or CRLF, or missing at the end of the input; a byte order mark is passed over. */
export async function* readJsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<JsonLine> {
	let line = 0;
	for await (const bytes of splitLines(chunks)) yield parseLine(bytes, ++line);
}

const NEWLINE = 0x0a;

/** A line may come in many pieces, and each is looked at once. */
async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	let begun: Buffer[] = [];
	for await (const chunk of chunks) {
		let from = 0;
		for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
			const piece = chunk.subarray(from, end);
			yield begun.length === 0 ? piece : Buffer.concat([...begun, piece]);
			begun = [];
			from = end + 1;
		}
		if (from < chunk.length) begun.push(chunk.subarray(from));
	}
	if (begun.length > 0) yield Buffer.concat(begun);
}

const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

const parseLine = (bytes: Buffer, line: number): JsonLine => {
	let text: string;
	try {
		// A byte order mark counts as a blank.
		text = decoder.decode(bytes).trim();
	} catch {
		return {kind: 'faulty', line, text: undefined, problem: 'it is not UTF-8'};
	}
	if (text === '') return {kind: 'faulty', line, text, problem: 'it is empty'};
	try {
		return {kind: 'value', line, text, value: JSON.parse(text)};
	} catch (error) {
		return {kind: 'faulty', line, text, problem: `it is no JSON: ${describe(error as Error)}`};
	}
};

const MAX_WORDS = 200;

/** V8 quotes from the line, which may be long and may hold anything. */
const describe = ({message}: Error): string => message.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, MAX_WORDS);
