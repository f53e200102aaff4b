/** The worker program in the simulated world: the real growing of its files, around tasks that only take time, throw, or kill it. */
import type {Chunk} from '../../src/chunks.js';
import type {JobEnd} from '../../src/engines/engine.js';
import {EXIT_CODES} from '../../src/exit-codes.js';
import {chunkName} from '../../src/layout.js';
import {openProgress, type ProgressInput, writeStartFailure} from '../../src/worker/chunk-progress.js';
import {WorkerError} from '../../src/worker/worker-error.js';
import type {WorkerPorts} from '../../src/worker/worker-files.js';
import type {FileViews} from './file-views.js';
import type {Job} from './job.js';
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

const REPORT = {endedAt: '', stdoutBytes: 0, stderrBytes: 0, warnings: [], maxRssBytes: 1};

export const runWorker = async (world: World, job: Job, process: SimProcess, input: WorkerInput): Promise<JobEnd> => {
	const {events} = world;
	const chunk = input.chunks[job.ichunk] as Chunk;
	const ports: WorkerPorts = {
		clock: {elapsedMs: events.nowMs, sleep: ms => process.sleep(ms)},
		files: createSimWorkerFiles(world, input.views, process),
	};
	const progressInput: ProgressInput = {
		id: {workDir: WORK_DIR, ichunk: job.ichunk, attempt: job.attempt},
		session: input.session,
		options: {maxNumResubmissions: world.scenario.options.maxNumResubmissions, taskLimitMs: null},
		takesOver: true,
		firstTask: chunk.firstTask,
		numTasks: chunk.numTasks,
		writer: {node: 'v20.19.0', host: process.host, jobId: job.id, pid: 1, writtenAt: ''},
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
			await writeStartFailure(progressInput, {...REPORT, startFailed}, ports);
			return {failed: false, reason: 'exit status 0'};
		}
		await input.ledger.onStart(job);
		const progress = await openProgress(progressInput, ports);
		while (progress.next() < chunk.numTasks) {
			const index = progress.next();
			if (progress.isWriteDue(events.nowMs())) {
				await progress.write();
				continue;
			}
			const itask = chunk.firstTask + index;
			const task = world.scenario.tasks[itask] as SimTask;
			const beganMs = events.nowMs();
			input.ledger.onBegin(job, process, index, itask);
			if (killsNow(task, input.ledger.numBegins(itask))) {
				await process.sleep(task.durationMs / 2);
				world.fault(task.behaviour === 'kills-always' ? 'task-kills-always' : 'task-kills-once', `task ${itask}`);
				process.kill();
				return {failed: true, kind: 'killed', reason: 'killed by SIGKILL'};
			}
			if (task.durationMs > 0) await process.sleep(task.durationMs);
			const elapsedMs = events.nowMs() - beganMs;
			if (task.behaviour === 'throws') {
				world.fault('task-throws');
				progress.addFailure({kind: 'exception', message: 'Error: simulated'}, EPOCH_MS + beganMs, elapsedMs, undefined);
			} else progress.addValue(taskValue(itask), EPOCH_MS + beganMs, elapsedMs, undefined);
		}
		await progress.finish(REPORT);
		return {failed: false, reason: 'exit status 0'};
	} catch (error) {
		const isOfFiles = error instanceof Error && 'syscall' in error;
		if (!(error instanceof WorkerError || isOfFiles)) throw error;
		world.trace(process.name, `ends: ${error.message}`);
		return {failed: true, reason: `exit status ${error instanceof WorkerError ? error.exitCode : EXIT_CODES.internal}`};
	}
};

const killsNow = ({behaviour, numKills}: SimTask, numBegins: number): boolean =>
	behaviour === 'kills-always' || (behaviour === 'kills-at-first' && numBegins <= numKills);
