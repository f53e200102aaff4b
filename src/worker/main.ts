/**
 * The worker program: computes one chunk and writes its outcomes. `worker_node_script.mjs WORK_DIR ICHUNK ATTEMPT`, started by launch.sh on the
 * worker-node, bundled into one file. It imports node: modules only, for it pays for each of them in every queue-job.
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {ENVIRONMENT_RECORD, MANIFEST} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {installWorkerState} from '../task-context.js';
import {applyEnvironment} from './apply-environment.js';
import {createOutcomeFile, type OutcomeFile} from './outcome-file.js';
import {createPhases} from './phases.js';
import {runTasks} from './run-tasks.js';
import {startFunction} from './start-function.js';
import {openTasks} from './tasks-file.js';
import {watchProcess} from './watch-process.js';

/** The real one: for tasks it is replaced. */
const exit = process.exit.bind(process);

const main = async (): Promise<void> => {
	const [workDir, ichunk, attempt] = process.argv.slice(2);
	if (workDir === undefined || ichunk === undefined || attempt === undefined) {
		throw new Error('Expected the arguments WORK_DIR ICHUNK ATTEMPT. launch.sh in the work_dir gives them.');
	}
	const id = {workDir, ichunk: Number(ichunk), attempt: Number(attempt)};
	// Before anything of the user's is loaded: modules read the environment when they are imported.
	applyEnvironment(readFileSync(join(workDir, ENVIRONMENT_RECORD), 'utf8'));
	const manifest = JSON.parse(readFileSync(join(workDir, MANIFEST), 'utf8')) as Manifest;
	const tasks = await openTasks(id, manifest);
	const phases = createPhases(id, manifest);
	installWorkerState(phases);
	let file: OutcomeFile | undefined;
	const watched = watchProcess(phases, (index, failure) => file?.replaceWithFailure(index, failure) ?? false);

	const started = await startFunction(manifest, phases);
	// Not sooner, and under another name when fn can't be had: a `.part` tells the process-node that a worker could begin.
	file = createOutcomeFile(id, manifest, tasks, started.kind === 'ready' ? 'part' : 'start');
	if (started.kind === 'failed') file.finish({...watched.report(), startFailed: started.failure});
	else {
		await runTasks(started.fn, manifest.call, tasks, phases, file);
		file.finish(watched.report());
	}
	// Whatever fn has left running is not waited for.
	watched.exit(0);
};

main().catch((error: unknown) => {
	console.error(error);
	// A fault of this program or of its files, none of fn's.
	exit(70);
});
