/** Whether what a call shares is what the tasks of a map have shared so far. */
import {join} from 'node:path';
import {isSame} from './compare-tasks.js';
import {PoolError} from './errors.js';
import {SHARED_VALUE} from './layout.js';
import type {Manifest} from './manifest.js';
import type {Files} from './ports.js';
import {readWhole} from './read/read-whole.js';
import {decodeShared} from './shared-value.js';

/** @throws PoolError `ERR_POOL_RESUME` when it is not, or can't be read. */
export const compareShared = async (
	shared: unknown,
	workDir: string,
	{session, sharedBytes}: Pick<Manifest, 'session' | 'sharedBytes'>,
	files: Pick<Files, 'openSource'>,
): Promise<void> => {
	const refuse = (message: string, options: {cause?: unknown} = {}): PoolError =>
		new PoolError('ERR_POOL_RESUME', message, {workDir, ...options});
	const advice = 'Leave the option out to go on with what was given then, or call `map` without `resume` to begin anew.';
	if (sharedBytes === undefined)
		throw refuse(`The tasks of ${workDir} share nothing, and some may be finished, but \`shared\` is given. ${advice}`);
	const path = join(workDir, SHARED_VALUE);
	const bytes = await readWhole(files, path);
	if (bytes === undefined) throw refuse(`${path} can't be read.`);
	if (
		!isSame(
			shared,
			decode(bytes, session, cause => refuse(`${path} can't be read: ${(cause as Error).message}`, {cause})),
		)
	) {
		throw refuse(`\`shared\` is not what it was when ${workDir} was made, and some of its tasks may be finished. ${advice}`);
	}
};

const decode = (bytes: Buffer, session: string, refuse: (cause: unknown) => PoolError): unknown => {
	try {
		return decodeShared(bytes, session);
	} catch (error) {
		throw refuse(error);
	}
};
