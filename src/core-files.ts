/** Core files: what a system leaves in the working directory of a program that crashes, as large as its memory was. */
import {readFileSync} from 'node:fs';

/** Whether this process would leave one, as its limit says (`ulimit -c`); true where that can't be known. */
export const leavesCoreFiles = (path = '/proc/self/limits'): boolean => {
	try {
		return !/^Max core file size\s+0\s/m.test(readFileSync(path, 'utf8'));
	} catch {
		// Only Linux tells.
		return true;
	}
};
