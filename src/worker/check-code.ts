/** Looks whether the module of fn is what it was when the map was submitted: chunks computed by different versions must not be mixed. */
import {createHash} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {dirname} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import type {FunctionReference} from '../function-reference.js';

/** Together ten seconds: an old version may come from this host's memory of a network file system. */
const WAITS_MS = [1000, 2000, 3000, 4000];

/** @returns What has changed, in words; undefined when nothing has, or nobody can know: the import will tell of a file that can't be read. */
export const findCodeChange = async (reference: FunctionReference): Promise<string | undefined> => {
	if (reference.kind !== 'module' || reference.sha256 === undefined) return undefined;
	const file = fileURLToPath(reference.url);
	for (const waitMs of [...WAITS_MS, 0]) {
		const found = await hashOf(file);
		if (found === undefined || found === reference.sha256) return undefined;
		if (waitMs === 0) break;
		await sleep(waitMs);
		// To list a directory refreshes what this host knows of it.
		await readdir(dirname(file)).catch(() => undefined);
	}
	return `${file} is not what it was when the map was submitted, as ${hostname()} sees it`;
};

const hashOf = async (file: string): Promise<string | undefined> => {
	const bytes = await readFile(file).catch(() => undefined);
	return bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex');
};
