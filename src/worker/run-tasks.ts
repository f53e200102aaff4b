/** Calls fn for one task after the other, and records what became of each. */
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Manifest} from '../manifest.js';
import type {TaskFailure} from '../v8-serialize-helpers.js';
import {callTask, type Settled} from './call-task.js';
import type {ChunkId} from './chunk-id.js';
import type {ChunkProgress} from './chunk-progress.js';
import type {Phases, TaskPhase} from './phases.js';
import type {Tasks} from './tasks-file.js';
import type {TimeLimit} from './time-limit.js';
import type {OutputWatch} from './watch-output.js';

/**
 * Tasks that return at once are computed in a row for so long; then the event loop gets a turn, in which a rejection that nobody has handled comes to
 * light. A turn after every task would cost more than a small task.
 */
const TURN_EVERY_MS = 5;

export type RunInput = {
	readonly id: ChunkId;
	readonly fn: (...args: unknown[]) => unknown;
	readonly call: Manifest['call'];
	readonly retries: number;
	readonly tasks: Tasks;
	readonly phases: Phases;
	readonly progress: ChunkProgress;
	readonly limit: TimeLimit;
	readonly output: OutputWatch;
};

export const runTasks = async ({id, fn, call, retries, tasks, phases, progress, limit, output}: RunInput): Promise<void> => {
	// One argument only, as for built-ins: parseInt takes a second one for something else.
	const invoke = call === 'starmap' ? (task: unknown) => fn(...(task as Iterable<unknown>)) : (task: unknown) => fn(task);
	let nowMs = performance.now();
	let lastTurnMs = nowMs;

	const takeTurn = async (): Promise<void> => {
		phases.end();
		await nextTurn();
		lastTurnMs = performance.now();
	};

	for await (const {first, values} of tasks.blocks(progress.next())) {
		for (let i = 0; i < values.length; i++) {
			const index = first + i;
			if (index < progress.next()) continue;
			const isWriteDue = progress.isWriteDue(nowMs);
			// What the last tasks have left behind comes to light before their outcomes are final.
			if (isWriteDue || nowMs - lastTurnMs >= TURN_EVERY_MS) await takeTurn();
			if (isWriteDue) await progress.write();
			// Earlier attempts have shown that it can't be computed.
			if (index < progress.next()) continue;

			limit.begin(id, index);
			const beganMs = performance.now();
			let phase = createPhase(id, tasks.firstTask + index, index);
			const called = callTask(phases, phase, invoke, values[i], limit);
			let settled: Settled = called instanceof Promise ? await called : called;
			nowMs = performance.now();
			for (let retry = 0; retry < retries && failureOf(phase, settled) !== undefined && nowMs - beganMs < limit.ms; retry++) {
				phase.isRetried = true;
				phase = {...createPhase(id, phase.itask, index), context: phase.context};
				settled = await callTask(phases, phase, invoke, values[i], limit);
				nowMs = performance.now();
			}
			limit.end();
			const elapsedMs = nowMs - beganMs;
			const failure = failureOf(phase, settled) ?? limit.failure();
			const startedAt = performance.timeOrigin + beganMs;
			const range = output.rangeOfTask(elapsedMs, failure !== undefined);
			if (failure !== undefined) progress.addFailure(failure, startedAt, elapsedMs, range);
			else if (settled.kind === 'value') progress.addValue(settled.value, startedAt, elapsedMs, range);
		}
		// The next tasks may be late to see, or lost: what is finished does not wait for them.
		if (progress.next() < tasks.numTasks && progress.isWriteDue(nowMs)) {
			await takeTurn();
			await progress.write();
		}
	}
	await takeTurn();
};

const createPhase = (id: ChunkId, itask: number, index: number): TaskPhase => ({
	kind: 'task',
	id,
	itask,
	index,
	interrupt: undefined,
	failure: undefined,
	isRetried: false,
	context: undefined,
});

const failureOf = (phase: TaskPhase, settled: Settled): TaskFailure | undefined =>
	phase.failure ?? (settled.kind === 'failure' ? settled.failure : undefined);
