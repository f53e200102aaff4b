/** Finds the text files below a directory, one by one, so that the first can be worked on while the rest is still being looked for. */
import {open, readdir} from 'node:fs/promises';
import path from 'node:path';

/** The last one is where maps, also this one, keep their files while they run. */
const NEVER_ENTERED = new Set(['.git', 'node_modules', '.qmr']);
/** So much of a file decides whether it is text. */
const HEAD_BYTES = 8192;

/**
 * The paths of the text files, sorted by name within each directory. Symbolic links are not followed, so a loop of them does no harm.
 * Files and directories that can't be opened are listed as well: whoever reads them learns why.
 *
 * @param {string} directory
 * @returns {AsyncGenerator<string, void>}
 */
export async function* listTextFiles(directory) {
	yield* walk(directory, await readdir(directory, {withFileTypes: true}));
}

/**
 * @param {string} directory
 * @param {import('node:fs').Dirent[]} entries
 * @returns {AsyncGenerator<string, void>}
 */
async function* walk(directory, entries) {
	for (const entry of entries.sort(byName)) {
		const entryPath = path.join(directory, entry.name);
		if (entry.isFile() && (await mayBeText(entryPath))) yield entryPath;
		if (!entry.isDirectory() || NEVER_ENTERED.has(entry.name)) continue;
		const inside = await readdir(entryPath, {withFileTypes: true}).catch(() => 'unreadable');
		if (typeof inside === 'string') yield entryPath;
		else yield* walk(entryPath, inside);
	}
}

/** @type {(left: import('node:fs').Dirent, right: import('node:fs').Dirent) => number} */
const byName = (left, right) => (left.name < right.name ? -1 : 1);

/** @type {(filePath: string) => Promise<boolean>} */
const mayBeText = async filePath => {
	const head = await readHead(filePath).catch(() => 'unreadable');
	return typeof head === 'string' || isText(head);
};

/** @type {(filePath: string) => Promise<Uint8Array>} */
const readHead = async filePath => {
	const file = await open(filePath);
	try {
		const {buffer, bytesRead} = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
		return buffer.subarray(0, bytesRead);
	} finally {
		await file.close();
	}
};

/** @type {(head: Uint8Array) => boolean} */
const isText = head => {
	if (head.includes(0)) return false;
	try {
		// A full head may end inside a character.
		new TextDecoder('utf-8', {fatal: true}).decode(head, {stream: head.length === HEAD_BYTES});
		return true;
	} catch {
		return false;
	}
};
