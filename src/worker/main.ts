/**
 * The worker program: computes one chunk and writes its outcomes. `worker_node_script.cjs WORK_DIR ICHUNK ATTEMPT [again]`, started by launch.sh on the
 * worker-node, bundled into one file. It imports node: modules only, for it pays for each of them in every queue-job.
 */
import {readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {isMainThread, workerData} from 'node:worker_threads';
import {EXIT_CODES} from '../exit-codes.js';
import {attemptPath, ENVIRONMENT_RECORD, MANIFEST} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {installWorkerState} from '../task-context.js';
import {applyEnvironment} from './apply-environment.js';
import {type ChunkProgress, openProgress, type ProgressInput, writeStartFailure} from './chunk-progress.js';
import {readLate} from './late-files.js';
import {createPhases} from './phases.js';
import {runTasks} from './run-tasks.js';
import {createSharedReader} from './shared-reader.js';
import {startFunction} from './start-function.js';
import {openTasks} from './tasks-file.js';
import {createTimeLimit} from './time-limit.js';
import {watchProcess} from './watch-process.js';
import {isWatchdogData, runWatchdog} from './watchdog.js';
import {WorkerError} from './worker-error.js';
import {realWorkerPorts} from './worker-files.js';

/** The real one: for tasks it is replaced. */
const exit: typeof process.exit = process.exit.bind(process);

const main = async (): Promise<void> => {
	const [workDir, ichunk, attempt, again] = process.argv.slice(2);
	if (workDir === undefined || ichunk === undefined || attempt === undefined) {
		throw new WorkerError('usage', 'Expected the arguments WORK_DIR ICHUNK ATTEMPT [again]. launch.sh in the work_dir gives them.');
	}
	const id = {workDir, ichunk: Number(ichunk), attempt: Number(attempt)};
	const readFile = <T>(name: string, parse: (text: string) => T): Promise<T> =>
		readLate(workDir, join(workDir, name), () => parse(readFileSync(join(workDir, name), 'utf8')));
	// Before anything of the user's is loaded: modules read the environment when they are imported.
	await readFile(ENVIRONMENT_RECORD, applyEnvironment);
	const manifest = await readFile(MANIFEST, text => JSON.parse(text) as Manifest);
	const {session, call} = manifest;
	const {retries, taskLimitMs} = manifest.worker;
	const tasks = await openTasks(id, manifest);
	const phases = createPhases(id, manifest, createSharedReader(workDir, manifest, abandon));
	installWorkerState(phases);
	let progress: ChunkProgress | undefined;
	const watched = watchProcess(phases, (index, failure) => progress?.replaceWithFailure(index, failure) ?? false);

	const started = await startFunction(manifest, phases, watched.warn);
	const input: ProgressInput = {
		id,
		session,
		options: manifest.worker,
		// Who types it by hand wants to see it computed.
		takesOver: again === undefined,
		firstTask: tasks.firstTask,
		numTasks: tasks.numTasks,
		writer: {
			node: process.version,
			host: hostname(),
			...jobIdFromEnvironment(),
			pid: process.pid,
			writtenAt: new Date().toISOString(),
		},
	};
	if (started.kind === 'failed') {
		await writeStartFailure(input, {...watched.report(), startFailed: started.failure}, realWorkerPorts);
	} else {
		progress = await openProgress(input, realWorkerPorts);
		const limit = createTimeLimit(taskLimitMs, attemptPath(workDir, id.ichunk, id.attempt, 'part'), watched.warn);
		await runTasks({fn: started.fn, call, retries, tasks, phases, progress, limit, warn: watched.warn});
		await progress.finish(watched.report());
	}
	// Whatever fn has left running is not waited for.
	watched.exit(0);
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
