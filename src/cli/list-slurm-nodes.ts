/** The names of the nodes of a Slurm. */
import {basename, dirname, join} from 'node:path';
import type {PoolOptions} from '../options.js';

/** @returns Undefined when sinfo is not there, or says nothing. */
export const listSlurmNodes = async ({squeuePath}: PoolOptions): Promise<readonly string[] | undefined> => {
	const {execa} = await import('execa');
	// Beside a squeue that was named by its place.
	const program = squeuePath === undefined || basename(squeuePath) === squeuePath ? 'sinfo' : join(dirname(squeuePath), 'sinfo');
	const {stdout, exitCode} = await execa(program, ['--all', '--noheader', '--Node', '--format=%N'], {reject: false, timeout: TIMEOUT_MS});
	const names = [...new Set(String(stdout ?? '').split('\n'))].map(name => name.trim()).filter(name => name !== '');
	return exitCode === 0 && names.length > 0 ? names : undefined;
};

const TIMEOUT_MS = 60_000;
