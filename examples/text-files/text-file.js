/** The mapped function: what is in one text file. It reads the file piece by piece, so that its size does not matter. */
import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {Writable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {createGzip} from 'node:zlib';

/**
 * @typedef {object} TextFileReport
 * @property {number} words - Runs of characters between white space.
 * @property {number} lines - Also counts a last line without a line feed.
 * @property {number} gzipBytes - Its size when compressed by gzip at the default level.
 * @property {string} sha256 - The digest of its bytes, in hexadecimal digits.
 */

/** @type {(path: string) => Promise<TextFileReport>} */
export const reportTextFile = async path => {
	const text = createTextCounter();
	const hash = createHash('sha256');
	let gzipBytes = 0;
	const sizeCounter = new Writable({
		write(piece, _encoding, done) {
			gzipBytes += piece.length;
			done();
		},
	});
	await pipeline(
		createReadStream(path),
		async function* (/** @type {AsyncIterable<Buffer>} */ pieces) {
			for await (const piece of pieces) {
				text.add(piece);
				hash.update(piece);
				yield piece;
			}
		},
		createGzip(),
		sizeCounter,
	);
	return {...text.counts(), gzipBytes, sha256: hash.digest('hex')};
};

/** Counts over pieces that may end inside a word, or inside a character. */
const createTextCounter = () => {
	const decoder = new TextDecoder();
	let words = 0;
	let lineFeeds = 0;
	let last = '\n';
	const count = (/** @type {string} */ text) => {
		if (text === '') return;
		words += text.match(/\S+/gu)?.length ?? 0;
		// A word that goes on from the piece before was counted there.
		if (/\S/u.test(last) && /^\S/u.test(text)) words--;
		lineFeeds += text.match(/\n/gu)?.length ?? 0;
		last = text.slice(-1);
	};
	return {
		add: (/** @type {Buffer} */ piece) => count(decoder.decode(piece, {stream: true})),
		counts: () => {
			// What the decoder still holds is half a character.
			count(decoder.decode());
			return {words, lines: last === '\n' ? lineFeeds : lineFeeds + 1};
		},
	};
};
