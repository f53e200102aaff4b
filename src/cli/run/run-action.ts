/** What `qmr run` does, once it is known what was typed. */
import {createCommandPool} from '../../command-map.js';
import type {PoolOptions} from '../../options.js';
import {UsageError} from '../command-error.js';
import {RUN_COMMAND, runJobs} from './run-jobs.js';
import {showDryRun} from './show-dry-run.js';
import {openStreams, type StreamFlags} from './stream-flags.js';
import {tasksOf} from './task-lines.js';

export const execute = async (flags: StreamFlags, poolFlags: PoolOptions): Promise<void> => {
	// The log tells all that happens; a live line is more than that.
	const options: PoolOptions = {progress: process.stderr.isTTY === true, ...poolFlags};
	const pool = createCommandPool(options);
	const streams = openStreams(flags);
	if (flags.dryRun !== true) return runJobs(options, streams);
	try {
		const tasks = tasksOf(streams.lines, (line, problem) => {
			throw new UsageError(`Expected every line to be JSON, but of line ${line} ${problem}.`);
		});
		showDryRun(await pool.prepare({call: 'map', fn: RUN_COMMAND, tasks, isOrdered: false}), flags.json ?? false);
	} finally {
		streams.close();
	}
};
