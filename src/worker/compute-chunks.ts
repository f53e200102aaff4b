/** The chunk that this queue-job was submitted for, and with dynamic chunks those that it claims after it. */
import type {Home} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {installWorkerState} from '../task-context.js';
import type {ChunkId} from './chunk-id.js';
import {type ChunkProgress, openProgress, type ProgressInput, writeStartFailure} from './chunk-progress.js';
import {type Claims, createClaims} from './claim-chunk.js';
import {createPhases} from './phases.js';
import {runTasks} from './run-tasks.js';
import {createSharedReader} from './shared-reader.js';
import {startFunction} from './start-function.js';
import {openTasks, type Tasks} from './tasks-file.js';
import {createTimeLimit} from './time-limit.js';
import {outputBytes, watchOutput} from './watch-output.js';
import {watchProcess} from './watch-process.js';
import {realWorkerPorts} from './worker-files.js';

export type QueueJob = {
	readonly manifest: Manifest;
	/** What it was submitted for. */
	readonly id: ChunkId;
	/** Typed by hand by who wants to see that chunk computed: it takes over nothing, and claims nothing. */
	readonly isAgain: boolean;
	readonly host: string;
	readonly jobId?: string;
	/** Ends the process for an error that is no task's. */
	readonly abandon: (error: unknown) => never;
};

/** @throws WorkerError, or whatever is wrong with a file: then the chunk that was under way is for the next attempt. */
export const computeChunks = async (queueJob: QueueJob): Promise<void> => {
	const {manifest, id, abandon} = queueJob;
	const firstTasks = await openTasks(id, manifest);
	const phases = createPhases(manifest, createSharedReader(id.workDir, manifest, abandon));
	installWorkerState(phases);
	let current: {readonly id: ChunkId; readonly progress: ChunkProgress} | undefined;
	// A task of an earlier chunk may fail late: the one that is now at its place has nothing to do with that.
	const watched = watchProcess(
		phases,
		(phase, failure) => current !== undefined && phase.id === current.id && current.progress.replaceWithFailure(phase.index, failure),
	);
	const started = await startFunction(manifest, phases, watched.warn);
	if (started.kind === 'failed') {
		const input = toInput(queueJob, id, firstTasks, undefined);
		await writeStartFailure(input, {...watched.report(), startFailed: started.failure}, realWorkerPorts);
		return;
	}
	const {call} = manifest;
	const {retries, taskLimitMs} = manifest.worker;
	const limit = createTimeLimit(taskLimitMs, id.workDir, watched.warn);
	const output = watchOutput(watched.warn);

	const computeChunk = async (chunk: ChunkId, tasks: Tasks, home: Home | undefined): Promise<void> => {
		const progress = await openProgress(toInput(queueJob, chunk, tasks, home), realWorkerPorts);
		current = {id: chunk, progress};
		await runTasks({id: chunk, fn: started.fn, call, retries, tasks, phases, progress, limit, output});
		await progress.finish(watched.report());
	};

	await computeChunk(id, firstTasks, undefined);
	const claims = openClaims(queueJob);
	for (let claimed = await claims?.next(); claimed !== undefined; claimed = await claims?.next()) {
		await computeChunk(claimed.id, await openTasks(claimed.id, manifest), claimed.home);
	}
};

const toInput = (
	{manifest, isAgain, host, jobId}: QueueJob,
	id: ChunkId,
	{firstTask, numTasks}: Tasks,
	home: Home | undefined,
): ProgressInput => ({
	id,
	session: manifest.session,
	options: manifest.worker,
	takesOver: !isAgain,
	firstTask,
	numTasks,
	writer: {
		node: process.version,
		host,
		...(jobId === undefined ? {} : {jobId}),
		...(home === undefined ? {} : {home}),
		pid: process.pid,
		writtenAt: new Date().toISOString(),
	},
});

const openClaims = ({manifest, id, isAgain, host, jobId}: QueueJob): Claims | undefined => {
	const {numJobs, graceMs} = manifest.worker;
	if (numJobs === null || isAgain) return undefined;
	return createClaims(
		{
			id,
			host,
			...(jobId === undefined ? {} : {jobId}),
			numJobs,
			numChunks: manifest.numChunks ?? undefined,
			graceMs,
			outputBytes: () => ({stdoutFrom: outputBytes(1), stderrFrom: outputBytes(2)}),
		},
		realWorkerPorts,
	);
};
