/**
 * Computes one task in the foreground, as its queue-job would, and writes nothing into the work_dir: `one-task.js WORK_DIR ICHUNK INDEX TASK_DIR OUTCOME`. For people who look for a
 * fault, maybe under a debugger. It runs from the package, not from the work_dir.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {url as inspectorUrl} from 'node:inspector';
import {join} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {serialiseValue} from '../block-file/v8-values.js';
import {ENVIRONMENT_RECORD, MANIFEST} from '../layout.js';
import type {Manifest} from '../manifest.js';
import {installWorkerState} from '../task-context.js';
import {UnserialisableError} from '../unserialisable.js';
import type {TaskFailure} from '../v8-serialize-helpers.js';
import {applyEnvironment} from './apply-environment.js';
import {callTask} from './call-task.js';
import {createPhases, type TaskPhase} from './phases.js';
import {createSharedReader} from './shared-reader.js';
import {startFunction} from './start-function.js';
import {openTasks} from './tasks-file.js';
import {createTimeLimit} from './time-limit.js';
import {watchProcess} from './watch-process.js';

/** The first line of the file OUTCOME, as JSON; after it comes the value, as v8 writes it. */
export type OneOutcome = {readonly elapsedMs: number | undefined; readonly failure: TaskFailure | undefined};

/** The real one: for tasks it is replaced. */
const exit: typeof process.exit = process.exit.bind(process);

const main = async (): Promise<void> => {
	const [workDir = '', ichunk = '', at = '', taskDir = '', outcomePath = ''] = process.argv.slice(2);
	const index = Number(at);
	const write = (outcome: OneOutcome, bytes: Buffer = Buffer.alloc(0)): void =>
		writeFileSync(outcomePath, Buffer.concat([Buffer.from(`${JSON.stringify(outcome)}\n`), bytes]), {mode: 0o600});

	applyEnvironment(readFileSync(join(workDir, ENVIRONMENT_RECORD), 'utf8'));
	const manifest = withoutChecksum(JSON.parse(readFileSync(join(workDir, MANIFEST), 'utf8')) as Manifest);
	const id = {workDir, ichunk: Number(ichunk), attempt: 1};
	const tasks = await openTasks(id, manifest);
	const phases = createPhases(manifest, createSharedReader(workDir, manifest, abandon), () => taskDir);
	installWorkerState(phases);
	const {warn} = watchProcess(phases, () => false);
	const started = await startFunction(manifest, phases, warn);
	if (started.kind === 'failed') return write({elapsedMs: undefined, failure: started.failure});
	for await (const {first, values} of tasks.blocks(index)) {
		if (index >= first + values.length) continue;
		const {fn} = started;
		const invoke = (task: unknown): unknown => {
			// Who has come with a debugger goes on from its first stop to here: the next step is into the function.
			// biome-ignore lint/suspicious/noDebugger: it is what `--inspect-brk` is for.
			if (inspectorUrl() !== undefined) debugger;
			return manifest.call === 'starmap' ? fn(...(task as Iterable<unknown>)) : fn(task);
		};
		const phase: TaskPhase = {
			...{kind: 'task', id, itask: tasks.firstTask + index, index},
			...{interrupt: undefined, failure: undefined, isRetried: false, context: undefined},
		};
		const beganMs = performance.now();
		const settled = await callTask(phases, phase, invoke, values[index - first], createTimeLimit(null, workDir, warn));
		const elapsedMs = performance.now() - beganMs;
		// What it has left behind comes to light.
		await nextTurn();
		phases.end();
		const failure = phase.failure ?? (settled.kind === 'failure' ? settled.failure : undefined);
		if (failure !== undefined || settled.kind === 'failure') return write({elapsedMs, failure});
		try {
			return write({elapsedMs, failure}, serialiseValue(settled.value));
		} catch (error) {
			if (!(error instanceof UnserialisableError)) throw error;
			return write({
				elapsedMs,
				failure: {kind: 'result-unserialisable', message: `returned what can't be written to a file: ${error.message}`},
			});
		}
	}
};

/** A module that was changed, to mend it, is what is to be tried; the caller is told. */
const withoutChecksum = (manifest: Manifest): Manifest => {
	if (manifest.function.kind !== 'module') return manifest;
	const {crc32: _crc32, ...reference} = manifest.function;
	return {...manifest, function: reference};
};

function abandon(error: unknown): never {
	console.error(error);
	exit(1);
}

// Whatever fn has left running is not waited for.
main().then(() => exit(0), abandon);
