/** The worker program in the simulated world: the real growing of its files, around tasks that only take time, throw, or kill it. */
import type {Chunk} from '../../src/chunks.js';
import type {JobEnd} from '../../src/engines/engine.js';
import {EXIT_CODES} from '../../src/exit-codes.js';
import {chunkName, type Home} from '../../src/layout.js';
import {numJobsOf} from '../../src/map-state.js';
import {openProgress, type ProgressInput, writeStartFailure} from '../../src/worker/chunk-progress.js';
import {type Claims, createClaims} from '../../src/worker/claim-chunk.js';
import {WorkerError} from '../../src/worker/worker-error.js';
import type {WorkerPorts} from '../../src/worker/worker-files.js';
import type {FileViews} from './file-views.js';
import type {Hold, Job} from './job.js';
import type {Ledger} from './ledger.js';
import type {SimTask} from './scenario.js';
import {createSimWorkerFiles} from './sim-files.js';
import type {SimProcess} from './sim-process.js';
import {EPOCH_MS, WORK_DIR, type World} from './world.js';

export type WorkerInput = {
	readonly session: string;
	readonly chunks: readonly Chunk[];
	readonly views: FileViews;
	readonly ledger: Ledger;
};

/** What a task of the simulated map returns. Flat values and others are written in different ways. */
export const taskValue = (itask: number): unknown => (itask % 2 === 0 ? itask * itask : {of: itask, text: `task ${itask}`});

const REPORT = {endedAt: '', stdoutBytes: 0, stderrBytes: 0, warnings: []};

export const runWorker = async (world: World, job: Job, process: SimProcess, input: WorkerInput): Promise<JobEnd> => {
	const ports: WorkerPorts = {
		clock: {elapsedMs: world.events.nowMs, sleep: ms => process.sleep(ms)},
		files: createSimWorkerFiles(world, input.views, process),
	};
	try {
		// The launcher makes it before Node is started.
		await process.sleep(job.dice.int(5, 50));
		await ports.files.create(`${WORK_DIR}/${chunkName(job.ichunk)}.${job.attempt}.e`).then(
			() => {
				job.hasFiles = true;
			},
			() => undefined,
		);
		await process.sleep(job.dice.int(50, 500));
		if (world.strikes('start-failed', job.dice)) {
			world.fault('start-failed', job.name);
			job.excuse ??= 'could not start';
			job.hasStartFailed = true;
			const startFailed = {kind: 'start-failed', message: 'simulated'} as const;
			await writeStartFailure(toProgressInput(world, job, process, input, job, undefined), {...REPORT, startFailed}, ports);
			return CLEAN_END;
		}
		const home = job.holds[0] as Hold;
		if (!(await computeChunk(world, job, process, input, home, undefined, ports))) return KILLED;
		const claims = openClaims(world, job, process, input, ports);
		for (let claimed = await claims?.(); claimed !== undefined; claimed = await claims?.()) {
			const hold = input.ledger.onClaim(job, claimed.id.ichunk);
			if (!(await computeChunk(world, job, process, input, hold, claimed.home, ports))) return KILLED;
		}
		return CLEAN_END;
	} catch (error) {
		const isOfFiles = error instanceof Error && 'syscall' in error;
		if (!(error instanceof WorkerError || isOfFiles)) throw error;
		world.trace(process.name, `ends: ${error.message}`);
		return {failed: true, reason: `exit status ${error instanceof WorkerError ? error.exitCode : EXIT_CODES.internal}`};
	}
};

const CLEAN_END: JobEnd = {failed: false, reason: 'exit status 0'};
const KILLED: JobEnd = {failed: true, kind: 'killed', reason: 'killed by SIGKILL'};

const toProgressInput = (
	world: World,
	job: Job,
	process: SimProcess,
	{session, chunks}: WorkerInput,
	{ichunk, attempt}: Pick<Hold, 'ichunk' | 'attempt'>,
	home: Home | undefined,
): ProgressInput => {
	const {firstTask, numTasks} = chunks[ichunk] as Chunk;
	return {
		id: {workDir: WORK_DIR, ichunk, attempt},
		session,
		options: {maxNumResubmissions: world.scenario.options.maxNumResubmissions, taskLimitMs: null},
		takesOver: true,
		firstTask,
		numTasks,
		writer: {node: 'v20.19.0', host: process.host, jobId: job.id, pid: 1, writtenAt: '', ...(home === undefined ? {} : {home})},
	};
};

/** Some are killed while they claim: before the file is there, while it is empty, or once it is filled. */
const openClaims = (world: World, job: Job, process: SimProcess, {chunks}: WorkerInput, ports: WorkerPorts): Claims['next'] | undefined => {
	const {graceMs} = world.scenario.options;
	const numJobs = numJobsOf(world.scenario.options);
	if (numJobs === undefined) return undefined;
	const {next} = createClaims(
		{
			id: {workDir: WORK_DIR, ichunk: job.ichunk, attempt: job.attempt},
			host: process.host,
			jobId: job.id,
			numJobs,
			// Some worlds do not tell.
			numChunks: world.dice.fork('stream').chance(0.3) ? undefined : chunks.length,
			graceMs,
			outputBytes: () => ({stdoutFrom: 0, stderrFrom: 0}),
		},
		ports,
	);
	return () => {
		if (world.strikes('job-killed-claiming', job.dice)) {
			process.killAt({
				numCalls: process.numCalls() + job.dice.int(1, 3),
				when: job.dice.pick(['before', 'in-between', 'after']),
				onDeath: () => {
					if (process.isAtItsEnd()) world.fault('job-killed-claiming', job.id);
					job.kill();
				},
			});
		}
		return next();
	};
};

/** @returns False when a task has killed the worker. */
const computeChunk = async (
	world: World,
	job: Job,
	process: SimProcess,
	input: WorkerInput,
	hold: Hold,
	home: Home | undefined,
	ports: WorkerPorts,
): Promise<boolean> => {
	const {events} = world;
	const chunk = input.chunks[hold.ichunk] as Chunk;
	await input.ledger.onStart(job, hold);
	const progress = await openProgress(toProgressInput(world, job, process, input, hold, home), ports);
	while (progress.next() < chunk.numTasks) {
		const index = progress.next();
		if (progress.isWriteDue(events.nowMs())) {
			await progress.write();
			continue;
		}
		const itask = chunk.firstTask + index;
		const task = world.scenario.tasks[itask] as SimTask;
		const beganMs = events.nowMs();
		input.ledger.onBegin(job, hold, process, index, itask);
		if (killsNow(task, input.ledger.numBegins(itask))) {
			await process.sleep(task.durationMs / 2);
			world.fault(task.behaviour === 'kills-always' ? 'task-kills-always' : 'task-kills-once', `task ${itask}`);
			process.kill();
			return false;
		}
		if (task.durationMs > 0) await process.sleep(task.durationMs);
		const elapsedMs = events.nowMs() - beganMs;
		if (task.behaviour === 'throws') {
			world.fault('task-throws');
			progress.addFailure({kind: 'exception', message: 'Error: simulated'}, EPOCH_MS + beganMs, elapsedMs, undefined);
		} else progress.addValue(taskValue(itask), EPOCH_MS + beganMs, elapsedMs, undefined);
	}
	await progress.finish(REPORT);
	hold.finishedMs = events.nowMs();
	return true;
};

const killsNow = ({behaviour, numKills}: SimTask, numBegins: number): boolean =>
	behaviour === 'kills-always' || (behaviour === 'kills-at-first' && numBegins <= numKills);
