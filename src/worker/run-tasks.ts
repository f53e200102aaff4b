/** Calls fn for one task after the other, and records what became of each. */
import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Manifest} from '../manifest.js';
import {toRemoteError} from '../remote-error.js';
import type {TaskFailure} from '../v8-serialize-helpers.js';
import type {OutcomeFile} from './outcome-file.js';
import type {Phases, TaskPhase} from './phases.js';
import type {Tasks} from './tasks-file.js';
import {watchOutput} from './watch-output.js';

/**
 * Tasks that return at once are computed in a row for so long; then the event loop gets a turn, in which a rejection that nobody has handled comes to
 * light. A turn after every task would cost more than a small task.
 */
const TURN_EVERY_MS = 5;

export const runTasks = async (
	fn: (...args: unknown[]) => unknown,
	call: Manifest['call'],
	tasks: Tasks,
	phases: Phases,
	file: OutcomeFile,
): Promise<void> => {
	// One argument only, as for built-ins: parseInt takes a second one for something else.
	const invoke = call === 'starmap' ? (task: unknown) => fn(...(task as Iterable<unknown>)) : (task: unknown) => fn(task);
	const output = watchOutput();
	let index = 0;
	let lastTurnMs = performance.now();
	for await (const block of tasks.blocks()) {
		for (const task of block) {
			const phase: TaskPhase = {
				kind: 'task',
				itask: tasks.firstTask + index,
				index,
				interrupt: undefined,
				failure: undefined,
				context: undefined,
			};
			index++;
			const beganMs = performance.now();
			const called = callTask(phases, phase, invoke, task);
			const settled = called.kind === 'promise' ? await settle(phase, called.promise) : called;
			const endedMs = performance.now();
			const startedAt = performance.timeOrigin + beganMs;
			const failure = phase.failure ?? (settled.kind === 'failure' ? settled.failure : undefined);
			const range = output.rangeOfTask(endedMs - beganMs, failure !== undefined);
			if (failure !== undefined) file.addFailure(failure, startedAt, endedMs - beganMs, range);
			else if (settled.kind === 'value') file.addValue(settled.value, startedAt, endedMs - beganMs, range);
			if (endedMs - lastTurnMs < TURN_EVERY_MS && !file.isBlockFull()) continue;
			phases.end();
			await nextTurn();
			lastTurnMs = performance.now();
			if (file.isBlockFull()) file.writeBlock();
		}
	}
	phases.end();
	await nextTurn();
};

type Settled = {readonly kind: 'value'; readonly value: unknown} | {readonly kind: 'failure'; readonly failure: TaskFailure};

const callTask = (
	phases: Phases,
	phase: TaskPhase,
	invoke: (task: unknown) => unknown,
	task: unknown,
): Settled | {readonly kind: 'promise'; readonly promise: PromiseLike<unknown>} => {
	try {
		const value = phases.run(phase, invoke, task);
		return isPromiseLike(value) ? {kind: 'promise', promise: value} : {kind: 'value', value};
	} catch (thrown) {
		return {kind: 'failure', failure: toFailure(thrown)};
	}
};

const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
	typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';

/** Waits for the promise, or for what interrupts its task: an error thrown in a timer, process.exit, an event loop with nothing left to do. */
const settle = (phase: TaskPhase, promise: PromiseLike<unknown>): Promise<Settled> =>
	new Promise(resolve => {
		phase.interrupt = failure => resolve({kind: 'failure', failure});
		if (phase.failure !== undefined) phase.interrupt(phase.failure);
		try {
			promise.then(
				value => resolve({kind: 'value', value}),
				(thrown: unknown) => resolve({kind: 'failure', failure: toFailure(thrown)}),
			);
		} catch (thrown) {
			// It is no promise of the language, only something with a `then`.
			resolve({kind: 'failure', failure: toFailure(thrown)});
		}
	});

const toFailure = (thrown: unknown): TaskFailure => {
	const remote = toRemoteError(thrown);
	return {kind: 'exception', message: `${remote.name}: ${remote.message}`, remote};
};
