/** Writes a report to its file, which appears whole or not at all. Nothing that is no report is overwritten. */
import {randomBytes} from 'node:crypto';
import {open, rename, rm, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {readFully} from '../read/read-fully.js';
import {GENERATOR} from './write-report.js';

/** Inputs and stderr of tasks are their owner's business. */
const PRIVATE = 0o600;

/** Of a report, at whose beginning its generator is named. */
const BEGINNING_LENGTH = 1024;

export type Saved = 'saved' | 'is-no-report';

/**
 * @returns `is-no-report` when there is another file by that name: it is left alone.
 * @throws What the file system says.
 */
export const saveReport = async (path: string, html: string, {overwrites}: {readonly overwrites: boolean}): Promise<Saved> => {
	// A device, as /dev/null, would be gone for everybody.
	if ((await stat(path).catch(() => undefined))?.isFile() === false) throw new Error('what is there is no file');
	if (!overwrites && !(await mayReplace(path))) return 'is-no-report';
	const growing = join(dirname(path), `.qmr-report-${randomBytes(6).toString('hex')}`);
	try {
		const handle = await open(growing, 'wx', PRIVATE);
		try {
			await handle.chmod(PRIVATE);
			await handle.writeFile(html);
		} finally {
			await handle.close();
		}
		await rename(growing, path);
	} catch (error) {
		await rm(growing, {force: true});
		throw error;
	}
	return 'saved';
};

const mayReplace = async (path: string): Promise<boolean> => {
	try {
		const handle = await open(path, 'r');
		try {
			const {size} = await handle.stat();
			const beginning = await readFully(handle, 0, Math.min(size, BEGINNING_LENGTH));
			return beginning.includes(GENERATOR);
		} finally {
			await handle.close();
		}
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
		throw error;
	}
};
