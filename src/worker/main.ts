/**
 * The worker program: computes one chunk and writes its outcomes; with dynamic chunks it goes on with others until none is left. `worker_node_script.cjs WORK_DIR
 * ICHUNK ATTEMPT [again]`, started by launch.sh on the worker-node, bundled into one file. It imports node: modules only, for it pays for each of them in every queue-job.
 */
import {readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {isMainThread, workerData} from 'node:worker_threads';
import {EXIT_CODES} from '../exit-codes.js';
import {ENVIRONMENT_RECORD, MANIFEST} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {applyEnvironment} from './apply-environment.js';
import {computeChunks} from './compute-chunks.js';
import {readLate} from './late-files.js';
import {isWatchdogData, runWatchdog} from './watchdog.js';
import {WorkerError} from './worker-error.js';

/** The real one: for tasks it is replaced. */
const exit: typeof process.exit = process.exit.bind(process);

const main = async (): Promise<void> => {
	const [workDir, ichunk, attempt, again] = process.argv.slice(2);
	if (workDir === undefined || ichunk === undefined || attempt === undefined) {
		throw new WorkerError('usage', 'Expected the arguments WORK_DIR ICHUNK ATTEMPT [again]. launch.sh in the work_dir gives them.');
	}
	const readFile = <T>(name: string, parse: (text: string) => T): Promise<T> =>
		readLate(workDir, join(workDir, name), () => parse(readFileSync(join(workDir, name), 'utf8')));
	// Before anything of the user's is loaded: modules read the environment when they are imported.
	await readFile(ENVIRONMENT_RECORD, applyEnvironment);
	const manifest = await readFile(MANIFEST, text => JSON.parse(text) as Manifest);
	await computeChunks({
		manifest,
		id: {workDir, ichunk: Number(ichunk), attempt: Number(attempt)},
		isAgain: again !== undefined,
		host: hostname(),
		...jobIdFromEnvironment(),
		abandon,
	});
	// Whatever fn has left running is not waited for.
	exit(0);
};

/** For people; the process-node goes by the number that qsub told. */
const jobIdFromEnvironment = (): {jobId?: string} => {
	const jobId = process.env.JOB_ID ?? process.env.SLURM_JOB_ID;
	return jobId === undefined ? {} : {jobId};
};

function abandon(error: unknown): never {
	console.error(error);
	exit(error instanceof WorkerError ? error.exitCode : EXIT_CODES.internal);
}

if (isMainThread) {
	main().catch(abandon);
} else if (isWatchdogData(workerData)) runWatchdog(workerData);
