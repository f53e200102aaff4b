/** What a program writes, kept in files: at its end all of it is there, also when others that it has started live on and hold its output open. */
import {closeSync, openSync, readFileSync} from 'node:fs';

export type WrittenOutput = {
	/** For the option `stdio` of `spawn`. */
	readonly stdio: ['ignore', number, number];
	/** To be called when it was started. */
	readonly close: () => void;
	readonly stdout: () => string;
	readonly stderr: () => string;
};

/** @param base - The path of the files, without `.out` and `.err`. */
export const writtenOutput = (base: string): WrittenOutput => {
	const paths = [`${base}.out`, `${base}.err`] as const;
	const files = [openSync(paths[0], 'w'), openSync(paths[1], 'w')] as const;
	return {
		stdio: ['ignore', ...files],
		close: () => files.forEach(closeSync),
		stdout: () => readFileSync(paths[0], 'utf8'),
		stderr: () => readFileSync(paths[1], 'utf8'),
	};
};
