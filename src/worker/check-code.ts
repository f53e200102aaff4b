/** Looks whether the module of fn is what it was when the map was submitted: chunks computed by different versions must not be mixed. */
import {readdir, readFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {dirname} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {crc32} from 'node:zlib';
import type {FunctionReference} from '../function-reference.js';

/** Together ten seconds: an old version may come from this host's memory of a network file system. */
const WAITS_MS = [1000, 2000, 3000, 4000];

/** @returns What has changed, in words; undefined when nothing has, or nobody can know: the import will tell of a file that can't be read. */
export const findCodeChange = async (reference: FunctionReference): Promise<string | undefined> => {
	if (reference.kind !== 'module' || reference.crc32 === undefined) return undefined;
	const file = fileURLToPath(reference.url);
	for (const waitMs of [...WAITS_MS, 0]) {
		const found = await checksumOf(file);
		if (found === undefined || found === reference.crc32) return undefined;
		if (waitMs === 0) break;
		await sleep(waitMs);
		// To list a directory refreshes what this host knows of it.
		await readdir(dirname(file)).catch(() => undefined);
	}
	return `${file} is not what it was when the map was submitted, as ${hostname()} sees it`;
};

/** Not the hash: what makes it takes 3 ms to load. */
const checksumOf = async (file: string): Promise<number | undefined> => {
	const bytes = await readFile(file).catch(() => undefined);
	return bytes === undefined ? undefined : crc32(bytes);
};
