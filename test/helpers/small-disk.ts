/** A disk of its own that is soon full, in memory. Needs root. */
import {spawnSync} from 'node:child_process';
import {closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync} from 'node:fs';
import {join} from 'node:path';

export type SmallDisk = {
	readonly path: string;
	readonly freeBytes: () => number;
	/** Leaves so many bytes free. */
	readonly fill: (leftBytes: number) => void;
	/** Takes away what `fill` has put there. */
	readonly clear: () => void;
	/** As when a file system is remounted after an error. */
	readonly setWritable: (isWritable: boolean) => void;
	readonly remove: () => void;
};

export const createSmallDisk = (path: string, sizeBytes: number): SmallDisk => {
	mkdirSync(path);
	mount('-t', 'tmpfs', '-o', `size=${sizeBytes},mode=0700`, 'qmr-test', path);
	const filler = join(path, 'filler');
	const freeBytes = (): number => {
		const {bavail, bsize} = statfsSync(path);
		return bavail * bsize;
	};
	return {
		path,
		freeBytes,
		fill: leftBytes => {
			const file = openSync(filler, 'w');
			try {
				for (let left = freeBytes() - leftBytes; left > 0; left = freeBytes() - leftBytes)
					writeSync(file, Buffer.alloc(Math.min(left, 2 ** 20)));
			} finally {
				closeSync(file);
			}
		},
		clear: () => rmSync(filler),
		setWritable: isWritable => mount('-o', `remount,${isWritable ? 'rw' : 'ro'}`, path),
		remove: () => {
			run('umount', '-l', path);
		},
	};
};

const mount = (...args: readonly string[]): void => run('mount', ...args);

const run = (program: string, ...args: readonly string[]): void => {
	const {status, stderr, error} = spawnSync(program, args, {encoding: 'utf8'});
	if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`);
};
