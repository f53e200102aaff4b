/** Node that gets too little memory crashes, and on many sites leaves an image of itself in the current directory: 100 MB that nobody wants. */
import {createReadStream} from 'node:fs';
import {lstat, readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';

/** Removes images of crashed processes that were begun for a session: those that have its name somewhere in their memory. What can't be read is left alone. */
export const removeCores = async (directory: string, session: string): Promise<void> => {
	const names = await readdir(directory).catch(() => []);
	for (const name of names.filter(candidate => NAME.test(candidate))) {
		const path = join(directory, name);
		try {
			if ((await lstat(path)).isFile() && (await hasText(path, session))) await rm(path);
		} catch {
			// Somebody else's.
		}
	}
};

/** As Linux calls them: `core`, `core.4711`. */
const NAME = /^core(?:\.\d+)?$/;

const hasText = async (path: string, text: string): Promise<boolean> => {
	let end = Buffer.alloc(0);
	for await (const piece of createReadStream(path, {highWaterMark: PIECE_BYTES})) {
		const bytes = Buffer.concat([end, piece as Buffer]);
		if (bytes.includes(text)) return true;
		end = bytes.subarray(-text.length);
	}
	return false;
};

const PIECE_BYTES = 2 ** 22;
