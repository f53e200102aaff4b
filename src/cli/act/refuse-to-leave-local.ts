import {resolve} from 'node:path';
import {realFiles} from '../../ports.js';
import {readManifest} from '../../read/read-manifest.js';
import {UsageError} from '../command-error.js';

/** @throws UsageError when the queue-jobs of a map are processes of this machine: they would end with this one. */
export const refuseToLeaveLocal = async (workDir: string): Promise<void> => {
	const found = await readManifest(resolve(workDir), realFiles);
	if (found.kind === 'found' && found.manifest.engine === 'local')
		throw new UsageError(
			`Expected --detach with a scheduler, but the queue-jobs of ${workDir} are processes of this machine, which end with qmr. Leave --detach out; nohup, tmux or screen keep qmr itself alive.`,
		);
};
