/** Looks into a work_dir that may be removed meanwhile: when every task has succeeded it goes, and that is no failure of what it was. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {MANIFEST} from '../../layout.js';
import {CommandError} from '../command-error.js';

export class RemovedError extends CommandError {}

/** @throws RemovedError when the work_dir was there and is not any more; whatever `look` has found of it then is not the whole. */
export const unlessRemoved = async <T>(workDir: string, look: () => Promise<T>): Promise<T> => {
	try {
		const found = await look();
		if (isThere(workDir)) return found;
	} catch (error) {
		if (isThere(workDir)) throw error;
	}
	throw new RemovedError(
		`${workDir} has just been removed: its map has ended, and every task had a result. (Or somebody has removed it.) To keep it next time: the option \`keepWorkDir\`.`,
	);
};

const isThere = (workDir: string): boolean => existsSync(join(workDir, MANIFEST));
